package main

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/sandbox"
	"opendmp/store"
	"opendmp/vault"
)

// The attacks of the group "Audit and repudiation", with neighbours of each.
func TestAudit(t *testing.T) {
	for _, c := range []struct {
		name   string
		attack func(*siege, *testing.T)
	}{
		{"AU01 each call that reads or is refused is one event", oneEventEach},
		{"AU02 nobody writes the history", nobodyWritesHistory},
		{"AU04 a line that was changed is not shown", changedLine},
		{"AU05 lines that were removed are missed", removedLines},
		{"AU07 the lines of another patient are as none", linesOfOthers},
		{"AU08 the history is for the patient, representatives and médecins traitants", historyReaders},
		{"AU10 data and event are one commit", oneCommit},
		{"AU11 a long history is paged", longHistory},
	} {
		t.Run(c.name, func(t *testing.T) { c.attack(besiege(t), t) })
	}
}

// ring opens the keys of a dossier as the server does.
func (s *siege) ring(d store.Dossier) *vault.Ring {
	s.t.Helper()
	if d == s.log.Journal().Dossier {
		return s.log.Journal().Ring
	}
	kept, err := s.store.Keys(context.Background(), d)
	check(s.t, err)
	var keys []vault.Wrapped
	for _, k := range kept {
		keys = append(keys, vault.Wrapped{Kind: k.Kind, Number: k.Number, Epoch: k.Epoch, Bytes: k.Wrapped})
	}
	ring, err := s.keys.Ring(d, keys)
	check(s.t, err)
	return ring
}

// recorded is an event, and whether it is in the history of a patient or in the system
// journal.
type recorded struct {
	audit.Event
	journal bool
}

// events returns what is told while do runs.
func (s *siege) events(do func()) (all []recorded) {
	s.t.Helper()
	for _, tx := range s.store.during(do) {
		for _, e := range tx.Events {
			plain, err := s.ring(e.Dossier).OpenEvent(e.ID, e.Sealed)
			check(s.t, err)
			event, err := audit.Decode(plain)
			check(s.t, err)
			all = append(all, recorded{event, e.Dossier == s.log.Journal().Dossier})
		}
	}
	return all
}

// deed is a call and the event that it must leave.
type deed struct {
	name    string
	who     string
	ask     func(p *person) *reply
	status  int
	action  audit.Action
	journal bool // told in the system journal: no dossier is concerned
	more    int  // events beside the one: of each further class of the history, of each candidate
}

func reads(path string) func(*person) *reply { return func(p *person) *reply { return p.get(path) } }

func oneEventEach(s *siege, t *testing.T) {
	alix, basile := s.patient("patient-alix"), s.patient("patient-basile")
	doc, masked := s.parts("alix-biologie", "patient-alix"), s.parts("alix-masque", "patient-alix")
	none := "DocumentReference/" + never(idOf(doc.doc))
	team := s.as("patient-alix").post("CareTeam", careTeam("", alix, "active", "", teamLeroy)).is(201)
	consent := s.consents("patient-alix", "patient-alix", "autorisation", "permit", identJSON("medecin-leroy"), s.signer.Now().Format(time.DateOnly))
	event := s.as("patient-alix").get("AuditEvent?patient=" + alix + "&_count=1").is(200).at("entry.0.resource.id")
	unknown := s.people["patient-farid"].INS
	pushed := func(d sending) func(*person) *reply {
		return func(p *person) *reply {
			body, _ := s.bundle(d)
			return p.post("", body)
		}
	}
	patches := func(ref, operations string) func(*person) *reply {
		return func(p *person) *reply { return p.patch(ref, operations) }
	}
	mine := s.push(sending{author: "hopital-nord", patient: "patient-alix"})
	gone := s.push(sending{author: "hopital-nord", patient: "patient-alix"})
	repeated, _ := s.bundle(sending{author: "hopital-nord", patient: "patient-alix"})
	s.as("hopital-nord").post("", repeated).is(200)
	expliquer := func(ref string) func(*person) *reply {
		return func(p *person) *reply { return p.post(ref+"/$expliquer", operationBody()) }
	}
	deeds := []deed{
		{"read", "medecin-durand", reads(doc.doc), 200, audit.Reads, false, 0},
		{"read, hidden", "medecin-durand", reads(masked.doc), 404, audit.Reads, false, 0},
		{"read, without a right", "urgentiste-roche", reads(doc.doc), 404, audit.Reads, false, 0},
		{"read, absent", "medecin-durand", reads(none), 404, audit.Reads, true, 0},
		{"read, not modified", "medecin-durand", func(p *person) *reply { return p.with("If-None-Match", "*").get(doc.doc) }, 304, audit.Reads, false, 0},
		{"HEAD", "medecin-durand", func(p *person) *reply { return p.do(http.MethodHead, doc.doc, "", nil) }, 200, audit.Reads, false, 0},
		{"vread", "medecin-durand", reads(doc.doc + "/_history/1"), 200, audit.Reads, false, 0},
		{"vread, hidden", "medecin-durand", reads(masked.doc + "/_history/1"), 404, audit.Reads, false, 0},
		{"vread of no version", "medecin-durand", reads(doc.doc + "/_history/9"), 404, audit.Reads, false, 0},
		{"history", "medecin-durand", reads(doc.doc + "/_history"), 200, audit.Reads, false, 0},
		{"history, hidden", "medecin-durand", reads(masked.doc + "/_history"), 404, audit.Reads, false, 0},
		{"content", "medecin-durand", reads(doc.binary), 200, audit.Reads, false, 0},
		{"content, hidden", "medecin-durand", reads(masked.binary), 404, audit.Reads, false, 0},
		{"submission set", "medecin-durand", reads(doc.list), 200, audit.Reads, false, 0},
		{"submission set, hidden", "medecin-durand", reads(masked.list), 404, audit.Reads, false, 0},
		{"Patient", "patient-alix", reads("Patient/" + alix), 200, audit.Reads, false, 0},
		{"Patient, refused", "patient-alix", reads("Patient/" + basile), 404, audit.Reads, false, 0},
		{"Consent", "patient-alix", reads(consent), 200, audit.Reads, false, 0},
		{"Consent, hidden", "medecin-durand", reads(consent), 404, audit.Reads, false, 0},
		{"CareTeam", "medecin-leroy", reads("CareTeam/" + team.at("id")), 200, audit.Reads, false, 0},
		{"CareTeam, hidden", "pharmacien-dubois", reads("CareTeam/" + team.at("id")), 404, audit.Reads, false, 0},
		{"AuditEvent", "patient-alix", reads("AuditEvent/" + event), 200, audit.Reads, false, 0},
		{"AuditEvent, refused", "medecin-durand", reads("AuditEvent/" + event), 404, audit.Reads, false, 0},
		{"AuditEvent of a patient who may not", "patient-basile", reads("AuditEvent/" + event), 404, audit.Reads, false, 0},

		{"search", "pharmacien-dubois", reads("DocumentReference?type=11502-2&patient=" + alix), 200, audit.Executes, false, 0},
		{"search, of two classes", "pharmacien-dubois", reads("DocumentReference?patient=" + alix), 200, audit.Executes, false, 1},
		{"search by POST", "pharmacien-dubois", func(p *person) *reply {
			return p.do(http.MethodPost, "DocumentReference/_search", "application/x-www-form-urlencoded", []byte("type=11502-2&patient="+alix))
		}, 200, audit.Executes, false, 0},
		{"search, refused", "urgentiste-roche", reads("DocumentReference?patient=" + alix), 403, audit.Executes, false, 0},
		{"search of no record", "pharmacien-dubois", reads("DocumentReference?patient.identifier=" + unknown), 200, audit.Executes, true, 0},
		{"search by identifier, hidden", "pharmacien-dubois", reads("DocumentReference?" + byOID + masked.oid), 200, audit.Executes, false, 0},
		{"search that finds nothing", "pharmacien-dubois", reads("DocumentReference?patient=" + alix + "&type=rien"), 200, audit.Executes, false, 0},
		{"count", "pharmacien-dubois", reads("DocumentReference?_summary=count&patient=" + alix), 200, audit.Executes, false, 0},
		{"lists", "pharmacien-dubois", reads("List?date=lt" + time.Now().AddDate(0, 0, -5).Format(time.DateOnly) + "&patient=" + alix), 200, audit.Executes, false, 0},
		{"lists, refused", "urgentiste-roche", reads("List?patient=" + alix), 403, audit.Executes, false, 0},
		{"consents", "patient-alix", reads("Consent?patient=" + alix), 200, audit.Executes, false, 0},
		{"consents, refused", "urgentiste-roche", reads("Consent?patient=" + basile), 403, audit.Executes, false, 0},
		{"teams", "patient-alix", reads("CareTeam?patient=" + alix), 200, audit.Executes, false, 0},
		{"teams, refused", "pharmacien-dubois", reads("CareTeam?patient=" + basile), 403, audit.Executes, false, 0},
		{"representatives", "patient-emma", reads("RelatedPerson?patient=" + s.patient("patient-emma")), 200, audit.Executes, false, 0},
		{"representatives, refused", "urgentiste-roche", reads("RelatedPerson?patient=" + s.patient("patient-emma")), 403, audit.Executes, false, 0},
		{"provenances", "patient-alix", reads("Provenance?patient=" + alix), 200, audit.Executes, false, 0},
		{"history of accesses", "patient-alix", reads("AuditEvent?patient=" + alix), 200, audit.Executes, false, 0},
		{"history of accesses, refused", "medecin-durand", reads("AuditEvent?patient=" + alix), 403, audit.Executes, false, 0},
		{"TD0.2", "urgentiste-roche", reads("Patient?identifier=" + s.people["patient-alix"].INS), 200, audit.Executes, false, 0},
		{"TD0.2 of nobody", "urgentiste-roche", reads("Patient?identifier=" + unknown), 200, audit.Executes, true, 0},
		{"TD0.2 by another patient", "patient-basile", reads("Patient?identifier=" + s.people["patient-alix"].INS), 403, audit.Executes, false, 0},
		{"traits", "samu-garnier", reads("Patient?family=mercier&given=alix&birthdate=1985-04-12"), 200, audit.Executes, false, 1},
		{"traits of nobody", "samu-garnier", reads("Patient?family=personne&given=alix&birthdate=1985-04-12"), 200, audit.Executes, true, 0},
		{"traits, refused", "medecin-martin", reads("Patient?family=mercier&given=alix&birthdate=1985-04-12"), 403, audit.Executes, true, 0},

		{"push", "hopital-nord", pushed(sending{author: "hopital-nord", patient: "patient-alix"}), 200, audit.Creates, false, 0},
		{"push again", "hopital-nord", func(p *person) *reply { return p.post("", repeated) }, 200, audit.Creates, false, 0},
		{"push of another content", "hopital-nord", pushed(sending{author: "hopital-nord", patient: "patient-alix", oid: mine.oid, content: "other"}), 409, audit.Creates, false, 0},
		{"push for somebody else", "hopital-nord", pushed(sending{author: "medecin-leroy", patient: "patient-alix"}), 403, audit.Creates, false, 0},
		{"push to a closed record", "hopital-nord", pushed(sending{author: "hopital-nord", patient: "patient-claire"}), 422, audit.Creates, false, 0},
		{"push to no record", "hopital-nord", pushed(sending{author: "hopital-nord", patient: "patient-farid"}), 422, audit.Creates, true, 0},
		{"ITI-105", "medecin-durand", func(p *person) *reply {
			return p.post("DocumentReference", s.alone("medecin-durand", "patient-alix", "urn:oid:2.25.73000001"))
		}, 201, audit.Creates, false, 0},
		{"ITI-105 of another author", "medecin-durand", func(p *person) *reply {
			return p.post("DocumentReference", s.alone("medecin-leroy", "patient-alix", "urn:oid:2.25.73000002"))
		}, 403, audit.Creates, false, 0},
		{"PATCH", "patient-alix", patches(mine.doc, addLabel("MASQUE_PS")), 200, audit.Updates, false, 0},
		{"PATCH, hidden", "pharmacien-dubois", patches(mine.doc, relabel("N")), 404, audit.Updates, false, 0},
		{"PATCH of nothing", "pharmacien-dubois", patches(none, relabel("N")), 404, audit.Updates, true, 0},
		{"PATCH, not the author", "medecin-martin", patches(doc.doc, toSuperseded), 403, audit.Updates, false, 0},
		{"PATCH of another element", "medecin-martin", patches(doc.doc, `[{"op":"replace","path":"/description","value":"x"}]`), 405, audit.Updates, false, 0},
		{"PATCH of a Patient", "patient-alix", patches("Patient/"+alix, `[{"op":"replace","path":"/birthDate","value":"1900-01-01"}]`), 403, audit.Updates, false, 0},
		{"DELETE", "hopital-nord", func(p *person) *reply { return p.delete(gone.doc) }, 204, audit.Deletes, false, 0},
		{"DELETE, not the author", "medecin-martin", func(p *person) *reply { return p.delete(doc.doc) }, 403, audit.Deletes, false, 0},
		{"DELETE, hidden", "pharmacien-dubois", func(p *person) *reply { return p.delete(masked.doc) }, 404, audit.Deletes, false, 0},
		{"consent given", "patient-alix", func(p *person) *reply {
			return p.post("Consent", consentAbout(alix, "blocage", "deny", identJSON("medecin-petit"), ""))
		}, 201, audit.Creates, false, 0},
		{"consent, refused", "pharmacien-dubois", func(p *person) *reply {
			return p.post("Consent", consentAbout(alix, "blocage", "deny", identJSON("medecin-petit"), ""))
		}, 403, audit.Creates, false, 0},
		{"team, refused", "urgentiste-roche", func(p *person) *reply { return p.post("CareTeam", careTeam("", alix, "active", "", teamLeroy)) }, 403, audit.Creates, false, 0},
		{"$bris-de-glace", "urgentiste-roche", func(p *person) *reply { return p.breakGlass(alix, reasonOK) }, 200, audit.Executes, false, 0},
		{"$bris-de-glace, opposed", "urgentiste-roche", func(p *person) *reply { return p.breakGlass(basile, reasonOK) }, 403, audit.Executes, false, 0},
		{"$bris-de-glace, of nobody", "urgentiste-roche", func(p *person) *reply { return p.breakGlass(never(alix), reasonOK) }, 404, audit.Executes, true, 0},
		{"$expliquer", "patient-alix", expliquer(doc.doc), 200, audit.Reads, false, 0},
		{"$expliquer, refused", "pharmacien-dubois", expliquer(doc.doc), 404, audit.Executes, false, 0},
		{"$fermer, refused", "medecin-petit", func(p *person) *reply {
			return p.post("Patient/"+alix+"/$fermer", operationBody(motiveParameter, reasonParameter))
		}, 403, audit.Updates, false, 0},
		{"$detruire, refused", "pharmacien-dubois", func(p *person) *reply {
			return p.post(doc.doc+"/$detruire", operationBody(`"name":"confirmation","valueString":"x"`))
		}, 403, audit.Deletes, false, 0},
		{"$fermer", "patient-david", func(p *person) *reply {
			return p.post("Patient/"+s.patient("patient-david")+"/$fermer", operationBody(motiveParameter, reasonParameter))
		}, 200, audit.Updates, false, 0},
		{"$reactiver", "patient-david", func(p *person) *reply {
			return p.post("Patient/"+s.patient("patient-david")+"/$reactiver", operationBody())
		}, 200, audit.Updates, false, 0},
	}
	for _, d := range deeds {
		t.Run(d.name, func(t *testing.T) { s.in(t).leavesOne(t, d) })
	}
}

// purposeOf is the purpose that an event of a caller has (DOMAIN §5.6).
var purposeOf = map[auth.Kind]string{
	auth.Patient: "PATRQT", auth.Representative: "FAMRQT", auth.Professional: "TREAT", auth.Establishment: "TREAT", auth.Regulator: "ETREAT",
	auth.Administrative: "PATADMIN", auth.InsuranceFeeder: "HPAYMT", auth.Operator: "HSYSADMIN",
}

// leavesOne requires that a deed leaves its event, and no other.
func (s *siege) leavesOne(t *testing.T, d deed) {
	t.Helper()
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, d.name)
	var got *reply
	events := s.events(func() { got = d.ask(s.as(d.who).with("X-Request-Id", id)) })
	if got.status != d.status {
		t.Fatalf("%d, want %d: %.400s", got.status, d.status, got.body)
	}
	if len(events) != 1+d.more {
		t.Fatalf("%d events: %+v", len(events), events)
	}
	for i, e := range events {
		if i > 0 && e.journal == events[0].journal && e.Class == events[0].Class {
			t.Errorf("two events of one class: %+v", events)
		}
		s.tells(t, d, e, id)
	}
}

// tells requires that an event has the right actor, purpose, action and outcome.
func (s *siege) tells(t *testing.T, d deed, e recorded, id string) {
	t.Helper()
	p, _ := sandbox.Lookup(d.who)
	answered := d.status < 400
	actor := strings.TrimLeft(p.ID.Value, "8")
	if p.Kind != auth.Professional && p.Kind != auth.Regulator {
		actor = p.ID.Value
	}
	switch {
	case e.Kind != p.Kind || !strings.HasSuffix(e.Actor.Value, actor):
		t.Errorf("actor %v %v, want %v %s", e.Kind, e.Actor, p.Kind, actor)
	case e.ActorName != p.Name():
		t.Errorf("name %q", e.ActorName)
	case e.Allowed != answered || e.Allowed == (e.Status >= 400):
		t.Errorf("outcome: allowed %v, status %d", e.Allowed, e.Status)
	case e.Action != d.action:
		t.Errorf("action %c, want %c", e.Action, d.action)
	case e.journal != d.journal && d.more == 0:
		t.Errorf("in the journal: %v", e.journal)
	case !e.journal && e.Patient == "":
		t.Error("no patient")
	case e.RequestID != id || e.TokenID == "" || time.Since(e.Recorded) > time.Minute:
		t.Errorf("request %q, token %q, at %v", e.RequestID, e.TokenID, e.Recorded)
	}
	purpose := purposeOf[p.Kind]
	if e.Mode == auth.BrisDeGlace {
		purpose = "BTG"
	}
	if e.Purpose != purpose {
		t.Errorf("purpose %s, want %s", e.Purpose, purpose)
	}
	if !answered && e.Status != d.status {
		t.Errorf("status %d, answered %d", e.Status, d.status)
	}
}

func nobodyWritesHistory(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	event := s.as("patient-alix").get("AuditEvent?patient=" + alix + "&_count=1").is(200).at("entry.0.resource.id")
	before := string(s.as("patient-alix").get("AuditEvent/" + event).is(200).body)
	body := []byte(strings.Replace(before, `"action"`, `"outcomeDesc":"x","action"`, 1))
	for _, who := range []string{"patient-alix", "medecin-martin", "medecin-durand", "operateur", "hopital-nord", "samu-garnier", "representative-lambert", "assurance-maladie"} {
		p := s.as(who)
		for _, id := range []string{event, event[:len(event)-6] + "aaaaaa", "rien"} {
			for name, got := range map[string]*reply{
				"PUT":    p.do(http.MethodPut, "AuditEvent/"+id, "application/fhir+json", body),
				"PATCH":  p.patch("AuditEvent/"+id, `[{"op":"replace","path":"/outcome","value":"0"}]`),
				"DELETE": p.delete("AuditEvent/" + id),
				"POST":   p.post("AuditEvent", body),
				"PUT ?":  p.do(http.MethodPut, "AuditEvent?patient="+alix, "application/fhir+json", body),
			} {
				if got.status != http.StatusMethodNotAllowed {
					t.Errorf("%s by %s of %s: %d", name, who, id, got.status)
				}
			}
		}
		for _, entry := range []string{
			`"request":{"method":"DELETE","url":"AuditEvent/` + event + `"}`,
			`"resource":` + before + `,"request":{"method":"PUT","url":"AuditEvent/` + event + `"}`,
			`"resource":` + before + `,"request":{"method":"POST","url":"AuditEvent"}`,
		} {
			for _, typ := range []string{"batch", "transaction"} {
				got := p.post("", []byte(`{"resourceType":"Bundle","type":"`+typ+`","entry":[{`+entry+`}]}`))
				if status := got.at("entry.0.response.status"); got.status < 400 && !strings.HasPrefix(status, "4") {
					t.Errorf("%s by %s: %d %.300s", typ, who, got.status, got.body)
				}
			}
		}
	}
	if after := string(s.as("patient-alix").get("AuditEvent/" + event).is(200).body); after != before {
		t.Errorf("%s\n%s", before, after)
	}
}

// changedLine: one bit of one line, or its clear part, and no page of the history is
// shown with it.
func changedLine(s *siege, t *testing.T) {
	s.as("urgentiste-roche").breakGlass(s.patient("patient-alix"), reasonOK).is(200)
	history := "AuditEvent?patient=" + s.patient("patient-alix") + "&_count=5"
	for name, lie := range map[string]func(*store.Event){
		"a bit of the text":    func(e *store.Event) { e.Sealed[len(e.Sealed)/2] ^= 1 },
		"another class":        func(e *store.Event) { e.Class ^= 1 },
		"another time":         func(e *store.Event) { e.Recorded = e.Recorded.Add(time.Second) },
		"the line of another":  func(e *store.Event) { e.ID[0] ^= 1 },
		"nothing of it":        func(e *store.Event) { e.Sealed = nil },
		"cut at its beginning": func(e *store.Event) { e.Sealed = e.Sealed[1:] },
	} {
		s.store.set(func(w *watched) {
			w.lie = func(events []store.Event) {
				if len(events) > 0 {
					events[0].Sealed = slices.Clone(events[0].Sealed)
					lie(&events[0])
				}
			}
		})
		got := s.as("patient-alix").get(history)
		if got.status < 500 || bytes.Contains(got.body, []byte("ROCHE")) || bytes.Contains(got.body, []byte(`"AuditEvent"`)) {
			t.Errorf("%s: %d %.300s", name, got.status, got.body)
		}
	}
	s.store.set(func(w *watched) { w.lie = nil })
	s.as("patient-alix").get(history).is(200)
	t.Run("commitments", func(t *testing.T) { t.Skip("needs the verifiable log") })
}

// removedLines: today the store alone says which lines there are; only a proof of
// completeness can miss one.
func removedLines(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	s.as("medecin-durand").get(s.doc("alix-biologie")).is(200)
	count := func() string {
		return s.as("patient-alix").get("AuditEvent?_summary=count&patient=" + alix).is(200).at("total")
	}
	before := count()
	for _, who := range []string{"patient-alix", "medecin-martin", "operateur"} { // there is no call that removes one
		s.as(who).do(http.MethodDelete, "AuditEvent?patient="+alix, "", nil).is(405)
		s.as(who).post("AuditEvent/$purge", operationBody()).is(404)
	}
	if after := count(); len(after) < len(before) || after <= before && len(after) == len(before) {
		t.Errorf("%s lines, then %s", before, after)
	}
	t.Run("consistency with an earlier checkpoint", func(t *testing.T) { t.Skip("needs the verifiable log") })
}

func linesOfOthers(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	event := s.as("patient-alix").get("AuditEvent?patient=" + alix + "&_count=1").is(200).at("entry.0.resource.id")
	none := event[:len(event)-6] + "aaaaaa"
	for _, who := range []string{"patient-basile", "representative-lambert", "medecin-durand", "operateur", "hopital-nord", "samu-garnier", "urgentiste-roche", "secretariat-nord"} {
		for _, path := range []string{"AuditEvent/", "AuditEvent?_id="} {
			hidden, absent := s.as(who).get(path+event), s.as(who).get(path+none)
			alike(t, hidden, absent, event, none)
			if hidden.status == 200 {
				t.Errorf("%s reads %s", who, path)
			}
		}
		alike(t, s.as(who).get("AuditEvent/"+event), s.as(who).get("AuditEvent/rien"))
		s.deniedAs(t, who, s.as(who).get("AuditEvent?patient="+alix))
	}
	s.as("patient-alix").get("AuditEvent?_id=" + event + "&patient=" + alix).is(200)
	t.Run("proofs", func(t *testing.T) { t.Skip("needs the verifiable log") })
}

func historyReaders(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	for _, who := range []string{
		"medecin-durand", "pharmacien-dubois", "infirmier-moreau", "medecin-leroy", "urgentiste-roche", "samu-garnier", "hopital-nord", "secretariat-nord",
		"assurance-maladie", "operateur", "patient-basile", "representative-lambert", "medecin-travail-colin", "etudiant-simon",
	} {
		for _, query := range []string{
			"patient=" + alix, "patient.identifier=" + s.people["patient-alix"].INS, "patient=" + alix + "&_summary=count", "patient=" + alix + "&_count=0",
			"patient=" + alix + "&agent.identifier=8899900000011", "patient=" + alix + "&entity=" + s.doc("alix-biologie"),
		} {
			s.deniedAs(t, who+" "+query, s.as(who).get("AuditEvent?"+query))
		}
	}
	s.as("urgentiste-roche").breakGlass(alix, reasonOK).is(200)
	s.deniedAs(t, "in an emergency", s.as("urgentiste-roche").get("AuditEvent?patient="+alix))
	for _, who := range []string{"patient-alix", "medecin-martin"} {
		s.as(who).get("AuditEvent?patient=" + alix).is(200)
	}
	s.as("representative-lambert").get("AuditEvent?patient=" + s.patient("patient-emma")).is(200)
	s.as("").get("AuditEvent?patient=" + alix).is(401)
	// Who is médecin traitant no more reads it no more.
	s.as("patient-alix").patch("Patient/"+alix, `[{"op":"remove","path":"/generalPractitioner"}]`).is(200)
	s.deniedAs(t, "no more médecin traitant", s.as("medecin-martin").get("AuditEvent?patient="+alix))
}

// oneCommit: every commit that writes a resource holds its event, and where the
// store takes neither nobody is answered. That a killed process leaves both or none
// is TestKilledDuringPushes.
func oneCommit(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	mine := s.push(sending{author: "hopital-nord", patient: "patient-alix"})
	push, _ := s.bundle(sending{author: "hopital-nord", patient: "patient-alix", content: "kept or not"})
	writes := map[string]func() *reply{
		"push": func() *reply { return s.as("hopital-nord").post("", push) },
		"ITI-105": func() *reply {
			return s.as("medecin-durand").post("DocumentReference", s.alone("medecin-durand", "patient-alix", "urn:oid:2.25.74000001"))
		},
		"PATCH": func() *reply { return s.as("patient-alix").patch(mine.doc, addLabel("MASQUE_PS")) },
		"Patient": func() *reply {
			return s.as("patient-alix").patch("Patient/"+alix, `[{"op":"remove","path":"/generalPractitioner"}]`)
		},
		"Consent": func() *reply {
			return s.as("patient-alix").post("Consent", consentAbout(alix, "blocage", "deny", identJSON("medecin-petit"), ""))
		},
		"CareTeam": func() *reply {
			return s.as("patient-alix").post("CareTeam", careTeam("", alix, "active", "", teamLeroy))
		},
		"bris de glace": func() *reply { return s.as("urgentiste-roche").breakGlass(alix, reasonOK) },
		"DELETE":        func() *reply { return s.as("hopital-nord").delete(mine.doc) },
	}
	for _, name := range []string{"push", "ITI-105", "PATCH", "Patient", "Consent", "CareTeam", "bris de glace", "DELETE"} {
		s.store.set(func(w *watched) { w.fails = true })
		failed := s.store.during(func() {
			if got := writes[name](); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
				t.Errorf("%s without a store: %d", name, got.status)
			}
		})
		s.store.set(func(w *watched) { w.fails = false })
		if len(failed) > 0 {
			t.Errorf("%s: something was written", name)
		}
		wrote := 0
		for _, tx := range s.store.during(func() {
			if got := writes[name](); got.status >= 300 {
				t.Errorf("%s: %d %.300s", name, got.status, got.body)
			}
		}) {
			if len(tx.Puts) == 0 {
				continue
			}
			wrote++
			if len(tx.Events) == 0 {
				t.Errorf("%s: written without an event", name)
			}
			for _, e := range tx.Events {
				if e.Dossier != tx.Dossier {
					t.Errorf("%s: told in the history of another", name)
				}
			}
		}
		if wrote != 1 {
			t.Errorf("%s: %d commits", name, wrote)
		}
	}
	// A read is told before its first byte.
	content := s.parts("alix-biologie", "patient-alix").binary
	s.store.set(func(w *watched) { w.fails = true })
	defer s.store.set(func(w *watched) { w.fails = false })
	for _, path := range []string{s.doc("alix-biologie"), "DocumentReference?patient=" + alix, content, "AuditEvent?patient=" + alix, "Patient/" + alix} {
		if got := s.as("patient-alix").get(path); got.status != http.StatusServiceUnavailable || bytes.Contains(got.body, []byte("MERCIER")) {
			t.Errorf("%s without its event: %d", path, got.status)
		}
	}
	if got := s.as("urgentiste-roche").get("DocumentReference?patient=" + alix); got.status != http.StatusServiceUnavailable {
		t.Errorf("in an emergency without its event: %d", got.status)
	}
}

// lines is how long the history of AU11 is; a hundred thousand is the promise.
const lines = 100_000

func longHistory(s *siege, t *testing.T) {
	n := lines
	if testing.Short() {
		n = 5_000
	}
	system, value, _ := strings.Cut(s.people["patient-alix"].INS, "|")
	refs, err := s.store.Lookup(t.Context(), s.keys.Claim("ins", system, value))
	check(t, err)
	d := refs[0].Dossier
	at := audit.Target{Dossier: d, Ring: s.ring(d)}
	batch := make([]audit.Event, 1000)
	for i := range batch {
		batch[i] = audit.Event{
			Kind: auth.Professional, ActorName: "Dr Marc DURAND", Interaction: audit.Read, Patient: s.patient("patient-alix"),
			Objects: []string{s.doc("alix-biologie") + "/_history/1"}, Allowed: true,
		}
	}
	for range n / len(batch) {
		_, err := s.log.Record(t.Context(), at, batch...)
		check(t, err)
	}
	s.store.set(func(w *watched) { w.txs, w.read = nil, 0 })
	const pages = 40
	path := "AuditEvent?patient=" + s.patient("patient-alix") + "&_count=50"
	for range pages {
		page := s.as("patient-alix").get(path).is(200)
		if got := len(asList(page.json()["entry"])); got != 50 {
			t.Fatalf("%d lines on a page", got)
		}
		path = page.next()
	}
	// What a page costs is what it reads, and that does not grow with the history.
	s.store.set(func(w *watched) {
		if w.read > pages*300 {
			t.Errorf("%d pages of 50 lines read %d events: more than one batch each", pages, w.read)
		}
	})
	t.Run("proof under 50 ms", func(t *testing.T) { t.Skip("needs the verifiable log") })
}
