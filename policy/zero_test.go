package policy

import (
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// asksEverything asks a view for all that it can give, and returns what it did
// not refuse.
func asksEverything(t *testing.T, v *View) []string {
	t.Helper()
	var given []string
	note := func(name string, d Decision) {
		if d.Allowed() {
			given = append(given, name)
		}
	}
	doc := alixDocuments[1]
	f, r, o := doc.subject(t, "alix").Facts, parse(t, doc.json("alix")), doc.origin(t)
	patient := facts(t, patientJSON("alix", true, ""), Origin{})
	closed := patient
	closed.person.active, closed.person.motive = false, true
	consent := facts(t, consentJSON("alix", Autorisation, "medecin-leroy", "2026-11-22", "2026-11-22"), Origin{})
	archived := f
	archived.archived = true
	list := facts(t, `{"resourceType":"List","status":"current","subject":{"reference":"Patient/alix"}}`, Origin{})
	archivedList := list
	archivedList.archived = true
	for i := range 5 {
		note("read", v.Read(i))
	}
	note("read before the first", v.Read(-1))
	for i := -1; i < 20; i++ {
		if v.MayAim(i) {
			given = append(given, "aim")
		}
	}
	for _, typ := range []string{"DocumentReference", "List", "Patient", "Consent", "RelatedPerson", "CareTeam", "Provenance", "AuditEvent", "Observation", ""} {
		note("search "+typ, v.Search(typ, false))
		note("search by identifier "+typ, v.Search(typ, true))
	}
	note("add", v.Add(f))
	note("replace", v.Replace(f, f))
	note("change", v.Change(f, archived))
	note("change list", v.ChangeList(list, archivedList))
	note("touch", v.Change(f, f))
	note("delete", v.Delete(f))
	note("consent", v.ChangeConsent(nil, consent))
	team := teamOf(t, teamJSON("active", "", participant("medecin-leroy", "", "")))
	note("team", v.ChangeTeam(nil, team, nil))
	note("change team", v.ChangeTeam(&team, team, []string{"name"}))
	note("withdraw", v.ChangeConsent(&consent, consent))
	note("close", v.ChangePatient(patient, closed, []string{"active"}))
	note("nothing of the patient", v.ChangePatient(patient, patient, nil))
	note("destroy", v.Destroy())
	note("emergency", v.Emergency(auth.Coding{System: SystemCircumstance, Code: "hors-etat-de-consentir"}, "Patiente inconsciente."))
	d, classes := v.History()
	note("history", d)
	if classes != nil {
		given = append(given, "classes of events")
	}
	if v.Sees("DocumentReference/alix-biologie") || v.Sees("Binary/alix-biologie-contenu") || v.Sees("") {
		given = append(given, "sees")
	}
	for name, rel := range map[string]func() (Released[*fhir.Resource], Decision){
		"release": func() (Released[*fhir.Resource], Decision) { return v.Release(r, o) },
		"old":     func() (Released[*fhir.Resource], Decision) { return v.ReleaseOld(r, o, r) },
		"status": func() (Released[*fhir.Resource], Decision) {
			return v.ReleaseStatus(parse(t, patientJSON("alix", true, "")), o)
		},
		"candidate": func() (Released[*fhir.Resource], Decision) {
			return v.ReleaseCandidate(parse(t, patientJSON("alix", true, "")), o)
		},
		"nil": func() (Released[*fhir.Resource], Decision) { return v.Release(nil, o) },
	} {
		got, d := rel()
		note(name, d)
		if got.Ok() {
			given = append(given, name+" released")
		}
	}
	content, d := ReleaseContent(v, r, o, "Binary/alix-biologie-contenu", 1)
	note("content", d)
	event, d := ReleaseEvent(v, Open, 1)
	note("event", d)
	if content.Ok() || event.Ok() {
		given = append(given, "released")
	}
	return given
}

// Zero values, and what nobody proved, refuse everything.
func TestZeroRefuses(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	views := map[string]*View{
		"nil view":        nil,
		"zero view":       {},
		"nil engine":      (*Engine)(nil).View(auth.Principal{}, rec, noon),
		"zero engine":     (&Engine{}).View(auth.Principal{}, rec, noon),
		"zero principal":  e.View(auth.Principal{}, rec, noon),
		"zero time":       e.View(auth.Principal{}, rec, time.Time{}),
		"nil record":      e.View(auth.Principal{}, nil, noon),
		"zero everything": e.View(auth.Principal{}, &Record{}, time.Time{}),
		"no dossier":      e.view(cast(t, "medecin-martin"), nil, noon),
		"no patient":      e.view(cast(t, "medecin-martin"), NewRecord(Active, castDossier(t, "alix").subjects[1:]), noon),
		"two patients":    e.view(cast(t, "medecin-martin"), NewRecord(Active, append(castDossier(t, "alix").subjects, castDossier(t, "basile").subjects[0])), noon),
		"destroyed":       e.view(cast(t, "medecin-martin"), NewRecord(Destroyed, castDossier(t, "alix").subjects), noon),
		"unknown state":   e.view(cast(t, "medecin-martin"), NewRecord(Destroyed+1, castDossier(t, "alix").subjects), noon),
		"no identity":     e.view(caller{kind: auth.Professional, profession: cast(t, "medecin-martin").profession}, castDossier(t, "claire").record(), noon),
	}
	for name, v := range views {
		given := asksEverything(t, v)
		if len(given) > 0 {
			t.Errorf("%s: %q", name, given)
		}
	}
	if (Decision{}).Allowed() || (Decision{}).Refusal() != Hidden || (Decision{}).Rules() != nil || And().Allowed() {
		t.Error("the zero Decision")
	}
	if v, ok := (Released[int]{}).Value(); ok || v != 0 {
		t.Error("the zero Released")
	}
	for a := range acts + 2 {
		if rulebook.decide(Case{Act: a}).Allowed() {
			t.Errorf("the zero Case may do act %d", a)
		}
	}
	if got := (&View{}).ClassOf(nil, nil); got != Withheld {
		t.Errorf("the zero View classes as %d", got)
	}
	if (*View)(nil).Situation() != (Situation{}) || (*Record)(nil).State() != NoDossier || (*Record)(nil).Len() != 0 {
		t.Error("nil is something")
	}
	if (*Record)(nil).Subject(0).Ref != "" || rec.Subject(-1).Ref != "" || rec.Subject(1e6).Ref != "" {
		t.Error("a subject that is not there")
	}
}

// The same reference twice in a record is found by neither.
func TestRecordTwice(t *testing.T) {
	d := castDossier(t, "alix")
	twice := d.subjects[len(d.subjects)-3]
	rec := NewRecord(Active, append(d.subjects, twice))
	if i, ok := rec.Index(twice.Ref); ok {
		t.Errorf("%s found at %d", twice.Ref, i)
	}
	v := sandboxEngine(t, nil).view(cast(t, "medecin-martin"), rec, noon)
	if v.Sees(twice.Ref) {
		t.Error("seen")
	}
}

// And is as strict as its strictest part; the first refusal speaks.
func TestAnd(t *testing.T) {
	yes, brief := Decision{extent: Full, rules: ruleSet{1}}, Decision{extent: Metadata, rules: ruleSet{2}}
	no, other := Decision{refusal: Forbidden, rules: ruleSet{4}}, Decision{refusal: Unprocessable, rules: ruleSet{8}}
	cases := []struct {
		parts []Decision
		want  Decision
	}{
		{[]Decision{yes}, yes},
		{[]Decision{yes, brief}, Decision{extent: Metadata, rules: ruleSet{3}}},
		{[]Decision{yes, no}, no},
		{[]Decision{no, yes}, no},
		{[]Decision{no, other}, Decision{refusal: Forbidden, rules: ruleSet{12}}},
		{[]Decision{yes, {}}, Decision{}},
	}
	for i, c := range cases {
		if got := And(c.parts...); got != c.want {
			t.Errorf("%d: %+v", i, got)
		}
	}
}

// What a caller is told has no detail where that would give something away.
func TestTexts(t *testing.T) {
	for i := range table {
		for a := range acts {
			if !table[i].on.has(a) {
				continue
			}
			d := Decision{refusal: table[i].class, text: uint8(i + 1)}
			if byID(a) {
				d.refusal = Hidden
			}
			text := d.Text()
			if text.FR == "" || text.EN == "" {
				t.Errorf("%s: no text", table[i].id)
			}
			if (d.refusal == Hidden || d.refusal == Forbidden && !table[i].aside) && text == table[i].told {
				t.Errorf("%s: a wording of its own", table[i].id)
			}
			if issue := d.Describe(); issue.Code == "" || issue.Text != text {
				t.Errorf("%s: %+v", table[i].id, issue)
			}
		}
	}
	if (Decision{extent: Full}).Text() != (fhir.Text{}) {
		t.Error("an allowed act is told something")
	}
}
