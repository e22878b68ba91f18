package fhir

import (
	"bytes"
	"slices"
	"strconv"
)

// typeAlong returns the row of the element that steps lead to from a type, and the
// type that has it; the row is nil where they lead to none, or to a choice by its
// bare name.
func typeAlong(t typeID, steps []step) (owner typeID, row *element) {
	for _, s := range steps {
		if s.key != "" || s.name != "" && s.name[0] <= '9' {
			continue
		}
		if row != nil {
			t = row.typ
		}
		owner = t
		if row = t.element(s.name); row == nil {
			return owner, nil
		}
	}
	return owner, row
}

// fillInner sets what add puts into an element of the resource.
func (o *PatchOp) fillInner(parts patchParts, typ string, index int) error {
	unfit := patchError(index, "value", "L’élément à ajouter n’est pas un élément de celui du chemin, ou sa valeur est incomplète.", "The element to add is not an element of that of the path, or its value is incomplete.")
	_, at := typeAlong(resourceNamed(typ), o.steps)
	if at == nil || at.typ.primitive() {
		return unfit
	}
	name, value, row := addition(at.typ, parts.name, parts.value, 0)
	if row == nil || value == nil {
		return unfit
	}
	o.Value, o.into, o.many, o.fresh, o.Extension = value, name, row.flags&flagMany != 0, true, ""
	return nil
}

// fillList sets an insert or a move, whose path is a list.
func (o *PatchOp) fillList(parts patchParts, typ string) bool {
	last := len(o.steps) - 1
	owner, row := typeAlong(resourceNamed(typ), o.steps)
	if row == nil || row.flags&flagMany == 0 || o.steps[last].name != row.name || parts.name != "" {
		return false
	}
	o.many, o.Extension = true, ""
	if o.Op == "move" {
		var okFrom, okTo bool
		o.place.from, okFrom = indexOf(parts.source)
		o.place.at, okTo = indexOf(parts.destination)
		return okFrom && okTo && parts.index == "" && !parts.value.Exists()
	}
	var ok bool
	o.place.at, ok = indexOf(parts.index)
	if !ok || parts.source != "" || parts.destination != "" || !parts.value.Exists() {
		return false
	}
	_, o.Value, row = addition(owner, row.name, parts.value, 0)
	return row != nil && o.Value != nil
}

// indexOf reads an index of a list.
func indexOf(s string) (int, bool) {
	if _, bad := cutDigits(s); bad {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// additionEdits adds a member to the one object that the steps lead to, or an
// element to a list of it.
func (o PatchOp) additionEdits(r *Resource, index int) ([]Edit, error) {
	parents := followSteps([]Node{r.Root()}, o.steps)
	if len(parents) != 1 || parents[0].Kind() != Object {
		return nil, o.notFound(index)
	}
	member := parents[0].Get(o.into)
	switch {
	case !member.Exists() && o.many:
		return []Edit{InsertMember(parents[0], o.into, inArray(o.Value))}, nil
	case !member.Exists():
		return []Edit{InsertMember(parents[0], o.into, o.Value)}, nil
	case !o.many:
		return nil, o.present(index)
	case o.place.first:
		return []Edit{insertBefore(member.nth("0"), o.Value)}, nil
	}
	return []Edit{AppendItem(member, o.Value)}, nil
}

func (o PatchOp) present(index int) *Invalid {
	return patchError(index, "value", "L’élément à ajouter est déjà là, et ne se répète pas.", "The element to add is there already, and does not repeat.")
}

// listEdits is an insert into the one list that the steps lead to, or beside the
// one element of it, or a move inside it.
func (o PatchOp) listEdits(r *Resource, index int) ([]Edit, error) {
	if o.place.before || o.place.after {
		return o.besideEdits(r, index)
	}
	last := len(o.steps) - 1
	parents := followSteps([]Node{r.Root()}, o.steps[:last])
	if len(parents) != 1 || parents[0].Kind() != Object {
		return nil, o.notFound(index)
	}
	name, list := o.steps[last].name, parents[0].Get(o.steps[last].name)
	switch at := o.place.at; {
	case o.Op == "move":
		return o.moveEdits(list, index)
	case !list.Exists() && at == 0:
		return []Edit{InsertMember(parents[0], name, inArray(o.Value))}, nil
	case at > list.Len():
		return nil, o.notFound(index)
	case at == list.Len():
		return []Edit{AppendItem(list, o.Value)}, nil
	default:
		return []Edit{insertBefore(list.nth(strconv.Itoa(at)), o.Value)}, nil
	}
}

// moveEdits writes the list in its new order.
func (o PatchOp) moveEdits(list Node, index int) ([]Edit, error) {
	if o.place.at >= list.Len() || o.place.from >= list.Len() {
		return nil, o.notFound(index)
	}
	var items [][]byte
	for item := range list.Items() {
		items = append(items, item.Raw())
	}
	moved := items[o.place.from]
	items = slices.Insert(slices.Delete(items, o.place.from, o.place.from+1), o.place.at, moved)
	return []Edit{Replace(list, inArray(bytes.Join(items, []byte(","))))}, nil
}

// besideEdits inserts before or after the one element that the steps lead to.
func (o PatchOp) besideEdits(r *Resource, index int) ([]Edit, error) {
	targets := followSteps([]Node{r.Root()}, o.steps)
	if len(targets) != 1 || targets[0].parent().Kind() != Array {
		return nil, o.notFound(index)
	}
	if o.place.before {
		return []Edit{insertBefore(targets[0], o.Value)}, nil
	}
	_, end := targets[0].Span()
	return []Edit{{Start: end, End: end, With: append([]byte{','}, o.Value...)}}, nil
}
