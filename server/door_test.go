package server_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/dossier"
	"opendmp/policy"
	"opendmp/store/sqlite"
	"opendmp/vault"
)

// door returns a door over an empty store of its own.
func door(t testing.TB) *dossier.Service {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	keys, err := vault.OpenDir(filepath.Join(dir, "keys"), true, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	st, err := sqlite.Open(ctx, filepath.Join(dir, "store"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	log := audit.New(st, keys, time.Now, rand.Reader)
	if err := log.OpenJournal(ctx); err != nil {
		t.Fatal(err)
	}
	matrix, err := policy.LoadMatrix(policy.SandboxMatrix())
	if err != nil {
		t.Fatal(err)
	}
	engine, err := policy.New(policy.DefaultSettings(), matrix)
	if err != nil {
		t.Fatal(err)
	}
	s, err := dossier.New(dossier.Config{Store: st, Vault: keys, Audit: log, Policy: engine, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
