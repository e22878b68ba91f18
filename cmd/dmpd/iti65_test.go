package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The ITI-65 cases made from the IHE examples, for a patient of the sandbox and
// with what this server asks beyond MHD: an author who is the caller, and a type
// of the French value set. The name of the file says what is wrong in it.
func TestITI65Cases(t *testing.T) {
	w := openWorld(t)
	files, err := filepath.Glob("../../testdata/fixtures/iti65/*.json")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			body := forSandbox(t, w, file)
			got := w.as("medecin-exemple").post("", body)
			if strings.Contains(name, "Prerequisite") {
				got.is(200).has("type", "transaction-response")
				return
			}
			if got.status != 400 && got.status != 422 {
				t.Fatalf("%d\n%s", got.status, got.body)
			}
			got.has("resourceType", "OperationOutcome").has("issue.0.severity", "error")
			if got.at("issue.0.expression.0") == "" && !strings.Contains(name, "Bad_Patient") {
				t.Errorf("the refusal names no element: %s", got.body)
			}
		})
	}
}

// forSandbox gives a case the patient, the author and the type that it needs
// here, and identifiers of its own. What is wrong in it stays wrong.
func forSandbox(t testing.TB, w *world, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "Patient/ex-patient", "Patient/"+w.patient("patient-exemple"))
	text = strings.ReplaceAll(text, "urn:oid:1.2.840.113556.1.8000", "urn:oid:1.2.840.113556.1.8001."+oidPart(filepath.Base(file)))
	var b map[string]any
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	for _, e := range b["entry"].([]any) {
		r := e.(map[string]any)["resource"].(map[string]any)
		switch r["resourceType"] {
		case "Patient":
			r["identifier"] = []any{map[string]any{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "123456789012345"}}
			delete(r, "name")
		case "DocumentReference":
			delete(r, "category")
			r["type"] = map[string]any{"coding": []any{map[string]any{"system": "http://loinc.org", "code": "11488-4"}}}
			author := map[string]any{"identifier": map[string]any{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "899700218896"}}
			r["author"] = append([]any{author}, asList(r["author"])...)
			delete(r, "securityLabel")
			for _, c := range asList(r["contained"]) {
				if p := c.(map[string]any); p["resourceType"] == "Patient" {
					delete(p, "name") // of the patient of the IHE examples
				}
			}
		}
	}
	out, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func asList(v any) []any {
	l, _ := v.([]any)
	return l
}

// oidPart makes a number of a name, to keep the identifiers of two cases apart.
func oidPart(name string) string {
	n := 0
	for _, c := range name {
		n = (n*31 + int(c)) % 1_000_003
	}
	return strconv.Itoa(n + 1)
}
