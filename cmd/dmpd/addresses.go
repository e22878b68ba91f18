package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"opendmp/sandbox/idp"
)

// checkPatientBase looks at what patients are told. The two bases are one tree of routes.
func (s settings) checkPatientBase() error {
	if err := checkBase("base-patient", s.TLS.PatientBase, s.TLS.Test); err != nil || s.TLS.PatientBase == "" {
		return err
	}
	base, err := url.Parse(s.Base)
	patient, unread := url.Parse(s.TLS.PatientBase)
	if err != nil || unread != nil || s.Base == "" || base.Path == patient.Path {
		return nil
	}
	return fmt.Errorf("base-patient: %q ends otherwise than base: give it the path %s", s.TLS.PatientBase, base.Path)
}

// checkBase refuses what clients of a real service must not be told: an address in clear,
// of one machine (unless test is meant), or with anything but a host and a path. A name
// and a password are not repeated.
func checkBase(name, base string, test bool) error {
	const todo = "write what clients are told, https://dmp.example.org/fhir"
	u, err := url.Parse(base)
	switch {
	case strings.TrimSpace(base) == "":
		return nil // missing tells it
	case err == nil && u.User != nil:
		return fmt.Errorf("%s: it has a name or a password in it, which would be told to everyone: %s", name, todo)
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || strings.HasSuffix(base, "/"):
		return fmt.Errorf("%s: %q is not an https URL without a slash at its end: %s", name, base, todo)
	case u.Path == "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fmt.Errorf("%s: %q is not an https URL with a path and nothing behind it: %s", name, base, todo)
	case !test && ownMachine(u.Hostname()):
		return fmt.Errorf("%s: %q is an address of this machine, and of another one for each client: %s (ca-de-test if that is meant)", name, base, todo)
	}
	return nil
}

// ownMachine tells whether a host, a name or an address, is that of whoever asks.
func ownMachine(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// elsewhere refuses a URL on another host than that of the issuer: the token of a person
// is sent there.
func (s identitySettings) elsewhere(name, value string) error {
	issuer, err := url.Parse(s.Issuer)
	if err != nil || issuer.Host == "" || value == "" {
		return nil // the fault of another part
	}
	if u, err := url.Parse(value); err == nil && authorityOf(u) != authorityOf(issuer) {
		return fmt.Errorf("psc.%s: %q is not on the host of psc.issuer, %s, and the tokens of people would be sent there: write what Pro Santé Connect publishes", name, value, issuer.Host)
	}
	return nil
}

// authorityOf returns host and port of a URL in the one form in which they are compared.
func authorityOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// notOfSandbox refuses the provider that comes with the program, which vouches for
// whoever asks, by its address or by what it gives to everyone.
func (s identitySettings) notOfSandbox(secret string) error {
	const meant = "give what Pro Santé Connect gave to you (ca-de-test if that is meant)"
	u, err := url.Parse(s.Issuer)
	switch {
	case err == nil && ownMachine(u.Hostname()):
		return fmt.Errorf("psc.issuer: %q is on this machine, as dmpd sandbox-idp is: %s", s.Issuer, meant)
	case s.ClientID == idp.ClientServer && secret == idp.Secret:
		return fmt.Errorf("psc.client-id, psc.secret-file: they are those of dmpd sandbox-idp: %s", meant)
	}
	return nil
}

// checkServer refuses a certificate that no client would take.
func checkServer(leaf *x509.Certificate) error {
	if limited := len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) > 0; limited &&
		!slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return errors.New("tls-cert: it is no certificate of a server (serverAuth is not among its uses): give one that is")
	}
	return nil
}

// checkHost refuses a certificate that no client of a base would take; name is that of
// its setting.
func checkHost(leaf *x509.Certificate, name, base string) error {
	u, err := url.Parse(base)
	if err != nil || base == "" || checkBase(name, base, true) != nil {
		return nil // its own fault
	}
	if err := leaf.VerifyHostname(u.Hostname()); err != nil {
		return fmt.Errorf("tls-cert: it is not of the host of %s: %w: give the certificate of that host", name, err)
	}
	return nil
}
