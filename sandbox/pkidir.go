package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"opendmp/auth"
)

// PKI is the test PKI in a folder. For each certificate there are NAME.pem and NAME.key:
//
//	ca-personnes, ca-organisations, ca-serveurs    the CAs
//	crl-personnes.pem, crl-organisations.pem       what they revoked
//	serveur                                        of localhost, 127.0.0.1 and ::1
//	cps-<persona>                                  the card of a professional
//	org-<structure>                                the system of a structure
//	org-samu-75                                    to be registered as a SAMU
type PKI struct {
	Folder string
	Now    func() time.Time
	Rand   io.Reader
}

// Names of the CAs.
const (
	caPersons       = "personnes"
	caOrganisations = "organisations"
	caServers       = "serveurs"
)

// ErrPKI: the folder of the test PKI is not as it should be.
var ErrPKI = errors.New("sandbox: test PKI")

// Init makes the whole PKI: the CAs, first CRLs, and a certificate for each of the
// cast who can have one. It refuses a folder that holds anything.
func (p PKI) Init() error {
	if entries, err := os.ReadDir(p.Folder); err == nil && len(entries) > 0 {
		return fmt.Errorf("%w: %s is not empty", ErrPKI, p.Folder)
	}
	if err := os.MkdirAll(p.Folder, 0o700); err != nil {
		return err
	}
	for _, name := range []string{caPersons, caOrganisations, caServers} {
		if err := p.initCA(name); err != nil {
			return err
		}
	}
	if err := p.issue(caServers, "serveur", ServerHolder("localhost", "127.0.0.1", "::1")); err != nil {
		return err
	}
	for _, name := range p.names() {
		if _, err := p.Issue(name); err != nil {
			return err
		}
	}
	return nil
}

// names are those of the cast, as Issue takes them.
func (p PKI) names() []string {
	var all []string
	for _, x := range Personas() {
		if x.Kind == auth.Professional || x.Kind == auth.Regulator {
			all = append(all, x.Key)
		}
	}
	for _, s := range structures() {
		all = append(all, s.key)
	}
	return all
}

func (p PKI) initCA(name string) error {
	a, err := NewAuthority(name, p.Now(), p.Rand)
	if err != nil {
		return err
	}
	if err := p.write("ca-"+name, a.Cert, a.Key); err != nil {
		return err
	}
	if name == caServers {
		return nil // clients of the sandbox look at no CRL
	}
	return p.writeCRL(a, name, nil)
}

// Issue makes a certificate for a persona or a structure of the cast, in the place of
// the one that they had, and returns the name of its files.
func (p PKI) Issue(who string) (string, error) {
	if persona, ok := Lookup(who); ok && (persona.Kind == auth.Professional || persona.Kind == auth.Regulator) {
		h, err := CardHolder(persona)
		if err != nil {
			return "", err
		}
		return "cps-" + who, p.issue(caPersons, "cps-"+who, h)
	}
	h, err := OrganisationHolder(who)
	if err != nil {
		return "", err
	}
	return "org-" + who, p.issue(caOrganisations, "org-"+who, h)
}

// IssueServer makes the certificate of a server of some names or addresses, as
// serveur.pem and serveur.key, in the place of the one that is there.
func (p PKI) IssueServer(names ...string) error {
	if len(names) == 0 {
		return fmt.Errorf("%w: a server without a name", ErrPKI)
	}
	return p.issue(caServers, "serveur", ServerHolder(names...))
}

func (p PKI) issue(ca, name string, h Holder) error {
	a, err := p.authority(ca)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), p.Rand)
	if err != nil {
		return err
	}
	cert, err := a.Issue(h, key.Public(), p.Now())
	if err != nil {
		return err
	}
	return p.write(name, cert, key)
}

// Revoke puts a certificate, by the name of its files, on the list of its CA; without
// a name it only renews the lists.
func (p PKI) Revoke(names ...string) error {
	revoked := map[string][]*x509.Certificate{}
	for _, name := range names {
		if !strings.HasPrefix(name, "cps-") && !strings.HasPrefix(name, "org-") {
			return fmt.Errorf("%w: only cps-… and org-… are revoked, not %q", ErrPKI, name)
		}
		cert, err := p.certificate(name)
		if err != nil {
			return err
		}
		revoked[cert.Issuer.CommonName] = append(revoked[cert.Issuer.CommonName], cert)
	}
	for _, ca := range []string{caPersons, caOrganisations} {
		a, err := p.authority(ca)
		if err != nil {
			return err
		}
		if err := p.writeCRL(a, ca, revoked[a.Cert.Subject.CommonName]); err != nil {
			return err
		}
	}
	return nil
}

// writeCRL writes the list that follows the one that is there.
func (p PKI) writeCRL(a Authority, name string, revoked []*x509.Certificate) error {
	var before *x509.RevocationList
	file := p.path("crl-" + name + ".pem")
	der, err := readPEM(file, "X509 CRL")
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if before, err = x509.ParseRevocationList(der); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrPKI, file, err)
		}
	}
	der, err = a.CRL(before, p.Now(), revoked...)
	if err != nil {
		return err
	}
	return replace(file, "X509 CRL", der, 0o644)
}

func (p PKI) authority(name string) (Authority, error) {
	cert, err := p.certificate("ca-" + name)
	if err != nil {
		return Authority{}, err
	}
	file := p.path("ca-" + name + ".key")
	der, err := readPEM(file, "PRIVATE KEY")
	if err != nil {
		return Authority{}, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return Authority{}, fmt.Errorf("%w: %s: %w", ErrPKI, file, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok || !auth.IsTestCA(cert) {
		return Authority{}, fmt.Errorf("%w: %s is no CA of a test PKI", ErrPKI, file)
	}
	return Authority{Cert: cert, Key: signer, Rand: p.Rand}, nil
}

func (p PKI) certificate(name string) (*x509.Certificate, error) {
	if filepath.Base(name) != name {
		return nil, fmt.Errorf("%w: %q is not the name of a certificate", ErrPKI, name)
	}
	file := p.path(name + ".pem")
	der, err := readPEM(file, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrPKI, file, err)
	}
	return cert, nil
}

func (p PKI) path(file string) string { return filepath.Join(p.Folder, file) }

// write writes a certificate and its key.
func (p PKI) write(name string, cert *x509.Certificate, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := replace(p.path(name+".key"), "PRIVATE KEY", der, 0o600); err != nil {
		return err
	}
	return replace(p.path(name+".pem"), "CERTIFICATE", cert.Raw, 0o644)
}

func readPEM(file, kind string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPKI, err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%w: %s is not a PEM block %s", ErrPKI, file, kind)
	}
	return block.Bytes, nil
}

// replace writes a file whole, so that a server that reads it meanwhile sees the old
// one or the new one.
func replace(file, kind string, der []byte, mode fs.FileMode) error {
	part := file + ".part"
	if err := os.WriteFile(part, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return err
	}
	return os.Rename(part, file)
}
