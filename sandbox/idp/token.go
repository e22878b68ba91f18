package idp

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"time"
)

// Grants of the token endpoint.
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

// grant answers the token endpoint.
func (p *Provider) grant(c Client, form url.Values) answer {
	var (
		s  *session
		ok bool
	)
	switch form.Get("grant_type") {
	case grantCode:
		s, ok = p.redeem(form.Get("code"), c.ID, form.Get("redirect_uri"), form.Get("code_verifier"))
	case grantRefresh:
		s, ok = p.turn(form.Get("refresh_token"), c.ID)
	default:
		return refusal(http.StatusBadRequest, "unsupported_grant_type", "grant_type is authorization_code or refresh_token")
	}
	if !ok {
		return refusal(http.StatusBadRequest, "invalid_grant", "the code or the refresh token is unknown, used, expired, or of another client, redirect_uri or code_verifier")
	}
	body, err := p.issue(s)
	if err != nil {
		return jsonAnswer(http.StatusInternalServerError, object{"error": "server_error"})
	}
	return jsonAnswer(http.StatusOK, body)
}

// issue makes the tokens of a session: access, refresh and identity.
func (p *Provider) issue(s *session) (object, error) {
	now := p.c.Now()
	access, err := p.issueAccess(s, now)
	if err != nil {
		return nil, err
	}
	identity, err := p.issueIdentity(s, access, now)
	if err != nil {
		return nil, err
	}
	refresh, err := p.random()
	if err != nil {
		return nil, err
	}
	p.keep(refresh, &token{session: s, id: refresh, refresh: true, issued: now, expires: now.Add(refreshLife)})
	return object{
		"access_token": access, "token_type": "Bearer", "expires_in": int(accessLife / time.Second),
		"refresh_token": refresh, "refresh_expires_in": int(refreshLife / time.Second),
		"id_token": identity, "session_state": s.id, "scope": s.scope, "not-before-policy": 0,
	}, nil
}

func (p *Provider) issueAccess(s *session, now time.Time) (string, error) {
	id, err := p.random()
	if err != nil {
		return "", err
	}
	t := &token{session: s, id: id, issued: now, expires: now.Add(accessLife)}
	value, err := p.keys.sign(p.claims(t))
	if err != nil {
		return "", err
	}
	p.keep(value, t)
	return value, nil
}

// claims are those of a token, as Keycloak has them; the introspection repeats them.
func (p *Provider) claims(t *token) object {
	s := t.session
	claims := object{
		"iss": p.issuer, "sub": subject(s.persona), "typ": "Bearer", "azp": s.client, "jti": t.id, "sid": s.id, "session_state": s.id,
		"iat": t.issued.Unix(), "exp": t.expires.Unix(), "auth_time": s.began.Unix(), "scope": s.scope, "acr": levelOfAssurance,
		"nonce": s.nonce, "SubjectNameID": s.persona.ID.Value, "preferred_username": s.persona.ID.Value,
	}
	if t.refresh {
		claims["typ"] = "Refresh"
		for _, name := range []string{"SubjectNameID", "preferred_username", "acr"} {
			delete(claims, name)
		}
	}
	return claims
}

// issueIdentity makes the ID token (OpenID Connect Core §2).
func (p *Provider) issueIdentity(s *session, access string, now time.Time) (string, error) {
	sum := sha256.Sum256([]byte(access))
	return p.keys.sign(object{
		"iss": p.issuer, "sub": subject(s.persona), "aud": s.client, "azp": s.client, "typ": "ID", "sid": s.id,
		"iat": now.Unix(), "exp": now.Add(accessLife).Unix(), "auth_time": s.began.Unix(), "nonce": s.nonce, "acr": levelOfAssurance,
		"at_hash": encode(sum[:len(sum)/2]), "SubjectNameID": s.persona.ID.Value, "preferred_username": s.persona.ID.Value,
		"given_name": s.persona.Given, "family_name": s.persona.Family,
	})
}

// introspect answers about a token (RFC 7662), to every client. SubjectNameID is told of
// an access token only.
func (p *Provider) introspect(_ Client, form url.Values) answer {
	t, ok := p.look(form.Get("token"))
	if !ok {
		return jsonAnswer(http.StatusOK, object{"active": false})
	}
	claims := p.claims(t)
	claims["active"], claims["client_id"], claims["username"] = true, t.session.client, t.session.persona.ID.Value
	return jsonAnswer(http.StatusOK, claims)
}
