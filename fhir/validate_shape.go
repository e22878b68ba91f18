package fhir

import (
	"slices"
	"strings"
)

// shape checks one value of an element against what a profile says of it.
func (v *validator) shape(n Node, s *shape, def *profileDef) {
	if v.full() {
		return
	}
	v.value(n, s, def)
	switch len(s.profiles) {
	case 0:
	case 1:
		v.profile(n, s.profiles[0])
	default:
		v.oneProfile(n, s.profiles)
	}
	for _, key := range s.keys {
		v.invariant(n, key, def)
	}
	for i := range s.children {
		v.member(n, &s.children[i], def)
	}
}

// value checks type, fixed value, codes and target.
func (v *validator) value(n Node, s *shape, def *profileDef) {
	if len(s.types) > 0 && !s.choice && !slices.Contains(s.types, n.Get("resourceType").Text()) {
		v.report(n, wrongType, strings.Join(s.types, ", "), "type", def)
	}
	if s.value != nil && !(s.fixed && s.value.equals(n) || !s.fixed && s.value.matches(n)) {
		v.report(n, wrongValue, s.value.String(), "value", def)
	}
	if s.codes != 0 {
		if set := &profileCodes[s.codes-1]; !set.has(n) {
			v.report(n, wrongCode, set.list(), "binding", def)
		}
	}
	if len(s.targets) > 0 {
		v.target(n, s.targets, def)
	}
	if text := n.Get("reference").Text(); s.contained && text != "" && text[0] != '#' {
		v.report(n, notContained, "", "contained", def)
	}
}

// oneProfile checks that a value meets one of several profiles; when it meets none,
// it lists what is missing for the nearest.
func (v *validator) oneProfile(n Node, rows []uint16) {
	nearest, least := rows[0], maxFindings+1
	for _, row := range rows {
		count := v.conforms(n, row)
		if count == 0 {
			return
		}
		if count < least {
			nearest, least = row, count
		}
	}
	v.profile(n, nearest)
}

// member checks the element of the shape in the object n: how often it stands, and
// each value.
func (v *validator) member(n Node, s *shape, def *profileDef) {
	value, beside := n.named(s)
	count := max(value.count(), beside.count())
	switch at := value; {
	case count < int(s.min):
		v.report(n, tooFew, s.name, "min", def, int(s.min))
	case s.bounded && count > int(s.max):
		if !at.Exists() {
			at = beside
		}
		v.report(at, tooMany, "", "max", def, int(s.max))
	}
	if !value.Exists() {
		return
	}
	if s.choice && len(s.types) > 0 && !slices.Contains(s.types, value.Name()) {
		v.report(value, wrongType, strings.Join(s.types, ", "), "type", def)
	}
	for item := range value.Items() {
		if item.Kind() != Null {
			v.shape(item, s, def)
		}
	}
	if len(s.slices) > 0 {
		v.sliced(n, value, s, def)
	}
}

// named returns the member of an object that the shape speaks of, and the one
// beside it that has its extensions.
func (n Node) named(s *shape) (value, beside Node) {
	if n.Kind() != Object {
		return Node{}, Node{}
	}
	for m := n.i + 1; m < n.n().next; m = n.t.nodes[m].next {
		k := &n.t.nodes[m]
		name := n.t.raw[k.key:k.keyTo]
		extends := len(name) > 0 && name[0] == '_'
		if extends {
			name = name[1:]
		}
		if !s.names(name) {
			continue
		}
		if extends {
			beside = Node{n.t, m}
		} else {
			value = Node{n.t, m}
		}
	}
	return value, beside
}

// names tells whether the member of that name is the element of the shape. No type
// that a profile constrains has an element whose name begins like a choice.
func (s *shape) names(name []byte) bool {
	if !s.choice {
		return string(name) == s.name
	}
	return len(name) > len(s.name) && string(name[:len(s.name)]) == s.name && name[len(s.name)] >= 'A' && name[len(s.name)] <= 'Z'
}

// count is how many values a member has.
func (n Node) count() int {
	switch n.Kind() {
	case Absent:
		return 0
	case Array:
		return n.Len()
	}
	return 1
}

// maxSlices is how many slices an element has at most in the table.
const maxSlices = 32

// sliced sorts the items of a list into the slices and checks each slice.
func (v *validator) sliced(object, value Node, s *shape, def *profileDef) {
	var counts [maxSlices]int
	for item := range value.Items() {
		i := v.sliceOf(item, s)
		switch {
		case i < 0 && s.closed:
			v.report(item, noSlice, "", "slicing", def)
		case i >= 0:
			counts[i]++
			v.shape(item, &s.slices[i].shape, def)
		}
	}
	for i := range s.slices {
		sl := &s.slices[i]
		switch {
		case counts[i] < int(sl.shape.min):
			v.report(object, tooFewOfSlice, s.name, "slicing", def, sl.name, int(sl.shape.min))
		case sl.shape.bounded && counts[i] > int(sl.shape.max):
			v.report(value, tooManyOfSlice, "", "slicing", def, sl.name, int(sl.shape.max))
		}
	}
}

// sliceOf returns the slice of an item, -1 if it is of none. Of slices told by a
// profile, an item that meets none is of the one that it claims; where each item
// must be of a slice, else of the one with the fewest errors, so that these are what
// its author is told.
func (v *validator) sliceOf(item Node, s *shape) int {
	nearest, least := -1, maxFindings+1
	for i := range s.slices {
		sl := &s.slices[i]
		errors, ok := v.inSlice(item, sl)
		switch {
		case !ok:
		case errors == 0:
			return i
		case sl.claimed(item):
			nearest, least = i, 0
		case s.closed && errors < least:
			nearest, least = i, errors
		}
	}
	return nearest
}

// inSlice tells whether an item meets the conditions of a slice, but for profiles,
// whose errors it counts.
func (v *validator) inSlice(item Node, sl *profileSlice) (errors int, ok bool) {
	for i := range sl.conds {
		if !sl.conds[i].plain(item) {
			return 0, false
		}
	}
	for i := range sl.conds {
		c := &sl.conds[i]
		if len(c.profiles) == 0 {
			continue
		}
		least := maxFindings + 1
		for _, row := range c.profiles {
			least = min(least, v.conforms(item.member(c.path), row))
		}
		errors += least
	}
	return errors, true
}

// member follows the names without entering arrays but the first item.
func (n Node) member(path []string) Node {
	for _, name := range path {
		n = n.Get(name)
	}
	return n
}

// claimed tells whether the resource of an item claims the profile of the slice.
func (sl *profileSlice) claimed(item Node) bool {
	for i := range sl.conds {
		c := &sl.conds[i]
		for claim := range item.member(c.path).Get("meta").Get("profile").Items() {
			if row := profileNamed(claim.Text()); row >= 0 && slices.Contains(c.profiles, uint16(row)) {
				return true
			}
		}
	}
	return false
}

// plain tells whether an item meets a condition, profiles left aside.
func (c *sliceCond) plain(item Node) bool {
	switch c.exists {
	case mustExist:
		return item.member(c.path).Exists()
	case mustNotExist:
		return !item.member(c.path).Exists()
	}
	for n := range item.All(c.path...) {
		if c.meets(n) {
			return true
		}
	}
	// A pattern of a list is met by the list, not by its items.
	return c.value != nil && c.value.kind == Array && c.value.matches(item.member(c.path))
}

func (c *sliceCond) meets(n Node) bool {
	switch {
	case c.value != nil:
		return c.value.matches(n)
	case c.codes != 0:
		return profileCodes[c.codes-1].has(n)
	case len(c.types) > 0:
		return slices.Contains(c.types, n.Get("resourceType").Text())
	}
	return false
}
