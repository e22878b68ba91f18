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
