package definitions

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// folder writes a folder of definitions.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCodes(t *testing.T) {
	s, err := Read(folder(t, map[string]string{
		"CodeSystem-s.json":         `{"url":"http://s","content":"complete","concept":[{"code":"b","concept":[{"code":"a"}]}]}`,
		"CodeSystem-part.json":      `{"url":"http://part","content":"fragment","concept":[{"code":"x"}]}`,
		"ValueSet-whole.json":       `{"url":"http://v/whole","compose":{"include":[{"system":"http://s"}]}}`,
		"ValueSet-some.json":        `{"url":"http://v/some","compose":{"include":[{"system":"http://part","concept":[{"code":"x"},{"code":"x"}]}]}}`,
		"ValueSet-both.json":        `{"url":"http://v/both","compose":{"include":[{"valueSet":["http://v/whole|1","http://v/some"]}]}}`,
		"ValueSet-open.json":        `{"url":"http://v/open","compose":{"include":[{"system":"urn:ietf:bcp:13"}]}}`,
		"ValueSet-part.json":        `{"url":"http://v/part","compose":{"include":[{"system":"http://part"}]}}`,
		"ValueSet-filter.json":      `{"url":"http://v/filter","compose":{"include":[{"system":"http://s","filter":[{}]}]}}`,
		"ValueSet-less.json":        `{"url":"http://v/less","compose":{"include":[{"system":"http://s"}],"exclude":[{}]}}`,
		"ValueSet-both-of.json":     `{"url":"http://v/both-of","compose":{"include":[{"system":"http://s","valueSet":["http://v/some"]}]}}`,
		"ValueSet-round.json":       `{"url":"http://v/round","compose":{"include":[{"valueSet":["http://v/round"]}]}}`,
		"OperationDefinition-x.xml": `not read`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string][]Coding{
		"http://v/whole":   {{"http://s", "a"}, {"http://s", "b"}},
		"http://v/whole|4": {{"http://s", "a"}, {"http://s", "b"}},
		"http://v/some":    {{"http://part", "x"}},
		"http://v/both":    {{"http://part", "x"}, {"http://s", "a"}, {"http://s", "b"}},
	} {
		if got, err := s.Codes(url); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", url, got, err)
		}
	}
	for url, want := range map[string]error{
		"http://v/open": ErrOpen, "http://v/part": ErrNotListed, "http://v/filter": ErrNotListed, "http://v/less": ErrNotListed,
		"http://v/both-of": ErrNotListed, "http://v/round": ErrNotListed, "http://v/none": ErrNotListed,
	} {
		if got, err := s.Codes(url); !errors.Is(err, want) || got != nil {
			t.Errorf("%s: %v, %v", url, got, err)
		}
	}
}

func TestRead(t *testing.T) {
	dir := folder(t, map[string]string{
		"StructureDefinition-b.json": `{"url":"http://b","kind":"resource","type":"B","derivation":"constraint","snapshot":{"element":[{"path":"B"},{"path":"B.c","min":1,"max":"*","patternCode":"x"},{"path":"B.d","fixedBoolean":true}]}}`,
		"StructureDefinition-a.json": `{"url":"http://a","kind":"resource","type":"A","derivation":"specialization"}`,
		"SearchParameter-c.json":     `{"url":`,
	})
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Structures) != 2 || s.Structures[0].URL != "http://a" || s.Structures[0].IsProfile() || !s.Structures[1].IsProfile() {
		t.Fatalf("%+v", s.Structures)
	}
	e := s.Structures[1].Snapshot.Element
	if e[0].Value != nil || e[1].Value != "x" || e[1].Fixed || e[2].Value != true || !e[2].Fixed {
		t.Errorf("%+v %+v %+v", *e[0], *e[1], *e[2])
	}
	for name, files := range map[string]map[string]string{
		"an empty folder": {}, "no JSON": {"StructureDefinition-a.json": "{"}, "a value set": {"ValueSet-a.json": "["}, "a code system": {"CodeSystem-a.json": "1"},
	} {
		if _, err := Read(dir, folder(t, files)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestReadBundle(t *testing.T) {
	dir := folder(t, map[string]string{
		"all.json":  `{"entry":[{"resource":{"resourceType":"CapabilityStatement"}},{"resource":{"resourceType":"StructureDefinition","type":"A"}},{}]}`,
		"bad.json":  `{"entry":[{"resource":{"resourceType":"StructureDefinition","type":1}}]}`,
		"none.json": `[`,
	})
	found, err := ReadBundle(filepath.Join(dir, "all.json"))
	if err != nil || len(found) != 1 || found[0].Type != "A" {
		t.Errorf("%v, %v", found, err)
	}
	for _, name := range []string{"bad.json", "none.json", "absent.json"} {
		if _, err := ReadBundle(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
