package dossier_test

import (
	"strings"
	"testing"

	"opendmp/dossier"
)

const (
	foreignFacility = "DocumentReference.context.facilityType.coding[0]"
	snomedHospital  = "Le code 22232009 de http://snomed.info/sct n’a pas sa place dans « facilityType » : un code de TRE_A00 ou TRE_R02 est attendu."
)

// french are the codes of the published submission as the terminologies of the DMP want
// them.
func french(push string) string {
	const (
		snomed = "http://snomed.info/sct"
		a01    = "https://mos.esante.gouv.fr/NOS/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice"
		r02    = "https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite"
		a03    = "https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument"
	)
	designation := strings.Index(push, "ihe-designationType")
	push = push[:designation] + strings.Replace(strings.Replace(push[designation:], a03, r02, 1), `"code": "11"`, `"code": "SA05"`, 1)
	facility := strings.Index(push, `"facilityType"`)
	tail := strings.Replace(strings.Replace(push[facility:], snomed, r02, 1), "22232009", "SA01", 1)
	return push[:facility] + strings.Replace(strings.Replace(tail, snomed, a01, 1), "394802001", "AMBULATOIRE", 1)
}

// The setting controle-terminologie says what a submission does whose codes are of no
// value set of the DMP; codes that are in them are never spoken of.
func TestTerminologyOfSubmissions(t *testing.T) {
	foreign := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	const at = "Bundle.entry[1].resource.context.facilityType.coding[0]"
	for name, c := range map[string]struct {
		level  dossier.Level
		body   string
		status int
		told   string // severity
	}{
		"avertir": {dossier.Warns, foreign, 200, "warning"},
		"refuser": {dossier.Refuses, foreign, 422, "error"},
		"ignorer": {dossier.Off, foreign, 200, ""},
		"good":    {dossier.Refuses, french(foreign), 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouseOver(t, plain, func(config *dossier.Config) { config.Codes = c.level })
			h.openFor(published)
			a := h.doctor("899700218896", "1750000003").post("", c.body).is(c.status)
			told := ""
			for _, issue := range []string{"issue.1.", "entry.1.response.outcome.issue.0."} {
				if a.at(issue+"expression.0") == at {
					told = a.at(issue + "severity")
					a.has(issue+"details.text", snomedHospital)
				}
			}
			if told != c.told {
				t.Errorf("told %q, want %q\n%s", told, c.told, a.body)
			}
		})
	}
}

// ITI-105 is held to the same, and tells it to who prefers an OperationOutcome.
func TestTerminologyOfPublications(t *testing.T) {
	// A type that is none of the DMP is the affair of the policy (E04), whatever the setting.
	doc := strings.Replace(publication(t, "application/pdf", "%PDF-1.7\n"), "{",
		`{"context":{"facilityType":{"coding":[{"system":"http://snomed.info/sct","code":"22232009"}]}},`, 1)
	unclaimed := strings.Replace(doc, "pdsm-simplified-publish", "autre-profil", 1)
	for _, c := range []struct {
		level  dossier.Level
		body   string
		status int
	}{
		{dossier.Warns, unclaimed, 201},
		{dossier.Refuses, unclaimed, 422},
		{dossier.Refuses, doc, 201}, // its profile only recommends these lists
	} {
		h := newHouseOver(t, plain, func(config *dossier.Config) { config.Codes = c.level })
		h.openFor(published)
		a := h.doctor("899700218896", "1750000003").do("POST", "DocumentReference", "application/fhir+json", c.body,
			func(r *dossier.Request) { r.Return = "OperationOutcome" }).is(c.status)
		if !strings.Contains(string(a.body), snomedHospital) {
			t.Errorf("level %d: %s", c.level, a.body)
		}
	}
}

// A PATCH is held to what it changes: a document that is older than the lists can
// still be masked where they are enforced.
func TestTerminologyOfPatches(t *testing.T) {
	var config dossier.Config
	h := newHouseOver(t, plain, func(c *dossier.Config) { config = *c })
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	pushDocX(h, author)
	config.Codes = dossier.Refuses
	var err error
	h.door, err = dossier.New(config)
	h.must(err)
	author.patch("DocumentReference/doc-x-id", strings.Replace(normal, `"N"`, `"R"`, 1)).is(200)
}

// $validate tells the same as a write would.
func TestTerminologyOfValidate(t *testing.T) {
	doc := fixture(t, "pdsm4dmp/DocumentReference-doc-x-id.json")
	for level, want := range map[dossier.Level]string{dossier.Warns: "warning", dossier.Refuses: "error", dossier.Off: ""} {
		h := newHouseOver(t, plain, func(config *dossier.Config) { config.Codes = level })
		a := h.doctor("899700218896", "1750000003").post("DocumentReference/$validate", doc).is(200)
		told := ""
		for _, i := range []string{"0", "1", "2", "3", "4"} {
			if a.at("issue."+i+".expression.0") == foreignFacility {
				told = a.at("issue." + i + ".severity")
			}
		}
		if told != want {
			t.Errorf("level %d: told %q, want %q\n%s", level, told, want, a.body)
		}
	}
}
