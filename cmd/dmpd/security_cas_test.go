package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"opendmp/sandbox"
)

// CAs are read anew while the server runs: who a new one certifies gets in, who one that
// is gone certified is out at once, on open connections and with old tickets too. A file
// that is broken changes nothing, holds back no revocation, and is told.
func TestCAsAreReplaced(t *testing.T) {
	f := fortify(t, func(s *tlsSettings, _ *plan) { s.Reread = "1h" })
	ca, list := f.pki.file("ca-organisations.pem"), f.pki.file("crl-organisations.pem")
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(name)
		check(t, err)
		return data
	}
	write := func(name string, parts ...[]byte) {
		t.Helper()
		check(t, os.WriteFile(name, bytes.Join(parts, nil), 0o600))
	}
	oldCA := read(ca)
	next, err := sandbox.NewAuthority("organisations-2", time.Now(), rand.Reader)
	check(t, err)
	empty, err := next.CRL(nil, time.Now())
	check(t, err)
	newCA, newList := pemOf("CERTIFICATE", next.Cert.Raw), pemOf("X509 CRL", empty)
	young := issued(t, next, func(*x509.Certificate) {})
	old := f.forge("organisations", func(*x509.Certificate) {})
	cache := tls.NewLRUClientSessionCache(1)
	resuming := func() *visitor {
		v := f.visit("tls-pro", old)
		v.transport().TLSClientConfig.ClientSessionCache = cache
		return v
	}
	open := resuming()
	open.is(http.StatusOK, "/fhir/metadata")
	f.visit("tls-pro", young).alerted("of a CA to come")

	for name, broken := range map[string][][]byte{
		"nothing": nil, "text": {[]byte("broken")}, "half of it": {oldCA[:len(oldCA)/2]}, "no CA": {pemOf("CERTIFICATE", old.Certificate[0])},
		"a CA without a list": {oldCA, newCA}, "one CA twice": {oldCA, oldCA}, "that of the persons": {oldCA, read(f.pki.file("ca-personnes.pem"))},
	} {
		write(ca, broken...)
		if err := f.secure.reload(); err == nil {
			t.Errorf("%s: no alarm", name)
		}
		open.is(http.StatusOK, "/fhir/metadata")
		f.visit("tls-pro", old).is(http.StatusOK, "/fhir/metadata")
	}
	write(ca, oldCA)
	check(t, f.pki.at(time.Now).Revoke("cps-medecin-martin"))
	check(t, os.Remove(ca))
	if err := f.secure.reload(); err == nil || !strings.Contains(err.Error(), "ca-organisations") {
		t.Errorf("no file: %v", err)
	}
	f.visit("tls-pro", f.pki.holder("cps-medecin-martin")).alerted("revoked while the file of the CAs is broken")

	write(ca, oldCA, newCA)
	write(list, read(list), newList)
	check(t, f.secure.reload())
	f.visit("tls-pro", young).is(http.StatusOK, "/fhir/metadata")
	open.is(http.StatusOK, "/fhir/metadata")
	if open.dials.Load() != 1 {
		t.Errorf("the open connection was given up: %d", open.dials.Load())
	}

	write(ca, newCA)
	write(list, newList)
	check(t, f.secure.reload())
	f.visit("tls-pro", young).is(http.StatusOK, "/fhir/metadata")
	open.is(http.StatusUnauthorized, "/fhir/metadata")
	if open.dials.Load() != 1 {
		t.Errorf("asked on %d connections", open.dials.Load())
	}
	resuming().alerted("with the ticket of a certificate whose CA is gone")
	f.visit("tls-pro", old).alerted("of a CA that is gone")
}
