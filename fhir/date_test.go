package fhir

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func instant(s string) int64 {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t.UnixMicro()
}

func TestParseInterval(t *testing.T) {
	for _, c := range []struct{ in, from, to string }{
		{"2026", "2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"},
		{"2026-02", "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"},
		{"2026-12", "2026-12-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"},
		{"2026-07-14", "2026-07-14T00:00:00+02:00", "2026-07-15T00:00:00+02:00"},
		{"2026-03-29", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"}, // 23 hours
		{"2026-10-25", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"}, // 25 hours
		{"2024-02-29", "2024-02-29T00:00:00+01:00", "2024-03-01T00:00:00+01:00"},
		{"2026-11-22T10:00", "2026-11-22T10:00:00+01:00", "2026-11-22T10:01:00+01:00"},
		{"2026-11-22T10:00Z", "2026-11-22T10:00:00Z", "2026-11-22T10:01:00Z"},
		{"2026-11-22T10:00:07Z", "2026-11-22T10:00:07Z", "2026-11-22T10:00:08Z"},
		{"2026-11-22T10:00:07.5Z", "2026-11-22T10:00:07.5Z", "2026-11-22T10:00:07.6Z"},
		{"2026-11-22T10:00:07.123456789Z", "2026-11-22T10:00:07.123456Z", "2026-11-22T10:00:07.123457Z"},
		{"2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00Z", "2026-11-22T08:00:01Z"},
		{"2026-11-22T10:00:00-14:00", "2026-11-23T00:00:00Z", "2026-11-23T00:00:01Z"},
		{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "2017-01-01T00:00:01Z"},
		{"1985-07-14", "1985-07-14T00:00:00+02:00", "1985-07-15T00:00:00+02:00"},
		{"1950-07-14", "1950-07-14T00:00:00+01:00", "1950-07-15T00:00:00+01:00"},
		{"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z"},
	} {
		i, ok := ParseInterval(c.in)
		if want := (Interval{instant(c.from), instant(c.to)}); !ok || i != want {
			t.Errorf("ParseInterval(%q) = %v, %v; want %v", c.in, i, ok, want)
		}
	}
	for _, s := range []string{"0001", "0001-01-01", "9999-12-31", "9999-12-31T23:59:60-14:00"} {
		if i, ok := ParseInterval(s); !ok || i.To <= i.From {
			t.Errorf("%s: %v, %v", s, i, ok)
		}
	}
}

func TestParseIntervalRefuses(t *testing.T) {
	for _, s := range []string{
		"", "2", "202", "20261", "0000", "0000-01-01", "-2026", "2026-", "2026-1", "2026-00", "2026-13", "2026-02-30", "2025-02-29",
		"2026-01-00", "2026-01-1", "2026/01/01", "2026-01-01T", "2026-01-01T10", "2026-01-01T10Z", "2026-01-01T24:00", "2026-01-01T23:60",
		"2026-01-01T10:00:61Z", "2026-01-01T10:00:00.Z", "2026-01-01T10:00.5Z", "2026-01-01T10:00:00z", "2026-01-01t10:00:00Z",
		"2026-01-01T10:00:00+14:01", "2026-01-01T10:00:00+14:60", "2026-01-01T10:00:00+15:00", "2026-01-01T10:00:00+01:60", "2026-01-01T10:00:00+0100",
		"2026-01-01T10:00:00+01", "2026-01-01T10:00:00Z ", " 2026-01-01", "2026-01-01T10:00:00ZZ", "2026-01-01Z", "10000-01-01", "٢٠٢٦", "2026-01-01T10:00:00 01:00",
	} {
		if i, ok := ParseInterval(s); ok {
			t.Errorf("ParseInterval(%q) = %v", s, i)
		}
	}
}

// TestComparisons is the table of R4 §3.1.1.4.4: each prefix, for a value before,
// at the edges of, within, around and after the query's value.
func TestComparisons(t *testing.T) {
	query := Interval{100, 200}
	for _, c := range []struct {
		name  string
		value Interval
		holds string
	}{
		{"before", Interval{10, 20}, "ne lt le eb"},
		{"before, touching", Interval{50, 100}, "ne lt le eb"},
		{"over the beginning", Interval{50, 150}, "ne lt le ap"},
		{"at the beginning", Interval{100, 101}, "eq ge le ap"},
		{"within", Interval{120, 130}, "eq ge le ap"},
		{"the same", Interval{100, 200}, "eq ge le ap"},
		{"at the end", Interval{199, 200}, "eq ge le ap"},
		{"up to the end", Interval{50, 200}, "ne lt le ap"},
		{"from the beginning", Interval{100, 250}, "ne gt ge ap"},
		{"over the end", Interval{150, 250}, "ne gt ge ap"},
		{"around", Interval{50, 250}, "ne gt lt ge le ap"},
		{"after, touching", Interval{200, 250}, "ne gt ge sa"},
		{"after", Interval{300, 400}, "ne gt ge sa"},
		{"open start, before", Interval{math.MinInt64, 50}, "ne lt le eb"},
		{"open start, into", Interval{math.MinInt64, 150}, "ne lt le ap"},
		{"open end, from within", Interval{150, math.MaxInt64}, "ne gt ge ap"},
		{"open end, after", Interval{200, math.MaxInt64}, "ne gt ge sa"},
		{"open", Interval{math.MinInt64, math.MaxInt64}, "ne gt lt ge le ap"},
	} {
		var holds string
		for _, name := range []string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"} {
			p, rest := cutComparison(name + "2026")
			if rest != "2026" {
				t.Fatalf("cutComparison(%q) left %q", name+"2026", rest)
			}
			if p.holds(c.value, query) {
				holds += " " + name
			}
		}
		if holds != " "+c.holds {
			t.Errorf("%s: holds%s, want %s", c.name, holds, c.holds)
		}
	}
}

// For two values of one length: eq, lt and gt are exclusive and one of them
// holds or they overlap; ne, le and ge follow from them.
func TestComparisonLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Interval {
			from := rapid.Int64Range(0, 20).Draw(t, name)
			return Interval{from, from + rapid.Int64Range(1, 10).Draw(t, name+" length")}
		}
		v, q := draw("value"), draw("query")
		is := func(c comparison) bool { return c.holds(v, q) }
		switch {
		case is(cmpNe) == is(cmpEq):
			t.Fatal("ne is not the opposite of eq")
		case is(cmpGe) != (is(cmpGt) || is(cmpEq)):
			t.Fatal("ge is not gt or eq")
		case is(cmpLe) != (is(cmpLt) || is(cmpEq)):
			t.Fatal("le is not lt or eq")
		case is(cmpSa) && !is(cmpGt), is(cmpEb) && !is(cmpLt):
			t.Fatal("sa without gt, or eb without lt")
		case is(cmpAp) == (is(cmpSa) || is(cmpEb)):
			t.Fatal("ap is not the opposite of sa or eb")
		case is(cmpEq) && (is(cmpGt) || is(cmpLt)):
			t.Fatal("eq with gt or lt")
		case !is(cmpEq) && !is(cmpGt) && !is(cmpLt):
			t.Fatal("neither eq nor gt nor lt")
		}
	})
}

func FuzzParseInterval(f *testing.F) {
	for _, s := range []string{"2026", "2026-11", "2026-11-22", "2026-11-22T10:00:00.123+01:00", "9999-12-31T23:59:60-14:00", "0001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if i, ok := ParseInterval(s); ok && i.From >= i.To {
			t.Errorf("%q: %v", s, i)
		}
	})
}
