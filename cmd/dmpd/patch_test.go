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
