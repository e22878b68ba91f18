package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"opendmp/fhir"
)

func TestVerifyAcceptsPhysician(t *testing.T) {
	key := newKey(t)
	d := physicianDraft()
	d.dmp()["structures"] = []any{"urn:oid:1.2.250.1.71.4.2.2|2750000003", "urn:oid:1.2.250.1.71.4.2.2|1750000002"}
	d.dmp()["confirmed"] = instant.Add(-time.Minute).Unix()
	got, err := newVerifier(t, key).Verify(context.Background(), d.sign(t, key))
	if err != nil {
		t.Fatal(err)
	}
	want := Principal{
		kind:       Professional,
		id:         fhir.Ident{System: fhir.SystemRPPS, Value: "99700218896"},
		profession: Coding{SystemProfession, "10"},
		roles:      []Coding{{SystemSkill, "SM59"}},
		structure:  fhir.Ident{System: fhir.SystemStructure, Value: "1750000002"},
		structures: []fhir.Ident{
			{System: fhir.SystemStructure, Value: "1750000002"},
			{System: fhir.SystemStructure, Value: "2750000003"},
		},
		name: "Dr Paul ROCHE", orgName: "Hôpital Sud",
		tokenID: "j-1", client: "lps-1",
		expires: instant.Add(time.Hour), confirmed: instant.Add(-time.Minute),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Each case bends one thing of a good token (SECURITY.md §6.3, TK02 to TK08).
func TestVerifyRefuses(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	set := func(f func(draft)) string {
		d := physicianDraft()
		f(d)
		return d.sign(t, key)
	}
	header := func(name string, value any) string { return set(func(d draft) { d.header[name] = value }) }
	claim := func(name string, value any) string { return set(func(d draft) { d.payload[name] = value }) }
	drop := func(name string) string { return set(func(d draft) { delete(d.payload, name) }) }
	at := func(offset time.Duration) int64 { return instant.Add(offset).Unix() }

	good := physicianDraft().sign(t, key)
	parts := strings.Split(good, ".")
	h, p := text(t, physicianDraft().header), text(t, physicianDraft().payload)

	for name, token := range map[string]string{
		"another key":           physicianDraft().sign(t, newKey(t)),
		"signature stripped":    parts[0] + "." + parts[1] + ".",
		"two parts":             parts[0] + "." + parts[1],
		"five parts":            good + "." + parts[1] + "." + parts[2],
		"not a token":           "hello",
		"three dots":            "..",
		"blank":                 " ",
		"space before":          " " + good,
		"newline after":         good + "\n",
		"padded base64":         parts[0] + "=." + parts[1] + "." + parts[2],
		"payload of another":    parts[0] + "." + encode(t, without(physicianDraft().payload, "nbf")) + "." + parts[2],
		"nine kilobytes":        claim("filler", strings.Repeat("x", 9<<10)),
		"alg none":              noneToken(t),
		"alg none, signed":      noneToken(t) + parts[2],
		"newline inside":        parts[0] + "." + parts[1][:8] + "\n" + parts[1][8:] + "." + parts[2],
		"HS256 with public key": hmacToken(t, &key.PublicKey),
		"alg of another kind":   header("alg", "ES384"),
		"alg missing":           set(func(d draft) { delete(d.header, "alg") }),
		"alg not a string":      header("alg", 1),

		"crit":                 header("crit", []any{"exp"}),
		"crit empty":           header("crit", []any{}),
		"typ missing":          set(func(d draft) { delete(d.header, "typ") }),
		"typ of an ID token":   header("typ", "JWT"),
		"typ of a DPoP proof":  header("typ", "dpop+jwt"),
		"typ in another case":  header("typ", "AT+JWT"),
		"typ not a string":     header("typ", []any{"at+jwt"}),
		"kid missing":          set(func(d draft) { delete(d.header, "kid") }),
		"kid empty":            header("kid", ""),
		"kid not a string":     header("kid", 1),
		"kid unknown":          header("kid", "kid-2"),
		"kid huge":             header("kid", strings.Repeat("k", 129)),
		"kid a path":           header("kid", "../../dev/null"),
		"kid twice":            signRaw(t, key, h+`,"kid":"kid-2"}`, p+"}"),
		"Kid beside kid":       signRaw(t, key, h+`,"Kid":"kid-2"}`, p+"}"),
		"header not an object": signRaw(t, key, `[]`, p+"}"),
		"header cut":           signRaw(t, key, h, p+"}"),
		"header null":          signRaw(t, key, `null`, p+"}"),

		"exp missing":                 drop("exp"),
		"exp null":                    claim("exp", nil),
		"exp a string":                claim("exp", "4000000000"),
		"exp a fraction":              claim("exp", 1.5),
		"exp negative":                claim("exp", -1),
		"exp beyond all":              claim("exp", int64(1)<<62),
		"exp too large for a number":  signRaw(t, key, h+"}", text(t, without(physicianDraft().payload, "exp"))+`,"exp":1e300}`),
		"exp in the past":             set(func(d draft) { d.payload["iat"], d.payload["exp"] = at(-2*time.Hour), at(-31*time.Second) }),
		"exp before iat":              set(func(d draft) { d.payload["iat"], d.payload["exp"] = at(20*time.Second), at(10*time.Second) }),
		"nbf in the future":           claim("nbf", at(31*time.Second)),
		"iat in the future":           set(func(d draft) { d.payload["iat"] = at(31 * time.Second) }),
		"iat missing":                 drop("iat"),
		"iat negative":                claim("iat", -5),
		"lives longer than an hour":   claim("exp", at(time.Hour+time.Second)),
		"confirmed in the future":     set(func(d draft) { d.dmp()["confirmed"] = at(time.Minute) }),
		"confirmed before all":        set(func(d draft) { d.dmp()["confirmed"] = -1 }),
		"iss missing":                 drop("iss"),
		"iss empty":                   claim("iss", ""),
		"iss with a slash":            claim("iss", testIssuer+"/"),
		"iss in another case":         claim("iss", strings.ToUpper(testIssuer)),
		"iss of the sandbox":          claim("iss", "http://127.0.0.1:8080/sandbox"),
		"iss an array":                claim("iss", []any{testIssuer}),
		"iss twice":                   signRaw(t, key, h+"}", p+`,"iss":"`+testIssuer+`"}`),
		"ISS beside iss":              signRaw(t, key, h+"}", p+`,"ISS":"https://other.example"}`),
		"ISS alone":                   signRaw(t, key, h+"}", text(t, without(physicianDraft().payload, "iss"))+`,"ISS":"`+testIssuer+`"}`),
		"iss with a long s":           signRaw(t, key, h+"}", text(t, without(physicianDraft().payload, "iss"))+`,"iſs":"`+testIssuer+`"}`),
		"iss escaped":                 signRaw(t, key, h+"}", text(t, without(physicianDraft().payload, "iss"))+`,"\u0069ss":"`+testIssuer+`"}`),
		"aud missing":                 drop("aud"),
		"aud null":                    claim("aud", nil),
		"aud empty":                   claim("aud", ""),
		"aud another":                 claim("aud", "https://other.example/fhir"),
		"aud with a slash":            claim("aud", testAudience+"/"),
		"aud an array of another":     claim("aud", []any{"https://other.example"}),
		"aud an array of two":         claim("aud", []any{testAudience, "https://other.example"}),
		"aud an empty array":          claim("aud", []any{}),
		"aud an object":               claim("aud", object{testAudience: true}),
		"jti missing":                 drop("jti"),
		"jti empty":                   claim("jti", ""),
		"jti with a newline":          claim("jti", "a\nb"),
		"jti huge":                    claim("jti", strings.Repeat("j", 256)),
		"sub missing":                 drop("sub"),
		"client_id with a space":      claim("client_id", "a b"),
		"data after the object":       signRaw(t, key, h+"}", p+"}{}"),
		"payload not UTF-8":           signRaw(t, key, h+"}", p+`,"x":"`+"\xff"+`"}`),
		"payload nested too deep":     signRaw(t, key, h+"}", p+`,"x":`+strings.Repeat("[", 65)+strings.Repeat("]", 65)+"}"),
		"payload null":                signRaw(t, key, h+"}", "null"),
		"payload a string":            signRaw(t, key, h+"}", `"x"`),
		"duplicate deep in an object": signRaw(t, key, h+"}", p+`,"x":{"y":[{"z":1,"z":2}]}}`),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := v.Verify(context.Background(), token)
			if !errors.Is(err, ErrInvalidToken) {
				t.Errorf("error %v, want ErrInvalidToken", err)
			}
			if !reflect.DeepEqual(p, Principal{}) {
				t.Errorf("a Principal with the error: %+v", p)
			}
		})
	}
}

func noneToken(t *testing.T) string {
	d := physicianDraft()
	d.header["alg"] = "none"
	return encode(t, d.header) + "." + encode(t, d.payload) + "."
}

// hmacToken is signed with the public key as a shared secret.
func hmacToken(t *testing.T, public *ecdsa.PublicKey) string {
	t.Helper()
	secret, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	d := physicianDraft()
	d.header["alg"] = "HS256"
	signed := encode(t, d.header) + "." + encode(t, d.payload)
	sig, err := jwt.SigningMethodHS256.Sign(signed, secret)
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// The edges of what is refused above are accepted.
func TestVerifyAcceptsEdges(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	at := func(offset time.Duration) int64 { return instant.Add(offset).Unix() }
	for name, bend := range map[string]func(draft){
		"exp just past":    func(d draft) { d.payload["iat"], d.payload["exp"] = at(-time.Hour), at(-29*time.Second) },
		"nbf within":       func(d draft) { d.payload["nbf"] = at(29 * time.Second) },
		"iat within":       func(d draft) { d.payload["iat"] = at(29 * time.Second) },
		"nbf missing":      func(d draft) { delete(d.payload, "nbf") },
		"aud array of one": func(d draft) { d.payload["aud"] = []any{testAudience} },
		"full media type":  func(d draft) { d.header["typ"] = "application/at+jwt" },
		"foreign claims":   func(d draft) { d.payload["SubjectNameID"], d.payload["scope"] = "x", "user/*.rs" },
		"no client":        func(d draft) { delete(d.payload, "client_id") },
		"no structure": func(d draft) {
			delete(d.iua(), "subject_organization")
			delete(d.iua(), "subject_organization_id")
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := physicianDraft()
			bend(d)
			if _, err := v.Verify(context.Background(), d.sign(t, key)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerifyNoCredential(t *testing.T) {
	p, err := newVerifier(t, newKey(t)).Verify(context.Background(), "")
	if !errors.Is(err, ErrNoCredential) || errors.Is(err, ErrInvalidToken) || p.Kind() != Nobody {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestVerifyStopsWithItsContext(t *testing.T) {
	key := newKey(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newVerifier(t, key).Verify(ctx, physicianDraft().sign(t, key)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TK06: a header that brings or locates a key is signed by that key, and neither
// believed nor followed.
func TestVerifyIgnoresKeysInHeader(t *testing.T) {
	var asked bool
	attacker := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer attacker.Close()

	key, stolen := newKey(t), newKey(t)
	point, err := stolen.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	v := newVerifier(t, key)
	for name, value := range map[string]any{
		"jku": attacker.URL + "/jwks",
		"x5u": attacker.URL + "/x5u",
		"jwk": object{"kty": "EC", "crv": "P-256", "kid": testKid, "x": b64(point[1:33]), "y": b64(point[33:])},
	} {
		d := physicianDraft()
		d.header[name] = value
		if _, err := v.Verify(context.Background(), d.sign(t, stolen)); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := v.Verify(context.Background(), d.sign(t, key)); err != nil {
			t.Errorf("%s with the right key: %v", name, err)
		}
	}
	if asked {
		t.Error("a key was fetched from where the token said")
	}
}

// A token may not be of one issuer and be signed by another.
func TestVerifyKeepsIssuersApart(t *testing.T) {
	production, sandbox := newKey(t), newKey(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(Config{Now: clock, Issuers: []Issuer{
		{Issuer: testIssuer, Audience: testAudience, Algorithms: []string{"ES256"}, Bearer: true, Keys: oneKey(&production.PublicKey)},
		{Issuer: "https://sandbox.example", Audience: testAudience, Algorithms: []string{"ES256"}, Bearer: true, Keys: oneKey(&sandbox.PublicKey)},
		{Issuer: "https://rsa.example", Audience: testAudience, Algorithms: []string{"PS256"}, Bearer: true, Keys: oneKey(&rsaKey.PublicKey)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	of := func(issuer string) draft {
		d := physicianDraft()
		d.payload["iss"] = issuer
		return d
	}
	for _, c := range []struct {
		name, issuer string
		key          *ecdsa.PrivateKey
		ok           bool
	}{
		{"production by production", testIssuer, production, true},
		{"sandbox by sandbox", "https://sandbox.example", sandbox, true},
		{"production by sandbox", testIssuer, sandbox, false},
		{"sandbox by production", "https://sandbox.example", production, false},
		{"ES256 at an issuer of PS256", "https://rsa.example", production, false},
	} {
		_, err := v.Verify(context.Background(), of(c.issuer).sign(t, c.key))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestVerifyKeyTypes(t *testing.T) {
	shortRSA, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go makes no key of 1024 bits: ", err)
	}
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method jwt.SigningMethod
		key    any
		public crypto.PublicKey
		ok     bool
	}{
		{jwt.SigningMethodEdDSA, edPrivate, edPublic, true},
		{jwt.SigningMethodPS256, shortRSA, &shortRSA.PublicKey, false},
		{jwt.SigningMethodPS256, shortRSA, edPublic, false},
	} {
		v, err := NewVerifier(Config{Now: clock, Issuers: []Issuer{{
			Issuer: testIssuer, Audience: testAudience, Algorithms: []string{c.method.Alg()}, Bearer: true, Keys: oneKey(c.public),
		}}})
		if err != nil {
			t.Fatal(err)
		}
		d := physicianDraft()
		d.header["alg"] = c.method.Alg()
		signed := encode(t, d.header) + "." + encode(t, d.payload)
		sig, err := c.method.Sign(signed, c.key)
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Verify(context.Background(), signed+"."+base64.RawURLEncoding.EncodeToString(sig))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.method.Alg(), err)
		}
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	keys := func(string) (crypto.PublicKey, bool) { return nil, false }
	good := Issuer{Issuer: testIssuer, Audience: testAudience, Algorithms: []string{"ES256"}, Keys: keys}
	one := func(bend func(*Issuer)) Config {
		i := good
		i.Algorithms = slices.Clone(good.Algorithms)
		bend(&i)
		return Config{Now: clock, Issuers: []Issuer{i}}
	}
	for name, c := range map[string]Config{
		"nothing":         {},
		"no clock":        {Issuers: []Issuer{good}},
		"no issuer":       {Now: clock},
		"issuer twice":    {Now: clock, Issuers: []Issuer{good, good}},
		"issuer empty":    one(func(i *Issuer) { i.Issuer = "" }),
		"audience empty":  one(func(i *Issuer) { i.Audience = "" }),
		"no keys":         one(func(i *Issuer) { i.Keys = nil }),
		"no algorithm":    one(func(i *Issuer) { i.Algorithms = nil }),
		"algorithm none":  one(func(i *Issuer) { i.Algorithms = []string{"none"} }),
		"algorithm HS256": one(func(i *Issuer) { i.Algorithms = []string{"ES256", "HS256"} }),
		"algorithm empty": one(func(i *Issuer) { i.Algorithms = []string{""} }),
		"negative age":    one(func(i *Issuer) { i.MaxAge = -1 }),
	} {
		if v, err := NewVerifier(c); err == nil || v != nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := NewVerifier(Config{Now: clock, Issuers: []Issuer{good}}); err != nil {
		t.Errorf("good configuration refused: %v", err)
	}
}

func TestMaxAge(t *testing.T) {
	key := newKey(t)
	v, err := NewVerifier(Config{Now: clock, Issuers: []Issuer{{
		Issuer: testIssuer, Audience: testAudience, Algorithms: []string{"ES256"}, Bearer: true, Keys: oneKey(&key.PublicKey), MaxAge: time.Minute,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	d := physicianDraft()
	d.payload["exp"] = instant.Add(time.Minute).Unix()
	if _, err := v.Verify(context.Background(), d.sign(t, key)); err != nil {
		t.Error(err)
	}
	d.payload["exp"] = instant.Add(61 * time.Second).Unix()
	if _, err := v.Verify(context.Background(), d.sign(t, key)); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("error %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	key := newKey(f)
	v := newVerifier(f, key)
	good := physicianDraft().sign(f, key)
	f.Add(good)
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, token string) {
		p, err := v.Verify(context.Background(), token)
		switch {
		case err == nil && token != good:
			t.Fatalf("accepted %q", token)
		case err != nil && p.Kind() != Nobody:
			t.Fatalf("a Principal with error %v", err)
		case err != nil && !errors.Is(err, ErrInvalidToken) && !errors.Is(err, ErrNoCredential):
			t.Fatalf("error of another kind: %v", err)
		}
	})
}

// FuzzClaims signs whatever payload it is given: a trusted issuer with a bug.
func FuzzClaims(f *testing.F) {
	key := newKey(f)
	v := newVerifier(f, key)
	d := physicianDraft()
	f.Add(text(f, d.payload) + "}")
	f.Add("{}")
	f.Add(`{"iss":"` + testIssuer + `","aud":["` + testAudience + `"]}`)
	header := text(f, d.header) + "}"
	f.Fuzz(func(t *testing.T, claims string) {
		p, err := v.Verify(context.Background(), signRaw(t, key, header, claims))
		if (err == nil) == (p.Kind() == Nobody) {
			t.Fatalf("error %v with a caller of kind %v", err, p.Kind())
		}
		if err == nil && (p.ID().IsZero() || p.TokenID() == "" || p.Expires().IsZero()) {
			t.Fatalf("accepted without identity, jti or end: %+v", p)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	key := newKey(b)
	v := newVerifier(b, key)
	token := physicianDraft().sign(b, key)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(context.Background(), token); err != nil {
			b.Fatal(err)
		}
	}
}
