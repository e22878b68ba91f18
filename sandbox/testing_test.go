package sandbox

import (
	"encoding/csv"
	"os"
	"testing"

	"opendmp/fhir"
)

// records reads a file of testdata/terminology without its header.
func records(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open("../testdata/terminology/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rs, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rs[1:]
}

// column maps the codes of a value set to their French labels.
func column(t *testing.T, name string) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, r := range records(t, name) {
		m[r[0]] = r[2]
	}
	return m
}

// exampleOpening is the project's own example of an opening.
func exampleOpening(t *testing.T) *fhir.Resource {
	t.Helper()
	data, err := os.ReadFile("../testdata/fixtures/opendmp/Bundle-ouverture.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := fhir.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
