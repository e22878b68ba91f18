package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/policy"
	"opendmp/sandbox"
)

// The attacks of the group "Emergency, SAMU, hospital feed", with neighbours of
// each. EM08, EM09 and EM12 stand in samu_test.go and lifecycle_test.go.
func TestEmergency(t *testing.T) {
	for _, c := range []struct {
		name   string
		attack func(*siege, *testing.T)
	}{
		{"EM02 break-glass on a patient who opposed", brokenAgainstOpposition},
		{"EM05 break-glass shows nothing masked", brokenShowsNothingMasked},
		{"EM06 a grant is of one person, one dossier and one hour", brokenTooLong},
		{"EM11 a hospital reads nothing but the metadata of its own", hospitalReads},
		{"EM14 a push twice at once is one push", pushedTwice},
		{"EM15 a unique identifier is of one content", pushedOtherwise},
		{"EM17 what is hidden from the patient is shown by the rules, not by the feeder", feederShows},
		{"EM18 a feeder that floods takes nothing from others", feederFloods},
	} {
		t.Run(c.name, func(t *testing.T) { c.attack(besiege(t), t) })
	}
	t.Run("EM03 break-glass is for a physician in person", func(t *testing.T) {
		brokenByOthers(besiege(t, func(s *policy.Settings) { s.Students = false }), t)
	})
}

// deniedAs requires the one answer of 403.
func (s *siege) deniedAs(t *testing.T, name string, r *reply) {
	t.Helper()
	if want := s.denied(); r.status != 403 || !bytes.Equal(r.body, want.body) {
		t.Errorf("%s: %d %.400s", name, r.status, r.body)
	}
}

func brokenAgainstOpposition(s *siege, t *testing.T) {
	basile := s.patient("patient-basile")
	search := "DocumentReference?patient=" + basile
	roche := s.as("urgentiste-roche")
	s.deniedAs(t, "by id", roche.breakGlass(basile, reasonOK))
	s.deniedAs(t, "by INS", roche.post("Patient/$bris-de-glace", operationBody(insParameter(s.people["patient-basile"].INS),
		`"name":"circonstance","valueCoding":{"system":"urn:opendmp:circonstance-urgence","code":"hors-etat-de-consentir"}`,
		`"name":"motif","valueString":"`+reasonOK+`"`)))
	cached := s.holding("urgentiste-roche", "BTG", reasonOK)
	for n := range 3 {
		s.deniedAs(t, fmt.Sprint("the same token, try ", n), cached.get(search))
		s.deniedAs(t, "its history", cached.get("AuditEvent?patient="+basile))
		cached.get(s.doc("basile-lettre-sortie")).is(404)
	}
	s.deniedAs(t, "a further token", s.holding("urgentiste-roche", "bris_de_glace", reasonOK).get(search))
	history := s.as("patient-basile").get("AuditEvent?_count=200&outcome=4&agent.identifier=8899900000014&patient=" + basile).is(200)
	for _, want := range []string{"ROCHE", reasonOK, "bris_de_glace", "Refusé"} {
		if !bytes.Contains(history.body, []byte(want)) {
			t.Errorf("the history of Basile has no %q: %.1500s", want, history.body)
		}
	}

	// An opposition that comes later closes what is open, with the next request.
	alix := s.patient("patient-alix")
	open := s.holding("urgentiste-roche", "BTG", reasonOK)
	open.get(s.doc("alix-biologie")).is(200)
	opposed := "Consent/" + s.as("patient-alix").post("Consent", opposition(alix, "opposition-bris-de-glace", "BTG")).is(201).at("id")
	open.get(s.doc("alix-biologie")).is(404)
	s.deniedAs(t, "opposed after the grant", open.get("DocumentReference?patient="+alix))
	s.deniedAs(t, "again", roche.breakGlass(alix, reasonOK))
	// The other opposition is another: it closes centre_15 and not this.
	s.withdraws("patient-alix", opposed)
	centre15 := "Consent/" + s.as("patient-alix").post("Consent", opposition(alix, "opposition-centre-15", "ETREAT")).is(201).at("id")
	open.get(s.doc("alix-biologie")).is(200)
	s.as("samu-garnier").get("DocumentReference?patient="+alix).is(200).has("total", "0")
	s.withdraws("patient-alix", centre15)
}

// opposition is a Consent of a kind that is about nobody.
func opposition(patient, kind, purpose string) []byte {
	text := string(consentAbout(patient, kind, "deny", "{}", ""))
	from, to := strings.Index(text, `"actor":[`), strings.LastIndex(text, `]}}`)
	return []byte(text[:from] + `"purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"` + purpose + `"}` + text[to:])
}

func brokenByOthers(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	for _, who := range []string{
		"pharmacien-dubois", "infirmier-moreau", "sage-femme-roux", "opticien-blanc", "dentiste-faure", "etudiant-simon", "hopital-nord", "secretariat-nord",
		"assurance-maladie", "operateur", "patient-alix", "patient-basile", "representative-lambert", "medecin-travail-colin",
	} {
		got := s.as(who).breakGlass(alix, reasonOK)
		if who == "patient-basile" || who == "representative-lambert" || who == "operateur" || who == "patient-alix" {
			if got.status != 403 {
				t.Errorf("%s: %d", who, got.status)
			}
			continue
		}
		s.deniedAs(t, who, got)
	}
	// By the token: of a kind that has no such purpose it is nobody's, of another
	// profession it opens nothing.
	for who, status := range map[string]int{"etudiant-simon": 403, "medecin-travail-colin": 403, "hopital-nord": 401, "secretariat-nord": 401, "samu-garnier": 401, "patient-alix": 401} {
		p, _ := sandbox.Lookup(who)
		c := p.Claims("BTG", reasonOK)
		s.bearer(c).get("DocumentReference?patient=" + alix).is(status)
	}
	// A physician for whom an establishment vouches is not there in person.
	p, _ := sandbox.Lookup("urgentiste-roche")
	vouched := p.Claims("BTG", reasonOK)
	vouched.DMP.Vouched = true
	s.deniedAs(t, "vouched for", s.bearer(vouched).get("DocumentReference?patient="+alix))
	// A profession that is told only as a role is not exercised.
	nurse := p.Claims("BTG", reasonOK)
	nurse.DMP.Profession = &auth.Coding{System: auth.SystemProfession, Code: "60"}
	nurse.Extensions.IUA.Role = []auth.Coding{{System: auth.SystemProfession, Code: "60"}, {System: auth.SystemProfession, Code: "10"}}
	s.bearer(nurse).get("DocumentReference?patient=" + alix).is(401)
	nurse.Extensions.IUA.Role = nil
	s.deniedAs(t, "nurse with the skill of a physician", s.bearer(nurse).get("DocumentReference?patient="+alix))
	s.as("urgentiste-roche").breakGlass(alix, reasonOK).is(200)
}

func brokenShowsNothingMasked(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	masked := s.parts("alix-masque", "patient-alix")
	roche := s.as("urgentiste-roche")
	roche.breakGlass(alix, reasonOK).is(200)
	roche.get(s.doc("alix-biologie")).is(200)
	roche.get("DocumentReference?patient="+alix+"&security-label=MASQUE_PS").is(200).has("total", "0")
	s.unseen(t, roche, masked)
	s.unseen(t, s.holding("urgentiste-roche", "BTG", reasonOK), masked)
	s.unseen(t, s.as("samu-garnier"), masked)
	// A document that they see and one that they do not, asked for together.
	both := func(id string) *reply {
		return roche.get("DocumentReference?_summary=count&_id=" + idOf(s.doc("alix-biologie")) + "," + id)
	}
	alike(t, both(idOf(masked.doc)), both(never(idOf(masked.doc))), idOf(masked.doc), never(idOf(masked.doc)))
	// What is masked while the grant is open, and everything masked at once.
	s.as("patient-alix").patch(s.doc("alix-biologie"), addLabel("MASQUE_PS")).is(200)
	roche.get(s.doc("alix-biologie")).is(404)
	s.as("patient-alix").post("Consent", opposition(alix, "masquage-total", "TREAT")).is(201)
	roche.get(s.doc("alix-ordonnance")).is(404)
	roche.get("DocumentReference?patient="+alix).is(200).has("total", "1") // that of a colleague in the same structure (L08)
	s.as("samu-garnier").get("DocumentReference?patient="+alix).is(200).has("total", "0")
	s.as("medecin-martin").get(s.doc("alix-ordonnance")).is(200)
}

func brokenTooLong(s *siege, t *testing.T) {
	defer s.clock.release()
	alix := s.patient("patient-alix")
	search := "DocumentReference?patient=" + alix
	opened := time.Now().Truncate(time.Second)
	s.clock.set(opened)
	once := s.holding("urgentiste-roche", "BTG", reasonOK)
	page := once.get(search + "&_count=2").is(200).next()
	roche := s.as("urgentiste-roche")
	roche.get(search).is(200)
	// Neither a colleague of the same structure, nor another patient.
	petit := s.as("medecin-petit")
	s.deniedAs(t, "a colleague", petit.get(search))
	petit.get(s.doc("alix-biologie")).is(404)
	s.deniedAs(t, "another patient", roche.get("DocumentReference?patient="+s.patient("patient-emma")))
	s.deniedAs(t, "another patient by the same token", once.get("DocumentReference?patient="+s.patient("patient-emma")))
	s.deniedAs(t, "the operation by the same token", once.breakGlass(s.patient("patient-emma"), reasonOK))
	// A token that asks for a masked document opens no grant: it is as if it had asked
	// for nothing, and opens one elsewhere.
	masked := s.parts("alix-masque", "patient-alix")
	for n, path := range []string{
		masked.doc, masked.doc + "/_history", masked.binary, masked.list, "DocumentReference?_id=" + idOf(masked.doc), "DocumentReference?" + byOID + masked.oid,
		"DocumentReference/" + never(idOf(masked.doc)),
	} {
		p, _ := sandbox.Lookup("urgentiste-roche")
		c := p.Claims("BTG", reasonOK)
		c.Extensions.IUA.Provider = fmt.Sprintf("urn:oid:1.2.250.1.71.4.2.1|88999000001%02d", n)
		token, err := s.signer.Sign(c)
		check(t, err)
		probe := s.as("").with("Authorization", "Bearer "+token)
		if got := probe.get(path); got.status == 200 {
			got.has("total", "0")
		}
		probe.get("DocumentReference?patient=" + s.patient("patient-emma")).is(200)
	}
	// The Consent of the grant is nobody's to write or to make longer.
	body := consentAbout(alix, "acces-urgence", "permit", identJSON("urgentiste-roche"), "2099-01-01")
	if got := roche.post("Consent", bytes.Replace(body, []byte("TREAT"), []byte("BTG"), 1)); got.status != 403 && got.status != 422 {
		t.Errorf("a grant by Consent: %d", got.status)
	}

	s.clock.set(opened.Add(59*time.Minute + 59*time.Second))
	roche = s.as("urgentiste-roche")
	roche.get(search).is(200)
	for _, late := range []time.Duration{time.Hour + time.Second, 2 * time.Hour, 25 * time.Hour} {
		s.clock.set(opened.Add(late))
		roche = s.as("urgentiste-roche")
		s.deniedAs(t, "after "+late.String(), roche.get(search))
		roche.get(s.doc("alix-biologie")).is(404)
		if got := roche.get(page); got.status != 400 && got.status != 403 {
			t.Errorf("the page link after %s: %d", late, got.status)
		}
	}
	// The token that opened it, were it to live longer, opens no second one.
	p, _ := sandbox.Lookup("urgentiste-roche")
	c := p.Claims("BTG", reasonOK)
	c.ID = "the-same-jti"
	s.bearer(c).get(search).is(200)
	s.clock.set(opened.Add(26*time.Hour + 30*time.Minute))
	s.deniedAs(t, "its jti again", s.bearer(c).get(search))
}

func hospitalReads(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	hospital := s.as("hopital-nord")
	for _, key := range []string{"alix-cr-consultation", "alix-masque", "alix-psy", "alix-directives", "alix-remb", "basile-lettre-sortie", "claire-biologie"} {
		none := "DocumentReference/" + never(idOf(s.doc(key)))
		for _, suffix := range []string{"", "/_history", "/_history/1"} {
			alike(t, hospital.get(s.doc(key)+suffix).is(404), hospital.get(none+suffix))
		}
	}
	// Its own: what finds them again, never their content (L13).
	own := s.push(sending{author: "hopital-nord", patient: "patient-alix"})
	hospital.get(own.doc).is(200)
	hospital.get(own.binary).is(404)
	alike(t, hospital.get(own.binary), hospital.get("Binary/"+never(idOf(own.binary))))
	found := hospital.get("DocumentReference?_count=200&patient=" + alix).is(200)
	for _, e := range asList(found.json()["entry"]) {
		if text := fmt.Sprint(e); !strings.Contains(text, "1750000001") {
			t.Errorf("not its own: %.400s", text)
		}
	}
	for _, path := range []string{"Consent?patient=" + alix, "AuditEvent?patient=" + alix, "RelatedPerson?patient=" + s.patient("patient-emma"), "CareTeam?patient=" + alix} {
		if got := hospital.get(path); got.status != 403 && got.at("total") != "0" {
			t.Errorf("%s: %d %.400s", path, got.status, got.body)
		}
	}
	hospital.get("Patient/" + alix).is(404)
	hospital.get("Patient/" + alix + "/_history").is(404)
	s.as("hopital-sud").get(own.doc).is(404)
	// As a purpose of care it reads no more.
	s.as("hopital-nord").withPurpose("TREAT", "").get(s.doc("alix-cr-consultation")).is(404)
	s.as("hopital-nord").withPurpose("COC", "").get(own.binary).is(404)
	// A professional among the authors opens nothing to the system.
	p, _ := sandbox.Lookup("hopital-nord")
	person := p.Claims("", "")
	person.Extensions.IUA.Provider = "urn:oid:1.2.250.1.71.4.2.1|8899900000011"
	s.bearer(person).get(own.doc).is(401)
}

func pushedTwice(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	count := func() string {
		return s.as("medecin-martin").get("DocumentReference?_summary=count&patient=" + alix).is(200).at("total")
	}
	for round := range 5 {
		body, oid := s.bundle(sending{author: "hopital-nord", patient: "patient-alix", content: fmt.Sprint("round ", round)})
		var wg sync.WaitGroup
		replies := make([]*reply, 4)
		for i := range replies {
			wg.Go(func() { replies[i] = s.as("hopital-nord").post("", body) })
		}
		wg.Wait()
		for _, r := range replies {
			r.is(200)
			if refOf(r.at("entry.1.response.location")) != refOf(replies[0].at("entry.1.response.location")) {
				t.Errorf("two locations:\n%s\n%s", r.body, replies[0].body)
			}
		}
		s.as("medecin-martin").get("DocumentReference?"+byOID+oid).is(200).has("total", "1")
		before := count()
		// Later, and with the names and dates of another try: still the same.
		again := strings.NewReplacer("00000000-0000-4000-8000", "11111111-0000-4000-8000", `"date":"2026-11-22T09:00:00+01:00","entry"`, `"date":"2026-11-22T10:00:00+01:00","entry"`).Replace(string(body))
		r := s.as("hopital-nord").post("", []byte(again)).is(200)
		if refOf(r.at("entry.1.response.location")) != refOf(replies[0].at("entry.1.response.location")) || count() != before {
			t.Errorf("another document: %s", r.body)
		}
	}
	body := s.alone("medecin-durand", "patient-alix", "urn:oid:2.25.72000001")
	var wg sync.WaitGroup
	locations := make([]string, 4)
	for i := range locations {
		wg.Go(func() {
			r := s.as("medecin-durand").post("DocumentReference", body)
			if r.status != 200 && r.status != 201 {
				t.Errorf("ITI-105 at once: %d %.300s", r.status, r.body)
				return
			}
			locations[i] = refOf(r.header.Get("Location"))
		})
	}
	wg.Wait()
	for _, l := range locations {
		if l != locations[0] {
			t.Errorf("ITI-105 at once: %v", locations)
		}
	}
	s.as("medecin-martin").get("DocumentReference?"+byOID+"urn:oid:2.25.72000001").is(200).has("total", "1")
}

func pushedOtherwise(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	first := s.push(sending{author: "hopital-nord", patient: "patient-alix", content: "the first"})
	hospital := s.as("hopital-nord")
	for name, d := range map[string]sending{
		"another content": {content: "the second"}, "another type": {content: "the first", typ: "11488-4"}, "a flag": {content: "the first", flag: "MASQUE_PS"},
	} {
		d.author, d.patient, d.oid = "hopital-nord", "patient-alix", first.oid
		body, _ := s.bundle(d)
		got := hospital.post("", body).is(409)
		for _, secret := range []string{"the first", "MERCIER"} {
			if bytes.Contains(got.body, []byte(secret)) {
				t.Errorf("%s: says %q", name, secret)
			}
		}
	}
	s.as("medecin-martin").with("Accept", "text/plain").get(first.binary).is(200)
	if got := s.as("medecin-martin").with("Accept", "text/plain").get(first.binary); string(got.body) != "the first" {
		t.Errorf("the first is now %q", got.body)
	}
	s.as("medecin-martin").get("DocumentReference?"+byOID+first.oid).is(200).has("total", "1").has("entry.0.resource.meta.versionId", "1")
	refused := s.as("patient-alix").get("AuditEvent?_count=200&_total=accurate&outcome=4&subtype=ITI-65&patient=" + alix).is(200)
	refused.has("total", "3")
	// The identifiers of another source are its own: no conflict tells of them.
	body, _ := s.bundle(sending{author: "hopital-sud", patient: "patient-alix", content: "of the South", oid: first.oid})
	s.as("hopital-sud").post("", body).is(200)
	// Nor does the same identifier in the record of somebody else.
	body, _ = s.bundle(sending{author: "hopital-nord", patient: "patient-basile", content: "of Basile", oid: first.oid})
	hospital.post("", body).is(200)
}

func feederShows(s *siege, t *testing.T) {
	me, hospital := s.as("patient-alix"), s.as("hopital-nord")
	at := s.push(sending{author: "medecin-durand", patient: "patient-alix", flag: "INVISIBLE_PATIENT"})
	for _, p := range []*person{s.as("hopital-sud"), s.as("assurance-maladie"), s.as("secretariat-nord")} {
		if got := p.patch(at.doc, relabel("N")); got.status != 404 && got.status != 403 {
			t.Errorf("%s shows another's document: %d", p.persona, got.status)
		}
	}
	me.get(at.doc).is(404)
	// A replacement that says nothing of the flag, or denies it, takes it over (E06).
	own := s.push(sending{author: "hopital-nord", patient: "patient-alix", flag: "INVISIBLE_PATIENT"})
	for _, flag := range []string{"", "N"} {
		body, _ := s.bundle(sending{author: "hopital-nord", patient: "patient-alix", flag: flag, content: "again " + flag,
			more: `"relatesTo":[{"code":"replaces","target":{"reference":"` + own.doc + `"}}],`})
		got := hospital.post("", body)
		if got.status >= 400 {
			t.Errorf("replaced with label %q: %d %.400s", flag, got.status, got.body)
			continue
		}
		newer := refOf(got.at("entry.1.response.location"))
		me.get(newer).is(404)
		if kept := hospital.get(newer).is(200); !bytes.Contains(kept.body, []byte("INVISIBLE_PATIENT")) {
			t.Errorf("replaced with label %q: %s", flag, kept.body)
		}
		own.doc = newer
	}
	// What the patient may not undo, and what cannot be both.
	me.patch(own.doc, relabel("N")).is(404)
	for name, flags := range map[string]string{"masked and hidden": "MASQUE_PS", "hidden from the representatives of an adult": "INVISIBLE_REPRESENTANTS_LEGAUX"} {
		body, _ := s.bundle(sending{author: "hopital-nord", patient: "patient-alix", flag: "INVISIBLE_PATIENT"})
		both := bytes.Replace(body, []byte(`"securityLabel":[`), []byte(`"securityLabel":[`+labelJSON(flags)+`,`), 1)
		if got := hospital.post("", both); got.status != 422 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
}

func feederFloods(s *siege, t *testing.T) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 16 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				body, _ := s.bundle(sending{author: "hopital-nord", patient: "patient-basile"})
				got := s.as("hopital-nord").post("", body)
				mu.Lock()
				statuses[got.status]++
				mu.Unlock()
			}
		})
	}
	slowest := time.Duration(0)
	for range 20 {
		start := time.Now()
		s.as("medecin-martin").get("DocumentReference?patient=" + s.patient("patient-alix")).is(200)
		slowest = max(slowest, time.Since(start))
	}
	close(stop)
	wg.Wait()
	if slowest > 5*time.Second {
		t.Errorf("a reader waited %v", slowest)
	}
	for status := range statuses {
		if status != http.StatusOK && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			t.Errorf("the feeder was answered with %d", status)
		}
	}
	if statuses[http.StatusOK] < 20 {
		t.Errorf("no flood: %v", statuses)
	}
	t.Run("429 to the feeder alone", func(t *testing.T) { t.Skip("needs a limit of pushes for each source") })
}
