package policy

import (
	"fmt"
	"strings"
	"testing"

	"opendmp/auth"
)

func TestClassOf(t *testing.T) {
	d := castDossier(t, "alix")
	hiddenReps := docSpec{id: "reps", typ: "11488-4", author: "medecin-leroy", labels: []string{"INVISIBLE_REPRESENTANTS_LEGAUX"}}
	both := docSpec{id: "both", typ: "11488-4", author: "medecin-leroy", labels: []string{"INVISIBLE_REPRESENTANTS_LEGAUX", "INVISIBLE_PATIENT"}}
	d.subjects = append(d.subjects, hiddenReps.subject(t, "alix"), both.subject(t, "alix"))
	list := func(id string, entries ...string) {
		items := ""
		for _, e := range entries {
			items += fmt.Sprintf(`,{"item":{"reference":"DocumentReference/%s"}}`, e)
		}
		d.add(t, "List/"+id, `{"resourceType":"List","status":"current","subject":{"reference":"Patient/alix"},"entry":[`+items[1:]+`]}`, Origin{})
	}
	list("mixed", "alix-annonce", "alix-biologie")
	list("both-sorts", "alix-annonce", "reps")
	e, rec := sandboxEngine(t, nil), d.record()
	doctor, secret := cast(t, "medecin-durand"), cast(t, "medecin-durand")
	secret.secret = true
	cases := []struct {
		name           string
		k              caller
		touched, named []string
		written        []Facts
		want           Class
	}{
		{"nothing", doctor, nil, nil, nil, Open},
		{"a document", doctor, []string{"DocumentReference/alix-biologie"}, nil, nil, Open},
		{"a masked one", doctor, []string{"DocumentReference/alix-masque"}, nil, nil, Open},
		{"a hidden one", doctor, []string{"DocumentReference/alix-biologie", "DocumentReference/alix-annonce"}, nil, nil, Withheld},
		{"an old version of it", doctor, []string{"DocumentReference/alix-annonce/_history/1"}, nil, nil, Withheld},
		{"its content", doctor, []string{"Binary/alix-annonce-contenu"}, nil, nil, Withheld},
		{"its list", doctor, []string{"List/alix-lot"}, nil, nil, Withheld},
		{"a list that the patient sees too", doctor, []string{"List/mixed"}, nil, nil, Open},
		{"a list that representatives do not see", doctor, []string{"List/both-sorts"}, nil, nil, Secret},
		{"named by a search", doctor, nil, []string{"DocumentReference/alix-annonce"}, nil, Withheld},
		{"hidden from representatives", doctor, []string{"DocumentReference/reps"}, nil, nil, Secret},
		{"of both", doctor, []string{"DocumentReference/both"}, nil, nil, Withheld},
		{"a secret session, which there is not of an adult", secret, nil, nil, nil, Open},
		{"what is not there", doctor, []string{"DocumentReference/absent"}, nil, nil, Open},
		{"written hidden", doctor, []string{"DocumentReference/new"}, nil, []Facts{alixDocuments[6].subject(t, "alix").Facts}, Withheld},
		{"written secret", doctor, nil, nil, []Facts{hiddenReps.subject(t, "alix").Facts}, Secret},
	}
	for _, c := range cases {
		if got := e.view(c.k, rec, noon).ClassOf(c.touched, c.named, c.written...); got != c.want {
			t.Errorf("%s: %d, not %d", c.name, got, c.want)
		}
	}
	emma := castDossier(t, "emma").record()
	if got := e.view(secret, emma, noon).ClassOf(nil, nil); got != Secret {
		t.Errorf("a secret session of a minor: %d", got)
	}
}

// What was withheld appears when its document is visible; what is secret stays
// so.
func TestClassNow(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	later := noon.AddDate(0, 1, 0)
	annonce := []string{"DocumentReference/alix-annonce"}
	k := cast(t, "patient-alix")
	cases := []struct {
		name   string
		v      *View
		class  Class
		secret bool
		refs   []string
		want   Class
	}{
		{"still hidden", e.view(k, rec, noon), Withheld, false, annonce, Withheld},
		{"visible", e.view(k, rec, later), Withheld, false, annonce, Open},
		{"visible, of a secret session", e.view(k, rec, later), Withheld, true, annonce, Secret},
		{"about nothing hidden", e.view(k, rec, noon), Withheld, false, nil, Open},
		{"secret", e.view(k, rec, later), Secret, true, annonce, Secret},
		{"open, hidden since", e.view(k, rec, noon), Open, false, annonce, Open},
		{"no view", nil, Withheld, false, nil, Withheld},
	}
	for _, c := range cases {
		if got := c.v.ClassNow(c.class, c.secret, c.refs); got != c.want {
			t.Errorf("%s: %d, not %d", c.name, got, c.want)
		}
	}
}

// The situation says what the header, TD0.2 and the history need.
func TestSituation(t *testing.T) {
	e := sandboxEngine(t, nil)
	d := castDossier(t, "alix")
	d.consent(t, AccesUrgence, "urgentiste-roche", "2026-11-22T11:30:00Z", "2026-11-22T12:30:00Z")
	d.consent(t, AccesUrgence, "urgentiste-roche", "2026-11-20T11:30:00Z", "2026-11-20T12:30:00Z")
	s := e.view(cast(t, "urgentiste-roche"), d.record(), noon).Situation()
	if s.Mode != auth.BrisDeGlace || s.Grant == "" || s.GrantEnds.Format("15:04:05") != "12:30:01" || s.Authorisation != NonExiste || s.Opposed {
		t.Errorf("grant: %+v", s)
	}
	s = e.view(cast(t, "samu-garnier"), castDossier(t, "basile").record(), noon).Situation()
	if s.Mode != auth.Centre15 || !s.Opposed || s.State != Active {
		t.Errorf("opposed: %+v", s)
	}
	s = e.view(cast(t, "representative-lambert"), castDossier(t, "emma").record(), noon).Situation()
	if !s.Representative || s.Patient || !s.Minor {
		t.Errorf("representative: %+v", s)
	}
	s = e.view(cast(t, "patient-claire"), castDossier(t, "claire").record(), noon).Situation()
	if !s.Patient || s.Representative || s.Minor || s.State != Closed {
		t.Errorf("patient: %+v", s)
	}
	s = e.view(cast(t, "medecin-martin"), castDossier(t, "alix").record(), noon).Situation()
	if !s.MedecinTraitant || s.Authorisation != Valide || s.Mode != auth.Normal {
		t.Errorf("médecin traitant: %+v", s)
	}
}

// Representation begins and ends with what is recorded.
func TestRepresents(t *testing.T) {
	e := sandboxEngine(t, nil)
	related := func(patient, period string, active bool) Subject {
		json := fmt.Sprintf(`{"resourceType":"RelatedPerson","active":%v,"identifier":[{"system":%q,"value":%q}],"patient":{"reference":"Patient/%s"}%s}`,
			active, auth.SystemAccount, representativeAccount, patient, period)
		return Subject{"RelatedPerson/r", facts(t, json, Origin{})}
	}
	cases := []struct {
		name, patient, period string
		active                bool
		want                  bool
	}{
		{"minor", "emma", "", true, true},
		{"minor, inactive", "emma", "", false, false},
		{"minor, period over", "emma", `,"period":{"end":"2026-11-21"}`, true, false},
		{"minor, last day", "emma", `,"period":{"end":"2026-11-22"}`, true, true},
		{"minor, not yet", "emma", `,"period":{"start":"2026-11-23"}`, true, false},
		{"adult without a date", "alix", "", true, false},
		{"adult, since childhood", "alix", `,"period":{"start":"1990-01-01"}`, true, false},
		{"adult, appointed", "alix", `,"period":{"start":"2026-01-01"}`, true, true},
		{"adult, appointment over", "alix", `,"period":{"start":"2020-01-01","end":"2021-01-01"}`, true, false},
	}
	for _, c := range cases {
		d := &dossier{state: Active, name: c.patient}
		d.add(t, "Patient/"+c.patient, patientJSON(c.patient, true, ""), Origin{})
		d.subjects = append(d.subjects, related(c.patient, c.period, c.active))
		if s := e.view(cast(t, "representative-lambert"), d.record(), noon).Situation(); s.Representative != c.want {
			t.Errorf("%s: %v", c.name, s.Representative)
		}
	}
}

// RelatedPersons and Provenance are read as POLICY §6 says.
func TestReadOthers(t *testing.T) {
	e, d := sandboxEngine(t, nil), castDossier(t, "emma")
	d.add(t, "Provenance/secret", `{"resourceType":"Provenance","id":"secret","target":[{"reference":"DocumentReference/emma-secret"}]}`, Origin{})
	d.add(t, "Provenance/letter", `{"resourceType":"Provenance","id":"letter","target":[{"reference":"DocumentReference/absent"},{"reference":"DocumentReference/emma-lettre"}]}`, Origin{})
	d.add(t, "Provenance/of-provenance", `{"resourceType":"Provenance","id":"of-provenance","target":[{"reference":"Provenance/letter"}]}`, Origin{})
	rec := d.record()
	cases := []struct {
		who, ref string
		want     Extent
	}{
		{"patient-emma", "RelatedPerson/lambert", Full},
		{"representative-lambert", "RelatedPerson/lambert", Full},
		{"medecin-martin", "RelatedPerson/lambert", Full},
		{"medecin-leroy", "RelatedPerson/lambert", None},
		{"patient-emma", "Provenance/secret", Full},
		{"representative-lambert", "Provenance/secret", None},
		{"representative-lambert", "Provenance/letter", Full},
		{"medecin-leroy", "Provenance/secret", Metadata},
		{"medecin-leroy", "Provenance/letter", None},
		{"patient-emma", "Provenance/of-provenance", None},
	}
	for _, c := range cases {
		i, ok := rec.Index(c.ref)
		if got := e.view(cast(t, c.who), rec, noon).Read(i).Extent(); !ok || got != c.want {
			t.Errorf("%s reads %s: %d", c.who, c.ref, got)
		}
	}
	v := e.view(cast(t, "patient-emma"), rec, noon)
	if !v.Sees("Binary/emma-secret-contenu") || v.Sees("Binary/absent") || v.Sees("RelatedPerson/absent") {
		t.Error("contents are seen with their documents")
	}
}

// A Consent that is withdrawn, or an error, is as if it were not there.
func TestConsentsWithdrawn(t *testing.T) {
	e := sandboxEngine(t, nil)
	for _, status := range []string{"inactive", "rejected", "draft", "proposed", "entered-in-error"} {
		d := castDossier(t, "alix")
		for _, kind := range []ConsentKind{Blocage, OppositionAlimentation} {
			json := strings.Replace(consentJSON("alix", kind, "medecin-durand", "", ""), `"active"`, `"`+status+`"`, 1)
			d.add(t, "Consent/"+kind.String(), json, Origin{})
		}
		for _, kind := range []ConsentKind{OppositionBrisDeGlace, MasquageTotal} {
			json := strings.Replace(consentJSON("alix", kind, "", "", ""), `"active"`, `"`+status+`"`, 1)
			d.add(t, "Consent/"+kind.String(), json, Origin{})
		}
		json := strings.Replace(consentJSON("alix", Autorisation, "medecin-leroy", "2026-11-22", "2026-11-22"), `"active"`, `"`+status+`"`, 1)
		d.add(t, "Consent/leroy", json, Origin{})
		c := e.view(cast(t, "medecin-durand"), d.record(), noon).base
		if c.Blocked || c.FeedOpposed || c.OpposedBTG || c.MaskAll {
			t.Errorf("%s: %+v", status, c)
		}
		if s := e.view(cast(t, "medecin-leroy"), d.record(), noon).Situation(); s.Authorisation != NonExiste {
			t.Errorf("%s: %v", status, s.Authorisation)
		}
	}
}

// A submission set is seen with the documents of a folder in it; not of one that
// was deleted, nor of a folder within the folder.
func TestFolders(t *testing.T) {
	d := castDossier(t, "alix")
	list := func(id, status, entry string) {
		d.add(t, "List/"+id, fmt.Sprintf(`{"resourceType":"List","status":%q,"subject":{"reference":"Patient/alix"},"entry":[{"item":{"reference":%q}}]}`, status, entry), Origin{})
	}
	list("folder", "current", "DocumentReference/alix-biologie")
	list("deleted", "entered-in-error", "DocumentReference/alix-biologie")
	list("circle", "current", "List/circle")
	list("set", "current", "List/folder")
	list("set-of-deleted", "current", "List/deleted")
	list("set-of-set", "current", "List/set")
	rec := d.record()
	v := sandboxEngine(t, nil).view(cast(t, "infirmier-moreau"), rec, noon)
	for id, want := range map[string]bool{"folder": true, "deleted": false, "circle": false, "set": true, "set-of-deleted": false, "set-of-set": false} {
		if got := v.Sees("List/" + id); got != want {
			t.Errorf("%s: %v", id, got)
		}
	}
}
