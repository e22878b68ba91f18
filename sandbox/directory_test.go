package sandbox_test

import (
	"testing"

	"opendmp/auth"
	"opendmp/directory"
	"opendmp/fhir"
	"opendmp/sandbox"
)

// Each professional of the cast is in the directory under the identifier of their
// token, and is found by name.
func TestDirectory(t *testing.T) {
	d := sandbox.Directory()
	seen := 0
	for _, p := range sandbox.Personas() {
		if p.Kind != auth.Professional && p.Kind != auth.Regulator {
			continue
		}
		seen++
		f, err := d.Professionals(t.Context(), directory.ProfessionalQuery{ID: p.ID, Name: p.Given + " " + p.Family, Limit: 1})
		if err != nil || f.Total != 1 {
			t.Errorf("%s: %+v, %v", p.Key, f, err)
			continue
		}
		got := f.Items[0]
		if got.Ident() != fhir.CanonicalIdent(p.ID) || got.Physician() != (p.Profession.Code == "10" && !p.Student) || got.Practices[0].Profession.Display == "" {
			t.Errorf("%s: %+v", p.Key, got)
		}
		if s := got.Practices[0].Structure; s == nil || len(s.Sites) != 1 {
			t.Errorf("%s: %+v", p.Key, s)
		}
	}
	if professionals, _, _ := d.Size(); seen == 0 || professionals != seen {
		t.Errorf("%d of %d", professionals, seen)
	}
}
