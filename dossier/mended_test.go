package dossier_test

import (
	"strings"
	"testing"
	"time"

	"opendmp/auth"
)

// What concerns a document hidden from the patient leaves no line in the history
// that they read: not who read it, not that it was hidden, not their own probes.
func TestHistoryKeepsTheSecret(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	s.author.patch(doc, label("INVISIBLE_PATIENT")).is(200)
	lines := func() int {
		s.now = s.now.Add(time.Second)
		a := s.me().get("AuditEvent?patient=" + s.patient + "&date=ge2026-11-22T09:00:10Z").is(200)
		return strings.Count(string(a.body), `"resourceType":"AuditEvent"`)
	}
	s.now = s.now.Add(time.Minute)
	before := lines()
	s.reader().get(doc).is(200)
	s.reader().get(s.binary).is(200)
	s.reader().get(doc + "/_history").is(200)
	s.me().get(doc).is(404)
	s.me().get("DocumentReference/nothing").is(404)
	if after := lines(); after != before+1 { // the line of reading the history itself
		t.Errorf("%d new lines, want 1", after-before)
	}
	// A search that finds nothing but hidden documents shows as any search does.
	s.reader().get("DocumentReference?patient=" + s.patient).is(200)
	if after := lines(); after != before+3 {
		t.Errorf("%d new lines after a search, want 3", after-before)
	}
}

func TestTwoPatientsInOneSearch(t *testing.T) {
	s := newScene(t)
	s.openFor(farid)
	both := "DocumentReference?patient=" + s.patient + "&patient.identifier="
	s.reader().get(both+published.System+"|"+published.Value).is(200).has("total", "1")
	s.reader().get(both+farid.System+"|"+farid.Value).is(200).has("total", "0")
	s.reader().get(both+"urn:x|nobody").is(200).has("total", "0")
	s.me().get(both + farid.System + "|" + farid.Value).is(403)
	s.me().get(both + "urn:x|nobody").is(403)
	s.me().get("AuditEvent?patient=" + s.patient + "&patient.identifier=" + farid.System + "|" + farid.Value).is(403)
}

// A link to the next page goes with its type.
func TestCursorOfAnotherType(t *testing.T) {
	s := newScene(t)
	s.author.post("", strings.ReplaceAll(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), "99999.2", "99999.3")).is(200)
	next := s.reader().get("DocumentReference?patient=" + s.patient + "&_count=1").is(200).at("link.1.url")
	s.reader().get(strings.TrimPrefix(next, base+"/")).is(200)
	s.reader().get(strings.Replace(strings.TrimPrefix(next, base+"/"), "DocumentReference", "List", 1)).is(400)
}

// One token opens one grant; asking again while it is open gives the same one.
func TestOneGrantForOneToken(t *testing.T) {
	s := newScene(t)
	other := s.openFor(farid)
	ask := func(ins string) string {
		return strings.NewReplacer("285047511200116", ins, systemTestINS, systemTestINS).Replace(fixture(t, "opendmp/Parameters-bris-de-glace.json"))
	}
	doctor := s.doctor(roche, "1750000002")
	mine := strings.Replace(ask(published.Value), systemTestINS, published.System, 1)
	first := doctor.post("Patient/$bris-de-glace", mine).is(200)
	again := doctor.post("Patient/$bris-de-glace", mine).is(200)
	if first.at("parameter.1.valueReference.reference") != again.at("parameter.1.valueReference.reference") {
		t.Error("asking again opens another grant")
	}
	doctor.post("Patient/$bris-de-glace", ask(farid.Value)).is(403)
	s.doctor(roche, "1750000002").post("Patient/"+other+"/$bris-de-glace", mine).is(404) // a pair of nobody
	twice := strings.Replace(mine, `"name": "motif"`, `"name": "identifier"`, 1)
	s.doctor(roche, "1750000002").post("Patient/$bris-de-glace", twice).is(400)
	s.now = s.now.Add(2 * time.Hour)
	s.doctor(roche, "1750000002").post("Patient/$bris-de-glace", mine).is(200)
	s.me().get("Consent?patient="+s.patient+"&status=active&_summary=count").is(200).has("total", "4")
}

// A submission that contains another person than the patient is refused.
func TestSourcePatientIsSomebodyElse(t *testing.T) {
	s := newScene(t)
	push := strings.ReplaceAll(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), "99999.2", "99999.4")
	as := func(traits string) string {
		return strings.ReplaceAll(push, `"id": "patient-source",`, `"id": "patient-source", `+traits)
	}
	s.author.post("", as(`"gender": "male", "birthDate": "1955-12-01",`)).is(200) // as opened
	push = strings.ReplaceAll(push, "99999.4", "99999.5")
	s.author.post("", as(`"birthDate": "1950-01-01",`)).is(422)
	s.author.post("", as(`"name": [{"family": "AUTRE"}],`)).is(422)
}

// A repeat that asks for another visibility, type or title is no repeat.
func TestRepeatWithOtherLabels(t *testing.T) {
	s := newScene(t)
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	s.author.post("", push).is(200)
	const base = `"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
                "code": "N",
                "display": "normal"`
	masked := strings.Replace(push, base, `"system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument", "code": "MASQUE_PS"`, 1)
	if masked == push {
		t.Fatal("the case changes nothing")
	}
	s.author.post("", masked).is(409)
	s.author.post("", strings.Replace(push, "11488-4", "60591-5", 1)).is(409)
	s.author.post("", strings.Replace(push, "Compte rendu de consultation", "Un autre titre", 1)).is(409)
}

// Who is refused for the author of a document is told so.
func TestNotTheAuthor(t *testing.T) {
	s := newScene(t)
	push := strings.ReplaceAll(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), "99999.2", "99999.8")
	s.doctor(durand, "1750000001").post("", push).is(403).has("issue.0.expression.0", "DocumentReference.author")
}

func administrative(id, structure string) auth.Claims {
	c := professional(id, "", structure)
	c.DMP.Kind, c.DMP.Profession = "administrative", nil
	return c
}

// Front-office staff change traits and nothing clinical, and get no Patient back.
func TestAdministrativeStaff(t *testing.T) {
	s := newScene(t)
	staff := s.as(administrative("8899900000070", "1750000003"))
	staff.patch("Patient/"+s.patient, `[{"op":"replace","path":"/birthDate","value":"1955-12-02"}]`).is(204)
	s.me().get("Patient/"+s.patient).is(200).has("birthDate", "1955-12-02")
	staff.get("Patient/" + s.patient).is(404)
	staff.patch("Patient/"+s.patient, `[{"op":"remove","path":"/generalPractitioner"}]`).is(422)
	doc := "DocumentReference/" + s.doc
	if got := staff.do("DELETE", doc, "", "").Status(); got != 403 && got != 404 {
		t.Errorf("staff deletes a document: %d", got)
	}
	if got := staff.patch(doc, label("MASQUE_PS")).Status(); got != 403 && got != 404 {
		t.Errorf("staff masks a document: %d", got)
	}
}

// No INS is taken from somebody, and none is added out of nothing.
func TestINSStays(t *testing.T) {
	s := newScene(t)
	s.openFor(farid)
	s.name(martin)
	doctor := s.doctor(martin, "1750000003")
	other := `[{"op":"add","path":"/identifier/-","value":{"use":"old","system":"` + farid.System + `","value":"` + farid.Value + `"}}]`
	doctor.patch("Patient/"+s.patient, other).is(422)
	s.reader().patch("Patient/"+s.patient, strings.Replace(other, farid.Value, "190073306330040", 1)).is(422)
	s.reader().get("Patient?identifier="+farid.System+"|"+farid.Value).is(200).has("total", "1")
	if id := s.reader().get("Patient?identifier=" + farid.System + "|" + farid.Value).at("entry.0.resource.id"); id == s.patient {
		t.Error("an INS moved to another dossier")
	}
}

// Who may not look patients up is refused whether there is a dossier or not.
func TestStatusIsNoOracle(t *testing.T) {
	s := newScene(t)
	c := auth.Claims{Subject: "op", Client: "test", DMP: auth.DMP{Kind: "operator"}}
	c.Extensions.IUA = auth.IUA{
		SubjectName: "Exploitation", PersonID: "urn:opendmp:compte|op",
		Purpose: []auth.Coding{{System: "http://terminology.hl7.org/CodeSystem/v3-ActReason", Code: "HSYSADMIN"}},
	}
	operator := s.as(c)
	known := operator.get("Patient?identifier=" + published.System + "|" + published.Value).is(403)
	unknown := operator.get("Patient?identifier=" + systemTestINS + "|190073306320538").is(403)
	if string(known.body) != string(unknown.body) {
		t.Error("the refusal tells whether there is a dossier")
	}
}

// Closing is of today and has its own motive; reopening wants the patient, or
// their renewed consent.
func TestClosingAndReopening(t *testing.T) {
	s := newScene(t)
	closing := func(day string) string {
		return `[{"op":"replace","path":"/active","value":false},{"op":"add","path":"/extension/-","value":{"url":"https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-fermeture","extension":[
			{"url":"dateFermeture","valueDate":"` + day + `"},
			{"url":"motifFermeture","valueCodeableConcept":{"coding":[{"system":"https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture","code":"patient-demande"}]}}]}}]`
	}
	const open = `[{"op":"replace","path":"/active","value":true}]`
	patient := "Patient/" + s.patient
	s.me().patch(patient, closing("2010-01-01")).is(422)
	s.me().patch(patient, closing("2026-11-22")).is(200)
	s.reader().patch(patient, open).is(422)
	if body := string(s.me().patch(patient, open).is(200).body); strings.Contains(body, "dmp-fermeture") {
		t.Error("an open dossier says that it is closed")
	}
	s.me().patch(patient, `[{"op":"replace","path":"/active","value":false}]`).is(422)
	s.me().patch(patient, closing("2026-11-22")).is(200)
	renewed := strings.NewReplacer("masquage-total", "ouverture", `"type": "deny",`, `"type": "permit"`).Replace(consent(t, "Consent-masquage-total.json", s.patient))
	cut := strings.Index(renewed, `"purpose"`)
	renewed = renewed[:cut] + renewed[strings.Index(renewed[cut:], "]")+cut+1:]
	doctor := s.doctor(leroy, "1750000004")
	doctor.post("Consent", renewed).is(201)
	if got := s.doctor(leroy, "1750000004").patch(patient, open).Status(); got != 200 && got != 204 {
		t.Errorf("reopening with renewed consent: %d", got)
	}
}

// Two documents of which the patient masked one are not replaced by one document:
// it could have the visibility of either. Once both are masked, it has theirs.
func TestReplacingTwo(t *testing.T) {
	s := newScene(t)
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	other := strings.Split(s.author.post("", strings.ReplaceAll(push, "99999.2", "99999.3")).is(200).at("entry.1.response.location"), "/")[1]
	s.me().patch("DocumentReference/"+s.doc, label("MASQUE_PS")).is(200)
	relates := func(ids ...string) string {
		var parts []string
		for _, id := range ids {
			parts = append(parts, `{"code":"replaces","target":{"reference":"DocumentReference/`+id+`"}}`)
		}
		return strings.Replace(strings.ReplaceAll(push, "99999.2", "99999.4"), `"status": "current",
        "type"`, `"status": "current", "relatesTo": [`+strings.Join(parts, ",")+`], "type"`, 1)
	}
	s.author.post("", relates(s.doc, s.doc)).is(422)
	s.author.post("", relates(s.doc, other)).is(422)
	s.me().patch("DocumentReference/"+other, label("MASQUE_PS")).is(200)
	now := strings.Split(s.author.post("", relates(s.doc, other)).is(200).at("entry.1.response.location"), "/")[1]
	lift := `[{"op":"replace","path":"/securityLabel","value":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"N"}]}]}]`
	s.author.patch("DocumentReference/"+now, lift).is(422)
	s.reader().get("DocumentReference/" + now).is(404)
}

// Refused changes of a hidden document leave no line for the patient either.
func TestRefusalsKeepTheSecret(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	s.author.patch(doc, label("INVISIBLE_PATIENT")).is(200)
	count := func() int {
		s.now = s.now.Add(time.Second)
		a := s.me().get("AuditEvent?patient=" + s.patient + "&date=ge2026-11-22T09:00:30Z").is(200)
		return strings.Count(string(a.body), `"resourceType":"AuditEvent"`)
	}
	s.now = s.now.Add(time.Minute)
	before := count()
	s.author.patch(doc, `[{"op":"add","path":"/securityLabel/-","value":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument","code":"MASQUE_PS"}]}}]`).is(422)
	s.author.patch(doc, `[{"op":"replace","path":"/description","value":"x"}]`).is(405)
	s.author.patch(doc, `[{"op":"replace","path":"/status","value":"foo"}]`).is(422)
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	s.author.post("", strings.Replace(push, "11488-4", "60591-5", 1)).is(409)
	if after := count(); after != before+1 {
		t.Errorf("%d new lines, want that of reading the history", after-before)
	}
}
