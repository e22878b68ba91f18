package auth

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Errors of Verify. ErrInvalidToken is wrapped with the reason, which is for the
// log of the operator and never for the caller.
var (
	ErrNoCredential = errors.New("auth: no credential")
	ErrInvalidToken = errors.New("auth: invalid token")
	// ErrUndecided: the memory of used proofs and of tokens taken back does not answer.
	ErrUndecided = errors.New("auth: cannot tell whether the credential still counts")
)

const (
	leeway        = 30 * time.Second
	defaultMaxAge = time.Hour
	maxKidLength  = 128
	maxTextLength = 255
	minRSABits    = 2048
)

// Issuer is one issuer whose tokens are accepted.
type Issuer struct {
	// Issuer and Audience are what iss and aud must be, character by character.
	Issuer, Audience string
	// Algorithms are the accepted ones: RS256, PS256, ES256 and their longer
	// forms, EdDSA. No symmetric one.
	Algorithms []string
	// Keys returns the public key of a key identifier. It may wait for a key set
	// to be fetched from the configured place, and for nothing that the token
	// names.
	Keys func(kid string) (crypto.PublicKey, bool)
	// Bearer accepts tokens that are bound to no certificate: who holds one is
	// believed. For the sandbox.
	Bearer bool
	// TestPersons accepts the test persons of Pro Santé Connect, whose identifiers are
	// ANS and a number (DOMAIN §5.5). For the sandbox.
	TestPersons bool
	// MaxAge is the longest life of a token; one hour if zero.
	MaxAge time.Duration
}

// Config configures a Verifier.
type Config struct {
	Issuers []Issuer
	// Now is the clock.
	Now func() time.Time
	// Replay remembers DPoP proofs; without it tokens bound to a DPoP key are refused.
	Replay Replay
	// Revoked returns ErrInvalidToken (wrapped) for a token that was taken back, by its
	// jti and its client, and another error if it cannot tell. It must not wait. Nil:
	// no token is ever taken back.
	Revoked func(tokenID, client string) error
	// Registered tells of the certificates of clients, for tokens that are bound to a
	// DPoP key and come over the certificate of another structure than theirs; without
	// it those are refused.
	Registered Registered
}

// Verifier turns access tokens into Principals. It is immutable and safe for
// concurrent use.
type Verifier struct {
	issuers  map[string]issuer
	selector *jwt.Parser
	now      func() time.Time
	replay   Replay
	revoked  func(tokenID, client string) error

	registered Registered
}

// issuer is an Issuer and the parser that holds it to its settings.
type issuer struct {
	Issuer
	parser *jwt.Parser
}

// NewVerifier returns a Verifier. It refuses what would silently switch off a
// check: no issuer, an empty or double name, an empty audience, no algorithm, an
// algorithm that is symmetric or unknown, no keys, no clock.
func NewVerifier(c Config) (*Verifier, error) {
	if c.Now == nil {
		return nil, errors.New("auth: no clock")
	}
	if len(c.Issuers) == 0 {
		return nil, errors.New("auth: no issuer")
	}
	v := &Verifier{
		issuers:  make(map[string]issuer, len(c.Issuers)),
		selector: jwt.NewParser(jwt.WithStrictDecoding()),
		now:      c.Now,
		replay:   c.Replay,
		revoked:  c.Revoked,

		registered: c.Registered,
	}
	for _, i := range c.Issuers {
		if err := i.check(); err != nil {
			return nil, fmt.Errorf("auth: issuer %q: %w", i.Issuer, err)
		}
		if _, twice := v.issuers[i.Issuer]; twice {
			return nil, fmt.Errorf("auth: issuer %q: configured twice", i.Issuer)
		}
		if i.MaxAge == 0 {
			i.MaxAge = defaultMaxAge
		}
		v.issuers[i.Issuer] = issuer{i, i.newParser(c.Now)}
	}
	return v, nil
}

func (i Issuer) check() error {
	switch {
	case i.Issuer == "":
		return errors.New("no name")
	case i.Audience == "":
		return errors.New("no audience")
	case i.Keys == nil:
		return errors.New("no keys")
	case len(i.Algorithms) == 0:
		return errors.New("no algorithm")
	case i.MaxAge < 0:
		return errors.New("negative age")
	}
	for _, alg := range i.Algorithms {
		if !asymmetric(alg) {
			return fmt.Errorf("algorithm %q is not accepted", alg)
		}
	}
	return nil
}

func asymmetric(alg string) bool {
	switch alg {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA":
		return true
	}
	return false
}

func (i Issuer) newParser(now func() time.Time) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods(i.Algorithms),
		jwt.WithIssuer(i.Issuer),
		jwt.WithAudience(i.Audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(now),
		jwt.WithStrictDecoding(),
	)
}

// Verify returns the caller whom the token proves, who showed no certificate: it
// refuses a token that is bound to one. See VerifyFrom.
func (v *Verifier) Verify(ctx context.Context, token string) (Principal, error) {
	return v.VerifyFrom(ctx, token, Peer{})
}

// VerifyFrom returns the caller whom the token proves, sent by the holder of a
// certificate; the zero Peer if none was shown. A bound token is accepted from its
// certificate only (RFC 8705 §3), and where the certificate and the token are of two
// holders neither is believed. Its error is ErrNoCredential for an empty token,
// ErrInvalidToken (wrapped) for any other that is not good, or that of ctx.
//
// A Principal may ask for a mode that the policy then refuses: bris_de_glace
// without a reason, or by someone vouched for.
func (v *Verifier) VerifyFrom(ctx context.Context, token string, from Peer) (Principal, error) {
	return v.Present(ctx, Presentation{Scheme: "Bearer", Token: token, From: from})
}

// Present is VerifyFrom of a token as a request presents it, which may be bound to a
// DPoP key. A store that cannot tell whether a token was taken back, or a proof used
// before, is an error that is not ErrInvalidToken.
func (v *Verifier) Present(ctx context.Context, pr Presentation) (Principal, error) {
	if err := ctx.Err(); err != nil {
		return Principal{}, err
	}
	if pr.Token == "" {
		return Principal{}, ErrNoCredential
	}
	return v.verify(ctx, pr)
}

func (v *Verifier) verify(ctx context.Context, pr Presentation) (Principal, error) {
	c, i, err := v.read(pr.Token)
	if err != nil {
		return Principal{}, invalid(err)
	}
	p, err := c.principal(i.TestPersons)
	if err == nil {
		err = c.putScopes(&p)
	}
	if err != nil {
		return Principal{}, invalid(err)
	}
	if err := v.possession(ctx, c.Claims, p, i.Bearer, pr); err != nil {
		if errors.Is(err, ErrUndecided) {
			return Principal{}, err
		}
		return Principal{}, invalid(err)
	}
	if v.revoked == nil {
		return p, nil
	}
	if err := v.revoked(c.ID, c.Client); err != nil {
		return Principal{}, err
	}
	return p, nil
}

func invalid(err error) error { return fmt.Errorf("%w: %w", ErrInvalidToken, err) }

// read returns the claims of a token that its issuer signed, and the issuer.
func (v *Verifier) read(token string) (payload, issuer, error) {
	if err := checkForm(token); err != nil {
		return payload{}, issuer{}, err
	}
	i, err := v.issuerOf(token)
	if err != nil {
		return payload{}, issuer{}, err
	}
	var c payload
	if _, err := i.parser.ParseWithClaims(token, &c, i.key); err != nil {
		return payload{}, issuer{}, err
	}
	return c, i, c.checkTimes(v.now(), i.MaxAge)
}

// Read returns the claims of a token that one of the issuers signed, whoever sends it:
// for its introspection, and to take it back. It proves no caller. The error wraps
// ErrInvalidToken.
func (v *Verifier) Read(token string) (Claims, error) {
	c, _, err := v.read(token)
	if err != nil {
		return Claims{}, invalid(err)
	}
	return c.Claims, nil
}

// issuerOf returns the configured issuer that the token says it is from. Nothing
// of the token is proved yet: this only chooses the settings that it must then
// pass. It is the only place where a token is read without being verified.
func (v *Verifier) issuerOf(token string) (issuer, error) {
	var c struct {
		jwt.Claims `json:"-"` // only to be taken for claims: the rest is read once it is proved
		Issuer     string     `json:"iss"`
	}
	if _, _, err := v.selector.ParseUnverified(token, &c); err != nil {
		return issuer{}, err
	}
	i, ok := v.issuers[c.Issuer]
	if !ok {
		return issuer{}, errors.New("issuer not configured")
	}
	return i, nil
}

// key checks the header and returns the key that it names. Headers that bring or
// locate a key (jwk, jku, x5c, x5u) are not looked at.
func (i issuer) key(t *jwt.Token) (any, error) {
	if _, crit := t.Header["crit"]; crit {
		return nil, errors.New("header crit")
	}
	if typ := t.Header["typ"]; typ != "at+jwt" && typ != "application/at+jwt" {
		return nil, errors.New("header typ is not at+jwt")
	}
	kid, _ := t.Header["kid"].(string)
	if kid == "" || len(kid) > maxKidLength {
		return nil, errors.New("header kid missing or too long")
	}
	key, ok := i.Keys(kid)
	if !ok {
		return nil, errors.New("key unknown")
	}
	if k, ok := key.(*rsa.PublicKey); ok && k.N.BitLen() < minRSABits {
		return nil, errors.New("RSA key too short")
	}
	return key, nil
}

// payload is Claims as golang-jwt wants to see them.
type payload struct{ Claims }

func (p payload) GetExpirationTime() (*jwt.NumericDate, error) { return date(p.Expires), nil }
func (p payload) GetIssuedAt() (*jwt.NumericDate, error)       { return date(p.IssuedAt), nil }
func (p payload) GetNotBefore() (*jwt.NumericDate, error)      { return date(p.NotBefore), nil }
func (p payload) GetIssuer() (string, error)                   { return p.Issuer, nil }
func (p payload) GetSubject() (string, error)                  { return p.Subject, nil }
func (p payload) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{string(p.Audience)}, nil
}

// date returns nil, absent, for zero.
func date(seconds int64) *jwt.NumericDate {
	if seconds == 0 {
		return nil
	}
	return jwt.NewNumericDate(time.Unix(seconds, 0))
}

// checkTimes checks what golang-jwt does not: that iat is there, and that the
// token does not live longer than maxAge.
func (p payload) checkTimes(now time.Time, maxAge time.Duration) error {
	const lastSecond = 1 << 40 // far enough, and no arithmetic overflows below it
	for _, t := range [...]int64{p.Expires, p.IssuedAt, p.NotBefore, p.DMP.Confirmed} {
		if t < 0 || t > lastSecond {
			return errors.New("time out of range")
		}
	}
	switch {
	case p.IssuedAt == 0:
		return errors.New("no iat")
	case p.Expires <= p.IssuedAt:
		return errors.New("exp is not after iat")
	case time.Duration(p.Expires-p.IssuedAt)*time.Second > maxAge:
		return errors.New("lives too long")
	case p.DMP.Confirmed > now.Add(leeway).Unix():
		return errors.New("confirmed in the future")
	}
	return nil
}
