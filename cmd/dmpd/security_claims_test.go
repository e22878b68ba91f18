package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"opendmp/auth"
	"opendmp/sandbox"
	"opendmp/server"
)

// TK05: a token without an end, or outside its time by more than two clocks may differ
// by, is nobody's.
func TestTK05TimesOfTokens(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	f := fortify(t, func(_ *tlsSettings, p *plan) {
		p.issuers = []auth.Issuer{{
			Issuer: idpName, Audience: idpAudience, Algorithms: []string{"ES256"}, Keys: auth.Keys{"k1": &key.PublicKey}.Key,
		}}
	})
	now := time.Now().Truncate(time.Second)
	f.clock.set(now)
	card := f.pki.holder("cps-medecin-martin")
	physician, _ := sandbox.Lookup("medecin-martin")
	v := f.visit("tls-pro", card)
	at := func(d time.Duration) any { return now.Add(d).Unix() }
	for name, c := range map[string]struct {
		times map[string]any
		in    bool
	}{
		"good":                        {map[string]any{"iat": at(0), "exp": at(time.Hour)}, true},
		"with nbf":                    {map[string]any{"iat": at(0), "nbf": at(0), "exp": at(time.Hour)}, true},
		"exp past, within the leeway": {map[string]any{"iat": at(-time.Hour), "exp": at(-29 * time.Second)}, true},
		"no exp":                      {map[string]any{"iat": at(0)}, false},
		"exp null":                    {map[string]any{"iat": at(0), "exp": nil}, false},
		"exp 0":                       {map[string]any{"iat": at(0), "exp": 0}, false},
		"exp a string":                {map[string]any{"iat": at(0), "exp": "4102444800"}, false},
		"exp past":                    {map[string]any{"iat": at(-time.Hour), "exp": at(-31 * time.Second)}, false},
		"exp long past":               {map[string]any{"iat": at(-48 * time.Hour), "exp": at(-47 * time.Hour)}, false},
		"exp in a year":               {map[string]any{"iat": at(0), "exp": at(365 * 24 * time.Hour)}, false},
		"nbf future":                  {map[string]any{"iat": at(0), "nbf": at(31 * time.Second), "exp": at(time.Hour)}, false},
		"iat future":                  {map[string]any{"iat": at(31 * time.Second), "exp": at(time.Hour)}, false},
		"no iat":                      {map[string]any{"exp": at(time.Hour)}, false},
	} {
		claims := physician.Claims("", "")
		all := jwt.MapClaims{
			"iss": idpName, "aud": idpAudience, "sub": claims.Subject, "jti": "j1", "extensions": claims.Extensions, "opendmp": claims.DMP,
			"cnf": map[string]string{"x5t#S256": server.Thumbprint(card.Leaf)},
		}
		for claim, value := range c.times {
			all[claim] = value
		}
		token := jwt.NewWithClaims(jwt.SigningMethodES256, all)
		token.Header["typ"], token.Header["kid"] = "at+jwt", "k1"
		v.token, err = token.SignedString(key)
		check(t, err)
		res, err := v.get(anySearch)
		check(t, err)
		if (res.StatusCode != http.StatusUnauthorized) != c.in || res.StatusCode >= 500 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

// TK15: a role, a mode or a person is what the token says; what a header or a parameter
// says of them is not looked at, or refused for being unknown, and opens nothing.
func TestTK15RolesOutsideTheToken(t *testing.T) {
	w := openWorld(t)
	masked := w.doc("alix-masque")
	search := "DocumentReference?patient=" + w.patient("patient-alix")
	for _, who := range []string{"pharmacien-dubois", "medecin-travail-colin", "hopital-sud", "patient-basile"} {
		plain, found := w.as(who).get(masked).is(404), w.as(who).get(search)
		for name, value := range map[string]string{
			"X-Role": "10", "SubjectRole": "10^1.2.250.1.213.1.1.5.5", "X-Subject-Role": "medecin", "X-User": "8899900000010",
			"X-Remote-User": "patient-alix", "X-Forwarded-User": "patient-alix", "X-Purpose-Of-Use": "bris_de_glace",
			"X-DMP-Mode-Acces": "bris_de_glace", "X-Admin": "true", "X-Original-Authorization": "Bearer x", "X-Scope": "system/*.cruds",
			"X-Profession": "10", "VIHF": "<saml:Assertion/>", "Cookie": "role=admin", "From": "patient-alix@dmp.test",
		} {
			if got := w.as(who).with(name, value).get(masked); got.status != plain.status || string(got.body) != string(plain.body) {
				t.Errorf("%s with %s: %d %s", who, name, got.status, got.body)
			}
			if got := w.as(who).with(name, value).get(search); got.status != found.status || got.at("total") != found.at("total") {
				t.Errorf("%s searches with %s: %d, %s instead of %s", who, name, got.status, got.at("total"), found.at("total"))
			}
		}
		for _, parameter := range []string{"_role=10", "SubjectRole=10", "role=medecin", "purpose_of_use=bris_de_glace", "as=patient-alix", "_as=patient-alix", "profession=10"} {
			w.as(who).get(masked + "?" + parameter).is(400)
			w.as(who).get(search + "&" + parameter).is(400)
			got := w.as(who).with("Prefer", "handling=lenient").get(search + "&" + parameter)
			if got.status != found.status || got.at("total") != found.at("total") {
				t.Errorf("%s searches with %s: %d, %s instead of %s", who, parameter, got.status, got.at("total"), found.at("total"))
			}
		}
	}
}

// TK27: a token in a URL is not taken, on no listener, and stands in no log.
func TestTK27TokensInURLs(t *testing.T) {
	f := fortify(t, nil)
	card := f.pki.holder("cps-medecin-martin")
	v := f.visit("tls-pro", card).holding(f, "medecin-martin", card.Leaf)
	v.letIn(anySearch)
	token := v.token
	for _, name := range []string{"access_token", "ACCESS_TOKEN", "acc%65ss_token", "token", "authorization", "bearer_token"} {
		url := anySearch + "&" + name + "=" + token
		v.token = ""
		res := v.is(http.StatusUnauthorized, url)
		// RFC 6750 §3: a way that is not served is no way, and has no error code.
		if challenge := res.Header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer ") || strings.Contains(challenge, "error") {
			t.Errorf("%s: %q", name, challenge)
		}
		f.visit("tls-patient").is(http.StatusUnauthorized, url)
		v.token = token
		v.is(http.StatusBadRequest, url) // §3.1: more than one way at once
	}
	if log := f.log.String(); strings.Contains(log, token) || strings.Contains(log, token[strings.LastIndex(token, ".")+1:]) {
		t.Error("a token is in the log")
	}
}
