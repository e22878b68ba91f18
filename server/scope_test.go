package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/server"
)

// TK21: a token is good for its scopes only, whatever the policy would allow.
func TestTK21ScopeCapsRequests(t *testing.T) {
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
	w := start(t, func(c *server.Config) { c.Verifier = verifier })
	const patient = "patient.identifier=urn:oid:1.2.250.1.213.1.4.10%7C285047511200116"
	entry := func(method, url string) string {
		return `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"` + method + `","url":"` + url + `"}}]}`
	}
	for _, c := range []struct {
		scope, method, path, body string
		refused                   bool
	}{
		{"user/DocumentReference.r", "GET", "/fhir/DocumentReference?" + patient, "", true},
		{"user/DocumentReference.s", "GET", "/fhir/DocumentReference?" + patient, "", false},
		{"user/DocumentReference.r", "GET", "/fhir/DocumentReference/x", "", false},
		{"user/DocumentReference.s", "GET", "/fhir/DocumentReference/x", "", true},
		{"user/Patient.rs", "GET", "/fhir/DocumentReference/x", "", true},
		{"system/*.cruds", "GET", "/fhir/DocumentReference/x", "", true},
		{"user/DocumentReference.rs", "DELETE", "/fhir/DocumentReference/x", "", true},
		{"", "GET", "/fhir/DocumentReference/x", "", true},
		{"user/DocumentReference.s", "GET", "/fhir/DocumentReference?" + patient + "&_include=DocumentReference:patient", "", true},
		{"user/*.rs", "GET", "/fhir/DocumentReference?" + patient + "&_include=DocumentReference:patient", "", false},
		{"user/DocumentReference.cruds", "POST", "/fhir", entry("GET", "Patient/x"), true},
		{"user/DocumentReference.r", "POST", "/fhir", entry("DELETE", "DocumentReference/x"), true},
		{"user/DocumentReference.r", "POST", "/fhir", entry("GET", "DocumentReference?"+patient), true},
		{"user/DocumentReference.r", "POST", "/fhir", entry("GET", "DocumentReference/x"), false},
	} {
		physician := auth.Coding{System: auth.SystemProfession, Code: "10"}
		token, err := signer.Sign(auth.Claims{
			Subject: "medecin", Scope: &c.scope,
			Extensions: auth.Extensions{IUA: auth.IUA{
				SubjectName: marker, Provider: "urn:oid:1.2.250.1.71.4.2.1|8889990000010",
				Purpose: []auth.Coding{{System: auth.SystemActReason, Code: "TREAT"}},
			}},
			DMP: auth.DMP{Kind: "professional", Profession: &physician},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.token = token
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
