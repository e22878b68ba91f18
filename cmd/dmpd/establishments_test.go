package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opendmp/fhir"
	"opendmp/policy"
)

// settingsOf reads a settings file with this text.
func settingsOf(t *testing.T, text string) (settings, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dmpd.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return readSettings(file, nil, given(t))
}

func TestEstablishmentsOfTheSettingsFile(t *testing.T) {
	s, err := settingsOf(t, `{"etablissements":[{"identifiants":["https://finess.esante.gouv.fr|750000001","urn:oid:1.2.250.1.71.4.2.2|1750000027"],
		"decision-cme":"CME du 12 mars 2026","date-decision":"2026-03-12"},{"identifiants":["https://sirene.fr|12345678200010"]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.establishments()
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	first := all[0]
	if len(first.Identifiers) != 2 || first.Identifiers[1] != (fhir.Ident{System: fhir.SystemStructure, Value: "1750000027"}) ||
		first.DecisionRef != "CME du 12 mars 2026" || !first.DecisionDate.Equal(time.Date(2026, 3, 11, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", first)
	}
	rules := policy.DefaultSettings()
	rules.Establishments = all
	if _, err := newEngine(plan{settings: rules, matrix: policy.SandboxMatrix()}); err != nil {
		t.Error(err)
	}
}

func TestEstablishmentsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, refusal string }{
		"a misspelt element":   {`{"etablissements":[{"identifiant":["a|b"]}]}`, "identifiant"},
		"no list":              {`{"etablissements":"a|b"}`, "etablissements"},
		"no system":            {`{"etablissements":[{"identifiants":["750000001"]}]}`, "system|value"},
		"no value":             {`{"etablissements":[{"identifiants":["urn:x|"]}]}`, "system|value"},
		"another register":     {`{"etablissements":[{"identifiants":["urn:x|1"]}]}`, "not an identifier of a structure"},
		"a number too short":   {`{"etablissements":[{"identifiants":["https://finess.esante.gouv.fr|75000002"]}]}`, "not an identifier of a structure"},
		"a day of its own":     {`{"etablissements":[{"identifiants":["https://finess.esante.gouv.fr|750000027"],"decision-cme":"x","date-decision":"12/03/2026"}]}`, "AAAA-MM-JJ"},
		"a decision undated":   {`{"etablissements":[{"identifiants":["https://finess.esante.gouv.fr|750000027"],"decision-cme":"x"}]}`, "date"},
		"an identifier twice":  {`{"etablissements":[{"identifiants":["https://finess.esante.gouv.fr|750000027"]},{"identifiants":["https://finess.esante.gouv.fr|750000027"]}]}`, "two establishments"},
		"without identifiants": {`{"etablissements":[{"decision-cme":"x","date-decision":"2026-03-12"}]}`, "without an identifier"},
	} {
		s, err := settingsOf(t, c.text)
		rules := policy.DefaultSettings()
		if err == nil {
			rules.Establishments, err = s.establishments()
		}
		if err == nil {
			_, err = newEngine(plan{settings: rules, matrix: policy.SandboxMatrix()})
		}
		if err == nil || !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s: %v, want %q", name, err, c.refusal)
		}
	}
}

// The hospitals of the cast feed by themselves, and their decision is in the
// history of what they push.
func TestSandboxHospitalsAreRegistered(t *testing.T) {
	w := openWorld(t)
	patient := w.patient("patient-alix")
	pushed := w.as("hopital-sud").post("", []byte(strings.Replace(hospitalPush(w.people["patient-alix"].INS, "registered"), `"1750000001"`, `"1750000002"`, 1))).is(200)
	doc := refOf(pushed.at("entry.1.response.location"))
	defer w.as("hopital-sud").delete(doc) // the world is shared
	history := w.as("patient-alix").get("AuditEvent?patient=" + patient + "&entity=" + doc + "&action=C").is(200)
	if !strings.Contains(string(history.body), "décision de la CME : Délibération fictive de la CME, Hôpital Sud") {
		t.Errorf("%.2000s", history.body)
	}
}
