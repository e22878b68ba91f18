package fhir

import "iter"

// addresses visits each value that may point to a resource: Reference.reference
// and the elements of type uri, url, canonical, oid and uuid, except the url of
// an extension, which names its definition. narrative visits each xhtml. Nested
// and contained resources are visited too; in those the table does not describe,
// the strings called "reference" and "url" count.
func (n Node) addresses(address, narrative func(Node)) {
	switch t := n.resourceTypeID(); t {
	case noType:
		n.genericAddresses(address)
	default:
		n.typedAddresses(t, address, narrative)
	}
}

func (n Node) typedAddresses(t typeID, address, narrative func(Node)) {
	for row, item := range n.described(t) {
		switch {
		case row == nil:
			item.typedAddresses(elementType, address, narrative)
		case row.typ == xhtmlType:
			narrative(item)
		case row.typ == resourceType:
			item.addresses(address, narrative)
		case !row.typ.primitive():
			item.typedAddresses(row.typ, address, narrative)
		case row.isAddress(t):
			address(item)
		}
	}
}

// described yields each value of an object of type t that the table describes, with
// its row: the items of an array one by one. The id and the extensions of a primitive,
// which stand beside it, come without a row; their type is elementType.
func (n Node) described(t typeID) iter.Seq2[*element, Node] {
	return func(yield func(*element, Node) bool) {
		if n.Kind() != Object {
			return
		}
		rows, hint := t.elements(), 0
		for m := n.i + 1; m < n.n().next; m = n.t.nodes[m].next {
			k := &n.t.nodes[m]
			name := n.t.raw[k.key:k.keyTo]
			var row *element
			if len(name) == 0 || name[0] != '_' {
				at := lookup(rows, name, hint)
				if at < 0 {
					continue
				}
				row, hint = &rows[at], at+1
			}
			for item := range (Node{n.t, m}).Items() {
				if !yield(row, item) {
					return
				}
			}
		}
	}
}

// isAddress tells whether the element, of the type owner, holds an address.
func (e *element) isAddress(owner typeID) bool {
	switch e.typ {
	case uriType, urlType, canonicalType, oidType, uuidType:
		return e.flags&flagAttribute == 0
	}
	return owner == referenceType && e.name == "reference"
}

func (n Node) genericAddresses(address func(Node)) {
	for name, m := range n.Members() {
		for item := range m.Items() {
			switch item.Kind() {
			case Object:
				item.genericAddresses(address)
			case String:
				if name == "reference" || name == "url" {
					address(item)
				}
			}
		}
	}
}
