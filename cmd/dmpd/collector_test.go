package main

import (
	"bytes"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/store"
	"opendmp/store/sqlite"
)

// Of many servers that want to collect at once one does, another one after its
// lease, and only what is old enough and nobody adopted goes.
func TestOneCollects(t *testing.T) {
	var at atomic.Int64
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	at.Store(now.UnixNano())
	clock := func() time.Time { return time.Unix(0, at.Load()).UTC() }
	st, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	orphan := store.ContentID{1}
	if err := st.Upload(t.Context(), store.Dossier{1}, orphan, bytes.NewReader(make([]byte, store.InlineMax+1))); err != nil {
		t.Fatal(err)
	}
	c := collector{store: st, now: clock, log: slog.New(slog.DiscardHandler)}
	var mine atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if ok, err := c.lease(t.Context()); err != nil {
				t.Error(err)
			} else if ok {
				mine.Add(1)
			}
		})
	}
	all.Wait()
	if mine.Load() != 1 {
		t.Errorf("%d servers have the lease", mine.Load())
	}
	if n, err := c.collect(t.Context()); n != 0 || err != nil {
		t.Errorf("under another's lease: %d, %v", n, err)
	}
	at.Store(now.Add(collectLease + time.Second).UnixNano())
	if n, err := c.collect(t.Context()); n != 0 || err != nil {
		t.Errorf("a young upload: %d, %v", n, err)
	}
	at.Store(now.Add(2 * time.Hour).UnixNano())
	if n, err := c.collect(t.Context()); n == 0 || err != nil {
		t.Errorf("an old orphan stays: %d, %v", n, err)
	}
}
