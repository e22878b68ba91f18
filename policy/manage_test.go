package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// consentOf is a Consent on alix.
func consentOf(t *testing.T, kind ConsentKind, actor, start, end string) Facts {
	t.Helper()
	return facts(t, consentJSON("alix", kind, actor, start, end), Origin{})
}

func TestChangeConsent(t *testing.T) {
	e := sandboxEngine(t, nil)
	cases := []struct {
		name, who  string
		kind       ConsentKind
		actor      string
		start, end string
		want       string
		rules      string
	}{
		{"own, for the day", "medecin-leroy", Autorisation, "medecin-leroy", "2026-11-22", "2026-11-22", "oui", "G05"},
		{"own, from now on", "medecin-leroy", Autorisation, "medecin-leroy", "", "2026-11-22", "oui", "G05"},
		{"own, planned", "medecin-leroy", Autorisation, "medecin-leroy", "2026-12-01", "2026-12-01", "oui", "G05"},
		{"own, two days", "medecin-leroy", Autorisation, "medecin-leroy", "2026-11-22", "2026-11-23", "422", "6.periode"},
		{"own, from yesterday", "medecin-leroy", Autorisation, "medecin-leroy", "2026-11-21", "2026-11-22", "422", "6.periode"},
		{"own, earlier today", "medecin-leroy", Autorisation, "medecin-leroy", "2026-11-22T08:00:00+01:00", "2026-11-22T18:00:00+01:00", "oui", "G05"},
		{"another's, without authorisation", "medecin-leroy", Autorisation, "medecin-petit", "2026-11-22", "2026-11-22", "403", "-"},
		{"another's, VALIDE", "medecin-durand", Autorisation, "medecin-leroy", "2026-11-22", "2026-11-22", "oui", "G05"},
		{"a structure's, VALIDE", "medecin-durand", Autorisation, "hopital-nord", "2026-11-22", "2027-11-21", "403", "-"},
		{"a structure's, by the patient", "patient-alix", Autorisation, "hopital-nord", "2026-11-22", "2027-11-21", "oui", "G05"},
		{"a structure's, over a year", "patient-alix", Autorisation, "hopital-nord", "2026-11-22", "2027-11-22", "422", "6.periode"},
		{"a structure's, from yesterday", "patient-alix", Autorisation, "hopital-nord", "2026-11-21", "2027-11-20", "422", "6.periode"},
		{"one's own doctor, by the patient, a year", "patient-alix", Autorisation, "medecin-leroy", "2026-11-22", "2027-11-21", "422", "6.periode"},
		{"by another patient", "patient-basile", Autorisation, "medecin-leroy", "2026-11-22", "2026-11-22", "403", "7.autre"},
		{"by an establishment", "hopital-nord", Autorisation, "hopital-nord", "2026-11-22", "2026-11-23", "403", "-"},
		{"block", "patient-alix", Blocage, "medecin-petit", "", "", "oui", "G06"},
		{"block by the médecin traitant", "medecin-martin", Blocage, "medecin-petit", "", "", "oui", "G06"},
		{"block of the médecin traitant", "patient-alix", Blocage, "medecin-martin", "", "", "422", "G06"},
		{"block by another", "medecin-durand", Blocage, "medecin-petit", "", "", "403", "-"},
		{"opposition", "patient-alix", OppositionBrisDeGlace, "", "", "", "oui", "G08"},
		{"opposition by the médecin traitant", "medecin-martin", OppositionCentre15, "", "", "", "oui", "G08"},
		{"opposition by another", "medecin-durand", OppositionCentre15, "", "", "", "403", "-"},
		{"feeding", "patient-alix", OppositionAlimentation, "hopital-sud", "", "", "oui", "E02"},
		{"feeding by all", "patient-alix", OppositionAlimentation, "", "", "", "oui", "E02"},
		{"feeding, by the médecin traitant", "medecin-martin", OppositionAlimentation, "", "", "", "403", "-"},
		{"everything hidden", "patient-alix", MasquageTotal, "", "", "", "oui", "L18"},
		{"everything hidden, by the médecin traitant", "medecin-martin", MasquageTotal, "", "", "", "403", "-"},
		{"emergency by hand", "medecin-martin", AccesUrgence, "medecin-martin", "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z", "422", "6.Consent"},
		{"opening of what is open", "patient-alix", Ouverture, "", "", "", "422", "6.Consent"},
	}
	for _, c := range cases {
		v := e.view(cast(t, c.who), castDossier(t, "alix").record(), noon)
		d := v.ChangeConsent(nil, consentOf(t, c.kind, c.actor, c.start, c.end))
		if got := answer(ActConsent, d); got != c.want || !slices.Equal(d.Rules(), listed(c.rules)) {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
	}
}

// What a professional records for themself holds for the day, whatever the patient
// may give, and says who agreed and where; no patient consents for another (G05).
func TestOwnAuthorisation(t *testing.T) {
	e := sandboxEngine(t, func(s *Settings) { s.PersonalAuthorisation = Period{Years: 1} })
	rec := castDossier(t, "alix").record()
	const performer, source = `"performer":[{"reference":"Patient/alix"}],`, `"sourceAttachment":{"title":"Accord recueilli par case cochée"},`
	ins := func(value string) string {
		return `"performer":[{"type":"Patient","identifier":{"system":"` + fhir.SystemINSTest + `","value":"` + value + `"}}],`
	}
	const day, year = "2026-11-22", "2027-11-21"
	cases := []struct{ name, who, actor, end, old, new, want string }{
		{"for the day", "medecin-leroy", "medecin-leroy", day, "", "", "oui"},
		{"for a year", "medecin-leroy", "medecin-leroy", year, "", "", "422"},
		{"for a year, by the patient", "patient-alix", "medecin-leroy", year, "", "", "oui"},
		{"for a year, for a colleague", "medecin-durand", "medecin-leroy", year, "", "", "oui"},
		{"by INS", "medecin-leroy", "medecin-leroy", day, performer, ins(castPatients["alix"].ins), "oui"},
		{"by the INS of another", "medecin-leroy", "medecin-leroy", day, performer, ins(castPatients["basile"].ins), "422"},
		{"by nobody", "medecin-leroy", "medecin-leroy", day, performer, "", "422"},
		{"by themself", "medecin-leroy", "medecin-leroy", day, performer, `"performer":[` + authorJSON("medecin-leroy") + `],`, "422"},
		{"by another patient", "medecin-leroy", "medecin-leroy", day, performer, `"performer":[{"reference":"Patient/basile"}],`, "422"},
		{"by another patient too", "medecin-leroy", "medecin-leroy", day, performer, `"performer":[{"reference":"Patient/alix"},{"reference":"Patient/basile"}],`, "422"},
		{"by another patient, sent by the patient", "patient-alix", "medecin-leroy", day, performer, `"performer":[{"reference":"Patient/basile"}],`, "422"},
		{"by nobody, sent by the patient", "patient-alix", "medecin-leroy", day, performer, "", "oui"},
		{"without source", "medecin-leroy", "medecin-leroy", day, source, "", "422"},
		{"with an empty source", "medecin-leroy", "medecin-leroy", day, source, `"sourceAttachment":{"title":" "},`, "422"},
		{"with a document as source", "medecin-leroy", "medecin-leroy", day, source, `"sourceReference":{"reference":"DocumentReference/alix-directives"},`, "oui"},
		{"without source, by the patient", "patient-alix", "medecin-leroy", day, source, "", "oui"},
	}
	for _, c := range cases {
		json := consentJSON("alix", Autorisation, c.actor, "2026-11-22", c.end)
		if !strings.Contains(json, c.old) {
			t.Fatalf("%s: %q is not in %s", c.name, c.old, json)
		}
		f := facts(t, strings.Replace(json, c.old, c.new, 1), Origin{})
		if got := f.Refs(); slices.ContainsFunc(got, func(ref string) bool { return strings.HasPrefix(ref, "Patient/") }) {
			t.Errorf("%s: refers to %v", c.name, got)
		}
		d := e.view(cast(t, c.who), rec, noon).ChangeConsent(nil, f)
		if got := answer(ActConsent, d); got != c.want {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
		if c.who == "patient-alix" {
			continue
		}
		opening := facts(t, consentJSON("alix", Ouverture, "", "", ""), Origin{})
		patient := rec.Subject(0).Facts
		patient.person.qualified, patient.person.gps = true, nil
		want := c.want
		if c.actor != c.who { // nobody's authorisation but one's own comes with an opening
			want = "422"
		}
		d = e.open(cast(t, c.who), patient, []Facts{opening, f}, noon)
		if got := answer(ActOpen, d); got != want {
			t.Errorf("%s, at the opening: %s by %v", c.name, got, d.Rules())
		}
	}
}

// A Consent is withdrawn by those who may; it does not become another one, nor
// come back.
func TestChangeConsentThatIsThere(t *testing.T) {
	e, d := sandboxEngine(t, nil), castDossier(t, "alix")
	d.consent(t, Blocage, "medecin-leroy", "", "")
	d.consent(t, AccesUrgence, "urgentiste-roche", "2026-11-22T11:30:00Z", "2026-11-22T12:30:00Z")
	rec := d.record()
	find := func(kind ConsentKind, actor string) Facts {
		ref, ok := rec.ActiveConsent(kind, cast(t, actor).id)
		if !ok {
			t.Fatalf("no %s of %s", kind, actor)
		}
		i, _ := rec.Index(ref)
		return rec.Subject(i).Facts
	}
	durand, leroy, grant := find(Autorisation, "medecin-durand"), find(Blocage, "medecin-leroy"), find(AccesUrgence, "urgentiste-roche")
	changed := func(f Facts, change func(*Facts)) Facts { change(&f); return f }
	off := func(f *Facts) { f.status = Inactive }
	cases := []struct {
		name, who     string
		before, after Facts
		want          string
	}{
		{"withdrawn by the patient", "patient-alix", durand, changed(durand, off), "oui"},
		{"withdrawn by the professional", "medecin-durand", durand, changed(durand, off), "oui"},
		{"withdrawn by the médecin traitant", "medecin-martin", durand, changed(durand, off), "oui"},
		{"withdrawn as an error", "patient-alix", durand, changed(durand, func(f *Facts) { f.status = Deleted }), "oui"},
		{"another's, unseen", "medecin-petit", durand, changed(durand, off), "404"},
		{"by another patient", "patient-basile", durand, changed(durand, off), "404"},
		{"a block lifted by the patient", "patient-alix", leroy, changed(leroy, off), "oui"},
		{"a block lifted by the médecin traitant", "medecin-martin", leroy, changed(leroy, off), "oui"},
		{"a block lifted by the blocked", "medecin-leroy", leroy, changed(leroy, off), "404"},
		{"a grant ended by hand", "patient-alix", grant, changed(grant, off), "422"},
		{"another actor", "patient-alix", durand, changed(durand, func(f *Facts) { f.consent.actor = cast(t, "medecin-leroy").id }), "422"},
		{"another kind", "patient-alix", durand, changed(durand, func(f *Facts) { f.consent.kind = Blocage }), "422"},
		{"another patient", "patient-alix", durand, changed(durand, func(f *Facts) { f.patient = "Patient/basile" }), "422"},
		{"longer", "patient-alix", durand, changed(durand, func(f *Facts) { f.period.to += 1e6 * 86400 }), "422"},
		{"as it was", "patient-alix", durand, durand, "oui"},
		{"brought back", "patient-alix", changed(durand, off), durand, "422"},
	}
	for _, c := range cases {
		v := e.view(cast(t, c.who), rec, noon)
		dec := v.ChangeConsent(&c.before, c.after)
		if got := answer(ActConsent, dec); got != c.want {
			t.Errorf("%s: %s by %v", c.name, got, dec.Rules())
		}
	}
	tomorrow := e.view(cast(t, "patient-alix"), rec, noon.AddDate(0, 0, 1))
	if dec := tomorrow.ChangeConsent(&durand, durand); !dec.Allowed() {
		t.Errorf("one that began before, without a new period: %v", dec.Rules())
	}
	v := e.view(cast(t, "patient-alix"), rec, noon)
	if dec := v.ChangeConsent(nil, changed(durand, off)); dec.Allowed() {
		t.Error("a consent was recorded that is not in force")
	}
	if dec := v.ChangeConsent(nil, Facts{}); dec.Allowed() {
		t.Error("what is no consent was recorded")
	}
	if dec := v.ChangeConsent(&Facts{typ: typePatient}, durand); dec.Allowed() {
		t.Error("a Patient became a Consent")
	}
}

func TestActiveConsent(t *testing.T) {
	d := castDossier(t, "david")
	rec := d.record()
	if ref, ok := rec.ActiveConsent(Blocage, cast(t, "medecin-durand").id); !ok || !strings.HasPrefix(ref, "Consent/david-blocage") {
		t.Errorf("%q %v", ref, ok)
	}
	if ref, ok := rec.ActiveConsent(Blocage, cast(t, "medecin-petit").id); ok {
		t.Errorf("%q", ref)
	}
	if _, ok := rec.ActiveConsent(OppositionBrisDeGlace, fhir.Ident{}); ok {
		t.Error("an opposition that is not there")
	}
	if ref, ok := castDossier(t, "basile").record().ActiveConsent(OppositionBrisDeGlace, fhir.Ident{}); !ok {
		t.Errorf("%q", ref)
	}
	if _, ok := (*Record)(nil).ActiveConsent(Blocage, fhir.Ident{}); ok {
		t.Error("a consent of no record")
	}
}

func TestChangePatient(t *testing.T) {
	e := sandboxEngine(t, nil)
	closing := func(f *Facts) { f.person.active, f.person.motive, f.person.closedOn = false, true, "2026-11-22" }
	name := func(who ...string) func(*Facts) {
		return func(f *Facts) {
			f.person.gps = nil
			for _, w := range who {
				f.person.gps = append(f.person.gps, cast(t, w).id)
			}
		}
	}
	agreed := func(who string, named func(*Facts)) func(*Facts) {
		return func(f *Facts) {
			named(f)
			f.person.agreed = []fhir.Ident{cast(t, who).id}
		}
	}
	none := func(*Facts) {}
	cases := []struct {
		name, dossier, who string
		change             func(*Facts)
		elements           string
		want, rules        string
	}{
		{"médecin traitant by the patient", "alix", "patient-alix", name("medecin-martin", "medecin-leroy"), "generalPractitioner", "oui", "G07"},
		{"by themself, without a word of the patient's agreement", "alix", "medecin-leroy", name("medecin-martin", "medecin-leroy"), "generalPractitioner", "422", "G07"},
		{"by themself", "alix", "medecin-leroy", agreed("medecin-leroy", name("medecin-martin", "medecin-leroy")), "generalPractitioner", "oui", "G07"},
		{"with the agreement to another", "alix", "medecin-leroy", agreed("medecin-martin", name("medecin-martin", "medecin-leroy")), "generalPractitioner", "422", "G07"},
		{"reactivated and still said to be dead", "claire", "patient-claire", func(f *Facts) { f.person.active, f.person.deceased = true, true }, "active", "422", "6.etat,G03,G12"},
		{"leaving", "alix", "medecin-martin", name(), "generalPractitioner", "oui", "G07"},
		{"pushing another out", "alix", "medecin-leroy", name("medecin-leroy"), "generalPractitioner", "403", "-"},
		{"naming another", "alix", "medecin-leroy", name("medecin-martin", "medecin-petit"), "generalPractitioner", "403", "-"},
		{"no physician", "alix", "infirmier-moreau", name("medecin-martin", "infirmier-moreau"), "generalPractitioner", "403", "-"},
		{"occupational", "alix", "medecin-travail-colin", agreed("medecin-travail-colin", name("medecin-martin", "medecin-travail-colin")), "generalPractitioner", "403", "L14"},
		{"not said to differ", "alix", "medecin-leroy", name("medecin-leroy"), "telecom", "403", "-"},
		{"closing by the patient", "alix", "patient-alix", closing, "active," + extFermeture, "oui", "G02"},
		{"closing at their request", "alix", "medecin-durand", closing, "active," + extFermeture, "oui", "G02"},
		{"closing by anyone", "alix", "medecin-leroy", closing, "active", "403", "-"},
		{"closing without motive", "alix", "patient-alix", func(f *Facts) { f.person.active = false }, "active", "422", "G02"},
		{"another motive, later", "alix", "patient-alix", none, extFermeture, "403", "-"},
		{"reopening by the patient", "claire", "patient-claire", func(f *Facts) { f.person.active = true }, "active", "oui", "G03"},
		{"reopening by a professional", "claire", "medecin-leroy", func(f *Facts) { f.person.active = true }, "active", "422", "G03"},
		{"reopening by an establishment", "claire", "hopital-nord", func(f *Facts) { f.person.active = true }, "active", "403", "-"},
		{"traits of a closed dossier", "claire", "secretariat-nord", none, "name", "403", "6.etat"},
		{"name", "alix", "secretariat-nord", none, "name", "oui", "G11"},
		{"name by the patient", "alix", "patient-alix", none, "name", "403", "-"},
		{"name and address by the patient", "alix", "patient-alix", none, "address,name", "403", "-"},
		{"address by the patient", "alix", "patient-alix", none, "address", "oui", "G11"},
		{"telecom by a professional", "alix", "medecin-durand", none, "telecom", "oui", "G11"},
		{"birth date, not said to differ", "alix", "patient-alix", func(f *Facts) { f.person.birth = "2015-01-01" }, "telecom", "403", "-"},
		{"alerts by the patient", "alix", "patient-alix", none, extAlertes, "oui", "G10"},
		{"alerts by another", "alix", "medecin-martin", none, extAlertes, "403", "-"},
		{"a local identifier", "alix", "secretariat-nord", none, "identifier", "oui", "G11"},
		{"a local identifier, not said to differ", "alix", "patient-alix", func(f *Facts) { f.idents = append(slices.Clone(f.idents), fhir.Ident{System: "urn:ipp", Value: "7"}) }, "telecom", "403", "-"},
		{"an element nobody knows, and the address", "alix", "patient-alix", none, "address,urn:x", "405", "G11"},
		{"another's element", "alix", "patient-basile", none, "link", "403", "7.autre,G11"},
		{"nothing", "alix", "patient-alix", none, "", "entier", "6.Patient"},
		{"another's", "alix", "patient-basile", none, "address", "403", "7.autre"},
	}
	for _, c := range cases {
		rec := castDossier(t, c.dossier).record()
		before := rec.Subject(0).Facts
		if c.dossier == "claire" {
			before.person.closedOn = "2025-06-30"
		}
		after := before
		c.change(&after)
		d := e.view(cast(t, c.who), rec, noon).ChangePatient(before, after, slices.DeleteFunc(strings.Split(c.elements, ","), func(e string) bool { return e == "" }))
		a := ActClose
		if c.want == "entier" {
			a = ActRead
		}
		if got := answer(a, d); got != c.want || !slices.Equal(d.Rules(), listed(c.rules)) {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
	}
}

// What no rule names, nobody changes, whoever they are: by its name before there
// is a dossier, and by what differs after.
func TestPatientElements(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	before := rec.Subject(0).Facts
	never := []string{"id", "meta", "resourceType", "contained", "photo", "link", "managingOrganization", "maritalStatus", "implicitRules", "language",
		"modifierExtension", "extension", "urn:x", extRattachement, extMT, extAutorisation, ""}
	for _, element := range never {
		for _, who := range []string{"patient-alix", "medecin-martin", "secretariat-nord"} {
			if d := e.view(cast(t, who), rec, noon).ChangePatient(before, before, []string{element}); d.Allowed() || d.Refusal() != NotMethod {
				t.Errorf("%s by %s: %v by %v", element, who, d.Refusal(), d.Rules())
			}
		}
		if d := PatchElements("Patient", []string{"telecom", element}); d.Allowed() || d.Refusal() != NotMethod || d.Text().FR != "Cet élément du patient ne peut pas être modifié." {
			t.Errorf("PATCH of %s: %v, %s", element, d.Refusal(), d.Text().FR)
		}
	}
	for _, element := range slices.Concat(traits, contact, []string{"generalPractitioner", "active", "identifier", extFermeture, extAlertes}) {
		if d := PatchElements("Patient", []string{element}); !d.Allowed() {
			t.Errorf("PATCH of %s: %v", element, d.Rules())
		}
	}
}

// A new INS takes the place of the active one, which stays as a former one: no
// other change of INS is one (G11).
func TestChangeINS(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	active := rec.Subject(0).Facts.person.ins[0]
	former, fresh, foreign := fhir.Ident{System: fhir.SystemINSNIA, Value: "8"}, fhir.Ident{System: fhir.SystemINSNIR, Value: "9"}, fhir.Ident{System: fhir.SystemINSNIR, Value: "7"}
	good := []fhir.Ident{fresh, active, former}
	cases := []struct {
		name, who               string
		ins                     []fhir.Ident
		noActive, before, after bool // the last two: identity not qualified
		want                    string
	}{
		{name: "by administrative staff", who: "secretariat-nord", ins: good, want: "oui"},
		{name: "by a médecin traitant", who: "medecin-martin", ins: good, want: "oui"},
		{name: "by the health insurance", who: "assurance-maladie", ins: good, want: "oui"},
		{name: "former ones in another order", who: "secretariat-nord", ins: []fhir.Ident{fresh, former, active}, want: "oui"},
		{name: "by a professional with VALIDE", who: "medecin-durand", ins: good, want: "403"},
		{name: "by a professional without", who: "medecin-leroy", ins: good, want: "403"},
		{name: "by the patient", who: "patient-alix", ins: good, want: "403"},
		{name: "by an establishment", who: "hopital-nord", ins: good, want: "403"},
		{name: "a former one out of nothing", who: "secretariat-nord", ins: []fhir.Ident{active, former, foreign}, want: "422"},
		{name: "a new one, and a former one out of nothing", who: "secretariat-nord", ins: []fhir.Ident{fresh, active, former, foreign}, want: "422"},
		{name: "the active one lost", who: "secretariat-nord", ins: []fhir.Ident{fresh, former}, want: "422"},
		{name: "a former one lost", who: "secretariat-nord", ins: []fhir.Ident{fresh, active}, want: "422"},
		{name: "a former one dropped", who: "secretariat-nord", ins: []fhir.Ident{active}, want: "422"},
		{name: "a former one swapped", who: "secretariat-nord", ins: []fhir.Ident{fresh, active, foreign}, want: "422"},
		{name: "a former one back", who: "secretariat-nord", ins: []fhir.Ident{former, active}, want: "422"},
		{name: "none active", who: "secretariat-nord", ins: []fhir.Ident{active, former}, noActive: true, want: "422"},
		{name: "identity not qualified before", who: "secretariat-nord", ins: good, before: true, want: "422"},
		{name: "identity not qualified after", who: "secretariat-nord", ins: good, after: true, want: "422"},
	}
	for _, c := range cases {
		before := rec.Subject(0).Facts
		before.person.ins, before.person.qualified = []fhir.Ident{active, former}, !c.before
		after := before
		after.person.ins, after.person.hasINS, after.person.qualified = c.ins, !c.noActive, !c.after
		d := e.view(cast(t, c.who), rec, noon).ChangePatient(before, after, []string{"identifier"})
		if got := answer(ActINS, d); got != c.want {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
	}
}

// Death closes the dossier, with its motive, in the same change (G12).
func TestDeath(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	closing := func(code string) string {
		return `"extension":[{"url":"` + extFermeture + `","extension":[{"url":"dateFermeture","valueDate":"2026-11-22"},` +
			`{"url":"motifFermeture","valueCodeableConcept":{"coding":[{"code":"` + code + `"}]}}]}],`
	}
	const dead, deadOn, alive = `"deceasedBoolean":true,`, `"deceasedDateTime":"2026-11-21",`, `"deceasedBoolean":false,`
	const both = "active,deceasedBoolean," + extFermeture
	cases := []struct {
		name, who     string
		before, after string // extra members
		active        bool   // after
		elements      string
		want, rules   string
	}{
		{"closing", "medecin-martin", "", dead + closing("DECES"), false, both, "oui", "G12"},
		{"closing, with the day", "medecin-durand", "", deadOn + closing("DECES"), false, "active,deceasedDateTime," + extFermeture, "oui", "G12"},
		{"closing, by administrative staff", "secretariat-nord", "", dead + closing("DECES"), false, both, "oui", "G12"},
		{"without authorisation", "medecin-leroy", "", dead + closing("DECES"), false, both, "403", "-"},
		{"by the patient", "patient-alix", "", dead + closing("DECES"), false, both, "403", "-"},
		{"by the health insurance", "assurance-maladie", "", dead + closing("DECES"), false, both, "403", "-"},
		{"not closing", "medecin-martin", "", dead, true, "deceasedBoolean", "422", "G12"},
		{"not closing, with the day", "medecin-martin", "", deadOn, true, "deceasedDateTime", "422", "G12"},
		{"not closing, not said to differ", "secretariat-nord", "", dead, true, "name", "422", "G12"},
		{"closing for another motive", "medecin-martin", "", dead + closing("patient-demande"), false, both, "422", "G12"},
		{"closing without motive", "medecin-martin", "", dead, false, "active,deceasedBoolean", "422", "G12"},
		{"the motive, and open", "medecin-martin", "", dead + closing("DECES"), true, "deceasedBoolean," + extFermeture, "422", "G12"},
		{"not dead", "secretariat-nord", "", alive, true, "deceasedBoolean", "oui", "G11"},
		{"not dead after all", "secretariat-nord", dead, alive, true, "deceasedBoolean", "oui", "G11"},
		{"not dead after all, by the patient", "patient-alix", dead, "", true, "telecom", "403", "-"},
		{"the day, later", "medecin-durand", dead, deadOn, true, "deceasedBoolean,deceasedDateTime", "oui", "G11"},
		{"closing by staff, nobody dead", "secretariat-nord", "", closing("DECES"), false, "active," + extFermeture, "403", "-"},
	}
	for _, c := range cases {
		before := facts(t, patientJSON("alix", true, c.before, "medecin-martin"), Origin{})
		after := facts(t, patientJSON("alix", c.active, c.after, "medecin-martin"), Origin{})
		d := e.view(cast(t, c.who), rec, noon).ChangePatient(before, after, strings.Split(c.elements, ","))
		if got := answer(ActDeath, d); got != c.want || !slices.Equal(d.Rules(), listed(c.rules)) {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
		if c.want == "422" && !strings.Contains(d.Text().FR, "DECES") {
			t.Errorf("%s: %s", c.name, d.Text().FR)
		}
	}
}

// Who has a change of a Patient to make may aim at it, and still not read it; of
// other resources only those whom they read.
func TestMayAim(t *testing.T) {
	e := sandboxEngine(t, nil)
	cases := []struct {
		who, dossier     string
		aims, readsWhole bool
	}{
		{"secretariat-nord", "alix", true, false},
		{"secretariat-nord", "claire", false, false}, // closed
		{"assurance-maladie", "alix", true, false},
		{"hopital-nord", "alix", false, false},
		{"infirmier-moreau", "basile", false, false},
		{"medecin-leroy", "alix", true, false}, // G07
		{"medecin-travail-colin", "alix", false, false},
		{"medecin-durand", "david", false, false},   // blocked
		{"infirmier-moreau", "claire", true, false}, // G03
		{"samu-garnier", "basile", false, false},
		{"patient-basile", "alix", false, false},
		{"operateur", "alix", false, false},
		{"personne", "alix", false, false},
		{"patient-alix", "alix", true, true},
		{"medecin-durand", "alix", true, true},
	}
	for _, c := range cases {
		d := castDossier(t, c.dossier)
		if c.dossier == "claire" {
			d.subjects[0].Facts.person.closedOn = "2026-06-30"
		}
		v := e.view(cast(t, c.who), d.record(), noon)
		if aims, reads := v.MayAim(0), v.Read(0).Allowed(); aims != c.aims || reads != c.readsWhole {
			t.Errorf("%s, Patient/%s: aims %v, reads %v", c.who, c.dossier, aims, reads)
		}
		for i := 1; i < v.rec.Len()+1; i++ {
			if v.MayAim(i) != v.Read(i).Allowed() {
				t.Errorf("%s: aims at %s", c.who, v.rec.Subject(i).Ref)
			}
		}
	}
	// What they then change is judged, and what is answered is a read.
	rec := castDossier(t, "alix").record()
	v := e.view(cast(t, "secretariat-nord"), rec, noon)
	before := rec.Subject(0).Facts
	for element, allowed := range map[string]bool{"name": true, "address": true, "generalPractitioner": false, extAlertes: false} {
		if d := v.ChangePatient(before, before, []string{element}); d.Allowed() != allowed {
			t.Errorf("%s by administrative staff: %v by %v", element, d.Allowed(), d.Rules())
		}
	}
	if r, d := v.Release(parse(t, patientJSON("alix", true, "", "medecin-martin")), Origin{}); r.Ok() || d.Allowed() {
		t.Error("administrative staff read the full Patient")
	}
}

// A médecin traitant who acts as an occupational physician is not told, nor given,
// what they have otherwise.
func TestOccupationalMedecinTraitant(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	k := cast(t, "medecin-martin")
	if got := e.view(k, rec, noon).Situation().Authorisation; got != Valide {
		t.Errorf("médecin traitant: %v", got)
	}
	k.occupational = true
	if got := e.view(k, rec, noon).Situation().Authorisation; got != NonExiste {
		t.Errorf("acting as occupational physician: %v", got)
	}
}

// Ten years after closing nothing comes back, nor where the day is unknown.
func TestReopenInTime(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "claire").record()
	before := rec.Subject(0).Facts
	after := before
	after.person.active = true
	for closed, want := range map[string]bool{"2025-06-30": true, "2016-11-23": true, "2016-11-22": false, "": false, "hier": false} {
		before.person.closedOn = closed
		if d := e.view(cast(t, "patient-claire"), rec, noon).ChangePatient(before, after, []string{"active"}); d.Allowed() != want {
			t.Errorf("closed %q: %v by %v", closed, d.Allowed(), d.Rules())
		}
	}
}

func TestOpen(t *testing.T) {
	e := sandboxEngine(t, nil)
	patient := func(change func(*patientFacts)) Facts {
		f := facts(t, patientJSON("farid", true, `"extension":[{"url":"`+extReliability+`","extension":[{"url":"identityStatus","valueCoding":{"code":"VALI"}}]}],`), Origin{})
		if change != nil {
			change(&f.person)
		}
		return f
	}
	consent := func(kind ConsentKind, actor, start, end string) Facts {
		return facts(t, consentJSON("farid", kind, actor, start, end), Origin{})
	}
	opening := consent(Ouverture, "", "", "")
	inactive := opening
	inactive.status = Inactive
	related := facts(t, `{"resourceType":"RelatedPerson","patient":{"reference":"Patient/farid"}}`, Origin{})
	secret := cast(t, "medecin-durand")
	secret.secret = true
	cases := []struct {
		name    string
		k       caller
		patient Facts
		others  []Facts
		want    string
	}{
		{"professional", cast(t, "medecin-durand"), patient(nil), []Facts{opening}, "oui"},
		{"establishment with its authorisation and an opposition", cast(t, "hopital-nord"), patient(nil),
			[]Facts{opening, consent(Autorisation, "hopital-nord", "2026-11-22", "2027-11-21"), consent(OppositionCentre15, "", "", "")}, "oui"},
		{"secretary", cast(t, "secretariat-nord"), patient(nil), []Facts{opening, consent(OppositionBrisDeGlace, "", "", "")}, "oui"},
		{"health insurance", cast(t, "assurance-maladie"), patient(nil), []Facts{opening}, "oui"},
		{"the patient", cast(t, "patient-farid"), patient(nil), []Facts{opening, consent(Blocage, "medecin-durand", "", "")}, "oui"},
		{"with a representative", cast(t, "medecin-durand"), patient(nil), []Facts{opening, related}, "oui"},
		{"another patient", cast(t, "patient-alix"), patient(nil), []Facts{opening}, "403"},
		{"regulator", cast(t, "samu-garnier"), patient(nil), []Facts{opening}, "403"},
		{"operator", cast(t, "operateur"), patient(nil), []Facts{opening}, "403"},
		{"nobody", caller{}, patient(nil), []Facts{opening}, "403"},
		{"no consent", cast(t, "medecin-durand"), patient(nil), nil, "422"},
		{"two openings", cast(t, "medecin-durand"), patient(nil), []Facts{opening, opening}, "422"},
		{"a consent not in force", cast(t, "medecin-durand"), patient(nil), []Facts{inactive}, "422"},
		{"not qualified", cast(t, "medecin-durand"), patient(func(p *patientFacts) { p.qualified = false }), []Facts{opening}, "422"},
		{"no INS", cast(t, "medecin-durand"), patient(func(p *patientFacts) { p.hasINS = false }), []Facts{opening}, "422"},
		{"not active", cast(t, "medecin-durand"), patient(func(p *patientFacts) { p.active = false }), []Facts{opening}, "422"},
		{"no patient", cast(t, "medecin-durand"), Facts{}, []Facts{opening}, "422"},
		{"secret", secret, patient(nil), []Facts{opening}, "422"},
		{"the authorisation of another", cast(t, "hopital-nord"), patient(nil), []Facts{opening, consent(Autorisation, "hopital-sud", "2026-11-22", "2027-11-21")}, "422"},
		{"an authorisation for two years", cast(t, "hopital-nord"), patient(nil), []Facts{opening, consent(Autorisation, "hopital-nord", "2026-11-22", "2028-11-21")}, "422"},
		{"a block by the staff", cast(t, "hopital-nord"), patient(nil), []Facts{opening, consent(Blocage, "medecin-durand", "", "")}, "422"},
		{"an emergency on the side", cast(t, "medecin-durand"), patient(nil),
			[]Facts{opening, consent(AccesUrgence, "medecin-durand", "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")}, "422"},
		{"a document on the side", cast(t, "medecin-durand"), patient(nil), []Facts{opening, alixDocuments[0].subject(t, "farid").Facts}, "422"},
	}
	for _, c := range cases {
		d := e.open(c.k, c.patient, c.others, noon)
		if got := answer(ActOpen, d); got != c.want {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
	}
	if d := (*Engine)(nil).open(cast(t, "medecin-durand"), patient(nil), []Facts{opening}, noon); d.Allowed() {
		t.Error("no engine, and a dossier")
	}
}

func TestEmergency(t *testing.T) {
	e := sandboxEngine(t, nil)
	circumstance := auth.Coding{System: SystemCircumstance, Code: "hors-etat-de-consentir"}
	long := strings.Repeat("é", 500)
	cases := []struct {
		name, dossier, who string
		circumstance       auth.Coding
		reason             string
		want               string
	}{
		{"in order", "alix", "urgentiste-roche", circumstance, "Patiente inconsciente.", "oui"},
		{"ten characters", "alix", "urgentiste-roche", circumstance, " éééééééééé ", "oui"},
		{"nine characters", "alix", "urgentiste-roche", circumstance, "   ééééééééé   ", "422"},
		{"500 characters", "alix", "urgentiste-roche", circumstance, long, "oui"},
		{"501 characters", "alix", "urgentiste-roche", circumstance, long + "é", "422"},
		{"nothing to read", "alix", "urgentiste-roche", circumstance, "..........", "422"},
		{"nine letters, and stops", "alix", "urgentiste-roche", circumstance, "urgence. m. p.", "422"},
		{"ten letters and digits", "alix", "urgentiste-roche", circumstance, "chute, 15 mètres", "oui"},
		{"ten letters and digits, of another script", "alix", "urgentiste-roche", circumstance, "αναίσθητος١", "oui"},
		{"two lines", "alix", "urgentiste-roche", circumstance, "Patiente inconsciente.\nAntécédents inconnus.", "oui"},
		{"a NUL", "alix", "urgentiste-roche", circumstance, "Patiente\x00 inconsciente.", "422"},
		{"an escape", "alix", "urgentiste-roche", circumstance, "Patiente\x1b[2J inconsciente.", "422"},
		{"a carriage return", "alix", "urgentiste-roche", circumstance, "Patiente\rinconsciente.", "422"},
		{"a tab", "alix", "urgentiste-roche", circumstance, "Patiente\tinconsciente.", "422"},
		{"a control at the end", "alix", "urgentiste-roche", circumstance, "Patiente inconsciente.\u0085", "422"},
		{"letters the other way round", "alix", "urgentiste-roche", circumstance, "Patiente \u202einconsciente.", "422"},
		{"nothing wide", "alix", "urgentiste-roche", circumstance, "Patiente\u200b inconsciente.", "422"},
		{"no reason", "alix", "urgentiste-roche", circumstance, "", "422"},
		{"not text", "alix", "urgentiste-roche", circumstance, "0123456789\xff", "422"},
		{"no circumstance", "alix", "urgentiste-roche", auth.Coding{}, "Patiente inconsciente.", "422"},
		{"another circumstance", "alix", "urgentiste-roche", auth.Coding{System: SystemCircumstance, Code: "curiosite"}, "Patiente inconsciente.", "422"},
		{"opposed", "basile", "urgentiste-roche", circumstance, "Patient inconscient.", "403"},
		{"opposed, no reason", "basile", "urgentiste-roche", circumstance, "", "422"},
		{"closed", "claire", "urgentiste-roche", circumstance, "Patiente inconsciente.", "403"},
		{"blocked", "david", "medecin-durand", circumstance, "Patient inconscient.", "403"},
		{"pharmacist", "alix", "pharmacien-dubois", circumstance, "Patiente inconsciente.", "403"},
		{"establishment", "alix", "hopital-nord", circumstance, "Patiente inconsciente.", "403"},
	}
	for _, c := range cases {
		d := e.view(cast(t, c.who), castDossier(t, c.dossier).record(), noon).Emergency(c.circumstance, c.reason)
		if got := answer(ActEmergency, d); got != c.want {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
	}
	none := e.view(cast(t, "urgentiste-roche"), nil, noon)
	if got := answer(ActEmergency, none.Emergency(circumstance, "Patiente inconsciente.")); got != "404" {
		t.Errorf("no dossier: %s", got)
	}
	// Opposed and unauthorised have one wording.
	opposed := e.view(cast(t, "urgentiste-roche"), castDossier(t, "basile").record(), noon).Emergency(circumstance, "Patient inconscient.")
	unauthorised := e.view(cast(t, "pharmacien-dubois"), castDossier(t, "alix").record(), noon).Emergency(circumstance, "Patient inconscient.")
	if opposed.Text() != unauthorised.Text() || opposed.Refusal() != unauthorised.Refusal() {
		t.Errorf("%v, %v", opposed.Text(), unauthorised.Text())
	}
}

func TestDestroy(t *testing.T) {
	e := sandboxEngine(t, nil)
	for _, c := range []struct {
		who, dossier string
		fresh        bool
		want         bool
	}{
		{"patient-alix", "alix", true, true},
		{"patient-alix", "alix", false, false},
		{"patient-claire", "claire", true, true},
		{"representative-lambert", "emma", true, true},
		{"medecin-martin", "alix", true, false},
		{"patient-basile", "alix", true, false},
	} {
		k := cast(t, c.who)
		if c.fresh {
			k.confirmed = noon.Add(-time.Minute)
		}
		if d := e.view(k, castDossier(t, c.dossier).record(), noon).Destroy(); d.Allowed() != c.want {
			t.Errorf("%s, fresh %v: %v by %v", c.who, c.fresh, d.Allowed(), d.Rules())
		}
	}
}
