package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/auth"
)

const (
	idpName     = "https://id.example.org"
	idpAudience = "https://dmp.example.org/fhir"
)

// keyServer publishes the key set of an issuer under TLS; nothing, where set is nil.
type keyServer struct {
	*httptest.Server
	set     atomic.Pointer[[]byte]
	fetches atomic.Int64
	ca      string // file
}

func newKeyServer(t *testing.T) *keyServer {
	t.Helper()
	k := &keyServer{ca: filepath.Join(t.TempDir(), "ca.pem")}
	k.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		k.fetches.Add(1)
		set := k.set.Load()
		if set == nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Header().Set("Cache-Control", "max-age=315360000")
		_, _ = w.Write(*set)
	}))
	t.Cleanup(k.Close)
	check(t, os.WriteFile(k.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.Certificate().Raw}), 0o600))
	return k
}

// publish makes a new key, publishes it alone, and returns its signer.
func (k *keyServer) publish(t *testing.T, now func() time.Time) *auth.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	signer, err := auth.NewSigner(key, idpName, idpAudience, now, rand.Reader)
	check(t, err)
	set, err := signer.PublicKeySet()
	check(t, err)
	k.set.Store(&set)
	return signer
}

// settings are those of an issuer whose keys are published here.
func (k *keyServer) settings() settings {
	return settings{Issuer: idpName, Audience: idpAudience, IssuerJWKS: k.URL, IssuerCA: k.ca}
}

// The keys of an issuer come from its URL, are followed when they change, serve for a day
// while it is down, and for no longer; unknown ones cost it two requests a minute.
func TestKeysOfAnIssuerByURL(t *testing.T) {
	idp := newKeyServer(t)
	f := fortify(t, func(_ *tlsSettings, p *plan) {
		var err error
		p.issuers, p.work, err = idp.settings().issuers(p.clock.Now, p.log)
		check(t, err)
	})
	began := time.Now()
	f.clock.set(began)
	card := f.pki.holder("cps-medecin-martin")
	visit := func() *visitor { return f.visit("tls-pro", card).holding(f, "medecin-martin", card.Leaf) }

	for !strings.Contains(f.log.String(), `"msg":"issuer-jwks"`) { // the first fetch, which fails
		time.Sleep(time.Millisecond)
	}
	f.signer = idp.publish(t, f.clock.Now)
	f.clock.set(began.Add(time.Minute))
	visit().letIn(anySearch)

	fetches := idp.fetches.Load()
	stranger := visit()
	_, rest, _ := strings.Cut(stranger.token, ".")
	for n := range 500 { // TK09
		header := fmt.Sprintf(`{"alg":"ES256","typ":"at+jwt","kid":"k%d"}`, n)
		stranger.token = base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + rest
		stranger.is(http.StatusUnauthorized, anySearch)
	}
	if n := idp.fetches.Load() - fetches; n > 2 {
		t.Errorf("%d fetches in a minute", n)
	}

	f.clock.set(began.Add(2 * time.Minute))
	f.signer = idp.publish(t, f.clock.Now)
	visit().letIn(anySearch)

	idp.set.Store(nil)
	fetches = idp.fetches.Load()
	f.clock.set(began.Add(24*time.Hour + time.Minute))
	visit().letIn(anySearch)
	if n := idp.fetches.Load() - fetches; n != 0 {
		t.Errorf("%d fetches on the way of a token whose key is there", n)
	}
	f.clock.set(began.Add(24*time.Hour + 2*time.Minute))
	visit().is(http.StatusUnauthorized, anySearch)
	f.signer = idp.publish(t, f.clock.Now)
	f.clock.set(began.Add(24*time.Hour + 3*time.Minute))
	visit().letIn(anySearch)
}

// What the settings of issuers name must be there, and fit: none of it is left out.
func TestIssuersThatStopAStart(t *testing.T) {
	idp := newKeyServer(t)
	broken := filepath.Join(t.TempDir(), "broken.pem")
	check(t, os.WriteFile(broken, []byte("broken"), 0o600))
	folder := t.TempDir()
	example, err := base64.StdEncoding.DecodeString("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==")
	check(t, err)
	check(t, os.WriteFile(filepath.Join(folder, "k1.pem"), pemOf("PUBLIC KEY", example), 0o600))
	good := idp.settings()
	for name, c := range map[string]struct {
		change  func(*settings)
		refusal string
	}{
		"by URL":             {func(*settings) {}, ""},
		"no CA":              {func(s *settings) { s.IssuerCA = broken + "x" }, "issuer-jwks-ca"},
		"a broken CA":        {func(s *settings) { s.IssuerCA = broken }, "issuer-jwks-ca"},
		"no keys":            {func(s *settings) { s.IssuerJWKS, s.IssuerCA, s.IssuerKeys = "", "", t.TempDir() }, "issuer-keys"},
		"a published key":    {func(s *settings) { s.IssuerJWKS, s.IssuerCA, s.IssuerKeys = "", "", folder }, "jwt.io"},
		"a second one":       {func(s *settings) { s.Issuers = []externalIssuer{{Issuer: "i", Audience: "a", JWKS: idp.URL}} }, ""},
		"a second one, weak": {func(s *settings) { s.Issuers = []externalIssuer{{Issuer: "i", Audience: "a", Keys: folder}} }, "jwt.io"},
	} {
		s := good
		c.change(&s)
		all, work, err := s.issuers(time.Now, slog.New(slog.DiscardHandler))
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s: %v, want %q", name, err, c.refusal)
		}
		if err == nil && (len(all) != 1+len(s.Issuers) || len(work) != len(all)) {
			t.Errorf("%s: %d issuers, %d works", name, len(all), len(work))
		}
	}
	for _, name := range []string{"sandbox-loading", "sandbox-ids.json"} {
		data := t.TempDir()
		check(t, checkFolder(data))
		check(t, os.WriteFile(filepath.Join(data, name), nil, 0o600))
		if checkFolder(data) == nil {
			t.Error("a folder of a sandbox is served as a real one: " + name)
		}
	}
}

// Further issuers are written into the settings file with the names of the flat settings.
func TestSettingIssuers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dmpd.json")
	check(t, os.WriteFile(file, []byte(`{"issuer":"https://a","audience":"x","issuer-keys":"k",
		"issuers":[{"issuer":"https://b","audience":"x","issuer-jwks":"https://b/jwks","issuer-jwks-ca":"ca.pem"}]}`), 0o600))
	s, err := readSettings(file, nil, given(t))
	check(t, err)
	want := []externalIssuer{{"https://a", "x", "k", "", ""}, {"https://b", "x", "", "https://b/jwks", "ca.pem"}}
	if got := s.externalIssuers(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	check(t, os.WriteFile(file, []byte(`{"issuers":[{"isuer":"https://b"}]}`), 0o600))
	if _, err := readSettings(file, nil, given(t)); err == nil {
		t.Error("a misspelt name is accepted")
	}
}

// With clients of our own no other issuer is needed; half of one is refused.
func TestOwnIssuerAlone(t *testing.T) {
	w := newTokenWorld(t)
	w.s.Issuer, w.s.Audience, w.s.IssuerKeys = "", "", ""
	if missing := w.s.missing(); slices.Contains(missing, "issuer") {
		t.Errorf("missing %v", missing)
	}
	half := w.s
	half.Audience = idpAudience
	if missing := half.missing(); !slices.Contains(missing, "issuer") || !slices.Contains(missing, "issuer-keys (or issuer-jwks)") {
		t.Errorf("half an issuer lacks %v", missing)
	}
	w.serve()
	status, answer := w.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}})
	token, _ := answer["access_token"].(string)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	if got := w.read("", "DPoP "+token, w.proof("GET", "/fhir/DocumentReference/absent", token)); got != http.StatusNotFound {
		t.Errorf("our own token: %d", got)
	}
}
