package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/netutil"

	"opendmp/auth"
)

// Face is a listener under TLS: whom it lets in, and how they show a certificate.
// The zero Face cannot be served; the three constructors make the others.
type Face struct {
	pair    *KeyPair
	certs   *auth.Certificates // nil: no client certificates
	proxies []string           // thumbprints; of a proxy's face
	now     func() time.Time
}

// PatientFace asks for no client certificate, and believes none.
func PatientFace(pair *KeyPair, now func() time.Time) *Face { return &Face{pair: pair, now: now} }

// ProFace requires a client certificate of one of the CAs, for each connection and
// again for each request.
func ProFace(pair *KeyPair, certs *auth.Certificates, now func() time.Time) *Face {
	return &Face{pair: pair, certs: certs, now: now}
}

// ProxyFace lets in proxies that end the TLS of the clients, and nobody else: those
// whose own client certificate has one of the thumbprints (x5t#S256, base64url). What
// they pass on as Client-Cert (RFC 9440) is taken for the certificate of the
// client, and checked as if it had come itself.
func ProxyFace(pair *KeyPair, certs *auth.Certificates, proxies []string, now func() time.Time) *Face {
	return &Face{pair: pair, certs: certs, proxies: slices.Clone(proxies), now: now}
}

// ServeTLS answers on the listener as Serve does, under TLS 1.2 or 1.3.
func (s *Server) ServeTLS(ctx context.Context, l net.Listener, f *Face) error {
	h := s.http(f)
	var err error
	if h.TLSConfig, err = f.config(); err != nil {
		return errors.Join(err, l.Close())
	}
	return s.until(ctx, h, func() error {
		return h.ServeTLS(netutil.LimitListener(l, s.limits.MaxConnections), "", "")
	})
}

// config is the configuration of the handshakes. crypto/tls offers of TLS 1.2 what
// is listed here: forward secrecy and authenticated encryption; those of TLS 1.3
// are all of that kind. It does not renegotiate.
func (f *Face) config() (*tls.Config, error) {
	if f == nil || f.pair == nil || f.now == nil {
		return nil, errors.New("server: a face without a certificate or a clock")
	}
	c := &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		GetCertificate: f.pair.get,
		Time:           f.now,
	}
	switch {
	case f.certs == nil:
	case len(f.proxies) > 0:
		// A proxy is known by its key, which the handshake proves, and not by a CA.
		c.ClientAuth, c.VerifyConnection = tls.RequireAnyClientCert, f.pinned
	default:
		c.ClientAuth, c.ClientCAs, c.VerifyConnection = tls.RequireAndVerifyClientCert, f.certs.Pool(), f.alive
		// The CAs may be others at the next handshake. http.Server adds its protocols to
		// its own copy of c, and the tickets stay those of that copy.
		c.NextProtos = []string{"h2", "http/1.1"}
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			now := c.Clone()
			now.ClientCAs, now.GetConfigForClient = f.certs.Pool(), nil
			return now, nil
		}
	}
	return c, nil
}

// alive ends the handshake, a resumed one too, of a certificate that is revoked,
// expired or for something else. A subject that is refused and a CRL that is not
// fresh are told over HTTP, where words are.
func (f *Face) alive(cs tls.ConnectionState) error {
	_, err := f.shown(cs.PeerCertificates)
	if errors.Is(err, auth.ErrSubject) || errors.Is(err, auth.ErrRevocationUnknown) {
		return nil
	}
	return err
}

// errProxy: the other end is none of the proxies.
var errProxy = errors.New("server: not the certificate of a proxy")

func (f *Face) pinned(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return errProxy
	}
	proxy, now := cs.PeerCertificates[0], f.now()
	if !slices.Contains(f.proxies, Thumbprint(proxy)) || now.Before(proxy.NotBefore) || now.After(proxy.NotAfter) {
		return errProxy
	}
	return nil
}

// peer returns who holds the client certificate of a request; the zero Peer where
// none is asked for, or where a proxy passes none on.
func (f *Face) peer(r *http.Request) (auth.Peer, error) {
	switch {
	case f.certs == nil:
		return auth.Peer{}, nil
	case r.TLS == nil:
		return auth.Peer{}, auth.ErrNoCredential
	case len(f.proxies) == 0:
		return f.shown(r.TLS.PeerCertificates)
	}
	if err := f.pinned(*r.TLS); err != nil {
		return auth.Peer{}, err
	}
	leaf, err := forwarded(r.Header)
	if leaf == nil || err != nil {
		return auth.Peer{}, err
	}
	return f.certs.Peer(leaf)
}

func (f *Face) shown(chain []*x509.Certificate) (auth.Peer, error) {
	if len(chain) == 0 {
		return auth.Peer{}, auth.ErrNoCredential
	}
	return f.certs.Peer(chain[0])
}

// Thumbprint returns x5t#S256 of a certificate, base64url (RFC 8705 §3.1).
func Thumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// headerClientCert and headerClientCertChain are those of RFC 9440. The chain is not
// read: a certificate must be issued by a configured CA itself.
const (
	headerClientCert      = "Client-Cert"
	headerClientCertChain = "Client-Cert-Chain"
)

// forwarded reads the certificate that a proxy passes on, a byte sequence of RFC 8941
// §3.3.5; nil if there is none. Two are refused: one may be of the client's making.
func forwarded(h http.Header) (*x509.Certificate, error) {
	values := h.Values(headerClientCert)
	if len(values) == 0 {
		return nil, nil
	}
	text := values[0]
	if len(values) > 1 || len(text) < 2 || text[0] != ':' || text[len(text)-1] != ':' {
		return nil, fmt.Errorf("%w: Client-Cert is not one byte sequence", auth.ErrUntrusted)
	}
	der, err := base64.StdEncoding.Strict().DecodeString(text[1 : len(text)-1])
	if err != nil {
		return nil, fmt.Errorf("%w: Client-Cert is not base64", auth.ErrUntrusted)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: Client-Cert is not a certificate", auth.ErrUntrusted)
	}
	return leaf, nil
}

// dropForwarded removes the headers by which proxies pass certificates on, so that
// nothing behind can take the word of a client for that of a proxy. Others of the
// kind (X-SSL-Client-…, X-Forwarded-Client-Cert) nobody reads.
func dropForwarded(h http.Header) {
	h.Del(headerClientCert)
	h.Del(headerClientCertChain)
}
