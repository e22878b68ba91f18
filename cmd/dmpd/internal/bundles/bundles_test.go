package bundles

import (
	"testing"
	"time"

	"opendmp/fhir"
)

// Both bundles are FHIR that the server's own parser accepts, with nothing left
// to fill.
func TestBundlesAreFHIR(t *testing.T) {
	p := Patient{INS: "155126748202370", Family: "BENALI", Given: "Farid", Gender: "male", Birth: "1955-12-01", ID: "x"}
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for name, b := range map[string][]byte{
		"opening": Opening(p, now),
		"push":    Push(p, Document{Title: "Compte rendu", Date: now, Unique: UUID()}, NewContent([]byte("%PDF-1.4\n%%EOF\n")), now),
	} {
		r, err := fhir.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Type() != "Bundle" {
			t.Errorf("%s is a %s", name, r.Type())
		}
		for _, c := range b {
			if c == '$' {
				t.Errorf("%s: something is not filled: %s", name, b)
				break
			}
		}
	}
}

func TestCreated(t *testing.T) {
	answer := `{"entry":[{"response":{"location":"List/a1/_history/1"}},{"response":{"location":"http://x/fhir/DocumentReference/b2/_history/1"}}]}`
	if id, err := Created([]byte(answer), "DocumentReference"); err != nil || id != "b2" {
		t.Errorf("%q %v", id, err)
	}
	if id, err := Created([]byte(answer), "Binary"); err == nil {
		t.Errorf("found %q", id)
	}
}
