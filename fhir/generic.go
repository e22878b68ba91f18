package fhir

// generic checks a resource whose type the table does not describe (a
// MedicationStatement in a document) by what holds for all FHIR JSON: nothing is
// empty, null stands only in the arrays of primitives, extensions have their
// shape, and the elements of every resource (id, meta, text, contained) theirs.
func (c *checker) generic(i uint32, root bool) {
	n := &c.t.nodes[i]
	if n.next == i+1 {
		c.report(i, empty, "")
		return
	}
	for m := i + 1; m < n.next; m = c.t.nodes[m].next {
		if c.full() {
			return
		}
		name := c.name(m)
		row := commonElement(name, root)
		switch {
		case row != nil:
			c.element(i, m, domainResourceType, row)
		case len(name) > 1 && name[0] == '_':
			c.genericExtension(i, m, string(name[1:]))
		default:
			c.genericValue(i, m, string(name))
		}
	}
}

// commonElement returns the row of an element that means the same in each
// resource, or at each level.
func commonElement(name []byte, root bool) *element {
	switch string(name) {
	case "extension", "modifierExtension":
	case "id", "meta", "implicitRules", "language", "text", "contained":
		if !root {
			return nil
		}
	default:
		return nil
	}
	return domainResourceType.element(string(name))
}

func (c *checker) genericValue(object, m uint32, name string) {
	n := &c.t.nodes[m]
	if n.kind != Array {
		c.genericItem(m, name)
		return
	}
	if n.next == m+1 {
		c.report(m, empty, "")
		return
	}
	beside := c.pairs(object, name)
	for item := m + 1; item < n.next; item = c.t.nodes[item].next {
		if c.full() {
			return
		}
		paired := beside.next(c.t)
		switch c.kind(item) {
		case Null:
			if !paired {
				c.report(item, lonelyNull, "")
			}
		case Array:
			c.report(item, notSingle, "")
		default:
			c.genericItem(item, name)
		}
	}
}

func (c *checker) genericItem(i uint32, name string) {
	switch c.kind(i) {
	case Object:
		if c.member(i, "", "resourceType") != 0 {
			c.resource(i, atEntry)
			return
		}
		c.generic(i, false)
	case Null:
		c.report(i, strayNull, "")
	case String:
		text, _ := primitiveText(c.t, &c.t.nodes[i], stringType)
		if name == "data" && isBase64(text) {
			return // may be longer than a string
		}
		if broken := checkPrimitive(stringType, text); broken != nil {
			c.report(i, broken, "")
			return
		}
		if text[0] == '#' {
			c.locals = append(c.locals, local{i, name == "reference"})
		}
	}
}

func (c *checker) genericExtension(object, m uint32, name string) {
	n := &c.t.nodes[m]
	if n.kind != Array {
		c.primitiveExtension(m, c.member(object, "", name) != 0)
		return
	}
	row := element{name: name, typ: stringType, flags: flagMany}
	c.extension(object, m, &row)
}
