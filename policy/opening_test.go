package policy

import (
	"fmt"
	"strings"
	"testing"
)

// A dossier is opened without the patient's consent where the setting says so, by
// the health insurance, and when the six weeks since the letter are over (G01,
// L.1111-14).
func TestOpenByLetter(t *testing.T) {
	farid := facts(t, patientJSON("farid", true, `"extension":[{"url":"`+extReliability+`","extension":[{"url":"identityStatus","valueCoding":{"code":"VALI"}}]}],`), Origin{})
	letter := func(day, performer string) Facts {
		json := consentJSON("farid", Ouverture, "", "", "")
		json = strings.Replace(json, `"performer":[{"reference":"Patient/farid"}],`, performer, 1)
		return facts(t, strings.Replace(json, `"sourceAttachment":{`, fmt.Sprintf(`"sourceAttachment":{"creation":%q,`, day), 1), Origin{})
	}
	automatic := sandboxEngine(t, func(s *Settings) { s.Opening = OpenAutomatically })
	onRequest := sandboxEngine(t, nil)
	const consents = `"performer":[{"reference":"Patient/farid"}],`
	cases := []struct {
		name           string
		e              *Engine
		who            string
		day, performer string
		want           string
	}{
		{"six weeks after the letter", automatic, "assurance-maladie", "2026-10-11", "", "oui"},
		{"a day too early", automatic, "assurance-maladie", "2026-10-12", "", "422"},
		{"a letter of tomorrow", automatic, "assurance-maladie", "2026-11-23", "", "422"},
		{"of a month: from its first day", automatic, "assurance-maladie", "2026-10", "", "oui"},
		{"by a physician", automatic, "medecin-durand", "2026-10-11", "", "422"},
		{"by the patient, who consents by doing so", automatic, "patient-farid", "2026-10-11", "", "oui"},
		{"where opening is on request", onRequest, "assurance-maladie", "2026-10-11", "", "422"},
		{"with the consent of the patient, whenever they were informed", automatic, "assurance-maladie", "2026-11-22", consents, "oui"},
		{"the same, on request", onRequest, "medecin-durand", "2026-11-22", consents, "oui"},
	}
	for _, c := range cases {
		d := c.e.open(cast(t, c.who), farid, []Facts{letter(c.day, c.performer)}, noon)
		if got := answer(ActOpen, d); got != c.want {
			t.Errorf("%s: %s by %v", c.name, got, d.Rules())
		}
	}
}
