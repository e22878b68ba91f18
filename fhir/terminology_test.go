package fhir

import (
	"slices"
	"strings"
	"testing"
)

// The terminology capabilities name the systems of the tables, once each, and claim
// no operation.
func TestTerminology(t *testing.T) {
	b := Terminology("https://dmp.test/fhir", Software{Version: "1.2.3", Date: "2026-11-22"})
	r, err := Scan(b)
	if err != nil || r.Type() != "TerminologyCapabilities" {
		t.Fatal(err)
	}
	for _, name := range []string{"expansion", "codeSearch", "validateCode", "translation", "closure"} {
		if r.Get(name).Exists() {
			t.Errorf("claims %s", name)
		}
	}
	var systems []string
	for s := range r.Root().All("codeSystem", "uri") {
		systems = append(systems, s.Text())
	}
	if !slices.IsSorted(systems) || len(slices.Compact(slices.Clone(systems))) != len(systems) || slices.Contains(systems, "") {
		t.Errorf("systems %q", systems)
	}
	for _, want := range []string{SystemLOINC, SystemVisibility, "http://hl7.org/fhir/document-reference-status", "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"} {
		if !slices.Contains(systems, want) {
			t.Errorf("%s is not there", want)
		}
	}
	if xml, err := ToXML(b, false); err != nil || !strings.Contains(string(xml), "<TerminologyCapabilities") {
		t.Errorf("as XML: %.300s, %v", xml, err)
	}
}

func TestMetadataModes(t *testing.T) {
	for query, ok := range map[string]bool{
		"": true, "mode=full": true, "mode=normative": true, "mode=terminology": true, "mode=terminology&_format=xml&_pretty=true": true,
		"mode=x": false, "mode=": false, "mode=full&mode=full": false, "mode=FULL": false, "foo=1": false, "profile=x": false,
	} {
		r, err := ParsePath("GET", "metadata", query)
		if (err == nil) != ok {
			t.Errorf("%q: %v", query, err)
		}
		if want := strings.Contains(query, "terminology"); ok && (r.Mode == ModeTerminology) != want {
			t.Errorf("%q: mode %q", query, r.Mode)
		}
	}
}
