package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/sandbox"
)

// The life of a dossier, black box: what every kind of caller is answered on a
// closed and on a destroyed one (POLICY §7), and what brings one back.

// everyKind is one caller of each kind, and of some two that differ.
var everyKind = []string{
	"patient-claire", "patient-alix", "representative-lambert", "medecin-leroy", "medecin-durand", "hopital-sud", "hopital-nord",
	"secretariat-nord", "assurance-maladie", "samu-garnier", "operateur", "",
}

// probe is one way to ask about a dossier.
type probe struct {
	name string
	ask  func(p *person, at lifePlace) *reply
}

// lifePlace is a dossier, or what never was one.
type lifePlace struct {
	ins     string // system|value
	patient string // id
	doc     string // "DocumentReference/…"
}

var probes = []probe{
	{"read", func(p *person, at lifePlace) *reply { return p.get(at.doc) }},
	{"history", func(p *person, at lifePlace) *reply { return p.get(at.doc + "/_history") }},
	{"search", func(p *person, at lifePlace) *reply { return p.get("DocumentReference?patient=Patient/" + at.patient) }},
	{"search by INS", func(p *person, at lifePlace) *reply { return p.get("DocumentReference?patient.identifier=" + at.ins) }},
	{"lists", func(p *person, at lifePlace) *reply { return p.get("List?patient=Patient/" + at.patient) }},
	{"push", func(p *person, at lifePlace) *reply { return p.post("", []byte(hospitalPush(at.ins, "a push"))) }},
	{"consent", func(p *person, at lifePlace) *reply { return p.post("Consent", blockConsent(at.ins)) }},
	{"consents", func(p *person, at lifePlace) *reply { return p.get("Consent?patient=Patient/" + at.patient) }},
	{"events", func(p *person, at lifePlace) *reply {
		return p.get("AuditEvent?patient=Patient/" + at.patient + "&_summary=count")
	}},
	{"TD0.2", func(p *person, at lifePlace) *reply { return p.get("Patient?identifier=" + at.ins) }},
	{"patient", func(p *person, at lifePlace) *reply { return p.get("Patient/" + at.patient) }},
	{"close", func(p *person, at lifePlace) *reply {
		return p.post("Patient/$fermer", operationBody(insParameter(at.ins), motiveParameter, reasonParameter))
	}},
	{"reactivate", func(p *person, at lifePlace) *reply {
		return p.post("Patient/"+at.patient+"/$reactiver", operationBody())
	}},
	{"destroy", func(p *person, at lifePlace) *reply {
		_, value, _ := strings.Cut(at.ins, "|")
		return p.post("Patient/"+at.patient+"/$detruire", operationBody(`"name":"confirmation","valueString":"`+value+`x"`))
	}},
	{"break-glass", func(p *person, at lifePlace) *reply {
		return p.post("Patient/"+at.patient+"/$bris-de-glace", operationBody(
			`"name":"circonstance","valueCoding":{"system":"urn:opendmp:circonstance-urgence","code":"hors-etat-de-consentir"}`,
			`"name":"motif","valueString":"Patiente inconsciente aux urgences"`))
	}},
}

const (
	motiveParameter = `"name":"motif","valueCoding":{"system":"https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture","code":"patient-demande"}`
	reasonParameter = `"name":"raison","valueString":"À la demande du patient."`
)

func operationBody(parameters ...string) []byte {
	if len(parameters) == 0 {
		return []byte(`{"resourceType":"Parameters"}`)
	}
	return []byte(`{"resourceType":"Parameters","parameter":[{` + strings.Join(parameters, "},{") + `}]}`)
}

func insParameter(ins string) string {
	system, value, _ := strings.Cut(ins, "|")
	return `"name":"identifier","valueIdentifier":{"system":"` + system + `","value":"` + value + `"}`
}

// blockConsent is a Consent of kind blocage, about nobody of the cast.
func blockConsent(ins string) []byte {
	return []byte(`{"resourceType":"Consent","status":"active",
		"scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
		"category":[{"coding":[{"system":"urn:opendmp:consent-kind","code":"blocage"}]}],
		"patient":{"reference":"Patient?identifier=` + ins + `"},"policy":[{"uri":"urn:opendmp:politique:blocage"}],
		"sourceAttachment":{"title":"Décision du patient"},
		"provision":{"type":"deny","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},
		"reference":{"type":"Practitioner","identifier":{"system":"urn:oid:1.2.250.1.71.4.2.1","value":"8899900000077"}}}]}}`)
}

// place returns where a patient of the cast has their dossier.
func (w *world) place(persona, doc string) lifePlace {
	return lifePlace{w.people[persona].INS, w.patient(persona), w.doc(doc)}
}

// lived is a world of its own, which these tests change.
func lived(t *testing.T, set ...func(*settings)) *world {
	t.Helper()
	data := t.TempDir()
	w, stop, err := startWorld(data, set...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
		dropStore(t, testStore(data))
	})
	w.t = t
	return w
}

// CR04: the answers on a closed dossier, for every kind of caller (POLICY §7).
func TestCR04ClosedDossier(t *testing.T) {
	w := lived(t)
	claire := w.place("patient-claire", "claire-biologie")
	expected := map[string]map[string]int{ // probe → caller → status; "" for all others
		"read":          {"": 404, "nobody": 401},
		"history":       {"": 404, "nobody": 401},
		"search":        {"": 403, "nobody": 401},
		"search by INS": {"": 403, "nobody": 401},
		"lists":         {"": 403, "nobody": 401},
		"push":          {"": 422, "nobody": 401, "patient-alix": 403, "representative-lambert": 403, "operateur": 403},
		"consent":       {"": 403, "nobody": 401},
		"consents":      {"": 403, "nobody": 401, "patient-claire": 200},
		"events":        {"": 403, "nobody": 401, "patient-claire": 200},
		"TD0.2":         {"": 200, "nobody": 401, "patient-alix": 403, "representative-lambert": 403, "operateur": 403},
		"patient":       {"": 404, "nobody": 401, "patient-claire": 200},
		"close":         {"": 403, "nobody": 401},
		"reactivate":    {"": 403, "nobody": 401, "medecin-leroy": 422, "medecin-durand": 422, "patient-claire": 200},
		"destroy":       {"": 403, "nobody": 401, "patient-claire": 422},
		"break-glass":   {"": 403, "nobody": 401},
	}
	for _, pr := range probes {
		for _, who := range everyKind {
			if who == "patient-claire" && pr.name == "reactivate" {
				continue // below
			}
			name := who
			if who == "" {
				name = "nobody"
			}
			want, said := expected[pr.name][name]
			if !said {
				want = expected[pr.name][""]
			}
			if got := pr.ask(w.as(who), claire); got.status != want {
				t.Errorf("%s by %s: %d, want %d: %.300s", pr.name, name, got.status, want, got.body)
			}
		}
	}
	status := w.as("medecin-durand").get("Patient?identifier="+claire.ins).is(200).has("total", "1").has("entry.0.resource.active", "false")
	if !bytes.Contains(status.body, []byte("dateFermeture")) || bytes.Contains(status.body, []byte("+336")) {
		t.Errorf("TD0.2 says too little or too much: %s", status.body)
	}
}

// CR07, EM12: a destroyed dossier answers every kind of caller, whatever they ask
// and by whatever id they have kept, byte for byte as one that never was.
func TestCR07DestroyedDossier(t *testing.T) {
	w := lived(t)
	claire := w.place("patient-claire", "claire-biologie")
	event := w.as("patient-claire").get("AuditEvent?patient=Patient/" + claire.patient + "&_count=1").is(200)
	old := refOf(event.at("entry.0.fullUrl"))
	page := event.at("link.1.url")
	w.as("patient-claire").post("Patient/$detruire", operationBody(insParameter(claire.ins), `"name":"confirmation","valueString":"247021305511770"`)).is(200)

	never := lifePlace{w.people["patient-farid"].INS, "jamaisvu", "DocumentReference/jamaisvu"}
	normal := func(r *reply, at lifePlace) string {
		text := string(r.body)
		_, value, _ := strings.Cut(at.ins, "|")
		for _, s := range []string{at.patient, strings.TrimPrefix(at.doc, "DocumentReference/"), value} {
			text = strings.ReplaceAll(text, s, "X")
		}
		return text
	}
	for _, pr := range probes {
		for _, who := range everyKind {
			asker := who
			if who == "patient-claire" {
				asker = "patient-farid" // who never had the dossier that they ask for
			}
			gone, absent := pr.ask(w.as(who), claire), pr.ask(w.as(asker), never)
			if gone.status != absent.status || normal(gone, claire) != normal(absent, never) {
				t.Errorf("%s by %q: %d %.400s\nnever was: %d %.400s", pr.name, who, gone.status, gone.body, absent.status, absent.body)
			}
			if who != "" && gone.status == http.StatusGone {
				t.Errorf("%s: 410", pr.name)
			}
		}
	}
	w.as("patient-claire").get(old).is(404)
	if page != "" {
		if r := w.as("patient-claire").get(page); r.status == 200 && bytes.Contains(r.body, []byte("AuditEvent/")) {
			t.Errorf("an old page link still shows the history: %.300s", r.body)
		}
	}
	w.as("hopital-nord").get("Patient?identifier="+claire.ins).is(200).has("total", "0")
	w.as("hopital-nord").post("", []byte(hospitalPush(claire.ins, "too late"))).is(422)
	w.as("medecin-leroy").post("Patient/$fermer", operationBody(insParameter(claire.ins), motiveParameter, reasonParameter)).is(404)
}

// EM12: a push to a closed, a destroyed and an unknown dossier, and one with wrong
// traits, are refused in one wording, and nothing of them is stored.
func TestEM12PushesNowhere(t *testing.T) {
	w := lived(t)
	hospital := w.as("hopital-nord")
	david, claire := w.place("patient-david", "claire-biologie"), w.place("patient-claire", "claire-biologie")
	w.as("patient-david").post("Patient/$detruire", operationBody(insParameter(david.ins), `"name":"confirmation","valueString":"190073306320538"`)).is(200)
	alix := w.people["patient-alix"].INS
	wrong := strings.Replace(hospitalPush(alix, "wrong traits"), `"resourceType":"DocumentReference",`, `"resourceType":"DocumentReference","contained":[{"resourceType":"Patient","id":"p",
		"identifier":[{"system":"urn:oid:1.2.250.1.213.1.4.10","value":"285047511200116"}],"name":[{"use":"official","family":"AUTRE","given":["Personne"]}],"birthDate":"1999-01-01"}],
		"context":{"sourcePatientInfo":{"reference":"#p"}},`, 1)
	before := w.as("patient-alix").get("DocumentReference?patient=Patient/" + w.patient("patient-alix") + "&_summary=count").at("total")
	refusals := map[string]*reply{
		"closed":       hospital.post("", []byte(hospitalPush(claire.ins, "closed"))).is(422),
		"destroyed":    hospital.post("", []byte(hospitalPush(david.ins, "destroyed"))).is(422),
		"unknown":      hospital.post("", []byte(hospitalPush(w.people["patient-farid"].INS, "unknown"))).is(422),
		"wrong traits": hospital.post("", []byte(wrong)).is(422),
	}
	for name, r := range refusals {
		if !bytes.Equal(r.body, refusals["unknown"].body) {
			t.Errorf("%s: %s", name, r.body)
		}
	}
	w.as("patient-alix").get("DocumentReference?patient=Patient/"+w.patient("patient-alix")+"&_summary=count").has("total", before)
	w.as("patient-claire").post("Patient/"+claire.patient+"/$reactiver", operationBody()).is(200)
	w.as("patient-claire").get("DocumentReference?patient=Patient/"+claire.patient).is(200).has("total", "3")
}

// WB10: an operation is a POST: no link nor image carries one out.
func TestWB10OperationsByGet(t *testing.T) {
	w := openWorld(t)
	alix := w.patient("patient-alix")
	for _, path := range []string{"Patient/" + alix + "/$fermer", "Patient/" + alix + "/$detruire", "Patient/$detruire", w.doc("alix-biologie") + "/$detruire"} {
		w.as("patient-alix").get(path).is(405)
	}
	w.as("patient-alix").get("Patient/"+alix).is(200).has("active", "true")
}

// A patient closes, still sees state and history, reactivates with all that was,
// and destroys in the end; a second factor that is not fresh destroys nothing.
func TestLifeOfADossier(t *testing.T) {
	w := lived(t)
	david := w.place("patient-david", "alix-biologie") // has no document
	doc := refOf(w.as("hopital-nord").post("", []byte(hospitalPush(david.ins, "a letter"))).is(200).at("entry.1.response.location"))
	david.doc = doc
	me := w.as("patient-david")
	me.get(doc).is(200)
	me.post("Patient/"+david.patient+"/$fermer", operationBody(motiveParameter, reasonParameter)).is(200).has("active", "false")
	me.get(doc).is(404)
	me.get("Patient/"+david.patient).is(200).has("active", "false")
	me.get("AuditEvent?patient=Patient/" + david.patient).is(200)
	me.post("Patient/"+david.patient+"/$reactiver", operationBody()).is(200).has("active", "true")
	me.get(doc).is(200)
	w.as("medecin-durand").get("DocumentReference?patient=Patient/" + david.patient).is(403) // blocked, as before
	w.as("medecin-durand").get("Patient?identifier=" + david.ins).is(200)

	p, _ := sandbox.Lookup("patient-david")
	stale := p.Claims("", "")
	stale.DMP.Confirmed = w.signer.Now().Add(-11 * time.Minute).Unix()
	destroy := operationBody(`"name":"confirmation","valueString":"190073306320538"`)
	if got := w.bearing(t, stale, "Patient/"+david.patient+"/$detruire", destroy); got.status != 403 || !bytes.Contains(got.body, []byte("second facteur")) {
		t.Errorf("eleven minutes later: %d %s", got.status, got.body)
	}
	me.get(doc).is(200)
	me.post(doc+"/$detruire", operationBody(`"name":"confirmation","valueString":"`+strings.TrimPrefix(doc, "DocumentReference/")+`"`)).is(200)
	me.get(doc).is(404)
	me.get("Patient/" + david.patient).is(200)
	me.post("Patient/"+david.patient+"/$detruire", destroy).is(200)
	me.get("Patient/" + david.patient).is(404)
}

// bearing sends a body with a token of those claims.
func (w *world) bearing(t *testing.T, c auth.Claims, path string, body []byte) *reply {
	t.Helper()
	token, err := w.signer.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return w.as("").with("Authorization", "Bearer "+token).post(path, body)
}

// CR05: a dossier is destroyed while others push into it. Each push is there whole
// before, or refused; nothing of any is left.
func TestCR05DestroyDuringPushes(t *testing.T) {
	w := lived(t)
	david := w.place("patient-david", "alix-biologie")
	answers := make(chan int, 200)
	started := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 60 {
			if n == 5 {
				close(started)
			}
			answers <- w.as("hopital-nord").post("", []byte(hospitalPush(david.ins, "push"))).status
		}
	}()
	<-started
	body := operationBody(`"name":"confirmation","valueString":"190073306320538"`)
	both := make(chan int, 2)
	for range 2 {
		go func() { both <- w.as("patient-david").post("Patient/"+david.patient+"/$detruire", body).status }()
	}
	first, second := <-both, <-both
	<-done
	close(answers)
	if first+second != 200+403 {
		t.Errorf("destroyed twice: %d and %d", first, second)
	}
	accepted, refused := 0, 0
	for status := range answers {
		switch status {
		case 200:
			accepted++
			if refused > 0 {
				t.Error("a push was accepted after one was refused")
			}
		case 422:
			refused++
		default:
			t.Errorf("a push was answered with %d", status)
		}
	}
	if accepted < 5 || refused == 0 {
		t.Errorf("%d accepted, %d refused", accepted, refused)
	}
	w.as("hopital-nord").get("Patient?identifier="+david.ins).is(200).has("total", "0")
	w.as("hopital-nord").get("DocumentReference?patient.identifier="+david.ins).is(200).has("total", "0")
}

// OperationDefinitions are public, in French and English, and /metadata leads to
// them.
func TestOperationDefinitionsAreServed(t *testing.T) {
	w := openWorld(t)
	metadata := w.as("").get("metadata").is(200)
	for _, id := range []string{"dmp-bris-de-glace", "dmp-fermer", "dmp-reactiver", "dmp-detruire", "dmp-detruire-document"} {
		url := w.base + "/OperationDefinition/" + id
		if !bytes.Contains(metadata.body, []byte(url)) {
			t.Errorf("/metadata does not name %s", url)
		}
		d := w.as("").get(url).is(200).has("resourceType", "OperationDefinition").has("url", url).has("language", "fr")
		if d.at("_description.extension.0.extension.1.valueString") == "" {
			t.Errorf("%s has no English", id)
		}
	}
	w.as("").get("OperationDefinition/dmp-debloquer").is(404)
	w.as("").get("OperationDefinition").is(404)
	w.as("").do("DELETE", "OperationDefinition/dmp-fermer", "", nil).is(405)
}

// The health insurance of the sandbox feeds a dossier that is opened with the
// reimbursements of 24 months, and the patient sees that it was told.
func TestOpeningFeeds(t *testing.T) {
	w := lived(t, func(s *settings) { s.Feeder = true })
	ins := w.people["patient-farid"].INS
	opening := strings.NewReplacer("285047511200116", "155126748202370").Replace(string(readFile(t, "../../testdata/fixtures/opendmp/Bundle-ouverture.json")))
	opened := w.as("hopital-nord").post("", []byte(opening)).is(200)
	patient := strings.Split(opened.at("entry.0.response.location"), "/")[1]
	farid := w.as("patient-farid")
	until := time.Now().Add(20 * time.Second)
	for farid.get("DocumentReference?patient=Patient/"+patient+"&_summary=count").at("total") != "8" {
		if time.Now().After(until) {
			t.Fatalf("fed with %s", farid.get("DocumentReference?patient=Patient/"+patient).body)
		}
		time.Sleep(50 * time.Millisecond)
	}
	docs := farid.get("DocumentReference?patient=Patient/"+patient+"&type=REMB&_sort=date").is(200).has("total", "8")
	if oldest := docs.at("entry.0.resource.date"); oldest > time.Now().AddDate(0, -20, 0).Format(time.DateOnly) {
		t.Errorf("the oldest is of %s", oldest)
	}
	for range 100 {
		if bytes.Contains(farid.get("AuditEvent?patient=Patient/"+patient).is(200).body, []byte("ouverture-annoncee")) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("the history does not say that the health insurance was told of %s", ins)
}

// dmpd purge says what it does, and does nothing without being told to.
func TestPurgeCommand(t *testing.T) {
	data := t.TempDir()
	_, stop, err := startWorld(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	defer dropStore(t, testStore(data))
	args := []string{"purge", "--data", data}
	if uri := testStore(data); uri != "" {
		args = append(args, "--store", uri)
	}
	if out, err := command(t, args...); err == nil {
		t.Errorf("neither looks nor acts: %s", out)
	}
	if out, err := command(t, append(args, "--dry-run", "--confirm")...); err == nil {
		t.Errorf("both: %s", out)
	}
	for _, flag := range []string{"--dry-run", "--confirm"} {
		out, err := command(t, append(args, flag)...)
		if err != nil || !strings.Contains(out, "0 due") {
			t.Errorf("%s: %q, %v", flag, out, err)
		}
	}
	if out, err := command(t, "purge", "--dry-run", "--data", t.TempDir()); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("an empty folder: %q, %v", out, err)
	}
}
