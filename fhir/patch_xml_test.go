package fhir

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// diff is an XML Patch whose prefix f is FHIR.
func diff(operations string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?><diff xmlns:f="http://hl7.org/fhir">` + operations + `</diff>`)
}

func TestPatchXML(t *testing.T) {
	const labels = `,"securityLabel":[{"coding":[{"system":"http://a","code":"a"},{"system":"http://b","code":"b"}]},{"text":"c"}]`
	const archived = `,"extension":[{"url":"http://x","valueCode":"a"},{"url":"` + archiveURL + `","valueBoolean":%s}]`
	const label = `<f:securityLabel><f:coding><f:system value="http://n"/><f:code value="n"/></f:coding></f:securityLabel>`
	const added = `{"coding":[{"system":"http://n","code":"n"}]}`
	for _, c := range []struct{ name, before, operations, elements, after string }{
		{"status", ``, `<replace sel="f:DocumentReference/f:status/@value">superseded</replace>`, "status", ``},
		{"status as an element", ``, ` <replace sel="/f:DocumentReference/f:status"> <f:status value="superseded"/> </replace><!-- done -->`, "status", ``},
		{"status, default namespace", ``, `<replace xmlns="http://hl7.org/fhir" sel="DocumentReference/status/@value">superseded</replace>`, "status", ``},
		{"label added", labels, `<add sel="f:DocumentReference">` + label + `</add>`, "securityLabel", strings.TrimSuffix(labels, "]") + "," + added + "]"},
		{"first label", ``, `<add sel="f:DocumentReference">` + label + `</add>`, "securityLabel", `,"securityLabel":[` + added + `]`},
		{"two labels", ``, `<add sel="f:DocumentReference">` + label + strings.Replace(label, `"n"`, `"m"`, 1) + `</add>`, "securityLabel", `,"securityLabel":[` + added + `,` + strings.Replace(added, `"n"`, `"m"`, 1) + `]`},
		{"label before all", labels, `<add sel="f:DocumentReference" pos="prepend">` + label + `</add>`, "securityLabel", strings.Replace(labels, "[", "["+added+",", 1)},
		{"label before", labels, `<add sel="f:DocumentReference/f:securityLabel[2]" pos="before">` + label + `</add>`, "securityLabel", strings.Replace(labels, `{"text"`, added+`,{"text"`, 1)},
		{"label after", labels, `<add sel="f:DocumentReference/f:securityLabel[2]" pos="after">` + label + `</add>`, "securityLabel", strings.TrimSuffix(labels, "]") + "," + added + "]"},
		{"label replaced", labels, `<replace sel="f:DocumentReference/f:securityLabel[2]">` + label + `</replace>`, "securityLabel", strings.Replace(labels, `{"text":"c"}`, added, 1)},
		{"label removed", labels, `<remove sel="f:DocumentReference/f:securityLabel[2]"/>`, "securityLabel", strings.Replace(labels, `,{"text":"c"}`, "", 1)},
		{"code by its system", labels, `<replace sel="f:DocumentReference/f:securityLabel[1]/f:coding[f:system/@value='http://b']/f:code/@value">n</replace>`, "securityLabel", strings.Replace(labels, `"b"}]`, `"n"}]`, 1)},
		{"text added", labels, `<add sel="f:DocumentReference/f:securityLabel[1]"><f:text value="&lt;é"/></add>`, "securityLabel", strings.Replace(labels, `}]},`, `}],"text":"<é"},`, 1)},
		{"archive", fmt.Sprintf(archived, "false"), `<replace sel="f:DocumentReference/f:extension[@url='` + archiveURL + `']/f:valueBoolean/@value">true</replace>`, "extension[" + archiveURL + "]", fmt.Sprintf(archived, "true")},
		{"archive, absent", ``, `<replace sel="f:DocumentReference/f:extension[@url='` + archiveURL + `']/f:valueBoolean/@value">true</replace>`, "extension[" + archiveURL + "]", `,"extension":[{"url":"` + archiveURL + `","valueBoolean":true}]`},
		{"archive, added", ``, `<add sel="f:DocumentReference"><f:extension url="` + archiveURL + `"><f:valueBoolean value="true"/></f:extension></add>`, "extension[" + archiveURL + "]", `,"extension":[{"url":"` + archiveURL + `","valueBoolean":true}]`},
		{"archive, removed", fmt.Sprintf(archived, "true"), `<remove sel="f:DocumentReference/f:extension[@url='` + archiveURL + `']"></remove>`, "extension[" + archiveURL + "]", `,"extension":[{"url":"http://x","valueCode":"a"}]`},
		{"extension replaced whole", `,"extension":[{"url":"http://x","valueCode":"a"}]`, `<replace sel="f:DocumentReference/f:extension[@url='http://x']"><f:extension url="http://y"><f:valueCode value="b"/></f:extension></replace>`, "extension", `,"extension":[{"url":"http://y","valueCode":"b"}]`},
		{"extension in another", `,"extension":[{"url":"http://x","extension":[{"url":"http://y","valueCode":"b"}]}]`, `<add sel="f:DocumentReference/f:extension[1]"><f:extension url="` + archiveURL + `"><f:valueBoolean value="true"/></f:extension></add>`, "extension", `,"extension":[{"url":"http://x","extension":[{"url":"http://y","valueCode":"b"},{"url":"` + archiveURL + `","valueBoolean":true}]}]`},
		{"one after the other", ``, `<add sel="f:DocumentReference">` + label + `</add><replace sel="f:DocumentReference/f:securityLabel[1]/f:coding/f:code/@value">m</replace>`, "securityLabel", `,"securityLabel":[{"coding":[{"system":"http://n","code":"m"}]}]`},
	} {
		p, err := ParsePatchXML(diff(c.operations))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(p.Elements(), " "); got != c.elements {
			t.Errorf("%s: elements %q, want %q", c.name, got, c.elements)
		}
		want := fmt.Sprintf(patchee, c.after)
		if strings.HasPrefix(c.name, "status") {
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
}

func TestPatchXMLRefuses(t *testing.T) {
	const status = `<f:status value="superseded"/>`
	for name, patch := range map[string][]byte{
		"no XML":               []byte(`[]`),
		"other root":           []byte(`<patch/>`),
		"nothing":              diff(""),
		"DTD":                  append([]byte(`<!DOCTYPE diff>`), diff("")[38:]...),
		"text":                 diff("x"),
		"no path":              diff(`<remove/>`),
		"unknown operation":    diff(`<move sel="f:DocumentReference/f:status"/>`),
		"other attribute":      diff(`<add sel="f:DocumentReference" type="@id">x</add>`),
		"position of a remove": diff(`<remove sel="f:DocumentReference/f:status" pos="before"/>`),
		"unknown position":     diff(`<add sel="f:DocumentReference" pos="x">` + status + `</add>`),
		"unbound prefix":       diff(`<remove sel="g:DocumentReference/g:status"/>`),
		"no namespace":         diff(`<remove sel="DocumentReference/status"/>`),
		"unknown element":      diff(`<remove sel="f:DocumentReference/f:etat"/>`),
		"unknown resource":     diff(`<remove sel="f:Document/f:status"/>`),
		"whole resource":       diff(`<remove sel="f:DocumentReference"/>`),
		"value removed":        diff(`<remove sel="f:DocumentReference/f:status/@value"/>`),
		"anywhere":             diff(`<remove sel="//f:status"/>`),
		"function":             diff(`<remove sel="f:DocumentReference/f:securityLabel[last()]"/>`),
		"position zero":        diff(`<remove sel="f:DocumentReference/f:securityLabel[0]"/>`),
		"predicate not closed": diff(`<remove sel="f:DocumentReference/f:extension[@url='x'"/>`),
		"two resources":        diff(`<replace sel="f:DocumentReference/f:status/@value">x</replace><replace sel="f:Patient/f:active/@value">true</replace>`),
		"other element":        diff(`<replace sel="f:DocumentReference/f:status"><f:date value="2024"/></replace>`),
		"two elements":         diff(`<replace sel="f:DocumentReference/f:securityLabel"><f:securityLabel/><f:securityLabel/></replace>`),
		"nothing to add":       diff(`<add sel="f:DocumentReference"/>`),
		"text to add":          diff(`<add sel="f:DocumentReference">x</add>`),
		"unknown to add":       diff(`<add sel="f:DocumentReference"><f:etat value="x"/></add>`),
		"other namespace":      diff(`<add sel="f:DocumentReference"><status value="x"/></add>`),
		"beside what is one":   diff(`<add sel="f:DocumentReference/f:status" pos="after">` + status + `</add>`),
		"beside the resource":  diff(`<add sel="f:DocumentReference" pos="after">` + status + `</add>`),
		"into a code":          diff(`<add sel="f:DocumentReference/f:status">` + status + `</add>`),
		"element as value":     diff(`<replace sel="f:DocumentReference/f:status/@value">` + status + `</replace>`),
		"no value":             diff(`<replace sel="f:DocumentReference/f:status/@value"> </replace>`),
		"no boolean":           diff(`<replace sel="f:Patient/f:active/@value">vrai</replace>`),
		"too many":             diff(strings.Repeat(`<remove sel="f:DocumentReference/f:status"/>`, 101)),
		"too many at once":     diff(`<add sel="f:DocumentReference">` + strings.Repeat(`<f:securityLabel><f:text value="x"/></f:securityLabel>`, 101) + `</add>`),
		"too deep":             diff(`<remove sel="f:DocumentReference` + strings.Repeat("/f:extension", 40) + `"/>`),
	} {
		p, err := ParsePatchXML(patch)
		var bad *Invalid
		if !errors.As(err, &bad) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	for name, operations := range map[string]string{
		"what is there":     `<add sel="f:DocumentReference">` + status + `</add>`,
		"several":           `<remove sel="f:DocumentReference/f:securityLabel"/>`,
		"nobody":            `<remove sel="f:DocumentReference/f:securityLabel[3]"/>`,
		"beside nobody":     `<add sel="f:DocumentReference/f:securityLabel[3]" pos="after"><f:securityLabel><f:text value="x"/></f:securityLabel></add>`,
		"no valid resource": `<replace sel="f:DocumentReference/f:status/@value">perdu</replace>`,
	} {
		p, err := ParsePatchXML(diff(operations))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := Apply(patchTarget(t, `,"securityLabel":[{"text":"a"},{"text":"b"}]`), p); err == nil {
			t.Errorf("%s: %s", name, got.Bytes())
		}
	}
}

// A patch that is accepted leaves a resource that Parse accepts, whatever it says.
func FuzzPatchXML(f *testing.F) {
	f.Add(diff(`<replace sel="f:DocumentReference/f:status/@value">superseded</replace>`))
	f.Add(diff(`<add sel="f:DocumentReference"><f:securityLabel><f:text value="x"/></f:securityLabel></add><remove sel="f:DocumentReference/f:extension[@url='http://x']"/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePatchXML(data)
		if err != nil {
			return
		}
		r, err := Parse([]byte(fmt.Sprintf(patchee, `,"securityLabel":[{"text":"a"},{"text":"b"}],"extension":[{"url":"http://x","valueCode":"a"}]`)))
		if err != nil {
			t.Fatal(err)
		}
		if after, err := Apply(r, p); err == nil {
			if _, err := Parse(after.Bytes()); err != nil {
				t.Errorf("%v: %s", err, after.Bytes())
			}
		}
	})
}
