package dossier_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"opendmp/dossier"
	"opendmp/store"
)

// header is a CDA whose header agrees with the published examples.
const header = `<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.250.1.999.1.1.8121.9"/>
<code code="11488-4" codeSystem="2.16.840.1.113883.6.1"/><title>Compte rendu de consultation</title>
<effectiveTime value="20260312093000+0100"/><confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="fr-FR"/>
<recordTarget><patientRole><id root="1.2.250.1.213.1.4.8" extension="123456789012345"/></patientRole></recordTarget>
<author><assignedAuthor><id root="1.2.250.1.71.4.2.1" extension="899700218896"/><assignedPerson><name><family>EXEMPLE</family><given>Dominique</given></name></assignedPerson>
<representedOrganization><id root="1.2.250.1.71.4.2.2" extension="1750000003"/><name>Cabinet</name></representedOrganization></assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.250.1.71.4.2.2" extension="1750000003"/><name>Cabinet</name></representedCustodianOrganization></assignedCustodian></custodian>
</ClinicalDocument>`

// eicarFile is the EICAR test file, in parts so that no scanner takes this source
// for it.
const eicarFile = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-` + `ANTIVIRUS-TEST-FILE!$H+H*`

// publication is the published example of ITI-105 with another content.
func publication(t testing.TB, mime, content string) string {
	doc := fixture(t, "pdsm4dmp/DocumentReference-example-td2-iti105-publication-simplifiee.json")
	from := strings.Index(doc, `"data": "`) + len(`"data": "`)
	to := from + strings.Index(doc[from:], `"`)
	doc = doc[:from] + base64.StdEncoding.EncodeToString([]byte(content)) + doc[to:]
	return strings.Replace(doc, `"contentType": "application/xml"`, `"contentType": "`+mime+`"`, 1)
}

// SECURITY WB01, WB07: what a content is decides, not what it is called.
func TestContentsAreRecognised(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	for name, c := range map[string]struct {
		mime, content string
		status        int
	}{
		"HTML as PDF":         {"application/pdf", "<html><script>alert(1)</script></html>", 422},
		"HTML as such":        {"text/html", "<html></html>", 422},
		"HTML as text":        {"text/plain", "<html></html>", 422},
		"SVG as XML":          {"application/xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`, 422},
		"script as PDF":       {"application/pdf", "alert(1)", 422},
		"archive as PDF":      {"application/pdf", "PK\x03\x04", 422},
		"program":             {"application/octet-stream", "MZ\x90\x00", 422},
		"PDF as image":        {"image/png", "%PDF-1.7", 422},
		"EICAR":               {"text/plain", eicarFile, 422},
		"CDA with a DTD":      {"application/xml", `<!DOCTYPE x>` + header, 422},
		"CDA around a script": {"application/xml", strings.Replace(header, "</ClinicalDocument>", `<component><nonXMLBody><text mediaType="application/pdf" representation="B64">YWxlcnQoMSk=</text></nonXMLBody></component></ClinicalDocument>`, 1), 422},
	} {
		t.Run(name, func(t *testing.T) {
			got := author.post("DocumentReference", publication(t, c.mime, c.content)).is(c.status)
			if at := got.at("issue.0.expression.0"); !strings.HasPrefix(at, "DocumentReference.content[0].attachment") {
				t.Errorf("found at %q", at)
			}
		})
	}
	h.doctor("8899900000099", "1750000001").get("DocumentReference?patient.identifier="+published.System+"|"+published.Value).is(200).has("total", "0")
	author.post("DocumentReference", publication(t, "application/pdf", "%PDF-1.7\n")).is(201)

	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	other := strings.NewReplacer(
		"PD94bWwgdmVyc2lvbj0iMS4wIiBlbmNvZGluZz0iVVRGLTgiPz48Q2xpbmljYWxEb2N1bWVudCB4bWxucz0idXJuOmhsNy1vcmc6djMiLz4=",
		base64.StdEncoding.EncodeToString([]byte("<html></html>")), `"size": 80,`, "", `"hash": "A/hMRrv6Y15BjSM8kMLidrz+mHc=",`, "").Replace(push)
	author.post("", other).is(422).has("issue.0.expression.0", "Bundle.entry[1].resource.content[0].attachment.contentType")
}

// The setting controle-cda: type, patient and author of a CDA are compared with
// the metadata that announce it.
func TestHeaderOfCDA(t *testing.T) {
	wrong := map[string][2]string{
		"type":    {"11488-4", "34112-3"},
		"subject": {"123456789012345", "278067511800190"},
		"author":  {"899700218896", "899700099999"},
	}
	levels := map[string]struct {
		level  dossier.Level
		status int
	}{"avertir": {dossier.Warns, 201}, "refuser": {dossier.Refuses, 422}, "ignorer": {dossier.Off, 201}}
	asOutcome := func(r *dossier.Request) { r.Return = "OperationOutcome" }
	for name, l := range levels {
		t.Run(name, func(t *testing.T) {
			h := newHouseOver(t, func(s store.Store) store.Store { return s }, func(c *dossier.Config) { c.CDA = l.level })
			h.openFor(published)
			author := h.doctor("899700218896", "1750000003")
			post := func(content string) answer {
				return author.do(http.MethodPost, "DocumentReference", "application/fhir+json", publication(t, "application/xml", content), asOutcome)
			}
			for element, change := range wrong {
				bad := strings.ReplaceAll(header, change[0], change[1])
				if element == "author" {
					bad = strings.ReplaceAll(bad, "1750000003", "1750000004")
				}
				doc := strings.Replace(publication(t, "application/xml", bad), "99999.1", "99999.1"+map[string]string{"type": "1", "subject": "2", "author": "3"}[element], 1)
				got := author.do(http.MethodPost, "DocumentReference", "application/fhir+json", doc, asOutcome).is(l.status)
				switch name {
				case "avertir":
					got.has("issue", "2").has("issue.1.severity", "warning").has("issue.1.expression.0", "DocumentReference."+element)
					again := author.do(http.MethodPost, "DocumentReference", "application/fhir+json", doc, asOutcome).is(201)
					if string(again.body) != string(got.body) {
						t.Errorf("told again: %s\nfirst: %s", again.body, got.body)
					}
				case "refuser":
					got.has("issue", "1").has("issue.0.severity", "error").has("issue.0.expression.0", "DocumentReference."+element)
				default:
					got.has("issue", "1")
				}
			}
			post(header).is(201).has("issue", "1")
		})
	}
}

// A submission tells of a header that disagrees in the entry of the document.
func TestHeaderOfCDAInSubmission(t *testing.T) {
	h := newHouseOver(t, plain, func(c *dossier.Config) { c.Codes = dossier.Off })
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	first := author.post("", push).is(200)
	first.has("entry.1.response.outcome.issue.2.expression.0", "DocumentReference.type").has("entry.1.response.outcome.issue.2.severity", "warning")
	if again := author.post("", push).is(200); string(again.body) != string(first.body) {
		t.Errorf("told again: %s\nfirst: %s", again.body, first.body)
	}
}
