package dossier_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// generating is the body of ITI-106 for a content.
func generating(mime, content string) string {
	return `{"resourceType":"Parameters","parameter":[{"name":"document","resource":{"resourceType":"Binary","contentType":"` + mime +
		`","data":"` + base64.StdEncoding.EncodeToString([]byte(content)) + `"}}]}`
}

const generate = "DocumentReference/$generate-metadata"

// A CDA is published by its header alone: what a reader finds says what the header
// does, and the same document twice is there once.
func TestGenerateFromCDA(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	first := author.post(generate, generating("text/xml", header)).is(200).has("resourceType", "Parameters").has("parameter.0.name", "DocumentReference")
	ref := first.at("parameter.0.valueReference.reference")

	reader := h.doctor("8899900000099", "1750000001")
	doc := reader.get(ref).is(200)
	doc.has("masterIdentifier.value", "urn:oid:1.2.250.1.999.1.1.8121.9").has("status", "current").
		has("type.coding.0.system", "http://loinc.org").has("type.coding.0.code", "11488-4").has("category.0.coding.0.code", "10").
		has("securityLabel.0.coding.0.code", "N").has("content.0.attachment.title", "Compte rendu de consultation").
		has("content.0.attachment.creation", "2026-03-12T09:30:00+01:00").has("content.0.attachment.contentType", "text/xml").
		has("content.0.attachment.language", "fr-FR").has("content.0.attachment.data", "").
		has("custodian.identifier.value", "1750000003").has("author.0.reference", "#author-1")
	reader.get(doc.at("content.0.attachment.url")).is(200).has("data", base64.StdEncoding.EncodeToString([]byte(header)))
	of := "?patient.identifier=" + published.System + "|" + published.Value
	reader.get("List"+of+"&status=current&code=https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes|submissionset").is(200).has("total", "1").
		has("entry.0.resource.entry.0.item.reference", ref)

	h.now = h.now.Add(time.Second) // the date of the publication is made by the server
	again := author.post(generate, generating("text/xml", header)).is(200)
	if string(again.body) != string(first.body) {
		t.Errorf("told again: %s\nfirst: %s", again.body, first.body)
	}
	reader.get("DocumentReference"+of).is(200).has("total", "1")
	author.post(generate, generating("text/xml", strings.Replace(header, "Compte rendu", "Autre", 1))).is(409)
}

// A CDA that replaces another (relatedDocument RPLC) ends it.
func TestGenerateReplaces(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	old := author.post(generate, generating("application/xml", header)).is(200).at("parameter.0.valueReference.reference")
	next := strings.Replace(header, "8121.9", "8121.10", 1)
	replacing := func(oid string) string {
		return strings.Replace(next, "</ClinicalDocument>", `<relatedDocument typeCode="RPLC"><parentDocument><id root="`+oid+`"/></parentDocument></relatedDocument></ClinicalDocument>`, 1)
	}
	author.post(generate, generating("application/xml", replacing("1.2.250.1.999.1.1.8121.404"))).is(422).has("issue.0.expression.0", "DocumentReference.relatesTo")
	ref := author.post(generate, generating("application/xml", replacing("1.2.250.1.999.1.1.8121.9"))).is(200).at("parameter.0.valueReference.reference")
	author.get(old).is(200).has("status", "superseded")
	author.get(ref).is(200).has("relatesTo.0.code", "replaces").has("relatesTo.0.target.reference", old)
	author.post(generate, generating("application/xml", replacing("1.2.250.1.999.1.1.8121.9"))).is(200).has("parameter.0.valueReference.reference", ref)
}

// A FHIR document is published by its Composition.
func TestGenerateFromFHIRDocument(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	const document = `{"resourceType":"Bundle","type":"document","identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.250.1.999.1.1.8121.20"},"timestamp":"2026-03-12T09:30:00+01:00","entry":[
	{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":{"resourceType":"Composition","status":"final","type":{"coding":[{"system":"http://loinc.org","code":"11488-4"}]},"confidentiality":"N","date":"2026-03-12T09:30:00+01:00","title":"Compte rendu",
	 "subject":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000002"},"author":[{"reference":"urn:uuid:00000000-0000-4000-8000-000000000003"}]}},
	{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000002","resource":{"resourceType":"Patient","identifier":[{"system":"urn:oid:1.2.250.1.213.1.4.8","value":"123456789012345"}]}},
	{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000003","resource":{"resourceType":"Practitioner","identifier":[{"system":"urn:oid:1.2.250.1.71.4.2.1","value":"899700218896"}],"name":[{"family":"EXEMPLE","given":["Dominique"]}]}}]}`
	body := `{"resourceType":"Parameters","parameter":[{"name":"document","resource":` + document + `}]}`
	ref := author.post(generate, body).is(200).at("parameter.0.valueReference.reference")
	doc := author.get(ref).is(200).has("masterIdentifier.value", "urn:oid:1.2.250.1.999.1.1.8121.20").has("type.coding.0.code", "11488-4").
		has("content.0.attachment.title", "Compte rendu").has("content.0.attachment.contentType", "application/fhir+json").has("securityLabel.0.coding.0.code", "N")
	h.doctor("8899900000099", "1750000001").get(doc.at("content.0.attachment.url")).is(200).has("data", base64.StdEncoding.EncodeToString([]byte(document)))
	author.post(generate, body).is(200).has("parameter.0.valueReference.reference", ref)
}

// What ITI-106 refuses; nothing of it is stored, and the policy is that of every
// publication.
func TestGenerateRefuses(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	without := func(old string) string { return strings.Replace(header, old, "", 1) }
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"nothing":          {`{"resourceType":"Parameters"}`, 400},
		"another resource": {`{"resourceType":"Parameters","parameter":[{"name":"document","resource":{"resourceType":"Patient"}}]}`, 400},
		"two documents":    {strings.Replace(generating("text/xml", header), `}}]}`, `}},{"name":"document","resource":{"resourceType":"Binary","contentType":"text/plain","data":"YQ=="}}]}`, 1), 400},
		"a collection":     {`{"resourceType":"Parameters","parameter":[{"name":"document","resource":{"resourceType":"Bundle","type":"collection"}}]}`, 400},
		"a PDF":            {generating("application/pdf", "%PDF-1.7\n"), 422},
		"a CDA as PDF":     {generating("application/pdf", header), 422},
		"no identifier":    {generating("text/xml", without(`<id root="1.2.250.1.999.1.1.8121.9"/>`)), 422},
		"no type":          {generating("text/xml", without(`<code code="11488-4" codeSystem="2.16.840.1.113883.6.1"/>`)), 422},
		"no INS":           {generating("text/xml", without(`<id root="1.2.250.1.213.1.4.8" extension="123456789012345"/>`)), 422},
		"empty":            {generating("text/xml", `<ClinicalDocument xmlns="urn:hl7-org:v3"/>`), 422},
		"another patient":  {generating("text/xml", strings.Replace(header, "123456789012345", "278067511800190", 1)), 422},
		"another author":   {generating("text/xml", strings.ReplaceAll(strings.Replace(header, "899700218896", "899700099999", 1), "1750000003", "1750000009")), 403},
	} {
		t.Run(name, func(t *testing.T) { author.post(generate, c.body).is(c.status).has("resourceType", "OperationOutcome") })
	}
	h.doctor("8899900000099", "1750000001").get("DocumentReference?patient.identifier="+published.System+"|"+published.Value).is(200).has("total", "0")
}
