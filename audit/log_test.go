package audit_test

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/store"
	"opendmp/store/sqlite"
	"opendmp/vault"
)

var start = time.Date(2026, 3, 2, 10, 0, 0, 123456789, time.UTC)

// world is a log over the embedded engine, with an open journal.
type world struct {
	*audit.Log
	store store.Store
	vault *vault.Vault
	dir   string
	now   time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), now: start}
	var err error
	if w.vault, err = vault.OpenDir(filepath.Join(w.dir, "keys"), true, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if w.store, err = sqlite.Open(t.Context(), filepath.Join(w.dir, "data"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	w.Log = audit.New(w.store, w.vault, func() time.Time { return w.now }, rand.Reader)
	if err := w.OpenJournal(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// dossier opens a dossier with one event in its history.
func (w *world) dossier(t testing.TB, d store.Dossier) audit.Target {
	t.Helper()
	target, tx := w.opening(t, d)
	if _, err := w.Commit(t.Context(), tx, target, audit.Event{Interaction: audit.Create, Allowed: true}); err != nil {
		t.Fatal(err)
	}
	return target
}

func (w *world) opening(t testing.TB, d store.Dossier) (audit.Target, store.Tx) {
	t.Helper()
	keys, ring, err := w.vault.NewDossier(d)
	if err != nil {
		t.Fatal(err)
	}
	tx := store.Tx{Dossier: d, Header: store.Header{State: store.Active, Key: 1}}
	for _, k := range keys {
		tx.Keys = append(tx.Keys, store.KeyRecord{Dossier: d, Kind: k.Kind, Number: k.Number, Epoch: k.Epoch, Wrapped: k.Bytes})
	}
	return audit.Target{Dossier: d, Ring: ring}, tx
}

func TestCommitWithoutEventIsRefused(t *testing.T) {
	w := newWorld(t)
	d := store.Dossier{1}
	target, tx := w.opening(t, d)
	r, err := w.Commit(t.Context(), tx, target)
	if !errors.Is(err, audit.ErrNoEvent) || r.Valid() {
		t.Fatalf("Commit = %v, %v", r.Valid(), err)
	}
	w.dossier(t, store.Dossier{2})
	if _, err := w.store.Header(context.Background(), d); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the dossier was made: %v", err)
	}
}
