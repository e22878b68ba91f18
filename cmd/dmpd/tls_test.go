package main

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

// Each missing piece is told by its name.
func TestTLSSettingsThatLackAPart(t *testing.T) {
	whole := tlsSettings{
		Pro: "h:1", Patient: "h:2", Proxy: "h:3", Cert: "c", Key: "k", Persons: "p", Organisations: "o",
		CRLs: []string{"r"}, SAMU: []string{"s"}, Proxies: []string{"t"},
	}
	for name, c := range map[string]struct {
		change  func(*tlsSettings)
		refusal string // "" if accepted
	}{
		"whole":               {func(*tlsSettings) {}, ""},
		"nothing":             {func(s *tlsSettings) { *s = tlsSettings{} }, ""},
		"patients only":       {func(s *tlsSettings) { *s = tlsSettings{Patient: "h:1", Cert: "c", Key: "k"} }, ""},
		"persons only":        {func(s *tlsSettings) { s.Organisations, s.SAMU = "", nil }, ""},
		"no listener":         {func(s *tlsSettings) { s.Pro, s.Patient, s.Proxy = "", "", "" }, "tls-cert without tls-pro"},
		"a CA alone":          {func(s *tlsSettings) { *s = tlsSettings{Organisations: "o"} }, "ca-organisations without tls-pro"},
		"no certificate":      {func(s *tlsSettings) { s.Cert = "" }, "tls-cert"},
		"no key":              {func(s *tlsSettings) { s.Key = "" }, "tls-cle"},
		"no CA":               {func(s *tlsSettings) { s.Persons, s.Organisations, s.SAMU = "", "", nil }, "ca-organisations or ca-personnes"},
		"no CRL":              {func(s *tlsSettings) { s.CRLs = []string{" ; "} }, "crl"},
		"no proxy let in":     {func(s *tlsSettings) { s.Proxies = nil }, "mandataires"},
		"proxies to nowhere":  {func(s *tlsSettings) { s.Proxy = "" }, "tls-mandataire"},
		"a SAMU of no CA":     {func(s *tlsSettings) { s.Organisations = "" }, "ca-organisations (samu"},
		"no port":             {func(s *tlsSettings) { s.Patient = "h" }, "host:port"},
		"grace for ever":      {func(s *tlsSettings) { s.Grace = "1000h" }, "crl-delai"},
		"grace of the past":   {func(s *tlsSettings) { s.Grace = "-1h" }, "crl-delai"},
		"read once a century": {func(s *tlsSettings) { s.Reread = "876000h" }, "tls-relecture"},
	} {
		s := whole
		c.change(&s)
		err := s.check()
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s: %v, want %q", name, err, c.refusal)
		}
	}
}

// The test PKI does not open a real service, unless it is told to; files that are not
// what they are for stop a start.
func TestTLSFilesThatStopAStart(t *testing.T) {
	p := newPKI(t)
	log := slog.New(slog.DiscardHandler)
	real := proxyCertificate(t) // of no test PKI
	check(t, os.WriteFile(p.file("real.pem"), pemOf("CERTIFICATE", real.Certificate[0]), 0o600))
	check(t, os.WriteFile(p.file("loose.key"), []byte("x"), 0o666))
	check(t, os.Chmod(p.file("loose.key"), 0o666))
	for name, c := range map[string]struct {
		change  func(*tlsSettings)
		refusal string
	}{
		"told to":               {func(s *tlsSettings) { s.Test = true }, ""},
		"not told to":           {func(*tlsSettings) {}, "test PKI"},
		"no file":               {func(s *tlsSettings) { s.Test, s.Cert = true, p.file("nowhere") }, "nowhere"},
		"a key of another":      {func(s *tlsSettings) { s.Test, s.Key = true, p.file("org-samu-75.key") }, "private key does not match"},
		"a key for everybody":   {func(s *tlsSettings) { s.Test, s.Key = true, p.file("loose.key") }, "everybody"},
		"one CA for both":       {func(s *tlsSettings) { s.Test, s.Persons = true, s.Organisations }, "twice"},
		"no CA":                 {func(s *tlsSettings) { s.Test, s.Persons = true, p.file("cps-medecin-martin.pem") }, "is no CA"},
		"a key for a CA":        {func(s *tlsSettings) { s.Test, s.Persons = true, p.file("ca-personnes.key") }, "CERTIFICATE"},
		"a CRL for one CA only": {func(s *tlsSettings) { s.Test, s.CRLs = true, s.CRLs[:1] }, "none of"},
		"a CRL twice":           {func(s *tlsSettings) { s.Test, s.CRLs = true, append(s.CRLs, s.CRLs[0]) }, "two of"},
		"a CRL of nobody":       {func(s *tlsSettings) { s.Test, s.Persons = true, "" }, "not signed"},
		"no CRL":                {func(s *tlsSettings) { s.Test, s.CRLs = true, []string{p.file("real.pem")} }, "X509 CRL"},
		"no OID":                {func(s *tlsSettings) { s.Test, s.PersonPolicies = true, []string{"one.two"} }, "politiques-personnes"},
	} {
		s := p.settings()
		c.change(&s)
		all, err := s.open(time.Now, false, log)
		if err == nil {
			all.close()
		}
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s: %v, want %q", name, err, c.refusal)
		}
	}
}
