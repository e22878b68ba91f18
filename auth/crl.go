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
	"sync"
	"sync/atomic"
	"time"
)

// ErrCRL: a file of the CRLs cannot be used. What was read before stays in force,
// as long as it is fresh.
var ErrCRL = errors.New("auth: CRL")

// crls are the lists of revoked certificates of each CA, from files that are read
// anew while they are in use. Delta lists are not read.
type crls struct {
	files []string

	mu   sync.Mutex // of load
	read [sha256.Size]byte
	now  atomic.Pointer[map[*authority]*revocations]
}

// revocations is the list of one CA. It never changes.
type revocations struct {
	number       *big.Int // nil if the CA gives none
	thisUpdate   time.Time
	nextUpdate   time.Time
	certificates map[string]bool // serial numbers, big-endian
}

// Reload reads the files of the CRLs anew, if they changed. On error, which wraps
// ErrCRL, nothing changes: the lists in force serve until they are no longer fresh.
func (c *Certificates) Reload() error { return c.crls.load(c.authorities) }

// Stale returns ErrRevocationUnknown, with the CA, if the certificates of one are
// refused for want of a fresh list; it is for an alarm.
func (c *Certificates) Stale() error {
	var all []error
	for _, a := range c.authorities {
		// No certificate has the serial number 0.
		if err := c.crls.check(a, "", c.now().Add(-c.grace)); err != nil {
			all = append(all, fmt.Errorf("%w: %s", err, a.cert.Subject))
		}
	}
	return errors.Join(all...)
}

// check refuses a revoked certificate, and any whose CA has no list that was fresh
// at an instant.
func (l *crls) check(ca *authority, serial string, at time.Time) error {
	lists := l.now.Load()
	if lists == nil {
		return ErrRevocationUnknown
	}
	list := (*lists)[ca]
	switch {
	case list == nil || !at.Before(list.nextUpdate):
		return ErrRevocationUnknown
	case list.certificates[serial]:
		return ErrRevoked
	}
	return nil
}

// complete refuses a CA without a list.
func (l *crls) complete(cas []*authority) error {
	lists := *l.now.Load()
	for _, ca := range cas {
		if lists[ca] == nil {
			return fmt.Errorf("%w: none of %s", ErrCRL, ca.cert.Subject)
		}
	}
	return nil
}

// load reads all files and puts them in force together, or none.
func (l *crls) load(cas []*authority) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	contents, sum, err := readAll(l.files)
	if err != nil {
		return err
	}
	before := l.now.Load()
	if before != nil && sum == l.read {
		return nil
	}
	lists := map[*authority]*revocations{}
	for i, data := range contents {
		if err := parseCRLs(data, cas, lists); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCRL, l.files[i], err)
		}
	}
	if before != nil {
		if err := newer(*before, lists); err != nil {
			return fmt.Errorf("%w: %w", ErrCRL, err)
		}
	}
	l.read = sum
	l.now.Store(&lists)
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

// newer refuses lists that forget: one that is gone, or that is older than the one
// in force, could bring back what was revoked.
func newer(before, after map[*authority]*revocations) error {
	for ca, old := range before {
		list := after[ca]
		switch {
		case list == nil:
			return fmt.Errorf("none of %s any more", ca.cert.Subject)
		case list.thisUpdate.Before(old.thisUpdate) || old.number != nil && (list.number == nil || list.number.Cmp(old.number) < 0):
			return fmt.Errorf("older than the one in force, of %s", ca.cert.Subject)
		}
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
