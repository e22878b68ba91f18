//go:build unix

package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrKeyFile: a key file is missing, garbled, or open to others. The message
// says which and what to do.
var ErrKeyFile = errors.New("vault: key file")

// Files of a key directory. Whoever holds a copy of both can open everything.
const (
	rootFile    = "root.key"
	keyringFile = "keyring"
)

const rootMagic = "opendmp-root-1 "

// OpenDir opens the key directory dir, with the root key in a file. With create
// it makes the directory and the keys if there are none, once even when several
// processes try together. It refuses with ErrKeyFile a file that group or
// others may touch, one that is garbled, and one without the other: making a
// new key beside an old one would hide a loss. rand must be safe for concurrent
// use.
func OpenDir(dir string, create bool, rand io.Reader) (*Vault, error) {
	if create {
		if err := createKeys(dir, rand); err != nil {
			return nil, err
		}
	}
	root, err := readRoot(filepath.Join(dir, rootFile))
	if err != nil {
		return nil, err
	}
	root.rand = rand
	data, err := readPrivate(filepath.Join(dir, keyringFile))
	if err != nil {
		return nil, err
	}
	ring, err := ParseKeyring(data)
	if err != nil {
		return nil, err
	}
	return New(root, ring, rand)
}

// createKeys makes both files if neither is there. The root key is written
// last: a crash between the two leaves a keyring that nothing was sealed under.
func createKeys(dir string, rand io.Reader) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	rootThere, err := exists(filepath.Join(dir, rootFile))
	if err != nil {
		return err
	}
	ringThere, err := exists(filepath.Join(dir, keyringFile))
	if err != nil {
		return err
	}
	switch {
	case rootThere && ringThere:
		return nil
	case rootThere:
		return fmt.Errorf("%w: %s holds %s without %s; restore it from the key backup", ErrKeyFile, dir, rootFile, keyringFile)
	case ringThere:
		return fmt.Errorf("%w: %s holds %s without %s; restore it, or remove the keyring if this server never started", ErrKeyFile, dir, keyringFile, rootFile)
	}
	key, err := newKey(rand)
	if err != nil {
		return err
	}
	defer clear(key)
	root := &fileRoot{key: key, rand: rand}
	ring, err := NewKeyring(root, rand)
	if err != nil {
		return err
	}
	if err := writePrivate(dir, keyringFile, ring.Append(nil)); err != nil {
		return err
	}
	return writePrivate(dir, rootFile, root.encode())
}

// fileRoot is the root key read from a file.
type fileRoot struct {
	key  []byte
	rand io.Reader
}

func (r *fileRoot) Wrap(epoch int32, key []byte) ([]byte, error) {
	return wrapKey(subAEAD(r.key, nil, "epochs"), key, epochAD(epoch), r.rand)
}

func (r *fileRoot) Unwrap(epoch int32, wrapped []byte) ([]byte, error) {
	return unwrapKey(subAEAD(r.key, nil, "epochs"), wrapped, epochAD(epoch))
}

func (r *fileRoot) Derive(label string) ([]byte, error) {
	return subkey(r.key, nil, "derived "+label), nil
}

func epochAD(epoch int32) []byte { return appendNumber([]byte("epoch key"), epoch) }

// encode is the magic, then the key and four bytes of its SHA-256 in base64.
func (r *fileRoot) encode() []byte {
	sum := sha256.Sum256(r.key)
	return []byte(rootMagic + base64.StdEncoding.EncodeToString(append(bytes.Clone(r.key), sum[:4]...)) + "\n")
}

func readRoot(path string) (*fileRoot, error) {
	data, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	garbled := fmt.Errorf("%w: %s is garbled; restore it from the key backup", ErrKeyFile, path)
	text, ok := strings.CutPrefix(strings.TrimSuffix(string(data), "\n"), rootMagic)
	if !ok || strings.ContainsAny(text, "\r\n") {
		return nil, garbled
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != keySize+4 {
		return nil, garbled
	}
	sum := sha256.Sum256(raw[:keySize])
	if !bytes.Equal(raw[keySize:], sum[:4]) {
		return nil, garbled
	}
	return &fileRoot{key: raw[:keySize]}, nil
}

// keyFileMax bounds what is read: a keyring line is under a hundred bytes.
const keyFileMax = 1 << 20

// readPrivate reads a regular file that only its owner may touch.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is missing", ErrKeyFile, path)
	} else if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrKeyFile, path)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %04o, open to others; chmod 600 it, and change the keys if it was read", ErrKeyFile, path, perm)
	}
	data, err := io.ReadAll(io.LimitReader(f, keyFileMax))
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return data, nil
}

// writePrivate writes a file whole and durably, or not at all.
func writePrivate(dir, name string, data []byte) error {
	f, err := os.CreateTemp(dir, "."+name+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("vault: %w", err)
	}
	return true, nil
}

// lock takes the lock of the directory until the returned function is called or
// the process ends.
func lock(dir string) (func(), error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	for {
		err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("vault: locking %s: %w", dir, err)
	}
	return func() { d.Close() }, nil
}
