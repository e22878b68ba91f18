package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/emit"
	"opendmp/issuer"
	"opendmp/server"
	"opendmp/store"
	"opendmp/vault"
)

// identitySettings are the setting psc: where Pro Santé Connect answers, and who we are
// there.
type identitySettings struct {
	Issuer        string `koanf:"issuer"`
	Introspection string `koanf:"introspection"`
	UserInfo      string `koanf:"userinfo"`
	ClientID      string `koanf:"client-id"`
	SecretFile    string `koanf:"secret-file"`
	// CAFile is a PEM file of the CAs that vouch for its servers; those of the system
	// if it is not given.
	CAFile string `koanf:"ca-file"`
}

// authority is the authorisation server of a plan.
type authority struct {
	url      string
	signer   *auth.Signer
	clients  []issuer.Client
	identity *issuer.Identity
	// check refuses clients with which the server must not start; none if nil.
	check func([]issuer.Client) error
}

// authority reads the settings clients and psc; nil where there are no clients.
func (s settings) authority(c *clock) (*authority, error) {
	if s.Clients == "" {
		if s.Identity != (identitySettings{}) {
			return nil, errPSCWithoutClients
		}
		return nil, nil
	}
	var err error
	a := &authority{}
	if a.clients, err = readClients(s.Clients); err != nil {
		return nil, err
	}
	base, err := url.Parse(s.Base)
	if err != nil {
		return nil, err
	}
	a.url = base.Scheme + "://" + base.Host
	key, err := auth.LoadOrCreateKey(filepath.Join(s.Data, "issuer-key.pem"))
	if err != nil {
		return nil, err
	}
	if a.signer, err = auth.NewSigner(key, a.url, s.Base, c.Now, rand.Reader); err != nil {
		return nil, err
	}
	if s.Sandbox {
		a.signer = a.signer.WithTestPersons()
	} else {
		a.check = func(clients []issuer.Client) error { return regulators(s.TLS.SAMU, clients) }
	}
	a.identity, err = s.Identity.open(s.Sandbox || s.TLS.Test)
	return a, err
}

// open returns nil where the setting is not given. The test PKI vouches for nobody
// outside the sandbox, unless that is asked for.
func (s identitySettings) open(test bool) (*issuer.Identity, error) {
	if s == (identitySettings{}) {
		return nil, nil
	}
	secret, err := s.secret()
	if err != nil {
		return nil, err
	}
	client, err := s.client(test)
	if err != nil {
		return nil, err
	}
	return issuer.NewIdentity(issuer.IdentityConfig{
		Issuer: s.Issuer, Introspection: s.Introspection, UserInfo: s.UserInfo, ClientID: s.ClientID, Secret: secret,
		Client: client,
	})
}

// client returns an HTTP client that trusts the CAs of the setting and no other; nil
// where there are none. A service asks over TLS even what is on its own machine.
func (s identitySettings) client(test bool) (*http.Client, error) {
	for _, u := range []string{s.Issuer, s.Introspection, s.UserInfo} {
		if !test && strings.HasPrefix(strings.ToLower(u), "http:") {
			return nil, fmt.Errorf("psc: %q is not an https URL", u)
		}
	}
	cas, err := readCAs("psc.ca-file", s.CAFile)
	if err != nil || len(cas) == 0 {
		return nil, err
	}
	roots := x509.NewCertPool()
	for _, ca := range cas {
		switch {
		case !ca.IsCA:
			return nil, fmt.Errorf("psc.ca-file: %s is no CA", ca.Subject)
		case !test && auth.IsTestCA(ca):
			return nil, fmt.Errorf("psc.ca-file: %w (ca-de-test if that is meant)", auth.ErrTestCA)
		}
		roots.AddCert(ca)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}

// open puts the authorisation server over the store: it adds its routes to the plan, and
// what a Verifier needs to know of its tokens.
func (a *authority) open(ctx context.Context, p *plan, keys *vault.Vault, st store.Store) (*issuer.Revocations, error) {
	log := audit.New(st, keys, p.clock.Now, rand.Reader)
	if err := log.OpenJournal(ctx); err != nil {
		return nil, err
	}
	revocations, err := issuer.NewRevocations(ctx, st, p.clock.Now)
	if err != nil {
		return nil, err
	}
	clients, err := issuer.NewRegistry(ctx, a.clients, st, nil, p.clock.Now)
	if err != nil {
		return nil, err
	}
	verifier, err := auth.NewVerifier(auth.Config{Issuers: []auth.Issuer{a.signer.TrustBound()}, Now: p.clock.Now})
	if err != nil {
		return nil, err
	}
	s, err := issuer.New(issuer.Config{
		Issuer: a.url, Others: origins(p.bases), Signer: a.signer, Verifier: verifier, Clients: clients, Revocations: revocations, Identity: a.identity,
		Store: st, Vault: keys, Audit: log, Now: p.clock.Now, Rand: rand.Reader,
	})
	if err != nil {
		return nil, err
	}
	p.issuers = append(p.issuers, a.signer.TrustBound())
	p.extra = append(p.extra, oauthRoutes(s)...)
	p.revoked, p.registered = revocations.Revoked, clients.Covers
	return revocations, nil
}

// origins are the URLs of the listeners, without path.
func origins(b server.Bases) []string {
	var all []string
	for _, base := range b.Others() {
		all = append(all, server.From{Base: base}.Origin())
	}
	return all
}

// oauthRoutes are the endpoints of the authorisation server.
func oauthRoutes(s *issuer.Server) []server.Route {
	return []server.Route{
		{Method: http.MethodGet, Path: issuer.MetadataPath, HandleFrom: func(_ *http.Request, from server.From) dossier.Answer {
			return oauthAnswer(s.Metadata(from.Origin()), nil)
		}},
		{Method: http.MethodGet, Path: issuer.KeysPath, Handle: func(*http.Request) dossier.Answer {
			keys, err := s.Keys()
			return oauthAnswer(json.RawMessage(keys), err)
		}},
		oauthForm(issuer.TokenPath, func(ctx context.Context, r issuer.Request) (any, error) { return s.Token(ctx, r) }),
		oauthForm(issuer.IntrospectPath, func(ctx context.Context, r issuer.Request) (any, error) { return s.Introspect(ctx, r) }),
		oauthForm(issuer.RevokePath, func(ctx context.Context, r issuer.Request) (any, error) { return struct{}{}, s.Revoke(ctx, r) }),
	}
}

// oauthForm is an endpoint that takes a form.
func oauthForm(path string, do func(context.Context, issuer.Request) (any, error)) server.Route {
	return server.Route{Method: http.MethodPost, Path: path, HandleTold: func(r *http.Request, from server.From) (dossier.Answer, []slog.Attr) {
		if r.URL.RawQuery != "" || r.ParseForm() != nil || len(r.Header.Values("DPoP")) > 1 {
			err := &issuer.Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "the parameters are a form in the body"}
			return oauthAnswer(nil, err), oauthTold(nil, err)
		}
		v, err := do(r.Context(), issuer.Request{
			Form: r.PostForm, Proof: r.Header.Get("DPoP"), ID: r.Header.Get(emit.RequestIDHeader), At: from.Origin(),
			Peer: issuer.Peer{Thumbprint: from.Peer.Thumbprint(), Subject: from.Peer.Subject(), SAMU: from.Peer.Class() == auth.SAMUClass},
		})
		return oauthAnswer(v, err), oauthTold(v, err)
	}}
}

// oauthTold is what the log says of an answer: the client, where it proved itself, and
// the code of a refusal. Never a token, a reason or a description.
func oauthTold(v any, err error) []slog.Attr {
	client, code := "", ""
	var refused *issuer.Error
	switch res, token := v.(issuer.TokenResponse); {
	case errors.As(err, &refused):
		client, code = refused.Client, refused.Code
	case err != nil:
		code = temporarilyUnavailable
	case token:
		client = res.Client
	}
	var told []slog.Attr
	if client != "" {
		told = append(told, slog.String("client", client))
	}
	if code != "" {
		told = append(told, slog.String("error", code))
	}
	return told
}

// temporarilyUnavailable is the code of RFC 6749 §4.1.2.1 for what may be tried again.
const temporarilyUnavailable = "temporarily_unavailable"

// oauthAnswer is an answer as RFC 6749 §5 has it.
func oauthAnswer(v any, err error) dossier.Answer {
	status := http.StatusOK
	var refused *issuer.Error
	switch {
	case errors.As(err, &refused):
		v, status = refused, refused.Status
	case err != nil:
		v, status = &issuer.Error{Code: temporarilyUnavailable}, http.StatusServiceUnavailable
	}
	body, err := json.Marshal(v)
	if err != nil {
		return dossier.Refuse(dossier.ErrInternal, "fr")
	}
	return dossier.Public(status, "application/json", body)
}
