package auth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"opendmp/fhir"
)

func physicianClaims() Claims {
	return Claims{
		Subject: "s-1",
		Extensions: Extensions{IUA{
			SubjectName: "Dr Paul ROCHE",
			Provider:    idRPPS,
			Purpose:     []Coding{{SystemAccessMode, "bris_de_glace"}},
		}},
		DMP: DMP{Kind: "professional", Profession: &Coding{SystemProfession, "10"}, Reason: "Patient inconscient"},
	}
}

func newSigner(t testing.TB) *Signer {
	t.Helper()
	s, err := NewSigner(newKey(t), testIssuer, testAudience, clock, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignThenVerify(t *testing.T) {
	s := newSigner(t)
	token, err := s.Sign(physicianClaims())
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(Config{Now: clock, Issuers: []Issuer{s.Trust()}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.Verify(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	if p.Kind() != Professional || p.Mode() != BrisDeGlace || p.Reason() != "Patient inconscient" || !p.Expires().Equal(instant.Add(time.Hour)) {
		t.Errorf("got %+v", p)
	}
	again, err := s.Sign(physicianClaims())
	if err != nil {
		t.Fatal(err)
	}
	if q, err := v.Verify(context.Background(), again); err != nil || q.TokenID() == p.TokenID() {
		t.Errorf("two tokens with jti %q and %q, %v", p.TokenID(), q.TokenID(), err)
	}
}

func TestSignKeepsWhatIsSet(t *testing.T) {
	s := newSigner(t)
	c := physicianClaims()
	c.ID, c.IssuedAt, c.NotBefore, c.Expires, c.Issuer, c.Audience = "mine", 10, 20, 30, "elsewhere", "elsewhere"
	token, err := s.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var got Claims
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "mine" || got.IssuedAt != 10 || got.NotBefore != 20 || got.Expires != 30 {
		t.Errorf("changed what was set: %+v", got)
	}
	if got.Issuer != testIssuer || got.Audience != testAudience {
		t.Errorf("signed for another: %+v", got)
	}
}

func TestSignWithoutRandomness(t *testing.T) {
	s, err := NewSigner(newKey(t), testIssuer, testAudience, clock, iotest.ErrReader(errors.New("dry")))
	if err != nil {
		t.Fatal(err)
	}
	if token, err := s.Sign(physicianClaims()); err == nil || token != "" {
		t.Errorf("signed %q", token)
	}
}

func TestNewSignerRefuses(t *testing.T) {
	key := newKey(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() (*Signer, error){
		"no key":      func() (*Signer, error) { return NewSigner(nil, testIssuer, testAudience, clock, rand.Reader) },
		"P-384":       func() (*Signer, error) { return NewSigner(p384, testIssuer, testAudience, clock, rand.Reader) },
		"no issuer":   func() (*Signer, error) { return NewSigner(key, "", testAudience, clock, rand.Reader) },
		"no audience": func() (*Signer, error) { return NewSigner(key, testIssuer, "", clock, rand.Reader) },
		"no clock":    func() (*Signer, error) { return NewSigner(key, testIssuer, testAudience, nil, rand.Reader) },
		"no rand":     func() (*Signer, error) { return NewSigner(key, testIssuer, testAudience, clock, nil) },
	} {
		if s, err := f(); err == nil || s != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The thumbprint of RFC 7638 §3.1, computed another way for an EC key.
func TestThumbprint(t *testing.T) {
	key := newKey(t)
	got, err := thumbprint(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	x, y := new(big.Int).SetBytes(point[1:33]), new(big.Int).SetBytes(point[33:])
	b64 := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 32))) }
	members, err := json.Marshal(map[string]string{"y": b64(y), "x": b64(x), "kty": "EC", "crv": "P-256"}) // sorted by Marshal
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(members)
	if want := base64.RawURLEncoding.EncodeToString(sum[:]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSignerKeys(t *testing.T) {
	s := newSigner(t)
	if k, ok := s.Keys(s.kid); !ok || k == nil {
		t.Error("does not know its own key")
	}
	if k, ok := s.Keys("other"); ok || k != nil {
		t.Error("knows another key")
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	if _, err := LoadKey(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no file: %v", err)
	}
	made, err := LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	read, err := LoadOrCreateKey(path)
	if err != nil || !read.Equal(made) {
		t.Errorf("read another key: %v", err)
	}
	if _, err := createKey(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made a key over another: %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKey(path); err == nil {
		t.Error("read a key that others may read")
	}
}

func TestKeyFileRefuses(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.pem")
	if _, err := LoadOrCreateKey(good); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty":      nil,
		"no PEM":     []byte("key"),
		"two blocks": bytes.Repeat(data, 2),
		"other type": bytes.ReplaceAll(data, []byte("PRIVATE KEY"), []byte("PUBLIC KEY")),
		"not a key":  []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
	} {
		path := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrCreateKey(path); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFormatIdent(t *testing.T) {
	id := fhir.Ident{System: "urn:oid:1.2", Value: "3"}
	if got, ok := parseIdent(FormatIdent(id)); !ok || got != id {
		t.Errorf("%v, %v", got, ok)
	}
}
