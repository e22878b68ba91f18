package main

import (
	"net/http"
	"strings"
	"testing"
)

const archivedURL = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"

// patchXML sends an XML Patch whose prefix f is FHIR.
func (p *person) patchXML(path, operations string) *reply {
	p.t.Helper()
	return p.do(http.MethodPatch, path, "application/xml-patch+xml", []byte(`<?xml version="1.0" encoding="UTF-8"?><diff xmlns:f="http://hl7.org/fhir">`+operations+`</diff>`))
}

// The permitted elements, and no others, change by an XML Patch: by id, under a
// condition, and by a query.
func TestPatchXML(t *testing.T) {
	w := openWorld(t)
	author := w.as("hopital-nord")
	pushed := author.post("", []byte(hospitalPush(w.people["patient-alix"].INS, "patch in XML"))).is(200)
	doc := refOf(pushed.at("entry.1.response.location"))
	defer author.delete(doc) // the world is shared

	archive := `<replace sel="f:DocumentReference/f:extension[@url='` + archivedURL + `']/f:valueBoolean/@value">true</replace>`
	author.patchXML(doc, archive).is(200).has("extension.0.url", archivedURL).has("extension.0.valueBoolean", "true").has("meta.versionId", "2")
	author.patchXML(doc, `<remove sel="f:DocumentReference/f:extension[@url='`+archivedURL+`']"/>`).is(200).has("extension", "")
	author.with("If-Match", `W/"1"`).patchXML(doc, archive).is(412)

	master := author.get(doc).is(200)
	query := "DocumentReference?identifier=" + master.at("masterIdentifier.system") + "|" + master.at("masterIdentifier.value")
	author.patchXML(query, `<replace sel="f:DocumentReference/f:status"><f:status value="superseded"/></replace>`).is(200).has("status", "superseded")

	for name, c := range map[string]struct {
		operations string
		status     int
	}{
		"another element":    {`<replace sel="f:DocumentReference/f:date/@value">2024-01-01T00:00:00Z</replace>`, 405},
		"another extension":  {`<add sel="f:DocumentReference"><f:extension url="http://example.org/x"><f:valueString value="x"/></f:extension></add>`, 405},
		"another URL for it": {archive + `<replace sel="f:DocumentReference/f:extension[@url='` + archivedURL + `']"><f:extension url="http://example.org/x"><f:valueString value="x"/></f:extension></replace>`, 405},
		"no code of R4":      {`<replace sel="f:DocumentReference/f:status/@value">perdu</replace>`, 422},
		"other XPath":        {`<remove sel="//f:status"/>`, 400},
		"entity":             {`&status;`, 400},
	} {
		got := author.patchXML(doc, c.operations)
		if got.status != c.status {
			t.Errorf("%s: %d, want %d\n%s", name, got.status, c.status, got.body)
		}
	}
	if v := author.get(doc).is(200).at("meta.versionId"); v != "4" {
		t.Errorf("a refused patch left version %s", v)
	}
	body := string(author.get("metadata").is(200).body)
	if !strings.Contains(body, `"application/xml-patch+xml"`) {
		t.Error("/metadata does not declare the format")
	}
}

// A FHIRPath Patch that gives a permitted extension another URL changes what is not
// permitted, whatever its path says.
func TestPatchOfAnExtensionURL(t *testing.T) {
	w := openWorld(t)
	author := w.as("hopital-nord")
	pushed := author.post("", []byte(hospitalPush(w.people["patient-alix"].INS, "patch of a URL"))).is(200)
	doc := refOf(pushed.at("entry.1.response.location"))
	defer author.delete(doc)
	part := func(op, path, value string) []byte {
		return []byte(`{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"` + op + `"},{"name":"path","valueString":"` + path + `"},` + value + `]}]}`)
	}
	path := "DocumentReference.extension.where(url='" + archivedURL + "')"
	author.do("PATCH", doc, "application/fhir+json", part("replace", path+".value", `{"name":"value","valueBoolean":true}`)).is(200)
	author.do("PATCH", doc, "application/fhir+json", part("replace", path+".url", `{"name":"value","valueUri":"http://example.org/x"}`)).is(405)
}
