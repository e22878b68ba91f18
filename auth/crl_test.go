package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/sandbox"
)

// What a list that is read while it serves may not do: bring back what was revoked, or
// mean something else than it seems to. What was in force then stays.
func TestListsThatAreNotTakenOver(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ca, err := sandbox.NewAuthority("organisations", now, rand.Reader)
	must(err)
	other, err := sandbox.NewAuthority("organisations", now, rand.Reader)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	holder, err := sandbox.OrganisationHolder("hopital-nord")
	must(err)
	leaf, err := ca.Issue(holder, key.Public(), now)
	must(err)
	der, err := ca.CRL(nil, now, leaf)
	must(err)
	inForce, err := x509.ParseRevocationList(der)
	must(err)

	file := filepath.Join(t.TempDir(), "crl.der")
	must(os.WriteFile(file, der, 0o600))
	certs, err := auth.NewCertificates(auth.CertificateConfig{
		Organisations: []*x509.Certificate{ca.Cert}, CRLs: []string{file}, Test: true, Now: func() time.Time { return now },
	})
	must(err)
	signed := func(a sandbox.Authority, change func(*x509.RevocationList)) []byte {
		t.Helper()
		list := &x509.RevocationList{Number: big.NewInt(9), ThisUpdate: now.Add(time.Hour), NextUpdate: now.Add(48 * time.Hour)}
		change(list)
		der, err := x509.CreateRevocationList(rand.Reader, list, a.Cert, a.Key)
		must(err)
		return der
	}
	delta := asn1.ObjectIdentifier{2, 5, 29, 27}
	for name, data := range map[string][]byte{
		"an older number":  signed(ca, func(l *x509.RevocationList) { l.Number = big.NewInt(0) }),
		"an older instant": signed(ca, func(l *x509.RevocationList) { l.ThisUpdate = inForce.ThisUpdate.Add(-time.Second) }),
		"another CA's":     signed(other, func(*x509.RevocationList) {}),
		"a delta": signed(ca, func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: delta, Critical: true, Value: []byte{2, 1, 1}}}
		}),
		"none":                 nil,
		"cut":                  der[:len(der)-1],
		"text before the list": append([]byte("-----BEGIN nothing"), der...),
	} {
		must(os.WriteFile(file, data, 0o600))
		if err := certs.Reload(); !errors.Is(err, auth.ErrCRL) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := certs.Peer(leaf); !errors.Is(err, auth.ErrRevoked) {
			t.Errorf("%s: the certificate: %v", name, err)
		}
	}
	// The one that follows is taken over, with what it says.
	must(os.WriteFile(file, signed(ca, func(*x509.RevocationList) {}), 0o600))
	must(certs.Reload())
	p, err := certs.Peer(leaf)
	if err != nil || p.Class() != auth.OrganisationClass || p.Structure().Value != "1750000001" || p.Name() != "Hôpital Nord" || !p.Person().IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	now = now.Add(49 * time.Hour)
	if _, err := certs.Peer(leaf); !errors.Is(err, auth.ErrRevocationUnknown) {
		t.Errorf("a list that is no longer fresh: %v", err)
	}
	if err := certs.Stale(); !errors.Is(err, auth.ErrRevocationUnknown) {
		t.Errorf("no alarm: %v", err)
	}
	now = now.AddDate(3, 0, 0)
	if _, err := certs.Peer(leaf); !errors.Is(err, auth.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
}
