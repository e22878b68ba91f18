package fhir

import "bytes"

// maxIssues is how many findings one refusal lists.
const maxIssues = 20

// Parse reads one resource strictly and keeps its bytes. What it accepts is
// well-formed by the R4 definitions: JSON without duplicate names, elements,
// types, formats of primitives, cardinalities, required codes, the rules of
// contained resources and references, and the invariants of the data types and
// of the resources we handle. Resources of R4 types that the table does not
// describe are refused at the root; inside a Bundle, a Parameters or contained
// they are held to the rules that all FHIR JSON follows.
//
// The error is an *Invalid with at most twenty issues. data must not be changed
// afterwards.
func Parse(data []byte) (*Resource, error) {
	t, err := scanJSON(data)
	if err != nil {
		return nil, err
	}
	c := checker{t: t}
	return c.parsed()
}

// parsed checks the tree and returns its resource.
func (c *checker) parsed() (*Resource, error) {
	c.resource(0, atRoot)
	if len(c.issues) > 0 {
		return nil, &Invalid{Issues: c.issues}
	}
	return &Resource{c.t}, nil
}

// checker walks a tree once, with the definitions beside it. It builds no paths
// and no strings as long as it finds nothing.
type checker struct {
	t      *tree
	issues []Issue
	locals []local // references to contained resources in the resource at hand
	apart  uint32  // the member whose content is not looked at; 0 for none
}

// local is a value that begins with '#'.
type local struct {
	node      uint32
	reference bool // Reference.reference, which must resolve
}

// place is where a resource stands.
type place uint8

const (
	atRoot place = iota
	atEntry
	atContained
)

func (c *checker) full() bool { return len(c.issues) >= maxIssues }

func (c *checker) kind(i uint32) Kind { return c.t.nodes[i].kind }

func (c *checker) at(i uint32) Node { return Node{c.t, i} }

func (c *checker) name(i uint32) []byte {
	n := &c.t.nodes[i]
	return c.t.raw[n.key:n.keyTo]
}

// member returns the member of the object, prefix and name together; 0 if none.
func (c *checker) member(object uint32, prefix string, name string) uint32 {
	n := &c.t.nodes[object]
	if n.kind != Object {
		return 0
	}
	for m := object + 1; m < n.next; m = c.t.nodes[m].next {
		k := c.name(m)
		if len(k) == len(prefix)+len(name) && string(k[:len(prefix)]) == prefix && string(k[len(prefix):]) == name {
			return m
		}
	}
	return 0
}

// resource checks the resource at i and the ones in it.
func (c *checker) resource(i uint32, where place) {
	if c.kind(i) != Object {
		c.report(i, notResource, "")
		return
	}
	t := c.at(i).resourceTypeID()
	if t == noType && !c.unknownResource(i, where) {
		return
	}
	mark := len(c.locals)
	if t == noType {
		c.generic(i, true)
	} else {
		c.object(i, t)
	}
	if where == atContained {
		c.containedResource(i)
		return
	}
	c.containment(i, c.locals[mark:])
	c.locals = c.locals[:mark]
}

// resourceTypeID returns the type that the resource says it has.
func (n Node) resourceTypeID() typeID {
	name := n.Get("resourceType")
	if name.Kind() != String {
		return noType
	}
	if v := name.n(); !v.escaped {
		return resourceNamed(string(n.t.raw[v.start+1 : v.end-1])) // does not allocate
	}
	return resourceNamed(name.Text())
}

// unknownResource reports a resource whose type the table does not have, and
// tells whether it may be checked all the same.
func (c *checker) unknownResource(i uint32, where place) bool {
	name := c.at(i).Get("resourceType")
	switch {
	case !name.Exists():
		c.report(i, missing, "resourceType")
	case name.Kind() != String || !KnownResource(name.Text()):
		c.report(name.i, unknownType, "")
	case where == atRoot:
		c.report(name.i, unhandledType, "")
	default:
		return true
	}
	return false
}

// object checks the members of the value at i against the type.
func (c *checker) object(i uint32, t typeID) {
	if c.kind(i) != Object {
		c.report(i, notObject, "")
		return
	}
	rows := t.elements()
	var seen uint64
	hint, content := 0, false
	for m := i + 1; m < c.t.nodes[i].next; m = c.t.nodes[m].next {
		if c.full() {
			return
		}
		name := c.name(m)
		extends := len(name) > 0 && name[0] == '_'
		if extends {
			name = name[1:]
		}
		at := lookup(rows, name, hint)
		if at < 0 || extends && !rows[at].extensible() {
			if string(c.name(m)) != "resourceType" || t.def().kind != kindResource {
				c.report(m, unknownElement, "")
			}
			continue
		}
		row := &rows[at]
		hint = at + 1
		bit := uint64(1) << row.bit
		if row.choice > 0 && seen&bit != 0 {
			c.oneChoice(i, m, rows, row)
		}
		seen |= bit
		content = content || row.name != "id"
		if extends {
			c.extension(i, m, row)
		} else {
			c.element(i, m, t, row)
		}
	}
	if absent := t.def().required &^ seen; absent != 0 {
		c.required(i, rows, absent)
	}
	if !content && t.def().kind != kindResource {
		c.report(i, empty, "")
	}
	c.invariants(i, t)
}

// lookup finds the row of a name; hint is where it stands when the members come
// in the order of the definitions.
func lookup(rows []element, name []byte, hint int) int {
	for i := hint; i < len(rows); i++ {
		if rows[i].name == string(name) {
			return i
		}
	}
	for i := range min(hint, len(rows)) {
		if rows[i].name == string(name) {
			return i
		}
	}
	return -1
}

// extensible tells whether the element may have a sibling with '_'.
func (e *element) extensible() bool {
	return e.typ.primitive() && e.typ != xhtmlType && e.flags&flagAttribute == 0
}

// oneChoice reports a second type of a choice: valueString beside valueCode.
func (c *checker) oneChoice(object, m uint32, rows []element, row *element) {
	for i := range rows {
		other := &rows[i]
		if other.bit != row.bit || other == row {
			continue
		}
		for _, prefix := range [...]string{"", "_"} {
			if before := c.member(object, prefix, other.name); before != 0 && before < m {
				c.report(m, twoChoices, "")
				return
			}
		}
	}
}

func (c *checker) required(i uint32, rows []element, absent uint64) {
	for r := range rows {
		if bit := uint64(1) << rows[r].bit; absent&bit != 0 {
			absent &^= bit
			c.report(i, missing, rows[r].pathName())
		}
	}
}

// element checks the value of the member m of an object.
func (c *checker) element(object, m uint32, owner typeID, row *element) {
	n := &c.t.nodes[m]
	if row.flags&flagMany == 0 {
		if n.kind == Array {
			c.report(m, notSingle, "")
			return
		}
		if m != c.apart {
			c.value(m, owner, row)
		}
		return
	}
	if n.kind != Array {
		c.report(m, notArray, "")
		return
	}
	if n.next == m+1 {
		c.report(m, empty, "")
		return
	}
	if m == c.apart {
		return
	}
	var beside pairs
	if row.extensible() {
		beside = c.pairs(object, row.name)
	}
	for item := m + 1; item < n.next; item = c.t.nodes[item].next {
		if c.full() {
			return
		}
		paired := beside.next(c.t)
		switch {
		case c.kind(item) != Null || !row.extensible():
			c.value(item, owner, row)
		case !paired:
			c.report(item, lonelyNull, "")
		}
	}
}

// pairs goes through the array "_name" in step with the array "name".
type pairs struct{ at, end uint32 }

func (c *checker) pairs(object uint32, name string) pairs {
	array := c.member(object, "_", name)
	if array == 0 || c.kind(array) != Array {
		return pairs{}
	}
	return pairs{array + 1, c.t.nodes[array].next}
}

// next tells whether the next element is an object.
func (p *pairs) next(t *tree) bool {
	if p.at >= p.end {
		return false
	}
	n := &t.nodes[p.at]
	p.at = n.next
	return n.kind == Object
}

func (c *checker) value(i uint32, owner typeID, row *element) {
	switch {
	case c.kind(i) == Null:
		c.report(i, strayNull, "")
	case row.typ.primitive():
		c.primitive(i, owner, row)
	case row.typ == resourceType:
		where := atEntry
		if row.name == "contained" {
			where = atContained
		}
		c.resource(i, where)
	default:
		c.object(i, row.typ)
	}
}

// extension checks "_name", which holds the id and the extensions of the
// primitive "name".
func (c *checker) extension(object, m uint32, row *element) {
	value := c.member(object, "", row.name)
	if row.flags&flagMany == 0 {
		c.primitiveExtension(m, value != 0)
		return
	}
	n := &c.t.nodes[m]
	if n.kind != Array {
		c.report(m, notArray, "")
		return
	}
	if n.next == m+1 {
		c.report(m, empty, "")
		return
	}
	sibling := uint32(0)
	if value != 0 && c.kind(value) == Array {
		sibling = value + 1
		if c.at(value).Len() != c.at(m).Len() {
			c.report(m, unequalArrays, "")
			return
		}
	}
	for item := m + 1; item < n.next; item = c.t.nodes[item].next {
		if c.full() {
			return
		}
		hasValue := sibling != 0 && c.kind(sibling) != Null
		switch {
		case c.kind(item) != Null:
			c.primitiveExtension(item, hasValue)
		case !hasValue:
			c.report(item, lonelyNull, "")
		}
		if sibling != 0 {
			sibling = c.t.nodes[sibling].next
		}
	}
}

// primitiveExtension checks the object beside a primitive. Without a value it
// needs an extension (ele-1).
func (c *checker) primitiveExtension(i uint32, hasValue bool) {
	if c.kind(i) != Object {
		c.report(i, notObject, "")
		return
	}
	if hasValue && c.at(i).Len() == 1 && c.member(i, "", "id") != 0 {
		id := c.member(i, "", "id")
		c.primitive(id, elementType, elementType.element("id"))
		return
	}
	c.object(i, elementType)
}

func (c *checker) primitive(i uint32, owner typeID, row *element) {
	n := &c.t.nodes[i]
	text, broken := primitiveText(c.t, n, row.typ)
	if broken == nil {
		broken = checkPrimitive(row.typ, text)
	}
	switch {
	case broken != nil:
		c.report(i, broken, "")
		return
	case row.binding != 0 && !bindingTable[row.binding].hasBytes(text):
		c.reportCode(i, row)
	case owner == referenceType && row.name == "reference":
		c.referenceText(i, text)
	case row.name == "id" && row.flags&flagAttribute != 0 && bytes.ContainsAny(text, " \t\r\n"):
		c.report(i, badElementID, "")
	}
	if len(text) == 0 || text[0] != '#' {
		return
	}
	switch {
	case owner == referenceType && row.name == "reference":
		c.locals = append(c.locals, local{i, true})
	case row.typ == uriType || row.typ == urlType || row.typ == canonicalType:
		c.locals = append(c.locals, local{i, false})
	}
}

// referenceText: the text of a Reference is a URL, so it has no white space.
// Conditional references and fragments are allowed.
func (c *checker) referenceText(i uint32, text []byte) {
	if bytes.ContainsAny(text, " \t\r\n") {
		c.report(i, badReference, "")
	}
}

// hasBytes is has for bytes; it does not allocate.
func (b *binding) hasBytes(code []byte) bool {
	lo, hi := 0, len(b.codes)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch c := b.codes[mid]; {
		case c == string(code):
			return true
		case c < string(code):
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return false
}
