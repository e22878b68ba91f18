package policy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// ErrEncoding is the error of bytes that are not the binary form of Facts or of
// an Origin, or that are of a version which this program does not know. The door
// takes the facts from the resource again.
var ErrEncoding = errors.New("policy: not an encoding of facts")

// The binary form is a byte of version, the length of the rest, and the fields in
// the order below. Numbers are varints; strings have their length before them; a
// flag that is new takes a free bit, which older forms have clear; a type that is
// new takes the next number, and its own fields after those that all types have;
// the systems of identifiers and codes that are frequent are one byte.
const (
	factsVersion  = 1
	originVersion = 1
)

// knownSystems are written as their place + 1. The list may grow at its end, in
// the same version; nothing in it may change place.
var knownSystems = [...]string{
	fhir.SystemRPPS,
	fhir.SystemADELI,
	fhir.SystemStructure,
	fhir.SystemIDNPS,
	fhir.SystemINSNIR,
	fhir.SystemINSNIA,
	fhir.SystemINSTest,
	fhir.SystemINSDemo,
	fhir.SystemLOINC,
	fhir.SystemDocumentType,
	fhir.SystemDocumentClass,
	"urn:ietf:rfc:3986",
	auth.SystemAccount,
}

// AppendBinary appends the binary form of the facts.
func (f Facts) AppendBinary(b []byte) []byte {
	return appendFramed(b, factsVersion, f.appendFields)
}

func (f Facts) appendFields(b []byte) []byte {
	b = append(b, byte(f.typ), byte(f.status), packed(f.flags.Masque, f.flags.InvisiblePatient,
		f.flags.InvisibleRepresentants, f.archived, f.byPatient, f.byFeeder, f.inline, f.sourced))
	b = appendString(b, f.patient)
	b = appendIdents(b, f.about)
	b = appendIdent(b, fhir.Ident{System: f.docType.System, Value: f.docType.Code})
	b = appendIdent(b, fhir.Ident{System: f.class.System, Value: f.class.Code})
	b = appendIdents(b, f.persons)
	b = appendIdents(b, f.structures)
	b = appendIdents(b, f.idents)
	b = binary.AppendUvarint(b, uint64(len(f.refs)))
	for _, r := range f.refs {
		b = append(b, byte(r.role))
		b = appendString(b, r.ref)
		b = appendIdent(b, r.id)
	}
	b = binary.AppendUvarint(b, uint64(len(f.contents)))
	for _, url := range f.contents {
		b = appendString(b, url)
	}
	b = f.origin.appendFields(b)
	switch f.typ {
	case typeConsent:
		b = append(b, byte(f.consent.kind), byte(f.consent.actorKind))
		b = appendIdent(b, f.consent.actor)
		b = f.period.append(b)
	case typeRelatedPerson:
		b = f.period.append(b)
	case typeCareTeam:
		b = appendMembers(f.period.append(b), f.members)
	case typePatient:
		b = f.person.append(b)
	}
	return b
}

func (p period) append(b []byte) []byte {
	return binary.AppendVarint(binary.AppendVarint(b, p.from), p.to)
}

func (p patientFacts) append(b []byte) []byte {
	b = append(b, packed(p.active, p.hasINS, p.qualified, p.motive, p.ofDeath, p.deceased, len(p.agreed) > 0))
	b = appendIdents(b, p.ins)
	b = appendString(b, p.birth)
	b = appendIdents(b, p.gps)
	b = appendString(b, p.closedOn)
	if len(p.agreed) > 0 {
		b = appendIdents(b, p.agreed)
	}
	return b
}

// AppendBinary appends the binary form of the origin. Times are kept to the
// microsecond.
func (o Origin) AppendBinary(b []byte) []byte {
	return appendFramed(b, originVersion, o.appendFields)
}

func (o Origin) appendFields(b []byte) []byte {
	b = append(b, packed(o.MaskedByPatient, o.Deleted), byte(o.ByKind))
	b = binary.AppendVarint(b, micros(o.Deposited))
	b = binary.AppendVarint(b, micros(o.HiddenSince))
	b = appendIdent(b, o.By)
	return appendIdents(b, o.Structures)
}

// micros is the time in microseconds since 1970; the zero time is math.MinInt64.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixMicro()
}

func timeOf(micros int64) time.Time {
	if micros == math.MinInt64 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// appendFramed appends version, length and fields.
func appendFramed(b []byte, version byte, fields func([]byte) []byte) []byte {
	b = append(b, version)
	// The length takes two bytes nearly always: leave them, and move if it is not.
	at := len(b)
	b = append(b, 0, 0)
	b = fields(b)
	n := len(b) - at - 2
	if n >= 0x80 && n < 0x4000 {
		b[at], b[at+1] = byte(n)|0x80, byte(n>>7)
		return b
	}
	content := append([]byte(nil), b[at+2:]...)
	return append(binary.AppendUvarint(b[:at], uint64(n)), content...)
}

func packed(flags ...bool) byte {
	var b byte
	for i, f := range flags {
		if f {
			b |= 1 << i
		}
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendIdent(b []byte, id fhir.Ident) []byte {
	for i, s := range knownSystems {
		if s == id.System {
			return appendString(append(b, byte(i+1)), id.Value)
		}
	}
	return appendString(appendString(append(b, 0), id.System), id.Value)
}

func appendIdents(b []byte, ids []fhir.Ident) []byte {
	b = binary.AppendUvarint(b, uint64(len(ids)))
	for _, id := range ids {
		b = appendIdent(b, id)
	}
	return b
}

// DecodeFacts reads what AppendBinary wrote at the beginning of b, and returns
// the rest. The facts hold no part of b. It trusts nothing: bytes that are not
// the form of any facts are ErrEncoding.
func DecodeFacts(b []byte) (Facts, []byte, error) {
	r, rest, err := unframe(b, factsVersion)
	if err != nil {
		return Facts{}, nil, err
	}
	f := r.facts()
	if err := r.close(); err != nil {
		return Facts{}, nil, err
	}
	return f, rest, nil
}

// DecodeOrigin reads what Origin.AppendBinary wrote, as DecodeFacts does.
func DecodeOrigin(b []byte) (Origin, []byte, error) {
	r, rest, err := unframe(b, originVersion)
	if err != nil {
		return Origin{}, nil, err
	}
	o := r.origin()
	if err := r.close(); err != nil {
		return Origin{}, nil, err
	}
	return o, rest, nil
}

// unframe checks version and length, and returns a reader of the fields.
func unframe(b []byte, version byte) (*decoder, []byte, error) {
	if len(b) == 0 || b[0] != version {
		return nil, nil, fmt.Errorf("%w: version", ErrEncoding)
	}
	n, size := binary.Uvarint(b[1:])
	if size <= 0 || n > uint64(len(b)-1-size) {
		return nil, nil, fmt.Errorf("%w: length", ErrEncoding)
	}
	start := 1 + size
	end := start + int(n)
	// One copy for all the strings: the facts of a row share it.
	return &decoder{s: string(b[start:end])}, b[end:], nil
}

// decoder reads fields from left to right; bad stays set after an error, and
// what is read then is zero.
type decoder struct {
	s   string
	bad bool
}

func (d *decoder) close() error {
	if d.bad || d.s != "" {
		return fmt.Errorf("%w: fields", ErrEncoding)
	}
	return nil
}

func (d *decoder) facts() Facts {
	var f Facts
	f.typ = resourceType(d.below(byte(len(typeNames))))
	f.status = Status(d.below(byte(Inactive) + 1))
	flags := d.byte()
	f.flags = Flags{flags&1 != 0, flags&2 != 0, flags&4 != 0}
	f.archived, f.byPatient, f.byFeeder, f.inline = flags&8 != 0, flags&16 != 0, flags&32 != 0, flags&64 != 0
	f.sourced = flags&128 != 0
	f.patient = d.string()
	f.about = d.idents()
	f.docType = d.coding()
	f.class = d.coding()
	f.persons = d.idents()
	f.structures = d.idents()
	f.idents = d.idents()
	if n := d.count(); n > 0 {
		f.refs = make([]reference, n)
		for i := range f.refs {
			f.refs[i] = reference{refRole(d.below(byte(refRoles))), d.string(), d.ident()}
		}
	}
	if n := d.count(); n > 0 {
		f.contents = make([]string, n)
		for i := range f.contents {
			f.contents[i] = d.string()
		}
	}
	f.origin = d.origin()
	switch f.typ {
	case typeConsent:
		f.consent = consentFacts{ConsentKind(d.below(byte(AccesUrgence) + 1)), actorKind(d.below(byte(aboutTeam) + 1)), d.ident()}
		f.period = d.period()
	case typeRelatedPerson:
		f.period = d.period()
	case typeCareTeam:
		f.period, f.members = d.period(), d.members()
	case typePatient:
		f.person = d.patient()
	}
	return f
}

func (d *decoder) period() period { return period{d.varint(), d.varint()} }

func (d *decoder) patient() patientFacts {
	flags := d.flags(7)
	p := patientFacts{
		active: flags&1 != 0, hasINS: flags&2 != 0, qualified: flags&4 != 0, motive: flags&8 != 0,
		ofDeath: flags&16 != 0, deceased: flags&32 != 0,
		ins: d.idents(), birth: d.string(), gps: d.idents(), closedOn: d.string(),
	}
	if flags&64 != 0 {
		p.agreed = d.idents()
	}
	return p
}

func (d *decoder) origin() Origin {
	flags := d.flags(2)
	return Origin{
		MaskedByPatient: flags&1 != 0,
		Deleted:         flags&2 != 0,
		ByKind:          auth.Kind(d.below(byte(auth.Operator) + 1)),
		Deposited:       timeOf(d.varint()),
		HiddenSince:     timeOf(d.varint()),
		By:              d.ident(),
		Structures:      d.idents(),
	}
}

func (d *decoder) byte() byte {
	if d.s == "" {
		d.bad = true
		return 0
	}
	b := d.s[0]
	d.s = d.s[1:]
	return b
}

// below reads a byte that is less than limit.
func (d *decoder) below(limit byte) byte {
	b := d.byte()
	if b >= limit {
		d.bad = true
		return 0
	}
	return b
}

// flags reads a byte of which n bits have a meaning.
func (d *decoder) flags(n int) byte { return d.below(1 << n) }

func (d *decoder) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := d.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) varint() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads the number of things that follow, each of a byte at least: so no
// number in the input makes us reserve more than a multiple of its size.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.s)) {
		d.bad = true
	}
	if d.bad {
		return 0
	}
	return int(n)
}

func (d *decoder) string() string {
	n := d.count()
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) ident() fhir.Ident {
	place := d.below(byte(len(knownSystems)) + 1)
	if place == 0 {
		return fhir.Ident{System: d.string(), Value: d.string()}
	}
	return fhir.Ident{System: knownSystems[place-1], Value: d.string()}
}

func (d *decoder) coding() auth.Coding {
	id := d.ident()
	return auth.Coding{System: id.System, Code: id.Value}
}

func (d *decoder) idents() []fhir.Ident {
	n := d.count()
	if n == 0 {
		return nil
	}
	ids := make([]fhir.Ident, n)
	for i := range ids {
		ids[i] = d.ident()
	}
	return ids
}
