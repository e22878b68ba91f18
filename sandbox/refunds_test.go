package sandbox

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"opendmp/fhir"
)

// What the health insurance pushes is FHIR, tells 24 months, and is the same when
// it is made again.
func TestRefunds(t *testing.T) {
	ins := fhir.Ident{System: fhir.SystemINSTest, Value: "155126748202370"}
	opened := time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC)
	bodies, err := Refunds(ins, opened)
	if err != nil || len(bodies) != 8 {
		t.Fatalf("%d statements, %v", len(bodies), err)
	}
	again, err := Refunds(ins, opened)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, body := range bodies {
		if !bytes.Equal(body, again[i]) {
			t.Errorf("statement %d differs the second time", i)
		}
		r, err := fhir.Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		for doc := range r.Root().All("entry", "resource") {
			if !doc.Get("resourceType").Is("DocumentReference") {
				continue
			}
			seen[doc.At("masterIdentifier", "value").Text()] = true
			if date := doc.Get("date").Text(); i == 0 && !strings.HasPrefix(date, "2025-02-01") || i == 7 && !strings.HasPrefix(date, "2026-11-01") {
				t.Errorf("statement %d is of %s", i, date)
			}
			if !doc.At("type", "coding").Get("code").Is("REMB") {
				t.Error("not REMB")
			}
		}
	}
	if len(seen) != len(bodies) {
		t.Errorf("%d identifiers", len(seen))
	}
	other, err := Refunds(fhir.Ident{System: fhir.SystemINSTest, Value: "190073306320538"}, opened)
	if err != nil || bytes.Equal(other[0], bodies[0]) {
		t.Errorf("another person has the same, %v", err)
	}
}
