package idp

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
)

// Client is software that is registered with the provider.
type Client struct {
	ID, Secret string
	// Logs says that people log in through it; one that does not only asks about the
	// tokens of others, as the server of a record does.
	Logs bool
	// Redirects are its redirect URIs, compared character by character. An http or
	// https address of this machine needs no registration.
	Redirects []string
}

// Secret is that of every client of Clients: whoever reaches the provider may be
// anyone, so that it protects nothing, and a document can print it.
const Secret = "bac-a-sable"

// Identifiers of the clients of Clients.
const (
	ClientSoftware = "logiciel-exemple" // practice software
	ClientSAMU     = "samu-exemple"     // software of a SAMU
	ClientServer   = "opendmp"          // dmpd serve
)

// Clients returns those of the sandbox, with further redirect URIs for those through
// which people log in.
func Clients(redirects ...string) []Client {
	return []Client{
		{ID: ClientSoftware, Secret: Secret, Logs: true, Redirects: redirects},
		{ID: ClientSAMU, Secret: Secret, Logs: true, Redirects: redirects},
		{ID: ClientServer, Secret: Secret},
	}
}

// accepts tells whether a code may be sent to a redirect URI.
func (c Client) accepts(redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil || !u.IsAbs() || u.Fragment != "" || u.User != nil {
		return false
	}
	if slices.Contains(c.Redirects, redirect) {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return (u.Scheme == "http" || u.Scheme == "https") && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// client returns the client of an identifier.
func (p *Provider) client(id string) (Client, bool) {
	i := slices.IndexFunc(p.c.Clients, func(c Client) bool { return c.ID == id })
	if id == "" || i < 0 {
		return Client{}, false
	}
	return p.c.Clients[i], true
}

// authenticate returns the client of a request by its secret, in the header
// (client_secret_basic, whose parts are encoded as in a form: RFC 6749 §2.3.1) or in the
// form (client_secret_post), never in both.
func (p *Provider) authenticate(r *http.Request) (Client, bool) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if name, password, ok := r.BasicAuth(); ok {
		basicID, err := url.QueryUnescape(name)
		basicSecret, err2 := url.QueryUnescape(password)
		if err != nil || err2 != nil || secret != "" || id != "" && id != basicID {
			return Client{}, false
		}
		id, secret = basicID, basicSecret
	}
	c, ok := p.client(id)
	given, want := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(c.Secret))
	return c, ok && c.Secret != "" && subtle.ConstantTimeCompare(given[:], want[:]) == 1
}
