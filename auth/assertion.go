package auth

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxAssertionLife is how far in the future a client assertion may end (SMART Backend
// Services).
const maxAssertionLife = 5 * time.Minute

// assertionAlgorithms are those that a client may sign an assertion with.
var assertionAlgorithms = []string{"RS384", "ES384", "ES256"}

// AssertionAlgorithms returns the algorithms of VerifyAssertion, for metadata.
func AssertionAlgorithms() []string { return slices.Clone(assertionAlgorithms) }

// Assertion is a client assertion (RFC 7523 §2.2) that was verified. Whether its ID
// was used before is for the caller to see to, until Expires.
type Assertion struct {
	Client  string
	ID      string
	Expires time.Time
}

// ClientKeys are the registered keys of a client.
type ClientKeys struct {
	Keys func(kid string) (crypto.PublicKey, bool)
	// URL is the registered place of the key set, which a header jku must repeat;
	// "" if the keys are registered themselves.
	URL string
}

// VerifyAssertion verifies a client assertion as SMART Backend Services has it: signed
// with RS384, ES384 or ES256 under a registered key of the client, iss and sub that
// client, aud the audience and nothing else, exp at most five minutes ahead, a jti.
// Keys gives the keys of a client and false for one that is not registered; nothing
// that the assertion brings or points to is used. The error wraps ErrInvalidToken.
func VerifyAssertion(assertion, audience string, now time.Time, keys func(client string) (ClientKeys, bool)) (Assertion, error) {
	if err := checkForm(assertion); err != nil {
		return Assertion{}, fmt.Errorf("%w: %w", ErrInvalidToken, err)
	}
	if audience == "" {
		return Assertion{}, fmt.Errorf("%w: no audience to hold it to", ErrInvalidToken)
	}
	var c payload
	parser := jwt.NewParser(
		jwt.WithValidMethods(assertionAlgorithms),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithStrictDecoding(),
	)
	_, err := parser.ParseWithClaims(assertion, &c, func(t *jwt.Token) (any, error) { return assertionKey(t, c.Issuer, keys) })
	if err == nil {
		err = c.checkAssertion(now)
	}
	if err != nil {
		return Assertion{}, fmt.Errorf("%w: %w", ErrInvalidToken, err)
	}
	return Assertion{Client: c.Issuer, ID: c.ID, Expires: time.Unix(c.Expires, 0)}, nil
}

// assertionKey checks the header of an assertion and returns the registered key that
// it names.
func assertionKey(t *jwt.Token, client string, keys func(string) (ClientKeys, bool)) (any, error) {
	if !identifier(client) {
		return nil, errors.New("iss missing or malformed")
	}
	registered, ok := keys(client)
	if !ok || registered.Keys == nil {
		return nil, errors.New("client without keys")
	}
	if _, crit := t.Header["crit"]; crit {
		return nil, errors.New("header crit")
	}
	switch typ := t.Header["typ"]; typ {
	case nil, "JWT", "client-authentication+jwt":
	default:
		return nil, errors.New("header typ is not JWT")
	}
	if jku, there := t.Header["jku"]; there && (registered.URL == "" || jku != registered.URL) {
		return nil, errors.New("header jku is not the registered URL")
	}
	kid, _ := t.Header["kid"].(string)
	if kid == "" || len(kid) > maxKidLength {
		return nil, errors.New("header kid missing or too long")
	}
	key, ok := registered.Keys(kid)
	if !ok {
		return nil, errors.New("key unknown")
	}
	if k, ok := key.(*rsa.PublicKey); ok && k.N.BitLen() < minRSABits {
		return nil, errors.New("RSA key too short")
	}
	return key, nil
}

func (p payload) checkAssertion(now time.Time) error {
	switch {
	case p.Subject != p.Issuer:
		return errors.New("sub is not iss")
	case !identifier(p.ID):
		return errors.New("jti missing or malformed")
	// What clocks may differ by is for the past: it makes no assertion live longer.
	case time.Unix(p.Expires, 0).After(now.Add(maxAssertionLife)):
		return errors.New("exp is more than five minutes ahead")
	}
	return nil
}
