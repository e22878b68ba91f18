package main

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"opendmp/store"
)

// Of many servers that want to collect one does, the same one the next time and
// another one after its lease, and only what is old enough and nobody adopted goes.
func TestOneCollects(t *testing.T) {
	c := stoppedClock()
	both := sharedStores(t, 2, c)
	orphan := store.ContentID{1}
	if err := both[0].Upload(t.Context(), store.Dossier{1}, orphan, bytes.NewReader(make([]byte, store.InlineMax+1))); err != nil {
		t.Fatal(err)
	}
	first := newCollector(both[0], c.Now, slog.New(slog.DiscardHandler))
	second := newCollector(both[1], c.Now, slog.New(slog.DiscardHandler))
	for _, step := range []struct {
		name   string
		after  time.Duration
		who    collector
		leased string // who has the lease then
		found  bool
	}{
		{"a young upload", 0, first, first.leases.owner, false},
		{"under another's lease", collectEvery, second, first.leases.owner, false},
		{"the next time", 0, first, first.leases.owner, false},
		{"old, under another's lease", collectLease - 1, second, first.leases.owner, false},
		{"after the lease", orphanAge, second, second.leases.owner, true},
		{"nothing left", 0, second, second.leases.owner, false},
	} {
		turn(c, step.after)
		n, err := step.who.collect(t.Context())
		if err != nil || (n > 0) != step.found {
			t.Errorf("%s: %d, %v", step.name, n, err)
		}
		if l, err := first.leases.read(t.Context(), collectName); err != nil || l.owner != step.leased {
			t.Errorf("%s: %+v, %v", step.name, l, err)
		}
	}
}
