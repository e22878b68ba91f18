package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"opendmp/auth"
	"opendmp/issuer"
	"opendmp/server"
)

// houses is a sandbox with each kind of listener and an authorisation server.
type houses struct {
	*fort
	hospital *rsa.PrivateKey // of its assertions
	clear    string
	base     string // of plan
}

func openHouses(t *testing.T) *houses {
	t.Helper()
	h := &houses{fort: &fort{t: t, pki: newPKI(t), log: &lockedBuffer{}}}
	var err error
	h.hospital, err = rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	check(t, os.WriteFile(h.pki.file("clients.json"), fmt.Appendf(nil, `[{"client_id":"h","client_name":"H","kind":"establishment","status":"active","scope":"system/*.cruds",
		"structures":["urn:oid:1.2.250.1.71.4.2.2|1750000003"],"jwks":{"keys":[{"kty":"RSA","use":"sig","kid":"k","e":"AQAB","n":"%s"}]}}]`, base64.RawURLEncoding.EncodeToString(h.hospital.N.Bytes())), 0o600))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	s := settings{Sandbox: true, Data: t.TempDir(), Clients: h.pki.file("clients.json"), TLS: h.pki.settings()}
	o, err := openSandbox(t.Context(), s, l.Addr(), slog.New(slog.DiscardHandler), io.Discard)
	check(t, err)
	h.secure, h.clear, h.clock, h.base = o.tls, "http://"+l.Addr().String(), o.plan.clock, o.plan.base
	h.signer, err = sandboxSigner(s.Data, auth.LoadKey, o.plan.clock)
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return h
}

// at is the app of a patient that calls a listener by the name that it is known by.
func (h *houses) at(face string) *app {
	a := h.app(face)
	a.base = h.secure.url(face)
	return a
}

// asksAs sends a request with a token of the app and a proof for the URL that is called.
func (a *app) asksAs(token, method, path, mime, body string) (*http.Response, string) {
	a.t.Helper()
	target, _, _ := strings.Cut(a.base+path, "?")
	r, err := http.NewRequest(method, a.base+path, strings.NewReader(body))
	check(a.t, err)
	if mime != "" {
		r.Header.Set("Content-Type", mime)
	}
	r.Header.Set("Authorization", "DPoP "+token)
	r.Header.Set("DPoP", a.proof("", token, func(_, claims map[string]any) { claims["htu"], claims["htm"] = target, method }))
	res, err := a.c.Do(r)
	check(a.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	check(a.t, err)
	return res, string(text)
}

// sandboxToken asks the listener for a token that is bound to the key of the app.
func (a *app) sandboxToken(persona string) string {
	a.t.Helper()
	form := url.Values{"as": {persona}}.Encode()
	r, err := http.NewRequest(http.MethodPost, a.base+tokenPath, strings.NewReader(form))
	check(a.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("DPoP", a.proof("", "", func(_, claims map[string]any) {
		claims["htu"], claims["htm"] = a.base+tokenPath, "POST"
		delete(claims, "ath")
	}))
	res, err := a.c.Do(r)
	check(a.t, err)
	defer res.Body.Close()
	var given struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
	}
	check(a.t, json.NewDecoder(res.Body).Decode(&given))
	if given.Type != "DPoP" || given.Token == "" {
		a.t.Fatalf("%d: a token of the type %q", res.StatusCode, given.Type)
	}
	return given.Token
}

// Each listener answers with its own base: what a patient is told to follow they can
// reach. A proof is for the URL that is called, and what is stored is the same whichever
// base a request was written with.
func TestEachListenerHasItsBase(t *testing.T) {
	h := openHouses(t)
	patients, card := h.at("tls-patient"), h.pki.holder("cps-medecin-martin")
	token := patients.sandboxToken("patient-alix")
	const search = anySearch + "&_count=3"

	res, page := patients.asksAs(token, "GET", search, "", "")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("a proof for the URL that is called: %d %s", res.StatusCode, page)
	}
	var found struct {
		Link  []struct{ Relation, URL string }
		Entry []struct {
			FullURL  string `json:"fullUrl"`
			Resource struct {
				Subject struct{ Reference string }
			}
		}
	}
	check(t, json.Unmarshal([]byte(page), &found))
	next := ""
	for _, l := range found.Link {
		if !strings.HasPrefix(l.URL, patients.base+"/fhir/") {
			t.Errorf("the link %s leads to %s", l.Relation, l.URL)
		}
		if l.Relation == "next" {
			next = strings.TrimPrefix(l.URL, patients.base)
		}
	}
	if next == "" || len(found.Entry) != 3 {
		t.Fatalf("no second page: %s", page)
	}
	for _, e := range found.Entry {
		if !strings.HasPrefix(e.FullURL, patients.base+"/fhir/") {
			t.Errorf("fullUrl %s", e.FullURL)
		}
	}
	if res, body := patients.asksAs(token, "GET", next, "", ""); res.StatusCode != http.StatusOK {
		t.Errorf("next: %d %s", res.StatusCode, body)
	}
	for _, base := range []string{patients.base, h.secure.url("tls-pro"), h.clear} {
		in := "/fhir/DocumentReference?patient=" + url.QueryEscape(base+"/fhir/"+found.Entry[0].Resource.Subject.Reference)
		if res, body := patients.asksAs(token, "GET", in, "", ""); res.StatusCode != http.StatusOK || !strings.Contains(body, `"resourceType":"DocumentReference"`) {
			t.Errorf("a patient by their address under %s: %d %s", base, res.StatusCode, body)
		}
		batch := fmt.Sprintf(`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"%s%s"}}]}`, base, anySearch)
		if res, body := patients.asksAs(token, "POST", "/fhir", "application/fhir+json", batch); res.StatusCode != http.StatusOK || !strings.Contains(body, `"status":"200 OK"`) || strings.Contains(body, `"url":"`+h.secure.url("tls-pro")) {
			t.Errorf("a batch with addresses under %s: %d %.600s", base, res.StatusCode, body)
		}
	}

	for i, base := range []string{h.secure.url("tls-pro"), h.clear} {
		patch := base64.StdEncoding.EncodeToString(readFile(t, "../../docs/examples/masquer.json"))
		ref := strings.TrimPrefix(found.Entry[i].FullURL, patients.base)
		mask := fmt.Sprintf(`{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"%s%s","resource":{"resourceType":"Binary","contentType":"application/json-patch+json","data":"%s"},
			"request":{"method":"PATCH","url":"%s%s"}}]}`, base, ref, patch, base, ref)
		if res, body := patients.asksAs(token, "POST", "/fhir", "application/fhir+json", mask); res.StatusCode != http.StatusOK || strings.Contains(body, base+"/") {
			t.Errorf("a transaction with addresses under %s: %d %.600s", base, res.StatusCode, body)
		}
	}

	public := func(c *http.Client, base, path string) string {
		res, err := c.Get(base + path)
		check(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		check(t, err)
		return string(body)
	}
	for base, c := range map[string]*http.Client{patients.base: patients.c, h.secure.url("tls-pro"): h.visit("tls-pro", card).c, h.clear: http.DefaultClient} {
		var capability struct{ Implementation struct{ URL string } }
		check(t, json.Unmarshal([]byte(public(c, base, "/fhir/metadata")), &capability))
		var smart, oauth struct {
			Issuer string
			Token  string `json:"token_endpoint"`
		}
		check(t, json.Unmarshal([]byte(public(c, base, "/fhir/.well-known/smart-configuration")), &smart))
		check(t, json.Unmarshal([]byte(public(c, base, issuer.MetadataPath)), &oauth))
		own := strings.TrimSuffix(h.base, "/fhir")
		if capability.Implementation.URL != base+"/fhir" || smart.Token != base+issuer.TokenPath || oauth.Token != smart.Token || smart.Issuer != own || oauth.Issuer != own {
			t.Errorf("%s says %+v, %+v, %+v", base, capability, smart, oauth)
		}
	}
}

// The token endpoint is reached by each of its URLs: a proof is for the one that is
// called, an assertion for any of them.
func TestTokenEndpointOfEachListener(t *testing.T) {
	h := openHouses(t)
	a := h.at("tls-patient")
	for name, c := range map[string]struct {
		proof, audience string
		want            int
	}{
		"as called":            {a.base, a.base, http.StatusOK},
		"the assertion's pro":  {a.base, h.secure.url("tls-pro"), http.StatusOK},
		"the proof's pro":      {h.secure.url("tls-pro"), a.base, http.StatusBadRequest},
		"another's assertion":  {a.base, "https://evil.example", http.StatusUnauthorized},
		"a proof for another":  {"https://evil.example", a.base, http.StatusBadRequest},
		"an assertion of none": {a.base, "", http.StatusUnauthorized},
	} {
		assertion := jwt.NewWithClaims(jwt.SigningMethodRS384, jwt.MapClaims{
			"iss": "h", "sub": "h", "aud": c.audience + issuer.TokenPath, "jti": rand.Text(), "exp": time.Now().Add(time.Minute).Unix(),
		})
		assertion.Header["kid"] = "k"
		signed, err := assertion.SignedString(h.hospital)
		check(t, err)
		form := url.Values{
			"grant_type": {"client_credentials"}, "client_assertion": {signed},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		}
		r, err := http.NewRequest(http.MethodPost, a.base+issuer.TokenPath, strings.NewReader(form.Encode()))
		check(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("DPoP", a.proof("", "", func(_, claims map[string]any) {
			claims["htu"], claims["htm"] = c.proof+issuer.TokenPath, "POST"
			delete(claims, "ath")
		}))
		res, err := a.c.Do(r)
		check(t, err)
		body, err := io.ReadAll(res.Body)
		check(t, err)
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %d %s, want %d", name, res.StatusCode, body, c.want)
		}
	}
}

// At the address of the patients only they and their representatives get in, whatever
// their tokens are bound to: who has a certificate comes with it.
func TestPatientsOnly(t *testing.T) {
	h := openHouses(t)
	a := h.at("tls-patient")
	for persona, want := range map[string]int{
		"patient-alix": http.StatusOK, "medecin-martin": http.StatusUnauthorized, "hopital-nord": http.StatusUnauthorized,
	} {
		for name, token := range map[string]string{"DPoP": a.sandboxToken(persona), "Bearer": a.tokenOf(persona, nil)} {
			var status int
			var body []byte
			if name == "DPoP" {
				res, text := a.asksAs(token, "GET", anySearch, "", "")
				status, body = res.StatusCode, []byte(text)
			} else {
				status, _, body = a.ask(anySearch, name, token)
			}
			if status != want || want != http.StatusOK && !bytes.Contains(body, []byte("celle des patients")) {
				t.Errorf("%s by %s: %d %.300s", persona, name, status, body)
			}
		}
	}
	if res, body := a.asksAs(a.sandboxToken("representative-lambert"), "GET", anySearch, "", ""); res.StatusCode == http.StatusUnauthorized {
		t.Errorf("a representative: %s", body)
	}
	card := h.pki.holder("cps-medecin-martin")
	h.visit("tls-pro", card).holding(h.fort, "medecin-martin", card.Leaf).letIn(anySearch)
}

// A real service leads patients to the address that is theirs, and answers in clear
// whether it is well, and nothing else.
func TestProductionTellsPatientsTheirAddress(t *testing.T) {
	p := newProduction(t)
	at := p.start()
	c := &http.Client{Timeout: 10 * time.Second, Transport: p.as("", "org-hopital-nord").c.Transport}
	for face, want := range map[string]string{"tls-pro": p.settings["base"].(string), "tls-patient": p.settings["base-patient"].(string)} {
		res, err := c.Get("https://" + at[face] + "/fhir/metadata")
		check(t, err)
		body, err := io.ReadAll(res.Body)
		check(t, err)
		res.Body.Close()
		if !strings.Contains(string(body), `"url":"`+want+`"`) {
			t.Errorf("%s does not say %s", face, want)
		}
	}
	token := p.token("patient-alix", "", "", "")
	for path, want := range map[string]int{
		"/health": 200, "/fhir/metadata": 404, anySearch: 404, "/fhir": 404, "/x": 404, issuer.MetadataPath: 404, issuer.KeysPath: 404,
	} {
		r, err := http.NewRequest(http.MethodGet, "http://"+at[""]+path, nil)
		check(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(r)
		check(t, err)
		body, err := io.ReadAll(res.Body)
		check(t, err)
		res.Body.Close()
		if res.StatusCode != want || want == 404 && !strings.Contains(string(body), "https") {
			t.Errorf("in clear, %s: %d %s", path, res.StatusCode, body)
		}
	}
}

// Behind a proxy, who comes without a certificate is held to what is for patients: a
// professional does not get in by a key alone.
func TestPatientsOnlyBehindAProxy(t *testing.T) {
	var proxy tls.Certificate
	f := fortify(t, func(s *tlsSettings, p *plan) {
		proxy = proxyCertificate(t)
		leaf, err := x509.ParseCertificate(proxy.Certificate[0])
		check(t, err)
		s.Proxy, s.Proxies = "127.0.0.1:0", []string{server.Thumbprint(leaf)}
		p.bases = server.Bases{Patient: "https://patients.dmp.test/fhir"}
	})
	a := f.app("tls-mandataire")
	a.visitor = f.visit("tls-mandataire", proxy)
	const path = "/fhir/DocumentReference"
	for persona, in := range map[string]bool{"patient-alix": true, "medecin-martin": false} {
		token := a.mine(persona)
		proof := a.proof(path, token, func(_, claims map[string]any) { claims["htu"] = "https://patients.dmp.test" + path })
		if status, _, body := a.ask(anySearch, "DPoP", token, proof); (status != http.StatusUnauthorized) != in {
			t.Errorf("%s: %d %s", persona, status, body)
		}
	}
}
