package policy

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// someFacts are facts of every type, with everything in them.
func someFacts(t testing.TB) []Facts {
	all := []Facts{{}}
	for _, name := range []string{"alix", "claire", "david", "emma"} {
		for _, s := range castDossier(t, name).subjects {
			all = append(all, s.Facts)
		}
	}
	full := facts(t, document(`"custodian":`+authorJSON("hopital-nord"), `"author":[`+authorJSON("medecin-leroy")+`]`,
		`"identifier":[{"value":"sans système"},{"system":"urn:x","value":"é"}]`), Origin{
		Deposited: noon, HiddenSince: noon.Add(time.Microsecond), By: fhir.Ident{System: "s", Value: "v"}, ByKind: auth.Establishment,
		Structures: []fhir.Ident{{System: oidStructure, Value: "1"}}, MaskedByPatient: true, Deleted: true,
	})
	dead := facts(t, patientJSON("alix", false, `"deceasedBoolean":true,"extension":[{"url":"`+extFermeture+`","extension":[{"url":"dateFermeture","valueDate":"2026-11-22"},`+
		`{"url":"motifFermeture","valueCodeableConcept":{"coding":[{"code":"DECES"}]}}]}],`), Origin{})
	team := teamOf(t, teamJSON("active", `"period":{"end":"2026-11-30"},`, participant("medecin-leroy", "2026-11-02", "2026-11-03"), participant("hopital-sud", "", "")))
	return append(all, dead, full, team)
}

func TestFactsRoundTrip(t *testing.T) {
	var together []byte
	all := someFacts(t)
	for _, f := range all {
		together = f.AppendBinary(together)
	}
	rest := together
	for i, f := range all {
		var got Facts
		var err error
		if got, rest, err = DecodeFacts(rest); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if !reflect.DeepEqual(got, f) {
			t.Errorf("%d:\n%+v\n%+v", i, got, f)
		}
	}
	if len(rest) != 0 {
		t.Errorf("%d bytes left", len(rest))
	}
}

func TestOriginRoundTrip(t *testing.T) {
	for _, o := range []Origin{{}, someFacts(t)[len(someFacts(t))-2].origin} {
		got, rest, err := DecodeOrigin(append(o.AppendBinary(nil), "rest"...))
		if err != nil || string(rest) != "rest" || !reflect.DeepEqual(got, o) {
			t.Errorf("%+v: %+v, %q, %v", o, got, rest, err)
		}
	}
}

// No prefix, no other version and no changed length is taken for facts.
func TestDecodeTrustsNothing(t *testing.T) {
	for _, f := range someFacts(t) {
		form := f.AppendBinary(nil)
		for n := range form {
			if _, _, err := DecodeFacts(form[:n]); !errors.Is(err, ErrEncoding) {
				t.Fatalf("%d of %d bytes: %v", n, len(form), err)
			}
		}
		other := bytes.Clone(form)
		other[0]++
		if _, _, err := DecodeFacts(other); !errors.Is(err, ErrEncoding) {
			t.Errorf("another version: %v", err)
		}
	}
	if _, _, err := DecodeOrigin(nil); !errors.Is(err, ErrEncoding) {
		t.Errorf("no origin: %v", err)
	}
}

// The binary form is kept in stores: it does not change by accident.
func TestFactsGolden(t *testing.T) {
	const name = "testdata/golden/faits.bin"
	var all []byte
	for _, f := range someFacts(t) {
		all = f.AppendBinary(all)
	}
	if *update {
		if err := os.WriteFile(name, all, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(all, want) {
		t.Errorf("the form of facts changed: raise factsVersion, then -update")
	}
}

// FuzzDecodeFacts: no panic, and what is accepted is written as it was read.
func FuzzDecodeFacts(f *testing.F) {
	for _, facts := range someFacts(f) {
		f.Add(facts.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, rest, err := DecodeFacts(b)
		if err != nil {
			return
		}
		again, _, err := DecodeFacts(got.AppendBinary(nil))
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%x: %v", b[:len(b)-len(rest)], err)
		}
	})
}

// FuzzFactsOf: no panic on any JSON, and facts have a form that comes back.
func FuzzFactsOf(f *testing.F) {
	f.Add([]byte(document()))
	f.Add([]byte(consentJSON("alix", Autorisation, "medecin-leroy", "2026-11-22", "2026-11-22")))
	f.Add([]byte(patientJSON("emma", true, "", "medecin-martin")))
	f.Add([]byte(teamJSON("active", "", participant("hopital-sud", "2026-11-02", "2026-11-03"))))
	f.Add([]byte(`{"resourceType":"List","status":"current","subject":{"reference":"Patient/x"},"entry":[{"item":{"reference":"/"}}]}`))
	f.Add([]byte(`{"resourceType":"Provenance","target":[{"reference":"#"}],"entity":[{"what":{"identifier":{"value":""}}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := fhir.Scan(b)
		if err != nil {
			return
		}
		facts, err := FactsOf(r, Origin{})
		if err != nil {
			return
		}
		again, rest, err := DecodeFacts(facts.AppendBinary(nil))
		if err != nil || len(rest) != 0 || !reflect.DeepEqual(again, facts) {
			t.Errorf("%s: %v", b, err)
		}
	})
}
