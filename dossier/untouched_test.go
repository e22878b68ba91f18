package dossier_test

import (
	"testing"
	"time"

	"opendmp/dossier"
)

// A PATCH that changes nothing makes no version: it answers the one in force, as a
// reading of it. Each of these is asked of a document, a List or a Patient.
func TestPatchThatChangesNothing(t *testing.T) {
	s := newScene(t)
	doc, patient := "DocumentReference/"+s.doc, "Patient/"+s.patient
	for _, c := range []struct {
		name, ref, patch string
	}{
		{"a test", doc, `[{"op":"test","path":"/status","value":"current"}]`},
		{"the same value", doc, `[{"op":"replace","path":"/status","value":"current"}]`},
		{"the same value, in another order", doc, `[{"op":"replace","path":"/securityLabel/0","value": {"coding": [ {"display":"normal","code":"N","system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality"} ] } }]`},
		{"there and back", doc, `[{"op":"replace","path":"/status","value":"superseded"},{"op":"replace","path":"/status","value":"current"}]`},
		{"a Patient", patient, `[{"op":"test","path":"/active","value":true},{"op":"replace","path":"/active","value":true}]`},
	} {
		s.now = s.now.Add(time.Second)
		if a := s.me().patch(c.ref, c.patch).is(200).has("meta.versionId", "1"); a.ETag() != `W/"1"` {
			t.Errorf("%s: %s", c.name, a.ETag())
		}
		s.me().get(c.ref+"/_history").is(200).has("total", "1")
	}
	minimal := func(r *dossier.Request) { r.Return = "minimal" }
	s.me().do("PATCH", doc, "application/json-patch+json", `[{"op":"test","path":"/status","value":"current"}]`, minimal).is(204)
	if n := s.eventsOn(doc+"/_history/1", "action=U"); n != 0 {
		t.Errorf("%d updates in the history", n)
	}
	if n := s.eventsOn(doc+"/_history/1", "action=R&subtype=patch"); n != 5 {
		t.Errorf("%d readings by PATCH in the history, want 5", n)
	}

	s.me().patch(doc, `[]`).is(400) // nothing is asked for

	// What would be refused is refused all the same.
	s.me().patch(doc, `[{"op":"test","path":"/status","value":"superseded"}]`).is(422)
	s.me().patch(doc, `[{"op":"test","path":"/description","value":"x"}]`).is(405)
	s.doctor(leroy, "1750000004").patch(doc, `[{"op":"test","path":"/status","value":"current"}]`).is(404)
	s.me().do("PATCH", doc, "application/json-patch+json", `[{"op":"test","path":"/status","value":"current"}]`, func(r *dossier.Request) { r.IfMatch = `W/"7"` }).is(412)
}

// In a transaction such a PATCH leaves its resource alone, and the others are made.
func TestTransactionWithPatchThatChangesNothing(t *testing.T) {
	s := newScene(t)
	doc, other := "DocumentReference/"+s.doc, "DocumentReference/"+s.another("101")
	still := entry("PATCH", doc, jsonPatch(`[{"op":"test","path":"/status","value":"current"}]`))
	s.me().post("", bundle("transaction", still)).is(200).has("entry.0.response.status", "200 OK").has("entry.0.response.etag", `W/"1"`)
	whole := func(r *dossier.Request) { r.Return = "representation" }
	got := s.me().do("POST", "", "application/fhir+json", bundle("transaction", still, entry("PATCH", other, jsonPatch(label("MASQUE_PS")))), whole).is(200)
	got.has("entry.0.response.etag", `W/"1"`).has("entry.0.resource.id", s.doc).has("entry.1.response.etag", `W/"2"`)
	s.me().get(doc+"/_history").is(200).has("total", "1")
	s.me().get(other+"/_history").is(200).has("total", "2")
	// A submission that says of a document what it is already.
	s.author.post("", bundle("transaction", entry("PATCH", doc, jsonPatch(`[{"op":"test","path":"/status","value":"superseded"}]`)), entry("PATCH", other, jsonPatch(normal)))).is(422)
}

// Who may change a Patient and not read it does not learn by a test what it holds.
func TestPatchTestsNothingUnread(t *testing.T) {
	s := newScene(t)
	staff := s.as(administrative("8899900000070", "1750000003"))
	born := s.me().get("Patient/" + s.patient).is(200).at("birthDate")
	test := func(day string) answer {
		return staff.patch("Patient/"+s.patient, `[{"op":"test","path":"/birthDate","value":"`+day+`"},{"op":"replace","path":"/birthDate","value":"`+born+`"}]`)
	}
	right, wrong := test(born).is(422), test("1901-01-01").is(422)
	if string(right.body) != string(wrong.body) {
		t.Errorf("%s\n%s", right.body, wrong.body)
	}
}
