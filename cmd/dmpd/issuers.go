package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"opendmp/auth"
)

// externalIssuer is an issuer of access tokens beside our own authorisation server: that
// of the settings issuer, audience and issuer-…, and each of the setting issuers.
type externalIssuer struct {
	Issuer   string `koanf:"issuer"`
	Audience string `koanf:"audience"`
	// Keys is a folder of public keys, <kid>.pem; or JWKS the URL of the set that the
	// issuer publishes, under a certificate of one of the CAs of the PEM file CA, or of
	// the system if there is none.
	Keys string `koanf:"issuer-keys"`
	JWKS string `koanf:"issuer-jwks"`
	CA   string `koanf:"issuer-jwks-ca"`
}

// pscSandbox is the host of the sandbox of Pro Santé Connect: who it vouches for is
// invented.
const pscSandbox = "bas.esw.esante.gouv.fr"

// firstIssuer returns the one of the flat settings.
func (s settings) firstIssuer() externalIssuer {
	return externalIssuer{s.Issuer, s.Audience, s.IssuerKeys, s.IssuerJWKS, s.IssuerCA}
}

// ownOnly tells whether the tokens of our own authorisation server are the only ones:
// there is one, and nothing is said of another.
func (s settings) ownOnly() bool { return s.Clients != "" && s.firstIssuer() == (externalIssuer{}) }

// externalIssuers returns all of them, the one of the flat settings first.
func (s settings) externalIssuers() []externalIssuer {
	if s.ownOnly() {
		return s.Issuers
	}
	return append([]externalIssuer{s.firstIssuer()}, s.Issuers...)
}

// checkIssuers refuses issuers whose tokens no real service should take, by the name of
// the setting.
func (s settings) checkIssuers() error {
	first := s.firstIssuer()
	if err := first.check(s.TLS.Test); err != nil && first.whole() { // else missing tells it
		return err
	}
	for n, i := range s.Issuers {
		if err := i.check(s.TLS.Test); err != nil {
			return fmt.Errorf("issuers[%d]: %w", n, err)
		}
	}
	if !s.TLS.Test && ofPSCSandbox(s.Identity.Issuer) {
		return fmt.Errorf("psc: %s is the sandbox of Pro Santé Connect (ca-de-test if that is meant)", s.Identity.Issuer)
	}
	return nil
}

// whole tells whether there is what missing asks for.
func (i externalIssuer) whole() bool {
	return strings.TrimSpace(i.Issuer) != "" && strings.TrimSpace(i.Audience) != "" && i.Keys+i.JWKS != ""
}

// check returns what is wrong with an issuer.
func (i externalIssuer) check(test bool) error {
	switch {
	case strings.TrimSpace(i.Issuer) == "" || strings.TrimSpace(i.Audience) == "":
		return errors.New("issuer and audience: neither may be empty")
	case strings.TrimSpace(i.Issuer) != i.Issuer || strings.TrimSpace(i.Audience) != i.Audience:
		return errors.New("issuer and audience: one has blanks around it, and is compared character by character: remove them")
	case i.Keys == "" && i.JWKS == "":
		return errors.New("issuer-keys or issuer-jwks: one of the two")
	case i.Keys != "" && i.JWKS != "":
		return errors.New("issuer-keys and issuer-jwks: one of the two, so that nobody can think a key withdrawn that still serves")
	case i.CA != "" && i.JWKS == "":
		return errors.New("issuer-jwks-ca without issuer-jwks")
	case i.Issuer == sandboxName:
		return fmt.Errorf("issuer: %s is the name of the sandbox: give that of whom you trust", sandboxName)
	case i.Audience == sandboxName:
		return fmt.Errorf("audience: %s is the name of the sandbox: give that of this service", sandboxName)
	case !test && ofPSCSandbox(i.Issuer):
		return fmt.Errorf("issuer: %s is the sandbox of Pro Santé Connect (ca-de-test if that is meant)", i.Issuer)
	case strings.HasPrefix(i.Issuer, "http://"):
		return fmt.Errorf("issuer: %s is not an https URL", i.Issuer)
	case i.JWKS == "":
		return nil
	}
	if err := auth.CheckURL(i.JWKS); err != nil {
		return fmt.Errorf("issuer-jwks: %w", err)
	}
	return nil
}

func ofPSCSandbox(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return host == pscSandbox || strings.HasSuffix(host, "."+pscSandbox)
}

// issuers reads the keys, and returns beside the issuers the work that keeps those that
// are published fresh, each until its context ends.
func (s settings) issuers(now func() time.Time, log *slog.Logger) ([]auth.Issuer, []func(context.Context), error) {
	var (
		all  []auth.Issuer
		work []func(context.Context)
	)
	for _, i := range s.externalIssuers() {
		keys, run, err := i.open(now, log)
		if err != nil {
			return nil, nil, err
		}
		if run != nil {
			work = append(work, run)
		}
		all = append(all, auth.Issuer{
			Issuer: i.Issuer, Audience: i.Audience, Keys: keys,
			Algorithms: []string{"ES256", "ES384", "PS256", "RS256", "EdDSA"},
		})
	}
	return all, work, nil
}

// open returns the keys of an issuer. A key set that cannot be fetched does not stop the
// start: an outage there and a restart here would otherwise make a longer outage.
func (i externalIssuer) open(now func() time.Time, log *slog.Logger) (func(string) (crypto.PublicKey, bool), func(context.Context), error) {
	if i.JWKS == "" {
		keys, err := publicKeys(i.Keys)
		return keys, nil, err
	}
	client, err := i.client()
	if err != nil {
		return nil, nil, err
	}
	set, err := auth.NewKeySet(auth.KeySetConfig{URL: i.JWKS, Client: client, Life: auth.MaxKeySetLife, Now: now})
	if err != nil {
		return nil, nil, fmt.Errorf("issuer-jwks: %w", err)
	}
	return set.Key, func(ctx context.Context) {
		set.Run(ctx, func(err error) {
			log.Error("issuer-jwks", "issuer", i.Issuer, "cause", err.Error())
		})
	}, nil
}

// client trusts the CAs of issuer-jwks-ca alone, or those of the system (nil).
func (i externalIssuer) client() (*http.Client, error) {
	cas, err := readCAs("issuer-jwks-ca", i.CA)
	if err != nil || len(cas) == 0 {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, ca := range cas {
		pool.AddCert(ca)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: t}, nil
}

// checkFolder refuses the folder of a sandbox: its keys are those of invented people,
// and so are its dossiers. What makes it one is its load, finished or cut short, which
// begins in no folder that holds another store (refuseTaken). The key that signs for
// whoever asks does not: a real service takes no token of the sandbox, whatever lies in
// its folder.
func checkFolder(data string) error {
	for _, name := range []string{idsFile(data), loadingFile(data)} {
		if exists(name) {
			return fmt.Errorf("data: %s holds the invented dossiers of a sandbox (%s)", data, filepath.Base(name))
		}
	}
	return nil
}
