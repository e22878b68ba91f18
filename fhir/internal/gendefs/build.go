package main

import (
	"fmt"
	"slices"
	"strings"

	"opendmp/fhir/internal/definitions"
)

// systemString is how the definitions type what is an attribute in XML.
const systemString = "http://hl7.org/fhirpath/System.String"

// kinds, in the order of the table.
const (
	primitive = iota
	complexType
	resource
	backbone
	foreign // resources that we do not handle, and their backbone elements
)

type (
	table struct {
		types    []typeRow
		bindings []bindingRow
	}
	typeRow struct {
		name     string
		kind     int
		abstract bool
		elements []elementRow
		required uint64
	}
	elementRow struct {
		name     string
		typ      string
		bit      int
		choice   int // length of the name before the type; 0 if no choice
		many     bool
		attr     bool
		modifier bool
		summary  bool
		binding  string
	}
	bindingRow struct {
		url   string
		codes []string
	}
)

func build(src *source) (*table, error) {
	t := &table{bindings: []bindingRow{{}}}
	for _, d := range src.Structures {
		if d.Kind == "primitive-type" {
			t.types = append(t.types, typeRow{name: d.Type, kind: primitive})
			continue
		}
		if err := t.addStructure(src, d, false); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Type, err)
		}
	}
	for _, d := range src.others {
		if err := t.addStructure(src, d, true); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Type, err)
		}
	}
	slices.SortStableFunc(t.types, func(a, b typeRow) int {
		if a.kind != b.kind {
			return a.kind - b.kind
		}
		return strings.Compare(a.name, b.name)
	})
	slices.SortFunc(t.bindings, func(a, b bindingRow) int { return strings.Compare(a.url, b.url) })
	return t, t.check()
}

// addStructure makes one type of the root and one of each element that has
// elements of its own.
func (t *table) addStructure(src *source, d *definitions.Structure, isForeign bool) error {
	parents := map[string]bool{}
	for _, e := range d.Snapshot.Element[1:] {
		parents[parent(e.Path)] = true
	}
	rows := map[string]*typeRow{}
	var order []string
	for i, e := range d.Snapshot.Element {
		if parents[e.Path] || i == 0 {
			row := &typeRow{name: e.Path, kind: backbone, abstract: d.Abstract && i == 0}
			if i == 0 {
				row.kind = complexType
				if d.Kind == "resource" {
					row.kind = resource
				}
			}
			if isForeign {
				row.kind = foreign
			}
			rows[e.Path] = row
			order = append(order, e.Path)
		}
		if i == 0 {
			continue
		}
		if err := t.addElement(src, rows[parent(e.Path)], e, parents[e.Path]); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	for _, path := range order {
		t.types = append(t.types, *rows[path])
	}
	return nil
}

func (t *table) addElement(src *source, row *typeRow, e *definitions.Element, hasElements bool) error {
	if e.Max == "0" {
		return nil
	}
	if row.kind == foreign {
		e = loosened(e)
	}
	if e.Max != "1" && e.Max != "*" || e.Min > 1 {
		return fmt.Errorf("cardinality %d..%s", e.Min, e.Max)
	}
	bit := 0
	if n := len(row.elements); n > 0 {
		bit = row.elements[n-1].bit + 1
	}
	if bit > 63 {
		return fmt.Errorf("more than 64 elements")
	}
	if e.Min == 1 {
		row.required |= 1 << bit
	}
	base := elementRow{
		name: e.Path[strings.LastIndexByte(e.Path, '.')+1:], bit: bit, many: e.Max == "*",
		attr: slices.Contains(e.Representation, "xmlAttr"), modifier: e.IsModifier, summary: e.IsSummary,
	}
	if b := e.Binding; b != nil && b.Strength == "required" {
		if err := t.bind(src, &base, b.ValueSet, e); err != nil {
			return err
		}
	}
	if name, ok := strings.CutSuffix(base.name, "[x]"); ok {
		for _, typ := range e.Type {
			choice := base
			choice.name = name + strings.ToUpper(typ.Code[:1]) + typ.Code[1:]
			choice.choice, choice.typ = len(name), typ.Code
			row.elements = append(row.elements, choice)
		}
		return nil
	}
	typ, err := typeOf(e, hasElements)
	if err != nil {
		return err
	}
	base.typ = typ
	row.elements = append(row.elements, base)
	return nil
}

// loosened is an element of a type that we do not handle: only its name, types and
// repetition are of use.
func loosened(e *definitions.Element) *definitions.Element {
	of := *e
	of.Min, of.Binding = 0, nil
	if of.Max != "1" {
		of.Max = "*"
	}
	return &of
}

func typeOf(e *definitions.Element, hasElements bool) (string, error) {
	switch {
	case e.ContentReference != "":
		return strings.TrimPrefix(e.ContentReference, "#"), nil
	case hasElements:
		return e.Path, nil
	case len(e.Type) != 1:
		return "", fmt.Errorf("%d types", len(e.Type))
	case e.Type[0].Code != systemString:
		return e.Type[0].Code, nil
	case e.Base.Path == "Resource.id":
		return "id", nil // the prose of the specification; the definition says string
	case e.Base.Path == "Extension.url":
		return "uri", nil
	}
	return "string", nil
}

// bind notes the required value set of an element. Only elements of type code
// have one in R4; that is checked here.
func (t *table) bind(src *source, row *elementRow, url string, e *definitions.Element) error {
	if len(e.Type) != 1 || e.Type[0].Code != "code" {
		return fmt.Errorf("required binding of something that is not a code")
	}
	url, _, _ = strings.Cut(url, "|")
	codes, err := src.codes(url)
	if err != nil || len(codes) == 0 {
		return err
	}
	row.binding = url
	if slices.ContainsFunc(t.bindings, func(b bindingRow) bool { return b.url == url }) {
		return nil
	}
	t.bindings = append(t.bindings, bindingRow{url, codes})
	return nil
}

// check makes sure that each type that an element names is in the table.
func (t *table) check() error {
	for _, typ := range t.types {
		for _, e := range typ.elements {
			if t.typeID(e.typ) < 0 {
				return fmt.Errorf("%s.%s: unknown type %s", typ.name, e.name, e.typ)
			}
		}
	}
	return nil
}

func (t *table) typeID(name string) int {
	return slices.IndexFunc(t.types, func(r typeRow) bool { return r.name == name })
}

func (t *table) bindingID(url string) int {
	return slices.IndexFunc(t.bindings, func(b bindingRow) bool { return b.url == url })
}

func parent(path string) string {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return ""
	}
	return path[:i]
}
