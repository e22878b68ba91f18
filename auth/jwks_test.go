package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
)

// jwkOf returns the JWK of a key with some members.
func jwkOf(t testing.TB, raw any, members object) object {
	t.Helper()
	key, err := jwk.Import(raw)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	o := object{}
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		o[name] = value
	}
	return o
}

func setOfKeys(t testing.TB, keys ...object) []byte {
	t.Helper()
	data, err := json.Marshal(object{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TK11: a set with a key that must not be used is refused whole.
func TestTK11KeySetsRefused(t *testing.T) {
	ec := newKey(t)
	good := jwkOf(t, &ec.PublicKey, object{"kid": "a", "use": "sig"})
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	short := object{"kty": "RSA", "kid": "b", "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(append([]byte{0x80}, make([]byte, 127)...))}
	for name, c := range map[string]struct {
		set []byte
		ok  bool
	}{
		"one key":            {setOfKeys(t, good), true},
		"and one to encrypt": {setOfKeys(t, good, jwkOf(t, &strong.PublicKey, object{"kid": "b", "use": "enc"})), true},
		"only to encrypt":    {setOfKeys(t, jwkOf(t, &strong.PublicKey, object{"kid": "b", "use": "enc"})), false},
		"empty":              {[]byte(`{"keys":[]}`), false},
		"no set":             {setOfKeys(t), false},
		"one JWK":            {[]byte(strings.TrimSuffix(strings.TrimPrefix(string(setOfKeys(t, good)), `{"keys":[`), `]}`)), false},
		"RSA 1024":           {setOfKeys(t, good, short), false},
		"symmetric":          {setOfKeys(t, good, object{"kty": "oct", "kid": "b", "k": "c2VjcmV0"}), false},
		"private":            {setOfKeys(t, good, jwkOf(t, ec, object{"kid": "b"})), false},
		"private RSA":        {setOfKeys(t, good, jwkOf(t, strong, object{"kid": "b"})), false},
		"kid twice":          {setOfKeys(t, good, good), false},
		"no kid":             {setOfKeys(t, good, jwkOf(t, &ec.PublicKey, nil)), false},
		"long kid":           {setOfKeys(t, jwkOf(t, &ec.PublicKey, object{"kid": strings.Repeat("k", maxKidLength+1)})), false},
		"of RFC 7517":        {setOfKeys(t, good, object{"kty": "EC", "kid": "b", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}), false},
		"of RFC 8037":        {setOfKeys(t, good, object{"kty": "OKP", "kid": "b", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}), false},
		"other use":          {setOfKeys(t, good, jwkOf(t, &ec.PublicKey, object{"kid": "b", "use": "tls"})), false},
		"keys twice":         {[]byte(`{"keys":[],` + string(setOfKeys(t, good)[1:])), false},
		"HTML":               {[]byte("<html>503</html>"), false},
		"nothing":            {nil, false},
	} {
		keys, err := ParseKeySet(c.set)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrKeySet) {
			t.Errorf("%s: %v", name, err)
		}
		if _, there := keys.Key("a"); there != c.ok {
			t.Errorf("%s: key a: %v", name, there)
		}
	}
}

// keyHost is a server of a key set that a test changes.
type keyHost struct {
	*httptest.Server
	answer  atomic.Pointer[http.HandlerFunc]
	fetches atomic.Int64
}

func newKeyHost(t *testing.T) *keyHost {
	t.Helper()
	p := &keyHost{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fetches.Add(1)
		(*p.answer.Load())(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *keyHost) serve(f http.HandlerFunc) { p.answer.Store(&f) }

func (p *keyHost) serveKeys(data []byte) {
	p.serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data)
	})
}

// TK09: kids that nobody knows make at most one fetch a minute; a key that is new is
// found; a set that is bad or does not come leaves the old one for an hour.
func TestTK09KeySetFetches(t *testing.T) {
	p := newKeyHost(t)
	now := instant
	set, err := NewKeySet(KeySetConfig{URL: p.URL, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	a, b := newKey(t), newKey(t)
	p.serveKeys(setOfKeys(t, jwkOf(t, &a.PublicKey, object{"kid": "a"})))
	if _, ok := set.Key("a"); !ok || p.fetches.Load() != 1 {
		t.Fatalf("first key: %v after %d fetches", ok, p.fetches.Load())
	}
	for i := range 500 {
		if _, ok := set.Key(fmt.Sprint("x", i)); ok {
			t.Fatal("a key that does not exist")
		}
	}
	if n := p.fetches.Load(); n > 2 {
		t.Errorf("%d fetches in a minute", n)
	}
	p.serveKeys(setOfKeys(t, jwkOf(t, &b.PublicKey, object{"kid": "b"})))
	now = now.Add(time.Minute)
	key, ok := set.Key("b")
	if !ok || !b.PublicKey.Equal(key.(*ecdsa.PublicKey)) {
		t.Error("the rotated key is not found")
	}
	if _, ok := set.Key("a"); ok {
		t.Error("a key that was withdrawn is found")
	}
	got := now
	for name, f := range map[string]http.HandlerFunc{
		"empty set": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"keys":[]}`))
		},
		"HTML":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"down":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"too long": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(make([]byte, maxKeySet+1))
		},
	} {
		p.serve(f)
		before := p.fetches.Load()
		now = now.Add(keySetAge)
		if _, ok := set.Key("b"); !ok || p.fetches.Load() != before+1 {
			t.Errorf("%s: found %v after %d fetches", name, ok, p.fetches.Load()-before)
		}
	}
	now = got.Add(keySetLife)
	if _, ok := set.Key("b"); ok {
		t.Error("a set that was not seen for an hour still serves")
	}
}

func TestKeySetURLs(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://idp.example/jwks": true, "http://127.0.0.1:1/jwks": true, "http://[::1]:1/jwks": true,
		"http://idp.example/jwks": false, "http://localhost.example/": false, "": false, "/jwks": false,
		"file:///etc/passwd": false, "https://u:p@idp.example/": false, "https://idp.example/#x": false,
	} {
		if _, err := NewKeySet(KeySetConfig{URL: url, Now: clock}); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := NewKeySet(KeySetConfig{URL: "https://idp.example/jwks"}); err == nil {
		t.Error("a key set without clock")
	}
}

func TestPublicKeySet(t *testing.T) {
	s, err := NewSigner(newKey(t), testIssuer, testAudience, clock, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	data, err := s.PublicKeySet()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseKeySet(data)
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := keys.Key(s.kid); !ok || !s.key.PublicKey.Equal(key.(*ecdsa.PublicKey)) || strings.Contains(string(data), `"d"`) {
		t.Errorf("key set %s", data)
	}
	v, err := NewVerifier(Config{Now: clock, Issuers: []Issuer{{
		Issuer: testIssuer, Audience: testAudience, Algorithms: []string{"ES256"}, Keys: keys.Key, Bearer: true,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	d := physicianDraft()
	d.header["kid"] = s.kid
	if _, err := v.Verify(context.Background(), d.sign(t, s.key)); err != nil {
		t.Error(err)
	}
}
