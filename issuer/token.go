package issuer

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/store"
)

// Grant types.
const (
	GrantClient   = "client_credentials"
	GrantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	GrantRefresh  = "refresh_token"
)

const typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"

// TokenResponse is the answer of the token endpoint (RFC 6749 §5.1, RFC 8693 §2.2.1).
type TokenResponse struct {
	AccessToken string `json:"access_token"`
	// TokenType is Bearer for a token bound to a certificate (RFC 8705), DPoP for one
	// bound to a DPoP key.
	TokenType string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"`
	Scope     string `json:"scope"`
	Issued    string `json:"issued_token_type,omitempty"`
	Refresh   string `json:"refresh_token,omitempty"`
	// Client is the client that it was given to, for the log.
	Client string `json:"-"`
}

// grant is what a request is about to be given.
type grant struct {
	claims auth.Claims
	life   time.Duration
	// exchanged is the digest of what the identity provider said.
	exchanged string
	// next returns the refresh token that goes with the claims, and the entry to keep;
	// nil if there is none.
	next func(auth.Claims) (string, store.StateEntry, error)
}

// Token answers the token endpoint. Its error is an *Error, or ErrUnavailable wrapped.
func (s *Server) Token(ctx context.Context, r Request) (TokenResponse, error) {
	p, err := s.authenticate(ctx, r)
	if err != nil {
		return TokenResponse{}, err
	}
	res, err := s.grant(ctx, r, p)
	res.Client = p.client.ID
	var refused *Error
	if errors.As(err, &refused) {
		refused.Client = p.client.ID
		// A client that proved itself and is refused is in the history too; what it
		// proved itself by is used up.
		if err := s.commit(ctx, store.Tx{State: p.used}, refusalEvent(r, p, refused)); err != nil && !errors.Is(err, store.ErrConflict) {
			return TokenResponse{}, unavailable(err)
		}
	}
	return res, err
}

func (s *Server) grant(ctx context.Context, r Request, p proof) (TokenResponse, error) {
	kind, err := r.one("grant_type")
	if err != nil {
		return TokenResponse{}, err
	}
	if err := s.bind(r, &p); err != nil {
		return TokenResponse{}, err
	}
	switch kind {
	case GrantClient:
		g, err := s.service(r, p)
		if err != nil {
			return TokenResponse{}, err
		}
		return s.issue(ctx, r, p, g)
	case GrantExchange:
		g, err := s.exchange(ctx, r, p)
		if err != nil {
			return TokenResponse{}, err
		}
		return s.issue(ctx, r, p, g)
	case GrantRefresh:
		return s.refresh(ctx, r, p)
	}
	return TokenResponse{}, refuse("unsupported_grant_type", "grant_type is "+GrantClient+", "+GrantExchange+" or "+GrantRefresh, nil)
}

// service grants an establishment a token for itself.
func (s *Server) service(r Request, p proof) (grant, error) {
	c := p.client
	if c.Kind != Establishment {
		return grant{}, refuse("unauthorized_client", "the client acts for persons only", nil)
	}
	if err := r.without("goes with a token exchange only", accessParameters[:]...); err != nil {
		return grant{}, err
	}
	scope, err := s.narrow(r, c)
	if err != nil {
		return grant{}, err
	}
	return grant{life: serviceLife, claims: auth.Claims{
		Subject: c.ID, Client: c.ID, Scope: &scope,
		Extensions: auth.Extensions{IUA: auth.IUA{
			SubjectName: c.Name, Organization: []string{c.Name}, OrganizationID: c.Structures[:1],
			Purpose: []auth.Coding{{System: auth.SystemActReason, Code: "TREAT"}},
		}},
		DMP: auth.DMP{Kind: auth.Establishment.String(), Structures: c.Structures},
	}}, nil
}

// narrow returns the scopes that were asked for within the registered ones; all of these
// where none was asked for.
func (s *Server) narrow(r Request, c Client) (string, error) {
	asked, err := r.one("scope")
	if err != nil {
		return "", err
	}
	may, err := c.scopes()
	if err != nil {
		return "", unavailable(err)
	}
	given := may
	if asked != "" {
		parsed, err := auth.ParseScopes(asked)
		if err != nil {
			return "", refuse("invalid_scope", "a scope is malformed, or asks for what is not served", err)
		}
		given = parsed.Narrow(may)
	}
	if len(given) == 0 {
		return "", refuse("invalid_scope", "none of the scopes is registered for the client", nil)
	}
	return given.String(), nil
}

// issue signs the token of a grant and makes it durable before it is given.
func (s *Server) issue(ctx context.Context, r Request, p proof, g grant) (TokenResponse, error) {
	now := s.c.Now()
	g.claims.Confirmation = &p.confirmation
	g.claims.IssuedAt, g.claims.Expires = now.Unix(), now.Add(g.life).Unix()
	id, err := s.random()
	if err != nil {
		return TokenResponse{}, err
	}
	g.claims.ID = id
	token, caller, err := s.c.Signer.Issue(g.claims)
	if err != nil {
		return TokenResponse{}, refuse("invalid_grant", "no token can be made of this: an identifier, a profession or a purpose is missing, or does not go with the caller", err)
	}
	res := TokenResponse{
		AccessToken: token, TokenType: "Bearer", ExpiresIn: int64(g.life / time.Second), Scope: *g.claims.Scope,
	}
	if p.confirmation.Key != "" {
		res.TokenType = "DPoP"
	}
	tx := store.Tx{State: p.used}
	if g.next != nil {
		refresh, entry, err := g.next(g.claims)
		if err != nil {
			return TokenResponse{}, err
		}
		res.Refresh, tx.State = refresh, append(tx.State, entry)
	}
	if g.exchanged != "" {
		res.Issued = typeAccessToken
	}
	e := audit.About(caller)
	e.Interaction, e.Action, e.Allowed, e.Status, e.RequestID = audit.Token, audit.Executes, true, http.StatusOK, r.ID
	if g.exchanged != "" {
		e.Query = "userinfo sha256=" + g.exchanged
	}
	switch err := s.commit(ctx, tx, e); {
	case errors.Is(err, store.ErrConflict):
		return TokenResponse{}, refuse("invalid_grant", "the assertion, the proof or the refresh token was used before", err)
	case err != nil:
		return TokenResponse{}, unavailable(err)
	}
	return res, nil
}

// refusalEvent is the line of the history about a client that was refused.
func refusalEvent(r Request, p proof, e *Error) audit.Event {
	return audit.Event{
		ActorName: p.client.Name, Client: p.client.ID, Interaction: audit.Token, Action: audit.Executes,
		Status: e.Status, RequestID: r.ID, Rules: []string{e.Code},
	}
}

// random returns 128 random bits, base64url.
func (s *Server) random() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.c.Rand, b); err != nil {
		return "", unavailable(err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
