package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"opendmp/auth"
)

// errIdentity: what the identity provider says does not carry the exchange.
var errIdentity = errors.New("issuer: identity provider")

// identityAge is how old a token of Pro Santé Connect may be (DOMAIN §5.5: it lives two
// minutes), with what two clocks may differ by.
const identityAge = 2*time.Minute + 30*time.Second

// IdentityConfig says where Pro Santé Connect answers. All is required but Client.
type IdentityConfig struct {
	Issuer, Introspection, UserInfo string
	// ClientID and Secret are ours there. Client may hold a certificate instead of a
	// secret, which is then empty.
	ClientID, Secret string
	// Client is used without following redirects and with a time-out of three seconds.
	Client *http.Client
}

// Identity asks Pro Santé Connect about its tokens.
type Identity struct {
	c    IdentityConfig
	http *http.Client
}

// NewIdentity returns an Identity. It refuses an empty issuer or client, and a URL that
// is not https (but for a loopback address).
func NewIdentity(c IdentityConfig) (*Identity, error) {
	if c.Issuer == "" || c.ClientID == "" {
		return nil, errors.New("issuer: identity provider without issuer or client_id")
	}
	for _, u := range []string{c.Issuer, c.Introspection, c.UserInfo} {
		if err := auth.CheckURL(u); err != nil {
			return nil, fmt.Errorf("issuer: identity provider: %w", err)
		}
	}
	return &Identity{c, auth.Guarded(c.Client)}, nil
}

// session is what the introspection says (RFC 7662 §2.2; Keycloak).
type session struct {
	Active   bool   `json:"active"`
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Type     string `json:"typ"`
	Client   string `json:"azp"`
	ClientID string `json:"client_id"`
	ACR      string `json:"acr"`
	National string `json:"SubjectNameID"`
	Expires  int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
	AuthTime int64  `json:"auth_time"`
}

// identified is a person as the provider says now, and a digest of it.
type identified struct {
	session session
	user    userInfo
	digest  string // SHA-256 of the userinfo, hexadecimal
}

// ask introspects a token and reads its userinfo. The error wraps errIdentity where the
// provider answered and the token does not carry the exchange.
func (i *Identity) ask(ctx context.Context, token string, now time.Time) (identified, error) {
	var s session
	data, err := i.introspect(ctx, token)
	if err == nil {
		err = auth.Unmarshal(data, &s)
	}
	if err != nil {
		return identified{}, err
	}
	if err := i.check(s, now); err != nil {
		return identified{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, i.c.UserInfo, nil)
	if err != nil {
		return identified{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	data, err = auth.ReadJSON(i.http, r)
	if err != nil {
		return identified{}, err
	}
	var u userInfo
	if err := auth.Unmarshal(data, &u); err != nil {
		return identified{}, fmt.Errorf("%w: userinfo not readable", errIdentity)
	}
	if u.Subject != s.Subject || u.National == "" || s.National != "" && s.National != u.National {
		return identified{}, fmt.Errorf("%w: userinfo of another person", errIdentity)
	}
	sum := sha256.Sum256(data)
	return identified{s, u, hex.EncodeToString(sum[:])}, nil
}

func (i *Identity) introspect(ctx context.Context, token string) ([]byte, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	if i.c.Secret == "" {
		form.Set("client_id", i.c.ClientID)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.c.Introspection, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if i.c.Secret != "" {
		r.SetBasicAuth(url.QueryEscape(i.c.ClientID), url.QueryEscape(i.c.Secret))
	}
	return auth.ReadJSON(i.http, r)
}

// check holds an introspection to what an exchange needs.
func (i *Identity) check(s session, now time.Time) error {
	age := now.Sub(time.Unix(s.IssuedAt, 0))
	switch {
	case !s.Active:
		return fmt.Errorf("%w: not active", errIdentity)
	case s.Issuer != i.c.Issuer:
		return fmt.Errorf("%w: another issuer", errIdentity)
	case s.Type != "" && s.Type != "Bearer":
		return fmt.Errorf("%w: a token of another type", errIdentity)
	case s.Subject == "":
		return fmt.Errorf("%w: no subject", errIdentity)
	case s.Expires <= now.Unix(), age > identityAge, age < -30*time.Second:
		return fmt.Errorf("%w: too old, or not yet", errIdentity)
	}
	return nil
}

// issuedTo returns the client that the provider issued the token to.
func (s session) issuedTo() string {
	if s.Client != "" {
		return s.Client
	}
	return s.ClientID
}

// strong tells whether the person was identified at an eIDAS level. None is not one: the
// provider takes a missing level for eidas1, we do not.
func (s session) strong() bool {
	return s.ACR == "eidas1" || s.ACR == "eidas2" || s.ACR == "eidas3"
}
