package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Signer issues access tokens under one ES256 key. It is safe for concurrent use
// if its clock and its source of randomness are.
type Signer struct {
	key      *ecdsa.PrivateKey
	kid      string
	issuer   string
	audience string
	now      func() time.Time
	rand     io.Reader
	test     bool // signs for test persons
}

// NewSigner returns a Signer of tokens from issuer for audience. The key is on
// P-256; its identifier is its RFC 7638 thumbprint. Rand gives the jti; the
// signature draws its own randomness.
func NewSigner(key *ecdsa.PrivateKey, issuer, audience string, now func() time.Time, rand io.Reader) (*Signer, error) {
	if key == nil || key.Curve != elliptic.P256() {
		return nil, errors.New("auth: signing key is not on P-256")
	}
	if issuer == "" || audience == "" || now == nil || rand == nil {
		return nil, errors.New("auth: signer without issuer, audience, clock or randomness")
	}
	kid, err := thumbprint(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	return &Signer{key: key, kid: kid, issuer: issuer, audience: audience, now: now, rand: rand}, nil
}

// Sign returns the token of the claims. It sets iss and aud, and where they are
// empty iat and nbf (now), exp (an hour after iat) and jti.
func (s *Signer) Sign(c Claims) (string, error) {
	c.Issuer, c.Audience = s.issuer, Audience(s.audience)
	if c.IssuedAt == 0 {
		c.IssuedAt = s.now().Unix()
	}
	if c.NotBefore == 0 {
		c.NotBefore = c.IssuedAt
	}
	if c.Expires == 0 {
		c.Expires = c.IssuedAt + int64(defaultMaxAge/time.Second)
	}
	if c.ID == "" {
		id := make([]byte, 16)
		if _, err := io.ReadFull(s.rand, id); err != nil {
			return "", fmt.Errorf("auth: no randomness for a token: %w", err)
		}
		c.ID = base64.RawURLEncoding.EncodeToString(id)
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, payload{c})
	t.Header["typ"] = "at+jwt"
	t.Header["kid"] = s.kid
	token, err := t.SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	return token, nil
}

// Issue signs like Sign, and returns with the token the caller whom it proves, for the
// history. Claims that a Verifier would refuse are not signed.
func (s *Signer) Issue(c Claims) (string, Principal, error) {
	token, err := s.Sign(c)
	if err != nil {
		return "", Principal{}, err
	}
	v, err := NewVerifier(Config{Issuers: []Issuer{s.TrustBound()}, Now: s.now})
	if err != nil {
		return "", Principal{}, err
	}
	read, _, err := v.read(token)
	if err != nil {
		return "", Principal{}, invalid(err)
	}
	p, err := read.principal(s.test)
	if err != nil {
		return "", Principal{}, invalid(err)
	}
	return token, p, nil
}

// Keys returns the public key if kid is that of this signer, for Issuer.Keys.
func (s *Signer) Keys(kid string) (crypto.PublicKey, bool) {
	if kid != s.kid {
		return nil, false
	}
	return &s.key.PublicKey, true
}

// Now returns the instant that a token signed now bears as iat, for the claims that
// say when something else happened.
func (s *Signer) Now() time.Time { return s.now() }

// Trust returns the settings under which a Verifier accepts this signer's tokens,
// bearer tokens too: those of the sandbox. See TrustBound.
func (s *Signer) Trust() Issuer {
	i := s.TrustBound()
	i.Bearer = true
	return i
}

// TrustBound returns the settings under which a Verifier accepts those of this
// signer's tokens that are bound to a certificate or to a DPoP key.
func (s *Signer) TrustBound() Issuer {
	return Issuer{Issuer: s.issuer, Audience: s.audience, Algorithms: []string{"ES256"}, Keys: s.Keys, TestPersons: s.test}
}

// WithTestPersons returns a Signer that issues tokens for test persons too
// (Issuer.TestPersons). For the sandbox.
func (s *Signer) WithTestPersons() *Signer {
	c := *s
	c.test = true
	return &c
}

// thumbprint returns the RFC 7638 thumbprint of a P-256 key, base64url.
func thumbprint(k *ecdsa.PublicKey) (string, error) {
	point, err := k.Bytes() // 4, then x and y, 32 bytes each
	if err != nil {
		return "", fmt.Errorf("auth: public key: %w", err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, b64(point[1:33]), b64(point[33:])))
	return b64(sum[:]), nil
}
