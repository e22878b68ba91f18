package main

import (
	"encoding/json"
	"testing"
)

// Whoever writes for a persona finds there what a push must name.
func TestIDsTellWhoIsWho(t *testing.T) {
	openWorld(t)
	var all []who
	if err := json.Unmarshal(readFile(t, idsFile(shared.data)), &all); err != nil {
		t.Fatal(err)
	}
	byKey := map[string]who{}
	for _, w := range all {
		byKey[w.Persona] = w
		if w.Kind == "" || w.Identifier == "" || w.Note == "" {
			t.Errorf("incomplete: %+v", w)
		}
	}
	durand := byKey["medecin-durand"]
	if durand.Kind != "professional" || durand.Identifier != "urn:oid:1.2.250.1.71.4.2.1|8899900000011" {
		t.Errorf("%+v", durand)
	}
	if durand.Profession != "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante|10" {
		t.Errorf("profession %q", durand.Profession)
	}
	if s := durand.Structure; s == nil || s.Name != "Hôpital Nord" || len(s.Identifier) != 2 || s.Identifier[0] != "urn:oid:1.2.250.1.71.4.2.2|1750000001" {
		t.Errorf("structure %+v", s)
	}
	if alix := byKey["patient-alix"]; alix.INS != alix.Identifier || alix.Structure != nil || alix.Profession != "" {
		t.Errorf("%+v", alix)
	}
}
