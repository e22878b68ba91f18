package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const pemPrivateKey = "PRIVATE KEY"

// LoadOrCreateKey reads the P-256 signing key of a PEM file (PKCS #8), or makes
// one and writes it there, mode 0600, if there is no such file. A file that
// others may read is refused: its key is no secret any more.
func LoadOrCreateKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := LoadKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createKey(path)
	}
	return key, err
}

// LoadKey reads the P-256 signing key of a PEM file (PKCS #8). Its error wraps
// fs.ErrNotExist if there is no such file.
func LoadKey(path string) (*ecdsa.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("auth: signing key %s: mode %04o lets others read it, want 0600", path, info.Mode().Perm())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != pemPrivateKey || len(rest) > 0 {
		return nil, fmt.Errorf("auth: signing key %s: not one PEM block %q", path, pemPrivateKey)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("auth: signing key %s: %w", path, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("auth: signing key %s: not on P-256", path)
	}
	return key, nil
}

// createKey writes to a new file only, so that two processes that start together
// cannot overwrite each other's key.
func createKey(path string) (key *ecdsa.PrivateKey, err error) {
	key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	err = errors.Join(
		pem.Encode(f, &pem.Block{Type: pemPrivateKey, Bytes: der}),
		f.Sync(),
		f.Close(),
	)
	if err != nil {
		return nil, fmt.Errorf("auth: signing key %s: %w", path, err)
	}
	return key, nil
}
