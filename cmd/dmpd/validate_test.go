package main

import (
	"strings"
	"testing"
)

// $validate on a type: the findings and nothing else, for whoever is known; what is
// not valid FHIR is answered 200 too, what is no resource of the type 400.
func TestValidateOnType(t *testing.T) {
	w := openWorld(t)
	const good = `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"contentType":"text/plain","url":"Binary/1"}}]}`
	const minimal = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Minimal.DocumentReference"
	parameters := func(parts string) string {
		return `{"resourceType":"Parameters","parameter":[{"name":"resource","resource":` + good + `}` + parts + `]}`
	}
	me := w.as("medecin-martin")
	for _, test := range []struct{ name, path, body, severity, at string }{
		{"R4 alone", "", good, "warning", "DocumentReference"},
		{"not valid", "", strings.Replace(good, "current", "ancien", 1), "error", "DocumentReference.status"},
		{"profile in the URL", "?profile=" + minimal, good, "error", "DocumentReference.masterIdentifier"},
		{"mode profile", "?mode=profile&profile=" + minimal, good, "error", "DocumentReference.masterIdentifier"},
		{"mode profile, with none", "?mode=profile", good, "warning", "DocumentReference"},
		{"mode profile in Parameters", "", parameters(`,{"name":"mode","valueCode":"profile"},{"name":"profile","valueUri":"` + minimal + `"}`), "error", "DocumentReference.masterIdentifier"},
		{"profile in Parameters", "", parameters(`,{"name":"profile","valueUri":"` + minimal + `"}`), "error", "DocumentReference.masterIdentifier"},
		{"a mode that is offered", "?mode=create", good, "warning", "DocumentReference"},
		{"a profile that is not known", "?profile=http://x", good, "information", "DocumentReference"},
	} {
		answer := me.post("DocumentReference/$validate"+test.path, []byte(test.body)).is(200).has("resourceType", "OperationOutcome")
		if !strings.Contains(string(answer.body), `"severity":"`+test.severity+`"`) || !strings.Contains(string(answer.body), `"expression":["`+test.at+`"]`) {
			t.Errorf("%s: %s", test.name, answer.body)
		}
	}
	me.do("POST", "DocumentReference/$validate", "text/json", []byte(good)).is(200)
	me.do("POST", "", "text/json; charset=utf-8", batchOf(`{"request":{"method":"GET","url":"metadata"}}`)).is(200)
	me.do("POST", "DocumentReference/$validate", "text/plain", []byte(good)).is(415)
	me.post("Consent/$validate?mode=delete", []byte(good)).is(400)
	me.post("Patient/$validate?mode=create", []byte(`{"resourceType":"Patient"}`)).is(200)
	me.post("AuditEvent/$validate?mode=create", []byte(`{"resourceType":"AuditEvent"}`)).is(200).has("issue.0.code", "not-supported")
	for _, body := range []string{`{"resourceType":"Patient"}`, `[]`, `{`, `{"resourceType":"Parameters"}`, parameters(`,{"name":"rien"}`), parameters(`,{"name":"mode","valueCode":"lire"}`)} {
		me.post("DocumentReference/$validate", []byte(body)).is(400)
	}
	me.post("DocumentReference/$validate?autre=1", []byte(good)).is(400)
	me.get("DocumentReference/$validate").is(405)
	w.as("").post("DocumentReference/$validate", []byte(good)).is(401)
}

// $validate on an instance is for who may read it; others get what they get for an
// id that does not exist. Nothing is changed, and the patient sees that it was looked at.
func TestValidateOnInstance(t *testing.T) {
	w := openWorld(t)
	doc := w.doc("alix-masque")
	body := func(mode string) []byte {
		return []byte(`{"resourceType":"Parameters","parameter":[{"name":"mode","valueCode":"` + mode + `"}]}`)
	}
	patient := w.as("patient-alix")
	before := string(patient.get(doc).is(200).body)
	patient.post(doc+"/$validate", body("delete")).is(200).has("resourceType", "OperationOutcome")
	patient.post(doc+"/$validate?mode=update", []byte(before)).is(200)
	patient.post(doc+"/$validate?mode=update", []byte(strings.Replace(before, `"id"`, `"language"`, 1))).is(200).has("issue.0.severity", "error")
	if after := string(patient.get(doc).is(200).body); after != before {
		t.Errorf("changed: %s", after)
	}
	for _, persona := range []string{"medecin-martin", "medecin-durand", "medecin-leroy", "pharmacien-dubois", "dentiste-faure", "hopital-nord", "patient-basile", "operateur"} {
		who := w.as(persona)
		want := who.get(doc).status
		got := who.post(doc+"/$validate", body("delete")).is(want)
		absent := who.post("DocumentReference/inconnu/$validate", body("delete")).is(404)
		if want == 404 && string(got.body) != string(absent.body) {
			t.Errorf("%s: hidden %s, absent %s", persona, got.body, absent.body)
		}
	}
}
