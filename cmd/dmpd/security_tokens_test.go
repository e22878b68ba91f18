package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenWorld is a real service with an authorisation server and one client, a hospital
// with a key that binds its tokens by DPoP.
type tokenWorld struct {
	t       *testing.T
	s       settings
	at      string // of the listener
	key     *ecdsa.PrivateKey
	jwk     map[string]any
	serials int
	log     lockedBuffer
}

func newTokenWorld(t *testing.T) *tokenWorld {
	t.Helper()
	w := &tokenWorld{t: t, s: realService(t)}
	var err error
	w.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	point, err := w.key.PublicKey.Bytes()
	w.must(err)
	b64 := base64.RawURLEncoding.EncodeToString
	w.jwk = map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	registered := map[string]any{"kid": "k1", "use": "sig"}
	for name, value := range w.jwk {
		registered[name] = value
	}
	clients, err := json.Marshal([]any{map[string]any{
		"client_id": "hopital", "client_name": "Hôpital Sud", "kind": "establishment", "status": "active",
		"jwks": map[string]any{"keys": []any{registered}}, "scope": "system/DocumentReference.crus",
		"structures": []string{"urn:oid:1.2.250.1.71.4.2.2|1750000002"}, "cme_decision": "CME-1", "cme_decision_date": "2026-03-01",
	}})
	w.must(err)
	w.s.Clients = filepath.Join(t.TempDir(), "clients.json")
	w.must(os.WriteFile(w.s.Clients, clients, 0o600))
	return w
}

// serve runs the service until the test ends.
func (w *tokenWorld) serve() {
	w.t.Helper()
	p, err := realPlan(w.s, slog.New(slog.NewJSONHandler(&w.log, nil)))
	w.must(err)
	p.clear = true // the listeners under TLS have tests of their own
	i, err := assemble(context.Background(), p)
	w.must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.at = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.serve(ctx, l) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
}

func (w *tokenWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *tokenWorld) sign(header, claims map[string]any) string {
	w.t.Helper()
	w.serials++
	claims["jti"] = fmt.Sprint("j", w.serials)
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims(claims))
	for name, value := range header {
		t.Header[name] = value
	}
	signed, err := t.SignedString(w.key)
	w.must(err)
	return signed
}

// proof is a new proof for a request to the service as clients know it.
func (w *tokenWorld) proof(method, path, token string) string {
	claims := map[string]any{"htm": method, "htu": "https://dmp.example.org" + path, "iat": time.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return w.sign(map[string]any{"typ": "dpop+jwt", "jwk": w.jwk}, claims)
}

// post sends a form that the client proves itself in.
func (w *tokenWorld) post(path string, form url.Values) (int, map[string]any) {
	w.t.Helper()
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", w.sign(map[string]any{"kid": "k1"}, map[string]any{
		"iss": "hopital", "sub": "hopital", "aud": "https://dmp.example.org/oauth2/token", "exp": time.Now().Add(time.Minute).Unix(),
	}))
	r, err := http.NewRequest(http.MethodPost, w.at+path, strings.NewReader(form.Encode()))
	w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("DPoP", w.proof("POST", path, ""))
	status, body := w.send(r)
	var answer map[string]any
	w.must(json.Unmarshal([]byte(body), &answer))
	return status, answer
}

func (w *tokenWorld) send(r *http.Request) (int, string) {
	w.t.Helper()
	res, err := http.DefaultClient.Do(r)
	w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	w.must(err)
	return res.StatusCode, string(body)
}

// read asks for a document with a credential.
func (w *tokenWorld) read(query, authorization, proof string) int {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodGet, w.at+"/fhir/DocumentReference/absent"+query, nil)
	w.must(err)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	status, _ := w.send(r)
	return status
}

// A token of the authorisation server serves with a proof, once for each; without, in a
// query, or taken back, it does not.
func TestTokensOverHTTP(t *testing.T) {
	w := newTokenWorld(t)
	w.serve()
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/oauth2/jwks", "/fhir/.well-known/smart-configuration"} {
		r, err := http.NewRequest(http.MethodGet, w.at+path, nil)
		w.must(err)
		if status, body := w.send(r); status != http.StatusOK || !json.Valid([]byte(body)) || path != "/oauth2/jwks" && !strings.Contains(body, `"https://dmp.example.org/oauth2/token"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	status, answer := w.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"system/*.cruds"}})
	token, _ := answer["access_token"].(string)
	if status != http.StatusOK || answer["token_type"] != "DPoP" || answer["scope"] != "system/DocumentReference.crus" {
		t.Fatalf("%d %v", status, answer)
	}
	const path = "/fhir/DocumentReference/absent"
	once := w.proof("GET", path, token)
	for _, c := range []struct {
		name, query, authorization, proof string
		want                              int
	}{
		{"with a proof", "", "DPoP " + token, once, http.StatusNotFound},
		{"TK18 the same proof", "", "DPoP " + token, once, http.StatusUnauthorized},
		{"TK18 of another path", "", "DPoP " + token, w.proof("GET", "/fhir/Patient/x", token), http.StatusUnauthorized},
		{"TK17 as a bearer token", "", "Bearer " + token, "", http.StatusUnauthorized},
		{"TK17 without proof", "", "DPoP " + token, "", http.StatusUnauthorized},
		{"TK02 without signature", "", "DPoP " + token[:strings.LastIndex(token, ".")], once, http.StatusUnauthorized},
		{"TK27 in the query", "?access_token=" + token, "", "", http.StatusUnauthorized},
		{"TK27 in the query and in the header", "?access_token=" + token, "DPoP " + token, w.proof("GET", path, token), http.StatusBadRequest}, // RFC 6750 §3.1: two ways at once
	} {
		if got := w.read(c.query, c.authorization, c.proof); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if status, answer := w.post("/oauth2/introspect", url.Values{"token": {token}}); status != http.StatusOK || answer["active"] != true {
		t.Errorf("introspection: %d %v", status, answer)
	}
	if status, answer := w.post("/oauth2/revoke", url.Values{"token": {token}}); status != http.StatusOK || len(answer) != 0 {
		t.Errorf("revocation: %d %v", status, answer)
	}
	if got := w.read("", "DPoP "+token, w.proof("GET", path, token)); got != http.StatusUnauthorized {
		t.Errorf("a token that was taken back: %d", got)
	}
	if status, answer := w.post("/oauth2/token?a=b", url.Values{}); status != http.StatusBadRequest || answer["error"] != "invalid_request" {
		t.Errorf("parameters in the query: %d %v", status, answer)
	}
}

// The log names a client that proved itself and the code of a refusal; never the token,
// the assertion or what a stranger wrote.
func TestLogOfTokenRequests(t *testing.T) {
	w := newTokenWorld(t)
	w.serve()
	last := func() string {
		lines := strings.Split(strings.TrimSpace(w.log.String()), "\n")
		return lines[len(lines)-1]
	}
	_, given := w.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}})
	token, _ := given["access_token"].(string)
	if line := last(); token == "" || !strings.Contains(line, `"client":"hopital"`) || strings.Contains(line, `"error"`) {
		t.Errorf("given: %s", line)
	}
	w.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"user/*.rs"}})
	if line := last(); !strings.Contains(line, `"client":"hopital"`) || !strings.Contains(line, `"error":"invalid_scope"`) {
		t.Errorf("refused: %s", line)
	}
	w.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"etranger"}, "reason": {"accident"}})
	if line := last(); strings.Contains(line, `"client"`) || !strings.Contains(line, `"error":"invalid_client"`) {
		t.Errorf("a stranger: %s", line)
	}
	w.post("/oauth2/token?a=b", url.Values{})
	if line := last(); !strings.Contains(line, `"error":"invalid_request"`) {
		t.Errorf("not a form: %s", line)
	}
	for _, never := range []string{token, "etranger", "accident", "client_assertion"} {
		if strings.Contains(w.log.String(), never) {
			t.Errorf("the log holds %.20q", never)
		}
	}
}

func TestClientCommands(t *testing.T) {
	w := newTokenWorld(t)
	if out, err := command(t, "client", "add", "--data", w.s.Data, w.s.Clients); err != nil || strings.TrimSpace(out) != "hopital" {
		t.Fatalf("%s %v", out, err)
	}
	if out, err := command(t, "client", "add", "--data", w.s.Data, w.s.Clients); err == nil {
		t.Errorf("added twice: %s", out)
	}
	if out, err := command(t, "client", "revoke", "--data", w.s.Data, "hopital"); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	out, err := command(t, "client", "list", "--data", w.s.Data)
	if err != nil || !strings.Contains(out, "hopital") || !strings.Contains(out, "revoked") {
		t.Errorf("%s %v", out, err)
	}
	w.serve()
	if status, answer := w.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}}); status != http.StatusUnauthorized || answer["error"] != "invalid_client" {
		t.Errorf("a revoked client: %d %v", status, answer)
	}
}
