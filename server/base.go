package server

import (
	"cmp"
	"errors"
	"net/url"
	"strings"

	"opendmp/auth"
	"opendmp/fhir"
)

// Bases are the URLs of the FHIR base by kind of listener, for a server that has several
// addresses: whoever calls one must not be led to another, which may ask for a
// certificate that they have not. Those that are "" are Config.Base; all have its path.
type Bases struct {
	// Clear is that of Serve, Pro that of callers with a client certificate, and Patient
	// that of callers under TLS without.
	Clear, Pro, Patient string
}

// Others returns those that are set.
func (b Bases) Others() []string {
	var set []string
	for _, one := range [...]string{b.Clear, b.Pro, b.Patient} {
		if one != "" {
			set = append(set, one)
		}
	}
	return set
}

// From is where a request came from.
type From struct {
	// Peer holds the client certificate; the zero Peer if there is none.
	Peer auth.Peer
	// Base is the FHIR base of the listener, without a slash at its end.
	Base string
}

// Origin returns the URL of the listener, without path.
func (f From) Origin() string {
	u, err := url.Parse(f.Base)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// path returns the path of the bases.
func (c Config) path() (string, error) {
	path := ""
	for i, text := range append([]string{c.Base}, c.Bases.Others()...) {
		base, err := url.Parse(text)
		if err != nil || !base.IsAbs() || base.Host == "" || strings.Trim(base.Path, "/") == "" || base.RawQuery != "" {
			return "", errors.New("server: the base must be an absolute URL with a path, as http://127.0.0.1:8080/fhir")
		}
		switch own := strings.TrimSuffix(base.Path, "/"); {
		case i == 0:
			path = own
		case own != path:
			return "", errors.New("server: the bases must have one path")
		}
	}
	return path, nil
}

// known returns all bases, for what a client refers to.
func (c Config) known() fhir.Base {
	all := strings.TrimSuffix(c.Base, "/")
	for _, one := range c.Bases.Others() {
		all += " " + strings.TrimSuffix(one, "/")
	}
	return fhir.Base(all)
}

// from tells where the request came from. Behind a proxy it is the certificate that it
// passes on, or does not, that tells the two kinds of callers apart.
func (x *exchange) from() From {
	base := x.s.bases.Clear
	switch {
	case x.patients():
		base = x.s.bases.Patient
	case connectionOf(x.r.Context()).face != nil:
		base = x.s.bases.Pro
	}
	return From{x.peer, strings.TrimSuffix(cmp.Or(base, x.s.base), "/")}
}

// patients tells whether the listener takes the request for that of a patient: under
// TLS, and without a client certificate.
func (x *exchange) patients() bool {
	return connectionOf(x.r.Context()).face != nil && x.peer.IsZero()
}
