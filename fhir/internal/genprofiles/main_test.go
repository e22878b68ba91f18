package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// r4 is a small R4: a resource type with a choice, a reference and a list.
const r4 = `{"resourceType":"StructureDefinition","url":"http://hl7.org/fhir/StructureDefinition/Thing","kind":"resource","type":"Thing","derivation":"specialization",
 "snapshot":{"element":[
  {"id":"Thing","path":"Thing","min":0,"max":"*","constraint":[{"key":"thi-1","severity":"error"}]},
  {"id":"Thing.kind","path":"Thing.kind","min":0,"max":"1","type":[{"code":"code"}]},
  {"id":"Thing.value[x]","path":"Thing.value[x]","min":0,"max":"1","type":[{"code":"string"},{"code":"code"}]},
  {"id":"Thing.about","path":"Thing.about","min":0,"max":"1","type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Thing","http://hl7.org/fhir/StructureDefinition/Other"]}]},
  {"id":"Thing.part","path":"Thing.part","min":1,"max":"*","type":[{"code":"BackboneElement"}]},
  {"id":"Thing.part.kind","path":"Thing.part.kind","min":0,"max":"1","type":[{"code":"code"}]},
  {"id":"Thing.part.whole","path":"Thing.part.whole","min":0,"max":"1","type":[{"code":"Thing"}]}
 ]}}`

const kinds = `{"resourceType":"ValueSet","url":"http://x/kinds","compose":{"include":[{"system":"http://s","concept":[{"code":"b"},{"code":"a"}]}]}}`

// generate runs the command on a profile with those elements.
func generate(t *testing.T, elements string) (string, []string, error) {
	t.Helper()
	base, profiles := t.TempDir(), t.TempDir()
	files := map[string]string{
		filepath.Join(base, "StructureDefinition-Thing.json"): r4,
		filepath.Join(base, "ValueSet-kinds.json"):            kinds,
		filepath.Join(profiles, "StructureDefinition-p.json"): `{"resourceType":"StructureDefinition","url":"http://x/p","kind":"resource","type":"Thing","derivation":"constraint","snapshot":{"element":[{"id":"Thing","path":"Thing","min":0,"max":"*"` + elements + `]}}`,
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "out.go")
	skipped, err := run(base, []string{profiles}, out)
	if err != nil {
		return "", nil, err
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(code)), " "), skipped, nil
}

const (
	partOf = `{"id":"Thing.part","path":"Thing.part","min":1,"max":"*","type":[{"code":"BackboneElement"}],"slicing":{"discriminator":[{"type":"%s","path":"%s"}],"rules":"closed"}},`
	sliceA = `{"id":"Thing.part:a","path":"Thing.part","sliceName":"a","min":1,"max":"1","type":[{"code":"BackboneElement"}]}`
)

func slicedBy(typ, path string, below ...string) string {
	return "}," + fmt.Sprintf(partOf, typ, path) + strings.Join(append([]string{sliceA}, below...), ",")
}

func TestRun(t *testing.T) {
	for name, c := range map[string]struct {
		elements string
		want     []string
		absent   string
	}{
		"nothing beyond R4": {`},{"id":"Thing.kind","path":"Thing.kind","min":0,"max":"1","type":[{"code":"code"}]}`, []string{`url: "http://x/p", typ: "Thing", }`}, "children"},
		"cardinality":       {`},{"id":"Thing.kind","path":"Thing.kind","min":1,"max":"0"}`, []string{`name: "kind", min: 1, bounded: true,`}, "max:"},
		"targets of R4":     {`}`, []string{`{"Thing.about", []string{"Other", "Thing"}}`}, "children"},
		"narrower target": {`},{"id":"Thing.about","path":"Thing.about","min":0,"max":"1","type":[{"code":"Reference","targetProfile":["http://x/p"],"aggregation":["contained"]}]}`,
			[]string{`targets: []string{"Thing"}, contained: true,`}, ""},
		"pattern":     {`},{"id":"Thing.kind","path":"Thing.kind","min":0,"max":"1","patternCode":"a"}`, []string{`value: &pattern{kind: String, text: "a"},`}, "fixed"},
		"fixed":       {`},{"id":"Thing.kind","path":"Thing.kind","min":0,"max":"1","fixedCode":"a"}`, []string{`value: &pattern{kind: String, text: "a"}, fixed: true,`}, ""},
		"binding":     {`},{"id":"Thing.kind","path":"Thing.kind","min":0,"max":"1","binding":{"strength":"required","valueSet":"http://x/kinds|1"}}`, []string{`{"http://x/kinds", []string{"http://s|a", "http://s|b"}}`, `codes: 1,`}, ""},
		"types":       {`},{"id":"Thing.value[x]","path":"Thing.value[x]","min":0,"max":"1","type":[{"code":"code"}]}`, []string{`name: "value", choice: true, types: []string{"valueCode"},`}, ""},
		"invariant":   {`,"constraint":[{"key":"thi-1","severity":"error"},{"key":"own-1","severity":"error"},{"key":"own-2","severity":"warning"}]}`, []string{`keys: []string{"own-1"},`}, "thi-1"},
		"by value":    {slicedBy("value", "kind", `{"id":"Thing.part:a.kind","path":"Thing.part.kind","min":1,"max":"1","fixedCode":"a"}`), []string{`closed: true, slices: []profileSlice{ { name: "a", conds: []sliceCond{ {path: []string{"kind"}, value: &pattern{kind: String, text: "a"}}, }, shape: shape{ name: "part", min: 1, bounded: true, max: 1,`}, ""},
		"by code":     {slicedBy("value", "kind", `{"id":"Thing.part:a.kind","path":"Thing.part.kind","min":1,"max":"1","binding":{"strength":"required","valueSet":"http://x/kinds"}}`), []string{`{path: []string{"kind"}, codes: 1}`}, ""},
		"by profile":  {slicedBy("profile", "whole", `{"id":"Thing.part:a.whole","path":"Thing.part.whole","min":0,"max":"1","type":[{"code":"Thing","profile":["http://x/p"]}]}`), []string{`{path: []string{"whole"}, types: []string{"Thing"}, profiles: []uint16{0}}`}, ""},
		"by type":     {slicedBy("type", "whole", `{"id":"Thing.part:a.whole","path":"Thing.part.whole","min":0,"max":"1","type":[{"code":"Thing"}]}`), []string{`{path: []string{"whole"}, types: []string{"Thing"}}`}, ""},
		"by presence": {slicedBy("exists", "kind", `{"id":"Thing.part:a.kind","path":"Thing.part.kind","min":0,"max":"0"}`), []string{`{path: []string{"kind"}, exists: mustNotExist}`}, ""},
		"choice by type": {`},{"id":"Thing.value[x]","path":"Thing.value[x]","min":0,"max":"1","type":[{"code":"string"},{"code":"code"}],"slicing":{"discriminator":[{"type":"type","path":"$this"}],"rules":"open"}},
			{"id":"Thing.value[x]:valueCode","path":"Thing.value[x]","sliceName":"valueCode","min":0,"max":"1","type":[{"code":"code"}],"patternCode":"a"}`, []string{`children: []shape{ { name: "valueCode", value: &pattern{kind: String, text: "a"}, }, },`}, "choice"},
	} {
		code, skipped, err := generate(t, c.elements)
		if err != nil || len(skipped) > 0 {
			t.Errorf("%s: %v, skipped %q", name, err, skipped)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(code, want) {
				t.Errorf("%s: %s\nis not in %s", name, want, code)
			}
		}
		if c.absent != "" && strings.Contains(code, c.absent) {
			t.Errorf("%s: %q is in %s", name, c.absent, code)
		}
	}
}

func TestRunSkips(t *testing.T) {
	for name, elements := range map[string]string{
		"a slice that nothing tells":         slicedBy("value", "kind"),
		"a value set that cannot be listed":  `},{"id":"Thing.kind","path":"Thing.kind","min":0,"max":"1","binding":{"strength":"required","valueSet":"http://x/unknown"}}`,
		"a profile of a type that is absent": `},{"id":"Thing.part","path":"Thing.part","min":1,"max":"*","type":[{"code":"BackboneElement","profile":["http://x/unknown"]}]}`,
	} {
		if _, skipped, err := generate(t, elements); err != nil || len(skipped) != 1 || !strings.HasPrefix(skipped[0], "http://x/p Thing.") {
			t.Errorf("%s: %v, skipped %q", name, err, skipped)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for name, elements := range map[string]string{
		"an element that R4 does not have": `},{"id":"Thing.other","path":"Thing.other","min":0,"max":"1"}`,
		"an element without its parent":    `},{"id":"Thing.other.kind","path":"Thing.other.kind","min":0,"max":"1"}`,
		"a slice of nothing":               `},` + sliceA,
		"a target that is not known":       `},{"id":"Thing.about","path":"Thing.about","min":0,"max":"1","type":[{"code":"Reference","targetProfile":["http://x/unknown"]}]}`,
		"a discriminator of another kind":  slicedBy("position", "kind"),
		"a number that is none":            `},{"id":"Thing.kind","path":"Thing.kind","min":0,"max":"many"}`,
	} {
		if code, _, err := generate(t, elements); err == nil {
			t.Errorf("%s: accepted\n%s", name, code)
		}
	}
	for _, dirs := range [][]string{nil, {t.TempDir()}} {
		if _, err := run(t.TempDir(), dirs, filepath.Join(t.TempDir(), "x")); err == nil {
			t.Errorf("%q: accepted", dirs)
		}
	}
}
