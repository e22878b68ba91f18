package fhir

import (
	"os"
	"path/filepath"
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
		"byte order mark":           "\ufeff{}",
		"invalid UTF-8":             "{\"a\":\"\xff\"}",
		"lone surrogate":            `{"a":"\ud800"}`,
		"reversed surrogates":       `{"a":"\udc00\ud800"}`,
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
