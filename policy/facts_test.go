package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// document returns a DocumentReference with further or other members.
func document(members ...string) string {
	all := append([]string{
		`"resourceType":"DocumentReference"`, `"id":"d"`, `"status":"current"`,
		`"type":{"coding":[{"system":"http://loinc.org","code":"11488-4"}]}`,
		`"subject":{"reference":"Patient/alix"}`,
	}, members...)
	var kept []string
	for i, m := range all {
		name, _, _ := strings.Cut(m, ":")
		replaced := slices.ContainsFunc(all[i+1:], func(later string) bool { return strings.HasPrefix(later, name+":") })
		if !replaced && !strings.HasSuffix(m, ":") {
			kept = append(kept, m)
		}
	}
	return "{" + strings.Join(kept, ",") + "}"
}

func label(system, code string) string {
	return fmt.Sprintf(`"securityLabel":[{"coding":[{"system":%q,"code":%q}]}]`, system, code)
}

// What the policy cannot read is refused, with the code and the element.
func TestFactsRefuse(t *testing.T) {
	consent := func(kind ConsentKind, actor, start, end string) string {
		return consentJSON("alix", kind, actor, start, end)
	}
	swap := func(s, old, new string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("%q is not in %s", old, s)
		}
		return strings.Replace(s, old, new, 1)
	}
	authorisation := consent(Autorisation, "medecin-leroy", "2026-11-22", "2026-11-22")
	cases := []struct{ name, json, code, element string }{
		{"another type", `{"resourceType":"Observation","status":"final"}`, "not-supported", "resourceType"},
		{"no status", document(`"status":`), "value", "DocumentReference.status"},
		{"status unknown", document(`"status":"draft"`), "value", "DocumentReference.status"},
		{"no subject", document(`"subject":`), "required", "DocumentReference.subject"},
		{"subject by name only", document(`"subject":{"display":"Alix"}`), "required", "DocumentReference.subject"},
		{"label unknown", document(label(fhir.SystemVisibility, "MASQUE_PT")), "value", "DocumentReference.securityLabel"},
		{"label of another system", document(label("http://terminology.hl7.org/CodeSystem/v3-ActCode", "PSY")), "value", "DocumentReference.securityLabel"},
		{"label without system", document(`"securityLabel":[{"coding":[{"code":"MASQUE_PS"}]}]`), "value", "DocumentReference.securityLabel"},
		{"label without code", document(`"securityLabel":[{"text":"masqué"}]`), "value", "DocumentReference.securityLabel"},
		{"two levels", document(`"securityLabel":[{"coding":[{"system":"` + fhir.SystemConfidentiality + `","code":"N"}]},{"coding":[{"system":"` +
			fhir.SystemConfidentiality + `","code":"R"}]}]`), "business-rule", "DocumentReference.securityLabel"},
		{"two types", document(`"type":{"coding":[{"system":"http://loinc.org","code":"11488-4"},{"system":"http://loinc.org","code":"68599-0"}]}`),
			"business-rule", "DocumentReference.type"},
		{"two classes", document(`"category":[{"coding":[{"system":"` + fhir.SystemDocumentClass + `","code":"10"}]},{"coding":[{"system":"` +
			fhir.SystemDocumentClass + `","code":"11"}]}]`), "business-rule", "DocumentReference.category"},
		{"another patient", document(`"context":{"sourcePatientInfo":{"reference":"Patient/basile"}}`), "business-rule", "DocumentReference.context.sourcePatientInfo"},
		{"another INS", document(`"subject":{"identifier":{"system":"`+fhir.SystemINSTest+`","value":"285047511200116"}}`,
			`"contained":[{"resourceType":"Patient","id":"p","identifier":[{"system":"`+fhir.SystemINSTest+`","value":"162116938804233"}]}]`,
			`"context":{"sourcePatientInfo":{"reference":"#p"}}`), "business-rule", "DocumentReference.context.sourcePatientInfo"},
		{"modifier extension", document(`"modifierExtension":[{"url":"urn:x","valueBoolean":true}]`), "not-supported", "DocumentReference.modifierExtension"},
		{"list status", `{"resourceType":"List","status":"draft","subject":{"reference":"Patient/alix"}}`, "value", "List.status"},

		{"no kind", swap(authorisation, `"code":"autorisation"`, `"code":"autre"`), "business-rule", "Consent.category"},
		{"two kinds", swap(authorisation, `"code":"autorisation"}`, `"code":"autorisation"},{"system":"`+SystemConsentKind+`","code":"blocage"}`), "business-rule", "Consent.category"},
		{"the same kind twice", swap(authorisation, `"code":"autorisation"}`, `"code":"autorisation"},{"system":"`+SystemConsentKind+`","code":"autorisation"}`), "business-rule", "Consent.category"},
		{"scope", swap(authorisation, "patient-privacy", "research"), "value", "Consent.scope"},
		{"denied authorisation", swap(authorisation, `"type":"permit"`, `"type":"deny"`), "business-rule", "Consent.provision.type"},
		{"purpose missing", swap(authorisation, `"purpose":[{"system":"`+systemActReason+`","code":"TREAT"}]`, `"id":"x"`), "business-rule", "Consent.provision.purpose"},
		{"another purpose", swap(authorisation, `"code":"TREAT"`, `"code":"BTG"`), "business-rule", "Consent.provision.purpose"},
		{"no end", consent(Autorisation, "medecin-leroy", "2026-11-22", ""), "business-rule", "Consent.provision.period"},
		{"end before start", consent(Autorisation, "medecin-leroy", "2026-11-22", "2026-11-21"), "business-rule", "Consent.provision.period"},
		{"end unreadable", consent(Autorisation, "medecin-leroy", "2026-11-22", "2026-13-40"), "value", "Consent.provision.period.end"},
		{"no actor", consent(Autorisation, "", "2026-11-22", "2026-11-22"), "business-rule", "Consent.provision.actor"},
		{"two actors", swap(authorisation, `"actor":[`, `"actor":[{"role":{"coding":[{"system":"`+systemParticipant+`","code":"IRCP"}]},"reference":`+authorJSON("medecin-petit")+`},`),
			"business-rule", "Consent.provision.actor"},
		{"role", swap(authorisation, `"code":"IRCP"`, `"code":"PRCP"`), "business-rule", "Consent.provision.actor.role"},
		{"actor without identifier", swap(authorisation, authorJSON("medecin-leroy"), `{"reference":"Practitioner/12"}`), "business-rule", "Consent.provision.actor.reference"},
		{"type and identifier disagree", swap(authorisation, `"type":"Practitioner"`, `"type":"Organization"`), "business-rule", "Consent.provision.actor.reference"},
		{"the patient as actor", swap(authorisation, authorJSON("medecin-leroy"), `{"type":"Patient","identifier":{"system":"`+fhir.SystemINSTest+`","value":"1"}}`),
			"business-rule", "Consent.provision.actor.reference"},
		{"block with a period", consent(Blocage, "medecin-leroy", "2026-11-22", ""), "business-rule", "Consent.provision.period"},
		{"opposition with an actor", consent(OppositionBrisDeGlace, "medecin-leroy", "", ""), "business-rule", "Consent.provision.actor"},
		{"grant of a structure", consent(AccesUrgence, "hopital-nord", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"), "business-rule", "Consent.provision.actor"},
		{"grant without start", consent(AccesUrgence, "medecin-leroy", "", "2026-11-22T11:00:00Z"), "business-rule", "Consent.provision.period"},
		{"narrowed", swap(authorisation, `"provision":{`, `"provision":{"class":[{"code":"x"}],`), "not-supported", "Consent.provision.class"},
		{"nested", swap(authorisation, `"provision":{`, `"provision":{"provision":[{"type":"deny"}],`), "not-supported", "Consent.provision.provision"},
		{"verified", swap(authorisation, `"provision":{`, `"verification":[{"verified":false}],"provision":{`), "not-supported", "Consent.verification"},
		{"no provision", swap(authorisation, `"provision":`, `"_provision":`), "business-rule", "Consent.provision.type"},

		{"two INS", `{"resourceType":"Patient","id":"alix","identifier":[{"system":"` + fhir.SystemINSTest + `","value":"285047511200116"},{"system":"` +
			fhir.SystemINSTest + `","value":"162116938804233"}]}`, "business-rule", "Patient.identifier"},
		{"representation backwards", `{"resourceType":"RelatedPerson","patient":{"reference":"Patient/alix"},"period":{"start":"2026-02-01","end":"2026-01-01"}}`,
			"business-rule", "RelatedPerson.period"},
	}
	for _, c := range cases {
		f, err := FactsOf(parse(t, c.json), Origin{})
		var invalid *fhir.Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if i := invalid.Issues[0]; i.Code != c.code || i.Expression != c.element || i.Severity != fhir.Error || i.Text.FR == "" || i.Text.EN == "" {
			t.Errorf("%s: %+v", c.name, i)
		}
		if f.typ != noType {
			t.Errorf("%s: facts in spite of the error", c.name)
		}
	}
}

// Aliases, places and forms: the same fact however it is written.
func TestFactsOfDocuments(t *testing.T) {
	rpps := fhir.Ident{System: fhir.SystemRPPS, Value: "99900000012"}
	structure := fhir.Ident{System: fhir.SystemStructure, Value: "1750000001"}
	author := func(more string) string { return document(`"author":[{"reference":"#a"}]`, `"contained":[`+more+`]`) }
	cases := []struct {
		name string
		json string
		ok   func(Facts) bool
	}{
		{"no label is N", document(), func(f Facts) bool { return f.flags == Flags{} }},
		{"mask under the misspelt system", document(label("https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument", "MASQUE_PS")),
			func(f Facts) bool { return f.flags.Masque }},
		{"the short code of HL7v2", document(label(fhir.SystemVisibility, "INVISIBLE_REP_LEGAUX")),
			func(f Facts) bool { return f.flags.InvisibleRepresentants }},
		{"labels are a set", document(`"securityLabel":[{"coding":[{"system":"` + fhir.SystemVisibility + `","code":"MASQUE_PS"},{"system":"` +
			fhir.SystemVisibility + `","code":"INVISIBLE_PATIENT"}]}]`), func(f Facts) bool { return f.flags == Flags{true, true, false} }},
		{"LOINC by its OID", document(`"type":{"coding":[{"system":"urn:oid:2.16.840.1.113883.6.1","code":"68599-0"}]}`),
			func(f Facts) bool { return f.docType == auth.Coding{System: fhir.SystemLOINC, Code: "68599-0"} }},
		{"the DMP's code among others", document(`"type":{"coding":[{"system":"http://snomed.info/sct","code":"1"},{"system":"http://loinc.org","code":"68599-0"}]}`),
			func(f Facts) bool { return f.docType.Code == "68599-0" }},
		{"a type in words is unknown, not absent", document(`"type":{"text":"lettre"}`, `"category":[{"coding":[{"system":"`+fhir.SystemDocumentClass+`","code":"10"}]}]`),
			func(f Facts) bool { return groupOf(f.docType, f.class) == UnknownType }},
		{"author by identifier", document(`"author":[` + authorJSON("medecin-leroy") + `]`), func(f Facts) bool { return slices.Equal(f.persons, []fhir.Ident{rpps}) }},
		{"author without a type", document(`"author":[{"identifier":{"system":"` + oidPerson + `","value":"8899900000012"}}]`),
			func(f Facts) bool { return slices.Equal(f.persons, []fhir.Ident{rpps}) }},
		{"author contained", author(`{"resourceType":"Practitioner","id":"a","identifier":[{"system":"https://rpps.esante.gouv.fr","value":"99900000012"}]}`),
			func(f Facts) bool { return slices.Equal(f.persons, []fhir.Ident{rpps}) }},
		{"role contained", author(`{"resourceType":"PractitionerRole","id":"a","practitioner":` + authorJSON("medecin-leroy") + `,"organization":{"reference":"#o"}},` +
			`{"resourceType":"Organization","id":"o","identifier":[{"system":"` + oidStructure + `","value":"1750000001"}]}`),
			func(f Facts) bool {
				return slices.Equal(f.persons, []fhir.Ident{rpps}) && slices.Equal(f.structures, []fhir.Ident{structure})
			}},
		{"references in a circle", author(`{"resourceType":"PractitionerRole","id":"a","practitioner":{"reference":"#a"}}`), func(f Facts) bool { return f.persons == nil }},
		{"an author elsewhere names nobody", document(`"author":[{"reference":"Practitioner/12"}]`), func(f Facts) bool { return f.persons == nil }},
		{"the patient as author", document(`"author":[{"reference":"Patient/alix"}]`), func(f Facts) bool { return f.byPatient }},
		{"the health insurance as author", author(`{"resourceType":"Device","id":"a","type":{"coding":[{"system":"urn:oid:1.2.250.1.213.1.1.4.6","code":"ALIM_AM"}]}}`),
			func(f Facts) bool { return f.byFeeder }},
		{"custodian", document(`"custodian":` + authorJSON("hopital-nord")), func(f Facts) bool { return slices.Equal(f.structures, []fhir.Ident{structure}) }},
		{"custodian contained", document(`"custodian":{"reference":"#o"}`, `"contained":[{"resourceType":"Organization","id":"o","identifier":[{"system":"`+oidStructure+`","value":"1750000001"}]}]`),
			func(f Facts) bool { return slices.Equal(f.structures, []fhir.Ident{structure}) }},
		{"archived", document(`"extension":[{"url":"` + extArchived + `","valueBoolean":true}]`), Facts.Archived},
		{"archived no more", document(`"extension":[{"url":"` + extArchived + `","valueBoolean":false}]`), func(f Facts) bool { return !f.Archived() }},
		{"entered in error", document(`"status":"entered-in-error"`), Facts.Deleted},
		{"subject as a search", document(`"subject":{"reference":"Patient?identifier=` + fhir.SystemINSTest + `|285047511200116"}`),
			func(f Facts) bool {
				return f.PatientIdent() == fhir.Ident{System: fhir.SystemINSTest, Value: "285047511200116"} && f.Patient() == ""
			}},
		{"references", document(`"relatesTo":[{"code":"replaces","target":{"reference":"https://dmp.example/fhir/DocumentReference/x/_history/3"}},{"code":"appends","target":{"reference":"DocumentReference/y"}}]`),
			func(f Facts) bool {
				return slices.Equal(f.Refs(), []string{"DocumentReference/x", "DocumentReference/y"}) && slices.Equal(f.Replaces(), []string{"DocumentReference/x"})
			}},
		{"contents", document(`"content":[{"attachment":{"url":"Binary/1"}},{"attachment":{"url":"Bundle/2"}}]`),
			func(f Facts) bool { return slices.Equal(f.Contents(), []string{"Binary/1", "Bundle/2"}) }},
	}
	for _, c := range cases {
		f, err := FactsOf(parse(t, c.json), Origin{})
		if err != nil || !c.ok(f) {
			t.Errorf("%s: %+v, %v", c.name, f, err)
		}
	}
}

func TestFactsOfConsents(t *testing.T) {
	f := facts(t, consentJSON("alix", Autorisation, "medecin-leroy", "2026-11-22", "2026-11-22"), Origin{})
	start, end := f.Period()
	if f.ConsentKind() != Autorisation || f.ConsentActor() != ident(oidPerson, "8899900000012") || !f.ConsentActive() ||
		!start.Equal(time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC)) || !end.Equal(time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("%v %v %v, %v to %v", f.ConsentKind(), f.ConsentActor(), f.ConsentActive(), start, end)
	}
	for k := Ouverture; k <= AccesUrgence; k++ {
		if consentKindOf(k.String()) != k {
			t.Errorf("%s is not read as itself", k)
		}
	}
	if consentKindOf("") != NoKind || NoKind.String() != "" || ConsentKind(99).String() != "" {
		t.Error("no kind has a name")
	}
	team := facts(t, strings.Replace(consentJSON("alix", Autorisation, "medecin-leroy", "2026-11-22", "2027-11-21"),
		authorJSON("medecin-leroy"), `{"reference":"CareTeam/equipe"}`, 1), Origin{})
	if team.ConsentActor() != (fhir.Ident{Value: "CareTeam/equipe"}) || team.consent.actorKind != aboutTeam {
		t.Errorf("team: %+v", team.consent)
	}
}

func TestFactsOfPatients(t *testing.T) {
	json := `{"resourceType":"Patient","id":"alix","active":false,"birthDate":"1985-04-12","deceasedDateTime":"2026-01-04",` +
		`"extension":[{"url":"` + extReliability + `","extension":[{"url":"identityStatus","valueCoding":{"system":"urn:any","code":"QUAL"}}]},` +
		`{"url":"` + extFermeture + `","extension":[{"url":"dateFermeture","valueDate":"2026-01-05"},{"url":"motifFermeture","valueCodeableConcept":{"coding":[{"code":"DECES"}]}}]}],` +
		`"identifier":[{"use":"old","system":"` + fhir.SystemINSNIA + `","value":"1"},{"system":"urn:ipp","value":"7"},{"use":"official","system":"` + fhir.SystemINSNIR + `","value":"2"}],` +
		`"generalPractitioner":[` + authorJSON("medecin-martin") + `,{"reference":"#g"}],` +
		`"contained":[{"resourceType":"Practitioner","id":"g","identifier":[{"system":"` + oidPerson + `","value":"8899900000012"}]}]}`
	f := facts(t, json, Origin{})
	want := patientFacts{
		ins:    []fhir.Ident{{System: fhir.SystemINSNIR, Value: "2"}, {System: fhir.SystemINSNIA, Value: "1"}},
		hasINS: true, qualified: true, birth: "1985-04-12", closedOn: "2026-01-05", motive: true, ofDeath: true, deceased: true,
		gps: []fhir.Ident{ident(oidPerson, "8899900000010"), ident(oidPerson, "8899900000012")},
	}
	if got := f.person; !slices.Equal(got.ins, want.ins) || !slices.Equal(got.gps, want.gps) || got.birth != want.birth ||
		got.closedOn != want.closedOn || !got.hasINS || !got.qualified || !got.motive || !got.ofDeath || !got.deceased || got.active {
		t.Errorf("%+v", got)
	}
	if born, ok := f.BirthDate(); !ok || born.Format(time.DateOnly) != "1985-04-11" { // midnight in Paris
		t.Errorf("born %v %v", born, ok)
	}
}

// The published examples that a client may send give facts.
func TestFactsOfFixtures(t *testing.T) {
	for _, pattern := range []string{"opendmp/Consent-*.json", "opendmp/Bundle-ouverture.json", "pdsm4dmp/DocumentReference-doc-x-id.json",
		"pdsm4dmp/DocumentReference-example-td2*.json", "pdsm4dmp/Bundle-example-td2*.json", "pdsm/DocumentReference-*.json", "pdsm/List-*.json"} {
		files, err := filepath.Glob(filepath.Join("../testdata/fixtures", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", pattern, err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r := parse(t, string(b))
			resources := []*fhir.Resource{r}
			if r.Type() == "Bundle" {
				resources = nil
				for e := range r.Get("entry").Items() {
					resources = append(resources, e.Get("resource").Resource())
				}
			}
			for _, r := range resources {
				if r.Type() == "Parameters" {
					continue
				}
				if _, err := FactsOf(r, Origin{}); err != nil {
					t.Errorf("%s: %s: %v", filepath.Base(name), r.Type(), err)
				}
			}
		}
	}
}
