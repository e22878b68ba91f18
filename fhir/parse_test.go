package fhir

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// overHTTP are cases of fhir-malformed.json that no reader of one resource can
// refuse: what they ask for, not what they are, is wrong.
func overHTTP(name string) bool {
	switch name {
	case "bundle-search-as-tx", "bundle-unresolved-urn", "bundle-url-absolute-other", "bundle-url-traversal":
		return true
	}
	return false
}

func TestMalformed(t *testing.T) {
	data, err := os.ReadFile("../testdata/adversarial/fhir-malformed.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Name, Raw, Expect string }
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) < 40 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		_, err := Parse([]byte(c.Raw))
		switch {
		case c.Expect == "reject" && err == nil && !overHTTP(c.Name):
			t.Errorf("%s: accepted", c.Name)
		case c.Expect == "ok" && err != nil:
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const docref = `"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"url":"http://x.test"}}]`
	for _, c := range []struct{ name, data, code, expression string }{
		{"no type", `{"id":"a"}`, "required", "Resource.resourceType"},
		{"no FHIR type", `{"resourceType":"Dossier"}`, "structure", "Resource.resourceType"},
		{"type in wrong case", `{"resourceType":"patient"}`, "structure", "Resource.resourceType"},
		{"abstract type", `{"resourceType":"DomainResource"}`, "structure", "Resource.resourceType"},
		{"type not handled", `{"resourceType":"Medication"}`, "not-supported", "Medication.resourceType"},
		{"type no string", `{"resourceType":1}`, "structure", "Resource.resourceType"},
		{"no object", `"Patient"`, "structure", "Resource"},
		{"unknown element", `{"resourceType":"Patient","nom":"x"}`, "structure", "Patient.nom"},
		{"unknown element that cannot be shown", `{"resourceType":"Patient","<b>":"x"}`, "structure", "Patient.?"},
		{"element of another type", `{"resourceType":"Patient","content":[]}`, "structure", "Patient.content"},
		{"resourceType in a data type", `{"resourceType":"Patient","name":[{"resourceType":"Patient","family":"x"}]}`, "structure", "Patient.name[0].resourceType"},
		{"nested unknown", `{"resourceType":"Patient","contact":[{"name":{"familly":"x"}}]}`, "structure", "Patient.contact[0].name.familly"},
		{"missing element", `{"resourceType":"DocumentReference","content":[{"attachment":{"url":"x"}}]}`, "required", "DocumentReference.status"},
		{"missing deep element", `{"resourceType":"DocumentReference","status":"current","content":[{"format":{"code":"a"}}]}`, "required", "DocumentReference.content[0].attachment"},
		{"hash", `{` + strings.Replace(docref, `"http://x.test"`, `"http://x.test","hash":"***"`, 1) + `}`, "value", "DocumentReference.content[0].attachment.hash"},
		{"two choices", `{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2024"}`, "structure", "Patient.deceased"},
		{"two choices, one by extension", `{"resourceType":"Patient","_deceasedDateTime":{"extension":[{"url":"http://x","valueCode":"a"}]},"deceasedBoolean":true}`, "structure", "Patient.deceased"},
		{"type that the choice has not", `{"resourceType":"Patient","deceasedString":"x"}`, "structure", "Patient.deceasedString"},
		{"choice without type", `{"resourceType":"Patient","deceased":true}`, "structure", "Patient.deceased"},
		{"single for array", `{"resourceType":"Patient","name":{"family":"x"}}`, "structure", "Patient.name"},
		{"string for object", `{"resourceType":"Patient","maritalStatus":"M"}`, "structure", "Patient.maritalStatus"},
		{"null", `{"resourceType":"Patient","birthDate":null}`, "structure", "Patient.birthDate"},
		{"null in objects", `{"resourceType":"Patient","name":[null]}`, "structure", "Patient.name[0]"},
		{"null without extension", `{"resourceType":"Patient","name":[{"given":["a",null]}]}`, "structure", "Patient.name[0].given[1]"},
		{"null with null", `{"resourceType":"Patient","name":[{"given":["a",null],"_given":[{"id":"b"},null]}]}`, "structure", "Patient.name[0].given[1]"},
		{"arrays of two lengths", `{"resourceType":"Patient","name":[{"given":["a"],"_given":[{"id":"b"},{"id":"c"}]}]}`, "structure", "Patient.name[0].given"},
		{"extension of what has none", `{"resourceType":"Patient","_name":[{"id":"b"}]}`, "structure", "Patient._name"},
		{"extension of an extension's url", `{"resourceType":"Patient","extension":[{"url":"http://x","_url":{"id":"a"},"valueCode":"a"}]}`, "structure", "Patient.extension[0]._url"},
		{"extension of a narrative", `{"resourceType":"Patient","text":{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>","_div":{"id":"a"}}}`, "structure", "Patient.text._div"},
		{"extension that is empty", `{"resourceType":"Patient","_birthDate":{"id":"a"}}`, "structure", "Patient.birthDate"},
		{"extension that is a value", `{"resourceType":"Patient","_birthDate":"2024"}`, "structure", "Patient.birthDate"},
		{"bad extension of a primitive", `{"resourceType":"Patient","_birthDate":{"extension":[{"valueCode":"a"}]}}`, "required", "Patient.birthDate.extension[0].url"},
		{"empty object", `{"resourceType":"Patient","name":[{}]}`, "structure", "Patient.name[0]"},
		{"object with id only", `{"resourceType":"Patient","name":[{"id":"a"}]}`, "structure", "Patient.name[0]"},
		{"array in array", `{"resourceType":"Patient","name":[[{"family":"x"}]]}`, "structure", "Patient.name[0]"},
		{"comments of DSTU2", `{"resourceType":"Patient","fhir_comments":["x"]}`, "structure", "Patient.fhir_comments"},
		{"value of extended JSON", `{"resourceType":"Patient","id":{"$oid":"507f1f77bcf86cd799439011"}}`, "structure", "Patient.id"},
		{"code of another case", `{"resourceType":"Patient","gender":"MALE"}`, "code-invalid", "Patient.gender"},
		{"code in the depth", `{"resourceType":"Patient","name":[{"use":"x","family":"x"}]}`, "code-invalid", "Patient.name[0].use"},
		{"code of a hierarchy", `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"bad"}]}`, "code-invalid", "OperationOutcome.issue[0].code"},
		{"extension without value", `{"resourceType":"Patient","extension":[{"url":"http://x"}]}`, "invariant", "Patient.extension[0]"},
		{"reference with spaces", `{"resourceType":"Patient","managingOrganization":{"reference":"Organization/ 1"}}`, "value", "Patient.managingOrganization.reference"},
		{"unresolved local reference", `{"resourceType":"Patient","managingOrganization":{"reference":"#a"}}`, "invariant", "Patient.managingOrganization.reference"},
		{"contained twice", `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","name":"x"},{"resourceType":"Organization","id":"a","name":"x"}],"managingOrganization":{"reference":"#a"}}`, "invariant", "Patient.contained[1]"},
		{"contained named by a string", `{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","id":"a"}],"extension":[{"url":"http://x","valueString":"#a"}]}`, "invariant", "Patient.contained[0]"},
		{"contained without id before an orphan", `{"resourceType":"Patient","contained":[{"resourceType":"Practitioner"},{"resourceType":"Practitioner","id":"a"}]}`, "required", "Patient.contained[0].id"},
		{"contained of an unknown type", `{"resourceType":"Patient","contained":[{"resourceType":"X","id":"a"}],"managingOrganization":{"reference":"#a"}}`, "structure", "Patient.contained[0].resourceType"},
		{"contained referred to from another entry", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","name":"x"}]}},{"resource":{"resourceType":"Patient","generalPractitioner":[{"reference":"#a"}]}}]}`, "invariant", "Bundle.entry[0].resource.contained[0]"},
		{"security label in contained", `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","name":"x","meta":{"security":[{"code":"R"}]}}],"managingOrganization":{"reference":"#a"}}`, "invariant", "Patient.contained[0].meta.security"},
		{"wrong entry", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","gender":"x"}}]}`, "code-invalid", "Bundle.entry[0].resource.gender"},
		{"wrong parameter", `{"resourceType":"Parameters","parameter":[{"name":"a","resource":{"resourceType":"Patient","gender":"x"}}]}`, "code-invalid", "Parameters.parameter[0].resource.gender"},
		{"parameter of two kinds", `{"resourceType":"Parameters","parameter":[{"name":"a","valueCode":"x","part":[{"name":"b","valueCode":"x"}]}]}`, "invariant", "Parameters.parameter[0]"},
		{"deep parameter", `{"resourceType":"Parameters","parameter":[{"name":"a","part":[{"name":"b"}]}]}`, "invariant", "Parameters.parameter[0].part[0]"},
		{"data without contentType", `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"data":"QQ=="}}]}`, "invariant", "DocumentReference.content[0].attachment"},
		{"period backwards", `{"resourceType":"Patient","name":[{"family":"x","period":{"start":"2024-02","end":"2024-01-31"}}]}`, "invariant", "Patient.name[0].period"},
		{"period backwards by zone", `{"resourceType":"Patient","name":[{"family":"x","period":{"start":"2024-01-01T00:00:00Z","end":"2024-01-01T00:30:00+01:00"}}]}`, "invariant", "Patient.name[0].period"},
		{"two entries of one fullUrl", `{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:x","resource":{"resourceType":"Patient"}},{"fullUrl":"urn:x","resource":{"resourceType":"Patient"}}]}`, "invariant", "Bundle.entry[1].fullUrl"},
		{"transaction without request", `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient"}}]}`, "invariant", "Bundle.entry[0]"},
		{"document without composition", `{"resourceType":"Bundle","type":"document","identifier":{"system":"urn:x","value":"1"},"timestamp":"2024-01-01T00:00:00Z","entry":[{"resource":{"resourceType":"Patient"}}]}`, "invariant", "Bundle"},
		{"element id with space", `{"resourceType":"Patient","name":[{"id":"a b","family":"x"}]}`, "value", "Patient.name[0].id"},

		{"type written with an escape", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Pati\u0065nt","gender":"x"}}]}`, "code-invalid", "Bundle.entry[0].resource.gender"},
		{"two resources in one place", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":[{"resourceType":"Patient"}]}]}`, "structure", "Bundle.entry[0].resource"},

		// A resource of a type that the table does not describe.
		{"array in array in a foreign resource", foreign(`"note":[["a"]]`), "structure", "Bundle.entry[0].resource.note[0]"},
		{"bad data in a foreign resource", foreign(`"data":"\u0001"`), "value", "Bundle.entry[0].resource.data"},
		{"resource in a foreign resource", foreign(`"x":{"resourceType":"Patient","gender":"x"}`), "code-invalid", "Bundle.entry[0].resource.x.gender"},
		{"empty foreign resource in the depth", foreign(`"x":{"y":[{}]}`), "structure", "Bundle.entry[0].resource.x.y[0]"},
		{"bad extension of a foreign primitive", foreign(`"code":"a","_code":{"extension":[]}`), "structure", "Bundle.entry[0].resource.code.extension"},
		{"null in a foreign resource", foreign(`"code":null`), "structure", "Bundle.entry[0].resource.code"},
		{"empty object in a foreign resource", foreign(`"code":{}`), "structure", "Bundle.entry[0].resource.code"},
		{"empty array in a foreign resource", foreign(`"code":[]`), "structure", "Bundle.entry[0].resource.code"},
		{"empty string in a foreign resource", foreign(`"code":{"text":""}`), "value", "Bundle.entry[0].resource.code.text"},
		{"bad extension in a foreign resource", foreign(`"code":{"extension":[{"valueCode":"a"}]}`), "required", "Bundle.entry[0].resource.code.extension[0].url"},
		{"bad id in a foreign resource", foreign(`"id":"é"`), "value", "Bundle.entry[0].resource.id"},
		{"local reference in a foreign resource", foreign(`"subject":{"reference":"#p"}`), "invariant", "Bundle.entry[0].resource.subject.reference"},
		{"lonely null in a foreign resource", foreign(`"note":["a",null]`), "structure", "Bundle.entry[0].resource.note[1]"},
		{"script in a foreign resource", foreign(`"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"}`), "value", "Bundle.entry[0].resource.text.div"},
	} {
		r, err := Parse([]byte(c.data))
		var invalid *Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%s: accepted (%v), error %v", c.name, r != nil, err)
			continue
		}
		first := invalid.Issues[0]
		if first.Code != c.code || first.Expression != c.expression {
			t.Errorf("%s: %s at %s, want %s at %s", c.name, first.Code, first.Expression, c.code, c.expression)
		}
		if first.Severity != Error || first.Text.FR == "" || first.Text.EN == "" || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %+v", c.name, first)
		}
	}
}

// foreign puts an element into a resource whose type the table does not have.
func foreign(element string) string {
	return `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"MedicationStatement",` + element + `}}]}`
}

func TestParseAccepts(t *testing.T) {
	for name, data := range map[string]string{
		"nothing but the type":      `{"resourceType":"Patient"}`,
		"type at the end":           `{"id":"a","resourceType":"Patient"}`,
		"white space around":        " \n{\"resourceType\":\"Patient\"}\n",
		"extension in place":        `{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://x","valueCode":"a"}]}}`,
		"id beside a value":         `{"resourceType":"Patient","birthDate":"2024","_birthDate":{"id":"a"}}`,
		"paired arrays":             `{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"extension":[{"url":"http://x","valueCode":"a"}]}]}]}`,
		"only extensions":           `{"resourceType":"Patient","name":[{"_given":[{"extension":[{"url":"http://x","valueCode":"a"}]}]}]}`,
		"required by extension":     `{"resourceType":"DocumentReference","_status":{"extension":[{"url":"http://x","valueCode":"unknown"}]},"content":[{"attachment":{"url":"x"}}]}`,
		"conditional reference":     `{"resourceType":"Patient","managingOrganization":{"reference":"Organization?identifier=http://x|1"}}`,
		"reference by display":      `{"resourceType":"Patient","managingOrganization":{"display":"Hôpital"}}`,
		"contained refers upwards":  `{"resourceType":"Patient","contained":[{"resourceType":"RelatedPerson","id":"a","patient":{"reference":"#"}}]}`,
		"contained by its sibling":  `{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","id":"a"},{"resourceType":"PractitionerRole","id":"b","practitioner":{"reference":"#a"}}],"generalPractitioner":[{"reference":"#b"}]}`,
		"contained named by a uri":  `{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","id":"a"}],"extension":[{"url":"http://x","valueUri":"#a"}]}`,
		"contained named by a url":  `{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","id":"a"}],"extension":[{"url":"http://x","valueUrl":"#a"}]}`,
		"contained by a canonical":  `{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","id":"a"}],"extension":[{"url":"http://x","valueCanonical":"#a"}]}`,
		"fragment that is no id":    `{"resourceType":"Patient","extension":[{"url":"http://x","valueUri":"#section"}]}`,
		"foreign contained":         `{"resourceType":"Patient","contained":[{"resourceType":"Medication","id":"m","code":{"text":"x"},"ingredient":[{"strength":{"numerator":{"value":1.0}}}]}],"extension":[{"url":"http://x","valueReference":{"reference":"#m"}}]}`,
		"foreign entry":             foreign(`"note":["a",null],"_note":[null,{"extension":[{"url":"http://x","valueCode":"a"}]}]`),
		"extensions in extensions":  `{"resourceType":"Patient","extension":[{"url":"http://x","extension":[{"url":"y","valueString":"z"}]}]}`,
		"period with an open zone":  `{"resourceType":"Patient","name":[{"family":"x","period":{"start":"2024-01-02T00:30:00+02:00","end":"2024-01-01"}}]}`,
		"period of one day":         `{"resourceType":"Patient","name":[{"family":"x","period":{"start":"2024-01-31","end":"2024-01"}}]}`,
		"quantity by its extension": `{"resourceType":"Parameters","parameter":[{"name":"a","valueAge":{"value":1.50,"code":"a","system":"http://unitsofmeasure.org"}}]}`,
	} {
		r, err := Parse([]byte(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(r.Bytes()) != strings.TrimSpace(data) {
			t.Errorf("%s: bytes differ", name)
		}
	}
}

func TestInvariants(t *testing.T) {
	in := func(typ, members string) string { return `{"resourceType":"` + typ + `",` + members + `}` }
	ext := func(value string) string {
		return `{"resourceType":"Patient","extension":[{"url":"http://x",` + value + `}]}`
	}
	const section = `"status":"final","type":{"text":"x"},"date":"2024","author":[{"display":"x"}],"title":"x"`
	const audit = `"type":{"code":"rest"},"recorded":"2024-01-01T00:00:00Z","agent":[{"requestor":true}],"source":{"observer":{"display":"x"}}`
	const consent = `"status":"active","scope":{"text":"x"},"category":[{"text":"x"}]`
	const entry = `"entry":[{"resource":{"resourceType":"Patient"}`
	for _, c := range []struct{ key, broken, kept string }{
		{"ext-1", ext(`"valueCode":"a","extension":[{"url":"y","valueCode":"a"}]`), ext(`"valueCode":"a"`)},
		{"att-1", ext(`"valueAttachment":{"data":"QQ=="}`), ext(`"valueAttachment":{"data":"QQ==","contentType":"a/b"}`)},
		{"cpt-2", ext(`"valueContactPoint":{"value":"1"}`), ext(`"valueContactPoint":{"value":"1","system":"phone"}`)},
		{"per-1", ext(`"valuePeriod":{"start":"2024","end":"2023"}`), ext(`"valuePeriod":{"start":"2023","end":"2024"}`)},
		{"qty-3", ext(`"valueQuantity":{"code":"mg"}`), ext(`"valueQuantity":{"code":"mg","system":"http://unitsofmeasure.org"}`)},
		{"rat-1", ext(`"valueRatio":{"numerator":{"value":1}}`), ext(`"valueRatio":{"numerator":{"value":1},"denominator":{"value":2}}`)},
		{"pat-1", in("Patient", `"contact":[{"gender":"male"}]`), in("Patient", `"contact":[{"name":{"text":"x"}}]`)},
		{"org-1", in("Organization", `"active":true`), in("Organization", `"name":"x"`)},
		{"org-2", in("Organization", `"name":"x","address":[{"use":"work","city":"x"},{"use":"home","city":"x"}]`), in("Organization", `"name":"x","address":[{"use":"work","city":"x"}]`)},
		{"org-3", in("Organization", `"name":"x","telecom":[{"use":"home","system":"phone","value":"1"}]`), in("Organization", `"name":"x","telecom":[{"system":"phone","value":"1"}]`)},
		{"ppc-1", in("Consent", consent), in("Consent", consent+`,"policyRule":{"text":"x"}`)},
		{"lst-1", in("List", `"status":"current","mode":"working","emptyReason":{"text":"x"},"entry":[{"item":{"display":"x"}}]`), in("List", `"status":"current","mode":"working","emptyReason":{"text":"x"}`)},
		{"lst-2", in("List", `"status":"current","mode":"working","entry":[{"deleted":true,"item":{"display":"x"}}]`), in("List", `"status":"current","mode":"changes","entry":[{"deleted":true,"item":{"display":"x"}}]`)},
		{"lst-3", in("List", `"status":"current","mode":"changes","entry":[{"date":"2024","item":{"display":"x"}}]`), in("List", `"status":"current","mode":"working","entry":[{"date":"2024","item":{"display":"x"}}]`)},
		{"sev-1", in("AuditEvent", audit+`,"entity":[{"name":"x","query":"QQ=="}]`), in("AuditEvent", audit+`,"entity":[{"query":"QQ=="}]`)},
		{"cmp-1", in("Composition", section+`,"section":[{"title":"x"}]`), in("Composition", section+`,"section":[{"title":"x","entry":[{"display":"x"}]}]`)},
		{"cmp-2", in("Composition", section+`,"section":[{"emptyReason":{"text":"x"},"entry":[{"display":"x"}]}]`), in("Composition", section+`,"section":[{"emptyReason":{"text":"x"},"section":[{"entry":[{"display":"x"}]}]}]`)},
		{"obs-3", in("Observation", `"status":"final","code":{"text":"x"},"referenceRange":[{"type":{"text":"x"}}]`), in("Observation", `"status":"final","code":{"text":"x"},"referenceRange":[{"text":"x"}]`)},
		{"obs-6", in("Observation", `"status":"final","code":{"text":"x"},"valueString":"x","dataAbsentReason":{"text":"x"}`), in("Observation", `"status":"final","code":{"text":"x"},"dataAbsentReason":{"text":"x"}`)},
		{"inv-1", in("Parameters", `"parameter":[{"name":"x"}]`), in("Parameters", `"parameter":[{"name":"x","valueCode":"x"}]`)},
		{"grp-1", in("Group", `"type":"person","actual":false,"member":[{"entity":{"display":"x"}}]`), in("Group", `"type":"person","actual":true,"member":[{"entity":{"display":"x"}}]`)},
		{"bdl-1", in("Bundle", `"type":"collection","total":0`), in("Bundle", `"type":"history","total":0`)},
		{"bdl-2", in("Bundle", `"type":"collection",`+entry+`,"search":{"mode":"match"}}]`), in("Bundle", `"type":"searchset",`+entry+`,"search":{"mode":"match"}}]`)},
		{"bdl-3", in("Bundle", `"type":"collection",`+entry+`,"request":{"method":"PUT","url":"x"}}]`), in("Bundle", `"type":"batch",`+entry+`,"request":{"method":"PUT","url":"x"}}]`)},
		{"bdl-4", in("Bundle", `"type":"batch-response",`+entry+`}]`), in("Bundle", `"type":"batch-response",`+entry+`,"response":{"status":"200"}}]`)},
		{"bdl-5", in("Bundle", `"type":"collection","entry":[{"fullUrl":"urn:x"}]`), in("Bundle", `"type":"collection",`+entry+`}]`)},
		{"bdl-7", in("Bundle", `"type":"collection","entry":[{"fullUrl":"urn:x","resource":{"resourceType":"Patient"}},{"fullUrl":"urn:x","resource":{"resourceType":"Patient"}}]`), in("Bundle", `"type":"collection","entry":[{"fullUrl":"urn:x","resource":{"resourceType":"Patient","meta":{"versionId":"1"}}},{"fullUrl":"urn:x","resource":{"resourceType":"Patient","meta":{"versionId":"2"}}}]`)},
		{"bdl-8", in("Bundle", `"type":"collection",`+entry+`,"fullUrl":"http://x/Patient/1/_history/1"}]`), in("Bundle", `"type":"collection",`+entry+`,"fullUrl":"http://x/Patient/1"}]`)},
		{"bdl-9", in("Bundle", `"type":"document","timestamp":"2024-01-01T00:00:00Z","entry":[{"resource":{"resourceType":"Composition",`+section+`}}]`), in("Bundle", `"type":"document","identifier":{"system":"urn:x","value":"1"},"timestamp":"2024-01-01T00:00:00Z","entry":[{"resource":{"resourceType":"Composition",`+section+`}}]`)},
		{"bdl-10", in("Bundle", `"type":"document","identifier":{"system":"urn:x","value":"1"},"entry":[{"resource":{"resourceType":"Composition",`+section+`}}]`), ""},
		{"bdl-11", in("Bundle", `"type":"document","identifier":{"system":"urn:x","value":"1"},"timestamp":"2024-01-01T00:00:00Z"`), ""},
		{"bdl-12", in("Bundle", `"type":"message",`+entry+`}]`), in("Bundle", `"type":"message","entry":[{"resource":{"resourceType":"MessageHeader","source":{"endpoint":"http://x"}}}]`)},
	} {
		_, err := Parse([]byte(c.broken))
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Issues[0].Diagnostics != c.key || invalid.Issues[0].Code != "invariant" {
			t.Errorf("%s: %v", c.key, err)
		}
		if c.kept != "" {
			if _, err := Parse([]byte(c.kept)); err != nil {
				t.Errorf("%s, kept: %v", c.key, err)
			}
		}
	}
}

func TestParseListsAllUpToTwenty(t *testing.T) {
	_, orphans := Parse([]byte(`{"resourceType":"Patient","contained":[{"resourceType":"Practitioner"},{"resourceType":"Practitioner","id":"a"},{"resourceType":"Practitioner","id":"b","active":true}]}`))
	if got, want := expressions(orphans), []string{"Patient.contained[0].id", "Patient.contained[1]", "Patient.contained[2]"}; !equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err := Parse([]byte(`{"resourceType":"Patient","active":"x","gender":"x","birthDate":"x","nom":1}`))
	if got, want := expressions(err), []string{"Patient.active", "Patient.gender", "Patient.birthDate", "Patient.nom"}; !equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	_, err = Parse([]byte(`{"resourceType":"Patient"` + b.String() + `}`))
	if got := len(expressions(err)); got != maxIssues {
		t.Errorf("%d issues, want %d", got, maxIssues)
	}
}

// A refusal is shown to people and written to logs: it must not carry what the
// resource says about a patient.
func TestIssuesQuoteNoValues(t *testing.T) {
	_, err := Parse([]byte(`{"resourceType":"Patient","gender":"SECRET","birthDate":"SECRET","name":[{"use":"SECRET","given":[" "]}],"identifier":[{"system":"SEC RET"}]}`))
	var invalid *Invalid
	if !errors.As(err, &invalid) || len(invalid.Issues) != 5 {
		t.Fatal(err)
	}
	for _, i := range invalid.Issues {
		if strings.Contains(fmt.Sprint(i), "SEC") {
			t.Errorf("%+v", i)
		}
	}
}

func TestXHTML(t *testing.T) {
	const ns = `<div xmlns=\"http://www.w3.org/1999/xhtml\">`
	for value, want := range map[string]*rule{
		ns + `a</div>`: nil,
		ns + `<p style=\"color:red\">é &lt; &#160;</p></div>`:                           nil,
		ns + `<a href=\"Patient/1\">a</a><a href=\"#x\">a</a><a name=\"n\">a</a></div>`: nil,
		ns + `<img src=\"data:image/png;base64,QQ==\" alt=\"a\"/></div>`:                nil,
		ns + `<img src=\"urn:uuid:1\"/></div>`:                                          nil,
		ns + `<!-- c -->a<br/></div>`:                                                   nil,
		`<h:div xmlns:h=\"http://www.w3.org/1999/xhtml\">a</h:div>`:                     nil,
		ns + `a<![CDATA[b]]></div>`:                                                     badXHTML,
		ns + `<![CDATA[><img src=\"x\" onerror=\"a()\"/>]]></div>`:                      badXHTML,
		ns + `a<!--><img src=\"x\" onerror=\"a()\"/>--></div>`:                          badXHTML,
		ns + `a<!---><img src=\"x\" onerror=\"a()\"/>--></div>`:                         badXHTML,
		ns + `<p x:y=\"z\">a</p></div>`:                                                 badXHTML,
		ns + `<p xmlns:x=\"urn:x\" x:y=\"z\">a</p></div>`:                               activeXHTML,
		ns + `<p xml:lang=\"fr\">a</p></div>`:                                           nil,
		ns + `<p title=\"a\"class=\"b\">a</p></div>`:                                    badXHTML,
		ns + `a</div><!-- c -->`:                                                        badXHTML,
		`<!-- c -->` + ns + `a</div>`:                                                   badXHTML,
		`\n` + ns + `a</div> `:                                                          nil,
		`<?xml version=\"1.0\"?>` + ns + `a</div>`:                                      badXHTML,
		`<div>a</div>`: badXHTML,
		`<p xmlns=\"http://www.w3.org/1999/xhtml\">a</p>`: badXHTML,
		ns + `a`:                                                      badXHTML,
		ns + `<p>a</div>`:                                             badXHTML,
		ns + `a</div>` + ns + `a</div>`:                               badXHTML,
		ns + `a</div>b`:                                               badXHTML,
		ns + `&nbsp;a</div>`:                                          badXHTML,
		`<!DOCTYPE html>` + ns + `a</div>`:                            badXHTML,
		`<?x y?>` + ns + `a</div>`:                                    badXHTML,
		ns + `<p id=\"a\" id=\"b\">a</p></div>`:                       badXHTML,
		`text`:                                                        badXHTML,
		ns + ` </div>`:                                                blankXHTML,
		ns + `<script>a</script></div>`:                               activeXHTML,
		ns + `<p onclick=\"a()\">a</p></div>`:                         activeXHTML,
		ns + `<p ONCLICK=\"a()\">a</p></div>`:                         activeXHTML,
		ns + `<form>a</form></div>`:                                   activeXHTML,
		ns + `<iframe src=\"http://x\">a</iframe></div>`:              activeXHTML,
		ns + `<object data=\"http://x\">a</object></div>`:             activeXHTML,
		ns + `<style>a</style></div>`:                                 activeXHTML,
		ns + `<link href=\"http://x\"/>a</div>`:                       activeXHTML,
		ns + `<svg xmlns=\"http://www.w3.org/2000/svg\"/>a</div>`:     badXHTML,
		ns + `<a href=\"javascript:a()\">a</a></div>`:                 activeXHTML,
		ns + `<a href=\" java\nscript:a()\">a</a></div>`:              activeXHTML,
		ns + `<a href=\"&#106;avascript:a()\">a</a></div>`:            activeXHTML,
		ns + `<a href=\"data:text/html,a\">a</a></div>`:               activeXHTML,
		ns + `<img src=\"data:image/svg+xml,a\"/></div>`:              activeXHTML,
		ns + `<p style=\"background:url(http://x)\">a</p></div>`:      activeXHTML,
		ns + `<p style=\"width:expression(a)\">a</p></div>`:           activeXHTML,
		ns + `<p style=\"background:u\\\\72l(http://x)\">a</p></div>`: activeXHTML,
	} {
		_, err := Parse([]byte(`{"resourceType":"Patient","text":{"status":"generated","div":"` + value + `"}}`))
		var invalid *Invalid
		switch {
		case want == nil && err != nil:
			t.Errorf("%s: %v", value, err)
		case want != nil && (!errors.As(err, &invalid) || invalid.Issues[0].Diagnostics != want.note):
			t.Errorf("%s: got %v, want %s", value, err, want.note)
		}
	}
}
