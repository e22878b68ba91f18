package idp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// RealmPath is the path of the issuer, as that of the national service.
const RealmPath = "/auth/realms/esante-wallet"

// Paths of the endpoints, under the issuer; RotatePath is under the root, for it is of
// the sandbox only.
const (
	DiscoveryPath     = "/.well-known/openid-configuration"
	AuthorizePath     = "/protocol/openid-connect/auth"
	TokenPath         = "/protocol/openid-connect/token"
	IntrospectionPath = "/protocol/openid-connect/token/introspect"
	UserInfoPath      = "/protocol/openid-connect/userinfo"
	KeysPath          = "/protocol/openid-connect/certs"
	RotatePath        = "/bac-a-sable/cles"
)

// maxForm is how many bytes a form may have.
const maxForm = 64 << 10

// object is a JSON object.
type object = map[string]any

// Config is what a Provider needs.
type Config struct {
	// Base is the URL under which it is reached, https://localhost:8090 say, without
	// path.
	Base string
	// Host tells whether a request is for a host of the provider; the others are answered
	// 421. Nil: all are.
	Host    func(host string) bool
	Clients []Client
	Now     func() time.Time
	Rand    io.Reader
}

// Provider is the identity provider, an http.Handler. It is safe for concurrent use.
type Provider struct {
	c      Config
	issuer string
	keys   *keyRing
	routes map[string]map[string]func(*http.Request) answer // by path and method

	mu       sync.Mutex
	sessions map[string]*session
	codes    map[string]*code
	tokens   map[string]*token
}

// New returns a Provider with a first key. It refuses to be made without a part that it
// needs.
func New(c Config) (*Provider, error) {
	u, err := url.Parse(c.Base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("idp: %q is not a URL without path", c.Base)
	}
	if len(c.Clients) == 0 || c.Now == nil || c.Rand == nil {
		return nil, errors.New("idp: a part is missing")
	}
	p := &Provider{
		c: c, issuer: c.Base + RealmPath, keys: &keyRing{rand: c.Rand},
		sessions: map[string]*session{}, codes: map[string]*code{}, tokens: map[string]*token{},
	}
	p.route()
	_, err = p.Rotate()
	return p, err
}

func (p *Provider) route() {
	type methods = map[string]func(*http.Request) answer
	p.routes = map[string]methods{
		RealmPath + DiscoveryPath:     {http.MethodGet: func(*http.Request) answer { return jsonAnswer(http.StatusOK, p.discovery()) }},
		RealmPath + KeysPath:          {http.MethodGet: func(*http.Request) answer { return jsonAnswer(http.StatusOK, p.keys.set()) }},
		RealmPath + AuthorizePath:     {http.MethodGet: p.ask, http.MethodPost: p.choose},
		RealmPath + TokenPath:         {http.MethodPost: p.form(p.grant)},
		RealmPath + IntrospectionPath: {http.MethodPost: p.form(p.introspect)},
		RealmPath + UserInfoPath:      {http.MethodGet: p.userInfo, http.MethodPost: p.userInfo},
		RotatePath: {http.MethodPost: func(*http.Request) answer {
			kid, err := p.Rotate()
			if err != nil {
				return jsonAnswer(http.StatusInternalServerError, object{"error": "server_error"})
			}
			return jsonAnswer(http.StatusOK, object{"kid": kid})
		}},
	}
}

// Issuer returns the name of the provider (iss), the URL that DiscoveryPath follows.
func (p *Provider) Issuer() string { return p.issuer }

// Rotate makes a new signing key and returns its kid. The one before stays in the key
// set until the next rotation.
func (p *Provider) Rotate() (kid string, err error) { return p.keys.rotate() }

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	p.answer(r).write(w, r)
}

func (p *Provider) answer(r *http.Request) answer {
	if p.c.Host != nil && !p.c.Host(r.Host) {
		return jsonAnswer(http.StatusMisdirectedRequest, object{"error": "misdirected_request"})
	}
	methods, known := p.routes[r.URL.Path]
	if !known {
		return jsonAnswer(http.StatusNotFound, object{"error": "not_found"})
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle, ok := methods[method]
	if !ok {
		return jsonAnswer(http.StatusMethodNotAllowed, object{"error": "invalid_request", "error_description": "method not allowed"})
	}
	return handle(r)
}

// form is an endpoint that takes a form in the body, from a client that proves itself.
func (p *Provider) form(do func(Client, url.Values) answer) func(*http.Request) answer {
	return func(r *http.Request) answer {
		if err := r.ParseForm(); err != nil || r.URL.RawQuery != "" {
			return refusal(http.StatusBadRequest, "invalid_request", "the parameters are a form in the body")
		}
		if name := twice(r.PostForm); name != "" {
			return refusal(http.StatusBadRequest, "invalid_request", name+" is there twice")
		}
		c, ok := p.authenticate(r)
		if !ok {
			return refusal(http.StatusUnauthorized, "invalid_client", "unknown client, or a wrong secret").with("WWW-Authenticate", `Basic realm="esante-wallet"`)
		}
		return do(c, r.PostForm)
	}
}

// twice names a parameter that is there more than once (RFC 6749 §3.1), "" if none is.
func twice(form url.Values) string {
	for name, values := range form {
		if len(values) > 1 {
			return name
		}
	}
	return ""
}

// discovery is the document of OpenID Connect Discovery 1.0. All that it lists is
// served.
func (p *Provider) discovery() object {
	return object{
		"issuer":                                         p.issuer,
		"authorization_endpoint":                         p.issuer + AuthorizePath,
		"token_endpoint":                                 p.issuer + TokenPath,
		"introspection_endpoint":                         p.issuer + IntrospectionPath,
		"userinfo_endpoint":                              p.issuer + UserInfoPath,
		"jwks_uri":                                       p.issuer + KeysPath,
		"grant_types_supported":                          []string{grantCode, grantRefresh},
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256"},
		"acr_values_supported":                           []string{levelOfAssurance},
		"scopes_supported":                               []string{"openid", "scope_all"},
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"introspection_endpoint_auth_methods_supported":  []string{"client_secret_basic", "client_secret_post"},
		"authorization_response_iss_parameter_supported": true,
		"claims_supported": []string{
			"sub", "iss", "auth_time", "acr", "given_name", "family_name", "preferred_username", "SubjectNameID", "SubjectRole",
			"SubjectRefPro", "SubjectOrganization", "SubjectOrganizationID", "Secteur_Activite", "otherIds",
			"Acces_Regulation_Medicale", "Mode_Acces_Raison", "Palier_Authentification", "PSI_Locale", "UITVersion",
		},
	}
}

// jsonAnswer is an answer in JSON.
func jsonAnswer(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		return answer{status: http.StatusInternalServerError}
	}
	return answer{status: status, mime: "application/json", body: body}
}

// refusal is an error of RFC 6749 §5.2.
func refusal(status int, code, description string) answer {
	return jsonAnswer(status, object{"error": code, "error_description": description})
}
