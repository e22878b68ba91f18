package policy

import (
	"strings"
	"testing"

	"opendmp/auth"
)

// POLICY §5: the search by traits is for a regulator in centre_15.
func TestSearchTraits(t *testing.T) {
	e := sandboxEngine(t, nil)
	regulator := cast(t, "samu-garnier")
	normal, occupational := regulator, regulator
	normal.mode = auth.Normal
	occupational.occupational = true
	cases := []struct {
		name string
		k    caller
		want bool
	}{
		{"regulator", regulator, true},
		{"regulator in normal mode", normal, false},
		{"regulator as an occupational physician", occupational, false},
		{"physician", cast(t, "medecin-martin"), false},
		{"establishment", cast(t, "hopital-nord"), false},
		{"staff", cast(t, "secretariat-nord"), false},
		{"insurance", cast(t, "assurance-maladie"), false},
		{"patient", cast(t, "patient-alix"), false},
		{"operator", cast(t, "operateur"), false},
		{"nobody", caller{}, false},
		{"regulator without an identity", caller{kind: auth.Regulator, mode: auth.Centre15}, false},
	}
	for _, c := range cases {
		d := e.searchTraits(c.k, noon)
		if d.Allowed() != c.want || !c.want && d.Refusal() != Forbidden {
			t.Errorf("%s: %v, class %d, by %q", c.name, d.Allowed(), d.Refusal(), d.Rules())
		}
	}
	if (*Engine)(nil).searchTraits(regulator, noon).Allowed() || (&Engine{}).SearchTraits(auth.Principal{}, noon).Allowed() {
		t.Error("the zero Engine")
	}
}

// A candidate appears where the regulator may search: not after an opposition to
// centre_15, a block, or the closing, all of which are Hidden.
func TestReleaseCandidate(t *testing.T) {
	e := sandboxEngine(t, nil)
	garnier := cast(t, "samu-garnier")
	blocked := castDossier(t, "alix")
	blocked.consent(t, Blocage, "samu-garnier", "", "")
	byStructure := castDossier(t, "alix")
	byStructure.consent(t, Blocage, "samu-75", "", "")
	bris := castDossier(t, "alix")
	bris.consent(t, OppositionBrisDeGlace, "", "", "")
	destroyed := castDossier(t, "alix")
	destroyed.state = Destroyed
	normal := garnier
	normal.mode = auth.Normal
	cases := []struct {
		name string
		k    caller
		d    *dossier
		want bool
	}{
		{"open", garnier, castDossier(t, "alix"), true},
		{"opposed to bris_de_glace only", garnier, bris, true},
		{"opposed", garnier, castDossier(t, "basile"), false},
		{"blocked", garnier, blocked, false},
		{"structure blocked", garnier, byStructure, false},
		{"closed", garnier, castDossier(t, "claire"), false},
		{"destroyed", garnier, destroyed, false},
		{"regulator in normal mode", normal, castDossier(t, "alix"), false},
		{"médecin traitant", cast(t, "medecin-martin"), castDossier(t, "alix"), false},
		{"the patient", cast(t, "patient-alix"), castDossier(t, "alix"), false},
	}
	for _, c := range cases {
		r, d := e.view(c.k, c.d.record(), noon).ReleaseCandidate(parse(t, patientJSON(c.d.name, c.d.state == Active, "")), Origin{})
		got := released(r, d)
		if (got != "") != c.want {
			t.Errorf("%s: %q by %q", c.name, got, d.Rules())
		}
		if !c.want && d.Refusal() != Hidden {
			t.Errorf("%s: class %d", c.name, d.Refusal())
		}
		if c.want && (!strings.Contains(got, `"valueCode":"NON_EXISTE"`) || strings.Contains(got, "generalPractitioner")) {
			t.Errorf("%s: not the answer of TD0.2: %s", c.name, got)
		}
	}
	v := e.view(garnier, castDossier(t, "alix").record(), noon)
	if got := released(v.ReleaseCandidate(parse(t, patientJSON("basile", true, "")), Origin{})); got != "" {
		t.Errorf("another patient: %s", got)
	}
	if got := released(v.ReleaseCandidate(nil, Origin{})); got != "" {
		t.Errorf("no patient: %s", got)
	}
}
