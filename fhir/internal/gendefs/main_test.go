package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder writes a folder of definitions: one primitive, one resource with the
// elements given, the names of resources and a value set.
func folder(t *testing.T, elements string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{
		"StructureDefinition-code.json":   `{"kind":"primitive-type","type":"code","snapshot":{"element":[{"path":"code"}]}}`,
		"StructureDefinition-string.json": `{"kind":"primitive-type","type":"string","snapshot":{"element":[{"path":"string"}]}}`,
		"StructureDefinition-Thing.json":  `{"kind":"resource","type":"Thing","snapshot":{"element":[{"path":"Thing"}` + elements + `,{"path":"Thing.type","min":1,"max":"1","type":[{"code":"code"}],"binding":{"strength":"required","valueSet":"http://hl7.org/fhir/ValueSet/resource-types|4.0.1"}}]}}`,
		"ValueSet-resource-types.json":    `{"url":"http://hl7.org/fhir/ValueSet/resource-types","compose":{"include":[{"system":"http://s"}]}}`,
		"ValueSet-filter.json":            `{"url":"http://filter","compose":{"include":[{"system":"http://s","filter":[{}]}]}}`,
		"ValueSet-open.json":              `{"url":"http://open","compose":{"include":[{"system":"urn:ietf:bcp:13"}]}}`,
		"CodeSystem-s.json":               `{"url":"http://s","content":"complete","concept":[{"code":"Thing","concept":[{"code":"Inner"}]}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func generate(t *testing.T, elements string) (string, error) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.go")
	if err := run(folder(t, elements), "", out); err != nil {
		return "", err
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(code)), " "), nil
}

func TestRun(t *testing.T) {
	code, err := generate(t, `,{"path":"Thing.value[x]","min":0,"max":"1","isModifier":true,"type":[{"code":"code"},{"code":"string"}]}
		,{"path":"Thing.part","min":0,"max":"*","type":[{"code":"BackboneElement"}]}
		,{"path":"Thing.part.again","min":0,"max":"*","contentReference":"#Thing.part"}
		,{"path":"Thing.none","min":0,"max":"0","type":[{"code":"string"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"code", kindPrimitive, false, 0, 0, 0x0},`, `{"Thing", kindResource, false, 0, 4, 0x4},`, `{"Thing.part", kindBackbone, false, 4, 1, 0x0},`,
		`{"valueCode", 0, 0, 5, flagModifier, 0}, {"valueString", 1, 0, 5, flagModifier, 0}, {"part", 3, 1, 0, flagMany, 0}, {"type", 0, 2, 0, 0, 1},`,
		`{"again", 3, 0, 0, flagMany, 0},`, `[]string{"Inner", "Thing"}`, `thingType typeID = 2`, `bindingResourceTypes = 1`,
	} {
		if !strings.Contains(code, want) {
			t.Errorf("no %s in %s", want, code)
		}
	}
}

// The resource types that the folder does not have are in the table with what XML
// needs: no bindings, no minimum, and repeated whatever their maximum.
func TestRunWithOthers(t *testing.T) {
	bundle := `{"entry":[{"resource":{"resourceType":"StructureDefinition","kind":"resource","type":"Thing","derivation":"specialization","snapshot":{"element":[{"path":"Thing"}]}}},
		{"resource":{"resourceType":"StructureDefinition","kind":"resource","type":"Thing","derivation":"constraint","snapshot":{"element":[{"path":"Thing"}]}}},
		{"resource":{"resourceType":"CapabilityStatement","kind":"resource"}},
		{"resource":{"resourceType":"StructureDefinition","kind":"resource","type":"Other","derivation":"specialization","snapshot":{"element":[{"path":"Other"},
			{"path":"Other.part","min":2,"max":"3","type":[{"code":"BackboneElement"}]},
			{"path":"Other.part.name","min":1,"max":"1","type":[{"code":"code"}],"binding":{"strength":"required","valueSet":"http://missing"}}]}}}]}`
	others := filepath.Join(t.TempDir(), "others.json")
	if err := os.WriteFile(others, []byte(bundle), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.go")
	if err := run(folder(t, ""), others, out); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	code := strings.Join(strings.Fields(string(data)), " ")
	for _, want := range []string{
		`firstForeign typeID = 3`, `{"Other", kindForeign, false, 1, 1, 0x0},`, `{"Other.part", kindForeign, false, 2, 1, 0x0},`,
		`{"part", 4, 0, 0, flagMany, 0},`, `{"name", 0, 0, 0, 0, 0},`,
	} {
		if !strings.Contains(code, want) {
			t.Errorf("no %s in %s", want, code)
		}
	}
	if strings.Count(code, `{"Thing", kind`) != 1 || strings.Contains(code, "otherType") {
		t.Error(code)
	}
	if err := os.WriteFile(others, []byte(`{"entry":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{others, filepath.Join(t.TempDir(), "none.json")} {
		if err := run(folder(t, ""), file, out); err == nil {
			t.Errorf("%s: accepted", file)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for name, elements := range map[string]string{
		"cardinality":              `,{"path":"Thing.a","min":0,"max":"2","type":[{"code":"code"}]}`,
		"min of two":               `,{"path":"Thing.a","min":2,"max":"*","type":[{"code":"code"}]}`,
		"unknown type":             `,{"path":"Thing.a","min":0,"max":"1","type":[{"code":"Money"}]}`,
		"two types, no choice":     `,{"path":"Thing.a","min":0,"max":"1","type":[{"code":"code"},{"code":"string"}]}`,
		"binding of a string":      `,{"path":"Thing.a","min":0,"max":"1","type":[{"code":"string"}],"binding":{"strength":"required","valueSet":"http://filter"}}`,
		"value set that is a rule": `,{"path":"Thing.a","min":0,"max":"1","type":[{"code":"code"}],"binding":{"strength":"required","valueSet":"http://filter"}}`,
		"missing value set":        `,{"path":"Thing.a","min":0,"max":"1","type":[{"code":"code"}],"binding":{"strength":"required","valueSet":"http://x"}}`,
		"too many":                 strings.Repeat(`,{"path":"Thing.a","min":0,"max":"1","type":[{"code":"code"}]}`, 64),
	} {
		if _, err := generate(t, elements); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := generate(t, `,{"path":"Thing.a","min":0,"max":"1","type":[{"code":"code"}],"binding":{"strength":"required","valueSet":"http://open"}}`); err != nil {
		t.Errorf("codes that cannot be listed: %v", err)
	}
	for _, dir := range []string{"", t.TempDir()} {
		if err := run(dir, "", filepath.Join(t.TempDir(), "x")); err == nil {
			t.Errorf("%q: accepted", dir)
		}
	}
}
