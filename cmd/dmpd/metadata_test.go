package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"opendmp/fhir"
)

// declared is what the tests read of /metadata.
type declared struct {
	Rest []struct {
		Resource []declaredType
	}
}

type declaredType struct {
	Type        string
	Interaction []struct{ Code, Documentation string }
	SearchParam []struct{ Name, Type string }
	Operation   []struct{ Name, Definition string }

	ConditionalCreate, ConditionalUpdate bool
	ConditionalDelete, Documentation     string
	SearchInclude, SearchRevInclude      []string
}

func (d declaredType) does(code string) (yes, onlyInside bool) {
	for _, i := range d.Interaction {
		if i.Code == code {
			return true, i.Documentation != ""
		}
	}
	return false, false
}

func (d declaredType) param(name string) bool {
	return slices.ContainsFunc(d.SearchParam, func(p struct{ Name, Type string }) bool { return p.Name == name })
}

func (w *world) metadata() []declaredType {
	w.t.Helper()
	var d declared
	check(w.t, json.Unmarshal(w.as("").get("metadata").is(200).body, &d))
	return d.Rest[0].Resource
}

// unserved tells that an answer says that nothing of the kind is served: a method
// or address that is not offered, a parameter that is not supported. That a resource
// is not there, or that its content is refused, is an answer of what is served.
func unserved(r *reply) bool {
	switch r.status {
	case 405, 406, 415, 501:
		return true
	case 400, 404:
		return bytes.Contains(r.body, []byte(`"code":"not-supported"`))
	}
	return r.status >= 500
}

// fhirTypes that the server has nothing of, of each corner of R4.
var fhirTypes = []string{"Observation", "Condition", "MedicationRequest", "DocumentManifest", "Composition", "Encounter", "Group", "Subscription", "ValueSet", "CodeSystem", "StructureDefinition", "SearchParameter", "Account", "Task", "Parameters", "OperationOutcome", "Resource", "patient", "PATIENT", "Nothing"}

// requestsOf are the requests of an interaction on a type; id is one that nothing has,
// so that what is asked changes nothing.
func requestsOf(typ, code string) (method, path, mime, body string) {
	const id, patch = "nothing-has-this-id", `[{"op":"replace","path":"/status","value":"current"}]`
	resource := fmt.Sprintf(`{"resourceType":%q,"id":%q}`, typ, id)
	switch code {
	case "read":
		return http.MethodGet, typ + "/" + id, "", ""
	case "vread":
		return http.MethodGet, typ + "/" + id + "/_history/1", "", ""
	case "history-instance":
		return http.MethodGet, typ + "/" + id + "/_history", "", ""
	case "history-type":
		return http.MethodGet, typ + "/_history", "", ""
	case "search-type":
		return http.MethodGet, typ + "?_id=" + id, "", ""
	case "create":
		return http.MethodPost, typ, "application/fhir+json", resource
	case "update":
		return http.MethodPut, typ + "/" + id, "application/fhir+json", resource
	case "patch":
		return http.MethodPatch, typ + "/" + id, "application/json-patch+json", patch
	case "delete":
		return http.MethodDelete, typ + "/" + id, "", ""
	case "conditional update":
		return http.MethodPut, typ + "?identifier=urn:x|" + id, "application/fhir+json", resource
	case "conditional patch":
		return http.MethodPatch, typ + "?identifier=urn:x|" + id, "application/json-patch+json", patch
	}
	return http.MethodDelete, typ + "?identifier=urn:x|" + id, "", ""
}

func (p *person) interaction(typ, code string) *reply {
	method, path, mime, body := requestsOf(typ, code)
	return p.do(method, path, mime, []byte(body))
}

// What the statement declares is answered, and what it does not declare is refused as
// not served: interactions.
func TestMetadataInteractions(t *testing.T) {
	w := openWorld(t)
	caller := w.as("patient-alix")
	for _, d := range w.metadata() {
		for _, code := range []string{"read", "vread", "history-instance", "history-type", "search-type", "create", "update", "patch", "delete"} {
			if d.Type == "OperationDefinition" && code == "read" {
				continue // TestMetadataOperations reads them
			}
			yes, onlyInside := d.does(code)
			got := caller.interaction(d.Type, code)
			if onlyInside && got.status == 400 {
				continue // what is wrong with the body is told before where it should go
			}
			if unserved(got) == (yes && !onlyInside) {
				t.Errorf("%s %s: declared %v, answered %d\n%.300s", code, d.Type, yes, got.status, got.body)
			}
			if onlyInside && code == "create" {
				entry := fmt.Sprintf(`{"fullUrl":"urn:uuid:1","resource":{"resourceType":%q},"request":{"method":"POST","url":%q}}`, d.Type, d.Type)
				got := caller.post("", []byte(`{"resourceType":"Bundle","type":"transaction","entry":[`+entry+`]}`))
				if unserved(got) || got.status >= 500 {
					t.Errorf("create %s in a transaction: %d\n%.300s", d.Type, got.status, got.body)
				}
			}
		}
		_, deletes := d.does("delete")
		if got := caller.interaction(d.Type, "conditional delete"); !deletes && d.ConditionalDelete != "single" && !unserved(got) {
			t.Errorf("conditional delete %s: %d", d.Type, got.status)
		}
		if d.ConditionalUpdate == unserved(caller.interaction(d.Type, "conditional update")) {
			t.Errorf("conditional PUT of %s: declared %v", d.Type, d.ConditionalUpdate)
		}
		if told := strings.Contains(d.Documentation, "Conditional patch"); told == unserved(caller.interaction(d.Type, "conditional patch")) {
			t.Errorf("conditional PATCH of %s: told of %v", d.Type, told)
		}
	}
	for _, typ := range fhirTypes {
		for _, code := range []string{"read", "vread", "history-instance", "search-type", "create", "update", "patch", "delete"} {
			if got := caller.interaction(typ, code); got.status != 404 || !unserved(got) {
				t.Errorf("%s %s: %d, want 404 of an address", code, typ, got.status)
			}
		}
	}
	for _, c := range [][2]string{
		{"GET", ""}, {"PUT", ""}, {"PATCH", ""}, {"DELETE", ""}, {"GET", "_history"}, {"POST", "_search"}, {"GET", "?_type=Patient"},
		{"POST", "metadata"}, {"DELETE", "metadata"}, {"GET", "$export"}, {"POST", "$validate"}, {"GET", "Patient/1/Observation"}, {"GET", "Patient/1/_history/1/2"}, {"GET", "Patient/1/$everything"},
	} {
		if got := caller.do(c[0], c[1], "application/fhir+json", nil); got.status != 404 && got.status != 405 {
			t.Errorf("%s %s: %d", c[0], c[1], got.status)
		}
	}
}

// valueOf is a value of a search parameter that finds nothing and is well formed.
func valueOf(typ, name string) string {
	switch {
	case name == "gender":
		return "female"
	case name == "isArchived":
		return "true"
	case typ == "date":
		return "2026-01-01"
	case strings.HasSuffix(name, "identifier"):
		return "urn:x|nothing"
	case typ == "reference":
		return "DocumentReference/nothing"
	}
	return "nothing"
}

// namesRecord are the parameters that name a record: two of them are a contradiction
// or an error, and they take no modifier.
func namesRecord(name string) bool {
	first, _, _ := strings.Cut(name, ".")
	return first == "patient" || first == "subject"
}

// What a search parameter declares is answered, with each modifier and prefix that
// the statement gives to its type; every other is refused.
func TestMetadataSearchParameters(t *testing.T) {
	w := openWorld(t)
	alix, ins := w.patient("patient-alix"), w.people["patient-alix"].INS
	caller := w.as("patient-alix")
	all := w.metadata()
	var names []string
	for _, d := range all {
		for _, p := range d.SearchParam {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, d := range all {
		if yes, _ := d.does("search-type"); !yes || fhir.OfDirectory(d.Type) { // TestMetadataDirectory
			continue
		}
		in := d.Type + "?patient=" + alix
		if d.Type == "Patient" {
			in = "Patient?identifier=" + url.QueryEscape(ins)
		}
		ask := func(name, modifier, value string) *reply {
			if d.Type != "Patient" && namesRecord(name) {
				value = "Patient/" + alix
				if strings.HasSuffix(name, ".identifier") {
					value = ins
				}
			}
			if d.Type == "Patient" && name == "identifier" {
				value = ins
				if modifier == "" {
					return caller.get(in)
				}
			}
			return caller.get(in + "&" + name + modifier + "=" + url.QueryEscape(value))
		}
		for _, p := range d.SearchParam {
			value := valueOf(p.Type, p.Name)
			if d.Type == "Patient" && slices.Contains([]string{"family", "given", "birthdate", "gender"}, p.Name) {
				if got := ask(p.Name, "", value); got.status != 400 && got.status != 403 || unserved(got) {
					t.Errorf("Patient?%s: %d", p.Name, got.status) // of a regulator only: samu_test.go
				}
				continue
			}
			if got := ask(p.Name, "", value); got.status != 200 {
				t.Errorf("%s?%s: %d\n%.300s", d.Type, p.Name, got.status, got.body)
			}
			if p.Type == "date" {
				for _, prefix := range []string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"} {
					if got := ask(p.Name, "", prefix+value); got.status != 200 {
						t.Errorf("%s?%s=%s: %d", d.Type, p.Name, prefix, got.status)
					}
				}
				if got := ask(p.Name, "", "xx"+value); got.status != 400 {
					t.Errorf("%s?%s=xx: %d", d.Type, p.Name, got.status)
				}
			}
			for _, modifier := range modifiersOf(d, p.Name, p.Type) {
				v := value
				switch modifier {
				case ":missing":
					v = "true"
				case ":identifier":
					v = "urn:x|nothing"
				}
				if got := ask(p.Name, modifier, v); got.status != 200 {
					t.Errorf("%s?%s%s: %d\n%.300s", d.Type, p.Name, modifier, got.status, got.body)
				}
			}
			for _, modifier := range []string{":above", ":below", ":text", ":of-type", ":sounds", ":foo", ":", ":MISSING"} {
				if got := ask(p.Name, modifier, value); got.status != 400 {
					t.Errorf("%s?%s%s: %d", d.Type, p.Name, modifier, got.status)
				}
			}
		}
		for _, name := range append(names, "_text", "_content", "_filter", "_list", "_tag", "_profile", "_security", "_source", "_query", "_type", "_has:Provenance:target:agent", "_contained", "_containedType", "foo", "Patient", "subject.name", "author.name", "$where", "") {
			if d.param(name) || d.Type == "Patient" && name == "patient" {
				continue
			}
			if got := caller.get(in + "&" + url.QueryEscape(name) + "=x"); got.status != 400 {
				t.Errorf("%s?%s is not declared: %d", d.Type, name, got.status)
			}
		}
		for kind, list := range map[string][]string{"_include": d.SearchInclude, "_revinclude": d.SearchRevInclude} {
			for _, value := range list {
				if got := caller.get(in + "&" + kind + "=" + value); got.status != 200 {
					t.Errorf("%s?%s=%s: %d\n%.300s", d.Type, kind, value, got.status, got.body)
				}
			}
			for _, value := range []string{"Observation:subject", d.Type + ":nothing", "*", "Patient:link"} {
				if got := caller.get(in + "&" + kind + "=" + value); got.status != 400 {
					t.Errorf("%s?%s=%s is not declared: %d", d.Type, kind, value, got.status)
				}
			}
		}
	}
}

// plainParams take no modifier: they name the record or find it, or their element is
// always there.
var plainParams = []string{"_id", "_lastUpdated", "isArchived"}

// modifiersOf are the modifiers that the statement gives to a parameter.
func modifiersOf(d declaredType, name, typ string) []string {
	if slices.Contains(plainParams, name) || namesRecord(name) || d.Type == "Patient" || name == "identifier" {
		return nil
	}
	var out []string
	switch typ {
	case "token":
		out = append(out, ":not")
	case "string":
		out = append(out, ":exact", ":contains", ":missing")
	case "date", "reference":
		out = append(out, ":missing")
	}
	if typ == "reference" && d.param(name+".identifier") {
		out = append(out, ":identifier")
	}
	return out
}

// Operations that are declared are answered, and defined; others are not there.
func TestMetadataOperations(t *testing.T) {
	w := openWorld(t)
	caller := w.as("patient-alix")
	body := []byte(`{"resourceType":"Parameters"}`)
	for _, d := range w.metadata() {
		for _, o := range d.Operation {
			if rest, own := strings.CutPrefix(o.Definition, w.base+"/"); own {
				w.as("").get(rest).is(200).has("resourceType", "OperationDefinition").has("code", o.Name)
			}
			onType, onOne := caller.post(d.Type+"/$"+o.Name, body), caller.post(d.Type+"/nothing-has-this-id/$"+o.Name, body)
			if unserved(onType) && unserved(onOne) {
				t.Errorf("%s/$%s: %d and %d", d.Type, o.Name, onType.status, onOne.status)
			}
		}
		for _, name := range []string{"everything", "docref", "meta", "meta-add", "export", "expand", "match", "lastn", "graphql", "convert", "document", "process-message", "", "Validate", "validate/x"} {
			for _, at := range []string{d.Type, d.Type + "/1"} {
				if got := caller.post(at+"/$"+name, body); got.status != 404 || !unserved(got) {
					t.Errorf("%s/$%s is not declared: %d", at, name, got.status)
				}
			}
		}
	}
}

// Generic clients ask for a part of the statement, or for it in another format, before
// they know what is served.
func TestPartOfMetadata(t *testing.T) {
	w := openWorld(t)
	anyone := w.as("")
	whole := anyone.get("metadata").is(200)
	for _, part := range []string{"_summary=true", "_summary=true&_format=json&_pretty=true", "_elements=fhirVersion", "_elements=CapabilityStatement.fhirVersion"} {
		r := anyone.get("metadata?"+part).is(200).has("resourceType", "CapabilityStatement").has("fhirVersion", "4.0.1").has("meta.tag.0.code", "SUBSETTED")
		if len(r.body) >= len(whole.body) {
			t.Errorf("%s: %d bytes, the whole has %d", part, len(r.body), len(whole.body))
		}
	}
	anyone.get("metadata?_summary=true").has("rest.0.documentation", "").has("rest.0.resource.0.type", "Patient").has("software.name", "OpenDMP")
	for _, all := range []string{"_summary=false", "_format=json", "_summary=false&_format=application/fhir%2Bjson"} {
		if r := anyone.get("metadata?" + all).is(200); string(r.body) != string(whole.body) {
			t.Errorf("%s is not the whole", all)
		}
	}
	anyone.get("metadata?_summary=data").is(200).has("rest", "1")
	anyone.get("metadata?_summary=text").is(200).has("status", "active").has("software", "")
	inXML := anyone.get("metadata?_summary=true&_format=xml").is(200)
	if !strings.HasPrefix(inXML.header.Get("Content-Type"), "application/fhir+xml") || !strings.Contains(string(inXML.body), `<code value="SUBSETTED"/>`) {
		t.Errorf("%s", inXML.body)
	}
	anyone.get("metadata?mode=terminology&_summary=true").is(200).has("resourceType", "TerminologyCapabilities")
	w.as("medecin-durand").post("", batchOf(`{"request":{"method":"GET","url":"metadata?_summary=true"}}`)).is(200).
		has("entry.0.response.status", "200 OK").has("entry.0.resource.resourceType", "CapabilityStatement")
}
