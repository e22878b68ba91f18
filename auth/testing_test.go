package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	testIssuer   = "https://dmp.example/oauth"
	testAudience = "https://dmp.example/fhir"
	testKid      = "kid-1"
)

// instant is the time of every test in this package.
var instant = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func clock() time.Time { return instant }

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newVerifier accepts ES256 tokens of testIssuer under key.
func newVerifier(t testing.TB, key *ecdsa.PrivateKey) *Verifier {
	t.Helper()
	v, err := NewVerifier(Config{Now: clock, Issuers: []Issuer{{
		Issuer: testIssuer, Audience: testAudience, Algorithms: []string{"ES256"}, Keys: oneKey(&key.PublicKey), Bearer: true,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func oneKey(k crypto.PublicKey) func(string) (crypto.PublicKey, bool) {
	return func(kid string) (crypto.PublicKey, bool) { return k, kid == testKid }
}

// object is a JSON object under construction.
type object = map[string]any

// draft is a token that a test bends before it is signed.
type draft struct{ header, payload object }

// physicianDraft is a good token of a physician in normal mode.
func physicianDraft() draft {
	return draft{
		header: object{"alg": "ES256", "typ": "at+jwt", "kid": testKid},
		payload: object{
			"iss": testIssuer, "aud": testAudience, "sub": "s-1", "jti": "j-1", "client_id": "lps-1",
			"iat": instant.Unix(), "nbf": instant.Unix(), "exp": instant.Add(time.Hour).Unix(),
			"extensions": object{"ihe_iua": object{
				"subject_name":                 "Dr Paul ROCHE",
				"national_provider_identifier": "urn:oid:1.2.250.1.71.4.2.1|899700218896",
				"subject_organization":         []any{"Hôpital Sud"},
				"subject_organization_id":      []any{"urn:oid:1.2.250.1.71.4.2.2|1750000002"},
				"subject_role":                 []any{object{"system": SystemProfession, "code": "10"}},
				"purpose_of_use":               []any{object{"system": SystemAccessMode, "code": "normal"}},
			}},
			"opendmp": object{
				"kind":       "professional",
				"profession": object{"system": SystemProfession, "code": "10"},
				"roles":      []any{object{"system": SystemSkill, "code": "SM59"}},
			},
		},
	}
}

func (d draft) iua() object { return d.payload["extensions"].(object)["ihe_iua"].(object) }
func (d draft) dmp() object { return d.payload["opendmp"].(object) }

// purpose sets the one purpose of use.
func (d draft) purpose(system, code string) {
	d.iua()["purpose_of_use"] = []any{object{"system": system, "code": code}}
}

// sign signs with ES256, whatever the header says.
func (d draft) sign(t testing.TB, key *ecdsa.PrivateKey) string {
	t.Helper()
	return signParts(t, key, encode(t, d.header), encode(t, d.payload))
}

// signRaw signs texts that are no good JSON.
func signRaw(t testing.TB, key *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	return signParts(t, key, b64([]byte(header)), b64([]byte(payload)))
}

func signParts(t testing.TB, key *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	sig, err := jwt.SigningMethodES256.Sign(header+"."+payload, key)
	if err != nil {
		t.Fatal(err)
	}
	return header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func encode(t testing.TB, o object) string {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// text returns the JSON of o without its last brace, to append members to.
func text(t testing.TB, o object) string {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(data), "}")
}

// without returns o without a member.
func without(o object, name string) object {
	c := maps.Clone(o)
	delete(c, name)
	return c
}

// quiet is a log for servers whose clients hang up.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
