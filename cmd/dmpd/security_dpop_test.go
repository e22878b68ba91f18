package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"opendmp/auth"
	"opendmp/sandbox"
	"opendmp/server"
)

// fortOrigin is where clients know the server of a fort, whatever its ports are.
const fortOrigin = "http://127.0.0.1"

// app is the software of a patient: it has no certificate, and a key of its own.
type app struct {
	*visitor
	f   *fort
	key *ecdsa.PrivateKey
	jwk map[string]any
	n   int
}

func (f *fort) app(face string) *app {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(f.t, err)
	point, err := key.PublicKey.Bytes()
	check(f.t, err)
	b64 := base64.RawURLEncoding.EncodeToString
	return &app{visitor: f.visit(face), f: f, key: key, jwk: map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}}
}

// thumbprint is the RFC 7638 thumbprint of the key.
func (a *app) thumbprint() string {
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, a.jwk["x"], a.jwk["y"]))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// tokenOf returns a token of a persona with a confirmation, nil for a bearer token.
func (a *app) tokenOf(persona string, bound *auth.Confirmation) string {
	a.t.Helper()
	p, ok := sandbox.Lookup(persona)
	if !ok {
		a.t.Fatal("no", persona)
	}
	c := p.Claims("", "")
	c.Confirmation = bound
	token, err := a.f.signer.Sign(c)
	check(a.t, err)
	return token
}

// mine returns a token of a persona that is bound to the key of the app.
func (a *app) mine(persona string) string {
	return a.tokenOf(persona, &auth.Confirmation{Key: a.thumbprint()})
}

// proof returns a good proof for a GET with a token, after a test bent it.
func (a *app) proof(path, token string, bend func(header, claims map[string]any)) string {
	a.t.Helper()
	a.n++
	sum := sha256.Sum256([]byte(token))
	claims := jwt.MapClaims{
		"jti": fmt.Sprint(a.thumbprint()[:8], a.n), "htm": "GET", "htu": fortOrigin + path, "iat": time.Now().Unix(),
		"ath": base64.RawURLEncoding.EncodeToString(sum[:]),
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	t.Header["typ"], t.Header["jwk"] = "dpop+jwt", a.jwk
	if bend != nil {
		bend(t.Header, claims)
	}
	signed, err := t.SignedString(a.key)
	check(a.t, err)
	return signed
}

// ask sends a GET with a token and proofs, and returns status, challenge and body.
func (a *app) ask(url, scheme, token string, proofs ...string) (int, string, []byte) {
	a.t.Helper()
	r, err := http.NewRequest(http.MethodGet, a.base+url, nil)
	check(a.t, err)
	r.Header.Set("Authorization", scheme+" "+token)
	r.Header["Dpop"] = proofs
	res, err := a.c.Do(r)
	check(a.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	check(a.t, err)
	return res.StatusCode, res.Header.Get("WWW-Authenticate"), body
}

// fortifyLoaded is fortify with the dossiers of the cast.
func fortifyLoaded(t *testing.T) *fort {
	t.Helper()
	return fortify(t, func(_ *tlsSettings, p *plan) {
		signer, err := sandboxSigner(p.data, auth.LoadKey, p.clock)
		check(t, err)
		open := *p
		open.issuers = []auth.Issuer{signer.Trust()}
		check(t, load(t.Context(), open, signer, io.Discard))
	})
}

// TK18: the app of a patient reads with a token that is bound to its key, on the face
// that asks for no certificate; each request needs a proof that was made for it alone.
func TestTK18ProofsOfPatients(t *testing.T) {
	f := fortifyLoaded(t)
	a := f.app("tls-patient")
	const path = "/fhir/DocumentReference"
	search := anySearch // of Alix
	token := a.mine("patient-alix")

	status, _, body := a.ask(search, "DPoP", token, a.proof(path, token, nil))
	var found struct{ Total int }
	if check(t, json.Unmarshal(body, &found)); status != http.StatusOK || found.Total == 0 {
		t.Fatalf("a good proof: %d %s", status, body)
	}
	if status, _, _ := a.ask(search, "dpop", token, a.proof(path, token, nil)); status != http.StatusOK {
		t.Errorf("the scheme in small letters: %d", status)
	}

	other, thief := a.mine("patient-alix"), f.app("tls-patient")
	used := a.proof(path, token, nil)
	if status, _, _ := a.ask(search, "DPoP", token, used); status != http.StatusOK {
		t.Fatalf("before it is replayed: %d", status)
	}
	set := func(name string, value any) string {
		return a.proof(path, token, func(_, claims map[string]any) { claims[name] = value })
	}
	bad, bearer := `DPoP realm="dmp", error="invalid_dpop_proof", algs="ES256 ES384 PS256"`, `DPoP realm="dmp", error="invalid_token"`
	for name, c := range map[string]struct {
		scheme, token string
		proofs        []string
		challenge     string
	}{
		"replayed":                    {"DPoP", token, []string{used}, bad},
		"htm of another method":       {"DPoP", token, []string{set("htm", "POST")}, bad},
		"htm in small letters":        {"DPoP", token, []string{set("htm", "get")}, bad},
		"htu of another path":         {"DPoP", token, []string{a.proof("/fhir/Patient", token, nil)}, bad},
		"htu of a resource":           {"DPoP", token, []string{a.proof(path+"/x", token, nil)}, bad},
		"htu with the query":          {"DPoP", token, []string{a.proof(search, token, nil)}, bad},
		"htu of the port":             {"DPoP", token, []string{set("htu", a.base+path)}, bad},
		"htu of another host":         {"DPoP", token, []string{set("htu", "http://evil.example"+path)}, bad},
		"61 seconds old":              {"DPoP", token, []string{set("iat", time.Now().Unix()-62)}, bad},
		"ten minutes old":             {"DPoP", token, []string{set("iat", time.Now().Unix()-600)}, bad},
		"of the future":               {"DPoP", token, []string{set("iat", time.Now().Unix()+90)}, bad},
		"ath of another token":        {"DPoP", token, []string{a.proof(path, other, nil)}, bad},
		"no ath":                      {"DPoP", token, []string{set("ath", "")}, bad},
		"no jti":                      {"DPoP", token, []string{set("jti", "")}, bad},
		"another key":                 {"DPoP", token, []string{thief.proof(path, token, nil)}, bad},
		"the header of the right key": {"DPoP", token, []string{thief.proof(path, token, func(h, _ map[string]any) { h["jwk"] = a.jwk })}, bad},
		"no proof":                    {"DPoP", token, nil, bad},
		"two proofs":                  {"DPoP", token, []string{a.proof(path, token, nil), a.proof(path, token, nil)}, bad},
		"the token as a proof":        {"DPoP", token, []string{token}, bad},
		"as a bearer token":           {"Bearer", token, []string{a.proof(path, token, nil)}, bad},
		"TK17 a bearer token":         {"Bearer", a.tokenOf("patient-alix", nil), nil, bearer},
		"TK17 a bearer token, proved": {"DPoP", a.tokenOf("patient-alix", nil), []string{a.proof(path, a.tokenOf("patient-alix", nil), nil)}, bearer},
		"TK17 of a certificate":       {"Bearer", a.tokenOf("patient-alix", &auth.Confirmation{Certificate: a.thumbprint()}), nil, bearer},
		"altered":                     {"DPoP", token[:len(token)-4] + "AAAA", []string{a.proof(path, token, nil)}, bearer},
	} {
		status, challenge, body := a.ask(search, c.scheme, c.token, c.proofs...)
		if status != http.StatusUnauthorized || !strings.Contains(challenge, c.challenge) || strings.Contains(string(body), "DocumentReference") {
			t.Errorf("%s: %d, %s", name, status, challenge)
		}
	}
	if status, _, _ := f.app("tls-patient").ask(search, "DPoP", token, used); status != http.StatusUnauthorized {
		t.Errorf("replayed on another connection: %d", status)
	}
	if status, challenge, _ := a.ask(search, "Basic", "x"); status != http.StatusUnauthorized || !strings.Contains(challenge, `DPoP realm="dmp", algs=`) || strings.Contains(challenge, "error") {
		t.Errorf("nothing: %d %s", status, challenge)
	}
}

// TK18: on the face for professionals a proof does not stand in for the certificate, and
// the two must not contradict each other.
func TestTK18ProofsOfProfessionals(t *testing.T) {
	f := fortify(t, nil)
	const path = "/fhir/DocumentReference"
	f.app("tls-pro").alerted("a key without a certificate")
	for name, c := range map[string]struct {
		holder, persona string
		in              bool
	}{
		"her card":          {"cps-medecin-martin", "medecin-martin", true},
		"the card of other": {"cps-medecin-durand", "medecin-martin", false},
		"her practice":      {"org-cabinet-centre", "medecin-martin", true},
		"a hospital":        {"org-hopital-nord", "hopital-nord", true},
		"another hospital":  {"org-hopital-sud", "hopital-nord", false},
		"a regulator":       {"cps-samu-garnier", "samu-garnier", false},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.app("tls-pro")
			a.visitor = f.visit("tls-pro", f.pki.holder(c.holder))
			token := a.mine(c.persona)
			status, _, _ := a.ask(anySearch, "DPoP", token, a.proof(path, token, nil))
			if (status == http.StatusUnauthorized) == c.in || status >= 500 {
				t.Errorf("%d", status)
			}
			if status, _, _ := a.ask(anySearch, "DPoP", token); status != http.StatusUnauthorized {
				t.Errorf("without a proof: %d", status)
			}
			bound := a.tokenOf(c.persona, &auth.Confirmation{Certificate: server.Thumbprint(f.pki.holder(c.holder).Leaf)})
			if status, _, _ := a.ask(anySearch, "DPoP", bound, a.proof(path, bound, nil)); status != http.StatusUnauthorized {
				t.Errorf("a proof of a token of a certificate: %d", status)
			}
		})
	}
	f.visit("tls-patient").holding(f, "medecin-martin", nil).is(http.StatusUnauthorized, anySearch)
}
