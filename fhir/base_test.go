package fhir

import "testing"

func TestRelativeToSeveralBases(t *testing.T) {
	b := Base("https://dmp.test/fhir https://patients.dmp.test:8444/fhir")
	for url, want := range map[string]string{
		"https://dmp.test/fhir/Patient/1": "Patient/1", "https://patients.dmp.test:8444/fhir/Patient/1": "Patient/1",
		"https://dmp.test/fhirx/Patient/1": "", "https://dmp.test/fhir": "", "https://evil.test/fhir/Patient/1": "",
		"https://patients.dmp.test/fhir/Patient/1": "", "Patient/1": "", "": "",
	} {
		if got, ok := b.Relative(url); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", url, got, ok)
		}
	}
	if got, ok := Base("").Relative("/Patient/1"); ok {
		t.Errorf("no base: %q", got)
	}
}
