package fhir

import (
	"fmt"
	"testing"
	"time"
)

// Nothing that matches begins outside the span, whatever the prefix and the length of
// the value; and the span ends where the query does.
func TestSpanHoldsWhatMatches(t *testing.T) {
	const second = int64(1e6)
	query := Interval{100 * second, 160 * second}
	for c, name := range comparisonNames {
		span := comparison(c).span(query, second)
		for from := int64(0); from < 260*second; from += second / 4 {
			for _, length := range []int64{1, 1000, second / 4, second} {
				value := Interval{from, from + length}
				if comparison(c).holds(value, query) && (from < span.From || from >= span.To) {
					t.Errorf("%s: %v matches %v and is outside %v", name, value, query, span)
				}
			}
		}
	}
}

func TestSpan(t *testing.T) {
	at := func(s string) int64 {
		i, ok := ParseInterval(s)
		if !ok {
			t.Fatal(s)
		}
		return i.From
	}
	for query, want := range map[string]Interval{
		"":                                 everything,
		"date=ne2020":                      everything,
		"date:missing=false":               everything,
		"date:missing=true":                {},
		"date=2020":                        {at("2020"), at("2021")},
		"date=lt2020":                      {everything.From, at("2020")},
		"date=le2020":                      {everything.From, at("2021")},
		"date=sa2020":                      {at("2021"), everything.To},
		"date=ge2020":                      {at("2020"), everything.To},
		"date=gt2020":                      {at("2021") - 1e6, everything.To},
		"date=2020,2022":                   {at("2020"), at("2023")},
		"date=2020,ne2022":                 everything,
		"_lastUpdated=eb2020":              {everything.From, at("2020")},
		"action=C":                         everything,
		"date=ge2020&date=lt2021":          {at("2020"), at("2021")},
		"date=2020&_lastUpdated=lt2020-06": {at("2020"), at("2020-06")},
	} {
		q, err := ParseQuery("AuditEvent", query)
		if err != nil {
			t.Fatal(query, err)
		}
		if got := q.Span(time.Second, "date", "_lastUpdated"); got != want {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	q, err := ParseQuery("AuditEvent", "date=lt2020&date=ge2026")
	if err != nil {
		t.Fatal(err)
	}
	if got := q.Span(time.Second, "date"); !got.Empty() {
		t.Errorf("a range with nothing in it is %v", got)
	}
}

// A query is both of what it is split into.
func TestSplit(t *testing.T) {
	v := searchValues(t, `{"resourceType":"AuditEvent","id":"e","recorded":"2026-11-22T09:00:00Z","action":"C"}`)
	for query, want := range map[string]string{
		"patient=p":           "true true true true",
		"date=2026&action=C":  "true false true false",
		"date=2026&action=R":  "true false false false",
		"date=2025&action=C":  "false false true false",
		"date=2026&patient=p": "true false true true",
	} {
		q, err := ParseQuery("AuditEvent", query)
		if err != nil {
			t.Fatal(query, err)
		}
		on, others := q.Split("date")
		if got := fmt.Sprint(on.Match(v), on.Unconditional(), others.Match(v), others.Unconditional()); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
		if q.Match(v) != (on.Match(v) && others.Match(v)) {
			t.Errorf("%s: the parts do not make the whole", query)
		}
	}
}
