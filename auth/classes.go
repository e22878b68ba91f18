package auth

import (
	"encoding/asn1"
	"fmt"
	"strings"
	"unicode"

	"crypto/x509"
	"crypto/x509/pkix"

	"opendmp/fhir"
)

// Class is the class of a client certificate of the IGC-Santé.
type Class uint8

// Classes of certificates. NoClass is the zero value.
const (
	NoClass Class = iota
	// PersonClass is that of a card: CPS, or the like.
	PersonClass
	// OrganisationClass is that of a structure and its systems (ORG AUTH_CLI).
	OrganisationClass
	// SAMUClass is that of a structure whose certificate is registered for the
	// regulation of emergencies.
	SAMUClass
)

// String returns the name of the class as settings and logs write it.
func (c Class) String() string {
	switch c {
	case PersonClass:
		return "personne"
	case OrganisationClass:
		return "organisation"
	case SAMUClass:
		return "samu"
	}
	return "aucune"
}

// Attributes of a subject (X.520).
const (
	attrCommonName   = "2.5.4.3"
	attrSurname      = "2.5.4.4"
	attrCountry      = "2.5.4.6"
	attrOrganisation = "2.5.4.10"
	attrUnit         = "2.5.4.11"
	attrGivenName    = "2.5.4.42"
)

const country = "FR"

// subject is the subject of a certificate, each attribute once.
type subject struct {
	text   string // RFC 4514, in the form of CanonicalSubject
	values map[string]string
	rdn    map[string]int // in which RDN an attribute stands
}

// readSubject reads a subject. It refuses what two readers could take for two
// subjects: an attribute that is there twice (crypto/x509 takes the last, others the
// first), a value that is no text, characters that do not show, spaces at an end.
// The error wraps ErrSubject.
func readSubject(cert *x509.Certificate) (subject, error) {
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(cert.RawSubject, &rdns); err != nil || len(rest) > 0 {
		return subject{}, fmt.Errorf("%w: not a name", ErrSubject)
	}
	s := subject{values: map[string]string{}, rdn: map[string]int{}}
	for i, rdn := range rdns {
		for _, a := range rdn {
			oid := a.Type.String()
			value, text := a.Value.(string)
			switch _, twice := s.values[oid]; {
			case twice:
				return subject{}, fmt.Errorf("%w: attribute %s twice", ErrSubject, oid)
			case !text || !shown(value):
				return subject{}, fmt.Errorf("%w: attribute %s is empty, or has characters that do not show", ErrSubject, oid)
			}
			s.values[oid], s.rdn[oid] = value, i
		}
	}
	if s.values[attrCountry] != country {
		return subject{}, fmt.Errorf("%w: not of %s", ErrSubject, country)
	}
	s.text = nameOf(rdns).String()
	return s, nil
}

// shown accepts 1 to 255 characters that print, without space at either end.
func shown(s string) bool {
	return s != "" && strings.TrimSpace(s) == s && line(s, maxName) &&
		strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

func (s subject) has(oids ...string) bool {
	for _, oid := range oids {
		if _, ok := s.values[oid]; !ok {
			return false
		}
	}
	return true
}

// person reads the subject of a card: the national identifier as CN, with the
// names in the same RDN, and no OU (SECURITY §1.3).
func (s subject) person() (id fhir.Ident, name string, err error) {
	rdn, ok := s.rdn[attrCommonName]
	switch {
	case !ok || !s.has(attrSurname, attrGivenName):
		return id, "", fmt.Errorf("%w: a person has CN, SURNAME and GIVENNAME", ErrSubject)
	case s.rdn[attrSurname] != rdn || s.rdn[attrGivenName] != rdn:
		return id, "", fmt.Errorf("%w: CN, SURNAME and GIVENNAME of a person stand together", ErrSubject)
	case s.has(attrUnit):
		return id, "", fmt.Errorf("%w: a person has no OU", ErrSubject)
	}
	id, ok = provider(FormatIdent(fhir.Ident{System: fhir.SystemIDNPS, Value: s.values[attrCommonName]}), false, false)
	if !ok {
		return id, "", fmt.Errorf("%w: CN is not a national identifier of a professional", ErrSubject)
	}
	return id, s.values[attrGivenName] + " " + s.values[attrSurname], nil
}

// organisation reads the subject of a structure: its Struct_IdNat as OU
// (SECURITY §1.3).
func (s subject) organisation() (id fhir.Ident, name string, err error) {
	switch {
	case !s.has(attrCommonName, attrOrganisation, attrUnit):
		return id, "", fmt.Errorf("%w: an organisation has CN, O and OU", ErrSubject)
	case s.has(attrSurname) || s.has(attrGivenName):
		return id, "", fmt.Errorf("%w: an organisation has no SURNAME and no GIVENNAME", ErrSubject)
	}
	id, err = ParseStructure(fhir.Ident{System: fhir.SystemStructure, Value: s.values[attrUnit]})
	if err != nil {
		return id, "", fmt.Errorf("%w: OU is not a Struct_IdNat", ErrSubject)
	}
	return id, s.values[attrOrganisation], nil
}
