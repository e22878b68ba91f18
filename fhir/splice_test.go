package fhir

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func scan(t testing.TB, data string) *Resource {
	t.Helper()
	r, err := Scan([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemoveMembers(t *testing.T) {
	for _, c := range []struct {
		data, want string
		remove     []string
	}{
		{`{ "a": 1, "b": 2, "c": 3 }`, `{ "b": 2, "c": 3 }`, []string{"a"}},
		{`{ "a": 1, "b": 2, "c": 3 }`, `{ "a": 1, "c": 3 }`, []string{"b"}},
		{`{ "a": 1, "b": 2, "c": 3 }`, `{ "a": 1, "b": 2 }`, []string{"c"}},
		{`{ "a": 1, "b": 2, "c": 3 }`, `{ "c": 3 }`, []string{"a", "b"}},
		{`{ "a": 1, "b": 2, "c": 3 }`, `{ "a": 1 }`, []string{"c", "b"}},
		{`{ "a": 1, "b": 2, "c": 3 }`, `{ "b": 2 }`, []string{"a", "c"}},
		{`{ "a": 1, "b": 2, "c": 3 }`, `{}`, []string{"a", "b", "c"}},
		{`{"a":1,"a1":2}`, `{"a1":2}`, []string{"a", "a"}},
		{"{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": 2\n}", "{\n  \"c\": 2\n}", []string{"a"}},
	} {
		r := scan(t, c.data)
		var edits []Edit
		for _, name := range c.remove {
			edits = append(edits, RemoveMember(r.Get(name)))
		}
		got, err := r.Splice(edits)
		if err != nil || string(got.Bytes()) != c.want {
			t.Errorf("%s without %q: %s, %v; want %s", c.data, c.remove, got.Bytes(), err, c.want)
		}
	}
}

func TestRemoveItems(t *testing.T) {
	for _, c := range []struct {
		data, drop, want string
	}{
		{`{"x":1,"a":[1, 2, 3, 4]}`, "1", `{"x":1,"a":[2, 3, 4]}`},
		{`{"x":1,"a":[1, 2, 3, 4]}`, "23", `{"x":1,"a":[1, 4]}`},
		{`{"x":1,"a":[1, 2, 3, 4]}`, "12", `{"x":1,"a":[3, 4]}`},
		{`{"x":1,"a":[1, 2, 3, 4]}`, "34", `{"x":1,"a":[1, 2]}`},
		{`{"x":1,"a":[1, 2, 3, 4]}`, "13", `{"x":1,"a":[2, 4]}`},
		{`{"x":1,"a":[1, 2, 3, 4]}`, "24", `{"x":1,"a":[1, 3]}`},
		{`{"x":1,"a":[1, 2, 3, 4]}`, "1234", `{"x":1}`},
		{`{"x":1,"a":[1, 2, 3, 4]}`, "", `{"x":1,"a":[1, 2, 3, 4]}`},
		{`{"a":[1],"x":1}`, "1", `{"x":1}`},
	} {
		r := scan(t, c.data)
		got, err := r.Splice(RemoveItems(r.Get("a"), func(n Node) bool {
			return bytes.Contains([]byte(c.drop), n.Raw())
		}))
		if err != nil || string(got.Bytes()) != c.want {
			t.Errorf("%s without %s: %s, %v; want %s", c.data, c.drop, got.Bytes(), err, c.want)
		}
	}
}

func TestRemovalsAtSeveralLevels(t *testing.T) {
	r := scan(t, `{"a":[{"b":1,"c":2},{"b":3}],"d":{"e":[1,2],"f":4}}`)
	var edits []Edit
	for b := range r.Root().All("a", "b") {
		edits = append(edits, RemoveMember(b))
	}
	edits = append(edits,
		RemoveItem(slices.Collect(r.Get("a").Items())[1]), // holds one of the above
		RemoveMember(r.Get("d").Get("f")),
		Replace(slices.Collect(r.Get("a").Items())[1].Get("b"), []byte("9")), // goes too
		InsertMember(r.Root(), "g", []byte("5")),
		InsertMember(r.Get("d"), "h", []byte("6")),
		AppendItem(r.Get("d").Get("e"), []byte("3")),
	)
	got, err := r.Splice(edits)
	const want = `{"a":[{"c":2}],"d":{"e":[1,2,3],"h":6},"g":5}`
	if err != nil || string(got.Bytes()) != want {
		t.Errorf("got %s, %v; want %s", got.Bytes(), err, want)
	}
}

func TestInsertKeepsStyle(t *testing.T) {
	for data, want := range map[string]string{
		`{}`:                       `{"n":[0]}`,
		`{ }`:                      `{ "n":[0]}`,
		`{"a":1}`:                  `{"a":1,"n":[0]}`,
		`{ "a" : 1 }`:              `{ "a" : 1, "n" : [0] }`,
		"{\n\t\"a\": 1\n}":         "{\n\t\"a\": 1,\n\t\"n\": [0]\n}",
		"{\n \"a\": 1,\n \"b\":2}": "{\n \"a\": 1,\n \"b\":2,\n \"n\":[0]}",
	} {
		r := scan(t, data)
		got, err := r.Splice([]Edit{InsertMember(r.Root(), "n", []byte("[0]"))})
		if err != nil || string(got.Bytes()) != want {
			t.Errorf("%q: %q, %v; want %q", data, got.Bytes(), err, want)
		}
	}
	for data, want := range map[string]string{
		`[]`:           `[0]`,
		`[1]`:          `[1,0]`,
		"[\n  1\n]":    "[\n  1,\n  0\n]",
		"[ 1, 2,   3]": "[ 1, 2,   3,   0]",
	} {
		r := scan(t, data)
		got, err := r.Splice([]Edit{AppendItem(r.Root(), []byte("0"))})
		if err != nil || string(got.Bytes()) != want {
			t.Errorf("%q: %q, %v; want %q", data, got.Bytes(), err, want)
		}
	}
}

func TestSpliceRefuses(t *testing.T) {
	r := scan(t, `{"a":1,"b":[2]}`)
	for name, edits := range map[string][]Edit{
		"overlap":        {{Start: 1, End: 6}, {Start: 5, End: 7}},
		"backwards":      {{Start: 6, End: 1}},
		"beyond the end": {{Start: 1, End: 100}},
		"before":         {{Start: -1, End: 0}},
		"no JSON":        {Replace(r.Get("a"), []byte("x"))},
		"empty name":     {{Start: 1, End: 4}},
	} {
		if got, err := r.Splice(edits); !errors.Is(err, ErrSplice) {
			t.Errorf("%s: %s, %v", name, got.Bytes(), err)
		}
	}
	if _, err := (&Resource{}).Splice([]Edit{{}}); !errors.Is(err, ErrSplice) {
		t.Errorf("no resource: %v", err)
	}
	if got, err := r.Splice(nil); err != nil || got != r {
		t.Errorf("no edits: %v", err)
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "a", "é😀", "\"\\\n\r\t\x01\x1f", "</script>"} {
		r := scan(t, string(Quote(s)))
		if got := r.Root().Text(); got != s {
			t.Errorf("%q came back as %q", s, got)
		}
	}
	if got := scan(t, string(Quote("a\x00b\xff"))).Root().Text(); got != "a\ufffdb\ufffd" {
		t.Errorf("got %q", got)
	}
}
