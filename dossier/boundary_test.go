package dossier_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/policy"
)

// What begins or ends by itself, at the last microsecond before and at the instant.

func paris(year int, month time.Month, day, hour, minute int) time.Time {
	return time.Date(year, month, day, hour, minute, 0, 0, fhir.Paris)
}

// hiddenScene is a document deposited at an instant, hidden from its patient, under
// other settings if there are any.
func hiddenScene(t *testing.T, at time.Time, set ...func(*policy.Settings)) (s *scene, doc, binary, list string) {
	t.Helper()
	s, doors := servers(t, 2, plain, append(set, func(*policy.Settings) {})...)
	s.at(at)
	pushed := s.author.post("", hiddenPush(t, "7")).is(200)
	list, doc, binary = reference(pushed, 0), reference(pushed, 1), reference(pushed, 2)
	s.door = doors[1]
	return s, doc, binary, list
}

// A month after its deposit what was hidden is there by itself: read, search,
// content, list, versions, history. Nobody is told of it, and nothing is written.
func TestHidingEndsByItself(t *testing.T) {
	for _, c := range []struct {
		name      string
		deposited time.Time
		end       time.Time
		set       []func(*policy.Settings)
	}{
		{"a month", opened, time.Date(2026, 12, 22, 9, 0, 0, 0, time.UTC), nil},
		{"from the end of a month", paris(2027, time.January, 31, 10, 0), paris(2027, time.February, 28, 10, 0), nil},
		{"over an hour that is lost", paris(2027, time.March, 10, 10, 0), paris(2027, time.April, 10, 11, 0), nil},
		{"another setting", opened, time.Date(2026, 12, 12, 9, 0, 0, 0, time.UTC),
			[]func(*policy.Settings){func(p *policy.Settings) { p.HiddenAtMost = policy.Period{Days: 20} }}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, doc, binary, list := hiddenScene(t, c.deposited, c.set...)
			s.at(c.end.Add(-time.Microsecond))
			for _, path := range []string{doc, doc + "/_history", binary, list} {
				s.me().get(path).is(404)
			}
			for _, typ := range []string{"DocumentReference", "List"} {
				s.me().get(typ+"?patient="+s.patient).is(200).has("total", "0")
			}
			if strings.Contains(s.history(s.me()), doc+"/_history") {
				t.Error("the history tells of it")
			}
			s.at(c.end)
			s.me().get(doc).is(200).has("meta.versionId", "1")
			for _, path := range []string{doc + "/_history", binary, list} {
				s.me().get(path).is(200)
			}
			for _, typ := range []string{"DocumentReference", "List"} {
				s.me().get(typ+"?patient="+s.patient).is(200).has("total", "1")
			}
			if shown := s.history(s.me()); !strings.Contains(shown, doc+"/_history/1") || !strings.Contains(shown, `"recorded":"`+c.deposited.UTC().Format("2006-01-02T15:04:05")) {
				t.Error("the history does not tell of it at its own time")
			}
			s.owed(0)
		})
	}
}

// status is what a search by INS (TD0.2) tells a professional of themself.
func (s *scene) status(who actor) string {
	s.t.Helper()
	found := who.get("Patient?identifier="+published.System+"|"+published.Value).is(200).has("total", "1")
	for _, status := range []string{"NON_EXISTE", "VALIDE", "EXPIRE", "INTERDIT"} {
		if strings.Contains(string(found.body), `"code":"`+status+`"`) || strings.Contains(string(found.body), `"valueCode":"`+status+`"`) {
			return status
		}
	}
	s.t.Fatalf("no status in %s", found.body)
	return ""
}

// authorise gives an authorisation by the patient, to a person or a structure, from
// day to day, and returns its id.
func (s *scene) authorise(actor fhir.Ident, from, to string) string {
	s.t.Helper()
	body := strings.NewReplacer(
		`"start": "2026-11-22"`, `"start": "`+from+`"`, `"end": "2026-11-22"`, `"end": "`+to+`"`,
	).Replace(consent(s.t, "Consent-autorisation-professionnel.json", s.patient))
	if actor.System == systemStructure {
		body = strings.NewReplacer(`"type": "Practitioner"`, `"type": "Organization"`, leroy, actor.Value,
			`"system": "`+systemPerson+`"`, `"system": "`+systemStructure+`"`).Replace(body)
	}
	return s.me().post("Consent", body).is(201).at("id")
}

var (
	leroyInPerson = fhir.Ident{System: systemPerson, Value: leroy}
	hisPractice   = fhir.Ident{System: systemStructure, Value: "1750000004"}
)

// An authorisation holds to the last instant of its last day in Paris, on days of 23
// and 25 hours too; then the status is EXPIRE and nothing is read.
func TestAuthorisationEnds(t *testing.T) {
	for _, c := range []struct {
		name     string
		actor    fhir.Ident
		from, to string
		now, end time.Time
	}{
		{"a consultation", leroyInPerson, "2026-11-22", "2026-11-22", opened, paris(2026, time.November, 23, 0, 0)},
		{"on a day of 23 hours", leroyInPerson, "2027-03-28", "2027-03-28", paris(2027, time.March, 28, 1, 59), paris(2027, time.March, 29, 0, 0)},
		{"on a day of 25 hours", leroyInPerson, "2027-10-31", "2027-10-31", paris(2027, time.October, 31, 0, 0), paris(2027, time.November, 1, 0, 0)},
		{"a practice", hisPractice, "2026-11-22", "2027-10-31", opened, paris(2027, time.November, 1, 0, 0)},
		{"a practice, one year", hisPractice, "2026-11-22", "2027-11-21", opened, paris(2027, time.November, 22, 0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.at(c.now)
			doctor := func() actor { return s.doctor(leroy, hisPractice.Value) }
			if got := s.status(doctor()); got != "NON_EXISTE" {
				t.Fatalf("before: %s", got)
			}
			s.authorise(c.actor, c.from, c.to)
			for _, at := range []time.Time{c.now, c.end.Add(-time.Microsecond)} {
				s.at(at)
				doctor().get("DocumentReference/" + s.doc).is(200)
				doctor().get("DocumentReference?patient="+s.patient).is(200).has("total", "1")
				if got := s.status(doctor()); got != "VALIDE" {
					t.Errorf("%v: %s", at, got)
				}
			}
			s.at(c.end)
			doctor().get("DocumentReference/" + s.doc).is(404)
			doctor().get("DocumentReference?patient=" + s.patient).is(403)
			if got := s.status(doctor()); got != "EXPIRE" {
				t.Errorf("at its end: %s", got)
			}
		})
	}
}

// An authorisation that is to begin later does at midnight in Paris.
func TestAuthorisationBegins(t *testing.T) {
	s := newScene(t)
	doctor := func() actor { return s.doctor(leroy, hisPractice.Value) }
	s.authorise(hisPractice, "2027-03-28", "2027-05-01")
	s.at(paris(2027, time.March, 28, 0, 0).Add(-time.Microsecond))
	doctor().get("DocumentReference/" + s.doc).is(404)
	s.at(paris(2027, time.March, 28, 0, 0))
	doctor().get("DocumentReference/" + s.doc).is(200)
}

// Renewing is giving a new one: it takes the place of the one in force, before its
// end or after, and there is one.
func TestAuthorisationRenewed(t *testing.T) {
	s := newScene(t)
	doctor := func() actor { return s.doctor(leroy, hisPractice.Value) }
	active := func(want string) {
		t.Helper()
		s.me().get("Consent?patient="+s.patient+"&category=urn:opendmp:consent-kind|autorisation&status=active&actor:identifier="+systemStructure+"|"+hisPractice.Value).is(200).has("total", want)
	}
	first := s.authorise(hisPractice, "2026-11-22", "2026-11-30")
	active("1")
	s.at(paris(2026, time.November, 30, 12, 0))
	second := s.authorise(hisPractice, "2026-11-30", "2026-12-31")
	active("1")
	s.me().get("Consent/"+first).is(200).has("status", "inactive")
	s.at(paris(2026, time.December, 1, 0, 0)) // the end of the first
	doctor().get("DocumentReference/" + s.doc).is(200)
	s.at(paris(2027, time.January, 1, 0, 0))
	doctor().get("DocumentReference/" + s.doc).is(404)
	if got := s.status(doctor()); got != "EXPIRE" {
		t.Errorf("after the second: %s", got)
	}
	s.authorise(hisPractice, "2027-01-01", "2027-01-31")
	active("1")
	s.me().get("Consent/"+second).is(200).has("status", "inactive")
	doctor().get("DocumentReference/" + s.doc).is(200)
	if got := s.status(doctor()); got != "VALIDE" {
		t.Errorf("renewed: %s", got)
	}
	// A renewal that ends sooner counts too: the patient narrows.
	s.authorise(hisPractice, "2027-01-01", "2027-01-01")
	s.at(paris(2027, time.January, 2, 0, 0))
	doctor().get("DocumentReference/" + s.doc).is(404)
}

// account is a person who logs in as one who represents a patient.
func (h *house) account(name string) actor {
	c := auth.Claims{Subject: name, Client: "test", DMP: auth.DMP{Kind: "representative"}}
	c.Extensions.IUA = auth.IUA{
		SubjectName: "Représentant", PersonID: auth.SystemAccount + "|" + name,
		Purpose: []auth.Coding{{System: "http://terminology.hl7.org/CodeSystem/v3-ActReason", Code: "FAMRQT"}},
	}
	return h.as(c)
}

// secretly is the author in a secret session.
func (h *house) secretly(id, structure string) actor {
	c := professional(id, "10", structure)
	c.DMP.Confidentiality = "INVISIBLE_REPRESENTANTS_LEGAUX"
	return h.as(c)
}

// openMinor opens the dossier of the patient of the published examples, born on a
// day and represented by an account.
func (h *house) openMinor(born, account string) *scene {
	h.t.Helper()
	var bundle struct {
		ResourceType string           `json:"resourceType"`
		Type         string           `json:"type"`
		Entry        []map[string]any `json:"entry"`
	}
	h.must(json.Unmarshal([]byte(opening(h.t, published)), &bundle))
	bundle.Entry = bundle.Entry[:3] // the Patient, the consent to open, that of the hospital
	bundle.Entry[0]["resource"].(map[string]any)["birthDate"] = born
	bundle.Entry = append(bundle.Entry, map[string]any{
		"fullUrl": "urn:uuid:6f1a1a52-0b52-4c1e-8a51-0d4f4a2f7009",
		"resource": map[string]any{
			"resourceType": "RelatedPerson", "active": true,
			"identifier":   []any{map[string]any{"system": auth.SystemAccount, "value": account}},
			"patient":      map[string]any{"reference": bundle.Entry[0]["fullUrl"]},
			"relationship": []any{map[string]any{"coding": []any{map[string]any{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}}}},
		},
		"request": map[string]any{"method": "POST", "url": "RelatedPerson"},
	})
	body, err := json.Marshal(bundle)
	h.must(err)
	a := h.doctor("8899900000011", "1750000001").post("", string(body)).is(200)
	return &scene{house: h, patient: strings.Split(a.at("entry.0.response.location"), "/")[1], author: h.doctor("899700218896", "1750000003")}
}

// At midnight in Paris of the eighteenth birthday nobody represents the patient any
// more, without an act, and a session that is secret from representatives writes no
// more; what it wrote stays the patient's.
func TestMajority(t *testing.T) {
	for _, c := range []struct {
		name, born string
		majority   time.Time
	}{
		{"the day of 23 hours", "2009-03-28", paris(2027, time.March, 28, 0, 0)},
		{"the day of 25 hours", "2009-10-31", paris(2027, time.October, 31, 0, 0)},
		{"summer", "2009-07-14", paris(2027, time.July, 14, 0, 0)},
		{"a 29 February", "2012-02-29", paris(2030, time.March, 1, 0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newHouse(t).openMinor(c.born, "mere")
			push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
			plainDoc := reference(s.author.post("", push).is(200), 1)
			secret := func(number string) string { return labelled(t, number, "INVISIBLE_REPRESENTANTS_LEGAUX") }
			mother := func() actor { return s.account("mere") }
			session := func() actor { return s.secretly("899700218896", "1750000003") }

			s.at(c.majority.Add(-time.Microsecond))
			secretDoc := reference(session().post("", secret("8")).is(200), 1)
			mother().get(plainDoc).is(200)
			mother().get(secretDoc).is(404)
			mother().get("DocumentReference?patient="+s.patient).is(200).has("total", "1")
			if strings.Contains(s.history(mother()), secretDoc) {
				t.Error("the history tells the mother of the secret session")
			}
			s.me().get(secretDoc).is(200)

			s.at(c.majority)
			mother().get(plainDoc).is(404)
			mother().get("DocumentReference?patient=" + s.patient).is(403)
			mother().get("Patient/" + s.patient).is(404)
			mother().get("AuditEvent?patient=" + s.patient).is(403)
			session().post("", secret("9")).is(422)
			session().post("", strings.ReplaceAll(push, "99999.2", "99999.10")).is(422)
			s.author.patch(plainDoc, label("INVISIBLE_REPRESENTANTS_LEGAUX")).is(422)
			s.me().get(plainDoc).is(200)
			s.me().get(secretDoc).is(200)
			if !strings.Contains(s.history(s.me()), secretDoc) {
				t.Error("the history of the patient lost the secret session")
			}
		})
	}
}

// Majority is a setting.
func TestMajoritySetting(t *testing.T) {
	matrix, err := policy.LoadMatrix(policy.SandboxMatrix())
	if err != nil {
		t.Fatal(err)
	}
	settings := policy.DefaultSettings()
	settings.Majority = 16
	engine, err := policy.New(settings, matrix)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouseOver(t, plain, func(c *dossier.Config) { c.Policy = engine })
	s := h.openMinor("2011-03-28", "mere")
	s.at(paris(2027, time.March, 28, 0, 0).Add(-time.Microsecond))
	s.account("mere").get("Patient/" + s.patient).is(200)
	s.at(paris(2027, time.March, 28, 0, 0))
	s.account("mere").get("Patient/" + s.patient).is(404)
}
