package main

import (
	"strings"
	"testing"
)

// A document is patched as JSON Patch and as FHIRPath Patch, and a search is the
// same by GET and by POST.
func TestPatchFormats(t *testing.T) {
	w := openWorld(t)
	author := w.as("hopital-nord")
	pushed := author.post("", []byte(hospitalPush(w.people["patient-alix"].INS, "patch formats"))).is(200)
	doc := refOf(pushed.at("entry.1.response.location"))
	author.do("PATCH", doc, "application/fhir+json", []byte(`{"resourceType":"Parameters","parameter":[{"name":"operation","part":[
		{"name":"type","valueCode":"replace"},{"name":"path","valueString":"DocumentReference.status"},{"name":"value","valueCode":"superseded"}]}]}`)).
		is(200).has("status", "superseded")
	author.do("PATCH", doc, "text/plain", []byte(`x`)).is(415).has("resourceType", "OperationOutcome")

	reader := w.as("medecin-martin")
	form := "patient=" + w.patient("patient-alix") + "&status=superseded&_total=accurate"
	byPost := reader.do("POST", "DocumentReference/_search", "application/x-www-form-urlencoded", []byte(form)).is(200)
	defer author.delete(doc) // the world is shared
	byPost.has("total", reader.get("DocumentReference?"+form).is(200).at("total"))
}

// refOf takes the version off a location.
func refOf(location string) string {
	ref, _, _ := strings.Cut(location, "/_history/")
	return ref
}

// What adds a label or the archive extension twice adds it once, and what removes a
// label unmasks the document.
func TestPatchedLabels(t *testing.T) {
	w := openWorld(t)
	author := w.as("hopital-nord")
	doc := refOf(author.post("", []byte(hospitalPush(w.people["patient-alix"].INS, "patched labels"))).is(200).at("entry.1.response.location"))
	defer author.delete(doc) // the world is shared
	patch := func(operations string) *reply {
		return author.do("PATCH", doc, "application/json-patch+json", []byte("["+operations+"]"))
	}
	const archive = `{"url":"https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived","valueBoolean":`
	patch(`{"op":"add","path":"/extension","value":[`+archive+`true},`+archive+`false}]}`).is(422).has("issue.0.code", "business-rule")
	patch(`{"op":"add","path":"/extension","value":[`+archive+`true},`+archive+`true}]}`).is(200).has("extension", "1")

	labels := author.get(doc).is(200).at("securityLabel")
	add := `{"op":"add","path":"/securityLabel/-","value":{"coding":[{"system":"` + visibility + `","code":"MASQUE_PS"}]}}`
	first := author.get(doc).at("securityLabel.0.coding.0.code")
	masked := patch(add + "," + add + "," + add).is(200)
	again := patch(add).is(200)
	if masked.at("securityLabel") != again.at("securityLabel") || masked.at("meta.versionId") != again.at("meta.versionId") {
		t.Errorf("%s labels in version %s, then %s in %s", masked.at("securityLabel"), masked.at("meta.versionId"), again.at("securityLabel"), again.at("meta.versionId"))
	}
	last := "0"
	if first != "" {
		last = labels
	}
	again.has("securityLabel."+last+".coding.0.code", "MASQUE_PS")
	patch(`{"op":"remove","path":"/securityLabel/`+last+`"}`).is(200).has("securityLabel", labels)
}
