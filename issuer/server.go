package issuer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/store"
	"opendmp/vault"
)

// Paths of the endpoints, under the issuer.
const (
	TokenPath      = "/oauth2/token"
	IntrospectPath = "/oauth2/introspect"
	RevokePath     = "/oauth2/revoke"
	KeysPath       = "/oauth2/jwks"
	MetadataPath   = "/.well-known/oauth-authorization-server"
)

const (
	// tokenLife is how long a token for a professional lives, serviceLife one for a
	// system (SMART Backend Services: 300 s).
	tokenLife   = time.Hour
	serviceLife = 5 * time.Minute
	// familyLife is how long refresh tokens can follow each other: a session of Pro
	// Santé Connect (DOMAIN §5.5).
	familyLife = 4 * time.Hour
)

// Config is what a Server needs. Identity may be nil: then nothing is exchanged.
type Config struct {
	// Issuer is the URL under which the endpoints are, without path. Others are further
	// URLs under which they are reached, those of the other listeners.
	Issuer string
	Others []string
	// Signer signs the tokens, and Verifier reads them.
	Signer      *auth.Signer
	Verifier    *auth.Verifier
	Clients     *Registry
	Revocations *Revocations
	Identity    *Identity
	Store       store.Store
	Vault       *vault.Vault
	Audit       *audit.Log
	Now         func() time.Time
	Rand        io.Reader
}

// Server answers the requests of the authorisation server. It is safe for concurrent
// use.
type Server struct {
	c Config
}

// New returns a Server. It refuses to be made without a part that it needs.
func New(c Config) (*Server, error) {
	if c.Signer == nil || c.Verifier == nil || c.Clients == nil || c.Revocations == nil || c.Store == nil ||
		c.Vault == nil || c.Audit == nil || c.Now == nil || c.Rand == nil {
		return nil, errors.New("issuer: a part is missing")
	}
	u, err := url.Parse(c.Issuer)
	if err != nil || auth.CheckURL(c.Issuer) != nil || u.Path != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("issuer: %q is not an https URL without path", c.Issuer)
	}
	return &Server{c}, nil
}

// Peer is the client certificate of a connection, verified; zero if there is none.
type Peer struct {
	// Thumbprint is its x5t#S256, Subject its subject in the form of
	// auth.CanonicalSubject.
	Thumbprint, Subject string
	// SAMU says that it is registered for the regulation of emergencies.
	SAMU bool
}

// Request is a request to an endpoint: a form in a POST, never a query.
type Request struct {
	Form url.Values
	Peer Peer
	// Proof is the DPoP header, "" if there is none.
	Proof string
	// ID is that of the request, for the history.
	ID string
	// At is the URL that was called, Config.Issuer or one of Others: what a DPoP proof
	// is for. Config.Issuer if "".
	At string
}

// one returns the value of a parameter, "" if it is not there. A parameter that is
// there twice is refused (RFC 6749 §3.1).
func (r Request) one(name string) (string, error) {
	values := r.Form[name]
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", refuse("invalid_request", name+" is there twice", nil)
	case len(values[0]) > 16<<10:
		return "", refuse("invalid_request", name+" is too long", nil)
	}
	return values[0], nil
}

// several returns the values of some parameters.
func (r Request) several(names ...string) (map[string]string, error) {
	values := map[string]string{}
	for _, name := range names {
		v, err := r.one(name)
		if err != nil {
			return nil, err
		}
		values[name] = v
	}
	return values, nil
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// proof is a client that proved itself, and what must be remembered of the proof with
// whatever is done for it.
type proof struct {
	client Client
	used   []store.StateEntry
	// confirmation is what its tokens are bound to.
	confirmation auth.Confirmation
}

// authenticate returns the client, which must prove itself by each of its registered
// means.
func (s *Server) authenticate(ctx context.Context, r Request) (proof, error) {
	form, err := r.several("client_id", "client_assertion", "client_assertion_type", "client_secret")
	if err != nil {
		return proof{}, err
	}
	var asserted auth.Assertion
	id := form["client_id"]
	switch {
	case form["client_secret"] != "":
		return proof{}, refuse("invalid_client", "no client has a secret here", nil)
	case form["client_assertion"] != "":
		if form["client_assertion_type"] != assertionType {
			return proof{}, refuse("invalid_client", "client_assertion_type is not jwt-bearer", nil)
		}
		if asserted, err = s.assertion(ctx, form["client_assertion"]); err != nil {
			return proof{}, err
		}
		if id != "" && id != asserted.Client {
			return proof{}, refuse("invalid_client", "client_id is not that of the assertion", nil)
		}
		id = asserted.Client
	case id == "":
		return proof{}, refuse("invalid_client", "no client named", nil)
	}
	c, ok, err := s.c.Clients.Client(ctx, id)
	switch {
	case err != nil:
		return proof{}, unavailable(err)
	case !ok, c.hasKeys() && asserted.Client == "", c.hasCertificates() && !c.covers(r.Peer):
		return proof{}, refuse("invalid_client", "the client is not registered, or did not prove itself by each of its registered means", nil)
	}
	p := proof{client: c}
	if asserted.Client != "" {
		p.used = []store.StateEntry{used("assertion "+asserted.Client, asserted.ID, asserted.Expires.Add(time.Minute))}
	}
	return p, nil
}

// assertion verifies a client assertion. Its audience is the token endpoint, by the URL
// of any of the listeners: they are one server, with one memory of what was used.
func (s *Server) assertion(ctx context.Context, token string) (a auth.Assertion, err error) {
	for _, url := range append([]string{s.c.Issuer}, s.c.Others...) {
		if a, err = s.assertionFor(ctx, url+TokenPath, token); err == nil || errors.Is(err, ErrUnavailable) {
			break
		}
	}
	return a, err
}

// assertionFor verifies a client assertion for one audience.
func (s *Server) assertionFor(ctx context.Context, audience, token string) (auth.Assertion, error) {
	var broken error
	a, err := auth.VerifyAssertion(token, audience, s.c.Now(), func(id string) (auth.ClientKeys, bool) {
		c, ok, err := s.c.Clients.Client(ctx, id)
		if broken = err; err != nil || !ok || !c.hasKeys() {
			return auth.ClientKeys{}, false
		}
		return s.c.Clients.keys(c)
	})
	switch {
	case broken != nil:
		return a, unavailable(broken)
	case err != nil:
		return a, refuse("invalid_client", "the assertion is not good", err)
	}
	return a, nil
}

// bind notes what the tokens of the request are bound to: its certificate, or the key
// of its DPoP proof.
func (s *Server) bind(r Request, p *proof) error {
	if r.Proof != "" {
		d, err := auth.VerifyProof(r.Proof, "POST", cmp.Or(r.At, s.c.Issuer)+TokenPath, "", s.c.Now())
		if err != nil {
			return refuse("invalid_dpop_proof", "the proof is not good", err)
		}
		p.confirmation = auth.Confirmation{Key: d.Key}
		p.used = append(p.used, used("dpop", d.Key+"."+d.ID, d.Expires))
		return nil
	}
	if !p.client.covers(r.Peer) {
		return refuse("invalid_request", "neither a registered certificate nor a DPoP proof to bind the token to", nil)
	}
	p.confirmation = auth.Confirmation{Certificate: r.Peer.Thumbprint}
	return nil
}

// commit makes what was used and kept durable, with the event about it.
func (s *Server) commit(ctx context.Context, tx store.Tx, e audit.Event) error {
	tx.Expect = store.Any
	_, err := s.c.Audit.Commit(ctx, tx, s.c.Audit.Journal(), e)
	return err
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }
