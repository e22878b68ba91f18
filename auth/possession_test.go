package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"opendmp/fhir"
)

const resource = "https://dmp.example/fhir/DocumentReference"

// jkt returns the thumbprint of a key, made another way than VerifyProof does.
func jkt(t testing.TB, k *ecdsa.PrivateKey) string {
	t.Helper()
	s, err := thumbprint(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// proofDraft is a good proof for a GET of the resource with the token.
func proofDraft(t testing.TB, k *ecdsa.PrivateKey, token string) draft {
	t.Helper()
	d := draft{
		header:  object{"alg": "ES256", "typ": "dpop+jwt", "jwk": jwkOf(t, &k.PublicKey, nil)},
		payload: object{"jti": "p-1", "htm": "GET", "htu": resource, "iat": instant.Unix()},
	}
	if token != "" {
		d.payload["ath"] = tokenHash(token)
	}
	return d
}

// memory is a Replay that remembers.
func memory() Replay {
	seen := map[string]bool{}
	return func(_ context.Context, id string, _ time.Time) error {
		if seen[id] {
			return ErrProof
		}
		seen[id] = true
		return nil
	}
}

// boundVerifier accepts bound tokens only.
func boundVerifier(t testing.TB, key *ecdsa.PrivateKey, c Config) *Verifier {
	t.Helper()
	c.Now = clock
	c.Issuers = []Issuer{{Issuer: testIssuer, Audience: testAudience, Algorithms: []string{"ES256"}, Keys: oneKey(&key.PublicKey)}}
	v, err := NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TK18: a proof is for one request and one token, from the key of the token, now, once.
func TestTK18Proofs(t *testing.T) {
	key, holder, thief := newKey(t), newKey(t), newKey(t)
	d := physicianDraft()
	d.payload["cnf"] = object{"jkt": jkt(t, holder)}
	token := d.sign(t, key)
	other := physicianDraft()
	other.payload["cnf"], other.payload["jti"] = d.payload["cnf"], "j-2"
	otherToken := other.sign(t, key)
	for _, c := range []struct {
		name string
		bend func(draft)
		by   *ecdsa.PrivateKey
		ok   bool
	}{
		{"good", func(draft) {}, holder, true},
		{"host in capitals", func(d draft) { d.payload["htu"] = "HTTPS://DMP.example/fhir/DocumentReference" }, holder, true},
		{"wrong htm", func(d draft) { d.payload["htm"] = "POST" }, holder, false},
		{"htu of another path", func(d draft) { d.payload["htu"] = "https://dmp.example/fhir/Patient" }, holder, false},
		{"htu with query", func(d draft) { d.payload["htu"] = resource + "?a=b" }, holder, false},
		{"htu of another host", func(d draft) { d.payload["htu"] = "https://evil.example/fhir/DocumentReference" }, holder, false},
		{"iat -10 min", func(d draft) { d.payload["iat"] = instant.Add(-10 * time.Minute).Unix() }, holder, false},
		{"iat +10 min", func(d draft) { d.payload["iat"] = instant.Add(10 * time.Minute).Unix() }, holder, false},
		{"no iat", func(d draft) { delete(d.payload, "iat") }, holder, false},
		{"no jti", func(d draft) { delete(d.payload, "jti") }, holder, false},
		{"ath of another token", func(d draft) { d.payload["ath"] = tokenHash(otherToken) }, holder, false},
		{"no ath", func(d draft) { delete(d.payload, "ath") }, holder, false},
		{"another key", func(d draft) { d.header["jwk"] = jwkOf(t, &thief.PublicKey, nil) }, thief, false},
		{"the key of another", func(draft) {}, thief, false},
		{"private key", func(d draft) { d.header["jwk"] = jwkOf(t, holder, nil) }, holder, false},
		{"symmetric key", func(d draft) { d.header["jwk"] = object{"kty": "oct", "k": "c2VjcmV0"} }, holder, false},
		{"no key", func(d draft) { delete(d.header, "jwk") }, holder, false},
		{"typ", func(d draft) { d.header["typ"] = "JWT" }, holder, false},
		{"crit", func(d draft) { d.header["crit"] = []any{"x"} }, holder, false},
		{"alg none", func(d draft) { d.header["alg"] = "none" }, holder, false},
		{"HTM", func(d draft) { d.payload["HTM"] = "GET" }, holder, false},
	} {
		p := proofDraft(t, holder, token)
		c.bend(p)
		v := boundVerifier(t, key, Config{Replay: memory()})
		shown := Presentation{Scheme: "DPoP", Token: token, Proof: p.sign(t, c.by), Method: "GET", URL: resource}
		_, err := v.Present(context.Background(), shown)
		if (err == nil) != c.ok || err != nil && (!errors.Is(err, ErrInvalidToken) || !errors.Is(err, ErrProof)) {
			t.Errorf("%s: %v", c.name, err)
		}
		if !c.ok {
			continue
		}
		if _, err := v.Present(context.Background(), shown); !errors.Is(err, ErrProof) {
			t.Errorf("%s, replayed: %v", c.name, err)
		}
	}
	good := Presentation{Scheme: "DPoP", Token: token, Proof: proofDraft(t, holder, token).sign(t, holder), Method: "GET", URL: resource}
	if _, err := boundVerifier(t, key, Config{}).Present(context.Background(), good); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("without memory of proofs: %v", err)
	}
	down := fmt.Errorf("%w: no store", ErrUndecided)
	v := boundVerifier(t, key, Config{Replay: func(context.Context, string, time.Time) error { return down }})
	if _, err := v.Present(context.Background(), good); !errors.Is(err, ErrUndecided) || errors.Is(err, ErrInvalidToken) {
		t.Errorf("memory down: %v", err)
	}
	good.Scheme = "Bearer"
	if _, err := boundVerifier(t, key, Config{Replay: memory()}).Present(context.Background(), good); !errors.Is(err, ErrInvalidToken) || !errors.Is(err, ErrProof) {
		t.Errorf("as a bearer token: %v", err)
	}
}

// TK17: a token that asks for no proof, or for one that is not known, proves nobody.
func TestTK17BearerTokens(t *testing.T) {
	key := newKey(t)
	v := boundVerifier(t, key, Config{Replay: memory()})
	for name, cnf := range map[string]any{
		"none": nil, "empty": object{}, "jwk": object{"jwk": object{}}, "kid": object{"kid": "a"}, "empty jkt": object{"jkt": ""},
		"both": object{"jkt": "a", "x5t#S256": "b"}, "lower case": object{"x5t#s256": "b"}, "certificate": object{"x5t#S256": "b"},
	} {
		d := physicianDraft()
		if cnf != nil {
			d.payload["cnf"] = cnf
		}
		for _, scheme := range []string{"Bearer", "DPoP", "Basic", ""} {
			_, err := v.Present(context.Background(), Presentation{Scheme: scheme, Token: d.sign(t, key)})
			if !errors.Is(err, ErrInvalidToken) {
				t.Errorf("cnf %s as %s: %v", name, scheme, err)
			}
		}
	}
}

func TestRevokedTokens(t *testing.T) {
	key := newKey(t)
	answer := error(nil)
	v, err := NewVerifier(Config{
		Now: clock, Issuers: []Issuer{{Issuer: testIssuer, Audience: testAudience, Algorithms: []string{"ES256"}, Keys: oneKey(&key.PublicKey), Bearer: true}},
		Revoked: func(id, client string) error {
			if id != "j-1" || client != "lps-1" {
				t.Errorf("asked for %q of %q", id, client)
			}
			return answer
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	token := physicianDraft().sign(t, key)
	for _, answer = range []error{nil, ErrInvalidToken, ErrUndecided} {
		p, err := v.Verify(context.Background(), token)
		if !errors.Is(err, answer) || (err == nil) != (p.Kind() == Professional) {
			t.Errorf("%v: %v, %v", answer, p.Kind(), err)
		}
	}
}

func assertionDraft() draft {
	return draft{
		header: object{"alg": "ES256", "typ": "JWT", "kid": testKid},
		payload: object{
			"iss": "hopital", "sub": "hopital", "aud": "https://dmp.example/oauth2/token", "jti": "a-1",
			"iat": instant.Unix(), "exp": instant.Add(5 * time.Minute).Unix(),
		},
	}
}

func TestAssertions(t *testing.T) {
	key, other := newKey(t), newKey(t)
	keys := func(client string) (ClientKeys, bool) {
		return ClientKeys{Keys: oneKey(&key.PublicKey), URL: "https://hopital.example/jwks"}, client == "hopital"
	}
	for _, c := range []struct {
		name string
		bend func(draft)
		by   *ecdsa.PrivateKey
		ok   bool
	}{
		{"good", func(draft) {}, key, true},
		{"no typ", func(d draft) { delete(d.header, "typ") }, key, true},
		{"jku as registered", func(d draft) { d.header["jku"] = "https://hopital.example/jwks" }, key, true},
		{"TK06 jku of an attacker", func(d draft) { d.header["jku"] = "https://evil.example/jwks" }, key, false},
		{"key of another", func(draft) {}, other, false},
		{"unknown client", func(d draft) { d.payload["iss"], d.payload["sub"] = "x", "x" }, key, false},
		{"sub is not iss", func(d draft) { d.payload["sub"] = "x" }, key, false},
		{"aud is the issuer", func(d draft) { d.payload["aud"] = "https://dmp.example" }, key, false},
		{"two aud", func(d draft) { d.payload["aud"] = []any{"https://dmp.example/oauth2/token", "https://a.example"} }, key, false},
		{"exp in an hour", func(d draft) { d.payload["exp"] = instant.Add(time.Hour).Unix() }, key, false},
		{"exp in five minutes and a second", func(d draft) { d.payload["exp"] = instant.Add(5*time.Minute + time.Second).Unix() }, key, false},
		{"exp past", func(d draft) { d.payload["exp"] = instant.Add(-time.Minute).Unix() }, key, false},
		{"no exp", func(d draft) { delete(d.payload, "exp") }, key, false},
		{"nbf future", func(d draft) { d.payload["nbf"] = instant.Add(time.Minute).Unix() }, key, false},
		{"no jti", func(d draft) { delete(d.payload, "jti") }, key, false},
		{"no kid", func(d draft) { delete(d.header, "kid") }, key, false},
		{"TK08 an access token", func(d draft) { d.header["typ"] = "at+jwt" }, key, false},
		{"a proof", func(d draft) { d.header["typ"] = "dpop+jwt" }, key, false},
		{"crit", func(d draft) { d.header["crit"] = []any{"b64"} }, key, false},
		{"alg HS256", func(d draft) { d.header["alg"] = "HS256" }, key, false},
		{"alg RS256", func(d draft) { d.header["alg"] = "RS256" }, key, false},
	} {
		d := assertionDraft()
		c.bend(d)
		a, err := VerifyAssertion(d.sign(t, c.by), "https://dmp.example/oauth2/token", instant, keys)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrInvalidToken) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.ok && (a.Client != "hopital" || a.ID != "a-1" || !a.Expires.Equal(instant.Add(5*time.Minute))) {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
	if _, err := VerifyAssertion(assertionDraft().sign(t, key), "", instant, keys); err == nil {
		t.Error("an assertion for no audience")
	}
}

// Neither reader of tokens panics, nor accepts what it did not sign.
func FuzzAssertion(f *testing.F) {
	key := newKey(f)
	f.Add(assertionDraft().sign(f, key))
	f.Add(proofDraft(f, key, "").sign(f, key))
	f.Add("a.b.c")
	stranger := newKey(f)
	keys := func(string) (ClientKeys, bool) {
		return ClientKeys{Keys: func(string) (crypto.PublicKey, bool) { return &stranger.PublicKey, true }}, true
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := VerifyAssertion(token, "https://dmp.example/oauth2/token", instant, keys); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("assertion accepted: %v", err)
		}
		if _, err := VerifyProof(token, "PUT", resource, "t", instant); !errors.Is(err, ErrProof) {
			t.Errorf("proof accepted: %v", err)
		}
	})
}

// EX_AIR-080: a person vouched for by a structure calls with a certificate of that
// structure, in mutual TLS, and with nothing else.
func TestVouchedPersonsCallFromTheirStructure(t *testing.T) {
	key := newKey(t)
	theirs := fhir.Ident{System: fhir.SystemStructure, Value: "1750000002"}
	physician := fhir.Ident{System: fhir.SystemRPPS, Value: "99700218896"}
	peer := func(c Class, id fhir.Ident) Peer { return Peer{class: c, id: id, thumbprint: "print"} }
	for _, c := range []struct {
		name    string
		vouched bool
		from    Peer
		ok      bool
	}{
		{"from the structure", true, peer(OrganisationClass, theirs), true},
		{"from the structure, a SAMU: a regulator only", true, peer(SAMUClass, theirs), false},
		{"in person, from a SAMU: a regulator only", false, peer(SAMUClass, theirs), false},
		{"from another structure", true, peer(OrganisationClass, fhir.Ident{System: fhir.SystemStructure, Value: "1750000001"}), false},
		{"from their own card", true, peer(PersonClass, physician), false},
		{"in person, from their card", false, peer(PersonClass, physician), true},
		{"in person, from another structure", false, peer(OrganisationClass, fhir.Ident{System: fhir.SystemStructure, Value: "1750000001"}), true},
	} {
		d := physicianDraft()
		d.payload["cnf"] = object{"x5t#S256": "print"}
		if c.vouched {
			d.dmp()["vouched"] = true
		}
		v := boundVerifier(t, key, Config{Replay: memory()})
		if _, err := v.Present(context.Background(), Presentation{Scheme: "Bearer", Token: d.sign(t, key), From: c.from}); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	holder, d := newKey(t), physicianDraft()
	d.payload["cnf"], d.dmp()["vouched"] = object{"jkt": jkt(t, holder)}, true
	token := d.sign(t, key)
	shown := Presentation{Scheme: "DPoP", Token: token, Proof: proofDraft(t, holder, token).sign(t, holder), Method: "GET", URL: resource}
	if _, err := boundVerifier(t, key, Config{Replay: memory()}).Present(context.Background(), shown); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("by DPoP, without a certificate: %v", err)
	}
}

// docs/tls.md: a certificate that comes with a DPoP proof is of the same person or
// structure, or of the client that the token was issued to.
func TestTK18CertificatesThatComeWithProofs(t *testing.T) {
	key, holder := newKey(t), newKey(t)
	structure := func(number string) fhir.Ident { return fhir.Ident{System: fhir.SystemStructure, Value: number} }
	peer := func(c Class, id fhir.Ident) Peer { return Peer{class: c, id: id, thumbprint: "print-" + id.Value} }
	theirs, vendor, other := structure("1750000002"), structure("326750045200011"), structure("1750000001")
	down := errors.New("no store")
	physician, patient := physicianDraft, func() draft { return callerDraft(Patient) }
	for name, c := range map[string]struct {
		draft func() draft
		from  Peer
		want  error // nil: let in
	}{
		"no certificate":                  {physician, Peer{}, nil},
		"her card":                        {physician, peer(PersonClass, fhir.Ident{System: fhir.SystemRPPS, Value: "99700218896"}), nil},
		"the card of another":             {physician, peer(PersonClass, fhir.Ident{System: fhir.SystemRPPS, Value: "99700218897"}), ErrInvalidToken},
		"her structure":                   {physician, peer(OrganisationClass, theirs), nil},
		"the vendor of her software":      {physician, peer(OrganisationClass, vendor), nil},
		"anybody":                         {physician, peer(OrganisationClass, other), ErrInvalidToken},
		"the registry does not answer":    {physician, peer(OrganisationClass, structure("1999999999")), ErrUndecided},
		"a SAMU":                          {physician, peer(SAMUClass, theirs), ErrInvalidToken},
		"a patient":                       {patient, Peer{}, nil},
		"a patient, with an organisation": {patient, peer(OrganisationClass, vendor), ErrInvalidToken},
		"a patient, with a card":          {patient, peer(PersonClass, fhir.Ident{System: fhir.SystemRPPS, Value: "99700218896"}), ErrInvalidToken},
	} {
		d := c.draft()
		d.payload["cnf"] = object{"jkt": jkt(t, holder)}
		token := d.sign(t, key)
		for _, known := range []bool{true, false} {
			config := Config{Replay: memory()}
			if known {
				config.Registered = func(_ context.Context, client string, from Peer) (bool, error) {
					if from.id.Value == "1999999999" {
						return false, down
					}
					return client == "lps-1" && from.id == vendor, nil
				}
			}
			want := c.want
			if !known && (c.from.id == vendor || errors.Is(want, ErrUndecided)) {
				want = ErrInvalidToken
			}
			_, err := boundVerifier(t, key, config).Present(context.Background(), Presentation{
				Scheme: "DPoP", Token: token, From: c.from, Proof: proofDraft(t, holder, token).sign(t, holder), Method: "GET", URL: resource,
			})
			if !errors.Is(err, want) {
				t.Errorf("%s, registry %v: %v, want %v", name, known, err, want)
			}
		}
		// A token of a patient that is bound to a certificate is not theirs.
		if c.from.IsZero() || !strings.HasPrefix(name, "a patient") {
			continue
		}
		d.payload["cnf"] = object{"x5t#S256": c.from.thumbprint}
		if _, err := boundVerifier(t, key, Config{}).VerifyFrom(context.Background(), d.sign(t, key), c.from); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("%s, bound to the certificate: %v", name, err)
		}
	}
}

// POLICY §1: behind the certificate of a SAMU one regulates, and does nothing else.
func TestSAMUCertificatesAreForRegulation(t *testing.T) {
	key := newKey(t)
	theirs := fhir.Ident{System: fhir.SystemStructure, Value: "1750000002"}
	for _, c := range []struct {
		kind, purpose string
		ok            bool
	}{
		{"regulator", "centre_15", true},
		{"regulator", "normal", false},
		{"professional", "normal", false},
		{"professional", "bris_de_glace", false},
	} {
		d := physicianDraft()
		d.payload["cnf"], d.dmp()["kind"] = object{"x5t#S256": "print"}, c.kind
		d.purpose(SystemAccessMode, c.purpose)
		_, err := boundVerifier(t, key, Config{}).VerifyFrom(context.Background(), d.sign(t, key), Peer{class: SAMUClass, id: theirs, thumbprint: "print"})
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
	// A hospital that is a SAMU too has one certificate, and feeds with it.
	for _, k := range []Kind{Establishment, Administrative, Operator} {
		d := callerDraft(k)
		d.payload["cnf"] = object{"x5t#S256": "print"}
		id, _ := structure(idStructure)
		_, err := boundVerifier(t, key, Config{}).VerifyFrom(context.Background(), d.sign(t, key), Peer{class: SAMUClass, id: id, thumbprint: "print"})
		if (err == nil) != (k == Establishment) {
			t.Errorf("%v: %v", k, err)
		}
	}
}

// BenchmarkPresentBound is the hot path: a token bound to a certificate, from an issuer
// whose keys were fetched once by URL. The target is 120 µs. The host of the keys is
// closed before: what asked the network would fail.
func BenchmarkPresentBound(b *testing.B) {
	print := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	v, d, key := cached(b)
	d.payload["cnf"] = object{"x5t#S256": print}
	shown := Presentation{Scheme: "Bearer", Token: d.sign(b, key), From: Peer{class: OrganisationClass, thumbprint: print}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Present(context.Background(), shown); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPresentProof is a token bound to a DPoP key, with a proof: a second signature.
// What remembers the proofs costs nothing here.
func BenchmarkPresentProof(b *testing.B) {
	v, d, key := cached(b)
	holder := newKey(b)
	d.payload["cnf"] = object{"jkt": jkt(b, holder)}
	token := d.sign(b, key)
	shown := Presentation{Scheme: "DPoP", Token: token, Proof: proofDraft(b, holder, token).sign(b, holder), Method: "GET", URL: resource}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Present(context.Background(), shown); err != nil {
			b.Fatal(err)
		}
	}
}

// cached returns a Verifier that holds the keys of its issuer, and a token to be bound.
func cached(b *testing.B) (*Verifier, draft, *ecdsa.PrivateKey) {
	b.Helper()
	key := newKey(b)
	host := httptest.NewTLSServer(jsonOf(setOfKeys(b, jwkOf(b, &key.PublicKey, object{"kid": testKid}))))
	set, err := NewKeySet(KeySetConfig{URL: host.URL, Client: host.Client(), Life: MaxKeySetLife, Now: clock})
	if err != nil {
		b.Fatal(err)
	}
	if _, ok := set.Key(testKid); !ok {
		b.Fatal("the key is not fetched")
	}
	host.Close()
	v, err := NewVerifier(Config{
		Now: clock, Issuers: []Issuer{{Issuer: testIssuer, Audience: testAudience, Algorithms: []string{"ES256"}, Keys: set.Key}},
		Revoked: func(string, string) error { return nil }, Replay: func(context.Context, string, time.Time) error { return nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	d := physicianDraft()
	d.payload["scope"] = "user/DocumentReference.rs user/Patient.rs"
	return v, d, key
}
