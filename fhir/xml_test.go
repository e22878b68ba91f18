package fhir

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// canonical writes a value with its members sorted, and without what JSON can say
// and XML cannot: arrays of nothing but null beside a primitive, white space around
// a narrative and its line ends.
func canonical(n Node) string {
	switch n.Kind() {
	case Object:
		members := map[string]string{}
		for name, m := range n.Members() {
			if text := canonical(m); text != "[]" {
				members[name] = text
			}
			if name == "div" && m.Kind() == String {
				members[name] = strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(m.Text()))
			}
		}
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(members)) {
			b.WriteString("{" + name + ":" + members[name] + "}")
		}
		return b.String()
	case Array:
		var items []string
		for item := range n.Items() {
			items = append(items, canonical(item))
		}
		if !slices.ContainsFunc(items, func(s string) bool { return s != "null" }) {
			return "[]"
		}
		return "[" + strings.Join(items, ",") + "]"
	case String:
		return string(Quote(n.Text()))
	}
	return string(n.Raw())
}

// thereAndBack returns JSON as it comes back from XML.
func thereAndBack(t testing.TB, data []byte, pretty bool) *Resource {
	t.Helper()
	doc, err := ToXML(data, pretty)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	back, err := FromXML(doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	r, err := Scan(back)
	if err != nil {
		t.Fatalf("%v\n%s", err, back)
	}
	return r
}

func sameResource(t testing.TB, got, want *Resource) {
	t.Helper()
	if a, b := canonical(got.Root()), canonical(want.Root()); a != b {
		i := 0
		for i < len(a) && i < len(b) && a[i] == b[i] {
			i++
		}
		t.Errorf("came back otherwise, from %d on:\n…%.200s\nwant\n…%.200s", i, a[max(0, i-40):], b[max(0, i-40):])
	}
}

func TestFixturesComeBackFromXML(t *testing.T) {
	for _, name := range fixtureNames(t) {
		want, err := Scan(readFixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, pretty := range []bool{false, true} {
			t.Run(name, func(t *testing.T) { sameResource(t, thereAndBack(t, want.Bytes(), pretty), want) })
		}
	}
}
