package issuer

import (
	"context"
	"errors"

	"opendmp/auth"
	"opendmp/store"
)

// Introspection is the answer about a token (RFC 7662 §2.2): of one that is not good, or
// of another client, Active alone, false.
type Introspection struct {
	Active       bool               `json:"active"`
	Scope        string             `json:"scope,omitempty"`
	ClientID     string             `json:"client_id,omitempty"`
	TokenType    string             `json:"token_type,omitempty"`
	Issuer       string             `json:"iss,omitempty"`
	Audience     string             `json:"aud,omitempty"`
	Subject      string             `json:"sub,omitempty"`
	ID           string             `json:"jti,omitempty"`
	Expires      int64              `json:"exp,omitempty"`
	IssuedAt     int64              `json:"iat,omitempty"`
	Confirmation *auth.Confirmation `json:"cnf,omitempty"`
	Extensions   *auth.Extensions   `json:"extensions,omitempty"`
}

// Introspect answers the introspection endpoint, to the client of the token.
func (s *Server) Introspect(ctx context.Context, r Request) (Introspection, error) {
	p, token, err := s.about(ctx, r)
	if err != nil {
		return Introspection{}, err
	}
	c, ok, err := s.own(token, p.client)
	if err != nil || !ok {
		return Introspection{}, err
	}
	answer := Introspection{
		Active: true, ClientID: c.Client, TokenType: "Bearer", Issuer: c.Issuer, Audience: string(c.Audience), Subject: c.Subject,
		ID: c.ID, Expires: c.Expires, IssuedAt: c.IssuedAt, Confirmation: c.Confirmation, Extensions: &c.Extensions,
	}
	if c.Scope != nil {
		answer.Scope = *c.Scope
	}
	if c.Confirmation != nil && c.Confirmation.Key != "" {
		answer.TokenType = "DPoP"
	}
	return answer, nil
}

// Revoke answers the revocation endpoint (RFC 7009): a refresh token ends its family, an
// access token is taken back. A token that is not good, or of another client, is no
// error.
func (s *Server) Revoke(ctx context.Context, r Request) error {
	p, token, err := s.about(ctx, r)
	if err != nil {
		return err
	}
	id, f, _, err := s.family(ctx, token)
	switch {
	case err == nil && f.Claims.Client == p.client.ID:
		return s.end(ctx, id, f)
	case err == nil:
		return nil
	case !errors.Is(err, errNoFamily):
		return err
	}
	c, ok, err := s.own(token, p.client)
	if err != nil || !ok {
		return err
	}
	entries, err := s.takeBack(ctx, issued{c.ID, c.Expires})
	if err != nil {
		return err
	}
	if err := s.c.Store.Commit(ctx, store.Tx{Expect: store.Any, State: entries}); err != nil && !errors.Is(err, store.ErrConflict) {
		return unavailable(err)
	}
	return s.look(ctx)
}

// about returns the client that proved itself, whose assertion is used up, and the token
// that the request is about.
func (s *Server) about(ctx context.Context, r Request) (proof, string, error) {
	p, err := s.authenticate(ctx, r)
	if err != nil {
		return proof{}, "", err
	}
	if len(p.used) > 0 {
		switch err := s.c.Store.Commit(ctx, store.Tx{Expect: store.Any, State: p.used}); {
		case errors.Is(err, store.ErrConflict):
			return proof{}, "", refuse("invalid_client", "the assertion was used before", err)
		case err != nil:
			return proof{}, "", unavailable(err)
		}
	}
	token, err := r.one("token")
	if err == nil && token == "" {
		err = refuse("invalid_request", "token is missing", nil)
	}
	return p, token, err
}

// own returns the claims of an access token of the client that is in force.
func (s *Server) own(token string, c Client) (auth.Claims, bool, error) {
	claims, err := s.c.Verifier.Read(token)
	if err != nil || claims.Client != c.ID {
		return auth.Claims{}, false, nil
	}
	err = s.c.Revocations.Revoked(claims.ID, claims.Client)
	switch {
	case errors.Is(err, auth.ErrInvalidToken):
		return auth.Claims{}, false, nil
	case err != nil:
		return auth.Claims{}, false, unavailable(err)
	}
	return claims, true, nil
}
