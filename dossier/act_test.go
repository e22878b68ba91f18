package dossier_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"opendmp/dossier"
)

const (
	martin = "8899900000010" // médecin traitant, once named
	durand = "8899900000011"
	leroy  = "8899900000012"
	roche  = "8899900000014"
)

// scene is an open dossier with one document pushed by its author.
type scene struct {
	*house
	patient string // id of the Patient
	author  actor
	doc     string // id of the document
	binary  string // "Binary/…"
}

func newScene(t testing.TB) *scene { return newSceneIn(t, newHouse(t)) }

func newSceneIn(t testing.TB, h *house) *scene {
	t.Helper()
	s := &scene{house: h, patient: h.openFor(published)}
	s.author = h.doctor("899700218896", "1750000003")
	a := s.author.post("", fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")).is(200)
	s.doc = strings.Split(a.at("entry.1.response.location"), "/")[1]
	s.binary = "Binary/" + strings.Split(a.at("entry.2.response.location"), "/")[1]
	return s
}

func (s *scene) me() actor     { return s.house.patient(published) }
func (s *scene) reader() actor { return s.doctor("8899900000099", "1750000001") }

func label(code string) string {
	return `[{"op":"replace","path":"/securityLabel/0","value":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument","code":"` + code + `"}]}}]`
}

const normal = `[{"op":"replace","path":"/securityLabel/0","value":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"N"}]}}]`

// name makes a physician the médecin traitant, by the patient.
func (s *scene) name(doctor string) {
	s.me().patch("Patient/"+s.patient, `[{"op":"add","path":"/generalPractitioner","value":[{"type":"Practitioner","identifier":{"system":"`+systemPerson+`","value":"`+doctor+`"}}]}]`).is(200)
}

func TestMaskByPatient(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	s.name(martin)
	s.me().patch(doc, label("MASQUE_PS")).is(200)
	s.reader().get(doc).is(404)
	s.reader().get(s.binary).is(404)
	s.reader().get("DocumentReference?patient="+s.patient).is(200).has("total", "0")
	s.doctor(martin, "1750000003").get(doc).is(200)
	s.author.get(doc).is(200)
	s.author.patch(doc, normal).is(422) // the patient set the mask
	s.me().patch(doc, normal).is(200)
	s.reader().get(doc).is(200).has("meta.versionId", "3")
	s.reader().get(doc + "/_history/2").is(200)
	s.reader().get(doc+"/_history").is(200).has("total", "3").has("entry.0.resource.meta.versionId", "3")
}

func TestConditionalPatch(t *testing.T) {
	s := newScene(t)
	q := "DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:1.2.250.1.213.1.4.8.99999.2"
	archive := `[{"op":"replace","path":"/extension[url:'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived']/valueBoolean","value":"true"}]`
	s.author.patch(q, archive).is(200).has("extension.0.valueBoolean", "true")
	s.reader().get("DocumentReference?patient="+s.patient+"&isArchived=true").is(200).has("total", "1")
	s.author.patch("DocumentReference?identifier=urn:none", archive).is(404)
	s.doctor("8899900000098", "1750000004").patch(q, archive).is(404)
	s.author.patch("DocumentReference/"+s.doc, `[{"op":"replace","path":"/description","value":"x"}]`).is(405)
	s.author.patch("DocumentReference/"+s.doc, `[{"op":"replace","path":"/status","value":"preliminary"}]`).is(422)
	stale := func(r *dossier.Request) { r.IfMatch = `W/"1"` }
	s.author.do("PATCH", "DocumentReference/"+s.doc, "application/json-patch+json", normal, stale).is(412)
}

func TestDelete(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	s.reader().do("DELETE", doc, "", "").is(403)
	s.doctor("8899900000098", "1750000004").do("DELETE", doc, "", "").is(404)
	s.author.do("DELETE", doc, "", "").is(204)
	for _, path := range []string{doc, doc + "/_history", doc + "/_history/1", s.binary} {
		s.author.get(path).is(404)
	}
	s.reader().get("List?patient="+s.patient).is(200).has("total", "0")
	s.author.post("", fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")).is(409)
}

// entered-in-error is shown once to who wrote it, then never existed.
func TestEnteredInError(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	s.author.patch(doc, `[{"op":"replace","path":"/status","value":"entered-in-error"}]`).is(200).has("status", "entered-in-error")
	s.author.get(doc).is(404)
}

func TestHiddenFromPatient(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	s.author.patch(doc, label("INVISIBLE_PATIENT")).is(200)
	s.me().get(doc).is(404)
	s.me().get("DocumentReference?patient="+s.patient).is(200).has("total", "0")
	history := s.me().get("AuditEvent?patient=" + s.patient).is(200)
	if strings.Contains(string(history.body), "DocumentReference/"+s.doc+"/_history/2") {
		t.Error("the history shows the patient the hiding itself")
	}
	s.now = s.now.AddDate(0, 1, 1)
	s.me().get(doc).is(200)
	history = s.me().get("AuditEvent?patient=" + s.patient).is(200)
	if !strings.Contains(string(history.body), "DocumentReference/"+s.doc+"/_history/2") {
		t.Error("what was withheld does not appear when the document is visible")
	}
}

func consent(t testing.TB, name, patient string) string {
	return strings.ReplaceAll(fixture(t, "opendmp/"+name), "Patient/alix", "Patient/"+patient)
}

func TestConsents(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	doctor := s.doctor(leroy, "1750000004")
	doctor.get(doc).is(404)
	given := s.me().post("Consent", consent(t, "Consent-autorisation-professionnel.json", s.patient)).is(201)
	doctor.get(doc).is(200)
	s.now = s.now.Add(24 * time.Hour) // the consultation is over
	doctor.get(doc).is(404)
	s.now = opened
	id := strings.Split(given.Location(), "/Consent/")[1]
	id, _, _ = strings.Cut(id, "/")
	off := strings.Replace(string(given.body), `"status": "active"`, `"status": "inactive"`, 1)
	s.me().do("PUT", "Consent/"+id, "application/fhir+json", off).is(200).has("status", "inactive")
	doctor.get(doc).is(404)

	s.doctor(durand, "1750000001").get(doc).is(200) // by the structure
	s.me().post("Consent", consent(t, "Consent-blocage.json", s.patient)).is(201)
	s.doctor(durand, "1750000001").get(doc).is(404)
	s.doctor(durand, "1750000001").get("DocumentReference?patient=" + s.patient).is(403)
	s.reader().get(doc).is(200)
	s.reader().get("Consent?patient=" + s.patient).is(200)
	s.doctor(durand, "1750000001").post("Consent", consent(t, "Consent-masquage-total.json", s.patient)).is(403)
}

func TestBrisDeGlace(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	doctor := s.doctor(roche, "1750000002")
	ask := strings.NewReplacer("285047511200116", published.Value, systemTestINS, published.System).Replace(fixture(t, "opendmp/Parameters-bris-de-glace.json"))
	blank := strings.Replace(ask, "Patiente inconsciente amenée par les pompiers, antécédents inconnus.", "urgence  ", 1)
	doctor.get(doc).is(404)
	doctor.post("Patient/$bris-de-glace", blank).is(422)
	granted := doctor.post("Patient/$bris-de-glace", ask).is(200)
	granted.has("parameter.0.valueReference.reference", "Patient/"+s.patient)
	read := doctor.get(doc).is(200)
	if read.Mode() != "bris_de_glace" {
		t.Errorf("mode %q", read.Mode())
	}
	s.doctor(leroy, "1750000002").get(doc).is(404) // a colleague
	s.now = s.now.Add(61 * time.Minute)
	s.doctor(roche, "1750000002").get(doc).is(404)
	s.me().post("Consent", consent(t, "Consent-opposition-bris-de-glace.json", s.patient)).is(201)
	s.doctor(roche, "1750000002").post("Patient/$bris-de-glace", ask).is(403)

	history := s.me().get("AuditEvent?patient=" + s.patient).is(200)
	if !strings.Contains(string(history.body), "Patiente inconsciente") {
		t.Error("the patient does not see the reason")
	}
}

// A token that asks for bris_de_glace with a reason opens one grant.
func TestBrisDeGlaceByToken(t *testing.T) {
	s := newScene(t)
	c := professional(roche, "10", "1750000002")
	c.ID = "one-token"
	c.Extensions.IUA.Purpose[0].Code = "bris_de_glace"
	c.DMP.Reason = "Patiente inconsciente, antécédents inconnus."
	c.IssuedAt = s.now.Unix()
	c.Expires = s.now.Add(time.Hour).Unix()
	s.as(c).get("DocumentReference/" + s.doc).is(200)
	s.me().get("Consent?patient="+s.patient+"&_summary=count").is(200).has("total", "4")
	s.as(c).get("DocumentReference/" + s.doc).is(200)
	s.me().get("Consent?patient="+s.patient+"&_summary=count").is(200).has("total", "4")
}

func TestStatusTD02(t *testing.T) {
	s := newScene(t)
	q := "Patient?identifier=" + published.System + "|" + published.Value
	a := s.reader().get(q).is(200).has("total", "1")
	if !strings.Contains(string(a.body), "VALIDE") || strings.Contains(string(a.body), "+336") {
		t.Errorf("TD0.2 says too little or too much: %s", a.body)
	}
	stranger := s.doctor("8899900000098", "1750000004").get(q).is(200)
	if !strings.Contains(string(stranger.body), "NON_EXISTE") {
		t.Errorf("status of a stranger: %s", stranger.body)
	}
	s.reader().get("Patient?identifier="+systemTestINS+"|190073306320538").is(200).has("total", "0")
	s.me().get("Patient/"+s.patient).is(200).has("telecom", "2")
	s.doctor("8899900000098", "1750000004").get("Patient/" + s.patient).is(404)
}

func TestClosing(t *testing.T) {
	s := newScene(t)
	const url = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-fermeture"
	closing := `[{"op":"replace","path":"/active","value":false},{"op":"add","path":"/extension/-","value":{"url":"` + url + `","extension":[
		{"url":"dateFermeture","valueDate":"2026-11-22"},
		{"url":"motifFermeture","valueCodeableConcept":{"coding":[{"system":"https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture","code":"patient-demande"}]}}]}}]`
	s.me().patch("Patient/"+s.patient, closing).is(200)
	s.reader().get("DocumentReference/" + s.doc).is(404)
	s.reader().get("DocumentReference?patient=" + s.patient).is(403)
	s.author.post("", strings.ReplaceAll(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), "99999.2", "99999.7")).is(422)
	s.reader().get("Patient?identifier="+published.System+"|"+published.Value).is(200).has("entry.0.resource.active", "false")
}

func TestConditionalRead(t *testing.T) {
	s := newScene(t)
	same := func(r *dossier.Request) { r.IfNoneMatch = `W/"1"` }
	s.reader().do("GET", "DocumentReference/"+s.doc, "", "", same).is(http.StatusNotModified)
	s.doctor("8899900000098", "1750000004").do("GET", "DocumentReference/"+s.doc, "", "", same).is(404)
}

func TestBatch(t *testing.T) {
	s := newScene(t)
	body := `{"resourceType":"Bundle","type":"batch","entry":[
		{"request":{"method":"GET","url":"` + s.binary + `"}},
		{"request":{"method":"GET","url":"DocumentReference/nothing"}},
		{"request":{"method":"GET","url":"DocumentReference?patient=` + s.patient + `"}}]}`
	s.reader().post("", body).is(200).has("entry", "3").
		has("entry.0.response.status", "200 OK").has("entry.0.resource.resourceType", "Binary").
		has("entry.1.response.status", "404 Not Found").
		has("entry.2.resource.total", "1")
}

func TestPaging(t *testing.T) {
	h := newHouse(t)
	patient := h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	const n = 7
	h.now = h.now.Add(789 * time.Nanosecond) // finer than what is stored
	for i := range n {
		if i%3 == 0 { // some at one moment, as of one submission
			h.now = h.now.Add(time.Second)
		}
		author.post("", strings.ReplaceAll(push, "99999.2", "99999.1"+string(rune('0'+i)))).is(200)
	}
	reader := h.doctor("8899900000099", "1750000001")
	for _, sort := range []string{"", "&_sort=-date", "&_sort=_lastUpdated"} {
		seen := make(map[string]bool)
		path := "DocumentReference?patient=" + patient + "&_count=2" + sort
		for pages := 0; path != ""; pages++ {
			a := reader.get(path).is(200).has("total", "7")
			for _, i := range []string{"0", "1"} {
				if id := a.at("entry." + i + ".resource.id"); id != "" {
					if seen[id] {
						t.Fatalf("%s shown twice", id)
					}
					seen[id] = true
				}
			}
			path = ""
			if a.at("link.1.relation") == "next" {
				path = strings.TrimPrefix(a.at("link.1.url"), base+"/")
				h.doctor("8899900000097", "1750000001").get(path).is(400) // another's link
			}
			if pages > n {
				t.Fatal("no end")
			}
		}
		if len(seen) != n {
			t.Errorf("sort %q: %d of %d", sort, len(seen), n)
		}
	}
	path := "AuditEvent?patient=" + patient + "&_count=3"
	events, me := 0, h.patient(published)
	for path != "" && events < 1000 {
		a := me.get(path).is(200)
		n := len(strings.Split(string(a.body), `"resourceType":"AuditEvent"`)) - 1
		events += n
		path = ""
		if a.at("link.1.relation") == "next" {
			path = strings.TrimPrefix(a.at("link.1.url"), base+"/")
		}
	}
	if events < n*2 {
		t.Errorf("%d events", events)
	}
}
