package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/server"
)

// scoped is a server that trusts a signer of its own, to sign tokens with scopes.
type scoped struct {
	*world
	signer *auth.Signer
}

func startScoped(t *testing.T) scoped {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := auth.NewSigner(key, issuer, base, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := auth.NewVerifier(auth.Config{Issuers: []auth.Issuer{signer.Trust()}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return scoped{start(t, func(c *server.Config) { c.Verifier = verifier }), signer}
}

// as makes the caller a physician with a token of that scope.
func (s scoped) as(t *testing.T, scope string) {
	t.Helper()
	physician := auth.Coding{System: auth.SystemProfession, Code: "10"}
	token, err := s.signer.Sign(auth.Claims{
		Subject: "medecin", Scope: &scope,
		Extensions: auth.Extensions{IUA: auth.IUA{
			SubjectName: marker, Provider: "urn:oid:1.2.250.1.71.4.2.1|8889990000010",
			Purpose: []auth.Coding{{System: auth.SystemActReason, Code: "TREAT"}},
		}},
		DMP: auth.DMP{Kind: "professional", Profession: &physician},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.token = token
}

const onePatient = "patient.identifier=urn:oid:1.2.250.1.213.1.4.10%7C285047511200116"

// TK21: a token is good for its scopes only, whatever the policy would allow.
func TestTK21ScopeCapsRequests(t *testing.T) {
	w := startScoped(t)
	entry := func(method, url string) string {
		return `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"` + method + `","url":"` + url + `"}}]}`
	}
	for _, c := range []struct {
		scope, method, path, body string
		refused                   bool
	}{
		{"user/DocumentReference.r", "GET", "/fhir/DocumentReference?" + onePatient, "", true},
		{"user/DocumentReference.s", "GET", "/fhir/DocumentReference?" + onePatient, "", false},
		{"user/DocumentReference.r", "GET", "/fhir/DocumentReference/x", "", false},
		{"user/DocumentReference.s", "GET", "/fhir/DocumentReference/x", "", true},
		{"user/Patient.rs", "GET", "/fhir/DocumentReference/x", "", true},
		{"system/*.cruds", "GET", "/fhir/DocumentReference/x", "", true},
		{"user/DocumentReference.rs", "DELETE", "/fhir/DocumentReference/x", "", true},
		{"", "GET", "/fhir/DocumentReference/x", "", true},
		{"user/DocumentReference.s", "GET", "/fhir/DocumentReference?" + onePatient + "&_include=DocumentReference:patient", "", true},
		{"user/*.rs", "GET", "/fhir/DocumentReference?" + onePatient + "&_include=DocumentReference:patient", "", false},
		{"user/DocumentReference.cruds", "POST", "/fhir", entry("GET", "Patient/x"), true},
		{"user/DocumentReference.r", "POST", "/fhir", entry("DELETE", "DocumentReference/x"), true},
		{"user/DocumentReference.r", "POST", "/fhir", entry("GET", "DocumentReference?"+onePatient), true},
		{"user/DocumentReference.r", "POST", "/fhir", entry("GET", "DocumentReference/x"), false},
	} {
		w.as(t, c.scope)
		pairs := []string{"Content-Type", ""}
		if c.body != "" {
			pairs[1] = "application/fhir+json"
		}
		res, body := w.ask(c.method, c.path, c.body, pairs...)
		scope := strings.Contains(res.Header.Get("WWW-Authenticate"), "insufficient_scope")
		if scope != c.refused || c.refused && res.StatusCode != http.StatusForbidden {
			t.Errorf("%q, %s %s: %d %s", c.scope, c.method, c.path, res.StatusCode, body)
		}
	}
}

// An entry of a batch beyond the scopes is refused by itself, as it would be alone.
func TestTK21ScopeCapsEntriesOfABatch(t *testing.T) {
	w := startScoped(t)
	w.as(t, "user/DocumentReference.r")
	var entries []string
	cases := []struct{ method, url, status string }{
		{"GET", "DocumentReference/x", "404 Not Found"},
		{"GET", "DocumentReference?" + onePatient, "403 Forbidden"},
		{"GET", "Patient/x", "403 Forbidden"},
		{"DELETE", "DocumentReference/x", "403 Forbidden"},
		{"GET", "Observation/x", "404 Not Found"},
		{"GET", "metadata", "200 OK"},
	}
	for _, c := range cases {
		entries = append(entries, `{"request":{"method":"`+c.method+`","url":"`+c.url+`"}}`)
	}
	res, body := w.ask("POST", "/fhir", `{"resourceType":"Bundle","type":"batch","entry":[`+strings.Join(entries, ",")+`]}`, "Content-Type", "application/fhir+json")
	var got struct {
		Entry []struct{ Response struct{ Status string } }
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != http.StatusOK || len(got.Entry) != len(cases) {
		t.Fatalf("%d %v %s", res.StatusCode, err, body)
	}
	for i, c := range cases {
		if status := got.Entry[i].Response.Status; status != c.status {
			t.Errorf("%s %s: %s, want %s", c.method, c.url, status, c.status)
		}
	}
}
