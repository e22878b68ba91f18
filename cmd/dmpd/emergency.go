package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"opendmp/auth"
	"opendmp/issuer"
)

// checkSAMU refuses entries of the setting samu that no certificate can ever have: a
// regulation of emergencies would be turned away, and nobody told why.
func (s tlsSettings) checkSAMU() error {
	for _, written := range s.SAMU {
		for entry := range strings.SplitSeq(written, ";") {
			if entry = strings.TrimSpace(entry); !isThumbprint(entry) && !isSubject(entry) {
				return fmt.Errorf("samu: %q is neither the x5t#S256 of a certificate (43 characters) nor its whole subject: write it as openssl x509 -nameopt rfc2253 prints it, CN=…,O=…,C=FR", entry)
			}
		}
	}
	return nil
}

// isThumbprint tells whether a text is an x5t#S256: 32 bytes, base64url (RFC 8705 §3.1).
func isThumbprint(s string) bool {
	hash, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(hash) == 32
}

// isSubject tells whether a text is a whole subject as RFC 4514 writes it.
func isSubject(s string) bool {
	_, err := auth.CanonicalSubject(s)
	return err == nil
}

// canonical returns certificates as they are compared: subjects have several spellings.
func canonical(certificates []string) []string {
	all := slices.Clone(certificates)
	for i, c := range all {
		if whole, err := auth.CanonicalSubject(c); err == nil {
			all[i] = whole
		}
	}
	return all
}

// regulators refuses clients that contradict the setting samu: one of kind samu whose
// certificate is not in it, which could never do what it is for, and software with a
// certificate that is. Where one side has a thumbprint and the other a subject, nobody
// can tell.
func regulators(samu []string, clients []issuer.Client) error {
	samu = canonical(listed(samu))
	thumbprints := slices.ContainsFunc(samu, isThumbprint)
	subjects := slices.ContainsFunc(samu, func(s string) bool { return !isThumbprint(s) })
	for _, c := range clients {
		if c.Status != issuer.Active {
			continue
		}
		both := slices.ContainsFunc(canonical(slices.Concat(c.Subjects, c.Thumbprints)), func(s string) bool { return slices.Contains(samu, s) })
		unknown := thumbprints && len(c.Subjects) > 0 || subjects && len(c.Thumbprints) > 0
		switch {
		case c.Kind == issuer.SAMU && !both && !unknown:
			return fmt.Errorf("the client %s is of kind %s, and none of its certificates is in the setting samu: put it there, or register the client as %s", c.ID, issuer.SAMU, issuer.Software)
		case c.Kind == issuer.Software && both:
			return fmt.Errorf("the client %s is of kind %s, and has a certificate of the setting samu: register it as %s, or take the certificate out of samu", c.ID, issuer.Software, issuer.SAMU)
		}
	}
	return nil
}
