package issuer

import "opendmp/auth"

// Metadata is the document of RFC 8414, with what IHE IUA (ITI-103) asks for. All that
// it lists is served.
type Metadata struct {
	Issuer        string   `json:"issuer"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Introspection string   `json:"introspection_endpoint"`
	Revocation    string   `json:"revocation_endpoint"`
	Grants        []string `json:"grant_types_supported"`
	// ResponseTypes is empty: there is no authorisation endpoint.
	ResponseTypes     []string `json:"response_types_supported"`
	AuthMethods       []string `json:"token_endpoint_auth_methods_supported"`
	AuthAlgorithms    []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	Scopes            []string `json:"scopes_supported"`
	BoundTokens       bool     `json:"tls_client_certificate_bound_access_tokens"`
	ProofAlgorithms   []string `json:"dpop_signing_alg_values_supported"`
	AccessTokenFormat string   `json:"access_token_format"`
	// WithCertificate are the endpoints for clients that authenticate by a certificate,
	// where they are at another address (RFC 8705 §5).
	WithCertificate *Endpoints `json:"mtls_endpoint_aliases,omitempty"`
}

// Endpoints are the URLs of those that a client calls.
type Endpoints struct {
	Token         string `json:"token_endpoint"`
	Introspection string `json:"introspection_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
}

// Metadata returns the document for who asks at a URL of the server, Config.Issuer or one
// of Others: the endpoints are there. Where it is another than Config.Issuer it names
// those too, for clients with a certificate.
func (s *Server) Metadata(at string) Metadata {
	m := MetadataAt(at, s.c.Identity != nil)
	if m.Issuer = s.c.Issuer; at != m.Issuer {
		there := MetadataAt(m.Issuer, s.c.Identity != nil)
		m.WithCertificate = &Endpoints{there.Token, there.Introspection, there.Revocation}
	}
	return m
}

// MetadataAt returns the document of a server at a URL, which may exchange the tokens of
// an identity provider.
func MetadataAt(url string, exchanges bool) Metadata {
	grants := []string{GrantClient}
	if exchanges {
		grants = append(grants, GrantExchange, GrantRefresh)
	}
	return Metadata{
		Issuer: url, Token: url + TokenPath, Keys: url + KeysPath,
		Introspection: url + IntrospectPath, Revocation: url + RevokePath,
		Grants: grants, ResponseTypes: []string{},
		AuthMethods: []string{"private_key_jwt", "tls_client_auth"}, AuthAlgorithms: auth.AssertionAlgorithms(),
		Scopes:      []string{"system/*.cruds", "user/*.cruds"},
		BoundTokens: true, ProofAlgorithms: auth.ProofAlgorithms(), AccessTokenFormat: "ihe-jwt",
	}
}

// Keys returns the JWK set of the signer.
func (s *Server) Keys() ([]byte, error) { return s.c.Signer.PublicKeySet() }
