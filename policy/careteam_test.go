package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/fhir"
)

// teamJSON is a care team of alix: its period, and its participants as JSON.
func teamJSON(status, period string, participants ...string) string {
	return fmt.Sprintf(`{"resourceType":"CareTeam","id":"equipe","status":%q,"name":"Équipe du genou","subject":{"reference":"Patient/alix"},%s"participant":[%s]}`,
		status, period, strings.Join(participants, ","))
}

// participant is someone of the cast, for a time ("" for always).
func participant(who, start, end string) string {
	period := ""
	if start != "" {
		period = fmt.Sprintf(`,"period":{"start":%q,"end":%q}`, start, end)
	}
	return `{"member":` + authorJSON(who) + period + `}`
}

func teamOf(t testing.TB, json string) Facts {
	t.Helper()
	return facts(t, json, Origin{})
}

// teamConsent is the one Consent that holds for all members.
func teamConsent(t testing.TB, start, end string) Facts {
	t.Helper()
	return facts(t, strings.Replace(consentJSON("alix", Autorisation, "medecin-leroy", start, end),
		authorJSON("medecin-leroy"), `{"reference":"CareTeam/equipe"}`, 1), Origin{})
}

// withTeam is the record of alix with a care team and its authorisation.
func withTeam(t testing.TB, team string, more ...Subject) *Record {
	t.Helper()
	d := castDossier(t, "alix")
	d.add(t, "CareTeam/equipe", team, Origin{})
	d.subjects = append(d.subjects, Subject{"Consent/equipe", teamConsent(t, "2026-11-01", "2027-10-31")})
	d.subjects = append(d.subjects, more...)
	return d.record()
}

// One consent holds for all members, and those who act in a member structure,
// while consent, team and membership are all in force (R.1111-46).
func TestTeamAuthorises(t *testing.T) {
	e := sandboxEngine(t, nil)
	all := []string{participant("medecin-leroy", "", ""), participant("hopital-sud", "", ""), participant("urgentiste-roche", "2026-12-01", "2026-12-31")}
	block := Subject{"Consent/blocage", consentOf(t, Blocage, "medecin-leroy", "", "")}
	blockHospital := Subject{"Consent/blocage", consentOf(t, Blocage, "hopital-sud", "", "")}
	withdrawn := teamConsent(t, "2026-11-01", "2027-10-31")
	withdrawn.status = Inactive
	cases := []struct {
		name, who string
		team      string
		more      []Subject
		at        string
		want      Authorisation
	}{
		{"a member", "medecin-leroy", teamJSON("active", "", all...), nil, "2026-11-22", Valide},
		{"one who acts in a member structure", "medecin-petit", teamJSON("active", "", all...), nil, "2026-11-22", Valide},
		{"a stranger", "etudiant-simon", teamJSON("active", "", all...), nil, "2026-11-22", NonExiste},
		{"before the membership", "urgentiste-roche", teamJSON("active", "", all[2]), nil, "2026-11-30", NonExiste},
		{"in the membership", "urgentiste-roche", teamJSON("active", "", all[2]), nil, "2026-12-15", Valide},
		{"after the membership", "urgentiste-roche", teamJSON("active", "", all[2]), nil, "2027-01-02", Expire},
		{"and still by the structure", "urgentiste-roche", teamJSON("active", "", all...), nil, "2027-01-02", Valide},
		{"after the team", "medecin-leroy", teamJSON("active", `"period":{"end":"2026-11-21"},`, all...), nil, "2026-11-22", Expire},
		{"before the team", "medecin-leroy", teamJSON("active", `"period":{"start":"2026-11-23"},`, all...), nil, "2026-11-22", NonExiste},
		{"after the consent", "medecin-leroy", teamJSON("active", "", all...), nil, "2027-11-02", Expire},
		{"never both at once", "medecin-leroy", teamJSON("active", "", participant("medecin-leroy", "2026-01-01", "2026-02-01")), nil, "2026-11-22", NonExiste},
		{"inactive", "medecin-leroy", teamJSON("inactive", "", all...), nil, "2026-11-22", NonExiste},
		{"an error", "medecin-leroy", teamJSON("entered-in-error", "", all...), nil, "2026-11-22", NonExiste},
		{"blocked in person", "medecin-leroy", teamJSON("active", "", all...), []Subject{block}, "2026-11-22", Interdit},
		{"another, of whom a colleague is blocked", "medecin-petit", teamJSON("active", "", all...), []Subject{block}, "2026-11-22", Valide},
		{"by a blocked structure", "medecin-petit", teamJSON("active", "", all...), []Subject{blockHospital}, "2026-11-22", Interdit},
	}
	for _, c := range cases {
		at, err := time.Parse(time.DateOnly, c.at)
		if err != nil {
			t.Fatal(err)
		}
		v := e.view(cast(t, c.who), withTeam(t, c.team, c.more...), at.Add(12*time.Hour))
		if got := v.Situation().Authorisation; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if i, _ := v.rec.Index("DocumentReference/alix-cr-consultation"); v.Read(i).Allowed() != (c.want == Valide) {
			t.Errorf("%s: reads %v", c.name, v.Read(i).Allowed())
		}
	}
	d := castDossier(t, "alix")
	d.add(t, "CareTeam/equipe", teamJSON("active", "", all...), Origin{})
	d.subjects = append(d.subjects, Subject{"Consent/equipe", withdrawn})
	if got := e.view(cast(t, "medecin-leroy"), d.record(), noon).Situation().Authorisation; got != NonExiste {
		t.Errorf("consent withdrawn: %s", got)
	}
	d = castDossier(t, "alix")
	d.add(t, "CareTeam/equipe", teamJSON("active", "", all...), Origin{})
	if got := e.view(cast(t, "medecin-leroy"), d.record(), noon).Situation().Authorisation; got != NonExiste {
		t.Errorf("a team without a consent: %s", got)
	}
}

// A team is no personal and express authorisation, and opens no emergency (L14).
func TestTeamIsNotPersonal(t *testing.T) {
	team := teamJSON("active", "", participant("medecin-travail-colin", "", ""), participant("medecin-sans-matrice", "", ""), participant("service-sante-travail", "", ""))
	for _, setting := range []Occupational{OccupationalOff, OccupationalByConsent} {
		e := sandboxEngine(t, func(s *Settings) { s.Occupational = setting })
		v := e.view(cast(t, "medecin-travail-colin"), withTeam(t, team), noon)
		if v.Situation().Authorisation != NonExiste || v.base.Personal || v.base.Grant {
			t.Errorf("setting %d: %+v", setting, v.Situation())
		}
	}
	v := sandboxEngine(t, nil).view(cast(t, "medecin-leroy"), withTeam(t, teamJSON("active", "", participant("medecin-leroy", "", ""))), noon)
	if v.base.Authorisation != Valide || v.base.Personal || v.base.Grant {
		t.Errorf("%+v", v.base)
	}
}

// Who reads a care team, and the Consent that names it; to who does not, no
// reference to it is left.
func TestTeamIsReadByItsMembers(t *testing.T) {
	e := sandboxEngine(t, nil)
	rec := withTeam(t, teamJSON("active", "", participant("medecin-leroy", "", ""), participant("hopital-sud", "", "")))
	for who, want := range map[string]bool{
		"patient-alix": true, "medecin-martin": true, "medecin-leroy": true, "medecin-petit": true,
		"medecin-durand": false, "patient-basile": false, "hopital-sud": false, "operateur": false, "personne": false,
	} {
		v := e.view(cast(t, who), rec, noon)
		for _, ref := range []string{"CareTeam/equipe", "Consent/equipe"} {
			i, _ := rec.Index(ref)
			if got := v.Read(i); got.Allowed() != want || !want && got.Refusal() != Hidden {
				t.Errorf("%s reads %s: %v by %v", who, ref, got.Allowed(), got.Rules())
			}
		}
		if v.Sees("CareTeam/equipe") != want {
			t.Errorf("%s sees it: %v", who, !want)
		}
		if who != "medecin-durand" && v.Search("CareTeam", false).Allowed() != want { // who has VALIDE may ask
			t.Errorf("%s searches: %v", who, !want)
		}
	}
	r := parse(t, teamJSON("active", "", participant("medecin-leroy", "", "")))
	if got, _ := e.view(cast(t, "medecin-leroy"), rec, noon).Release(r, Origin{}); !got.Ok() {
		t.Error("a member is released nothing")
	}
	without := parse(t, teamJSON("active", "", participant("medecin-durand", "", "")))
	if got, _ := e.view(cast(t, "medecin-leroy"), rec, noon).Release(without, Origin{}); got.Ok() {
		t.Error("released by the record, against its own bytes")
	}
}

func TestChangeTeam(t *testing.T) {
	e := sandboxEngine(t, nil)
	leroy, petit, durand := participant("medecin-leroy", "", ""), participant("medecin-petit", "", ""), participant("medecin-durand", "", "")
	none := ""
	team := func(participants ...string) string { return teamJSON("active", "", participants...) }
	until := func(end string, participants ...string) string {
		return teamJSON("active", `"period":{"end":"`+end+`"},`, participants...)
	}
	cases := []struct {
		name, who     string
		before, after string
		changed       []string
		want          string
	}{
		{"made by the patient", "patient-alix", none, team(leroy, participant("hopital-sud", "", "")), nil, "oui"},
		{"made by the médecin traitant", "medecin-martin", none, team(leroy), nil, "oui"},
		{"made with VALIDE", "medecin-durand", none, team(leroy), nil, "oui"},
		{"made without", "medecin-leroy", none, team(petit), nil, "403"},
		{"made by another patient", "patient-basile", none, team(leroy), nil, "403"},
		{"made by an establishment", "hopital-sud", none, team(leroy), nil, "403"},
		{"with oneself", "medecin-durand", none, team(leroy, durand), nil, "422"},
		{"with one's structure", "medecin-durand", none, team(leroy, participant("hopital-nord", "", "")), nil, "422"},
		{"with a structure", "medecin-durand", none, team(leroy, participant("hopital-sud", "", "")), nil, "422"},
		{"with oneself, as médecin traitant", "medecin-martin", none, team(leroy, participant("medecin-martin", "", "")), nil, "422"},
		{"not in use", "patient-alix", none, teamJSON("inactive", "", leroy), nil, "422"},
		{"of another patient", "patient-alix", none, strings.Replace(team(leroy), "Patient/alix", "Patient/basile", 1), nil, "422"},
		{"empty", "patient-alix", none, team(), nil, "oui"},

		{"widened by the patient", "patient-alix", team(leroy), team(leroy, petit), []string{"participant"}, "oui"},
		{"widened by the médecin traitant", "medecin-martin", team(leroy), team(leroy, petit), []string{"participant"}, "oui"},
		{"widened by a member with VALIDE", "medecin-durand", team(durand), team(durand, petit), []string{"participant"}, "oui"},
		{"widened by whom it gives VALIDE", "medecin-leroy", team(leroy), team(leroy, petit), []string{"participant"}, "oui"},
		{"widened by a member whose time is over", "medecin-leroy", team(participant("medecin-leroy", "2026-11-01", "2026-11-02")), team(participant("medecin-leroy", "2026-11-01", "2026-11-02"), petit), []string{"participant"}, "403"},
		{"widened unseen", "medecin-durand", team(leroy), team(leroy, petit), []string{"participant"}, "404"},
		{"one's own time made longer", "medecin-leroy", team(participant("medecin-leroy", "2026-11-01", "2026-12-01")), team(leroy), []string{"participant"}, "422"},
		{"the time of a team of one's own made longer", "medecin-leroy", until("2026-12-01", leroy), until("2026-12-31", leroy), []string{"period"}, "422"},
		{"the time made longer by the patient", "patient-alix", until("2026-12-01", leroy), until("2026-12-31", leroy), []string{"period"}, "oui"},
		{"another's time made longer", "medecin-durand", until("2026-12-01", leroy, durand), until("2026-12-31", leroy), []string{"period"}, "oui"},
		{"one's past made longer", "medecin-leroy", team(participant("medecin-leroy", "2026-11-10", "2027-10-31")), team(participant("medecin-leroy", "2026-11-01", "2027-10-31")), []string{"participant"}, "oui"},
		{"used again by a member", "medecin-leroy", teamJSON("inactive", "", leroy), team(leroy), []string{"status"}, "403"},
		{"used again by the médecin traitant", "medecin-martin", teamJSON("inactive", "", leroy), team(leroy), []string{"status"}, "oui"},

		{"narrowed by the patient", "patient-alix", team(leroy, petit), team(leroy), []string{"participant"}, "oui"},
		{"left by a member", "medecin-leroy", team(leroy, petit), team(petit), []string{"participant"}, "oui"},
		{"left by one whose time is over, too", "medecin-leroy", team(participant("medecin-leroy", "2026-11-01", "2026-11-02"), petit), team(participant("medecin-leroy", "2026-11-01", "2026-11-02")), []string{"participant"}, "oui"},
		{"ended", "medecin-leroy", team(leroy), teamJSON("inactive", "", leroy), []string{"status"}, "oui"},
		{"an error", "patient-alix", team(leroy), teamJSON("entered-in-error", "", leroy), []string{"status"}, "oui"},
		{"ended sooner", "medecin-leroy", team(leroy), until("2026-11-30", leroy), []string{"period"}, "oui"},
		{"one for another", "medecin-leroy", team(leroy, petit), team(leroy, participant("urgentiste-roche", "", "")), []string{"participant"}, "oui"},
		{"one for oneself", "medecin-petit", team(participant("hopital-sud", "", ""), leroy), team(participant("hopital-sud", "", ""), petit), []string{"participant"}, "422"},
		{"narrowed, and its name changed without VALIDE", "medecin-leroy", team(participant("medecin-leroy", "2026-11-01", "2026-11-02"), petit), team(participant("medecin-leroy", "2026-11-01", "2026-11-02")), []string{"name", "participant"}, "403"},
		{"its name", "medecin-leroy", team(leroy), team(leroy), []string{"name"}, "oui"},
		{"nothing", "medecin-leroy", team(participant("medecin-leroy", "2026-11-01", "2026-11-02")), team(participant("medecin-leroy", "2026-11-01", "2026-11-02")), nil, "403"},
		{"given to another patient", "patient-alix", team(leroy), strings.Replace(team(leroy), "Patient/alix", "Patient/basile", 1), []string{"subject"}, "422"},
	}
	for _, c := range cases {
		after := teamOf(t, c.after)
		rec := castDossier(t, "alix").record()
		var before *Facts
		if c.before != none {
			f := teamOf(t, c.before)
			before, rec = &f, withTeam(t, c.before)
		}
		d := e.view(cast(t, c.who), rec, noon).ChangeTeam(before, after, c.changed)
		if got := answer(ActTeam, d); got != c.want {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
	}
	secret := cast(t, "medecin-durand")
	secret.secret = true
	if d := e.view(secret, castDossier(t, "alix").record(), noon).ChangeTeam(nil, teamOf(t, team(leroy)), nil); answer(ActTeam, d) != "422" {
		t.Errorf("in a secret session: %v", d.Rules())
	}
}

// The authorisation of a team names one in use of the dossier that its writer
// sees; it holds for a year at most, and no other kind of Consent is about teams.
func TestConsentToATeam(t *testing.T) {
	e := sandboxEngine(t, nil)
	active := withTeam(t, teamJSON("active", "", participant("medecin-leroy", "", ""), participant("medecin-durand", "", "")))
	year := teamConsent(t, "2026-11-22", "2027-11-21")
	silent := facts(t, strings.Replace(strings.Replace(consentJSON("alix", Autorisation, "medecin-leroy", "2026-11-22", "2027-11-21"),
		authorJSON("medecin-leroy"), `{"reference":"CareTeam/equipe"}`, 1), `"performer":[{"reference":"Patient/alix"}],`, "", 1), Origin{})
	elsewhere := year
	elsewhere.consent.actor = fhir.Ident{Value: "CareTeam/autre"}
	document := year
	document.consent.actor = fhir.Ident{Value: "DocumentReference/alix-biologie"}
	cases := []struct {
		name, who string
		rec       *Record
		consent   Facts
		want      string
	}{
		{"by the patient", "patient-alix", active, year, "oui"},
		{"for a day more", "patient-alix", active, teamConsent(t, "2026-11-22", "2027-11-22"), "422"},
		{"by the médecin traitant", "medecin-martin", active, year, "oui"},
		{"by a member", "medecin-durand", active, year, "oui"},
		{"by a member, silently", "medecin-durand", active, silent, "422"},
		{"silently, by the patient", "patient-alix", active, silent, "oui"},
		{"by who does not see it", "pharmacien-dubois", active, year, "422"},
		{"of a team that is not there, by the same", "pharmacien-dubois", active, elsewhere, "422"},
		{"of a team that is not there", "patient-alix", active, elsewhere, "422"},
		{"of what is no team", "patient-alix", active, document, "422"},
		{"of one that is no more in use", "patient-alix", withTeam(t, teamJSON("inactive", "", participant("medecin-leroy", "", ""))), year, "422"},
	}
	for _, c := range cases {
		d := e.view(cast(t, c.who), c.rec, noon).ChangeConsent(nil, c.consent)
		if got := answer(ActConsent, d); got != c.want {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
	}
	off := year
	off.status = Inactive
	d := e.view(cast(t, "patient-alix"), withTeam(t, teamJSON("inactive", "", participant("medecin-leroy", "", ""))), noon).ChangeConsent(&year, off)
	if !d.Allowed() {
		t.Errorf("withdrawn after the team: %v", d.Rules())
	}
	patient := castDossier(t, "alix").record().Subject(0).Facts
	patient.person.qualified = true
	opening := facts(t, consentJSON("alix", Ouverture, "", "", ""), Origin{})
	if d := e.open(cast(t, "patient-alix"), patient, []Facts{opening, year}, noon); d.Allowed() {
		t.Error("at the opening, where there is no team yet")
	}
}

func TestFactsOfTeams(t *testing.T) {
	f := teamOf(t, teamJSON("active", `"identifier":[{"system":"urn:x","value":"1"}],"period":{"start":"2026-11-01","end":"2026-11-30"},`,
		participant("medecin-leroy", "2026-11-02", "2026-11-03"),
		`{"role":[{"text":"Kinésithérapeute"}],"member":{"type":"Practitioner","identifier":{"system":"https://rpps.esante.gouv.fr","value":"99900000013"}}}`,
		participant("hopital-sud", "", "")))
	if f.Type() != "CareTeam" || f.Patient() != "Patient/alix" || f.Status() != Current {
		t.Errorf("%s of %s, %d", f.Type(), f.Patient(), f.Status())
	}
	want := []member{
		{aboutPerson, cast(t, "medecin-leroy").id, f.members[0].period},
		{aboutPerson, cast(t, "medecin-petit").id, always},
		{aboutStructure, cast(t, "hopital-sud").id, always},
	}
	if !slices.Equal(f.members, want) {
		t.Errorf("members %+v", f.members)
	}
	if start, end := f.members[0].period.times(); end.Sub(start) != 48*time.Hour {
		t.Errorf("a member from %v to %v", start, end)
	}
	leroy := participant("medecin-leroy", "", "")
	for name, json := range map[string]string{
		"proposed":                 teamJSON("proposed", "", leroy),
		"suspended":                teamJSON("suspended", "", leroy),
		"without a status":         strings.Replace(teamJSON("active", "", leroy), `"status":"active",`, "", 1),
		"without a subject":        strings.Replace(teamJSON("active", "", leroy), `"subject":{"reference":"Patient/alix"},`, "", 1),
		"a modifier extension":     teamJSON("active", `"modifierExtension":[{"url":"urn:x"}],`, leroy),
		"contained":                teamJSON("active", `"contained":[{"resourceType":"Practitioner","id":"p"}],`, leroy),
		"an encounter":             teamJSON("active", `"encounter":{"reference":"Encounter/1"},`, leroy),
		"a reason":                 teamJSON("active", `"reasonCode":[{"text":"genou"}],`, leroy),
		"a reason by reference":    teamJSON("active", `"reasonReference":[{"reference":"Condition/1"}],`, leroy),
		"a note":                   teamJSON("active", `"note":[{"text":"genou"}],`, leroy),
		"a period backwards":       teamJSON("active", `"period":{"start":"2026-11-02","end":"2026-11-01"},`, leroy),
		"a participant backwards":  teamJSON("active", "", participant("medecin-leroy", "2026-11-02", "2026-11-01")),
		"nobody":                   teamJSON("active", "", `{"role":[{"text":"infirmier"}]}`),
		"without an identifier":    teamJSON("active", "", `{"member":{"reference":"Practitioner/1"}}`),
		"by a name":                teamJSON("active", "", `{"member":{"display":"Docteur Leroy"}}`),
		"a contained one":          teamJSON("active", "", `{"member":{"reference":"#p"}}`),
		"the patient":              teamJSON("active", "", `{"member":{"reference":"Patient/alix"}}`),
		"another team":             teamJSON("active", "", `{"member":{"reference":"CareTeam/autre"}}`),
		"a role of the structure":  teamJSON("active", "", `{"member":`+authorJSON("medecin-leroy")+`,"onBehalfOf":`+authorJSON("hopital-sud")+`}`),
		"a participant's modifier": teamJSON("active", "", `{"modifierExtension":[{"url":"urn:x"}],"member":`+authorJSON("medecin-leroy")+`}`),
		"51 participants":          teamJSON("active", "", slices.Repeat([]string{leroy}, maxMembers+1)...),
	} {
		if f, err := FactsOf(parse(t, json), Origin{}); err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
	teamOf(t, teamJSON("active", "", slices.Repeat([]string{leroy}, maxMembers)...))
	for _, kind := range []ConsentKind{Blocage, OppositionAlimentation, AccesUrgence} {
		json := strings.Replace(consentJSON("alix", kind, "medecin-leroy", "", ""), authorJSON("medecin-leroy"), `{"reference":"CareTeam/equipe"}`, 1)
		if _, err := FactsOf(parse(t, json), Origin{}); err == nil {
			t.Errorf("%s of a team", kind)
		}
	}
	byIdentifier := strings.Replace(consentJSON("alix", Autorisation, "medecin-leroy", "2026-11-22", "2026-12-22"),
		authorJSON("medecin-leroy"), `{"type":"CareTeam","identifier":{"system":"urn:x","value":"1"}}`, 1)
	if _, err := FactsOf(parse(t, byIdentifier), Origin{}); err == nil {
		t.Error("a team by an identifier")
	}
}

// What refers to a team shows it to those who may read it only, there or not.
func TestReferencesToTeamsAreCut(t *testing.T) {
	e := sandboxEngine(t, nil)
	spec := docSpec{id: "alix-suivi", typ: "11488-4", author: "medecin-durand", extra: `"context":{"related":[{"reference":"CareTeam/equipe"}]},`}
	document := spec.subject(t, "alix")
	rec := withTeam(t, teamJSON("active", "", participant("medecin-leroy", "", "")), document)
	for who, want := range map[string]bool{"patient-alix": true, "medecin-leroy": true, "medecin-durand": false} {
		got, d := e.view(cast(t, who), rec, noon).Release(parse(t, spec.json("alix")), spec.origin(t))
		r, ok := got.Value()
		if !ok {
			t.Fatalf("%s reads nothing: %v", who, d.Rules())
		}
		if shown := strings.Contains(string(r.Bytes()), "CareTeam"); shown != want {
			t.Errorf("%s: shown %v in %s", who, shown, r.Bytes())
		}
	}
}
