package fhir

import (
	"slices"
	"strings"
)

// Limits of a projection.
const maxElements = 50 // names in _elements

// systemSubsetted is the code system of the tag that a resource bears which is not
// whole (R4 §3.1.1.5.9).
const systemSubsetted = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

// subsetted is that tag.
const subsetted = `{"system":"` + systemSubsetted + `","code":"SUBSETTED"}`

// Subsetted tells whether a resource bears the tag of one that is not whole: it
// must not be written back.
func Subsetted(r *Resource) bool {
	for tag := range r.Root().All("meta", "tag") {
		if tag.Get("code").Is("SUBSETTED") && tag.Get("system").Is(systemSubsetted) {
			return true
		}
	}
	return false
}

// summary reads _summary (R4 §3.1.1.5.8). A total is of a search only.
func (p *queryParser) summary(value string) {
	switch {
	case value == "true", value == "text", value == "data":
		p.q.Summary = value
	case value == "count" && p.searches:
		p.q.SummaryCount = true
	case value == "false":
	default:
		p.refuse("value", "_summary", "true, text, data, false ou, d’une recherche, count attendu.", "true, text, data, false or, of a search, count is expected.")
	}
}

// elements reads _elements: names of elements of the resource, not of what is
// below, with or without the type.
func (p *queryParser) elements(value string) {
	names := strings.Split(value, ",")
	if len(names) > maxElements {
		p.refuse("too-costly", "_elements", "Plus de 50 éléments.", "More than 50 elements.")
		return
	}
	typ := resourceNamed(p.t.name)
	for _, name := range names {
		name = strings.TrimPrefix(name, p.t.name+".")
		if !slices.ContainsFunc(typ.elements(), func(e element) bool { return e.pathName() == name }) {
			p.refuse("value", "_elements", "Un élément n’existe pas dans ce type.", "An element does not exist in this type.")
			return
		}
		if !slices.Contains(p.q.Elements, name) {
			p.q.Elements = append(p.q.Elements, name)
		}
	}
}

// Show returns the part of a resource that _summary or _elements asks for, with
// the tag SUBSETTED; the resource itself where neither was given. _elements is
// about the type that was searched: what was included comes whole.
//
// Mandatory elements and those that change the meaning of others always stay, and
// so do the contained resources that something which stays refers to. An element
// of which _summary=true would leave nothing stays whole.
func (q *Query) Show(r *Resource) (*Resource, error) {
	if q == nil || q.Summary == "" && (len(q.Elements) == 0 || r.Type() != q.Type) {
		return r, nil
	}
	typ := resourceNamed(r.Type())
	if typ == noType {
		return r, nil
	}
	s := shower{q: q, deep: q.Summary == "true"}
	s.object(r.Root(), typ, true)
	shown, err := r.Splice(s.edits)
	if err != nil {
		return nil, err
	}
	return tagged(withoutUnused(shown, s.optional))
}

// ShowJSON is Show of a resource of the server's own, which is not a patient's: whole
// if it cannot be cut.
func (q *Query) ShowJSON(resource []byte) []byte {
	r, err := Scan(resource)
	if err != nil {
		return resource
	}
	if r, err = q.Show(r); err != nil {
		return resource
	}
	return r.Bytes()
}

// shower collects what goes.
type shower struct {
	q     *Query
	deep  bool // what is below counts too
	edits []Edit
	// optional is that contained resources stay only if something refers to them.
	optional bool
}

// object marks the members of an object that go.
func (s *shower) object(n Node, t typeID, root bool) {
	for name, m := range n.Members() {
		row := t.element(strings.TrimPrefix(name, "_"))
		switch {
		case row == nil: // resourceType
		case root && name == "contained" && !slices.Contains(s.q.Elements, name) && s.q.Summary != "data":
			s.optional = true
		case !s.keeps(row, t, root):
			s.edits = append(s.edits, RemoveMember(m))
		case s.deep && name[0] != '_' && !row.typ.primitive() && row.typ != xhtmlType && row.typ != resourceType && row.typ.def().name != "Extension":
			s.items(m, row.typ)
		}
	}
}

func (s *shower) items(m Node, t typeID) {
	for item := range m.Items() {
		if s.leaves(item, t) {
			s.object(item, t, false)
		}
	}
}

// leaves tells whether something of an object stays.
func (s *shower) leaves(n Node, t typeID) bool {
	for name := range n.Members() {
		if row := t.element(strings.TrimPrefix(name, "_")); row != nil && s.keeps(row, t, false) {
			return true
		}
	}
	return false
}

// keeps tells whether an element of a type stays.
func (s *shower) keeps(row *element, owner typeID, root bool) bool {
	if row.flags&flagModifier != 0 || owner.def().required&(1<<row.bit) != 0 {
		return true
	}
	if root && (row.name == "id" || row.name == "meta") {
		return true
	}
	switch s.q.Summary {
	case "true":
		return row.flags&flagSummary != 0
	case "text":
		return row.name == "text"
	case "data":
		return row.name != "text"
	}
	return slices.Contains(s.q.Elements, row.pathName())
}

// withoutUnused removes the contained resources that nothing refers to any more
// (dom-3), itself or through another that stays.
func withoutUnused(r *Resource, optional bool) (*Resource, error) {
	contained := r.Get("contained")
	if !optional || !contained.Exists() {
		return r, nil
	}
	used := make(map[string]bool)
	for name, m := range r.Root().Members() {
		if name != "contained" {
			refersInside(m, used)
		}
	}
	for before := -1; before != len(used); { // what stays may use others
		before = len(used)
		for c := range contained.Items() {
			if used[c.Get("id").Text()] {
				refersInside(c, used)
			}
		}
	}
	return r.Splice(RemoveItems(contained, func(c Node) bool { return !used[c.Get("id").Text()] }))
}

// refersInside adds the ids of the contained resources that are referred to in a
// node.
func refersInside(n Node, used map[string]bool) {
	switch n.Kind() {
	case Object:
		for name, m := range n.Members() {
			if id, local := strings.CutPrefix(m.Text(), "#"); local && name == "reference" {
				used[id] = true
			}
			refersInside(m, used)
		}
	case Array:
		for item := range n.Items() {
			refersInside(item, used)
		}
	}
}

// tagged adds the tag SUBSETTED.
func tagged(r *Resource, err error) (*Resource, error) {
	if err != nil || Subsetted(r) {
		return r, err
	}
	meta := r.Get("meta")
	switch tags := meta.Get("tag"); {
	case !meta.Exists():
		return r.Splice([]Edit{InsertMember(r.Root(), "meta", []byte(`{"tag":[`+subsetted+`]}`))})
	case !tags.Exists():
		return r.Splice([]Edit{InsertMember(meta, "tag", []byte(`[`+subsetted+`]`))})
	default:
		return r.Splice([]Edit{AppendItem(tags, []byte(subsetted))})
	}
}

// since reads _since: an instant, of which a date alone is the beginning of the
// day in France.
func (p *queryParser) since(value string) {
	i, ok := ParseInterval(strings.Replace(value, " ", "+", 1))
	if !ok {
		p.refuse("value", "_since", "Instant FHIR attendu.", "A FHIR instant is expected.")
		return
	}
	p.q.Since = i.StartTime()
}
