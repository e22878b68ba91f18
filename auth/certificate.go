package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"opendmp/fhir"
)

// Errors of Certificates. Their texts are for the log of the operator.
var (
	// ErrUntrusted: not issued, or not for this use, by one of the configured CAs.
	ErrUntrusted = errors.New("auth: certificate of no configured CA, or not for clients")
	// ErrExpired: not valid at this instant.
	ErrExpired = errors.New("auth: certificate outside its validity")
	// ErrRevoked: listed in the CRL of its CA.
	ErrRevoked = errors.New("auth: certificate revoked")
	// ErrRevocationUnknown: there is no fresh CRL of the CA, so that no certificate
	// of it is accepted. It is for an alarm.
	ErrRevocationUnknown = errors.New("auth: no fresh CRL of the CA")
	// ErrSubject: the subject is not that of a person or a structure.
	ErrSubject = errors.New("auth: subject of the certificate")
	// ErrTestCA: a CA of the test PKI, where none is meant to be.
	ErrTestCA = errors.New("auth: CA of the test PKI")
)

// TestOrganisation is the O of every CA of the test PKI (`dmpd pki`): a service
// refuses to start with one of them, unless it is told to.
const TestOrganisation = "OpenDMP TEST (aucune valeur)"

// Peer is the proved holder of a client certificate. It is a value; the zero Peer is
// nobody. A Peer tells who holds the other end, and gives no right.
type Peer struct {
	class      Class
	id         fhir.Ident
	name       string
	subject    string
	thumbprint string
	serial     string
	notAfter   time.Time
	ca         *authority
}

// IsZero tells whether there is no certificate.
func (p Peer) IsZero() bool { return p.class == NoClass }

// Class returns the class of the certificate; NoClass for the zero Peer.
func (p Peer) Class() Class { return p.class }

// Person returns the canonical national identifier of the holder of a card; zero for
// an organisation.
func (p Peer) Person() fhir.Ident {
	if p.class != PersonClass {
		return fhir.Ident{}
	}
	return p.id
}

// Structure returns the Struct_IdNat of an organisation; zero for a person.
func (p Peer) Structure() fhir.Ident {
	if !p.organisation() {
		return fhir.Ident{}
	}
	return p.id
}

// organisation tells whether the certificate is that of a structure.
func (p Peer) organisation() bool { return p.class == OrganisationClass || p.class == SAMUClass }

// Name returns the name of the person or of the organisation, for the history.
func (p Peer) Name() string { return p.name }

// Subject returns the subject as RFC 4514 writes it, in the form of CanonicalSubject: what
// tls_client_auth_subject_dn of a registered client is compared with (RFC 8705 §2.1.2).
func (p Peer) Subject() string { return p.subject }

// Thumbprint returns x5t#S256, base64url: what cnf of a token holds (RFC 8705 §3.1).
func (p Peer) Thumbprint() string { return p.thumbprint }

// NotAfter returns when the certificate, or the CA that issued it, ends.
func (p Peer) NotAfter() time.Time { return p.notAfter }

// CertificateConfig configures Certificates.
type CertificateConfig struct {
	// Persons and Organisations are the CAs that issue certificates of each class;
	// at least one in all, none in both. They are trusted by themselves: a
	// certificate must be issued by one of them without anything between.
	Persons, Organisations []*x509.Certificate
	// PersonPolicies and OrganisationPolicies are the certificate policies of which
	// one must be there; not looked at if empty.
	PersonPolicies, OrganisationPolicies []x509.OID
	// SAMU registers certificates of organisations for the regulation of
	// emergencies: by x5t#S256 (base64url) or by the whole subject (RFC 4514).
	SAMU []string
	// CRLs are the files of the lists of revoked certificates; each CA needs one.
	CRLs []string
	// Grace is how long a CRL serves after its nextUpdate.
	Grace time.Duration
	// Test lets CAs of the test PKI in.
	Test bool
	// Now is the clock.
	Now func() time.Time
}

// authority is a CA and what its certificates must hold.
type authority struct {
	cert     *x509.Certificate
	pool     *x509.CertPool
	class    Class
	policies []x509.OID
}

// Certificates tells who holds a client certificate. It is safe for concurrent use.
type Certificates struct {
	config CertificateConfig // but for the CAs, which are those in force
	samu   map[string]bool
	now    func() time.Time

	reading sync.Mutex
	inForce atomic.Pointer[trust]
}

// trust is what certificates are judged by, put in force as a whole. It never changes.
type trust struct {
	authorities []*authority
	pool        *x509.CertPool
	lists       map[*authority]*revocations
	read        [sha256.Size]byte // hash of the files of the lists
	known       *identified
}

// NewCertificates reads the CRLs and returns Certificates. It refuses what would
// silently switch off a check: no CA, one in two classes, one that is none, a CA of
// the test PKI (ErrTestCA), a CA without a CRL, no clock. A CRL that is no longer
// fresh does not stop it: it refuses the certificates, not the start.
func NewCertificates(c CertificateConfig) (*Certificates, error) {
	if c.Now == nil || c.Grace < 0 {
		return nil, errors.New("auth: certificates without a clock, or with a negative grace")
	}
	all := &Certificates{config: c, samu: map[string]bool{}, now: c.Now}
	all.config.CRLs = slices.Clone(c.CRLs)
	for _, s := range c.SAMU {
		if !isThumbprint(s) {
			whole, err := CanonicalSubject(s)
			if err != nil {
				return nil, fmt.Errorf("auth: %q is neither a thumbprint nor a subject: %w", s, err)
			}
			s = whole
		}
		all.samu[s] = true
	}
	all.inForce.Store(&trust{})
	return all, all.renew(c.Persons, c.Organisations)
}

// Renew puts other CAs in force, with the CRLs read anew, for the connections that are
// open too. It refuses what NewCertificates refuses, and CRLs as Reload does; on error the
// CAs stay, and their CRLs are read anew all the same.
func (c *Certificates) Renew(persons, organisations []*x509.Certificate) error {
	err := c.renew(persons, organisations)
	if err != nil {
		return errors.Join(err, c.Reload())
	}
	return nil
}

func (c *Certificates) renew(persons, organisations []*x509.Certificate) error {
	c.reading.Lock()
	defer c.reading.Unlock()
	before := c.inForce.Load()
	t := &trust{pool: x509.NewCertPool(), known: &identified{}}
	for _, class := range []struct {
		cas      []*x509.Certificate
		class    Class
		policies []x509.OID
	}{
		{persons, PersonClass, c.config.PersonPolicies},
		{organisations, OrganisationClass, c.config.OrganisationPolicies},
	} {
		for _, ca := range class.cas {
			if err := t.add(ca, class.class, class.policies, c.config.Test, before.authorities); err != nil {
				return err
			}
		}
	}
	switch {
	case len(t.authorities) == 0:
		return errors.New("auth: no CA of client certificates")
	case slices.Equal(t.authorities, before.authorities):
		return c.load(before)
	}
	return c.load(t)
}

// add adds a CA. One that is in force already stays the same, so that its list is
// compared with the one that follows.
func (t *trust) add(ca *x509.Certificate, class Class, policies []x509.OID, test bool, before []*authority) error {
	switch {
	case !ca.IsCA || !ca.BasicConstraintsValid || ca.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("auth: %s is no CA", ca.Subject)
	case !test && IsTestCA(ca):
		return fmt.Errorf("%w: %s", ErrTestCA, ca.Subject)
	case slices.ContainsFunc(t.authorities, func(a *authority) bool {
		return bytes.Equal(a.cert.RawSubject, ca.RawSubject) || bytes.Equal(a.cert.RawSubjectPublicKeyInfo, ca.RawSubjectPublicKeyInfo)
	}):
		return fmt.Errorf("auth: %s is configured twice: a class is known by its CA", ca.Subject)
	}
	t.pool.AddCert(ca)
	i := slices.IndexFunc(before, func(a *authority) bool { return a.class == class && a.cert.Equal(ca) })
	if i >= 0 {
		t.authorities = append(t.authorities, before[i])
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	t.authorities = append(t.authorities, &authority{cert: ca, pool: pool, class: class, policies: policies})
	return nil
}

// IsTestCA tells whether a certificate is of the test PKI: one that it issued, or
// its CA.
func IsTestCA(cert *x509.Certificate) bool {
	return slices.Contains(cert.Issuer.Organization, TestOrganisation) || slices.Contains(cert.Subject.Organization, TestOrganisation)
}

// Pool returns the CAs in force, for a handshake. It must not be changed.
func (c *Certificates) Pool() *x509.CertPool { return c.inForce.Load().pool }

// Peer returns who holds a certificate whose key was proved by the connection, at
// this instant: signature and use, subject, validity, revocation. Ask it anew for each
// request; what cannot change is remembered. The error wraps one of those above.
func (c *Certificates) Peer(leaf *x509.Certificate) (Peer, error) {
	if leaf == nil {
		return Peer{}, ErrNoCredential
	}
	t, sum := c.inForce.Load(), sha256.Sum256(leaf.Raw)
	p, ok := t.known.get(sum)
	if !ok {
		var err error
		if p, err = c.identify(t, leaf, sum); err != nil {
			return Peer{}, err
		}
		t.known.put(sum, p)
	}
	// What changes while a connection is open. A CA that ended, or whose CRL is not
	// fresh, says nothing of anyone any more.
	now := c.now()
	if !now.Before(p.notAfter) {
		return Peer{}, ErrExpired
	}
	if err := t.check(p.ca, p.serial, now.Add(-c.config.Grace)); err != nil {
		return Peer{}, err
	}
	return p, nil
}

// maxKnown bounds the memory of identified certificates. Beyond it they are
// identified anew.
const maxKnown = 4096

// identified holds whom certificates were identified as, by what was hashed: who they are,
// not whether they still are. The zero identified is empty.
type identified struct {
	mu    sync.RWMutex
	known map[[sha256.Size]byte]Peer
}

func (m *identified) get(sum [sha256.Size]byte) (Peer, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p, ok := m.known[sum]
	return p, ok
}

func (m *identified) put(sum [sha256.Size]byte, p Peer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxKnown {
		m.known = map[[sha256.Size]byte]Peer{}
	}
	m.known[sum] = p
}

// identify reads a certificate that was not seen before.
func (c *Certificates) identify(t *trust, leaf *x509.Certificate, sum [sha256.Size]byte) (Peer, error) {
	ca, err := t.issuerOf(leaf, c.now())
	if err != nil {
		return Peer{}, err
	}
	s, err := readSubject(leaf)
	if err != nil {
		return Peer{}, err
	}
	p := Peer{
		class: ca.class, subject: s.text, thumbprint: base64.RawURLEncoding.EncodeToString(sum[:]),
		serial: string(leaf.SerialNumber.Bytes()), ca: ca, notAfter: leaf.NotAfter,
	}
	if ca.cert.NotAfter.Before(p.notAfter) {
		p.notAfter = ca.cert.NotAfter
	}
	if ca.class == PersonClass {
		p.id, p.name, err = s.person()
	} else {
		p.id, p.name, err = s.organisation()
	}
	if err != nil {
		return Peer{}, err
	}
	if p.class == OrganisationClass && (c.samu[p.thumbprint] || c.samu[p.subject]) {
		p.class = SAMUClass
	}
	return p, nil
}

// issuerOf returns the CA that issued a certificate for a client: by its signature,
// never by a name alone.
func (t *trust) issuerOf(leaf *x509.Certificate, now time.Time) (*authority, error) {
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return nil, ErrExpired
	}
	if leaf.IsCA || leaf.SerialNumber.Sign() <= 0 || leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 ||
		!slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) {
		return nil, ErrUntrusted
	}
	for _, a := range t.authorities {
		// There are no intermediates: what verifies was issued by this CA itself.
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots: a.pool, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		if err == nil && a.allows(leaf) {
			return a, nil
		}
	}
	return nil, ErrUntrusted
}

// allows tells whether a certificate holds one of the policies that its class needs.
func (a *authority) allows(leaf *x509.Certificate) bool {
	return len(a.policies) == 0 || slices.ContainsFunc(leaf.Policies, func(has x509.OID) bool {
		return slices.ContainsFunc(a.policies, has.Equal)
	})
}
