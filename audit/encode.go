package audit

import (
	"encoding/binary"
	"errors"
	"time"

	"opendmp/auth"
	"opendmp/policy"
)

// ErrDecode: the bytes are not an event of a known format.
var ErrDecode = errors.New("audit: not an event")

// The first byte of an encoded event is its format. The events of ten years are
// kept: a new layout takes a new number, and the old ones stay readable. Format 2
// is format 1 and Authority after it; an event without one is written in format 1.
const (
	eventFormat     = 1
	authorityFormat = 2
)

// AppendBinary appends the binary form of the event, which Decode reads. The ID
// is not in it: the seal binds it.
func (e Event) AppendBinary(b []byte) []byte {
	format := byte(eventFormat)
	if e.Authority != "" {
		format = authorityFormat
	}
	b = append(b, format)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Recorded.UnixNano()))
	b = append(b, byte(e.Class), byte(e.Kind), byte(e.Mode), byte(e.Action), flag(e.Allowed), flag(e.Secret))
	b = binary.AppendUvarint(b, uint64(e.Status))
	for _, s := range e.texts() {
		b = appendText(b, *s)
	}
	for _, list := range e.lists() {
		b = binary.AppendUvarint(b, uint64(len(*list)))
		for _, s := range *list {
			b = appendText(b, s)
		}
	}
	if format == authorityFormat {
		b = appendText(b, e.Authority)
	}
	return b
}

// Decode reads what AppendBinary wrote, and nothing after it. Its ID is zero.
func Decode(b []byte) (Event, error) {
	var e Event
	d := decoder{rest: b}
	format := d.byte()
	if format != eventFormat && format != authorityFormat {
		return Event{}, ErrDecode
	}
	e.Recorded = time.Unix(0, int64(binary.BigEndian.Uint64(d.bytes(8)))).UTC()
	e.Class, e.Kind, e.Mode = policy.Class(d.byte()), auth.Kind(d.byte()), auth.Mode(d.byte())
	e.Action, e.Allowed, e.Secret = Action(d.byte()), d.flag(), d.flag()
	e.Status = int(d.number())
	for _, s := range e.texts() {
		*s = d.text()
	}
	for _, list := range e.lists() {
		n := d.number()
		for i := uint64(0); i < n && !d.failed; i++ {
			*list = append(*list, d.text())
		}
	}
	if format == authorityFormat {
		e.Authority = d.text()
	}
	if d.failed || len(d.rest) > 0 {
		return Event{}, ErrDecode
	}
	return e, nil
}

// texts lists the texts of an event in their order in format 1.
func (e *Event) texts() []*string {
	return []*string{
		&e.Actor.System, &e.Actor.Value, &e.ActorName,
		&e.Profession.System, &e.Profession.Code,
		&e.Structure.System, &e.Structure.Value, &e.StructureName,
		&e.Client, &e.TokenID,
		&e.Interaction, &e.Patient, &e.Query,
		&e.Purpose, &e.Reason, &e.RequestID,
	}
}

func (e *Event) lists() []*[]string { return []*[]string{&e.Objects, &e.Rules} }

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// decoder takes fields off rest until one is not there; from then on it fails.
type decoder struct {
	rest   []byte
	failed bool
}

// bytes returns the next n bytes, or n zeros when they are not there.
func (d *decoder) bytes(n int) []byte {
	if d.failed || len(d.rest) < n {
		d.failed = true
		return make([]byte, n)
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte() byte { return d.bytes(1)[0] }

func (d *decoder) flag() bool {
	b := d.byte()
	d.failed = d.failed || b > 1
	return b == 1
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if d.failed || size <= 0 {
		d.failed = true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) text() string {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.failed = true
		return ""
	}
	return string(d.bytes(int(n)))
}
