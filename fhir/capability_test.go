package fhir

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func statement(t *testing.T) (*Resource, []byte) {
	t.Helper()
	b := Capability("https://dmp.test/fhir", Software{Version: "1.2.3", Date: "2026-11-22"})
	r, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return r, b
}

func TestCapabilityGolden(t *testing.T) {
	_, b := statement(t)
	var indented bytes.Buffer
	if err := json.Indent(&indented, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	golden := filepath.Join("testdata", "golden", "capability.json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(indented.Bytes(), want) {
		t.Errorf("the capability statement changed; see the difference with go test ./fhir -run Capability -update && git diff")
	}
}

// What the statement lists can be asked for, and what can be asked for is
// listed.
func TestCapabilityIsTheTable(t *testing.T) {
	r, _ := statement(t)
	var types []string
	for res := range r.Root().All("rest", "resource") {
		typ := res.Get("type").Text()
		types = append(types, typ)
		var does []string
		for i := range res.All("interaction") {
			code := Interaction(i.Get("code").Text())
			does = append(does, string(code))
			if !SupportsEntry(typ, code) {
				t.Errorf("%s is listed for %s", code, typ)
			}
			if alone := !i.Get("documentation").Exists(); alone != Supports(typ, code) {
				t.Errorf("%s of %s: listed as its own request: %v", code, typ, alone)
			}
		}
		for _, i := range []Interaction{Read, VRead, History, Search, Create, Update, Patch, Delete} {
			if SupportsEntry(typ, i) != slices.Contains(does, string(i)) {
				t.Errorf("%s of %s", i, typ)
			}
		}
		var names []string
		for p := range res.All("searchParam") {
			names = append(names, p.Get("name").Text())
		}
		for _, p := range Params(typ) {
			if !slices.Contains(names, p.Name) {
				t.Errorf("%s of %s is not listed", p.Name, typ)
			}
		}
		if len(names) != len(Params(typ)) {
			t.Errorf("%s: %v", typ, names)
		}
		for name, reverse := range map[string]bool{"searchInclude": false, "searchRevInclude": true} {
			var listed []string
			for n := range res.All(name) {
				listed = append(listed, n.Text())
			}
			if !slices.Equal(listed, Includes(typ, reverse)) {
				t.Errorf("%s of %s: %v", name, typ, listed)
			}
		}
		if got := len(Operations(typ)); res.Get("operation").Len() != got {
			t.Errorf("%s has %d operations", typ, got)
		}
	}
	if !slices.Equal(types, Types()) {
		t.Errorf("types %v", types)
	}
}

// The parameters that MHD and PDSm ask of this server are there, under the same
// definitions. PDSm names some of its parameters otherwise than their code.
func TestCapabilityServesTheActors(t *testing.T) {
	required := map[string][]string{
		"DocumentReference": strings.Fields(`_id _lastUpdated author.given author.family category creation date event facility format identifier patient
			patient.identifier period related security-label setting status type isArchived period-start period-end relatesto author subject`),
		"List": strings.Fields(`_id _lastUpdated code date identifier patient patient.identifier source.given source.family status designationType sourceId
			isArchived title source authorOrg`),
	}
	for typ, names := range required {
		for _, name := range names {
			if !slices.ContainsFunc(Params(typ), func(p Param) bool { return p.Name == name }) {
				t.Errorf("%s has no %s", typ, name)
			}
		}
	}
}
