package dossier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
	"opendmp/vault"
)

// A summary holds what finding and judging need of one version of a resource:
//
//	format ‖ id ‖ push ‖ entry ‖ digest ‖ names ‖ origin ‖ facts ‖ values
//
// A body holds what cannot be rebuilt from the resource, then its bytes:
//
//	format ‖ push ‖ entry ‖ digest ‖ origin ‖ content ‖ resource
//
// Both begin with a format version; a summary of another format is rebuilt from
// its body.
const (
	summaryFormat = 1
	bodyFormat    = 1
)

var errFormat = errors.New("dossier: unknown format")

// record is one version of a resource before it is sealed, or after it was
// opened.
type record struct {
	resource *fhir.Resource
	origin   policy.Origin
	// push is shared by what one request wrote, and entry is the place in it:
	// the answer to the same push again is made from them.
	push  [16]byte
	entry int
	// digest is the identity of what was pushed as a document, or as a submission
	// set with all that came with it.
	digest [32]byte
	// content is where a Binary's data is.
	content contentRef
}

// contentRef names a sealed content. The zero contentRef is none.
type contentRef struct {
	id   store.ContentID
	key  vault.ContentKey
	size int64
	mime string
	// at is where, in the bytes of the Binary, the base64 data was cut out; -1
	// when it was left in because it is not canonical base64.
	at int64
}

func (c contentRef) exists() bool { return c.id != store.ContentID{} }

func (rec *record) appendBody(b []byte) []byte {
	b = append(b, bodyFormat)
	b = append(b, rec.push[:]...)
	b = binary.AppendUvarint(b, uint64(rec.entry))
	b = append(b, rec.digest[:]...)
	b = appendBytes(b, rec.origin.AppendBinary(nil))
	b = appendBytes(b, rec.content.append(nil))
	return append(b, rec.resource.Bytes()...)
}

func (c contentRef) append(b []byte) []byte {
	if !c.exists() {
		return b
	}
	b = append(b, c.id[:]...)
	b = append(b, c.key[:]...)
	b = binary.AppendVarint(b, c.size)
	b = binary.AppendVarint(b, c.at)
	return appendBytes(b, []byte(c.mime))
}

func decodeBody(b []byte) (*record, error) {
	d := decoder{b: b}
	if d.byte() != bodyFormat {
		return nil, errFormat
	}
	rec := &record{}
	copy(rec.push[:], d.take(16))
	rec.entry = int(d.uvarint())
	copy(rec.digest[:], d.take(32))
	origin, content := d.bytes(), d.bytes()
	if d.bad {
		return nil, errFormat
	}
	var err error
	if rec.origin, _, err = policy.DecodeOrigin(origin); err != nil {
		return nil, err
	}
	if len(content) > 0 {
		c := decoder{b: content}
		copy(rec.content.id[:], c.take(16))
		copy(rec.content.key[:], c.take(len(rec.content.key)))
		rec.content.size, rec.content.at = c.varint(), c.varint()
		rec.content.mime = string(c.bytes())
		if c.bad {
			return nil, errFormat
		}
	}
	rec.resource, err = fhir.Scan(d.b)
	return rec, err
}

// row is the opened summary of the current version of a resource.
type row struct {
	key     store.RowKey
	typ     string
	id      string
	version int64
	updated time.Time
	deleted bool
	push    [16]byte
	entry   int
	digest  [32]byte
	names   []string // what a document's attachments name: "Binary/x"
	origin  policy.Origin
	facts   policy.Facts
	values  fhir.Values
}

func (r *row) ref() string { return r.typ + "/" + r.id }

func appendSummary(b []byte, r *row) []byte {
	b = append(b, summaryFormat)
	b = appendBytes(b, []byte(r.id))
	b = append(b, r.push[:]...)
	b = binary.AppendUvarint(b, uint64(r.entry))
	b = append(b, r.digest[:]...)
	b = binary.AppendUvarint(b, uint64(len(r.names)))
	for _, n := range r.names {
		b = appendBytes(b, []byte(n))
	}
	b = r.origin.AppendBinary(b)
	b = r.facts.AppendBinary(b)
	return r.values.AppendBinary(b)
}

func decodeSummary(b []byte, r *row) error {
	d := decoder{b: b}
	if d.byte() != summaryFormat {
		return errFormat
	}
	r.id = string(d.bytes())
	copy(r.push[:], d.take(16))
	r.entry = int(d.uvarint())
	copy(r.digest[:], d.take(32))
	if n := d.uvarint(); n > 0 && n <= uint64(len(d.b)) {
		r.names = make([]string, n)
		for i := range r.names {
			r.names[i] = string(d.bytes())
		}
	}
	if d.bad {
		return errFormat
	}
	var err error
	if r.origin, d.b, err = policy.DecodeOrigin(d.b); err != nil {
		return err
	}
	if r.facts, d.b, err = policy.DecodeFacts(d.b); err != nil {
		return err
	}
	r.values, _, err = fhir.DecodeValues(d.b)
	return err
}

// summarise makes the row of a record.
func summarise(key store.RowKey, version int64, updated time.Time, rec *record) (*row, error) {
	r := &row{
		key: key, typ: rec.resource.Type(), id: rec.resource.ID(), version: version, updated: updated,
		push: rec.push, entry: rec.entry, digest: rec.digest, origin: rec.origin,
		names: attachments(rec.resource), values: fhir.ValuesOf(rec.resource),
	}
	var err error
	r.facts, err = policy.FactsOf(rec.resource, rec.origin)
	return r, err
}

// attachments returns what the contents of a document name.
func attachments(r *fhir.Resource) []string {
	if r.Type() != "DocumentReference" {
		return nil
	}
	var names []string
	for url := range r.Root().All("content", "attachment", "url") {
		names = append(names, url.Text())
	}
	return names
}

func appendBytes(b, v []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

// decoder reads what the functions above appended. Bytes come from under a
// seal, yet nothing is trusted: a short read sets bad and yields zeros.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.bad, d.b = true, nil
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if v := d.take(1); len(v) == 1 {
		return v[0]
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	return d.take(int(n))
}

// sealed places.
func summaryPlace(key store.RowKey, version int64) vault.Place {
	return vault.Place{Row: key, Version: version, Field: vault.Summary}
}

func bodyPlace(key store.RowKey, version int64) vault.Place {
	return vault.Place{Row: key, Version: version, Field: vault.Body}
}

func internal(err error, what string) error {
	if err == nil || errors.Is(err, store.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", ErrInternal, what, err)
}
