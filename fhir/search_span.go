package fhir

import (
	"math"
	"slices"
	"time"
)

// everything is the Interval without ends.
var everything = Interval{math.MinInt64, math.MaxInt64}

// Empty tells whether no time is in the interval.
func (i Interval) Empty() bool { return i.From >= i.To }

func (i Interval) and(j Interval) Interval {
	return Interval{max(i.From, j.From), min(i.To, j.To)}
}

// over is the smallest interval that holds both.
func (i Interval) over(j Interval) Interval {
	switch {
	case i.Empty():
		return j
	case j.Empty():
		return i
	}
	return Interval{min(i.From, j.From), max(i.To, j.To)}
}

// Span returns where the query needs to look in what is ordered by time: a resource
// whose value of every one of the date parameters begins outside of it does not match.
// Each resource has one value of each, which stands for at most longest. What begins
// inside may still not match.
func (q *Query) Span(longest time.Duration, params ...string) Interval {
	span := everything
	for i := range q.conditions {
		if c := &q.conditions[i]; slices.Contains(params, c.param.Name) {
			span = span.and(c.span(longest.Microseconds()))
		}
	}
	return span
}

// span is that of one condition: of any of its alternatives.
func (c *condition) span(longest int64) Interval {
	var span Interval
	switch {
	case c.mod == modMissing && c.missing:
		return span // each has a value
	case c.mod != 0:
		return everything
	}
	for _, w := range c.any {
		span = span.over(w.comparison.span(w.when, longest))
	}
	return span
}

// span returns where values begin that stand in that relation to the value of the
// query (holds), if each of them stands for at most longest.
func (c comparison) span(query Interval, longest int64) Interval {
	within := everything
	switch c {
	case cmpEq:
		within = query
	case cmpGt:
		within.From = query.To - longest
	case cmpLt:
		within.To = query.From
	case cmpGe:
		within.From = min(query.From, query.To-longest)
	case cmpLe:
		within.To = query.To
	case cmpSa:
		within.From = query.To
	case cmpEb:
		within.To = query.From
	case cmpAp:
		within = Interval{query.From - longest, query.To}
	}
	return within
}

// Split divides the conditions of a query: those on the parameters, and the others. A
// resource matches the query when it matches both; Match is all that they are for.
func (q *Query) Split(params ...string) (on, others *Query) {
	a, b := *q, *q
	a.conditions, b.conditions = nil, nil
	for _, c := range q.conditions {
		if slices.Contains(params, c.param.Name) {
			a.conditions = append(a.conditions, c)
		} else {
			b.conditions = append(b.conditions, c)
		}
	}
	return &a, &b
}

// Unconditional tells whether everything matches the query.
func (q *Query) Unconditional() bool {
	return !slices.ContainsFunc(q.conditions, func(c condition) bool { return !c.param.role.ofDoor() })
}
