package fhir

import (
	"encoding/binary"
	"errors"
	"iter"
	"time"
)

// ErrValues is that bytes are not search values of a known format: whoever kept
// them must make them again from the resource.
var ErrValues = errors.New("fhir: not search values of a known format")

// Values are the search values of one resource: what the parameters of its type
// compare, aliases normalised. They are immutable and safe for concurrent use.
// The zero Values have none.
//
// They stay in their binary form, so that reading them from a summary costs one
// check and one copy; Match walks over it.
type Values struct{ entries string }

// AppendBinary appends the binary form to b.
func (v Values) AppendBinary(b []byte) []byte {
	b = append(b, valuesVersion)
	b = binary.AppendUvarint(b, uint64(len(v.entries)))
	return append(b, v.entries...)
}

// DecodeValues reads the binary form at the beginning of b and returns what
// follows it. The values do not refer to b. The error is ErrValues.
func DecodeValues(b []byte) (v Values, rest []byte, err error) {
	if len(b) == 0 || b[0] != valuesVersion {
		return Values{}, nil, ErrValues
	}
	length, n := binary.Uvarint(b[1:])
	if n <= 0 || length > uint64(len(b)-1-n) {
		return Values{}, nil, ErrValues
	}
	start, end := 1+n, 1+n+int(length)
	v = Values{string(b[start:end])}
	c := v.cursor()
	for last := slotNone; c.next(); last = c.slot {
		c.bad = c.slot < last
	}
	if c.bad {
		return Values{}, nil, ErrValues
	}
	return v, b[end:], nil
}

// Tokens yields the identifiers or codings of a token parameter. A code has no
// system, and true or false are codes.
func (v Values) Tokens(param string) iter.Seq[Ident] {
	return func(yield func(Ident) bool) {
		s := slotNamed(param)
		for c := v.cursor(); c.nextOf(s); {
			if c.kind == kindToken && !yield(Ident{c.a, c.b}) {
				return
			}
		}
	}
}

// Texts yields the strings of a string parameter as written, or the references of
// a reference parameter: "Type/id" without version, or an absolute URI.
func (v Values) Texts(param string) iter.Seq[string] {
	return func(yield func(string) bool) {
		s := slotNamed(param)
		for c := v.cursor(); c.nextOf(s); {
			if (c.kind == kindText || c.kind == kindReference) && !c.unnamed() && !yield(c.written()) {
				return
			}
		}
	}
}

// Intervals yields the values of a date parameter.
func (v Values) Intervals(param string) iter.Seq[Interval] {
	return func(yield func(Interval) bool) {
		s := slotNamed(param)
		for c := v.cursor(); c.nextOf(s); {
			if c.kind == kindDate && !yield(c.when) {
				return
			}
		}
	}
}

// ID returns the logical id of the resource, "" if it had none.
func (v Values) ID() string {
	for t := range v.Tokens("_id") {
		return t.Value
	}
	return ""
}

// LastUpdated returns meta.lastUpdated in UTC, to the microsecond; the zero time
// if the resource had none.
func (v Values) LastUpdated() time.Time {
	for i := range v.Intervals("_lastUpdated") {
		return i.StartTime()
	}
	return time.Time{}
}

// slotNamed returns the slot of a parameter, the same in every type that has it.
func slotNamed(param string) slot {
	for i := range services {
		if p := services[i].param(param); p != nil && p.slot != slotNone {
			return p.slot
		}
	}
	return slotNone
}
