package fhir

import (
	"cmp"
	"slices"
)

// containedResource checks what a contained resource may not have: an id is a
// must, a version, a last update and security labels are not allowed (dom-4,
// dom-5), nor resources in it (dom-2).
func (c *checker) containedResource(i uint32) {
	if c.member(i, "", "id") == 0 {
		c.report(i, missing, "id")
	}
	if m := c.member(i, "", "contained"); m != 0 {
		c.report(m, nestedContained, "")
	}
	meta := c.member(i, "", "meta")
	if meta == 0 {
		return
	}
	for _, name := range [...]string{"versionId", "lastUpdated", "security"} {
		if m := c.member(meta, "", name); m != 0 {
			c.report(m, containedMeta, "")
		}
	}
}

// containment checks the resource at i against the local references in it: each
// one resolves (ref-1), each contained resource is referred to or refers to its
// container (dom-3), and no two have the same id.
func (c *checker) containment(i uint32, locals []local) {
	list := c.member(i, "", "contained")
	if list == 0 && len(locals) == 0 {
		return
	}
	used := make(map[string]bool) // contained id → referred to
	for item := range c.at(list).containedItems() {
		id := item.Get("id").Text()
		if id == "" {
			continue // reported already
		}
		if _, twice := used[id]; twice {
			c.report(item.i, duplicateContained, "")
		}
		used[id] = false
	}
	for _, l := range locals {
		id := c.at(l.node).Text()[1:]
		_, found := used[id]
		switch {
		case found:
			used[id] = true
		case id != "" && l.reference:
			c.report(l.node, unresolvedLocal, "")
		}
	}
	for item := range c.at(list).containedItems() {
		id := item.Get("id").Text()
		if id != "" && !used[id] && !refersToContainer(c.at(item.i), locals) {
			c.report(item.i, orphan, "")
		}
	}
}

// containedItems yields the elements of "contained"; nothing for the root, which
// is what member returns when there is none.
func (n Node) containedItems() func(yield func(Node) bool) {
	if n.i == 0 || n.Kind() != Array {
		return func(func(Node) bool) {}
	}
	return n.Items()
}

// refersToContainer tells whether the resource holds a reference "#". The locals
// are in document order.
func refersToContainer(n Node, locals []local) bool {
	from, _ := slices.BinarySearchFunc(locals, n.i, func(l local, i uint32) int { return cmp.Compare(l.node, i) })
	for _, l := range locals[from:] {
		if l.node >= n.n().next {
			return false
		}
		if (Node{n.t, l.node}).Is("#") {
			return true
		}
	}
	return false
}
