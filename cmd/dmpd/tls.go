package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/server"
)

// tlsSettings are those of the listeners under TLS. A list is written in JSON as one,
// and elsewhere with semicolons: subjects hold commas.
type tlsSettings struct {
	// Pro, Patient and Proxy are the addresses of the listeners: for professionals and
	// systems, who show a certificate; for patients, who have none; for proxies that
	// end the TLS of both.
	Pro     string `koanf:"tls-pro"`
	Patient string `koanf:"tls-patient"`
	// PatientBase is the URL of the FHIR base at Patient, as patients are told.
	PatientBase string `koanf:"base-patient"`
	Proxy       string `koanf:"tls-mandataire"`
	// Cert and Key are the PEM files of the server's certificate and of its key.
	Cert string `koanf:"tls-cert"`
	Key  string `koanf:"tls-cle"`
	// Persons and Organisations are PEM files of the CAs that issue each class.
	Persons       string `koanf:"ca-personnes"`
	Organisations string `koanf:"ca-organisations"`
	// PersonPolicies and OrganisationPolicies are OIDs of certificate policies, one of
	// which must be there; none: not looked at.
	PersonPolicies       []string `koanf:"politiques-personnes"`
	OrganisationPolicies []string `koanf:"politiques-organisations"`
	// CRLs are the files of the lists of revoked certificates, Grace what they serve
	// for after nextUpdate: 0s if it is not given, 48h at most.
	CRLs  []string `koanf:"crl"`
	Grace string   `koanf:"crl-delai"`
	// SAMU are thumbprints (x5t#S256) or subjects (RFC 4514) of certificates.
	SAMU []string `koanf:"samu"`
	// Proxies are the thumbprints (x5t#S256) of the certificates of the proxies.
	Proxies []string `koanf:"mandataires"`
	// Reread is how often certificate, key and lists are looked at anew: between 1s
	// and 1h, 30s if it is not given.
	Reread string `koanf:"tls-relecture"`
	// Test lets the test PKI into a service.
	Test bool `koanf:"ca-de-test"`
}

// Limits of the settings.
const (
	maxGrace         = 48 * time.Hour
	defaultTLSReread = 30 * time.Second
)

// any tells whether there is a listener.
func (s tlsSettings) any() bool { return s.Pro != "" || s.Patient != "" || s.Proxy != "" }

// certified tells whether there is one that takes client certificates.
func (s tlsSettings) certified() bool { return s.Pro != "" || s.Proxy != "" }

// check refuses what lacks a part, by the name of the part, and parts without a
// listener, which protect nothing.
func (s tlsSettings) check() error { return s.shape().err() }

// shape finds what check refuses.
func (s tlsSettings) shape() (f faults) {
	if !s.any() {
		if given := s.given(); len(given) > 0 {
			f.add(fmt.Errorf("%s without tls-pro, tls-patient or tls-mandataire", given[0]))
		}
		return f
	}
	if lacking := s.lacking(); len(lacking) > 0 {
		f.add(fmt.Errorf("TLS needs: %s", strings.Join(lacking, ", ")))
	}
	for _, l := range []struct{ name, addr string }{{"tls-pro", s.Pro}, {"tls-patient", s.Patient}, {"tls-mandataire", s.Proxy}} {
		if _, _, err := net.SplitHostPort(l.addr); l.addr != "" && err != nil {
			f.add(fmt.Errorf("%s: the address %q of TLS is not host:port", l.name, l.addr))
		}
	}
	_, err := s.grace()
	f.add(err)
	_, err = s.reread()
	f.add(err)
	return f
}

// lacking names the parts that the listeners need and have not.
func (s tlsSettings) lacking() []string {
	var names []string
	for _, part := range []struct {
		name          string
		needed, there bool
	}{
		{"tls-cert", true, s.Cert != ""},
		{"tls-cle", true, s.Key != ""},
		{"ca-organisations or ca-personnes", s.certified(), s.Organisations != "" || s.Persons != ""},
		{"crl", s.certified(), len(listed(s.CRLs)) > 0},
		{"mandataires", s.Proxy != "", len(listed(s.Proxies)) > 0},
		{"ca-organisations (samu registers some of its certificates)", len(listed(s.SAMU)) > 0, s.Organisations != ""},
		{"tls-mandataire (mandataires are let in there)", len(listed(s.Proxies)) > 0, s.Proxy != ""},
	} {
		if part.needed && !part.there {
			names = append(names, part.name)
		}
	}
	return names
}

// given names the settings that mean nothing without a listener.
func (s tlsSettings) given() []string {
	var names []string
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"tls-cert", s.Cert != ""}, {"tls-cle", s.Key != ""},
		{"ca-personnes", s.Persons != ""}, {"ca-organisations", s.Organisations != ""},
		{"politiques-personnes", len(s.PersonPolicies) > 0}, {"politiques-organisations", len(s.OrganisationPolicies) > 0},
		{"crl", len(s.CRLs) > 0}, {"samu", len(s.SAMU) > 0}, {"mandataires", len(s.Proxies) > 0}, {"ca-de-test", s.Test},
	} {
		if f.given {
			names = append(names, f.name)
		}
	}
	return names
}

func (s tlsSettings) grace() (time.Duration, error) {
	if s.Grace == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s.Grace)
	if err != nil || d < 0 || d > maxGrace {
		return 0, fmt.Errorf("crl-delai is a duration of at most %s, not %q", maxGrace, s.Grace)
	}
	return d, nil
}

func (s tlsSettings) reread() (time.Duration, error) {
	if s.Reread == "" {
		return defaultTLSReread, nil
	}
	d, err := time.ParseDuration(s.Reread)
	if err != nil || d < time.Second || d > time.Hour {
		return 0, fmt.Errorf("tls-relecture is a duration between 1s and 1h, not %q", s.Reread)
	}
	return d, nil
}

// listed returns the entries of a list, however it was written.
func listed(entries []string) []string {
	var all []string
	for _, e := range entries {
		for one := range strings.SplitSeq(e, ";") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}

// face is a listener under TLS that is open.
type face struct {
	name string
	l    net.Listener
	face *server.Face
}

// secure is what TLS holds open: the listeners, and the files that are read anew.
type secure struct {
	faces  []face
	pair   *server.KeyPair
	certs  *auth.Certificates // nil without client certificates
	cas    func() (persons, organisations []*x509.Certificate, err error)
	reread time.Duration
	log    *slog.Logger
}

// open reads the files and opens the listeners, or leaves none open. The test PKI is
// for the sandbox, and for who asks for it.
func (s tlsSettings) open(now func() time.Time, sandbox bool, log *slog.Logger) (_ *secure, err error) {
	all := &secure{log: log}
	if !s.any() {
		return all, nil
	}
	defer func() {
		if err != nil {
			all.close()
		}
	}()
	if all.reread, err = s.reread(); err != nil {
		return nil, err
	}
	if all.pair, err = server.LoadKeyPair(s.Cert, s.Key, now); err != nil {
		return nil, err
	}
	s.Test = s.Test || sandbox
	if err := s.notOfTest(all.pair); err != nil {
		return nil, err
	}
	if s.certified() {
		if all.certs, err = s.certificates(now); err != nil {
			return nil, err
		}
		all.cas = s.authorities
	}
	for _, f := range []struct {
		name, addr string
		face       *server.Face
	}{
		{"tls-pro", s.Pro, server.ProFace(all.pair, all.certs, now)},
		{"tls-patient", s.Patient, server.PatientFace(all.pair, now)},
		{"tls-mandataire", s.Proxy, server.ProxyFace(all.pair, all.certs, listed(s.Proxies), now)},
	} {
		if f.addr == "" {
			continue
		}
		l, err := net.Listen("tcp", f.addr)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		all.faces = append(all.faces, face{f.name, l, f.face})
	}
	return all, nil
}

// notOfTest refuses a certificate of the test PKI, unless that is meant.
func (s tlsSettings) notOfTest(pair *server.KeyPair) error {
	if s.Test || !auth.IsTestCA(pair.Leaf()) {
		return nil
	}
	return fmt.Errorf("tls-cert: %w: give one of a CA that your clients trust (ca-de-test if that is meant)", auth.ErrTestCA)
}

// certificates reads the CAs and the lists of revoked certificates.
func (s tlsSettings) certificates(now func() time.Time) (*auth.Certificates, error) {
	c := auth.CertificateConfig{SAMU: listed(s.SAMU), CRLs: listed(s.CRLs), Test: s.Test, Now: now}
	var err error
	if c.Grace, err = s.grace(); err != nil {
		return nil, err
	}
	if c.Persons, c.Organisations, err = s.authorities(); err != nil {
		return nil, err
	}
	if c.PersonPolicies, err = policies("politiques-personnes", s.PersonPolicies); err != nil {
		return nil, err
	}
	if c.OrganisationPolicies, err = policies("politiques-organisations", s.OrganisationPolicies); err != nil {
		return nil, err
	}
	certs, err := auth.NewCertificates(c)
	if errors.Is(err, auth.ErrTestCA) {
		err = fmt.Errorf("%w (ca-de-test if that is meant)", err)
	}
	return certs, err
}

// authorities reads the CAs of each class.
func (s tlsSettings) authorities() (persons, organisations []*x509.Certificate, err error) {
	if persons, err = readCAs("ca-personnes", s.Persons); err != nil {
		return nil, nil, err
	}
	organisations, err = readCAs("ca-organisations", s.Organisations)
	return persons, organisations, err
}

// readCAs reads a series of PEM certificates; none if there is no file.
func readCAs(setting, file string) ([]*x509.Certificate, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	var all []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s: %s: not a series of PEM blocks CERTIFICATE", setting, file)
		}
		all, data = append(all, cert), rest
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no certificate in %s", setting, file)
	}
	return all, nil
}

func policies(setting string, texts []string) ([]x509.OID, error) {
	var all []x509.OID
	for _, text := range listed(texts) {
		oid, err := x509.ParseOID(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not an OID", setting, text)
		}
		all = append(all, oid)
	}
	return all, nil
}

// close closes the listeners that were not served.
func (s *secure) close() {
	for _, f := range s.faces {
		f.l.Close()
	}
}

// run reads the files anew until ctx ends, and says what is wrong each time: a
// certificate that cannot be read, a list that is not fresh.
func (s *secure) run(ctx context.Context) {
	if s.pair == nil {
		return
	}
	every := time.NewTicker(s.reread)
	defer every.Stop()
	for {
		if err := s.reload(); err != nil {
			s.log.Error("tls", "cause", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// reload reads the files anew; what is in use stays where one cannot be read.
func (s *secure) reload() error {
	err := s.pair.Reload()
	if s.certs == nil {
		return err
	}
	return errors.Join(err, s.renew(), s.certs.Stale())
}

// renew reads the CAs and the lists anew. Without the CAs, the lists: what was revoked
// since must not wait for them.
func (s *secure) renew() error {
	persons, organisations, err := s.cas()
	if err != nil {
		return errors.Join(err, s.certs.Reload())
	}
	return s.certs.Renew(persons, organisations)
}

// welcome returns a line for each listener.
func (s *secure) welcome() string {
	var b strings.Builder
	for _, f := range s.faces {
		fmt.Fprintf(&b, "  %-15s https://%s\n", f.name, f.l.Addr())
	}
	return b.String()
}
