package fhir

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// strictJSON are values that JSON allows and we do not.
var strictJSON = map[string]string{
	"y_object_duplicated_key.json":           "duplicate names",
	"y_object_duplicated_key_and_value.json": "duplicate names",
	"y_object_escaped_null_in_key.json":      "escapes in names",
	"y_string_null_escape.json":              "NUL",
}

func TestJSONSuite(t *testing.T) {
	files, err := filepath.Glob("../testdata/adversarial/json/*.json")
	if err != nil || len(files) < 250 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		_, err = scanJSON(data)
		accept := strings.HasPrefix(name, "y_") && strictJSON[name] == ""
		if accept != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Parse(data); err == nil {
			t.Errorf("%s: parsed as a resource", name)
		}
	}
}

func TestScanRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"names that differ by case": `{"a":1,"A":2}`,
		"names beyond ASCII":        `{"é":1,"É":2}`,
		"empty names":               `{"":1,"":2}`,
		"byte order mark":           "\ufeff{}",
		"invalid UTF-8":             "{\"a\":\"\xff\"}",
		"lone surrogate":            `{"a":"\ud800"}`,
		"reversed surrogates":       `{"a":"\udc00\ud800"}`,
		"half a pair at the end":    `"\ud83d`,
		"half a pair, other escape": `{"a":"\ud83d\n0000"}`,
		"half a pair, no escape":    `{"a":"\ud83dxudc00x"}`,
		"escape at the end":         `"\`,
		"bad digits":                `{"a":"\u00g0"}`,
		"no colon":                  `{"a" 1}`,
		"no name":                   `{1:2}`,
		"comma at the end":          `{"a":1,}`,
		"too many members":          `{` + tooManyMembers() + `}`,
		"NUL escape":                `{"a":"\u0000"}`,
		"raw tab":                   "{\"a\":\"\t\"}",
		"data after":                `{} {}`,
		"leading zero":              `{"a":01}`,
		"too deep":                  strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1),
		"nothing":                   "",
	} {
		if _, err := Scan([]byte(data)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Scan([]byte(strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth))); err != nil {
		t.Errorf("depth %d: %v", MaxDepth, err)
	}
}

func TestTextResolvesEscapes(t *testing.T) {
	r, err := Scan([]byte(`{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Get("a").Text(), "\"\\/\b\f\n\r\té😀é"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestZeroNodeIsEmpty(t *testing.T) {
	var n Node
	for range n.Items() {
		t.Error("items")
	}
	for range n.Members() {
		t.Error("members")
	}
	if n.Get("x").At("y", "z").Exists() || n.Text() != "" || n.Len() != 0 || n.Path() != "" || n.Raw() != nil || n.True() || n.Is("") {
		t.Error("an absent node is not empty")
	}
	var r *Resource
	if r.Type() != "" || r.Bytes() != nil {
		t.Error("a nil resource is not empty")
	}
}

// tooManyMembers is the inside of an object with more members than allowed.
func tooManyMembers() string {
	var b strings.Builder
	for i := range maxMembers + 2 {
		fmt.Fprintf(&b, `"a%d":1,`, i)
	}
	return b.String() + `"b":1`
}

func TestNodes(t *testing.T) {
	r := scan(t, `{"a":[{"b":1,"c":[true,"x"]},{"b":2},{"d":null}],"e":{"f":[]}}`)
	if got := r.At("a", "c"); !got.True() || got.Kind() != Bool {
		t.Errorf("At: %s", got.Raw())
	}
	if r.At("e", "f").Exists() || r.At("a", "x").Exists() || !r.Get("a").Get("b").Exists() {
		t.Error("At what is not there")
	}
	var all []string
	for n := range r.Root().All("a", "b") {
		all = append(all, n.Text())
	}
	for n := range r.Root().All("a", "c") {
		all = append(all, n.Text())
	}
	if got := strings.Join(all, " "); got != "1 2 true x" {
		t.Errorf("All: %s", got)
	}
	for range r.Root().All("a", "b") {
		all = append(all, "once")
		break
	}
	for range r.Root().Members() {
		all = append(all, "member")
		break
	}
	for range r.Get("a").Items() {
		all = append(all, "item")
		break
	}
	if got := strings.Join(all[4:], " "); got != "once member item" {
		t.Errorf("stopped: %s", got)
	}
	if n := r.Get("a"); n.Len() != 3 || r.Root().Len() != 2 || r.At("a", "b").Len() != 0 || n.Name() != "a" || r.At("a").Name() != "" {
		t.Error("Len and Name")
	}
	if start, end := r.At("e").Span(); string(r.Bytes()[start:end]) != `{"f":[]}` {
		t.Error("Span")
	}
	if r.At("a", "b").Is("1") || !slices.Collect(r.Root().All("a", "c"))[1].Is("x") {
		t.Error("Is")
	}
}
