package fhir

import (
	"errors"
	"strings"
	"testing"
)

func TestSought(t *testing.T) {
	for _, c := range []struct {
		typ, raw, param string
		want            Ident
	}{
		{"Practitioner", "name=Martin%20H%C3%A9l%C3%A8ne", "name", Ident{"", "martin helene"}},
		{"Practitioner", "identifier=urn:oid:1.2.250.1.71.4.2.1|899900001001", "identifier", Ident{SystemRPPS, "99900001001"}},
		{"Practitioner", "identifier=99900001001", "identifier", Ident{"", "99900001001"}},
		{"PractitionerRole", "practitioner=Practitioner/ps-1", "practitioner", Ident{"", "Practitioner/ps-1"}},
		{"PractitionerRole", "practitioner=ps-1", "practitioner", Ident{"", "Practitioner/ps-1"}},
		{"PractitionerRole", "practitioner:identifier=99900001001", "practitioner.identifier", Ident{"", "99900001001"}},
		{"PractitionerRole", "practitioner.name=x&role=10", "role", Ident{"", "10"}},
		{"Organization", "name=L%E2%80%99%C5%93il", "name", Ident{"", "l'oeil"}},
	} {
		q := query(t, c.typ, c.raw)
		if got, ok := q.Sought(c.param); !ok || got != c.want {
			t.Errorf("%s?%s: %v, %v", c.typ, c.raw, got, ok)
		}
		if _, ok := q.Sought("rien"); ok {
			t.Error("found what was not given")
		}
	}
}

// A parameter of the directory has one value, no modifier, and no order.
func TestDirectoryRefuses(t *testing.T) {
	for _, raw := range []string{
		"name=a&name=b", "name=a,b", "name:exact=a", "name:contains=a", "identifier=1,2", "identifier:not=1", "family:missing=true",
		"_sort=name", "_lastUpdated=2026", "_include=PractitionerRole:practitioner", "address-city=paris", "patient=x", "name=",
	} {
		if _, err := ParseQuery("Practitioner", raw); err == nil {
			t.Errorf("%s is taken", raw)
		}
	}
	for _, line := range []string{"POST Practitioner", "PUT Practitioner/1", "DELETE Organization/1", "PATCH PractitionerRole/1", "POST Organization/$validate", "GET Practitioner/1/_history"} {
		method, path, _ := strings.Cut(line, " ")
		if _, err := ParsePath(method, path, ""); !errors.Is(err, ErrMethod) && !errors.Is(err, ErrUnknownRoute) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// A server without a directory says nothing of one.
func TestCapabilityWithoutDirectory(t *testing.T) {
	with := string(Capability("https://dmp.example.org/fhir", Software{}))
	without := string(Capability("https://dmp.example.org/fhir", Software{}, "Practitioner", "PractitionerRole", "Organization"))
	for _, typ := range []string{"Practitioner", "PractitionerRole", "Organization"} {
		of := `"type":"` + typ + `"`
		if !strings.Contains(with, of) || strings.Contains(without, of) || !OfDirectory(typ) {
			t.Errorf("%s: with %v, without %v", typ, strings.Contains(with, of), strings.Contains(without, of))
		}
	}
	if !strings.Contains(without, `"type":"Patient"`) || OfDirectory("Patient") {
		t.Error("more is left out")
	}
}
