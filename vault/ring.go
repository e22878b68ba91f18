package vault

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"
)

// Field says which part of a row's version is sealed. Each has a subkey.
type Field uint8

// Fields of a row. The zero Field is none of them.
const (
	Summary Field = 1 // policy facts and search values
	Body    Field = 2 // the resource's bytes
	Content Field = 3 // a small part kept apart from the body
	fields        = 4
)

// Place is where a sealed blob belongs in its dossier.
type Place struct {
	Row     ID
	Version int64
	Field   Field
}

// Ring holds the opened keys of one dossier. It is safe for concurrent use. The
// zero Ring opens nothing.
type Ring struct {
	rand io.Reader
	keys atomic.Pointer[ringKeys]
}

// ringKeys never changes once its Ring is made.
type ringKeys struct {
	id    ID
	data  []dataKey
	trace []traceKey
}

type dataKey struct {
	number int32
	fields [fields]cipher.AEAD
}

type traceKey struct {
	number int32
	events cipher.AEAD
}

func (k *ringKeys) add(kind uint8, number int32, key []byte) error {
	switch kind {
	case Data:
		d := dataKey{number: number}
		d.fields[Summary] = subAEAD(key, k.id[:], "row summary")
		d.fields[Body] = subAEAD(key, k.id[:], "row body")
		d.fields[Content] = subAEAD(key, k.id[:], "row content")
		k.data = append(k.data, d)
	case Trace:
		k.trace = append(k.trace, traceKey{number, subAEAD(key, k.id[:], "trace event")})
	default:
		return fmt.Errorf("%w: key of kind %d", ErrOpen, kind)
	}
	return nil
}

// Of tells whether the ring holds keys of the dossier id.
func (r *Ring) Of(id ID) bool {
	k := r.load()
	return k != nil && k.id == id
}

// Forget drops the keys: from then on the ring opens and seals nothing. What
// the cipher expanded from them stays in memory until the collector reuses it.
func (r *Ring) Forget() {
	if r != nil {
		r.keys.Store(nil)
	}
}

func (r *Ring) load() *ringKeys {
	if r == nil {
		return nil
	}
	return r.keys.Load()
}

// Seal seals a field of a row's version under the newest data key. It returns
// nil, which IsSealed refuses, when the ring has no data key or there is no
// randomness.
func (r *Ring) Seal(p Place, plain []byte) []byte {
	k := r.load()
	if k == nil || len(k.data) == 0 {
		return nil
	}
	newest := &k.data[0]
	for i := range k.data {
		if k.data[i].number > newest.number {
			newest = &k.data[i]
		}
	}
	aead := newest.field(p.Field)
	if aead == nil {
		return nil
	}
	var head [5]byte
	numberedHeader(&head, formatRow, newest.number)
	ad := rowAD(head, k.id, p)
	return seal(aead, r.rand, head[:], plain, ad[:])
}

// Open undoes Seal. It returns ErrOpen unless sealed is what Seal made at this
// very place of this dossier under a key of the ring.
func (r *Ring) Open(p Place, sealed []byte) ([]byte, error) {
	k := r.load()
	number, ok := numberOf(formatRow, sealed)
	if k == nil || !ok {
		return nil, ErrOpen
	}
	for i := range k.data {
		if k.data[i].number != number {
			continue
		}
		aead := k.data[i].field(p.Field)
		if aead == nil {
			return nil, ErrOpen
		}
		ad := rowAD([5]byte(sealed), k.id, p)
		return open(aead, 5, sealed, ad[:])
	}
	return nil, ErrOpen
}

// SealEvent seals an audit event under the newest trace key. It returns nil as
// Seal does.
func (r *Ring) SealEvent(id ID, plain []byte) []byte {
	k := r.load()
	if k == nil || len(k.trace) == 0 {
		return nil
	}
	newest := &k.trace[0]
	for i := range k.trace {
		if k.trace[i].number > newest.number {
			newest = &k.trace[i]
		}
	}
	var head [5]byte
	numberedHeader(&head, formatEvent, newest.number)
	ad := eventAD(head, k.id, id)
	return seal(newest.events, r.rand, head[:], plain, ad[:])
}

// OpenEvent undoes SealEvent; ErrOpen if it cannot.
func (r *Ring) OpenEvent(id ID, sealed []byte) ([]byte, error) {
	k := r.load()
	number, ok := numberOf(formatEvent, sealed)
	if k == nil || !ok {
		return nil, ErrOpen
	}
	for i := range k.trace {
		if k.trace[i].number == number {
			ad := eventAD([5]byte(sealed), k.id, id)
			return open(k.trace[i].events, 5, sealed, ad[:])
		}
	}
	return nil, ErrOpen
}

func (d *dataKey) field(f Field) cipher.AEAD {
	if f >= fields {
		return nil
	}
	return d.fields[f]
}

func numberedHeader(head *[5]byte, format byte, number int32) {
	head[0] = format
	binary.BigEndian.PutUint32(head[1:], uint32(number))
}

func numberOf(format byte, sealed []byte) (int32, bool) {
	if len(sealed) < Overhead || sealed[0] != format {
		return 0, false
	}
	return int32(binary.BigEndian.Uint32(sealed[1:])), true
}

// rowAD is format ‖ key number ‖ dossier ‖ row ‖ version ‖ field.
func rowAD(head [5]byte, dossier ID, p Place) (ad [5 + 16 + 16 + 8 + 1]byte) {
	copy(ad[:], head[:])
	copy(ad[5:], dossier[:])
	copy(ad[21:], p.Row[:])
	binary.BigEndian.PutUint64(ad[37:], uint64(p.Version))
	ad[45] = byte(p.Field)
	return ad
}

// eventAD is format ‖ key number ‖ dossier ‖ event.
func eventAD(head [5]byte, dossier, event ID) (ad [5 + 16 + 16]byte) {
	copy(ad[:], head[:])
	copy(ad[5:], dossier[:])
	copy(ad[21:], event[:])
	return ad
}
