package fhir

import (
	"errors"
	"strings"
	"testing"
)

// patchFormat reads a patch in one of the three formats.
type patchFormat func(t *testing.T, text string) PatchSet

func jsonPatch(t *testing.T, text string) PatchSet {
	t.Helper()
	p, err := ParsePatch([]byte("[" + text + "]"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pathPatch(t *testing.T, text string) PatchSet {
	t.Helper()
	p, err := ParsePatchParameters(mustParse(t, `{"resourceType":"Parameters","parameter":[`+text+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func xmlPatchOf(t *testing.T, text string) PatchSet {
	t.Helper()
	p, err := ParsePatchXML([]byte(`<diff xmlns="http://hl7.org/fhir">` + text + `</diff>`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Labels are a set of codes and the archive extension is one, by whatever format they
// are patched (docs/ecarts.md, row 15).
func TestPatchedLabelsAreASet(t *testing.T) {
	concept := func(code string) string { return `{"coding":[{"system":"http://n","code":"` + code + `"}]}` }
	labels := func(codes ...string) string {
		var out []string
		for _, c := range codes {
			out = append(out, concept(c))
		}
		return `"securityLabel":[` + strings.Join(out, ",") + `]`
	}
	archived := func(values ...string) string {
		var out []string
		for _, v := range values {
			out = append(out, `{"url":"`+extIsArchived+`","valueBoolean":`+v+`}`)
		}
		return `"extension":[` + strings.Join(out, ",") + `]`
	}
	pathOp := func(op, path, rest string) string {
		return `{"name":"operation","part":[{"name":"type","valueCode":"` + op + `"},{"name":"path","valueString":"DocumentReference` + path + `"}` + rest + `]}`
	}
	jsonAdd := func(code string) string {
		return `{"op":"add","path":"/securityLabel/-","value":` + concept(code) + `}`
	}
	pathAdd := func(code string) string {
		return pathOp("add", "", `,{"name":"name","valueString":"securityLabel"},{"name":"value","valueCodeableConcept":`+concept(code)+`}`)
	}
	xmlLabel := func(code string) string {
		return `<securityLabel><coding><system value="http://n"/><code value="` + code + `"/></coding></securityLabel>`
	}
	xmlAdd := func(code string) string { return `<add sel="DocumentReference">` + xmlLabel(code) + `</add>` }
	pathArchive := func(value string) string {
		return pathOp("add", "", `,{"name":"name","valueString":"extension"},{"name":"value","part":[{"name":"url","valueUri":"`+extIsArchived+`"},{"name":"value","valueBoolean":`+value+`}]}`)
	}
	xmlArchive := func(value string) string {
		return `<extension url="` + extIsArchived + `"><valueBoolean value="` + value + `"/></extension>`
	}
	three := func(op string) string { return op + "," + op + "," + op }
	const refused = "refused"
	for _, c := range []struct {
		name                 string
		format               patchFormat
		before, patch, after string
	}{
		{"three adds", jsonPatch, "", three(jsonAdd("M")), labels("M")},
		{"three adds", pathPatch, "", three(pathAdd("M")), labels("M")},
		{"three adds", xmlPatchOf, "", strings.Repeat(xmlAdd("M"), 3), labels("M")},
		{"added where it is", jsonPatch, labels("N", "M"), jsonAdd("M"), labels("N", "M")},
		{"added where it is", pathPatch, labels("N", "M"), pathAdd("M"), labels("N", "M")},
		{"added where it is", xmlPatchOf, labels("N", "M"), xmlAdd("M"), labels("N", "M")},
		{"removed once of three", jsonPatch, labels("M", "M", "N", "M"), `{"op":"remove","path":"/securityLabel/1"}`, labels("N")},
		{"removed once of three", pathPatch, labels("M", "M", "N", "M"), pathOp("delete", ".securityLabel[1]", ""), labels("N")},
		{"removed once of three", xmlPatchOf, labels("M", "M", "N", "M"), `<remove sel="DocumentReference/securityLabel[2]"/>`, labels("N")},
		{"replaced once of two", jsonPatch, labels("M", "M"), `{"op":"replace","path":"/securityLabel/0","value":` + concept("N") + `}`, labels("N")},
		{"replaced once of two", pathPatch, labels("M", "M"), pathOp("replace", ".securityLabel[0]", `,{"name":"value","valueCodeableConcept":`+concept("N")+`}`), labels("N")},
		{"replaced once of two", xmlPatchOf, labels("M", "M"), `<replace sel="DocumentReference/securityLabel[1]">` + xmlLabel("N") + `</replace>`, labels("N")},
		{"a code replaced", xmlPatchOf, labels("M", "M"), `<replace sel="DocumentReference/securityLabel[1]/coding/code/@value">N</replace>`, labels("N")},
		{"all removed, each by its index", jsonPatch, labels("M", "M"), `{"op":"remove","path":"/securityLabel/1"},{"op":"remove","path":"/securityLabel/0"}`, ""},
		{"removed and put back", jsonPatch, labels("M", "M"), `{"op":"remove","path":"/securityLabel/0"},` + jsonAdd("N") + `,` + jsonAdd("M"), labels("M", "N")},
		{"the whole list", jsonPatch, labels("M", "M", "N"), `{"op":"replace","path":"/securityLabel","value":[` + concept("M") + `]}`, labels("M")},
		{"the whole list, twice the same", jsonPatch, labels("N"), `{"op":"add","path":"/securityLabel","value":[` + concept("M") + `,` + concept("M") + `]}`, labels("M")},
		{"several codes in one", jsonPatch, labels("M"), `{"op":"add","path":"/securityLabel/-","value":{"coding":[{"system":"http://n","code":"M"},{"system":"http://n","code":"N"}]}}`, labels("M", "N")},
		{"two names of one code", jsonPatch, `"securityLabel":[{"coding":[{"system":"` + SystemVisibility + `","code":"INVISIBLE_REP_LEGAUX"}]}]`,
			`{"op":"add","path":"/securityLabel/-","value":{"coding":[{"system":"` + SystemVisibility + `","code":"INVISIBLE_REPRESENTANTS_LEGAUX"}]}}`,
			`"securityLabel":[{"coding":[{"system":"` + SystemVisibility + `","code":"INVISIBLE_REP_LEGAUX"}]}]`},
		{"what is not patched stays", jsonPatch, labels("M", "M") + "," + archived("true", "true"), `{"op":"test","path":"/status","value":"current"}`, labels("M", "M") + "," + archived("true", "true")},
		{"archived and not", jsonPatch, "", `{"op":"add","path":"/extension","value":[{"url":"` + extIsArchived + `","valueBoolean":true},{"url":"` + extIsArchived + `","valueBoolean":false}]}`, refused},
		{"archived and not", pathPatch, "", pathArchive("true") + "," + pathArchive("false"), archived("false")}, // of one URL, by its value
		{"archived and not", xmlPatchOf, "", `<add sel="DocumentReference">` + xmlArchive("true") + xmlArchive("false") + `</add>`, refused},
		{"archived twice", jsonPatch, "", `{"op":"add","path":"/extension","value":[{"url":"` + extIsArchived + `","valueBoolean":true},{"url":"urn:x","valueCode":"a"},{"url":"` + extIsArchived + `","valueBoolean":true}]}`,
			`"extension":[{"url":"` + extIsArchived + `","valueBoolean":true},{"url":"urn:x","valueCode":"a"}]`},
		{"archived twice", pathPatch, archived("true"), pathArchive("true"), archived("true")},
		{"archived twice", xmlPatchOf, archived("true"), `<add sel="DocumentReference">` + xmlArchive("true") + `</add>`, archived("true")},
		{"delete of what is not there", pathPatch, labels("N"), pathOp("delete", ".securityLabel[1]", ""), labels("N")},
		{"delete of an extension that is not there", pathPatch, labels("N"), pathOp("delete", ".extension.where(url='"+extIsArchived+"')", ""), labels("N")},
		{"delete of what is no element", pathPatch, labels("N"), pathOp("delete", ".securityLabels[0]", ""), refused},
		{"delete of several", pathPatch, labels("N", "M"), pathOp("delete", ".securityLabel", ""), refused},
		{"remove of what is not there", jsonPatch, labels("N"), `{"op":"remove","path":"/securityLabel/1"}`, refused},
		{"remove of what is not there", xmlPatchOf, labels("N"), `<remove sel="DocumentReference/securityLabel[2]"/>`, refused},
	} {
		target := func(members string) *Resource {
			if members != "" {
				members = "," + members
			}
			return patchTarget(t, members)
		}
		t.Run(c.name, func(t *testing.T) {
			before := target(c.before)
			got, err := Apply(before, c.format(t, c.patch))
			var invalid *Invalid
			switch {
			case c.after == refused && !errors.As(err, &invalid):
				t.Errorf("%s: %v", got.Bytes(), err)
			case c.after == refused:
			case err != nil:
				t.Errorf("%v", err)
			default:
				if want := target(c.after); !Same(got, want) {
					t.Errorf("\n got %s\nwant %s", got.Bytes(), want.Bytes())
				}
			}
		})
	}
}
