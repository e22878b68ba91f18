package vault_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"opendmp/vault"
)

const rootKey, keyring = "root.key", "keyring"

func openDir(t testing.TB, dir string, create bool) *vault.Vault {
	t.Helper()
	v, err := vault.OpenDir(dir, create, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOpenDirAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "keys")
	v := openDir(t, dir, true)
	keys, ring := newDossier(t, v, dossier)
	content := ring.Seal(place, []byte("body"))
	cursor := v.SealCursor([]byte("page 2"))
	for _, create := range []bool{false, true} {
		again := openDir(t, dir, create)
		ring, err := again.Ring(dossier, keys)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ring.Open(place, content); err != nil || string(got) != "body" {
			t.Errorf("Open = %q, %v", got, err)
		}
		if got, err := again.OpenCursor(cursor); err != nil || string(got) != "page 2" {
			t.Errorf("OpenCursor = %q, %v", got, err)
		}
		if again.Claim("ins", "x") != v.Claim("ins", "x") || again.Find("ins", "x") != v.Find("ins", "x") {
			t.Error("tokens changed")
		}
	}
}

func TestKeyFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	openDir(t, dir, true)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("the key directory holds %v, %v", entries, err)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %o", info.Mode().Perm())
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, _ := e.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", e.Name(), info.Mode().Perm())
		}
		for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644} {
			chmod(t, path, mode)
			if _, err := vault.OpenDir(dir, true, rand.Reader); !errors.Is(err, vault.ErrKeyFile) {
				t.Errorf("%s with mode %o: %v", e.Name(), mode, err)
			}
		}
		chmod(t, path, 0o400)
		openDir(t, dir, false)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestOpenDirRefuses(t *testing.T) {
	write := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	edit := func(name string, f func(string) string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			old, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			write(name, f(string(old)))(t, dir)
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := map[string]func(*testing.T, string){
		"no root key":            remove(rootKey),
		"no keyring":             remove(keyring),
		"empty root key":         write(rootKey, ""),
		"root key of text":       write(rootKey, "correct horse battery staple\n"),
		"root key cut":           edit(rootKey, func(s string) string { return s[:len(s)-10] }),
		"root key changed":       edit(rootKey, func(s string) string { return swapCase(s, len(s)-20) }),
		"root key twice":         edit(rootKey, func(s string) string { return s + s }),
		"root key and more":      edit(rootKey, func(s string) string { return s + "\n" }),
		"root key with spaces":   edit(rootKey, func(s string) string { return s[:30] + "\r\n" + s[30:] }),
		"empty keyring":          write(keyring, ""),
		"keyring without epochs": write(keyring, "opendmp-keyring 1\nindex 1\n"),
		"keyring of tomorrow":    edit(keyring, func(s string) string { return strings.Replace(s, "keyring 1", "keyring 2", 1) }),
		"keyring cut":            edit(keyring, func(s string) string { return s[:len(s)-1] }),
		"keyring without index":  edit(keyring, func(s string) string { return strings.Replace(s, "index 1\n", "", 1) }),
		"index zero":             edit(keyring, func(s string) string { return strings.Replace(s, "index 1", "index 0", 1) }),
		"index too large":        edit(keyring, func(s string) string { return strings.Replace(s, "index 1", "index 4294967296", 1) }),
		"epoch twice":            edit(keyring, func(s string) string { return s + s[strings.Index(s, "epoch"):] }),
		"another epoch":          edit(keyring, func(s string) string { return strings.Replace(s, "epoch 1", "epoch 2", 1) }),
		"epoch 01":               edit(keyring, func(s string) string { return strings.Replace(s, "epoch 1", "epoch 01", 1) }),
		"epoch changed":          edit(keyring, func(s string) string { return swapCase(s, len(s)-20) }),
		"root key a directory": func(t *testing.T, dir string) {
			remove(rootKey)(t, dir)
			if err := os.Mkdir(filepath.Join(dir, rootKey), 0o700); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			openDir(t, dir, true)
			damage(t, dir)
			for _, create := range []bool{false, true} {
				v, err := vault.OpenDir(dir, create, rand.Reader)
				want := vault.ErrKeyFile
				if name == "another epoch" || name == "epoch changed" {
					want = vault.ErrOpen // well formed, and not what the root key wrapped
				}
				if v != nil || !errors.Is(err, want) {
					t.Errorf("create %v: %v, %v", create, v, err)
				}
			}
		})
	}
}

// swapCase changes the case of the first letter at or after i.
func swapCase(s string, i int) string {
	b := []byte(s)
	for ; ; i++ {
		if c := b[i] | 0x20; c >= 'a' && c <= 'z' {
			b[i] ^= 0x20
			return string(b)
		}
	}
}

func TestOpenDirWithoutCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if v, err := vault.OpenDir(dir, false, rand.Reader); !errors.Is(err, vault.ErrKeyFile) || v != nil {
		t.Errorf("OpenDir = %v, %v", v, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("it made the directory")
	}
}

// TestWrongRoot: a keyring under another root key opens nothing.
func TestWrongRoot(t *testing.T) {
	mine, theirs := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	v, w := openDir(t, mine, true), openDir(t, theirs, true)
	keys, _ := newDossier(t, v, dossier)
	if _, err := w.Ring(dossier, keys); !errors.Is(err, vault.ErrOpen) {
		t.Errorf("another vault opened the keys: %v", err)
	}
	if v.Claim("a") == w.Claim("a") || v.Find("a") == w.Find("a") {
		t.Error("two vaults have the same tokens")
	}
	if _, err := w.OpenCursor(v.SealCursor([]byte("x"))); !errors.Is(err, vault.ErrOpen) {
		t.Errorf("another vault opened the cursor: %v", err)
	}
	if err := os.Rename(filepath.Join(theirs, rootKey), filepath.Join(mine, rootKey)); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.OpenDir(mine, false, rand.Reader); !errors.Is(err, vault.ErrOpen) {
		t.Errorf("the wrong root key opened the keyring: %v", err)
	}
}

// TestCreateRace: of several that start at once, all have the same keys.
func TestCreateRace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	vaults := make([]*vault.Vault, 8)
	var wg sync.WaitGroup
	for i := range vaults {
		wg.Go(func() {
			v, err := vault.OpenDir(dir, true, rand.Reader)
			if err != nil {
				t.Error(err)
			}
			vaults[i] = v
		})
	}
	wg.Wait()
	keys, _ := newDossier(t, vaults[0], dossier)
	for _, v := range vaults {
		if _, err := v.Ring(dossier, keys); err != nil {
			t.Error(err)
		}
	}
}
