package fhir

import (
	"slices"
	"strings"
	"testing"
)

// bundleOf is a Bundle of the minimal profile with those entries.
func bundleOf(entries ...string) string {
	return `{"resourceType":"Bundle","meta":{"profile":["` + mhdURL + `IHE.MHD.Minimal.ProvideBundle"]},"type":"transaction","entry":[` + strings.Join(entries, ",") + `]}`
}

func posted(url, resource, method string) string {
	return `{"fullUrl":"urn:uuid:6f1d3a0e-0000-4000-8000-` + url + `","resource":` + resource + `,"request":{"method":"` + method + `","url":"X"}}`
}

// submissionSet and folder are Lists of the minimal profiles.
const (
	submissionSet = `{"resourceType":"List","status":"current","mode":"working","date":"2026-01-01","code":{"coding":[{"system":"https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes","code":"submissionset"}]},
		"extension":[{"url":"https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId","valueIdentifier":{"value":"urn:oid:1.2"}}],"subject":{"reference":"urn:uuid:6f1d3a0e-0000-4000-8000-000000000009"}}`
	folder = `{"resourceType":"List","status":"current","mode":"working","code":{"coding":[{"system":"https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes","code":"folder"}]},
		"extension":[{"url":"https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType","valueCodeableConcept":{"text":"x"}}]}`
)

func TestValidateBundles(t *testing.T) {
	list := posted("000000000001", submissionSet, "POST")
	document := posted("000000000002", docRef(), "POST")
	broken := strings.Replace(submissionSet, `"date":"2026-01-01",`, "", 1)
	patient := `{"resourceType":"Patient"}`
	bundled := func(resource string) string { return posted("000000000009", resource, "POST") }
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"good", bundleOf(list, document), nil},
		{"with a folder and a patient", bundleOf(list, document, posted("000000000003", folder, "PUT"), bundled(patient)), nil},
		{"no submission set", bundleOf(document), []string{"error Bundle.entry slicing IHE.MHD.Minimal.ProvideBundle"}},
		{"two", bundleOf(list, posted("000000000004", submissionSet, "POST")), []string{"error Bundle.entry slicing IHE.MHD.Minimal.ProvideBundle"}},
		{"a type that no slice takes", bundleOf(list, bundled(`{"resourceType":"Practitioner"}`)), []string{
			"error Bundle.entry[1] slicing IHE.MHD.Minimal.ProvideBundle",
			"error Bundle.entry[0].resource.subject target ", "error Bundle.entry[0].resource.subject target IHE.MHD.Minimal.SubmissionSet",
		}},
		{"a method that no slice takes", bundleOf(list, posted("000000000002", docRef(), "PUT")), []string{"error Bundle.entry[1] slicing IHE.MHD.Minimal.ProvideBundle"}},
		{"of the nearest slice", bundleOf(posted("000000000001", broken, "POST")), []string{"error Bundle.entry[0].resource.date min IHE.MHD.Minimal.SubmissionSet"}},
		{"of the slice that it claims", bundleOf(list, posted("000000000002", docRef("masterIdentifier", "", "meta", `{"profile":["`+minimalDocument+`"]}`), "POST")),
			[]string{"error Bundle.entry[1].resource.masterIdentifier min IHE.MHD.Minimal.DocumentReference"}},
		{"a reference that resolves in the bundle", bundleOf(list, bundled(patient)), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := findings(Validate(mustParse(t, test.body)))
			slices.Sort(got)
			want := slices.Sorted(slices.Values(test.want))
			if !equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// The profiles of the table use three of the conditions; the others are held here.
func TestSliceConditions(t *testing.T) {
	item := mustScan(t, `{"a":{"b":["x","y"]},"r":{"resourceType":"List"},"c":{"coding":[{"system":"s","code":"1"},{"system":"s","code":"2"}]}}`).Root()
	coding := &pattern{kind: Object, parts: []pattern{{name: "coding", kind: Array, parts: []pattern{{kind: Object, parts: []pattern{{name: "code", kind: String, text: "2"}}}}}}}
	for _, test := range []struct {
		name string
		cond sliceCond
		want bool
	}{
		{"there", sliceCond{path: []string{"a", "b"}, exists: mustExist}, true},
		{"not there", sliceCond{path: []string{"a", "c"}, exists: mustExist}, false},
		{"must not be there", sliceCond{path: []string{"a", "c"}, exists: mustNotExist}, true},
		{"must not be there, is", sliceCond{path: []string{"a"}, exists: mustNotExist}, false},
		{"any of the values", sliceCond{path: []string{"a", "b"}, value: &pattern{kind: String, text: "y"}}, true},
		{"none of the values", sliceCond{path: []string{"a", "b"}, value: &pattern{kind: String, text: "z"}}, false},
		{"a pattern", sliceCond{path: []string{"c"}, value: coding}, true},
		{"type", sliceCond{path: []string{"r"}, types: []string{"List"}}, true},
		{"another type", sliceCond{path: []string{"r"}, types: []string{"Patient"}}, false},
		{"nothing there", sliceCond{path: []string{"z"}, types: []string{"List"}}, false},
	} {
		if got := test.cond.plain(item); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
	if !coding.matches(item.Get("c")) || coding.equals(item.Get("c")) || coding.String() != "|2" {
		t.Error("a pattern is a part, a fixed value is the whole")
	}
}
