package fhir

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// valuesVersion is the first byte of the binary form.
//
// The form is the version, the length of the rest as uvarint, then one entry per
// value in the order of the slots: slot<<2|kind as uvarint, then by kind
//
//	token      number of the system as uvarint (0: the system follows), code
//	date       open ends as a byte, then from in 8 bytes, little endian, and
//	           to-from as uvarint (to in 8 bytes if from is open)
//	string     folded, then as written (empty if that is the same)
//	reference  its text
//
// A reference without text, in the slot of a parameter of whatever type, stands for
// an element that is there with nothing that a query can name. Values that were
// written before there was such an entry lack it: of them :missing=true takes the
// element for missing, until the next version of the resource.
//
// A string is its length as uvarint and its bytes. Version 1 had no values of the
// parameters that came later, such as List:item.
const valuesVersion = 2

type valueKind uint8

const (
	kindToken valueKind = iota
	kindDate
	kindText
	kindReference
)

const (
	openFrom = 1 << iota
	openTo
)

// knownSystems are the systems that the binary form writes as a number, which is
// their place here plus one. The list only grows at its end.
var knownSystems = [...]string{
	"",
	SystemLOINC,
	SystemConfidentiality,
	SystemVisibility,
	SystemDocumentClass,
	SystemDocumentType,
	SystemRPPS,
	SystemADELI,
	SystemIDNPS,
	SystemStructure,
	"urn:ietf:rfc:3986",
	"http://snomed.info/sct",
	"http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
	"https://mos.esante.gouv.fr/NOS/TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode",
	"https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite",
	"https://mos.esante.gouv.fr/NOS/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice",
	"https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes",
	"urn:oid:1.2.250.1.213.1.4.8",
	"urn:oid:1.2.250.1.213.1.4.9",
	"urn:oid:1.2.250.1.213.1.4.10",
	"urn:oid:1.2.250.1.213.1.4.11",
	"urn:opendmp:consent-kind",
	"http://terminology.hl7.org/CodeSystem/v3-ActReason",
	"http://terminology.hl7.org/CodeSystem/audit-event-type",
	"http://hl7.org/fhir/restful-interaction",
	"urn:ihe:event-type-code",
	"http://dicom.nema.org/resources/ontology/DCM",
}

func (v Values) cursor() valueCursor { return valueCursor{s: v.entries} }

// valueCursor walks over the entries of Values; after next it stands on one.
type valueCursor struct {
	s    string
	slot slot
	kind valueKind
	a, b string // token: system, code; string: folded, as written; reference: text
	when Interval
	bad  bool
}

// written is the text of a string as the resource has it, or of a reference.
func (c *valueCursor) written() string {
	if c.b != "" {
		return c.b
	}
	return c.a
}

// next steps to the next entry. It returns false at the end, and where the bytes
// are no entry.
func (c *valueCursor) next() bool {
	if c.s == "" || c.bad {
		return false
	}
	tag := c.uvarint()
	if tag>>2 > math.MaxUint8 {
		c.bad = true
	}
	c.slot, c.kind = slot(tag>>2), valueKind(tag&3)
	c.b = ""
	switch c.kind {
	case kindToken:
		c.a, c.b = c.system(), c.text()
	case kindDate:
		c.when = c.interval()
	case kindText:
		c.a, c.b = c.text(), c.text()
	case kindReference:
		c.a = c.text()
	}
	return !c.bad
}

// nextOf steps to the next entry of a slot, and returns false when there is none.
func (c *valueCursor) nextOf(s slot) bool {
	for c.next() && c.slot <= s {
		if c.slot == s {
			return true
		}
	}
	return false
}

// unnamed tells whether the entry says only that the element is there.
func (c *valueCursor) unnamed() bool { return c.kind == kindReference && c.a == "" }

func (c *valueCursor) system() string {
	switch n := c.uvarint(); {
	case n == 0:
		return c.text()
	case n <= uint64(len(knownSystems)):
		return knownSystems[n-1]
	}
	c.bad = true
	return ""
}

func (c *valueCursor) text() string {
	n := c.uvarint()
	if n > uint64(len(c.s)) {
		c.bad = true
		return ""
	}
	s := c.s[:n]
	c.s = c.s[n:]
	return s
}

func (c *valueCursor) interval() Interval {
	i := Interval{math.MinInt64, math.MaxInt64}
	switch open := c.uvarint(); open {
	case 0:
		i.From = c.fixed()
		length := c.uvarint()
		if i.To = i.From + int64(length); length > math.MaxInt64 || i.To < i.From {
			c.bad = true
		}
	case openFrom:
		i.To = c.fixed()
	case openTo:
		i.From = c.fixed()
	case openFrom | openTo:
	default:
		c.bad = true
	}
	return i
}

func (c *valueCursor) uvarint() uint64 {
	if len(c.s) > 0 && c.s[0] < 0x80 {
		x := c.s[0]
		c.s = c.s[1:]
		return uint64(x)
	}
	return c.longUvarint()
}

func (c *valueCursor) longUvarint() uint64 {
	var x uint64
	for i := 0; i < len(c.s) && i < binary.MaxVarintLen64; i++ {
		b := c.s[i]
		if b < 0x80 {
			if i == binary.MaxVarintLen64-1 && b > 1 {
				break
			}
			c.s = c.s[i+1:]
			return x | uint64(b)<<(7*i)
		}
		x |= uint64(b&0x7f) << (7 * i)
	}
	c.bad = true
	return 0
}

// fixed reads eight bytes, little endian.
func (c *valueCursor) fixed() int64 {
	if len(c.s) < 8 {
		c.bad = true
		return 0
	}
	s := c.s[:8]
	c.s = c.s[8:]
	return int64(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56)
}

// valueWriter collects entries, each once.
type valueWriter struct {
	entries [][]byte
	seen    map[string]bool
	size    int
}

func (w *valueWriter) values() Values {
	slices.SortStableFunc(w.entries, func(a, b []byte) int { return cmp.Compare(slotOf(a), slotOf(b)) })
	b := make([]byte, 0, w.size)
	for _, e := range w.entries {
		b = append(b, e...)
	}
	return Values{string(b)}
}

// add keeps an entry that is not there already.
func (w *valueWriter) add(e []byte) {
	if w.seen[string(e)] {
		return
	}
	if w.seen == nil {
		w.seen = make(map[string]bool)
	}
	w.seen[string(e)] = true
	w.entries = append(w.entries, e)
	w.size += len(e)
}

func slotOf(entry []byte) uint64 {
	tag, _ := binary.Uvarint(entry)
	return tag >> 2
}

func entryOf(s slot, k valueKind) []byte {
	return binary.AppendUvarint(make([]byte, 0, 32), uint64(s)<<2|uint64(k))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (w *valueWriter) token(s slot, system, code string) {
	e := entryOf(s, kindToken)
	if n := slices.Index(knownSystems[:], system); n >= 0 {
		e = binary.AppendUvarint(e, uint64(n+1))
	} else {
		e = appendText(append(e, 0), system)
	}
	w.add(appendText(e, code))
}

func (w *valueWriter) date(s slot, i Interval) {
	e := entryOf(s, kindDate)
	switch noFrom, noTo := i.From == math.MinInt64, i.To == math.MaxInt64; {
	case noFrom && noTo:
		e = append(e, openFrom|openTo)
	case noFrom:
		e = binary.LittleEndian.AppendUint64(append(e, openFrom), uint64(i.To))
	case noTo:
		e = binary.LittleEndian.AppendUint64(append(e, openTo), uint64(i.From))
	default:
		e = binary.LittleEndian.AppendUint64(append(e, 0), uint64(i.From))
		e = binary.AppendUvarint(e, uint64(i.To-i.From))
	}
	w.add(e)
}

func (w *valueWriter) text(s slot, written string) {
	folded := fold(written)
	if written == folded {
		written = ""
	}
	w.add(appendText(appendText(entryOf(s, kindText), folded), written))
}

func (w *valueWriter) reference(s slot, text string) {
	w.add(appendText(entryOf(s, kindReference), text))
}

// unnamed keeps that an element is there of which nothing else is kept.
func (w *valueWriter) unnamed(s slot) { w.reference(s, "") }
