package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"opendmp/dossier"
	"opendmp/issuer"
	"opendmp/server"
)

// tokenPath is where the sandbox gives tokens.
const tokenPath = "/sandbox/token"

// smartConfiguration is the document of SMART App Launch 2.0 (conformance.html). Where
// the server only checks the tokens of an issuer there is no grant and no capability to
// claim. There is never a launch; lists that SMART requires are empty.
type smartConfiguration struct {
	Issuer        string   `json:"issuer,omitempty"`
	TokenEndpoint string   `json:"token_endpoint,omitempty"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	AuthAlgs      []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	Keys          string   `json:"jwks_uri,omitempty"`
	Introspection string   `json:"introspection_endpoint,omitempty"`
	Revocation    string   `json:"revocation_endpoint,omitempty"`
	Scopes        []string `json:"scopes_supported,omitempty"`
	GrantTypes    []string `json:"grant_types_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	Capabilities  []string `json:"capabilities"`
}

// smartRoutes serve [base]/.well-known/smart-configuration, as JSON whatever the
// client accepts (SMART App Launch, conformance.html#response).
func smartRoutes(p plan) ([]server.Route, error) {
	base, err := url.Parse(p.base)
	if err != nil {
		return nil, err
	}
	answer := func(_ *http.Request, from server.From) dossier.Answer {
		body, err := json.Marshal(smartOf(p, from))
		if err != nil {
			return dossier.Refuse(dossier.ErrInternal, "fr")
		}
		return dossier.Public(http.StatusOK, "application/json", body)
	}
	path := strings.TrimSuffix(base.Path, "/") + "/.well-known/smart-configuration"
	return []server.Route{{Method: http.MethodGet, Path: path, HandleFrom: answer}, {Method: http.MethodHead, Path: path, HandleFrom: answer}}, nil
}

// smartOf says of a plan what is there: the issuer, if its name is an address, and the
// endpoint of the sandbox, where there is one. Endpoints are those of the listener that
// was asked.
func smartOf(p plan, from server.From) smartConfiguration {
	c := smartConfiguration{GrantTypes: []string{}, Challenges: []string{}, Capabilities: []string{}}
	if p.oauth != nil {
		return p.oauth.smart(c, from)
	}
	for _, i := range p.issuers {
		if u, err := url.Parse(i.Issuer); err == nil && u.IsAbs() && u.Host != "" {
			c.Issuer = i.Issuer
			break
		}
	}
	if slices.ContainsFunc(p.extra, func(r server.Route) bool { return r.Path == tokenPath }) {
		c.TokenEndpoint = from.Origin() + tokenPath
		c.AuthMethods = []string{"none"}
	}
	return c
}

// smart says what the authorisation server serves.
func (a *authority) smart(c smartConfiguration, from server.From) smartConfiguration {
	m := issuer.MetadataAt(from.Origin(), a.identity != nil)
	c.Issuer, c.TokenEndpoint, c.Keys, c.Introspection, c.Revocation = a.url, m.Token, m.Keys, m.Introspection, m.Revocation
	c.AuthMethods, c.AuthAlgs, c.GrantTypes, c.Scopes = m.AuthMethods, m.AuthAlgorithms, m.Grants, m.Scopes
	c.Capabilities = []string{"client-confidential-asymmetric", "permission-v2", "permission-user"}
	return c
}
