package server

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrKeyPair: the certificate of the server or its key cannot be used.
var ErrKeyPair = errors.New("server: certificate of the server")

// KeyPair is the certificate of the server and its key, from PEM files that are read
// anew while they are in use. It is safe for concurrent use.
type KeyPair struct {
	certFile, keyFile string
	now               func() time.Time

	mu   sync.Mutex // of Reload
	read [2][sha256.Size]byte
	pair atomic.Pointer[tls.Certificate]
}

// LoadKeyPair reads a certificate, with those up to its CA behind it, and its key.
// The error wraps ErrKeyPair: files that are not there or do not go together, a key
// that anyone may read, a certificate that is not valid now.
func LoadKeyPair(certFile, keyFile string, now func() time.Time) (*KeyPair, error) {
	k := &KeyPair{certFile: certFile, keyFile: keyFile, now: now}
	return k, k.Reload()
}

// Reload reads the files anew, if they changed: new connections get the new
// certificate, and open ones live on. On error, which wraps ErrKeyPair, the
// certificate in use stays.
func (k *KeyPair) Reload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	cert, err := os.ReadFile(k.certFile)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeyPair, err)
	}
	key, err := secret(k.keyFile)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeyPair, err)
	}
	sums := [2][sha256.Size]byte{sha256.Sum256(cert), sha256.Sum256(key)}
	if sums == k.read {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKeyPair, k.certFile, err)
	}
	if now := k.now(); now.Before(pair.Leaf.NotBefore) || now.After(pair.Leaf.NotAfter) {
		return fmt.Errorf("%w: %s is valid from %s to %s", ErrKeyPair, k.certFile,
			pair.Leaf.NotBefore.Format(time.RFC3339), pair.Leaf.NotAfter.Format(time.RFC3339))
	}
	k.read = sums
	k.pair.Store(&pair)
	return nil
}

// secret reads a file that not everybody may read.
func secret(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("%s: mode %04o lets everybody at the key", name, info.Mode().Perm())
	}
	return os.ReadFile(name)
}

// Leaf returns the certificate in use.
func (k *KeyPair) Leaf() *x509.Certificate { return k.pair.Load().Leaf }

func (k *KeyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.pair.Load(), nil }
