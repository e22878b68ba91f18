package sandbox

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object that keeps the order of its members: a resource reads
// as its specification does.
type object []member

type member struct {
	name  string
	value any
}

// obj makes an object of names and values, one after the other. A member whose
// value is nil, or an empty string or list, is left out: FHIR has no empty ones.
func obj(pairs ...any) object {
	o := make(object, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, ok := pairs[i].(string); ok && !isEmpty(pairs[i+1]) {
			o = append(o, member{name, pairs[i+1]})
		}
	}
	return o
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []object:
		return len(v) == 0
	case object:
		return len(v) == 0
	}
	return false
}

// list makes an array of objects, those that are empty left out.
func list(objects ...object) []object {
	var l []object
	for _, o := range objects {
		if len(o) > 0 {
			l = append(l, o)
		}
	}
	return l
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := encode(m.name)
		if err != nil {
			return nil, err
		}
		value, err := encode(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode writes JSON without escaping what only HTML needs escaped.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
