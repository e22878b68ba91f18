package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/sandbox"
)

// BenchmarkPeer is what each request on tls-pro pays for its certificate: who it is
// of, its validity, and a list of ten thousand revoked ones.
func BenchmarkPeer(b *testing.B) {
	ca, err := sandbox.NewAuthority("organisations", time.Now(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	holder, err := sandbox.OrganisationHolder("hopital-nord")
	if err != nil {
		b.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	revoked := make([]*x509.Certificate, 10_000)
	for i := range revoked {
		revoked[i] = &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1))}
	}
	der, err := ca.CRL(nil, time.Now(), revoked...)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "crl.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), 0o600); err != nil {
		b.Fatal(err)
	}
	leaf, err := ca.Issue(holder, key.Public(), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	certs, err := auth.NewCertificates(auth.CertificateConfig{
		Organisations: []*x509.Certificate{ca.Cert}, CRLs: []string{file}, Test: true, Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := certs.Peer(leaf); err != nil {
			b.Fatal(err)
		}
	}
}
