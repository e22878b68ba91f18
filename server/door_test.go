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

// A creation that only a transaction makes is told what is wrong with its body
// first, and then that it has no place here.
func TestMisplacedCreation(t *testing.T) {
	w := start(t, nil)
	for body, want := range map[string]int{
		`{"resourceType":"Patient","gender":"notagender"}`: 400,
		`{"resourceType":"Patient","foo":"bar"}`:           400,
		`{"resourceType":"Patient"`:                        400,
		`{"resourceType":"Patient","active":true}`:         405,
	} {
		if res, _ := w.ask("POST", "/fhir/Patient", body); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", body, res.StatusCode, want)
		}
	}
	if res := w.askChunked("POST", "/fhir/Patient", "text/plain", "hello"); res.StatusCode != 415 {
		t.Errorf("plain text: %d, want 415", res.StatusCode)
	}
}
