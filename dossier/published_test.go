package dossier_test

import (
	"strings"
	"testing"
)

// The published PDSm4DMP examples pass as they are.
func TestPublishedExamples(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	pushDocX(h, author)

	author.post("", fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")).is(200)

	reader := h.doctor("8899900000099", "1750000001")
	reader.get("DocumentReference/doc-x-id").is(200).has("status", "current")
	a := author.post("", fixture(t, "pdsm4dmp/Bundle-example-td2-1-remplacement.json")).is(200)
	a.has("entry.1.response.status", "201 Created").has("entry.2.response.status", "200 OK")
	reader.get("DocumentReference/doc-x-id").is(200).has("status", "superseded").has("meta.versionId", "2")

	simple := author.post("DocumentReference", fixture(t, "pdsm4dmp/DocumentReference-example-td2-iti105-publication-simplifiee.json")).is(201)
	simple.has("meta.profile", "").has("content.0.attachment.data", "").has("content.0.attachment.size", "80")
	reader.get(simple.at("content.0.attachment.url")).is(200).has("contentType", "application/xml")
	q := "?patient.identifier=" + published.System + "|" + published.Value
	reader.get("DocumentReference"+q+"&status=current&_summary=count").is(200).has("total", "3")
	reader.get("List"+q+"&status=current&code=https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes|submissionset").is(200).has("total", "4")
}

// pushDocX pushes the document that the replacement example replaces, under the
// id that it has there.
func pushDocX(h *house, author actor) {
	push := fixture(h.t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	push = strings.ReplaceAll(push, "1.2.250.1.213.1.4.8.99999.2", "1.2.250.1.213.1.4.8.99999.0")
	// The List comes first in the bundle and gets its id first.
	h.ids = []string{"list-of-doc-x", "doc-x-id"}
	author.post("", push).is(200)
}

// Each way to break the bundle is refused whole, and says which element.
func TestSubmissionRefused(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	other := farid
	h.openFor(other)
	author := h.doctor("899700218896", "1750000003")
	good := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	cases := []struct {
		name, old, new string
		status         int
		expression     string
	}{
		{"wrong hash", "A/hMRrv6Y15BjSM8kMLidrz+mHc=", "B/hMRrv6Y15BjSM8kMLidrz+mHc=", 422, "Bundle.entry[1].resource.content[0].attachment.hash"},
		{"wrong size", `"size": 80`, `"size": 81`, 422, "Bundle.entry[1].resource.content[0].attachment.size"},
		{"wrong type of content", `"contentType": "application/xml",
              "language"`, `"contentType": "application/pdf",
              "language"`, 422, "Bundle.entry[1].resource.content[0].attachment.contentType"},
		{"no profile", "pdsm-comprehensive-provide-document-bundle", "other", 400, "Bundle.meta.profile"},
		{"content elsewhere", `"url": "urn:uuid:aaaaaaaa-0000-0000-0000-000000000003"`, `"url": "Binary/known"`, 422, "Bundle.entry[1].resource.content[0].attachment.url"},
		{"type unknown", "11488-4", "00000-0", 422, ""},
		{"document without content entry", `"url": "Binary" }`, `"url": "Bonary" }`, 400, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatal("the case changes nothing")
			}
			a := author.post("", strings.Replace(good, c.old, c.new, 1)).is(c.status)
			a.has("resourceType", "OperationOutcome")
			if c.expression != "" {
				a.has("issue.0.expression.0", c.expression)
			}
		})
	}
	t.Run("two dossiers", func(t *testing.T) {
		ins := published.System + "|" + published.Value
		first := strings.Index(good, "Patient?identifier=")
		bad := good[:first] + strings.Replace(good[first:], ins, other.System+"|"+other.Value, 1)
		author.post("", bad).is(422).has("issue.0.expression.0", "Bundle.entry[1].resource.subject")
	})
	t.Run("nothing was stored", func(t *testing.T) {
		reader := h.doctor("8899900000099", "1750000001")
		reader.get("DocumentReference?patient.identifier="+published.System+"|"+published.Value).is(200).has("total", "0")
	})
}

// The same identifier with another content is a conflict, and the first stays.
func TestPushConflict(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	good := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	author.post("", good).is(200)
	// Another empty CDA in base64, without its size and SHA-1.
	other := strings.NewReplacer(
		"PD94bWwgdmVyc2lvbj0iMS4wIiBlbmNvZGluZz0iVVRGLTgiPz48Q2xpbmljYWxEb2N1bWVudCB4bWxucz0idXJuOmhsNy1vcmc6djMiLz4=", "PENsaW5pY2FsRG9jdW1lbnQgeG1sbnM9InVybjpobDctb3JnOnYzIj4gPC9DbGluaWNhbERvY3VtZW50Pg==",
		`"size": 80,`, "", `"hash": "A/hMRrv6Y15BjSM8kMLidrz+mHc=",`, "").Replace(good)
	author.post("", other).is(409).has("issue.0.code", "conflict")
	// Another source may use the same identifier: it is a document of its own,
	// refused only because its author is somebody else.
	stranger := h.doctor("8899900000098", "1750000004")
	if got := stranger.post("", other); got.Status() == 409 {
		t.Error("a collision tells another source what exists")
	}
}
