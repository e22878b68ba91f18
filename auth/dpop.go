package auth

import (
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// ErrProof: a token whose possession is not proved: no proof, a bad one, one for
// another request or token, or one that was used before. It is wrapped with the
// reason, which is for the log of the operator.
var ErrProof = errors.New("auth: possession of the token is not proved")

// ProofWindow is how far the iat of a proof may be from now, either way. A proof that
// was seen must be remembered for twice as long.
const ProofWindow = 60 * time.Second

// proofAlgorithms are those of DPoP proofs.
var proofAlgorithms = []string{"ES256", "ES384", "PS256"}

// ProofAlgorithms returns the algorithms of VerifyProof, for metadata.
func ProofAlgorithms() []string { return slices.Clone(proofAlgorithms) }

// Proof is a DPoP proof (RFC 9449) that was verified. Whether its ID was used before
// is for the caller to see to, until Expires.
type Proof struct {
	Key     string // RFC 7638 thumbprint of the key, base64url: the jkt
	ID      string
	Expires time.Time
}

// proofClaims is the payload of a proof.
type proofClaims struct {
	ID       string `json:"jti"`
	Method   string `json:"htm"`
	URL      string `json:"htu"`
	IssuedAt int64  `json:"iat"`
	Token    string `json:"ath"`
}

func (proofClaims) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (proofClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil } // checkProof does, in both directions
func (proofClaims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (proofClaims) GetIssuer() (string, error)                   { return "", nil }
func (proofClaims) GetSubject() (string, error)                  { return "", nil }
func (proofClaims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// VerifyProof verifies a DPoP proof for a request: method, URL without its query, and
// the access token that comes with it ("" at the token endpoint). The key is that of
// the header jwk, the one place where a key of a token's header is used: it proves
// possession and nothing else. The error wraps ErrProof.
func VerifyProof(proof, method, url, token string, now time.Time) (Proof, error) {
	if err := checkForm(proof); err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrProof, err)
	}
	var (
		c          proofClaims
		thumbprint string
	)
	parser := jwt.NewParser(jwt.WithValidMethods(proofAlgorithms), jwt.WithStrictDecoding())
	_, err := parser.ParseWithClaims(proof, &c, func(t *jwt.Token) (any, error) {
		key, jkt, err := proofKey(t)
		thumbprint = jkt
		return key, err
	})
	if err == nil {
		err = c.check(method, url, token, now)
	}
	if err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrProof, err)
	}
	return Proof{Key: thumbprint, ID: c.ID, Expires: time.Unix(c.IssuedAt, 0).Add(2 * ProofWindow)}, nil
}

// proofKey returns the key of the header jwk and its thumbprint.
func proofKey(t *jwt.Token) (crypto.PublicKey, string, error) {
	if _, crit := t.Header["crit"]; crit || t.Header["typ"] != "dpop+jwt" {
		return nil, "", errors.New("header typ is not dpop+jwt, or crit")
	}
	data, err := json.Marshal(t.Header["jwk"])
	if err != nil {
		return nil, "", err
	}
	key, err := jwk.ParseKey(data)
	if err != nil {
		return nil, "", errors.New("header jwk is no key")
	}
	public, err := publicKey(key)
	if err != nil {
		return nil, "", err
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, "", err
	}
	return public, base64.RawURLEncoding.EncodeToString(sum), nil
}

func (c proofClaims) check(method, url, token string, now time.Time) error {
	age := now.Sub(time.Unix(c.IssuedAt, 0))
	switch {
	case !identifier(c.ID):
		return errors.New("jti missing or malformed")
	case c.IssuedAt <= 0 || age > ProofWindow || age < -ProofWindow:
		return errors.New("iat is too far from now")
	case c.Method != method:
		return errors.New("htm is another method")
	case !sameURL(c.URL, url):
		return errors.New("htu is another URL")
	case token == "" && c.Token != "":
		return errors.New("ath where there is no token")
	case token != "" && subtle.ConstantTimeCompare([]byte(c.Token), []byte(tokenHash(token))) != 1:
		return errors.New("ath is of another token")
	}
	return nil
}

// sameURL compares two URLs without query and fragment (RFC 9449 §4.3): scheme and
// host without regard to case, the path as it was sent.
func sameURL(a, b string) bool {
	u, errA := url.Parse(a)
	v, errB := url.Parse(b)
	return errA == nil && errB == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" &&
		strings.EqualFold(u.Scheme, v.Scheme) && strings.EqualFold(u.Host, v.Host) && u.EscapedPath() == v.EscapedPath()
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
