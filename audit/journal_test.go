package audit_test

import (
	"crypto/rand"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/store"
	"opendmp/store/sqlite"
	"opendmp/vault"
)

// TestJournalRace: of several processes that start at once, all have one journal.
func TestJournalRace(t *testing.T) {
	dir := t.TempDir()
	w := &world{dir: dir}
	var err error
	if w.vault, err = vault.OpenDir(filepath.Join(dir, "keys"), true, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if w.store, err = sqlite.Open(t.Context(), filepath.Join(dir, "data"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	defer w.store.Close()
	logs := make([]*audit.Log, 12)
	var wg sync.WaitGroup
	for i := range logs {
		logs[i] = w.newLog()
		wg.Go(func() {
			if err := logs[i].OpenJournal(t.Context()); err != nil {
				t.Error(err)
				return
			}
			if _, err := logs[i].Record(t.Context(), logs[i].Journal(), audit.Event{Interaction: audit.Login}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, l := range logs {
		events, err := l.Read(t.Context(), l.Journal(), store.Cursor{}, 100)
		if err != nil || len(events) != len(logs)+1 {
			t.Errorf("the journal has %d events, %v", len(events), err)
		}
	}
	// At the next start it is the same one.
	again := w.newLog()
	if err := again.OpenJournal(t.Context()); err != nil || again.Journal().Dossier != logs[0].Journal().Dossier {
		t.Errorf("again: %v", err)
	}
}

// TestJournalWithoutItsKeys: losing them is said, and no second journal is made.
func TestJournalWithoutItsKeys(t *testing.T) {
	w := newWorld(t)
	d := w.Journal().Dossier
	other, err := sqlite.Open(t.Context(), filepath.Join(w.dir, "other"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Commit(t.Context(), store.Tx{Dossier: d, Header: store.Header{State: store.Active, Key: 1}}); err != nil {
		t.Fatal(err)
	}
	l := audit.New(other, w.vault, time.Now, rand.Reader)
	if err := l.OpenJournal(t.Context()); err == nil || l.Journal().Ring != nil {
		t.Errorf("OpenJournal = %v", err)
	}
}
