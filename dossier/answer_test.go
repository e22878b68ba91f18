package dossier_test

import (
	"strings"
	"testing"

	"opendmp/dossier"
	"opendmp/fhir"
)

// An answer in XML is the same answer: neither its kind nor its status changes, and
// what is no resource of the server stays as it is.
func TestAnswersInXML(t *testing.T) {
	const fhirJSON = "application/fhir+json; charset=utf-8"
	const patient = `{"resourceType":"Patient","active":true}`
	for _, c := range []struct {
		name, mime, body string
		format           fhir.Format
		inXML            bool
	}{
		{"resource", fhirJSON, patient, fhir.FormatXML, true},
		{"resource for who reads JSON", fhirJSON, patient, fhir.FormatJSON, false},
		{"resource for who reads nothing", fhirJSON, patient, 0, false},
		{"JSON of a document", "application/json", patient, fhir.FormatXML, false},
		{"no body", "", "", fhir.FormatXML, false},
		{"a resource that XML cannot say", fhirJSON, `{"resourceType":"Patient","x":"y"}`, fhir.FormatXML, false},
	} {
		before := dossier.Public(201, c.mime, []byte(c.body))
		after := before.As(c.format, false)
		if after.Status() != 201 || !after.Writable() || after.Clinical() {
			t.Errorf("%s: another answer", c.name)
		}
		switch {
		case !c.inXML && (after.MediaType() != c.mime || string(after.Body()) != c.body):
			t.Errorf("%s: %s %s", c.name, after.MediaType(), after.Body())
		case c.inXML && (after.MediaType() != fhir.FormatXML.MediaType() || !strings.Contains(string(after.Body()), `<active value="true"/>`)):
			t.Errorf("%s: %s %s", c.name, after.MediaType(), after.Body())
		}
	}
	if (dossier.Answer{}).As(fhir.FormatXML, true).Writable() {
		t.Error("the zero Answer became writable")
	}
}
