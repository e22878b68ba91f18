package fhir

import (
	"cmp"
	"strings"
)

// Match tells whether the values satisfy every condition, those that name the
// patient excepted: the door has chosen the dossier by them, or by traits.
func (q *Query) Match(v Values) bool {
	for i := range q.conditions {
		c := &q.conditions[i]
		if !c.param.role.ofDoor() && !q.holds(c, v) {
			return false
		}
	}
	return true
}

// holds tells whether one condition is satisfied. With :not and :not-in no value may match,
// so that a resource without any is found (R4 §3.1.1.4.2).
func (q *Query) holds(c *condition, v Values) bool {
	present, found := false, false
	for at := v.cursor(); !found && at.nextOf(c.param.slot); {
		if present = true; at.unnamed() {
			continue
		}
		found = c.set[Ident{at.a, at.b}]
		for i := range c.any {
			if q.accepts(c, &c.any[i], &at) {
				found = true
				break
			}
		}
	}
	switch c.mod {
	case modMissing:
		return present != c.missing
	case modNot, modNotIn:
		return !found
	}
	return found
}

// accepts tells whether a value is what one alternative asks for.
func (q *Query) accepts(c *condition, w *want, at *valueCursor) bool {
	switch at.kind {
	case kindToken:
		return (w.anySystem || w.system == at.a) && (w.anyCode || w.text == at.b)
	case kindDate:
		return w.comparison.holds(at.when, w.when)
	case kindText:
		switch c.mod {
		case modExact:
			return w.text == at.written()
		case modContains:
			return strings.Contains(at.a, w.text)
		}
		return strings.HasPrefix(at.a, w.text)
	case kindReference:
		return w.refersTo(q.base, at.a)
	}
	return false
}

// refersTo tells whether a reference of a resource is the one asked for.
func (w *want) refersTo(b Base, value string) bool {
	if own, ok := b.Relative(value); ok {
		value = own
	}
	if !w.suffix {
		return w.text == value
	}
	typ, ok := strings.CutSuffix(value, w.text)
	return ok && validTypeName(typ)
}

// Compare orders two resources by Sort: negative if a comes first, 0 if no key
// tells them apart. Of several values the one counts that comes first in the
// direction asked for; a resource without any comes last in both directions.
func (q *Query) Compare(a, b Values) int {
	for _, k := range q.Sort {
		p := serviceOf(q.Type).param(k.Param)
		x, hasX := sortValueOf(a, p.slot, k.Desc)
		y, hasY := sortValueOf(b, p.slot, k.Desc)
		switch {
		case hasX && !hasY:
			return -1
		case !hasX && hasY:
			return 1
		}
		if c := x.compare(y, k.Desc); c != 0 {
			return c
		}
	}
	return 0
}

// sortValue is what a key compares: a time, or one or two texts.
type sortValue struct {
	at         int64
	text, next string
}

func (x sortValue) compare(y sortValue, desc bool) int {
	c := cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.text, y.text), cmp.Compare(x.next, y.next))
	if desc {
		return -c
	}
	return c
}

// sortValueOf returns the value that comes first in that direction: of a time its
// beginning going up and its end going down.
func sortValueOf(v Values, s slot, desc bool) (first sortValue, ok bool) {
	for at := v.cursor(); at.nextOf(s); {
		if at.unnamed() {
			continue
		}
		var x sortValue
		switch at.kind {
		case kindToken:
			x = sortValue{text: at.b, next: at.a}
		case kindDate:
			x.at = at.when.From
			if desc {
				x.at = at.when.To
			}
		case kindText, kindReference:
			x.text = at.a
		}
		if !ok || x.compare(first, desc) < 0 {
			first, ok = x, true
		}
	}
	return first, ok
}
