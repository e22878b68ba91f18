package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// ErrNoCertificate: nobody of the cast has a certificate under that name.
var ErrNoCertificate = errors.New("sandbox: no certificate for")

// Life of what the test PKI issues.
const (
	lifeOfCA   = 2 * 365 * 24 * time.Hour
	lifeOfCert = 365 * 24 * time.Hour
	lifeOfCRL  = 30 * 24 * time.Hour
)

// Authority is a CA of the test PKI, with the names of the IGC-Santé and the O that no
// real service accepts (auth.TestOrganisation).
type Authority struct {
	Cert *x509.Certificate
	Key  crypto.Signer
	Rand io.Reader
}

// NewAuthority makes a CA of a name, "personnes" say, valid from an hour before now.
func NewAuthority(name string, now time.Time, rand io.Reader) (Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return Authority{}, err
	}
	template := x509.Certificate{
		Subject: pkix.Name{
			Country: []string{"FR"}, Organization: []string{auth.TestOrganisation}, CommonName: "TEST AC " + name,
		},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifeOfCA),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	a := Authority{Key: key, Rand: rand}
	a.Cert, err = a.sign(&template, &template, key.Public())
	return a, err
}

// Holder is who a certificate is for: the attributes of the subject, in RDNs.
type Holder struct {
	rdns   pkix.RDNSequence
	server []string // names of a server
}

// Attributes of a subject (X.520).
var (
	oidCN      = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSurname = asn1.ObjectIdentifier{2, 5, 4, 4}
	oidC       = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidST      = asn1.ObjectIdentifier{2, 5, 4, 8}
	oidO       = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidOU      = asn1.ObjectIdentifier{2, 5, 4, 11}
	oidTitle   = asn1.ObjectIdentifier{2, 5, 4, 12}
	oidGiven   = asn1.ObjectIdentifier{2, 5, 4, 42}
)

// rdn returns attributes that stand together: pairs of an oid and a value.
func rdn(pairs ...any) pkix.RelativeDistinguishedNameSET {
	var set pkix.RelativeDistinguishedNameSET
	for i := 0; i < len(pairs); i += 2 {
		set = append(set, pkix.AttributeTypeAndValue{Type: pairs[i].(asn1.ObjectIdentifier), Value: pairs[i+1]})
	}
	return set
}

// CardHolder returns a professional of the cast as their card names them (CPS).
func CardHolder(p Persona) (Holder, error) {
	if p.Kind != auth.Professional && p.Kind != auth.Regulator || p.ID.System != fhir.SystemIDNPS {
		return Holder{}, fmt.Errorf("%w %s: no card", ErrNoCertificate, p.Key)
	}
	return Holder{rdns: pkix.RDNSequence{
		rdn(oidC, "FR"), rdn(oidTitle, ProfessionFR(p.Profession.Code)),
		rdn(oidCN, p.ID.Value, oidSurname, p.Family, oidGiven, p.Given),
	}}, nil
}

// ProfessionFR returns the profession of a code of TRE_G15 as a card spells it.
func ProfessionFR(code string) string {
	switch code {
	case "10":
		return "Médecin"
	case "21":
		return "Pharmacien"
	case "28":
		return "Opticien-Lunetier"
	case "40":
		return "Chirurgien-Dentiste"
	case "50":
		return "Sage-Femme"
	case "60":
		return "Infirmier"
	case "95":
		return "Diététicien"
	}
	return "Professionnel de santé"
}

// OrganisationHolder returns a structure of the cast, by its key, as its systems are
// named (ORG AUTH_CLI).
func OrganisationHolder(key string) (Holder, error) {
	s := structureOf(key)
	if s.key == "" {
		return Holder{}, fmt.Errorf("%w %s: no structure", ErrNoCertificate, key)
	}
	return Holder{rdns: pkix.RDNSequence{
		rdn(oidC, "FR"), rdn(oidST, "Paris (75)"), rdn(oidO, s.name), rdn(oidOU, s.number), rdn(oidCN, "dmp."+key+".test"),
	}}, nil
}

// ServerHolder returns a server of some names or addresses.
func ServerHolder(names ...string) Holder {
	return Holder{server: names, rdns: pkix.RDNSequence{rdn(oidC, "FR"), rdn(oidO, auth.TestOrganisation), rdn(oidCN, names[0])}}
}

// Issue signs a certificate for a public key, valid for a year from an hour before
// now.
func (a Authority) Issue(h Holder, key crypto.PublicKey, now time.Time) (*x509.Certificate, error) {
	return a.IssueUntil(h, key, now.Add(-time.Hour), now.Add(lifeOfCert))
}

// IssueUntil is Issue with a validity.
func (a Authority) IssueUntil(h Holder, key crypto.PublicKey, from, until time.Time) (*x509.Certificate, error) {
	subject, err := asn1.Marshal(h.rdns)
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{
		RawSubject: subject, NotBefore: from, NotAfter: until, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(h.server) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	for _, name := range h.server {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	return a.sign(&template, a.Cert, key)
}

// sign signs under a random serial number of 127 bits, so that no number says how
// many there are.
func (a Authority) sign(template, issuer *x509.Certificate, key crypto.PublicKey) (*x509.Certificate, error) {
	serial := make([]byte, 16)
	if _, err := io.ReadFull(a.Rand, serial); err != nil {
		return nil, err
	}
	serial[0] = serial[0]&0x7f | 0x40
	template.SerialNumber = new(big.Int).SetBytes(serial)
	der, err := x509.CreateCertificate(a.Rand, template, issuer, key, a.Key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// CRL signs the list that follows before, with further certificates revoked at now;
// before is nil for the first. It is due for a next one after 30 days.
func (a Authority) CRL(before *x509.RevocationList, now time.Time, revoked ...*x509.Certificate) ([]byte, error) {
	list := x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(lifeOfCRL)}
	if before != nil {
		list.Number.Add(before.Number, big.NewInt(1))
		for _, e := range before.RevokedCertificateEntries {
			list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: e.SerialNumber, RevocationTime: e.RevocationTime,
			})
		}
	}
	for _, c := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: now})
	}
	return x509.CreateRevocationList(a.Rand, &list, a.Cert, a.Key)
}
