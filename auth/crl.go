package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"time"
)

// ErrCRL: a file of the CRLs cannot be used. What was read before stays in force,
// as long as it is fresh.
var ErrCRL = errors.New("auth: CRL")

// revocations is the list of one CA. It never changes.
type revocations struct {
	number       *big.Int // nil if the CA gives none
	thisUpdate   time.Time
	nextUpdate   time.Time
	certificates map[string]bool // serial numbers, big-endian
}

// Reload reads the files of the CRLs anew, if they changed. On error, which wraps
// ErrCRL, nothing changes: the lists in force serve until they are no longer fresh.
func (c *Certificates) Reload() error {
	c.reading.Lock()
	defer c.reading.Unlock()
	return c.load(c.inForce.Load())
}

// Stale returns ErrRevocationUnknown, with the CA, if the certificates of one are
// refused for want of a fresh list; it is for an alarm.
func (c *Certificates) Stale() error {
	var all []error
	t := c.inForce.Load()
	for _, a := range t.authorities {
		// No certificate has the serial number 0.
		if err := t.check(a, "", c.now().Add(-c.config.Grace)); err != nil {
			all = append(all, fmt.Errorf("%w: %s", err, a.cert.Subject))
		}
	}
	return errors.Join(all...)
}

// check refuses a revoked certificate, and any whose CA has no list that was fresh
// at an instant.
func (t *trust) check(ca *authority, serial string, at time.Time) error {
	list := t.lists[ca]
	switch {
	case list == nil || !at.Before(list.nextUpdate):
		return ErrRevocationUnknown
	case list.certificates[serial]:
		return ErrRevoked
	}
	return nil
}

// load reads the lists of the CAs of t, and puts both in force, or neither. The caller
// holds reading.
func (c *Certificates) load(t *trust) error {
	contents, sum, err := readAll(c.config.CRLs)
	if err != nil {
		return err
	}
	before := c.inForce.Load()
	if t == before && sum == t.read {
		return nil
	}
	lists := map[*authority]*revocations{}
	for i, data := range contents {
		if err := parseCRLs(data, t.authorities, lists); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCRL, c.config.CRLs[i], err)
		}
	}
	for _, ca := range t.authorities {
		if err := follows(ca, before.lists[ca], lists[ca]); err != nil {
			return fmt.Errorf("%w: %w", ErrCRL, err)
		}
	}
	c.inForce.Store(&trust{authorities: t.authorities, pool: t.pool, lists: lists, read: sum, known: t.known})
	return nil
}

// readAll returns the contents of files, and a hash of all of them.
func readAll(files []string) (contents [][]byte, sum [sha256.Size]byte, err error) {
	h := sha256.New()
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, sum, fmt.Errorf("%w: %w", ErrCRL, err)
		}
		one := sha256.Sum256(data)
		h.Write(one[:])
		contents = append(contents, data)
	}
	return contents, [sha256.Size]byte(h.Sum(nil)), nil
}

// follows refuses a CA without a list, and a list that forgets: one that is older than
// that in force, nil if there is none, could bring back what was revoked.
func follows(ca *authority, old, list *revocations) error {
	switch {
	case list == nil:
		return fmt.Errorf("none of %s", ca.cert.Subject)
	case old == nil:
		return nil
	case list.thisUpdate.Before(old.thisUpdate) || old.number != nil && (list.number == nil || list.number.Cmp(old.number) < 0):
		return fmt.Errorf("older than the one in force, of %s", ca.cert.Subject)
	}
	return nil
}

// parseCRLs reads the lists of a file, PEM (several) or DER (one), into lists.
func parseCRLs(data []byte, cas []*authority, lists map[*authority]*revocations) error {
	if !bytes.Contains(data, []byte("-----BEGIN")) {
		return parseCRL(data, cas, lists)
	}
	for found := 0; ; found++ {
		block, rest := pem.Decode(data)
		switch {
		case block == nil && found > 0 && len(bytes.TrimSpace(data)) == 0:
			return nil
		case block == nil || block.Type != "X509 CRL":
			return errors.New("not a series of PEM blocks X509 CRL")
		}
		if err := parseCRL(block.Bytes, cas, lists); err != nil {
			return err
		}
		data = rest
	}
}

func parseCRL(der []byte, cas []*authority, lists map[*authority]*revocations) error {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	ca := signerOf(crl, cas)
	switch {
	case ca == nil:
		return fmt.Errorf("not signed by one of the configured CAs: %s", crl.Issuer)
	case lists[ca] != nil:
		return fmt.Errorf("two of %s", crl.Issuer)
	case crl.NextUpdate.IsZero():
		return errors.New("without nextUpdate")
	}
	// A critical extension changes what the list means: a delta, a part of the
	// certificates, certificates of another CA.
	for _, e := range crl.Extensions {
		if e.Critical {
			return fmt.Errorf("critical extension %s", e.Id)
		}
	}
	list := &revocations{number: crl.Number, thisUpdate: crl.ThisUpdate, nextUpdate: crl.NextUpdate, certificates: map[string]bool{}}
	for _, r := range crl.RevokedCertificateEntries {
		for _, e := range r.Extensions {
			if e.Critical {
				return fmt.Errorf("critical extension %s of an entry", e.Id)
			}
		}
		list.certificates[string(r.SerialNumber.Bytes())] = true
	}
	lists[ca] = list
	return nil
}

// signerOf returns the CA that signed a list; nil if it is none of ours.
func signerOf(crl *x509.RevocationList, cas []*authority) *authority {
	i := slices.IndexFunc(cas, func(a *authority) bool {
		return bytes.Equal(crl.RawIssuer, a.cert.RawSubject) && crl.CheckSignatureFrom(a.cert) == nil
	})
	if i < 0 {
		return nil
	}
	return cas[i]
}
