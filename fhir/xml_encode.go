package fhir

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// ErrNoXML is the error of a resource that cannot be written as XML: it is not
// JSON, or of no type of R4, or has an element that its type does not have or of
// another shape. That concerns resources of types that we do not handle, inside of
// others, for Parse does not hold them to their definitions.
var ErrNoXML = errors.New("fhir: not to be written as XML")

// ToXML returns the XML (R4 §2.6.1) of a resource in JSON, with its declaration;
// pretty puts each element on a line. FromXML gives the same resource back: the
// order of members, which means nothing in JSON, is that of the definitions, and
// nothing is lost but the white space around a narrative.
//
// What comes out is well-formed whatever went in. Characters that XML does not
// have, which Parse refuses, become U+FFFD.
func ToXML(data []byte, pretty bool) ([]byte, error) {
	t, err := scanJSON(data)
	if err != nil {
		return nil, ErrNoXML
	}
	w := xmlWriter{t: t, b: make([]byte, 0, len(data)+len(data)/4+256), pretty: pretty}
	w.b = append(w.b, `<?xml version="1.0" encoding="UTF-8"?>`...)
	if err := w.resource(0, ` xmlns="`+fhirNamespace+`"`); err != nil {
		return nil, err
	}
	return w.b, nil
}

// xmlWriter writes the XML of a tree.
type xmlWriter struct {
	t      *tree
	b      []byte
	pretty bool
	depth  int
	parts  []xmlPart // the members of the open objects, one after the other
}

// xmlPart is an element of an object: the members "name" and "_name"; 0 is none.
type xmlPart struct {
	row           int
	value, beside uint32
}

func (w *xmlWriter) resource(i uint32, namespace string) error {
	name := Node{w.t, i}.Get("resourceType")
	if w.kind(i) != Object || name.Kind() != String {
		return ErrNoXML
	}
	t := xmlResourceNamed(name.Text())
	if t == noType {
		return ErrNoXML
	}
	return w.element(t.def().name, namespace, i, t, nil)
}

// kind is that of the node; 0 is none.
func (w *xmlWriter) kind(i uint32) Kind { return w.t.nodes[i].kind }

// line begins a line, if they are wanted.
func (w *xmlWriter) line() {
	if !w.pretty {
		return
	}
	w.b = append(w.b, '\n')
	for range w.depth {
		w.b = append(w.b, ' ', ' ')
	}
}

// element writes the element name with the members of the object at i, which is
// of the type t. head goes into the start tag as it is; value is the attribute of
// a primitive, nil if it has none, and i may be 0 then.
func (w *xmlWriter) element(name, head string, i uint32, t typeID, value []byte) error {
	base := len(w.parts)
	if err := w.collect(i, t); err != nil {
		return err
	}
	defer func() { w.parts = w.parts[:base] }()
	w.line()
	w.b = append(w.b, '<')
	w.b = append(w.b, name...)
	w.b = append(w.b, head...)
	rows, children := t.elements(), false
	for _, p := range w.parts[base:] {
		row := &rows[p.row]
		if row.flags&flagAttribute == 0 {
			children = true
			continue
		}
		text, broken := primitiveText(w.t, &w.t.nodes[p.value], row.typ)
		if broken != nil {
			return ErrNoXML
		}
		w.attribute(row.name, text)
	}
	if value != nil {
		w.attribute("value", value)
	}
	if !children {
		w.b = append(w.b, '/', '>')
		return nil
	}
	w.b = append(w.b, '>')
	w.depth++
	for k := base; k < len(w.parts); k++ {
		p := w.parts[k]
		if row := &rows[p.row]; row.flags&flagAttribute == 0 {
			if err := w.repetitions(row, p); err != nil {
				return err
			}
		}
	}
	w.depth--
	w.line()
	w.b = append(w.b, '<', '/')
	w.b = append(w.b, name...)
	w.b = append(w.b, '>')
	return nil
}

// collect appends the members of the object at i to parts, in the order of the
// definition of t.
func (w *xmlWriter) collect(i uint32, t typeID) error {
	if i == 0 && t == elementType {
		return nil // a primitive without extensions
	}
	if w.kind(i) != Object {
		return ErrNoXML
	}
	rows, hint, base := t.elements(), 0, len(w.parts)
	for m := i + 1; m < w.t.nodes[i].next; m = w.t.nodes[m].next {
		n := &w.t.nodes[m]
		name := w.t.raw[n.key:n.keyTo]
		extends := len(name) > 0 && name[0] == '_'
		if extends {
			name = name[1:]
		}
		at := lookup(rows, name, hint)
		if at < 0 || extends && !rows[at].extensible() {
			if string(name) == "resourceType" && t.resource() {
				continue
			}
			return ErrNoXML
		}
		hint = at
		k := len(w.parts)
		for k > base && w.parts[k-1].row > at {
			k--
		}
		if k == base || w.parts[k-1].row != at {
			w.parts = append(w.parts, xmlPart{})
			copy(w.parts[k+1:], w.parts[k:])
			w.parts[k] = xmlPart{row: at}
			k++
		}
		if extends {
			w.parts[k-1].beside = m
		} else {
			w.parts[k-1].value = m
		}
	}
	return nil
}

// repetitions writes an element as often as it repeats.
func (w *xmlWriter) repetitions(row *element, p xmlPart) error {
	if row.flags&flagMany == 0 {
		return w.item(row, p.value, p.beside)
	}
	values, besides := w.items(p.value), w.items(p.beside)
	if p.value != 0 && w.kind(p.value) != Array || p.beside != 0 && w.kind(p.beside) != Array {
		return ErrNoXML
	}
	for values.at < values.end || besides.at < besides.end {
		if err := w.item(row, values.take(w.t), besides.take(w.t)); err != nil {
			return err
		}
	}
	return nil
}

// items goes through an array; through nothing for 0.
func (w *xmlWriter) items(array uint32) pairs {
	if array == 0 {
		return pairs{}
	}
	return pairs{array + 1, w.t.nodes[array].next}
}

// take returns the next element, 0 for null and at the end.
func (p *pairs) take(t *tree) uint32 {
	if p.at >= p.end {
		return 0
	}
	i := p.at
	p.at = t.nodes[i].next
	if t.nodes[i].kind == Null {
		return 0
	}
	return i
}

// item writes one element: its value and, of a primitive, what is beside it.
func (w *xmlWriter) item(row *element, value, beside uint32) error {
	switch {
	case row.typ == xhtmlType:
		return w.narrative(value)
	case row.typ.primitive():
		return w.primitive(row, value, beside)
	case value == 0:
		return ErrNoXML
	case row.typ.resource():
		w.line()
		w.b = append(append(append(w.b, '<'), row.name...), '>')
		w.depth++
		if err := w.resource(value, ""); err != nil {
			return err
		}
		w.depth--
		w.line()
		w.b = append(append(append(w.b, '<', '/'), row.name...), '>')
		return nil
	}
	return w.element(row.name, "", value, row.typ, nil)
}

func (w *xmlWriter) primitive(row *element, value, beside uint32) error {
	var text []byte
	if value != 0 && w.kind(value) != Null {
		var broken *rule
		if text, broken = primitiveText(w.t, &w.t.nodes[value], row.typ); broken != nil {
			return ErrNoXML
		}
		if text == nil {
			text = []byte{}
		}
	}
	return w.element(row.name, "", beside, elementType, text)
}

// narrative writes a <div> as it is, once it is known to be one.
func (w *xmlWriter) narrative(value uint32) error {
	if value == 0 {
		return ErrNoXML
	}
	text, broken := primitiveText(w.t, &w.t.nodes[value], xhtmlType)
	if broken != nil || checkXHTML(text) != nil {
		return ErrNoXML
	}
	w.line()
	w.b = append(w.b, bytes.TrimSpace(text)...)
	return nil
}

// attribute writes name="text". White space other than spaces is written as
// references, or a reader would take it for spaces.
func (w *xmlWriter) attribute(name string, text []byte) {
	w.b = append(w.b, ' ')
	w.b = append(w.b, name...)
	w.b = append(w.b, '=', '"')
	from := 0
	for i, c := range text {
		var escaped string
		switch {
		case c == '&':
			escaped = "&amp;"
		case c == '<':
			escaped = "&lt;"
		case c == '>':
			escaped = "&gt;"
		case c == '"':
			escaped = "&quot;"
		case c == '\t':
			escaped = "&#9;"
		case c == '\n':
			escaped = "&#10;"
		case c == '\r':
			escaped = "&#13;"
		case c < 0x20:
			escaped = "\ufffd"
		case c == 0xef && isNonCharacter(text[i:]):
			w.b = utf8.AppendRune(append(w.b, text[from:i]...), utf8.RuneError)
			from = i + 3
			continue
		default:
			continue
		}
		w.b = append(append(w.b, text[from:i]...), escaped...)
		from = i + 1
	}
	w.b = append(append(w.b, text[from:]...), '"')
}
