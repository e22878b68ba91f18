package fhir

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Every definition is a resource that this server's own parser accepts, and that
// says what the table says.
func TestOperationDefinitions(t *testing.T) {
	const base = "https://dmp.test/fhir"
	golden := filepath.Join("testdata", "golden")
	for _, o := range operationTable {
		if o.Standard != "" {
			if o.ID != "" || o.Definition(base) != o.Standard {
				t.Errorf("%s of %s: a definition of its own, or none", o.Name, o.On)
			}
			continue
		}
		b, ok := OperationDefinition(base, o.ID)
		if !ok {
			t.Fatalf("no definition of %s", o.ID)
		}
		r, err := Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", o.ID, err)
		}
		for path, want := range map[string]string{
			"id": o.ID, "code": o.Name, "url": base + "/OperationDefinition/" + o.ID, "status": "active", "kind": "operation",
		} {
			if got := r.Get(path).Text(); got != want {
				t.Errorf("%s: %s is %q, want %q", o.ID, path, got, want)
			}
		}
		if r.Get("parameter").Len() != len(o.Params) || r.Get("type").True() != o.Type || r.Get("instance").True() != o.Instance {
			t.Errorf("%s: parameters or levels differ", o.ID)
		}
		compareGolden(t, filepath.Join(golden, "operation-"+o.ID+".json"), b)
	}
	for _, id := range []string{"dmp-debloquer", ""} {
		if _, ok := OperationDefinition(base, id); ok {
			t.Errorf("a definition of %q, an operation that does not exist", id)
		}
	}
}

func compareGolden(t *testing.T, name string, b []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	if *update {
		if err := os.WriteFile(name, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(indented.Bytes(), want) {
		t.Errorf("%s differs; see with go test ./fhir -run OperationDefinitions -update && git diff", name)
	}
}

// A table that says something twice, or leaves something out, is a mistake.
func TestOperationTable(t *testing.T) {
	var ids, calls []string
	for _, o := range operationTable {
		if !KnownResource(o.On) || !Supports(o.On, Interaction("operation")) {
			t.Errorf("%s is on %q", o.ID, o.On)
		}
		if o.ID != "" && slices.Contains(ids, o.ID) || slices.Contains(calls, o.On+"/$"+o.Name) {
			t.Errorf("%s twice", o.ID)
		}
		ids, calls = append(ids, o.ID), append(calls, o.On+"/$"+o.Name)
		texts := []Text{o.Title, o.About}
		var names []string
		for _, p := range o.Params {
			if slices.Contains(names, p.Name) {
				t.Errorf("%s: %s twice", o.ID, p.Name)
			}
			names, texts = append(names, p.Name), append(texts, p.About)
			if (p.Type == "") != (len(p.Parts) > 0) || p.Many && !p.Out {
				t.Errorf("%s: %s has a type or parts, and several only in an answer", o.ID, p.Name) // opd-1
			}
			for _, part := range p.Parts {
				texts = append(texts, part.About)
			}
		}
		if o.Reads && slices.ContainsFunc(o.Params, func(p OperationParam) bool { return !p.Out }) {
			t.Errorf("%s is asked by GET and takes parameters", o.ID)
		}
		for _, text := range texts {
			if text.FR == "" || text.EN == "" {
				t.Errorf("%s: a text is missing", o.ID)
			}
		}
		if found, ok := OperationOn(o.On, o.Name); !ok || found.ID != o.ID {
			t.Errorf("%s is not found by its type and name", o.ID)
		}
	}
	detruire, _ := OperationOn("DocumentReference", "detruire")
	if detruire.Takes("confirmation") == nil || detruire.Takes("return") != nil || detruire.Takes("identifier") != nil {
		t.Error("Takes")
	}
}

// What changes nothing is asked by GET too, and then without a body; what changes
// something is not.
func TestOperationByGet(t *testing.T) {
	for path, want := range map[string]bool{
		"DocumentReference/1/$expliquer": true, "DocumentReference/1/$detruire": false, "Patient/1/$fermer": false, "DocumentReference/$expliquer": false,
	} {
		r, err := ParsePath("GET", path, "")
		if (err == nil) != want || want && !r.ByGet {
			t.Errorf("GET %s: %+v, %v", path, r, err)
		}
	}
	if r, err := ParsePath("POST", "DocumentReference/1/$expliquer", ""); err != nil || r.ByGet {
		t.Errorf("POST: %+v, %v", r, err)
	}
}
