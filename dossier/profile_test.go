package dossier_test

import (
	"strings"
	"testing"

	"opendmp/dossier"
)

// A write that does not keep to a profile that it claims is told so or refused, by
// the setting; the published examples are neither.
func TestClaimedProfiles(t *testing.T) {
	good := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	label := strings.Index(good, `"securityLabel"`)
	end := label + strings.Index(good[label:], `"content"`)
	if label < 0 || end < label {
		t.Fatal("the example has changed")
	}
	bad := good[:label] + good[end:]
	const expression = "Bundle.entry[1].resource.securityLabel"
	for _, test := range []struct {
		level  dossier.Level
		body   string
		status int
		told   string // severity
	}{
		{dossier.Refuses, good, 200, ""},
		{dossier.Refuses, bad, 422, "error"},
		{dossier.Warns, good, 200, ""},
		{dossier.Warns, bad, 200, "warning"},
		{dossier.Off, bad, 200, ""},
	} {
		h := newHouseOver(t, plain, func(c *dossier.Config) { c.Profiles = test.level })
		h.doctor("8899900000011", "1750000001").post("", strings.Replace(opening(t, published), "INS-NIR-TEST", "INS-NIR", 1)).is(200)
		a := h.doctor("899700218896", "1750000003").post("", test.body).is(test.status)
		told := ""
		for _, at := range []string{"issue.0.", "entry.1.response.outcome.issue.0."} {
			if a.at(at+"expression.0") == expression {
				told = a.at(at + "severity")
			}
		}
		if told != test.told {
			t.Errorf("level %d, %d: told %q, want %q", test.level, test.status, told, test.told)
		}
	}
}

const unlabel = `[{"op":"remove","path":"/securityLabel"}]`

// filedOtherwise is a scene that was made, and its document patched, under one level of
// controle-profils, with a door of another.
func filedOtherwise(t *testing.T, before, after dossier.Level, patches ...string) *scene {
	t.Helper()
	var config dossier.Config
	s := newSceneIn(t, newHouseOver(t, plain, func(c *dossier.Config) { c.Profiles = before; config = *c }))
	for _, p := range patches {
		s.author.patch("DocumentReference/"+s.doc, p).is(200)
	}
	config.Profiles = after
	var err error
	s.door, err = dossier.New(config)
	s.must(err)
	return s
}

// A PATCH is held to the profiles that the resource claims.
func TestClaimedProfilesOfPatches(t *testing.T) {
	for _, test := range []struct {
		level  dossier.Level
		status int
		told   string
	}{
		{dossier.Refuses, 422, "error"},
		{dossier.Warns, 200, "warning"},
		{dossier.Off, 200, ""},
	} {
		s := filedOtherwise(t, dossier.Warns, test.level)
		doc := "DocumentReference/" + s.doc
		outcome := func(r *dossier.Request) { r.Return = "OperationOutcome" }
		if test.level == dossier.Refuses {
			s.author.post("", bundle("transaction", entry("PATCH", doc, jsonPatch(unlabel)))).is(422)
		}
		a := s.author.do("PATCH", doc, "application/json-patch+json", unlabel, outcome).is(test.status)
		told := ""
		for _, at := range []string{"issue.0.", "issue.1."} {
			if a.at(at+"expression.0") == "DocumentReference.securityLabel" {
				told = a.at(at + "severity")
			}
		}
		if told != test.told {
			t.Errorf("level %d: told %q, want %q\n%s", test.level, told, test.told, a.body)
		}
		version := map[int]string{200: "2", 422: "1"}[test.status]
		s.reader().get(doc).is(200).has("meta.versionId", version)
	}
}

// What a PATCH leaves alone is not held against it: a document that was filed without
// what its profile asks for can still be archived.
func TestPatchOfWhatWasFiledOtherwise(t *testing.T) {
	s := filedOtherwise(t, dossier.Off, dossier.Refuses, unlabel)
	doc := "DocumentReference/" + s.doc
	s.author.patch(doc, `[{"op":"replace","path":"/extension[url:'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived']/valueBoolean","value":true}]`).is(200).has("meta.versionId", "3")
	s.author.patch(doc, label("MASQUE_PS")).is(422) // an index into what is not there
	s.me().patch(doc, `[{"op":"add","path":"/securityLabel","value":[{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument","code":"MASQUE_PS"}]}]}]`).is(200)
}
