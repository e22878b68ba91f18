package policy

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"opendmp/auth"
	"opendmp/fhir"
)

// terminologyFile reads a file of testdata/terminology without its header: a
// reading of its own, so that a slip of the generator shows.
func terminologyFile(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open("../testdata/terminology/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records[1:]
}

func TestDocumentTypesEqualTheTerminology(t *testing.T) {
	systems := map[string]string{"LOINC": "http://loinc.org", "TRE_A05": fhir.SystemDocumentType, "ASTM": systemASTM}
	records := terminologyFile(t, "document-types.csv")
	count := 0
	for range DocumentTypes() {
		count++
	}
	if count != len(records) || count != typeCount {
		t.Fatalf("%d types, the file has %d", count, len(records))
	}
	for _, r := range records {
		typ := auth.Coding{System: systems[r[1]], Code: r[0]}
		d, ok := TypeOf(typ)
		if !ok || d.Type != typ || d.Class.Code != r[2] || !strings.HasPrefix(r[3], d.Label) {
			t.Errorf("%v: got %+v", r, d)
		}
		class, ok := ClassOf(typ)
		if !ok || class != d.Class {
			t.Errorf("%v: class %v", r, class)
		}
		if _, ok := TypeOf(auth.Coding{System: "urn:other", Code: r[0]}); ok {
			t.Errorf("%s is a type under any system", r[0])
		}
	}
}

func TestTypeOfRefuses(t *testing.T) {
	for _, c := range []auth.Coding{{}, {System: fhir.SystemLOINC}, {Code: "11488-4"}, {System: fhir.SystemLOINC, Code: "11488-5"}, {System: fhir.SystemDocumentType, Code: "11488-4"}} {
		if d, ok := TypeOf(c); ok || d != (DocumentType{}) {
			t.Errorf("%v: %+v", c, d)
		}
		if class, ok := ClassOf(c); ok || !class.IsZero() {
			t.Errorf("%v: class %v", c, class)
		}
	}
	if d := documentType(typeCount); d != (DocumentType{}) {
		t.Errorf("a type beyond the last: %+v", d)
	}
}

func TestFamilies(t *testing.T) {
	for code, want := range map[string]Family{
		"11488-4": FamilyMedical, "11369-6": FamilyMedical, "BIL_AUTO": FamilyMedical, "SYNTH": FamilyMedical,
		"DOCPAT01": FamilyPatient, "DOCPAT09": FamilyPatient, "EXPPAT_3": FamilyPatient, "74465-6": FamilyPatient,
		"REMB":      FamilyReimbursement,
		"59284-0":   FamilyManagement,
		"E1762":     FamilyTechnical,
		"86531-1":   FamilyManagement,
		"CERT_DECL": FamilyMedical,
	} {
		for _, system := range []string{fhir.SystemLOINC, fhir.SystemDocumentType, systemASTM} {
			if d, ok := TypeOf(auth.Coding{System: system, Code: code}); ok && d.Family != want {
				t.Errorf("%s: family %d, want %d", code, d.Family, want)
			}
		}
	}
	for d := range DocumentTypes() {
		if d.Family == FamilyNone {
			t.Errorf("%v has no family", d.Type)
		}
	}
}
