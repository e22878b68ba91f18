package main

import (
	"slices"
	"strings"
	"testing"
)

// What one server remembers of a dossier hides nothing that another one of the same
// database writes: a document, a mask, a closing, a destruction hold at the next
// request, by whatever name of the patient.
func TestMemoryOnTwoServers(t *testing.T) {
	data := t.TempDir()
	if testStore(data) == "" {
		t.Skip("one process only: the server under test is on SQLite (OPENDMP_TEST_STORE)")
	}
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	if out, err := command(t, "sandbox", "load", "--data", data, "--store", testStore(data)); err != nil {
		t.Fatal(out, err)
	}
	one, sent := countedServer(t, data)
	other, _ := countedServer(t, data)
	reader, alix := one.as("infirmier-moreau"), other.as("patient-alix")
	ins := one.people["patient-alix"].INS
	names := []string{"patient=" + one.patient("patient-alix"), "patient.identifier=" + ins}
	const biology = "&type=http://loinc.org|11502-2"
	found := func(status int) (total string) {
		t.Helper()
		for _, name := range names {
			r := reader.get("DocumentReference?" + name + biology).is(status)
			if status == 200 {
				total = r.at("total")
			}
		}
		return total
	}
	remembered := func() {
		t.Helper()
		sent.take()
		found(200)
		if got := sent.take(); !slices.Equal(got, []string{"find header", "find header", "insert event", "insert event"}) {
			t.Errorf("not from memory: %s", got)
		}
	}
	first := found(200)
	remembered()
	mask := `[{"op":"replace","path":"/securityLabel/0","value":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument","code":"MASQUE_PS"}]}}]`
	alix.do("PATCH", one.doc("alix-biologie"), "application/json-patch+json", []byte(mask)).is(200)
	if got := found(200); got == first {
		t.Errorf("%s documents before a mask, and %s after it", first, got)
	}
	remembered()
	alix.post("Patient/$fermer", operationBody(insParameter(ins), motiveParameter, reasonParameter)).is(200)
	found(403)
	alix.post("Patient/"+one.patient("patient-alix")+"/$reactiver", operationBody()).is(200)
	if got := found(200); got == first {
		t.Errorf("%s documents, one of them masked", got)
	}
	remembered()
	_, value, _ := strings.Cut(ins, "|")
	alix.post("Patient/$detruire", operationBody(insParameter(ins), `"name":"confirmation","valueString":"`+value+`"`)).is(200)
	if got := found(200); got != "0" {
		t.Errorf("%s documents of a dossier that was destroyed", got)
	}
}
