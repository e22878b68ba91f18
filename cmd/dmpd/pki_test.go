package main

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opendmp/sandbox"
)

// testPKI is a test PKI in a folder of its own.
type testPKI struct {
	t      *testing.T
	folder string
}

func newPKI(t *testing.T) testPKI {
	t.Helper()
	p := testPKI{t, filepath.Join(t.TempDir(), "pki")}
	check(t, p.at(time.Now).Init())
	return p
}

func (p testPKI) at(now func() time.Time) sandbox.PKI {
	return sandbox.PKI{Folder: p.folder, Now: now, Rand: rand.Reader}
}

func (p testPKI) file(name string) string { return filepath.Join(p.folder, name) }

// settings are those of a server with every face, on ports of its own.
func (p testPKI) settings() tlsSettings {
	return tlsSettings{
		Pro: "127.0.0.1:0", Patient: "127.0.0.1:0",
		Cert: p.file("serveur.pem"), Key: p.file("serveur.key"),
		Persons: p.file("ca-personnes.pem"), Organisations: p.file("ca-organisations.pem"),
		CRLs: []string{p.file("crl-personnes.pem"), p.file("crl-organisations.pem")},
	}
}

// flags are the same as a command line.
func (p testPKI) flags() string {
	s := p.settings()
	return strings.Join([]string{
		"--tls-pro", s.Pro, "--tls-patient", s.Patient, "--tls-cert", s.Cert, "--tls-cle", s.Key,
		"--ca-personnes", s.Persons, "--ca-organisations", s.Organisations, "--crl", strings.Join(s.CRLs, ";"),
	}, " ")
}

// holder returns the certificate of a name and its key.
func (p testPKI) holder(name string) tls.Certificate {
	p.t.Helper()
	pair, err := tls.LoadX509KeyPair(p.file(name+".pem"), p.file(name+".key"))
	check(p.t, err)
	return pair
}

// authority returns a CA by its name.
func (p testPKI) authority(name string) sandbox.Authority {
	p.t.Helper()
	pair := p.holder("ca-" + name)
	return sandbox.Authority{Cert: pair.Leaf, Key: pair.PrivateKey.(crypto.Signer), Rand: rand.Reader}
}

// roots are those that a client of the server trusts.
func (p testPKI) roots() *x509.CertPool {
	p.t.Helper()
	data, err := os.ReadFile(p.file("ca-serveurs.pem"))
	check(p.t, err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		p.t.Fatal("no root")
	}
	return pool
}

func TestPKICommands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	run := func(args ...string) string {
		t.Helper()
		out, err := command(t, append(append([]string{"pki"}, args...), "--out", dir)...)
		check(t, err)
		return out
	}
	run("init")
	if _, err := command(t, "pki", "init", "--out", dir); err == nil {
		t.Error("init writes over a PKI")
	}
	serial := func(name string) string {
		return testPKI{t, dir}.holder(name).Leaf.SerialNumber.String()
	}
	before := serial("cps-medecin-martin")
	if out := run("issue", "medecin-martin"); !strings.Contains(out, "cps-medecin-martin") {
		t.Errorf("said %q", out)
	}
	after := serial("cps-medecin-martin")
	if after == before {
		t.Error("the card is the same")
	}
	run("issue", "--server", "dmp.test,192.0.2.1")
	if err := (testPKI{t, dir}).holder("serveur").Leaf.VerifyHostname("192.0.2.1"); err != nil {
		t.Error(err)
	}
	run("revoke", "cps-medecin-martin")
	run("revoke", "org-hopital-nord")
	list := readCRL(t, filepath.Join(dir, "crl-personnes.pem"))
	if n := list.Number.Int64(); n != 3 || len(list.RevokedCertificateEntries) != 1 || list.RevokedCertificateEntries[0].SerialNumber.String() != after {
		t.Errorf("list %d of %v", n, list.RevokedCertificateEntries)
	}
	// Both take the name of a holder and that of the files.
	structure := serial("org-cabinet-sud")
	if out := run("issue", "org-cabinet-sud"); !strings.Contains(out, "issued org-cabinet-sud") || serial("org-cabinet-sud") == structure {
		t.Errorf("said %q", out)
	}
	if out := run("issue", "cps-medecin-martin"); !strings.Contains(out, "issued cps-medecin-martin") {
		t.Errorf("said %q", out)
	}
	run("revoke", "cabinet-sud", "medecin-durand")
	for file, name := range map[string]string{"crl-organisations.pem": "org-cabinet-sud", "crl-personnes.pem": "cps-medecin-durand"} {
		list := readCRL(t, filepath.Join(dir, file)).RevokedCertificateEntries
		if last := list[len(list)-1].SerialNumber.String(); last != serial(name) {
			t.Errorf("%s is not revoked", name)
		}
	}
	for _, args := range [][]string{
		{"issue", "cps-cabinet-sud"}, {"issue", "org-medecin-martin"}, {"revoke", "cabinet-sud", "nobody"},
		{"issue"}, {"issue", "nobody"}, {"issue", "patient-alix"}, {"issue", "medecin-martin", "--server", "x"},
		{"revoke", "nobody"}, {"revoke", "ca-personnes"}, {"revoke", "../pki/cps-medecin-martin"},
	} {
		if _, err := command(t, append(append([]string{"pki"}, args...), "--out", dir)...); err == nil {
			t.Errorf("%v is done", args)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "cps-medecin-martin.key"))
	if check(t, err); info.Mode().Perm() != 0o600 {
		t.Errorf("a key of mode %v", info.Mode())
	}
}

func readCRL(t *testing.T, file string) *x509.RevocationList {
	t.Helper()
	data, err := os.ReadFile(file)
	check(t, err)
	block, _ := pem.Decode(data)
	list, err := x509.ParseRevocationList(block.Bytes)
	check(t, err)
	return list
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
