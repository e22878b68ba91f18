package fhir

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	archiveURL = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archiveURL"
	// patchee has odd spacing, so that a patch that writes more than it must shows.
	patchee = `{ "resourceType":"DocumentReference",  "status":"current", "content":[ {"attachment":{"url":"http://x" } } ]%s}`
)

func patchTarget(t *testing.T, members string) *Resource {
	t.Helper()
	return mustParse(t, fmt.Sprintf(patchee, members))
}

func TestApply(t *testing.T) {
	label := func(codes ...string) string {
		var out []string
		for _, c := range codes {
			out = append(out, `{"coding":[{"code":"`+c+`"}]}`)
		}
		return `, "securityLabel":[` + strings.Join(out, ",") + `]`
	}
	extension := func(value string) string {
		return `,"extension":[{"url":"http://x","valueCode":"a"},{"url":"` + archiveURL + `","valueBoolean":` + value + `}]`
	}
	for _, c := range []struct{ name, before, patch, after string }{
		{"replace", ``, `[{"op":"replace","path":"/status","value":"superseded"}]`, ``},
		{"append a label", label("N"), `[{"op":"add","path":"/securityLabel/-","value":{"coding":[{"code":"R"}]}}]`, label("N", "R")},
		{"first label", ``, `[{"op":"add","path":"/securityLabel/-","value":{"coding":[{"code":"R"}]}}]`, label("R")},
		{"first label, as a whole", ``, `[{"op":"add","path":"/securityLabel","value":[{"coding":[{"code":"R"}]}]}]`, label("R")},
		{"label before", label("N"), `[{"op":"add","path":"/securityLabel/0","value":{"coding":[{"code":"R"}]}}]`, label("R", "N")},
		{"label replaced", label("N", "V"), `[{"op":"replace","path":"/securityLabel/1","value":{"coding":[{"code":"R"}]}}]`, label("N", "R")},
		{"label removed", label("N", "V"), `[{"op":"remove","path":"/securityLabel/0"}]`, label("V")},
		{"last label removed", label("N"), `[{"op":"remove","path":"/securityLabel/0"}]`, ``},
		{"member removed", label("N"), `[{"op":"remove","path":"/securityLabel"}]`, ``},
		{"deep", label("N"), `[{"op":"replace","path":"/securityLabel/0/coding/0/code","value":"R"}]`, label("R")},
		{"one after the other", label("N"), `[{"op":"remove","path":"/securityLabel/0"},{"op":"add","path":"/securityLabel/-","value":{"coding":[{"code":"R"}]}},{"op":"test","path":"/securityLabel/0/coding/0/code","value":"R"}]`, label("R")},
		{"test", ``, `[{"op":"test","path":"/content/0","value":{"attachment":{"url":"http:\/\/x"}}}]`, ``},
		{"archive", extension("false"), `[{"op":"replace","path":"/extension[url:'` + archiveURL + `']/valueBoolean","value":true}]`, extension("true")},
		{"archive, as the guide says", extension("false"), `[{"op":"replace","path":"/extension[url:”` + archiveURL + `”]/valueBoolean","value":"true"}]`, extension("true")},
		{"archive, absent", `,"extension":[{"url":"http://x","valueCode":"a"}]`, `[{"op":"replace","path":"/extension[url:'` + archiveURL + `']/valueBoolean","value":true}]`, extension("true")},
		{"archive, no extensions", ``, `[{"op":"add","path":"/extension[url='` + archiveURL + `']/valueBoolean","value":true}]`, `,"extension":[{"url":"` + archiveURL + `","valueBoolean":true}]`},
		{"archive, test", extension("false"), `[{"op":"test","path":"/extension[url:'` + archiveURL + `']/valueBoolean","value":false}]`, extension("false")},
		{"archive, removed", extension("false"), `[{"op":"remove","path":"/extension[url:\"` + archiveURL + `\"]/valueBoolean"}]`, `,"extension":[{"url":"http://x","valueCode":"a"}]`},
		{"archive, of another type", `,"extension":[{"url":"` + archiveURL + `","valueString":"x"}]`, `[{"op":"replace","path":"/extension[url:'` + archiveURL + `']/valueBoolean","value":true}]`, `,"extension":[{"url":"` + archiveURL + `","valueBoolean":true}]`},
		{"pointer escapes", `,"extension":[{"url":"http://x","valueCode":"a"}]`, `[{"op":"replace","path":"/extension/0/valueCode","value":"b"}]`, `,"extension":[{"url":"http://x","valueCode":"b"}]`},
	} {
		p, err := ParsePatch([]byte(c.patch))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := fmt.Sprintf(patchee, c.after)
		if c.name == "replace" {
			want = strings.Replace(want, "current", "superseded", 1)
		}
		got, err := Apply(patchTarget(t, c.before), p)
		if err != nil || compact(got) != compact(mustParse(t, want)) {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got.Bytes(), want)
		}
		if err == nil && !strings.HasPrefix(string(got.Bytes()), `{ "resourceType":"DocumentReference",  "status":"`) {
			t.Errorf("%s: other bytes changed: %s", c.name, got.Bytes())
		}
	}
}

// compact is the resource without white space between its tokens.
func compact(r *Resource) string {
	var b strings.Builder
	writeCompact(&b, r.Root())
	return b.String()
}

func writeCompact(b *strings.Builder, n Node) {
	switch n.Kind() {
	case Object:
		b.WriteByte('{')
		for name, m := range n.Members() {
			b.WriteString(name + ":")
			writeCompact(b, m)
		}
		b.WriteByte('}')
	case Array:
		b.WriteByte('[')
		for m := range n.Items() {
			writeCompact(b, m)
		}
		b.WriteByte(']')
	default:
		b.Write(n.Raw())
		b.WriteByte(' ')
	}
}

func TestApplyRefuses(t *testing.T) {
	const labels = `, "securityLabel":[{"coding":[{"code":"N"}]}]`
	for _, c := range []struct{ name, before, patch, code string }{
		{"not there", ``, `[{"op":"replace","path":"/docStatus","value":"final"}]`, "value"},
		{"remove what is not there", ``, `[{"op":"remove","path":"/docStatus"}]`, "value"},
		{"replace the label that is not there", ``, `[{"op":"replace","path":"/securityLabel/0","value":{"coding":[{"code":"N"}]}}]`, "value"},
		{"negative index", labels, `[{"op":"remove","path":"/securityLabel/-1"}]`, "value"},
		{"index with zeros", labels, `[{"op":"remove","path":"/securityLabel/00"}]`, "value"},
		{"index beyond", labels, `[{"op":"add","path":"/securityLabel/2","value":{}}]`, "value"},
		{"after the last, replaced", labels, `[{"op":"replace","path":"/securityLabel/-","value":{}}]`, "value"},
		{"through a string", ``, `[{"op":"replace","path":"/status/x","value":1}]`, "value"},
		{"into a string", ``, `[{"op":"add","path":"/status/0","value":1}]`, "value"},
		{"bad status", ``, `[{"op":"replace","path":"/status","value":"x"}]`, "code-invalid"},
		{"status of a wrong type", ``, `[{"op":"replace","path":"/status","value":true}]`, "structure"},
		{"required element", ``, `[{"op":"remove","path":"/status"}]`, "required"},
		{"unknown element", ``, `[{"op":"add","path":"/x","value":1}]`, "structure"},
		{"label as a string", labels, `[{"op":"replace","path":"/securityLabel/0","value":"R"}]`, "structure"},
		{"one label for the list", labels, `[{"op":"replace","path":"/securityLabel","value":{"coding":[{"code":"N"}]}}]`, "structure"},
		{"new array of one that is none", ``, `[{"op":"add","path":"/docStatus/-","value":"final"}]`, "value"},
		{"failed test", ``, `[{"op":"test","path":"/status","value":"superseded"}]`, "invariant"},
		{"failed test of a type", ``, `[{"op":"test","path":"/content/0/attachment","value":[1]}]`, "invariant"},
		{"two extensions of one URL", `,"extension":[{"url":"http://x","valueCode":"a"},{"url":"http://x","valueCode":"a"}]`, `[{"op":"replace","path":"/extension[url:'http://x']/valueCode","value":"b"}]`, "value"},
		{"extension to test is not there", ``, `[{"op":"test","path":"/extension[url:'http://x']/valueCode","value":"b"}]`, "value"},
		{"duplicate by a case", ``, `[{"op":"add","path":"/Status","value":"current"}]`, "value"},
	} {
		p, err := ParsePatch([]byte(c.patch))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		_, err = Apply(patchTarget(t, c.before), p)
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Issues[0].Code != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
}

func TestParsePatchRefuses(t *testing.T) {
	many := `[` + strings.Repeat(`{"op":"remove","path":"/a"},`, maxOperations) + `{"op":"remove","path":"/a"}]`
	for name, data := range map[string]string{
		"no JSON":            `x`,
		"no array":           `{"op":"remove","path":"/a"}`,
		"no operations":      `[]`,
		"too many":           many,
		"no object":          `[1]`,
		"no op":              `[{"path":"/a"}]`,
		"no path":            `[{"op":"remove"}]`,
		"path no string":     `[{"op":"remove","path":["/a"]}]`,
		"op no string":       `[{"op":1,"path":"/a"}]`,
		"op in wrong case":   `[{"op":"Remove","path":"/a"}]`,
		"unknown op":         `[{"op":"merge","path":"/a"}]`,
		"move":               `[{"op":"move","from":"/a","path":"/b"}]`,
		"copy":               `[{"op":"copy","from":"/a","path":"/b"}]`,
		"no value":           `[{"op":"add","path":"/a"}]`,
		"whole resource":     `[{"op":"replace","path":"","value":{}}]`,
		"root":               `[{"op":"replace","path":"/","value":{}}]`,
		"no slash":           `[{"op":"remove","path":"a"}]`,
		"empty segment":      `[{"op":"remove","path":"/a//b"}]`,
		"bad escape":         `[{"op":"remove","path":"/a~2"}]`,
		"half an escape":     `[{"op":"remove","path":"/a~"}]`,
		"too deep":           `[{"op":"remove","path":"` + strings.Repeat("/a", maxSteps+1) + `"}]`,
		"too long":           `[{"op":"remove","path":"/` + strings.Repeat("a", maxPathLength) + `"}]`,
		"op twice":           `[{"op":"remove","op":"test","path":"/a","value":1}]`,
		"pseudo by code":     `[{"op":"remove","path":"/extension[id:'x']/valueCode"}]`,
		"pseudo, no value":   `[{"op":"remove","path":"/extension[url:'x']/url"}]`,
		"pseudo, empty":      `[{"op":"remove","path":"/extension[url:'']/valueCode"}]`,
		"pseudo, unquoted":   `[{"op":"remove","path":"/extension[url:x]/valueCode"}]`,
		"pseudo, unclosed":   `[{"op":"remove","path":"/extension[url:'x'/valueCode"}]`,
		"pseudo, no end":     `[{"op":"remove","path":"/extension["}]`,
		"pseudo, whole":      `[{"op":"replace","path":"/extension[url:'x']","value":{}}]`,
		"pseudo, further in": `[{"op":"remove","path":"/extension[url:'x']/valueCoding/code"}]`,
	} {
		if p, err := ParsePatch([]byte(data)); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestPatchElements(t *testing.T) {
	for patch, want := range map[string]string{
		`[{"op":"replace","path":"/status","value":1},{"op":"test","path":"/status","value":1}]`:               "status",
		`[{"op":"replace","path":"/securityLabel/0","value":"R"},{"op":"remove","path":"/subject/reference"}]`: "securityLabel subject",
		`[{"op":"replace","path":"/extension[url:'http://x']/valueBoolean","value":true}]`:                     "extension[http://x]",
		`[{"op":"add","path":"/extension/-","value":{"url":"http://x","valueBoolean":true}}]`:                  "extension[http://x]",
		`[{"op":"replace","path":"/extension/0","value":{"url":"http://x","valueBoolean":true}}]`:              "extension",
		`[{"op":"add","path":"/extension/-","value":"x"}]`:                                                     "extension",
		`[{"op":"replace","path":"/extension/0/valueBoolean","value":true}]`:                                   "extension",
		`[{"op":"add","path":"/_status","value":{}},{"op":"add","path":"/a~1b~0","value":{}}]`:                 "_status a/b~",
		`[{"op":"replace","path":"/meta/versionId","value":"9"}]`:                                              "meta",
	} {
		p, err := ParsePatch([]byte(patch))
		if got := strings.Join(p.Elements(), " "); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", patch, got, err, want)
		}
	}
}

// The samples of the guide come through as they were written, even where they
// cannot be applied: the server says what is wrong with them.
func TestParsePatchIsFaithful(t *testing.T) {
	p, err := ParsePatch([]byte(`[{"op":"replace","path":"/securityLabel/0","value":"restricted"},{"op":"replace","path":"/extension[url:”http://x”]/valueBoolean","value":"true"}]`))
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.Operations[0], p.Operations[1]
	if a.Op != "replace" || !equal(a.Segments, []string{"securityLabel", "0"}) || string(a.Value) != `"restricted"` || a.Pseudo {
		t.Errorf("%+v", a)
	}
	if !b.Pseudo || b.Extension != "http://x" || !equal(b.Segments, []string{"extension", "valueBoolean"}) || string(b.Value) != "true" {
		t.Errorf("%+v", b)
	}
}

func TestPatchParameters(t *testing.T) {
	mhd, err := ParsePatchParameters(parseFixture(t, "mhd/Parameters-ex-patchParameters.json"))
	if err != nil || mhd.Type != "DocumentReference" || strings.Join(mhd.Elements(), " ") != "status" || string(mhd.Operations[0].Value) != `"superseded"` || mhd.Operations[0].Pseudo {
		t.Fatalf("%+v, %v", mhd, err)
	}
	const confidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
	label := func(code string) string {
		return `,"securityLabel":[{"coding":[{"system":"http://x","code":"x"},{"system":"` + confidentiality + `","code":"` + code + `"}]}]`
	}
	for _, c := range []struct{ name, before, parts, elements, after string }{
		{"status", ``, `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"DocumentReference.status"},{"name":"value","valueCode":"superseded"}`, "status", ``},
		{"label by its system", label("N"), `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"DocumentReference.securityLabel.coding.where(system = '` + confidentiality + `').code"},{"name":"value","valueCode":"R"}`, "securityLabel", label("R")},
		{"label by its index", label("N"), `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"DocumentReference.securityLabel[0].coding[1].code"},{"name":"value","valueCode":"R"}`, "securityLabel", label("R")},
		{"labels gone", label("N"), `{"name":"type","valueCode":"delete"},{"name":"path","valueString":"DocumentReference.securityLabel[0]"}`, "securityLabel", ``},
		{"coding gone", label("N"), `{"name":"type","valueCode":"delete"},{"name":"path","valueString":"DocumentReference.securityLabel.coding.where(system='http://x')"}`, "securityLabel", `,"securityLabel":[{"coding":[{"system":"` + confidentiality + `","code":"N"}]}]`},
		{"extension", `,"extension":[{"url":"` + archiveURL + `","valueBoolean":false}]`, `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"DocumentReference.extension.where(url='` + archiveURL + `').value"},{"name":"value","valueBoolean":true}`, "extension[" + archiveURL + "]", `,"extension":[{"url":"` + archiveURL + `","valueBoolean":true}]`},
		{"extension added", ``, `{"name":"type","valueCode":"add"},{"name":"path","valueString":"DocumentReference"},{"name":"name","valueString":"extension"},{"name":"value","part":[{"name":"url","valueUri":"` + archiveURL + `"},{"name":"valueBoolean","valueBoolean":true}]}`, "extension[" + archiveURL + "]", `,"extension":[{"url":"` + archiveURL + `","valueBoolean":true}]`},
		{"extension added, value[x]", ``, `{"name":"type","valueCode":"add"},{"name":"path","valueString":"DocumentReference"},{"name":"name","valueString":"extension"},{"name":"value","part":[{"name":"url","valueUri":"` + archiveURL + `"},{"name":"value[x]","valueBoolean":true}]}`, "extension[" + archiveURL + "]", `,"extension":[{"url":"` + archiveURL + `","valueBoolean":true}]`},
		{"extension gone", `,"extension":[{"url":"` + archiveURL + `","valueBoolean":true}]`, `{"name":"type","valueCode":"delete"},{"name":"path","valueString":"DocumentReference.extension.where(url='` + archiveURL + `')"}`, "extension[" + archiveURL + "]", ``},
		{"label added", ``, `{"name":"type","valueCode":"add"},{"name":"path","valueString":"DocumentReference"},{"name":"name","valueString":"securityLabel"},{"name":"value","valueCodeableConcept":{"coding":[{"code":"R"}]}}`, "securityLabel", `,"securityLabel":[{"coding":[{"code":"R"}]}]`},
		{"coding added", label("N"), `{"name":"type","valueCode":"add"},{"name":"path","valueString":"DocumentReference.securityLabel[0]"},{"name":"name","valueString":"coding"},{"name":"value","valueCoding":{"code":"y"}}`, "securityLabel", `,"securityLabel":[{"coding":[{"system":"http://x","code":"x"},{"system":"` + confidentiality + `","code":"N"},{"code":"y"}]}]`},
		{"text added", label("N"), `{"name":"type","valueCode":"add"},{"name":"path","valueString":"DocumentReference.securityLabel[0]"},{"name":"name","valueString":"text"},{"name":"value","valueString":"y"}`, "securityLabel", `,"securityLabel":[{"coding":[{"system":"http://x","code":"x"},{"system":"` + confidentiality + `","code":"N"}],"text":"y"}]`},
		{"label inserted", label("N"), `{"name":"type","valueCode":"insert"},{"name":"path","valueString":"DocumentReference.securityLabel"},{"name":"index","valueInteger":0},{"name":"value","valueCodeableConcept":{"text":"y"}}`, "securityLabel", `,"securityLabel":[{"text":"y"},{"coding":[{"system":"http://x","code":"x"},{"system":"` + confidentiality + `","code":"N"}]}]`},
		{"label inserted last, by parts", label("N"), `{"name":"type","valueCode":"insert"},{"name":"path","valueString":"DocumentReference.securityLabel"},{"name":"index","valueInteger":1},{"name":"value","part":[{"name":"text","valueString":"y"}]}`, "securityLabel", `,"securityLabel":[{"coding":[{"system":"http://x","code":"x"},{"system":"` + confidentiality + `","code":"N"}]},{"text":"y"}]`},
		{"first label inserted", ``, `{"name":"type","valueCode":"insert"},{"name":"path","valueString":"DocumentReference.securityLabel"},{"name":"index","valueInteger":0},{"name":"value","valueCodeableConcept":{"text":"y"}}`, "securityLabel", `,"securityLabel":[{"text":"y"}]`},
		{"coding moved", label("N"), `{"name":"type","valueCode":"move"},{"name":"path","valueString":"DocumentReference.securityLabel[0].coding"},{"name":"source","valueInteger":1},{"name":"destination","valueInteger":0}`, "securityLabel", `,"securityLabel":[{"coding":[{"system":"` + confidentiality + `","code":"N"},{"system":"http://x","code":"x"}]}]`},
		{"url of an extension", `,"extension":[{"url":"` + archiveURL + `","valueBoolean":true}]`, `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"DocumentReference.extension.where(url='` + archiveURL + `').url"},{"name":"value","valueUri":"http://x"}`, "extension", `,"extension":[{"url":"http://x","valueBoolean":true}]`},
		{"label added by parts", ``, `{"name":"type","valueCode":"add"},{"name":"path","valueString":"DocumentReference"},{"name":"name","valueString":"securityLabel"},{"name":"value","part":[{"name":"coding","part":[{"name":"system","valueUri":"http://x"},{"name":"code","valueCode":"R"}]},{"name":"text","valueString":"r"}]}`, "securityLabel", `,"securityLabel":[{"coding":[{"system":"http://x","code":"R"}],"text":"r"}]`},
	} {
		p, err := ParsePatchParameters(parameters(t, c.parts))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(p.Elements(), " "); got != c.elements {
			t.Errorf("%s: elements %q, want %q", c.name, got, c.elements)
		}
		want := fmt.Sprintf(patchee, c.after)
		if c.name == "status" {
			want = strings.Replace(want, "current", "superseded", 1)
		}
		got, err := Apply(patchTarget(t, c.before), p)
		if err != nil || compact(got) != compact(mustParse(t, want)) {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got.Bytes(), want)
		}
		if _, err := Apply(mustParse(t, `{"resourceType":"Patient"}`), p); err == nil {
			t.Errorf("%s: applied to a Patient", c.name)
		}
	}
	choice, err := ParsePatchParameters(parameters(t, `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.deceased"},{"name":"value","valueDateTime":"2024"}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Apply(mustParse(t, `{"resourceType":"Patient","deceasedBoolean":true}`), choice)
	if err != nil || string(got.Bytes()) != `{"resourceType":"Patient","deceasedDateTime":"2024"}` {
		t.Errorf("choice: %s, %v", got.Bytes(), err)
	}
}

func parameters(t *testing.T, parts string) *Resource {
	t.Helper()
	return mustParse(t, `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[`+parts+`]}]}`)
}

func TestPatchParametersRefuses(t *testing.T) {
	op := func(typ, path, rest string) string {
		return `{"name":"type","valueCode":"` + typ + `"},{"name":"path","valueString":"` + path + `"}` + rest
	}
	const value = `,{"name":"value","valueCode":"x"}`
	for name, parts := range map[string]string{
		"no type":           `{"name":"path","valueString":"DocumentReference.status"}` + value,
		"no path":           `{"name":"type","valueCode":"replace"}` + value,
		"no value":          op("replace", "DocumentReference.status", ""),
		"value to delete":   op("delete", "DocumentReference.status", value),
		"two types":         op("replace", "DocumentReference.status", value+`,{"name":"type","valueCode":"add"}`),
		"two values":        op("replace", "DocumentReference.status", value+value),
		"unknown part":      op("replace", "DocumentReference.status", value+`,{"name":"x","valueCode":"x"}`),
		"move":              op("move", "DocumentReference.securityLabel", `,{"name":"source","valueInteger":1}`),
		"insert":            op("insert", "DocumentReference.securityLabel", value),
		"unknown type":      op("merge", "DocumentReference.status", value),
		"no resource":       op("replace", "status", value),
		"whole resource":    op("replace", "DocumentReference", value),
		"add into a code":   op("add", "DocumentReference.status", `,{"name":"name","valueString":"coding"}`+value),
		"insert no list":    op("insert", "DocumentReference.status", `,{"name":"index","valueInteger":0}`+value),
		"insert an element": op("insert", "DocumentReference.securityLabel[0]", `,{"name":"index","valueInteger":0}`+value),
		"index as text":     op("insert", "DocumentReference.securityLabel", `,{"name":"index","valueString":"0"}`+value),
		"insert below zero": op("insert", "DocumentReference.securityLabel", `,{"name":"index","valueInteger":-1}`+value),
		"move with a value": op("move", "DocumentReference.securityLabel", `,{"name":"source","valueInteger":1},{"name":"destination","valueInteger":0}`+value),
		"add no element":    op("add", "DocumentReference", `,{"name":"name","valueString":"x"}`+value),
		"add without name":  op("add", "DocumentReference", value),
		"function":          op("replace", "DocumentReference.status.first()", value),
		"other where":       op("replace", "DocumentReference.extension.where(url!='x').value", value),
		"where not closed":  op("replace", "DocumentReference.extension.where(url='x'", value),
		"where without end": op("replace", "DocumentReference.extension.where(url='x", value),
		"where first":       op("replace", "DocumentReference.where(status='x').status", value),
		"index not closed":  op("replace", "DocumentReference.securityLabel[0", value),
		"negative index":    op("replace", "DocumentReference.securityLabel[-1]", value),
		"dots":              op("replace", "DocumentReference..status", value),
		"dot at the end":    op("replace", "DocumentReference.status.", value),
		"extension no url":  op("add", "DocumentReference", `,{"name":"name","valueString":"extension"},{"name":"value","part":[{"name":"valueBoolean","valueBoolean":true}]}`),
	} {
		if p, err := ParsePatchParameters(parameters(t, parts)); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	for _, r := range []*Resource{nil, mustParse(t, `{"resourceType":"Parameters"}`), mustParse(t, `{"resourceType":"Patient"}`)} {
		if p, err := ParsePatchParameters(r); err == nil {
			t.Errorf("%s: %+v", r.Bytes(), p)
		}
	}
}

func TestSameJSON(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`1`, `1.0`, true},
		{`1e2`, `100`, true},
		{`1`, `2`, false},
		{`0.1000000000000000001`, `0.1000000000000000002`, false},
		{`0.1000000000000000001`, `0.1000000000000000001`, true},
		{`0.1`, `0.1000000000000000001`, false},
		{`"1"`, `1`, false},
		{`"\u0061"`, `"a"`, true},
		{`{"a":1,"b":[1,{"c":null}]}`, `{ "b":[1,{"c":null}], "a":1 }`, true},
		{`{"a":1}`, `{"b":1}`, false},
		{`{"a":1}`, `{"a":1,"b":1}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`[1,2]`, `[1,2]`, true},
		{`[1,2]`, `[1,2,3]`, false},
		{`[[1],2]`, `[[1],3]`, false},
		{`[]`, `{}`, false},
		{`true`, `false`, false},
		{`null`, `null`, true},
	} {
		if got := sameJSON(scan(t, c.a).Root(), scan(t, c.b).Root()); got != c.same {
			t.Errorf("%s and %s: %t", c.a, c.b, got)
		}
	}
}

func TestFHIRPathThatLeadsNowhere(t *testing.T) {
	const label = `,"securityLabel":[{"coding":[{"system":"http://x","code":"a"},{"system":"http://x","code":"b"}]}]`
	for _, path := range []string{
		"DocumentReference.securityLabel[1].text", "DocumentReference.securityLabel[9999].text", "DocumentReference.docStatus",
		"DocumentReference.securityLabel.coding.where(system='http://y').code", "DocumentReference.securityLabel.coding.code",
		"DocumentReference.securityLabel.coding.where(system='http://x').code", "DocumentReference.status.x", "DocumentReference.x.y.z",
	} {
		p, err := ParsePatchParameters(parameters(t, `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"`+path+`"},{"name":"value","valueCode":"x"}`))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got, err := Apply(patchTarget(t, label), p); err == nil {
			t.Errorf("%s: %s", path, got.Bytes())
		}
	}
	for _, path := range []string{"DocumentReference.securityLabel[00]", "DocumentReference.securityLabel[]", "DocumentReference.securityLabel[12345]", "DocumentReference.securityLabel[1x]"} {
		if p, err := ParsePatchParameters(parameters(t, `{"name":"type","valueCode":"delete"},{"name":"path","valueString":"`+path+`"}`)); err == nil {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

// What add, insert and move of a FHIRPath Patch cannot do in a resource.
func TestFHIRPathPatchThatDoesNotFit(t *testing.T) {
	for name, parts := range map[string]string{
		"add what is there":      `{"name":"type","valueCode":"add"},{"name":"path","valueString":"DocumentReference"},{"name":"name","valueString":"status"},{"name":"value","valueCode":"superseded"}`,
		"add text twice":         `{"name":"type","valueCode":"add"},{"name":"path","valueString":"DocumentReference.securityLabel[0]"},{"name":"name","valueString":"text"},{"name":"value","valueString":"y"}`,
		"add into several":       `{"name":"type","valueCode":"add"},{"name":"path","valueString":"DocumentReference.securityLabel"},{"name":"name","valueString":"coding"},{"name":"value","valueCoding":{"code":"y"}}`,
		"insert after the end":   `{"name":"type","valueCode":"insert"},{"name":"path","valueString":"DocumentReference.securityLabel"},{"name":"index","valueInteger":3},{"name":"value","valueCodeableConcept":{"text":"y"}}`,
		"move from outside":      `{"name":"type","valueCode":"move"},{"name":"path","valueString":"DocumentReference.securityLabel"},{"name":"source","valueInteger":2},{"name":"destination","valueInteger":0}`,
		"move to outside":        `{"name":"type","valueCode":"move"},{"name":"path","valueString":"DocumentReference.securityLabel"},{"name":"source","valueInteger":0},{"name":"destination","valueInteger":2}`,
		"move what is not there": `{"name":"type","valueCode":"move"},{"name":"path","valueString":"DocumentReference.category"},{"name":"source","valueInteger":0},{"name":"destination","valueInteger":0}`,
	} {
		p, err := ParsePatchParameters(parameters(t, parts))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := Apply(patchTarget(t, `,"securityLabel":[{"text":"a"},{"text":"b"}]`), p); err == nil {
			t.Errorf("%s: %s", name, got.Bytes())
		}
	}
}
