package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"opendmp/sandbox"
)

// scoped returns a person of the cast with a token of few scopes.
func (w *world) scoped(persona, scope string) *person {
	w.t.Helper()
	p, ok := sandbox.Lookup(persona)
	if !ok {
		w.t.Fatal("no", persona)
	}
	c := p.Claims("", "")
	c.Scope = &scope
	token, err := w.signer.Sign(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.as(persona).with("Authorization", "Bearer "+token)
}

// TK21: a request beyond the scopes of its token is told in the history of the dossier
// that it names, and answered as one that names nothing which exists.
func TestTK21BeyondTheScopesIsInTheHistory(t *testing.T) {
	w := openWorld(t)
	alix := w.patient("patient-alix")
	history := func(of string) int {
		t.Helper()
		return len(strings.Split(string(w.as(of).get("AuditEvent?patient="+w.patient(of)+"&_count=200").is(200).body), `"outcome":"4"`)) - 1
	}
	reader := w.scoped("medecin-martin", "user/Consent.rs")
	refusal := reader.get("DocumentReference/absent").is(http.StatusForbidden)
	for name, c := range map[string]struct {
		path, absent string
	}{
		"a document":            {w.doc("alix-biologie"), "DocumentReference/absent"},
		"a masked document":     {w.doc("alix-masque"), "DocumentReference/absent"},
		"a hidden document":     {w.doc("alix-annonce"), "DocumentReference/absent"},
		"a version":             {w.doc("alix-biologie") + "/_history/1", "DocumentReference/absent/_history/1"},
		"her documents, by id":  {"DocumentReference?patient=" + alix, "DocumentReference?patient=absent"},
		"her documents, by INS": {"DocumentReference?patient.identifier=" + insQuery(w, "patient-alix"), "DocumentReference?patient.identifier=urn:oid:1.2.250.1.213.1.4.10%7C299999999999934"},
		"herself":               {"Patient/" + alix, "Patient/absent"},
		"herself, by INS":       {"Patient?identifier=" + insQuery(w, "patient-alix"), "Patient?identifier=urn:oid:1.2.250.1.213.1.4.10%7C299999999999934"},
	} {
		before := history("patient-alix")
		hers, nobodys := reader.get(c.path), reader.get(c.absent)
		for _, got := range []*reply{hers, nobodys} {
			if got.status != refusal.status || !bytes.Equal(got.body, refusal.body) || got.header.Get("WWW-Authenticate") != refusal.header.Get("WWW-Authenticate") {
				t.Errorf("%s: %d %s %s", name, got.status, got.header, got.body)
			}
		}
		want := 1
		if name == "a hidden document" {
			want = 0 // told with the document: the line would say that it exists
		}
		if got := history("patient-alix") - before; got != want {
			t.Errorf("%s: %d refusals in her history, want %d", name, got, want)
		}
	}
	// What is beyond the scopes opens nothing: no glass is broken by it.
	physician, _ := sandbox.Lookup("urgentiste-roche")
	claims, scope := physician.Claims("BTG", "Patiente inconsciente, aux urgences"), "user/Consent.rs"
	claims.Scope = &scope
	token, err := w.signer.Sign(claims)
	check(t, err)
	w.as("urgentiste-roche").with("Authorization", "Bearer "+token).get("DocumentReference?patient=" + alix).is(http.StatusForbidden)
	w.as("urgentiste-roche").get("DocumentReference?patient=" + alix).is(http.StatusForbidden)
}

// insQuery is the INS of a persona as a search has it.
func insQuery(w *world, persona string) string {
	return strings.ReplaceAll(fmt.Sprint(w.people[persona].INS), "|", "%7C")
}
