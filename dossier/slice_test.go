package dossier_test

import (
	"strings"
	"testing"

	"opendmp/fhir"
)

var farid = fhir.Ident{System: systemTestINS, Value: "155126748202370"}

// published is the patient of the published examples, whose INS has a wrong key.
var published = fhir.Ident{System: "urn:oid:1.2.250.1.213.1.4.8", Value: "123456789012345"}

// opening is the bundle that opens the dossier of ins.
func opening(t testing.TB, ins fhir.Ident) string {
	return strings.NewReplacer(farid.Value, ins.Value, farid.System, ins.System).Replace(fixture(t, "opendmp/Bundle-ouverture.json"))
}

// openFor opens a dossier as hospital North and returns the id of its Patient.
func (h *house) openFor(ins fhir.Ident) string {
	h.t.Helper()
	a := h.doctor("8899900000011", "1750000001").post("", opening(h.t, ins)).is(200)
	return strings.Split(a.at("entry.0.response.location"), "/")[1]
}

func TestFirstSlice(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")

	pushed := author.post("", push).is(200).has("type", "transaction-response").has("entry.1.response.status", "201 Created")
	again := author.post("", push).is(200)
	if pushed.at("entry.1.response.location") != again.at("entry.1.response.location") {
		t.Error("the same push again has another answer")
	}

	reader := h.doctor("8899900000099", "1750000001") // VALIDE by the structure
	query := "?patient.identifier=" + published.System + "|" + published.Value + "&status=current"
	found := reader.get("DocumentReference"+query).is(200).has("total", "1")
	id := found.at("entry.0.resource.id")
	reader.get("DocumentReference/"+id).is(200).has("content.0.attachment.title", "Compte rendu de consultation")
	binary := found.at("entry.0.resource.content.0.attachment.url")
	reader.get(binary).is(200).has("contentType", "application/xml")

	stranger := h.doctor("8899900000098", "1750000004")
	stranger.get("DocumentReference" + query).is(403)
	hidden := stranger.get("DocumentReference/" + id).is(404)
	absent := stranger.get("DocumentReference/nothing").is(404)
	if string(hidden.body) != string(absent.body) {
		t.Errorf("hidden and absent differ:\n%s\n%s", hidden.body, absent.body)
	}

	me := h.patient(published)
	history := me.get("AuditEvent?patient.identifier=" + published.System + "|" + published.Value).is(200)
	if history.at("entry") == "" || history.at("entry") == "0" {
		t.Errorf("no history: %s", history.body)
	}
}
