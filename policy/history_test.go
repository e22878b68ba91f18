package policy

import (
	"fmt"
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
		{"a secret session", secret, nil, nil, nil, Secret},
		{"what is not there", doctor, []string{"DocumentReference/absent"}, nil, nil, Open},
		{"written hidden", doctor, []string{"DocumentReference/new"}, nil, []Facts{alixDocuments[6].subject(t, "alix").Facts}, Withheld},
		{"written secret", doctor, nil, nil, []Facts{hiddenReps.subject(t, "alix").Facts}, Secret},
	}
	for _, c := range cases {
		if got := e.view(c.k, rec, noon).ClassOf(c.touched, c.named, c.written...); got != c.want {
			t.Errorf("%s: %d, not %d", c.name, got, c.want)
		}
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
