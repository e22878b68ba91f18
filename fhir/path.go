package fhir

import "strconv"

// Path returns the FHIRPath of the node from the root of its resource, with the
// index of each repetition: "DocumentReference.content[0].attachment.hash".
// Choices have their name without type, as FHIRPath sees them.
func (n Node) Path() string {
	if n.t == nil {
		return ""
	}
	at := Node{n.t, 0}
	typ := at.resourceTypeID()
	path := at.Get("resourceType").Text()
	if !KnownResource(path) {
		path = "Resource"
	}
	for at.i != n.i {
		child, index := at.childTowards(n.i)
		if at.Kind() == Array {
			path += "[" + strconv.Itoa(index) + "]"
		} else {
			var name string
			name, typ = child.pathName(typ)
			path += "." + name
		}
		if typ == resourceType && child.Kind() == Object {
			typ = child.resourceTypeID()
		}
		at = child
	}
	return path
}

// childTowards returns the child of n that is or holds the node i.
func (n Node) childTowards(i uint32) (child Node, index int) {
	c := n.i + 1
	for n.t.nodes[c].next <= i {
		c = n.t.nodes[c].next
		index++
	}
	return Node{n.t, c}, index
}

// pathName returns the name of a member in FHIRPath, and its type.
func (n Node) pathName(owner typeID) (string, typeID) {
	name := n.Name()
	bare := name
	if len(name) > 0 && name[0] == '_' {
		bare = name[1:]
	}
	if owner == noType {
		return printable(bare), noType
	}
	row := owner.element(bare)
	switch {
	case row == nil || bare != name && !row.extensible():
		return printable(name), noType
	case bare != name:
		return row.pathName(), elementType
	}
	return row.pathName(), row.typ
}

// printable returns a name that a client invented as it may be shown: letters,
// digits and '_', at most 64; anything else is "?".
func printable(name string) string {
	if len(name) == 0 || len(name) > 64 {
		return "?"
	}
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return "?"
		}
	}
	return name
}
