package fhir

import (
	"strconv"
	"strings"
)

// Apply does the changes in their order, by splices: what is not patched keeps
// its bytes. The result has passed Parse.
//
// Beyond RFC 6902: the last element of an array that is removed takes the array
// with it, for FHIR has no empty ones; adding to an array that is not there makes
// it; and an operation on the value of an extension makes the extension when it
// is not there (replace, add), or removes it whole (remove). The delete of a FHIRPath
// Patch may find nothing to delete. Security labels are a set of codes and the archive
// extension is one (labelSet), where the patch changes them.
//
// The error is an *Invalid: an operation that does not fit the resource has the
// code value, a test that fails invariant, and a result that is no resource those
// of Parse.
func Apply(r *Resource, p PatchSet) (*Resource, error) {
	if p.Type != "" && p.Type != r.Type() {
		return nil, patchError(-1, "value", "Le patch vise un autre type de ressource.", "The patch is for another type of resource.")
	}
	var labels labelSet
	before := r
	for i, o := range p.Operations {
		edits, err := o.edits(r, i)
		if err != nil {
			return nil, err
		}
		next, err := r.Splice(edits)
		if err != nil {
			return nil, patchError(i, "value", "L’opération ne laisse pas une ressource valide.", "The operation does not leave a valid resource.")
		}
		labels.follow(o, r, next)
		r = next
	}
	r, err := labels.canonical(before, r)
	if err != nil {
		return nil, err
	}
	return Parse(r.Bytes())
}

// edits returns what the operation does to r.
func (o PatchOp) edits(r *Resource, index int) ([]Edit, error) {
	switch {
	case o.into != "":
		return o.additionEdits(r, index)
	case o.Op == "insert" || o.Op == "move":
		return o.listEdits(r, index)
	case o.Extension != "":
		return o.extensionEdits(r, index)
	case o.steps != nil:
		return o.stepEdits(r, index)
	case len(o.Segments) == 0:
		return nil, o.notFound(index)
	}
	last := o.Segments[len(o.Segments)-1]
	parent := pointed(r.Root(), o.Segments[:len(o.Segments)-1])
	switch {
	case parent.Kind() == Array:
		return o.itemEdits(parent, last, index)
	case parent.Kind() == Object:
		return o.memberEdits(parent, last, index)
	case !parent.Exists() && len(o.Segments) == 2 && o.Op == "add":
		if e, ok := o.newArray(r); ok {
			return []Edit{e}, nil
		}
	}
	return nil, o.notFound(index)
}

// pointed follows a JSON pointer.
func pointed(n Node, segments []string) Node {
	for _, s := range segments {
		if n.Kind() == Array {
			n = n.nth(s)
		} else {
			n = n.Get(s)
		}
	}
	return n
}

// nth returns the element of an array at an index written as RFC 6901 wants it.
func (n Node) nth(index string) Node {
	at, err := strconv.Atoi(index)
	if err != nil || strconv.Itoa(at) != index || at < 0 {
		return Node{}
	}
	for item := range n.Items() {
		if at == 0 {
			return item
		}
		at--
	}
	return Node{}
}

// followSteps follows the steps of a FHIRPath: names go through arrays.
func followSteps(at []Node, steps []step) []Node {
	for _, s := range steps {
		var next []Node
		for _, n := range at {
			switch {
			case s.key != "":
				if n.Get(s.key).Is(s.value) {
					next = append(next, n)
				}
			default:
				for item := range n.Get(s.name).Items() {
					next = append(next, item)
				}
			}
		}
		if i, err := strconv.Atoi(s.name); err == nil {
			next = nil
			if i >= 0 && i < len(at) {
				next = at[i : i+1]
			}
		}
		at = next
	}
	return at
}

// memberEdits is the operation on a member of an object.
func (o PatchOp) memberEdits(object Node, name string, index int) ([]Edit, error) {
	target := object.Get(name)
	switch {
	case o.Op == "add" && !target.Exists():
		return []Edit{InsertMember(object, name, o.Value)}, nil
	case o.fresh:
		return nil, o.present(index)
	case !target.Exists():
		return nil, o.notFound(index)
	case o.Op == "remove":
		return []Edit{RemoveMember(target)}, nil
	}
	return o.onValue(target, index)
}

// itemEdits is the operation on an element of an array.
func (o PatchOp) itemEdits(array Node, at string, index int) ([]Edit, error) {
	if o.Op == "add" && (at == "-" || at == strconv.Itoa(array.Len())) {
		return []Edit{AppendItem(array, o.Value)}, nil
	}
	target := array.nth(at)
	switch {
	case !target.Exists():
		return nil, o.notFound(index)
	case o.Op == "add":
		return []Edit{insertBefore(target, o.Value)}, nil
	case o.Op == "remove":
		return RemoveItems(array, func(n Node) bool { return n == target }), nil
	}
	return o.onValue(target, index)
}

// onValue replaces or tests a value that is there.
func (o PatchOp) onValue(target Node, index int) ([]Edit, error) {
	if o.Op != "test" {
		return []Edit{Replace(target, o.Value)}, nil
	}
	t, err := scanJSON(o.Value)
	if err != nil || !sameJSON(target, Node{t, 0}) {
		return nil, patchError(index, "invariant", "La valeur testée n’est pas celle attendue.", "The tested value is not the one expected.")
	}
	return nil, nil
}

func insertBefore(item Node, value []byte) Edit {
	start, _ := item.Span()
	with := append(append([]byte{}, value...), ',')
	return Edit{Start: start, End: start, With: append(with, item.before()...)}
}

// newArray adds the first element of an array that the resource lacks.
func (o PatchOp) newArray(r *Resource) (Edit, bool) {
	t := r.Root().resourceTypeID()
	name, at := o.Segments[0], o.Segments[1]
	if t == noType || at != "-" && at != "0" {
		return Edit{}, false
	}
	row := t.element(name)
	if row == nil || row.flags&flagMany == 0 {
		return Edit{}, false
	}
	return InsertMember(r.Root(), name, inArray(o.Value)), true
}

func inArray(value []byte) []byte { return append(append([]byte{'['}, value...), ']') }

// stepEdits is the operation of a FHIRPath Patch on the one value that its steps
// lead to.
func (o PatchOp) stepEdits(r *Resource, index int) ([]Edit, error) {
	last := len(o.steps) - 1
	targets := followSteps([]Node{r.Root()}, o.steps)
	name := ""
	if len(targets) == 0 && o.steps[last].key == "" {
		if parents := followSteps([]Node{r.Root()}, o.steps[:last]); len(parents) == 1 {
			targets = parents[0].choice(o.steps[last].name)
			name = o.steps[last].name + strings.TrimPrefix(o.typed, "value")
		}
	}
	if len(targets) == 0 && o.lax {
		return nil, nil
	}
	if len(targets) != 1 {
		return nil, o.notFound(index)
	}
	target := targets[0]
	switch {
	case o.Op == "remove":
		if parent := target.parent(); parent.Kind() == Array {
			return RemoveItems(parent, func(n Node) bool { return n == target }), nil
		}
		return []Edit{RemoveMember(target)}, nil
	case o.Op == "replace" && name != "" && name != target.Name():
		return insteadOf(target, []member{{name, o.Value}}), nil
	}
	return o.onValue(target, index)
}

// parent returns the array or object that holds the node.
func (n Node) parent() Node {
	at := Node{n.t, 0}
	for {
		child, _ := at.childTowards(n.i)
		if child == n {
			return at
		}
		at = child
	}
}

// choice returns the member that gives name[x] its value.
func (n Node) choice(name string) []Node {
	for member, value := range n.Members() {
		if suffix, ok := strings.CutPrefix(member, name); ok && suffix != "" && suffix[0] >= 'A' && suffix[0] <= 'Z' {
			return []Node{value}
		}
	}
	return nil
}

// extensionEdits is an operation on the value of a top-level extension.
func (o PatchOp) extensionEdits(r *Resource, index int) ([]Edit, error) {
	list := r.Get("extension")
	var found []Node
	for item := range list.Items() {
		if item.Get("url").Is(o.Extension) {
			found = append(found, item)
		}
	}
	name := o.Segments[len(o.Segments)-1]
	switch {
	case len(found) > 1:
		return nil, o.notFound(index)
	case len(found) == 1:
		return o.presentExtension(list, found[0], name, index)
	case o.lax:
		return nil, nil
	case o.Op != "add" && o.Op != "replace":
		return nil, o.notFound(index)
	}
	value := appendMember([]byte{'{'}, "url", ":", Quote(o.Extension))
	value = append(appendMember(append(value, ','), name, ":", o.Value), '}')
	if list.Exists() {
		return []Edit{AppendItem(list, value)}, nil
	}
	return []Edit{InsertMember(r.Root(), "extension", inArray(value))}, nil
}

func (o PatchOp) presentExtension(list, extension Node, name string, index int) ([]Edit, error) {
	if o.Op == "remove" {
		return RemoveItems(list, func(n Node) bool { return n == extension }), nil
	}
	value := extension.Get(name)
	if value.Exists() {
		return o.onValue(value, index)
	}
	if other := extension.choice("value"); len(other) == 1 && o.Op != "test" {
		return insteadOf(other[0], []member{{name, o.Value}}), nil
	}
	return nil, o.notFound(index)
}

func (o PatchOp) notFound(index int) *Invalid {
	return patchError(index, "value", "Le chemin ne désigne pas un élément de la ressource.", "The path does not name one element of the resource.")
}

// Same tells whether two resources are equal as JSON is (RFC 6902 §4.6): members in any
// order, white space and escapes aside.
func Same(a, b *Resource) bool { return sameJSON(a.Root(), b.Root()) }

// sameJSON tells whether two values are equal as RFC 6902 §4.6 compares them.
// Numbers are equal when their text is, or when they are short and equal as
// numbers.
func sameJSON(a, b Node) bool {
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false
	}
	switch a.Kind() {
	case Object:
		for name, value := range a.Members() {
			if !sameJSON(value, b.Get(name)) {
				return false
			}
		}
	case Array:
		x, y := a.n().next, b.i+1
		for i := a.i + 1; i < x; i = a.t.nodes[i].next {
			if !sameJSON(Node{a.t, i}, Node{b.t, y}) {
				return false
			}
			y = b.t.nodes[y].next
		}
	case Number:
		return a.Text() == b.Text() || sameNumber(a.Text(), b.Text())
	default:
		return a.Text() == b.Text()
	}
	return true
}

func sameNumber(a, b string) bool {
	if len(a) > 15 || len(b) > 15 {
		return false
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}
