package dossier_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/store"
)

const garnier = "8899900000023"

// samu returns the physician of a regulation centre, in a mode.
func (h *house) samu(mode string) actor {
	c := professional(garnier, "10", "1750000008")
	c.DMP.Kind = "regulator"
	c.Extensions.IUA.Purpose = []auth.Coding{{System: systemMode, Code: mode}}
	return h.as(c)
}

// somebody is a person whose dossier a test opens.
type somebody struct {
	family, usual, given, list, born, gender string
}

func karim() somebody {
	return somebody{"BENALI", "Le Goff", "Jean-Pierre", "Jean-Pierre Karim", "1955-12-01", "male"}
}

// insNumber makes the n-th INS of the test domain.
func insNumber(n int) fhir.Ident {
	body := 1551267482000 + n
	return fhir.Ident{System: systemTestINS, Value: fmt.Sprintf("%013d%02d", body, 97-body%97)}
}

// openPerson opens the dossier of a person who opposed nothing, under the n-th
// INS, and returns the id of their Patient.
func (h *house) openPerson(n int, who somebody) string {
	h.t.Helper()
	var bundle struct {
		ResourceType string           `json:"resourceType"`
		Type         string           `json:"type"`
		Entry        []map[string]any `json:"entry"`
	}
	h.must(json.Unmarshal([]byte(opening(h.t, insNumber(n))), &bundle))
	bundle.Entry = bundle.Entry[:3] // the Patient, the consent to open, that of the hospital
	patient := bundle.Entry[0]["resource"].(map[string]any)
	patient["gender"], patient["birthDate"] = who.gender, who.born
	official := patient["name"].([]any)[0].(map[string]any)
	official["family"], official["given"] = who.family, []string{who.given}
	official["extension"].([]any)[0].(map[string]any)["valueString"] = who.list
	usual := patient["name"].([]any)[1].(map[string]any)
	usual["family"], usual["given"] = who.usual, []string{who.given}
	body, err := json.Marshal(bundle)
	h.must(err)
	a := h.doctor("8899900000011", "1750000001").post("", string(body)).is(200)
	return strings.Split(a.at("entry.0.response.location"), "/")[1]
}

// oppose records the patient's opposition to centre_15 and returns its reference.
func (h *house) oppose(n int, patient string) string {
	h.t.Helper()
	body := consent(h.t, "Consent-opposition-bris-de-glace.json", patient)
	body = strings.NewReplacer("opposition-bris-de-glace", "opposition-centre-15", `"BTG"`, `"ETREAT"`).Replace(body)
	a := h.patient(insNumber(n)).post("Consent", body).is(201)
	return "Consent/" + a.at("id")
}

const threeTraits = "Patient?family=benali&given=jean-pierre&birthdate=1955-12-01"

// journal returns the events that do adds to the system journal.
func (h *house) journal(do func()) (added []audit.Event) {
	h.t.Helper()
	read := func() []audit.Event {
		events, err := h.log.Read(h.t.Context(), h.log.Journal(), store.Cursor{}, 1000)
		h.must(err)
		return events
	}
	before := read()
	do()
	for _, e := range read() {
		if !slices.ContainsFunc(before, func(old audit.Event) bool { return old.ID == e.ID }) {
			added = append(added, e)
		}
	}
	return added
}

// finds counts the find tokens of the store.
func (h *house) finds() (n int) {
	h.t.Helper()
	dumper, ok := h.store.(store.Dumper)
	if !ok {
		h.t.Fatal("the store cannot be dumped")
	}
	for item, err := range dumper.Dump(h.t.Context(), store.Place{}) {
		h.must(err)
		if item.Place().Part == store.Finds {
			n++
		}
	}
	return n
}

// breakable is a store whose commits end after some more.
type breakable struct {
	store.Store
	limited bool
	left    int
}

func (b *breakable) Commit(ctx context.Context, tx store.Tx) error {
	if b.limited {
		if b.left == 0 {
			return store.ErrUnavailable
		}
		b.left--
	}
	return b.Store.Commit(ctx, tx)
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// POLICY §5: three of the four traits, any three, each exact after normalisation.
func TestTraitSearch(t *testing.T) {
	h := newHouse(t)
	id := h.openPerson(1, karim())
	other := karim()
	other.family, other.usual, other.given, other.list, other.born, other.gender = "BENALI", "BENALI", "Zoé", "Zoé", "1990-01-01", "female"
	h.openPerson(2, other)
	samu := h.samu("centre_15")
	for _, q := range []string{
		"family=benali&given=jean-pierre&birthdate=1955-12-01",
		"family=benali&given=jean-pierre&gender=male",
		"family=benali&birthdate=1955-12-01&gender=male",
		"given=jean-pierre&birthdate=1955-12-01&gender=male",
		"family=benali&given=jean-pierre&birthdate=1955-12-01&gender=male",
		"family=B%C3%A9nali&given=JEAN+PIERRE&birthdate=eq1955-12-01",
		"family=le-goff&given=Jean%E2%80%91Pierre&gender=male",
		"family=LEGOFF&given=Karim&gender=http://hl7.org/fhir/administrative-gender|male",
		"family=benali&given=jean-pierre&birthdate=1955-12-01&_count=20&_total=accurate",
	} {
		a := samu.get("Patient?"+q).is(200).has("total", "1").has("entry.0.resource.id", id).has("link.1.relation", "")
		a.has("entry.0.search.mode", "match")
		if a.Mode() != "centre_15" || !a.Clinical() {
			t.Errorf("%s: mode %q", q, a.Mode())
		}
	}
	for _, q := range []string{
		"family=benali&given=jean&birthdate=1955-12-01", // half of a compound name
		"family=benal&given=jean-pierre&birthdate=1955-12-01",
		"family=benali&given=jean-pierre&birthdate=1955-12-02",
		"family=benali&given=jean-pierre&birthdate=1955-12-01&gender=female",
		"family=jean-pierre&given=benali&birthdate=1955-12-01",
		"family=benali&given=zoe&gender=male", // of two people
	} {
		samu.get("Patient?"+q).is(200).has("total", "0").has("entry", "")
	}
	// TD0.2 and nothing more.
	a := samu.get(threeTraits)
	var bundle struct {
		Entry []struct{ Resource map[string]json.RawMessage }
	}
	if err := json.Unmarshal(a.body, &bundle); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(bundle.Entry[0].Resource))
	want := []string{"active", "birthDate", "extension", "gender", "id", "identifier", "meta", "name", "resourceType"}
	if !slices.Equal(got, want) {
		t.Errorf("a candidate shows %q", got)
	}
	exact := samu.get("Patient?identifier=" + insNumber(1).System + "|" + insNumber(1).Value)
	if exact.at("entry.0.resource.identifier.0.value") != insNumber(1).Value || a.at("entry.0.resource.identifier.0.value") != insNumber(1).Value {
		t.Error("the INS is missing")
	}
	form := func(r *dossier.Request) {
		line, err := r.WithForm("family=benali&given=karim&gender=male")
		h.must(err)
		r.Request = line
	}
	samu.do("POST", "Patient/_search", "application/x-www-form-urlencoded", "", form).is(200).has("total", "1")
	samu.get(threeTraits+"&_total=none").is(200).has("total", "").has("entry", "1")
}

func TestTraitSearchRefused(t *testing.T) {
	h := newHouse(t)
	h.openPerson(1, karim())
	samu := h.samu("centre_15")
	ins := insNumber(1).System + "|" + insNumber(1).Value
	for _, q := range []string{
		"family=benali", "family=benali&gender=male", "given=karim&birthdate=1955-12-01",
		"family=-&given=karim&gender=male", "family=benali&given=%E2%80%99&gender=male",
		"family=benali&given=karim&gender=male&identifier=" + ins,
		"family=benali&given=karim&gender=male&_id=x",
		"family=benali&given=karim&gender=male&_lastUpdated=ge2020",
		"family=benali&given=karim&gender=male&_sort=_lastUpdated",
		"family=benali&given=karim&gender=male&_summary=count",
		"family=benali&given=karim&gender=male&_page=x",
		"family=benali&given=karim&gender=male&_count=5",
	} {
		samu.get("Patient?"+q).is(400).has("resourceType", "OperationOutcome")
	}
}

// OA32: only the exact INS finds a dossier, but for a regulator in centre_15; who
// else searches by traits is refused in one wording, whether or not anybody
// matches and however little is asked. Each try is one event of the journal.
func TestOA32TraitSearchOfOthers(t *testing.T) {
	h := newHouse(t)
	h.openPerson(1, karim())
	nurse := professional("8899900000040", "60", "1750000008") // at the SAMU, no physician
	callers := map[string]actor{
		"physician":                 h.doctor(durand, "1750000001"),
		"physician of the SAMU":     h.doctor(garnier, "1750000008"),
		"nurse of the SAMU":         h.as(nurse),
		"regulator in normal mode":  h.samu("normal"),
		"the patient themself":      h.patient(insNumber(1)),
		"another patient":           h.patient(farid),
		"physician who opened here": h.doctor("8899900000011", "1750000001"),
	}
	want := h.doctor(leroy, "1750000004").get("DocumentReference?patient.identifier=" + insNumber(1).System + "|" + insNumber(1).Value)
	want.is(403)
	for name, a := range callers {
		for _, q := range []string{threeTraits, "Patient?family=nobody&given=x&gender=male", "Patient?family=benali", "Patient?family=benali&_count=1"} {
			var got answer
			events := h.journal(func() { got = a.get(q).is(403) })
			if string(got.body) != string(want.body) || got.Clinical() {
				t.Errorf("%s, %s: %s", name, q, got.body)
			}
			if len(events) != 1 || events[0].Allowed || events[0].Status != 403 {
				t.Errorf("%s, %s: %+v", name, q, events)
			}
		}
	}
}

// EM08, as far as a token tells: centre_15 is for a regulator, who is a physician
// behind the certificate of a regulation centre. A token that says otherwise is
// nobody's. (Which certificate a token was issued behind is for whoever issues it.)
func TestEM08Centre15NeedsBoth(t *testing.T) {
	h := newHouse(t)
	h.openPerson(1, karim())
	centre15 := []auth.Coding{{System: systemMode, Code: "centre_15"}}
	nurse := professional("8899900000040", "60", "1750000008")
	nurse.DMP.Kind, nurse.Extensions.IUA.Purpose = "regulator", centre15
	ordinary := professional(durand, "10", "1750000001")
	ordinary.Extensions.IUA.Purpose = centre15
	student := professional(garnier, "10", "1750000008")
	student.DMP.Kind, student.DMP.Student, student.Extensions.IUA.Purpose = "regulator", true, centre15
	nowhere := professional(garnier, "10", "1750000008")
	nowhere.DMP.Kind, nowhere.Extensions.IUA.Purpose = "regulator", centre15
	nowhere.Extensions.IUA.Organization, nowhere.Extensions.IUA.OrganizationID, nowhere.DMP.Structures = nil, nil, nil
	for name, c := range map[string]auth.Claims{
		"certificate of a SAMU, nurse": nurse, "physician, ordinary certificate": ordinary,
		"student": student, "no certificate": nowhere,
	} {
		token, err := h.signer.Sign(c)
		h.must(err)
		p, err := h.verifier.Verify(t.Context(), token)
		if err == nil || p.Kind() != auth.Nobody {
			t.Errorf("%s: is a %v", name, p.Kind())
		}
		(actor{h, p}).get(threeTraits).is(401)
	}
	// In the mode that they may have, each is refused.
	h.doctor(durand, "1750000001").get(threeTraits).is(403)
	h.as(professional("8899900000040", "60", "1750000008")).get(threeTraits).is(403)
	h.samu("centre_15").get(threeTraits).is(200).has("total", "1")
}

// EM09: who opposed centre_15 is as somebody without a dossier, in the bytes, in
// the calls of the store, and in the events.
func TestEM09OpposedDoNotAppear(t *testing.T) {
	c := &counted{}
	c.reset()
	h := newHouseOver(t, func(s store.Store) store.Store { c.Store = s; return c })
	id := h.openPerson(1, karim())
	samu := h.samu("centre_15")
	nobody := strings.Replace(threeTraits, "1955", "1954", 1)
	alike := func(name string) {
		t.Helper()
		for _, turn := range []string{"first", "again"} {
			ask := func(q string) (map[string]int, int, string) {
				c.reset()
				a := samu.get(q).is(200)
				return c.calls, c.events, strings.ReplaceAll(string(a.body), "1954", "1955")
			}
			hidden, hiddenEvents, hiddenBody := ask(threeTraits)
			absent, absentEvents, absentBody := ask(nobody)
			if turn == "again" && !maps.Equal(hidden, absent) {
				t.Errorf("%s: hidden %v, absent %v", name, hidden, absent)
			}
			if hiddenBody != absentBody || hiddenEvents != 1 || absentEvents != 1 {
				t.Errorf("%s: %d and %d events\n%s\n%s", name, hiddenEvents, absentEvents, hiddenBody, absentBody)
			}
		}
	}
	samu.get(threeTraits).is(200).has("total", "1")
	opposition := h.oppose(1, id)
	alike("opposed")
	samu.get("Patient?identifier="+insNumber(1).System+"|"+insNumber(1).Value).is(200).has("total", "0")

	// A namesake who did not oppose appears alone, as if there were no other.
	twin := h.openPerson(2, karim())
	alone := samu.get(threeTraits).is(200).has("total", "1").has("entry.0.resource.id", twin)

	withdrawn := h.patient(insNumber(1)).get(opposition).is(200)
	off := strings.Replace(string(withdrawn.body), `"status": "active"`, `"status": "inactive"`, 1)
	h.patient(insNumber(1)).do("PUT", opposition, "application/fhir+json", off).is(200)
	samu.get(threeTraits).is(200).has("total", "2")
	h.oppose(1, id)
	if again := samu.get(threeTraits); string(again.body) != string(alone.body) {
		t.Errorf("an opposition shows:\n%s\n%s", again.body, alone.body)
	}
}

// The first look at what is hidden makes the calls that the first look at nothing
// makes, when neither is in memory.
func TestTraitSearchColdCalls(t *testing.T) {
	c := &counted{}
	c.reset()
	h := newHouseOver(t, func(s store.Store) store.Store { c.Store = s; return c }, func(c *dossier.Config) { c.CacheRows = 1 })
	h.oppose(1, h.openPerson(1, karim()))
	samu := h.samu("centre_15")
	cold := func(q string) map[string]int {
		samu.get(strings.Replace(threeTraits, "1955", "1901", 1)).is(200) // one dossier stays in memory
		c.reset()
		samu.get(q).is(200).has("total", "0")
		return maps.Clone(c.calls)
	}
	hidden, absent := cold(threeTraits), cold(strings.Replace(threeTraits, "1955", "1954", 1))
	if !maps.Equal(hidden, absent) || hidden["Lookup"] != 1 || hidden["Header"] != 32 || hidden["Rows"] != 32 || hidden["Bodies"] != 32 {
		t.Errorf("hidden %v, absent %v", hidden, absent)
	}
}

// Blocked, closed and destroyed do not appear either: nothing could be read.
func TestTraitSearchWhereNothingIsRead(t *testing.T) {
	h := newHouse(t)
	samu := h.samu("centre_15")
	for n, c := range []struct {
		name   string
		change func(patient string, me actor)
	}{
		{"regulator blocked", func(patient string, me actor) {
			me.post("Consent", strings.ReplaceAll(consent(t, "Consent-blocage.json", patient), "8899900000011", garnier)).is(201)
		}},
		{"closed", func(patient string, me actor) {
			me.patch("Patient/"+patient, `[{"op":"replace","path":"/active","value":false},{"op":"add","path":"/extension/-","value":{"url":"https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-fermeture","extension":[{"url":"motifFermeture","valueCodeableConcept":{"coding":[{"system":"https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture","code":"patient-demande"}]}}]}}]`).is(200)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := h.openPerson(n+1, karim())
			samu.get(threeTraits).is(200).has("total", "1")
			c.change(id, h.patient(insNumber(n+1)))
			samu.get(threeTraits).is(200).has("total", "0").has("entry", "")
		})
	}
}

// More than twenty are not shown at all; those who do not appear do not count.
func TestTraitSearchTooMany(t *testing.T) {
	h := newHouse(t)
	samu := h.samu("centre_15")
	var ids []string
	for n := range 21 {
		who := karim()
		who.born = fmt.Sprintf("1955-12-%02d", 1+n)
		ids = append(ids, h.openPerson(n, who))
	}
	q := "Patient?family=benali&given=karim&gender=male"
	events := h.journal(func() { samu.get(q).is(422).has("issue.0.code", "too-costly").has("resourceType", "OperationOutcome") })
	if len(events) != 1 || events[0].Status != 422 || events[0].Allowed {
		t.Errorf("%+v", events)
	}
	h.oppose(7, ids[7])
	a := samu.get(q).is(200).has("total", "20").has("entry", "20").has("link", "1")
	a.has("entry.0.resource.birthDate", "1955-12-01").has("entry.19.resource.birthDate", "1955-12-21")
	// A second round of dossiers: most of them do not appear.
	for n := 21; n < 45; n++ {
		h.oppose(n, h.openPerson(n, karim()))
	}
	if again := samu.get(q).is(200); string(again.body) != string(a.body) {
		t.Error("those who opposed change the answer")
	}
	who := karim()
	h.openPerson(45, who)
	samu.get(q).is(422)
	samu.get(q+"&birthdate=1955-12-05").is(200).has("total", "1").has("entry.0.resource.id", ids[4])
}

// Each candidate shown has one event in their own history, and the search one in
// the system journal, all with the purpose of an emergency.
func TestTraitSearchEvents(t *testing.T) {
	c := &counted{}
	c.reset()
	h := newHouseOver(t, func(s store.Store) store.Store { c.Store = s; return c })
	first, second := h.openPerson(1, karim()), h.openPerson(2, karim())
	third := h.openPerson(3, karim())
	h.oppose(3, third)
	samu := h.samu("centre_15")
	history := func(n int, patient string) answer {
		return h.patient(insNumber(n)).get("AuditEvent?patient=" + patient + "&agent.identifier=" + garnier).is(200)
	}
	c.reset()
	events := h.journal(func() { samu.get(threeTraits).is(200).has("total", "2") })
	if c.events != 3 {
		t.Errorf("%d events, want one of the search and one of each candidate", c.events)
	}
	if len(events) != 1 {
		t.Fatalf("%d events in the journal", len(events))
	}
	e := events[0]
	if e.Purpose != "ETREAT" || e.Mode != auth.Centre15 || e.Interaction != audit.Search || !e.Allowed || e.Actor != samu.p.ID() || e.Query != threeTraits || e.Patient != "" || len(e.Objects) != 0 {
		t.Errorf("%+v", e)
	}
	for n, patient := range map[int]string{1: first, 2: second} {
		a := history(n, patient).has("entry", "1")
		body := string(a.body)
		if !strings.Contains(body, "ETREAT") || !strings.Contains(body, "Patient/"+patient) || strings.Contains(body, first) && strings.Contains(body, second) {
			t.Errorf("event of %d: %s", n, body)
		}
	}
	history(3, third).has("entry", "")
	c.reset()
	events = h.journal(func() { samu.get(strings.Replace(threeTraits, "1955", "1901", 1)).is(200).has("total", "0") })
	if c.events != 1 || len(events) != 1 || events[0].Purpose != "ETREAT" {
		t.Errorf("a search without an answer is %+v", events)
	}
}

// When a candidate's event cannot be made durable, nothing is shown.
func TestTraitSearchWithoutEvent(t *testing.T) {
	broken := &breakable{}
	h := newHouseOver(t, func(s store.Store) store.Store { broken.Store = s; return broken })
	h.openPerson(1, karim())
	samu := h.samu("centre_15")
	for left := range 2 { // the journal's, then the candidate's
		broken.left, broken.limited = left, true
		if a := samu.get(threeTraits).is(503); strings.Contains(string(a.body), insNumber(1).Value) {
			t.Error("shown without an event")
		}
	}
	broken.limited = false
	samu.get(threeTraits).is(200).has("total", "1")
}

// Who was found by former traits is not, and is found by the new ones.
func TestTraitsMove(t *testing.T) {
	h := newHouse(t)
	id := h.openPerson(1, karim())
	samu := h.samu("centre_15")
	doctor := h.doctor("8899900000011", "1750000001")
	patch := func(change string) { t.Helper(); doctor.patch("Patient/"+id, change).is(200) }
	found := func(q, total string) { t.Helper(); samu.get("Patient?"+q).is(200).has("total", total) }

	tokens := h.finds()
	patch(`[{"op":"replace","path":"/name/1/family","value":"KERVELLA"}]`)
	if n := h.finds(); n != tokens {
		t.Errorf("%d find tokens, then %d", tokens, n)
	}
	found("family=le+goff&given=karim&gender=male", "0")
	found("family=Kervella&given=karim&gender=male", "1")
	found("family=benali&given=karim&gender=male", "1")
	patch(`[{"op":"replace","path":"/birthDate","value":"1956-01-02"},{"op":"replace","path":"/gender","value":"female"}]`)
	found("family=benali&given=karim&birthdate=1955-12-01", "0")
	found("given=karim&birthdate=1956-01-02&gender=female", "1")
	patch(`[{"op":"replace","path":"/name/1/family","value":"Le Goff"},{"op":"replace","path":"/birthDate","value":"1955-12-01"},{"op":"replace","path":"/gender","value":"male"}]`)
	found("family=le+goff&given=karim&gender=male", "1")
	found("family=benali&birthdate=1955-12-01&gender=male", "1")
	if n := h.finds(); n != tokens {
		t.Errorf("%d find tokens, then %d", tokens, n)
	}
	patch(`[{"op":"add","path":"/telecom/-","value":{"system":"phone","value":"+33600000007"}}]`)
	if n := h.finds(); n != tokens {
		t.Errorf("a change of no trait moves tokens: %d, then %d", tokens, n)
	}
}

// A destroyed dossier leaves no token of traits; a reactivated one is found again.
func TestTraitsOfTheDestroyed(t *testing.T) {
	h := newHouse(t)
	samu := h.samu("centre_15")
	none := h.finds()
	id := h.openPerson(1, karim())
	me := h.sure(insNumber(1))
	me.post("Patient/"+id+"/$fermer", parameters(motiveCoding, closingReason)).is(200)
	samu.get(threeTraits).is(200).has("total", "0")
	me.post("Patient/"+id+"/$reactiver", parameters(renewed(id))).is(200)
	samu.get(threeTraits).is(200).has("total", "1")
	me.post("Patient/"+id+"/$detruire", parameters(confirmed(insNumber(1).Value))).is(200)
	samu.get(threeTraits).is(200).has("total", "0")
	if n := h.finds() - none; n != 0 {
		t.Errorf("%d find tokens lead to what was destroyed", n)
	}
	again := h.openPerson(1, karim())
	samu.get(threeTraits).is(200).has("total", "1").has("entry.0.resource.id", again)
}

// OA33: a caller looks up so many patients in a minute, each try told in the
// journal, and no more.
func TestOA33EnumerationIsBounded(t *testing.T) {
	h := newHouse(t)
	doctor := h.doctor(leroy, "1750000004")
	answered := 0
	events := h.journal(func() {
		for n := range 300 {
			i := insNumber(n)
			if a := doctor.get("Patient?identifier=" + i.System + "|" + i.Value); a.Status() == 200 {
				answered++
			} else {
				a.is(http.StatusTooManyRequests)
			}
		}
	})
	if answered != 120 || len(events) != answered {
		t.Errorf("%d answers, %d events", answered, len(events))
	}
}

// The number of searches is bounded for each regulator.
func TestTraitSearchRate(t *testing.T) {
	h := newHouse(t)
	samu := h.samu("centre_15")
	colleague := professional("8899900000024", "10", "1750000008")
	colleague.DMP.Kind = "regulator"
	colleague.Extensions.IUA.Purpose = []auth.Coding{{System: systemMode, Code: "centre_15"}}
	for range 30 {
		samu.get(threeTraits).is(200)
	}
	if a := samu.get(threeTraits).is(http.StatusTooManyRequests); a.RetryAfter() == 0 {
		t.Error("no Retry-After")
	}
	h.as(colleague).get(threeTraits).is(200)
	h.doctor(durand, "1750000001").get(threeTraits).is(403)
	h.now = h.now.Add(2 * time.Second)
	samu.get(threeTraits).is(200)
	samu.get(threeTraits).is(429)
}

// A batch is no way around: each entry is a search of its own.
func TestTraitSearchInBatch(t *testing.T) {
	h := newHouse(t)
	h.openPerson(1, karim())
	batch := `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":` + quote(threeTraits) + `}}]}`
	h.samu("centre_15").post("", batch).is(200).has("entry.0.resource.total", "1")
	h.doctor(durand, "1750000001").post("", batch).is(200).has("entry.0.response.status", "403 Forbidden")
}
