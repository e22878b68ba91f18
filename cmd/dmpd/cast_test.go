package main

import (
	"strings"
	"testing"
)

// The cast is as the sandbox's page says: who sees which of Alix's documents.
func TestWhoSeesWhat(t *testing.T) {
	w := openWorld(t)
	all := []string{
		"alix-cr-consultation", "alix-biologie", "alix-lettre-sortie", "alix-ordonnance", "alix-masque",
		"alix-annonce", "alix-psy", "alix-vaccins", "alix-directives", "alix-remb",
	}
	cases := map[string]string{ // persona → documents that they do not see
		"patient-alix":          "alix-annonce",
		"medecin-martin":        "",
		"medecin-durand":        "alix-masque",
		"pharmacien-dubois":     "*",
		"medecin-leroy":         "all but alix-masque",
		"medecin-petit":         "all but alix-psy",
		"opticien-blanc":        "*",
		"medecin-travail-colin": "all",
		"urgentiste-roche":      "all",
		"operateur":             "all",
		"patient-basile":        "all",
	}
	for persona, hidden := range cases {
		t.Run(persona, func(t *testing.T) {
			if hidden == "*" {
				return
			}
			w := openWorld(t)
			for _, key := range all {
				sees := w.as(persona).get(w.doc(key)).status == 200
				want := true
				switch {
				case hidden == "all":
					want = false
				case strings.HasPrefix(hidden, "all but "):
					want = key == strings.TrimPrefix(hidden, "all but ")
				default:
					want = !strings.Contains(hidden, key)
				}
				if sees != want {
					t.Errorf("%s sees %s: %v, want %v", persona, key, sees, want)
				}
			}
		})
	}
	masked := w.as("pharmacien-dubois").get(w.doc("alix-masque")).is(404)
	absent := w.as("pharmacien-dubois").get("DocumentReference/inconnu").is(404)
	if string(masked.body) != string(absent.body) {
		t.Error("masked and absent differ")
	}
}

// Closed, opposed, blocked: one wording for each way of asking.
func TestRefusalsOfTheCast(t *testing.T) {
	w := openWorld(t)
	w.as("medecin-durand").get("DocumentReference?patient=" + w.patient("patient-david")).is(403)
	w.as("hopital-nord").get("DocumentReference?patient=" + w.patient("patient-david")).is(200)
	w.as("medecin-martin").get("DocumentReference?patient=" + w.patient("patient-claire")).is(403)
	w.as("patient-basile").get("DocumentReference?patient=" + w.patient("patient-alix")).is(403)
	w.as("representative-lambert").get("DocumentReference?patient=" + w.patient("patient-emma")).is(200)
	w.as("operateur").get("DocumentReference?patient=" + w.patient("patient-alix")).is(403)
	w.as("").get("Patient/" + w.patient("patient-alix")).is(401)
	w.as("medecin-martin").get("Patient?identifier="+w.people["patient-claire"].INS).is(200).
		has("entry.0.resource.active", "false")
	w.as("medecin-martin").get("Patient?identifier="+"urn:oid:1.2.250.1.213.1.4.10|155126748202370").is(200).has("total", "0")
}

// The published examples run as they are, as their author.
func TestPublishedExamplesOverHTTP(t *testing.T) {
	w := openWorld(t)
	author := w.as("medecin-exemple")
	for _, name := range []string{"Bundle-example-td2-iti65-lot-soumission.json", "Bundle-example-td2-1-remplacement.json"} {
		author.post("", published(t, name)).is(200).has("type", "transaction-response")
	}
	author.post("DocumentReference", published(t, "DocumentReference-example-td2-iti105-publication-simplifiee.json")).is(201)
	author.get("DocumentReference/doc-x-id").is(200).has("status", "superseded")
}

func published(t testing.TB, name string) []byte {
	t.Helper()
	return readFile(t, "../../testdata/fixtures/pdsm4dmp/"+name)
}
