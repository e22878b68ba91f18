package dossier_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"opendmp/dossier"
	"opendmp/fhir"
)

// entry is one of a bundle; more are members of its request, with a comma before.
func entry(method, url, resource string, more ...string) string {
	full := ""
	if len(more) > 1 {
		full = `"fullUrl":"` + more[1] + `",`
	}
	if resource != "" {
		resource = `"resource":` + resource + `,`
	}
	condition := ""
	if len(more) > 0 {
		condition = more[0]
	}
	return fmt.Sprintf(`{%s%s"request":{"method":%q,"url":%q%s}}`, full, resource, method, url, condition)
}

func bundle(typ string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + typ + `","entry":[` + strings.Join(entries, ",") + `]}`
}

// jsonPatch is a JSON Patch as an entry holds it.
func jsonPatch(operations string) string {
	return `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"` + base64.StdEncoding.EncodeToString([]byte(operations)) + `"}`
}

// another deposits a second, third… document beside that of the scene.
func (s *scene) another(number string) string {
	s.t.Helper()
	push := strings.ReplaceAll(fixture(s.t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), "99999.2", "99999."+number)
	return strings.Split(s.author.post("", push).is(200).at("entry.1.response.location"), "/")[1]
}

// eventsOn counts the events of the history that name a reference in their entities.
func (s *scene) eventsOn(ref, query string) int {
	s.t.Helper()
	history := s.me().get("AuditEvent?patient=" + s.patient + "&_count=200&" + query).is(200)
	return strings.Count(string(history.body), `"reference":"`+ref)
}

// Three documents are masked at once, or none of them.
func TestTransactionOfPatches(t *testing.T) {
	s := newScene(t)
	docs := []string{s.doc, s.another("101"), s.another("102")}
	var entries []string
	for _, d := range docs {
		entries = append(entries, entry("PATCH", "DocumentReference/"+d, jsonPatch(label("MASQUE_PS"))))
	}
	none := func(why string) {
		t.Helper()
		for _, d := range docs {
			s.reader().get("DocumentReference/"+d).is(200).has("meta.versionId", "1")
		}
		if t.Failed() {
			t.Fatal(why)
		}
	}
	s.me().post("", bundle("transaction", append(slices.Clone(entries), entry("PATCH", "DocumentReference/nothing", jsonPatch(label("MASQUE_PS"))))...)).is(404)
	none("one is not there")
	s.me().post("", bundle("transaction", append(slices.Clone(entries[:2]), entry("PATCH", "DocumentReference/"+docs[2], jsonPatch(label("MASQUE_PS")), `,"ifMatch":"W/\"7\""`))...)).is(412)
	none("one is of another version")
	s.me().post("", bundle("transaction", append(slices.Clone(entries), entries[0])...)).is(400).has("issue.0.code", "duplicate")
	none("one is there twice")
	s.doctor(leroy, "1750000004").post("", bundle("transaction", entries...)).is(404)
	none("somebody masks what they do not see")
	s.me().post("", bundle("transaction", append(slices.Clone(entries[:2]), entry("PATCH", "DocumentReference/"+docs[2], jsonPatch(`[{"op":"replace","path":"/description","value":"x"}]`)))...)).is(405)
	none("one changes another element")

	got := s.me().post("", bundle("transaction", append([]string{entry("GET", "DocumentReference/"+docs[0], "")}, entries...)...)).is(200)
	got.has("type", "transaction-response").has("entry.0.resource.meta.versionId", "2") // read last, answered first
	for i, d := range docs {
		got.has(fmt.Sprintf("entry.%d.response.status", i+1), "200 OK").has(fmt.Sprintf("entry.%d.response.etag", i+1), `W/"2"`).has(fmt.Sprintf("entry.%d.resource", i+1), "")
		s.reader().get("DocumentReference/" + d).is(404)
		if n := s.eventsOn("DocumentReference/"+d+"/_history/2", "action=U"); n != 1 {
			t.Errorf("%d events of the mask of %s, want 1", n, d)
		}
	}
	whole := func(r *dossier.Request) { r.Return = "representation" }
	s.me().do("POST", "", "application/fhir+json", bundle("transaction", entry("PATCH", "DocumentReference/"+docs[0], jsonPatch(normal))), whole).
		is(200).has("entry.0.resource.id", docs[0])
}

// DELETE comes before all else and GET after, wherever they stand: what is deleted
// is not there to be read, and then nothing is deleted either.
func TestTransactionOrder(t *testing.T) {
	s := newScene(t)
	other := s.another("101")
	s.author.post("", bundle("transaction", entry("GET", "DocumentReference/"+other, ""), entry("DELETE", "DocumentReference/"+other, ""))).is(404)
	s.author.get("DocumentReference/" + other).is(200)
	s.name("899700218896") // whose search is refused otherwise, and the whole with it
	got := s.author.post("", bundle("transaction",
		entry("GET", "DocumentReference?patient="+s.patient, ""),
		entry("PATCH", "DocumentReference/"+s.doc, jsonPatch(`[{"op":"replace","path":"/status","value":"superseded"}]`)),
		entry("DELETE", "DocumentReference/"+other, "", `,"ifMatch":"W/\"1\""`))).is(200)
	got.has("entry.0.resource.total", "1").has("entry.0.resource.entry.0.resource.status", "superseded").
		has("entry.1.response.status", "200 OK").has("entry.2.response.status", "204 No Content")
	s.author.get("DocumentReference/" + other).is(404)
	s.author.get("List?patient="+s.patient+"&_summary=count").is(200).has("total", "1")
}

// Decisions of the patient go together: a care team and the Consent that names it, by
// the address that only the bundle knows.
func TestTransactionOfDecisions(t *testing.T) {
	s := newScene(t)
	doctor := s.doctor(leroy, "1750000004")
	const team = "urn:uuid:00000000-0000-4000-8000-000000000001"
	both := bundle("transaction",
		entry("POST", "Consent", s.teamConsent(team), "", "urn:uuid:00000000-0000-4000-8000-000000000002"),
		entry("POST", "CareTeam", s.team("", "", member1), `,"ifNoneExist":"identifier=urn:x|genou"`, team))
	got := s.me().post("", both).is(200).has("entry.0.response.status", "201 Created").has("entry.1.response.status", "201 Created")
	consent, _, _ := strings.Cut(got.at("entry.0.response.location")[len(base)+1:], "/_history")
	made, _, _ := strings.Cut(got.at("entry.1.response.location")[len(base)+1:], "/_history")
	s.me().get(consent).is(200).has("provision.actor.0.reference.reference", made)
	doctor.get("DocumentReference/" + s.doc).is(200)
	for _, ref := range []string{consent, made} {
		if n := s.eventsOn(ref, "action=C"); n != 1 {
			t.Errorf("%d events of the creation of %s, want 1", n, ref)
		}
	}

	// Again: the team is there, the Consent takes the place of the first.
	again := s.me().post("", both).is(200).has("entry.1.response.status", "200 OK")
	again.has("entry.1.response.location", base+"/"+made+"/_history/1")
	s.me().get(consent).is(200).has("status", "inactive")
	consent, _, _ = strings.Cut(again.at("entry.0.response.location")[len(base)+1:], "/_history")

	// It is withdrawn, and the team emptied, by PUT.
	id := strings.Split(consent, "/")[1]
	off := strings.Replace(string(s.me().get(consent).body), `"status":"active"`, `"status":"inactive"`, 1)
	withdraw := entry("PUT", consent, off, `,"ifMatch":"W/\"1\""`)
	widen := entry("PUT", made, s.team(strings.Split(made, "/")[1], "", member1, member2))
	s.me().post("", bundle("transaction", withdraw, strings.Replace(widen, `"ifMatch"`, ``, 1), entry("PUT", "Consent/nothing", strings.Replace(off, id, "nothing", 1)))).is(404)
	s.me().get(consent).is(200).has("status", "active")
	s.me().post("", bundle("transaction", withdraw, widen)).is(200).has("entry.0.response.etag", `W/"2"`)
	s.me().get(consent).is(200).has("status", "inactive")
	doctor.get("DocumentReference/" + s.doc).is(404)

	// One consent of a kind about one person at a time, in a bundle as outside it.
	one := entry("POST", "Consent", consentOf(t, s))
	s.me().post("", bundle("transaction", one, one)).is(400).has("issue.0.code", "duplicate")
	s.me().get("Consent?patient=" + s.patient + "&status=active&_summary=count").is(200)
	s.me().post("", bundle("transaction", entry("POST", "Consent", s.teamConsent("urn:uuid:00000000-0000-4000-8000-00000000000f")))).is(422) // leads nowhere
	doctor.post("", bundle("transaction", entry("POST", "CareTeam", s.team("", "", member2)))).is(403)
}

func consentOf(t *testing.T, s *scene) string {
	return consent(t, "Consent-autorisation-professionnel.json", s.patient)
}

// A transaction is of one dossier; what its caller may not see is not told by that.
func TestTransactionOfTwoDossiers(t *testing.T) {
	s := newScene(t)
	second := fhir.Ident{System: published.System, Value: "299999999999934"}
	other := s.openFor(second)
	mine := entry("PATCH", "DocumentReference/"+s.doc, jsonPatch(label("MASQUE_PS")))
	theirs := strings.ReplaceAll(s.team("", "", member1), s.patient, other)
	s.me().post("", bundle("transaction", mine, entry("POST", "CareTeam", theirs))).is(422)
	s.me().post("", bundle("transaction", mine, entry("POST", "CareTeam", strings.ReplaceAll(theirs, other, "nobody")))).is(422)
	s.me().post("", bundle("transaction", mine, entry("GET", "DocumentReference?patient="+other, ""))).is(422)
	s.me().post("", bundle("transaction", mine, entry("GET", "DocumentReference?patient=nobody", ""))).is(422)
	s.me().post("", bundle("transaction", mine, entry("GET", "Patient/"+other, ""))).is(404)
	s.me().post("", bundle("transaction", mine, entry("GET", "Patient/nobody", ""))).is(404)
	s.reader().get("DocumentReference/"+s.doc).is(200).has("meta.versionId", "1")
	s.reader().post("", bundle("transaction", entry("GET", "DocumentReference/"+s.doc, ""), entry("GET", s.binary, ""))).is(200).
		has("entry.0.resource.id", s.doc).has("entry.1.resource.resourceType", "Binary")
	s.reader().post("", bundle("transaction", entry("GET", "DocumentReference/"+s.doc, ""), entry("GET", "DocumentReference/nothing", ""))).is(404)
}

func TestTransactionRefuses(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	many := slices.Repeat([]string{entry("GET", doc, "")}, 101)
	thousands := slices.Repeat([]string{entry("GET", doc, "")}, fhir.MaxEntries+1)
	for _, c := range []struct {
		name   string
		body   string
		status int
	}{
		{"an operation", bundle("transaction", entry("POST", "Patient/"+s.patient+"/$fermer", `{"resourceType":"Parameters"}`)), 400},
		{"an unknown type", bundle("transaction", entry("GET", "Observation/1", "")), 404},
		{"a method that is not in the table", bundle("transaction", entry("DELETE", "Consent/1", "")), 405},
		{"a search by POST", bundle("transaction", entry("POST", "DocumentReference/_search", `{"resourceType":"Parameters"}`)), 400},
		{"a bad query", bundle("transaction", entry("GET", "DocumentReference?foo=1", "")), 400},
		{"a document without a submission set", bundle("transaction", entry("POST", "DocumentReference", `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"contentType":"text/plain"}}]}`)), 400},
		{"a PUT of another id", bundle("transaction", entry("PUT", "CareTeam/1", s.team("2", "", member1))), 400},
		{"a patch of another type", bundle("transaction", entry("PATCH", doc, `{"resourceType":"Binary","contentType":"text/plain","data":"W10="}`)), 415},
		{"nobody's Consent", bundle("transaction", entry("POST", "CareTeam", strings.Replace(s.team("", "", member1), `"subject":{"reference":"Patient/`+s.patient+`"},`, "", 1))), 422},
		{"an empty one", `{"resourceType":"Bundle","type":"transaction"}`, 400},
		{"101 acts", bundle("transaction", many...), 413},
		{"101 entries of a batch", bundle("batch", many...), 413},
		{"1001 entries", bundle("transaction", thousands...), 413},
	} {
		if got := s.me().post("", c.body); got.Status() != c.status {
			t.Errorf("%s: %d, want %d\n%.600s", c.name, got.Status(), c.status, got.body)
		}
	}
}

// A batch writes too, each entry for itself and under its own conditions.
func TestBatchWrites(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	got := s.me().post("", bundle("batch",
		entry("PATCH", doc, jsonPatch(label("MASQUE_PS")), `,"ifMatch":"W/\"1\""`),
		entry("PATCH", doc, jsonPatch(normal), `,"ifMatch":"W/\"1\""`),
		entry("GET", doc, "", `,"ifNoneMatch":"W/\"2\""`),
		entry("GET", doc, "", `,"ifModifiedSince":"2099-01-01T00:00:00Z"`),
		entry("HEAD", doc, ""),
		entry("POST", "CareTeam", s.team("", "", member1), `,"ifNoneExist":"identifier=urn:x|genou"`),
		entry("POST", "CareTeam", s.team("", "", member1), `,"ifNoneExist":"identifier=urn:x|genou"`),
		entry("POST", "Consent", s.teamConsent("urn:uuid:00000000-0000-4000-8000-000000000001")),
		entry("DELETE", doc, ""),
		entry("GET", "metadata", ""),
	)).is(200)
	for i, status := range []string{
		"200 OK", "412 Precondition Failed", "304 Not Modified", "304 Not Modified", "200 OK", "201 Created", "200 OK", "422 Unprocessable Entity", "403 Forbidden", "200 OK",
	} {
		got.has(fmt.Sprintf("entry.%d.response.status", i), status)
	}
	got.has("entry.4.resource", "").has("entry.5.resource.resourceType", "CareTeam").has("entry.6.resource.id", got.at("entry.5.resource.id"))
	s.me().get(doc).is(200).has("meta.versionId", "2")
}
