package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/fhir"
)

// A replacement must carry the flags of what it replaces, whoever sends it;
// TakeOver says which, and who set a mask and when hiding began stay known.
func TestTakeOver(t *testing.T) {
	e := sandboxEngine(t, nil)
	replacement := func(author string, labels ...string) Facts {
		return facts(t, docSpec{id: "new", typ: "11488-4", author: author, labels: labels}.json("alix"), Origin{Deposited: noon})
	}
	cases := []struct {
		name, who string
		old       docSpec
		labels    []string
		want      Flags
	}{
		{"a mask of the patient stays", "medecin-leroy", alixDocuments[5], nil, Flags{Masque: true}},
		{"one that is there already need not be added", "medecin-leroy", alixDocuments[5], []string{"MASQUE_PS"}, Flags{}},
		{"a mask of the author's own stays", "medecin-petit", docSpec{id: "x", typ: "11488-4", author: "medecin-petit", labels: []string{"MASQUE_PS"}}, nil, Flags{Masque: true}},
		{"one that a médecin traitant might lift stays", "medecin-martin", docSpec{id: "x", typ: "11488-4", author: "medecin-martin", labels: []string{"MASQUE_PS"}}, nil, Flags{Masque: true}},
		{"hiding stays", "medecin-durand", alixDocuments[6], nil, Flags{InvisiblePatient: true}},
		{"hiding that is over does not", "medecin-durand", docSpec{id: "x", typ: "11488-4", author: "medecin-durand", labels: []string{"INVISIBLE_PATIENT"}, days: 40}, nil, Flags{}},
		{"nothing to take over", "medecin-martin", alixDocuments[0], nil, Flags{}},
	}
	for _, c := range cases {
		v := e.view(cast(t, c.who), castDossier(t, "alix").record(), noon)
		old, new := c.old.subject(t, "alix").Facts, replacement(c.who, c.labels...)
		if got := v.TakeOver(old, new); got != c.want {
			t.Errorf("%s: %+v", c.name, got)
		}
		if d := v.Replace(old, new); d.Allowed() != (c.want == Flags{}) {
			t.Errorf("%s: replaced %v by %v", c.name, d.Allowed(), d.Rules())
		}
		new.flags = new.flags.with(c.want)
		if d := v.Replace(old, new); !d.Allowed() {
			t.Errorf("%s: with the flags taken over: %v", c.name, d.Rules())
		}
	}
	var none *View
	if got := none.TakeOver(alixDocuments[5].subject(t, "alix").Facts, Facts{}); !got.Masque {
		t.Error("the zero View lifts a mask")
	}
}

func TestOrigins(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	plain, masked, hidden := Facts{typ: typeDocument}, Facts{typ: typeDocument, flags: Flags{Masque: true}}, Facts{typ: typeDocument, flags: Flags{InvisiblePatient: true}}
	patient, author := e.view(cast(t, "patient-alix"), rec, noon), e.view(cast(t, "medecin-durand"), rec, noon)
	cases := []struct {
		name          string
		got           Origin
		maskedPatient bool
	}{
		{"masked by the patient", patient.NextOrigin(Origin{}, plain, masked), true},
		{"masked by another", author.NextOrigin(Origin{}, plain, masked), false},
		{"added masked by the patient", patient.NextOrigin(Origin{}, Facts{}, masked), true},
		{"another change", author.NextOrigin(Origin{MaskedByPatient: true}, masked, masked), true},
		{"confirmed by the patient", patient.NextOrigin(Origin{}, masked, masked), true},
		{"another change, by another", author.NextOrigin(Origin{}, masked, masked), false},
		{"masked anew by another", author.NextOrigin(Origin{MaskedByPatient: true}, plain, masked), false},
		{"unmasked by the patient", patient.NextOrigin(Origin{MaskedByPatient: true}, masked, plain), false},
		{"replaced by the patient, the mask kept", patient.ReplacementOrigin(Origin{}, masked, masked), false},
		{"unmasked", author.NextOrigin(Origin{MaskedByPatient: true}, masked, plain), false},
		{"replaced, the mask kept", author.ReplacementOrigin(Origin{}, Facts{typ: typeDocument, flags: Flags{Masque: true}, origin: Origin{MaskedByPatient: true}}, masked), true},
		{"replaced, the mask lifted", author.ReplacementOrigin(Origin{}, Facts{typ: typeDocument, flags: Flags{Masque: true}, origin: Origin{MaskedByPatient: true}}, plain), false},
		{"by nobody", (*View)(nil).NextOrigin(Origin{}, plain, masked), false},
	}
	for _, c := range cases {
		if c.got.MaskedByPatient != c.maskedPatient {
			t.Errorf("%s: %v", c.name, c.got.MaskedByPatient)
		}
	}
	// Replacing what is hidden does not start its month anew.
	first := noon.AddDate(0, 0, -10)
	old := hidden
	old.origin.Deposited = first
	o := author.ReplacementOrigin(Origin{Deposited: noon}, old, hidden)
	if !o.HiddenSince.Equal(first) || !o.Deposited.Equal(noon) {
		t.Errorf("%+v", o)
	}
	again := hidden
	again.origin = o
	if o := author.ReplacementOrigin(Origin{Deposited: noon}, again, hidden); !o.HiddenSince.Equal(first) {
		t.Errorf("a second time: %+v", o)
	}
	if o := author.ReplacementOrigin(Origin{Deposited: noon}, plain, hidden); !o.HiddenSince.IsZero() {
		t.Errorf("what was not hidden: %+v", o)
	}
	late := e.view(cast(t, "medecin-durand"), rec, first.AddDate(0, 2, 0))
	if f := late.Flags(again); f.InvisiblePatient {
		t.Error("still hidden after its month")
	}
	if f := author.Flags(hidden); !f.InvisiblePatient {
		t.Error("hidden since nobody knows when, and visible")
	}
}

// Nothing but status, labels and archiving may change, whatever the door asks.
func TestChangeKeepsTheRest(t *testing.T) {
	v := sandboxEngine(t, nil).view(cast(t, "medecin-martin"), castDossier(t, "alix").record(), noon)
	before := alixDocuments[0].subject(t, "alix").Facts
	after := before
	after.docType.Code = "68599-0"
	after.flags.Masque = true
	if d := v.Change(before, after); d.Allowed() || d.Refusal() != NotMethod {
		t.Errorf("another type: %v %v", d.Allowed(), d.Rules())
	}
	list := Facts{typ: typeList, status: Current}
	if d := v.Change(before, list); d.Allowed() {
		t.Error("a document became a list")
	}
	if d := v.Change(Facts{}, Facts{}); d.Allowed() {
		t.Error("nothing was changed, and allowed")
	}
}

// A document is added to the dossier of its patient, not to this one.
func TestAddOwns(t *testing.T) {
	v := sandboxEngine(t, nil).view(cast(t, "medecin-leroy"), castDossier(t, "alix").record(), noon)
	author := `"author":[` + authorJSON("medecin-leroy") + `]`
	ins := func(value string) string {
		return `"identifier":{"system":"` + fhir.SystemINSTest + `","value":"` + value + `"}`
	}
	cases := []struct {
		subject string
		allowed bool
	}{
		{`"subject":{"reference":"Patient/alix"}`, true},
		{`"subject":{` + ins("285047511200116") + `}`, true},
		{`"subject":{"reference":"Patient/alix",` + ins("285047511200116") + `}`, true},
		{`"subject":{"reference":"Patient/basile"}`, false},
		{`"subject":{` + ins("162116938804233") + `}`, false},
		{`"subject":{"reference":"Patient/alix",` + ins("162116938804233") + `}`, false},
		{`"subject":{"reference":"Patient/alix","identifier":{"system":"urn:ipp","value":"7"}}`, true},
		{`"subject":{"identifier":{"system":"urn:ipp","value":"7"}}`, false},
	}
	for _, c := range cases {
		d := v.Add(facts(t, document(author, c.subject), Origin{}))
		if d.Allowed() != c.allowed || !c.allowed && d.Refusal() != Unprocessable {
			t.Errorf("%s: %v by %v", c.subject, d.Allowed(), d.Rules())
		}
	}
}

// Who adds a document makes nobody else its author, in whatever form they are
// named (E03).
func TestAddNamesNobodyElse(t *testing.T) {
	person := func(system, value string) string {
		return `{"type":"Practitioner","identifier":{"system":"` + system + `","value":"` + value + `"}}`
	}
	structure := func(system, value string) string {
		return `{"type":"Organization","identifier":{"system":"` + system + `","value":"` + value + `"}}`
	}
	durand, petit, nord, sud := authorJSON("medecin-durand"), authorJSON("medecin-petit"), authorJSON("hopital-nord"), authorJSON("hopital-sud")
	role := func(practitioner, organization string) string {
		return `"author":[{"reference":"#a"}],"contained":[{"resourceType":"PractitionerRole","id":"a","practitioner":` + practitioner + `,"organization":` + organization + `}]`
	}
	two := `"author":[{"reference":"#a"}],"contained":[{"resourceType":"Practitioner","id":"a","identifier":[` +
		`{"system":"` + oidPerson + `","value":"8899900000011"},{"system":"` + fhir.SystemRPPS + `","value":"99900000013"}]}]`
	authors := func(who ...string) string { return `"author":[` + strings.Join(who, ",") + `]` }
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	cases := []struct {
		name, who, members string
		allowed            bool
	}{
		{"oneself", "medecin-durand", authors(durand), true},
		{"oneself twice", "medecin-durand", authors(durand, person(fhir.SystemRPPS, "99900000011")), true},
		{"oneself in one's structure", "medecin-durand", role(durand, nord), true},
		{"oneself and one's structure", "medecin-durand", authors(durand, nord), true},
		{"and another", "medecin-durand", authors(durand, petit), false},
		{"and another by RPPS", "medecin-durand", authors(durand, person(fhir.SystemRPPS, "99900000013")), false},
		{"and another by ADELI", "medecin-durand", authors(durand, person(fhir.SystemADELI, "759999999")), false},
		{"and somebody without a national number", "medecin-durand", authors(durand, person("urn:x", "7")), true},
		{"in another structure", "medecin-durand", role(durand, sud), false},
		{"and another structure", "medecin-durand", authors(durand, sud), false},
		{"and another structure by FINESS", "medecin-durand", authors(durand, structure("https://finess.esante.gouv.fr", "750000002")), false},
		{"and one's structure by FINESS", "medecin-durand", authors(durand, structure("https://finess.esante.gouv.fr", "750000001")), true},
		{"and another structure by SIRET", "medecin-durand", authors(durand, structure("https://sirene.fr", "12345678901234")), false},
		{"two in one", "medecin-durand", two, false},
		{"custodian", "medecin-durand", authors(durand) + `,"custodian":` + nord, true},
		{"another custodian", "medecin-durand", authors(durand) + `,"custodian":` + sud, false},
		{"another custodian, contained", "medecin-durand", authors(durand) + `,"custodian":{"reference":"#o"},"contained":[{"resourceType":"Organization","id":"o",` +
			`"identifier":[{"system":"` + oidStructure + `","value":"1750000002"}]}]`, false},
		{"establishment", "hopital-nord", authors(nord), true},
		{"establishment and its person", "hopital-nord", role(durand, nord), true},
		{"establishment and another", "hopital-nord", authors(nord, sud), false},
		{"establishment with another custodian", "hopital-nord", authors(nord) + `,"custodian":` + sud, false},
		{"staff, for their establishment", "secretariat-nord", role(durand, nord), true},
		{"staff, and another establishment", "secretariat-nord", authors(nord, sud), false},
	}
	for _, c := range cases {
		v := e.view(cast(t, c.who), rec, noon)
		d := v.Add(facts(t, document(c.members), Origin{}))
		if d.Allowed() != c.allowed || !c.allowed && (d.Refusal() != Forbidden || !slices.Equal(d.Rules(), []string{"E03"})) {
			t.Errorf("%s: %v by %v", c.name, d.Allowed(), d.Rules())
		}
	}
	for source, allowed := range map[string]bool{
		durand: true, petit: false,
		durand[:len(durand)-1] + `,"extension":[{"url":"` + extAuthorOrg + `","valueReference":` + nord + `}]}`: true,
		durand[:len(durand)-1] + `,"extension":[{"url":"` + extAuthorOrg + `","valueReference":` + sud + `}]}`:  false,
	} {
		list := facts(t, `{"resourceType":"List","status":"current","subject":{"reference":"Patient/alix"},"source":`+source+`}`, Origin{})
		if d := e.view(cast(t, "medecin-durand"), rec, noon).Add(list); d.Allowed() != allowed {
			t.Errorf("List.source %s: %v by %v", source, d.Allowed(), d.Rules())
		}
	}
}

func TestAddOthers(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	list := facts(t, `{"resourceType":"List","status":"current","subject":{"reference":"Patient/alix"}}`, Origin{})
	related := facts(t, `{"resourceType":"RelatedPerson","patient":{"reference":"Patient/alix"},"identifier":[{"value":"x"}]}`, Origin{})
	provenance := facts(t, `{"resourceType":"Provenance","target":[{"reference":"DocumentReference/alix-biologie"}]}`, Origin{})
	consent := facts(t, consentJSON("alix", Ouverture, "", "", ""), Origin{})
	patient := facts(t, patientJSON("alix", true, ""), Origin{})
	fresh := cast(t, "patient-alix")
	fresh.confirmed = noon.Add(-time.Minute)
	stale := fresh
	stale.confirmed = noon.Add(-time.Hour)
	future := fresh
	future.confirmed = noon.Add(time.Minute)
	cases := []struct {
		name string
		k    caller
		f    Facts
		want bool
	}{
		{"list", cast(t, "medecin-leroy"), list, true},
		{"provenance", cast(t, "hopital-nord"), provenance, true},
		{"representative, fresh", fresh, related, true},
		{"representative, stale", stale, related, false},
		{"representative, in the future", future, related, false},
		{"representative, by staff", cast(t, "secretariat-nord"), related, false},
		{"consent", cast(t, "patient-alix"), consent, false},
		{"patient", cast(t, "secretariat-nord"), patient, false},
		{"nothing", cast(t, "medecin-leroy"), Facts{}, false},
	}
	for _, c := range cases {
		if d := e.view(c.k, rec, noon).Add(c.f); d.Allowed() != c.want {
			t.Errorf("%s: %v by %v", c.name, d.Allowed(), d.Rules())
		}
	}
	other := related
	other.patient = "Patient/basile"
	if d := e.view(fresh, rec, noon).Add(other); d.Allowed() {
		t.Error("a representative of another patient was recorded")
	}
	if d := e.view(cast(t, "secretariat-nord"), rec, noon).Add(other); d.Allowed() {
		t.Error("a dossier was opened on the side")
	}
}

func TestDeleteOthers(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	v := e.view(cast(t, "patient-alix"), rec, noon)
	for i := range rec.Len() {
		if s := rec.Subject(i); s.Facts.typ == typeConsent || s.Facts.typ == typePatient {
			if d := v.Delete(s.Facts); d.Allowed() {
				t.Errorf("%s was deleted by %v", s.Ref, d.Rules())
			}
		}
	}
	i, _ := rec.Index("List/alix-dossier-soins")
	if d := e.view(cast(t, "medecin-durand"), rec, noon).Delete(rec.Subject(i).Facts); !d.Allowed() {
		t.Errorf("its author may not delete a list: %v", d.Rules())
	}
}

func TestPatchElements(t *testing.T) {
	cases := []struct {
		typ      string
		elements []string
		allowed  bool
	}{
		{"DocumentReference", []string{"status", "securityLabel", extArchived}, true},
		{"DocumentReference", []string{"status", "description"}, false},
		{"DocumentReference", []string{"extension"}, false},
		{"List", []string{extArchived}, true},
		{"List", []string{"status"}, false},
		{"Patient", []string{"telecom"}, true},
		{"Consent", []string{"status"}, true},
		{"Provenance", []string{"target"}, false},
		{"Binary", nil, false},
		{"", nil, false},
	}
	for _, c := range cases {
		d := PatchElements(c.typ, c.elements)
		if d.Allowed() != c.allowed || !c.allowed && (d.Refusal() != NotMethod || !slices.Equal(d.Rules(), []string{"E13"})) {
			t.Errorf("%s %v: %v %v", c.typ, c.elements, d.Allowed(), d.Rules())
		}
	}
}

func TestWarnings(t *testing.T) {
	e := sandboxEngine(t, nil)
	class := func(code string) string {
		return `"category":[{"coding":[{"system":"` + fhir.SystemDocumentClass + `","code":"` + code + `"}]}]`
	}
	if w := e.Warnings(facts(t, document(class("11")), Origin{})); len(w) != 1 || w[0].Severity != fhir.Warning {
		t.Errorf("class 11 for a type of class 10: %v", w)
	}
	for _, json := range []string{document(class("10")), document(), document(class("10"), `"type":{"coding":[{"system":"urn:x","code":"1"}]}`)} {
		if w := e.Warnings(facts(t, json, Origin{})); w != nil {
			t.Errorf("%s: %v", json, w)
		}
	}
}

func TestHiding(t *testing.T) {
	e := sandboxEngine(t, nil)
	hidden := alixDocuments[6].subject(t, "alix").Facts
	notice, end, ok := e.Hiding(hidden)
	if !ok || !notice.Equal(noon.AddDate(0, 0, 13)) || !end.Equal(time.Date(2026, 12, 21, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("%v %v %v", notice, end, ok)
	}
	unknown := hidden
	unknown.origin = Origin{}
	for _, f := range []Facts{unknown, alixDocuments[0].subject(t, "alix").Facts, {}} {
		if _, _, ok := e.Hiding(f); ok {
			t.Errorf("%+v", f)
		}
	}
}
