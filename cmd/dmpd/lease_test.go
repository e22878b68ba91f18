package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/store"
)

// stoppedClock is a clock that a test turns.
func stoppedClock() *clock {
	c := &clock{}
	c.set(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	return c
}

func turn(c *clock, by time.Duration) { c.set(c.Now().Add(by)) }

// sharedStores opens the engine under test for n servers: on MongoDB each has
// connections of its own, the embedded engine has one process.
func sharedStores(t *testing.T, n int, c *clock) []store.Store {
	t.Helper()
	data := t.TempDir()
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	e, err := engineOf(testStore(data), data, c)
	if err != nil {
		t.Fatal(err)
	}
	var opened []store.Store
	for range n {
		if e.uri == "" && len(opened) > 0 {
			opened = append(opened, opened[0])
			continue
		}
		st, err := e.openOrMake(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		opened = append(opened, st)
	}
	return opened
}

// One lease through the hands of two servers.
func TestLeaseChangesHands(t *testing.T) {
	c := stoppedClock()
	both := sharedStores(t, 2, c)
	servers := map[string]leases{
		"a": {store: both[0], owner: "a", now: c.Now},
		"b": {store: both[1], owner: "b", now: c.Now},
	}
	const term = time.Minute
	for _, step := range []struct {
		name  string
		after time.Duration
		who   string
		work  string
		fence int64 // 0: it is another's
	}{
		{"the first", 0, "a", "x", 1},
		{"taken", 0, "b", "x", 0},
		{"another work", 0, "b", "y", 1},
		{"prolonged", term / 2, "a", "x", 1},
		{"after the first end", term - 1, "b", "x", 0},
		{"at its end", 1, "b", "x", 2},
		{"lost", 0, "a", "x", 0},
		{"prolonged after its end", 2 * term, "b", "x", 2},
		{"back", term, "a", "x", 3},
	} {
		turn(c, step.after)
		l, ok, err := servers[step.who].take(t.Context(), step.work, term)
		if err != nil || ok != (step.fence > 0) || l.fence != step.fence {
			t.Errorf("%s: %+v, %v, %v", step.name, l, ok, err)
		}
		if ok && (l.name != step.work || l.owner != step.who || !l.until.Equal(c.Now().Add(term))) {
			t.Errorf("%s: %+v", step.name, l)
		}
		// What has expired is collected; a fencing number must outlive it.
		if _, err := both[0].Collect(t.Context(), c.Now().Add(time.Hour), c.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := (leases{store: both[0], now: c.Now}).take(t.Context(), "z", term); ok || err == nil {
		t.Errorf("nobody has a lease: %v, %v", ok, err)
	}
}

// Of many that want a lease at the same instant one gets it, over and over.
func TestLeaseRace(t *testing.T) {
	c := stoppedClock()
	const rivals = 8
	stores := sharedStores(t, rivals, c)
	for round := range int64(5) {
		var got atomic.Int32
		var all sync.WaitGroup
		for i, st := range stores {
			all.Go(func() {
				l, ok, err := leases{store: st, owner: string(rune('a' + i)), now: c.Now}.take(t.Context(), "x", time.Minute)
				if err != nil {
					t.Error(err)
				}
				if ok {
					got.Add(1)
				}
				if ok && l.fence > round+1 {
					t.Errorf("round %d: fence %d", round, l.fence)
				}
			})
		}
		all.Wait()
		if got.Load() != 1 {
			t.Errorf("round %d: %d have the lease", round, got.Load())
		}
		turn(c, time.Minute)
	}
}

// A server that slept through the end of its lease writes nothing under it.
func TestLeaseGuards(t *testing.T) {
	c := stoppedClock()
	both := sharedStores(t, 2, c)
	a := leases{store: both[0], owner: "a", now: c.Now}
	b := leases{store: both[1], owner: "b", now: c.Now}
	work := func(st store.Store, l lease, key string) error {
		made := store.StateEntry{Kind: "work", Key: key}
		return st.Commit(t.Context(), store.Tx{Expect: store.Any, State: []store.StateEntry{l.guard(), made}})
	}
	must := func(ls leases) lease {
		t.Helper()
		l, ok, err := ls.take(t.Context(), "x", time.Minute)
		if err != nil || !ok {
			t.Fatalf("%v, %v", ok, err)
		}
		return l
	}
	old := must(a)
	if err := work(both[0], old, "first"); err != nil {
		t.Fatal(err)
	}
	if err := work(both[0], old, "twice by one lease"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a guard serves twice: %v", err)
	}
	old = must(a)
	turn(c, time.Minute)
	young := must(b)
	if err := work(both[0], old, "late"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("after its end: %v", err)
	}
	if err := work(both[1], young, "second"); err != nil {
		t.Error(err)
	}
	if err := work(both[1], lease{}, "nobody's"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("the zero lease: %v", err)
	}
	list, err := both[0].StateList(context.Background(), "work", "", 10)
	if err != nil || len(list) != 2 || list[0].Key != "first" || list[1].Key != "second" {
		t.Errorf("written: %+v, %v", list, err)
	}
	// The guard leaves the lease as it was.
	if l, err := b.read(t.Context(), "x"); err != nil || l.owner != "b" || l.fence != 2 || !l.until.Equal(young.until) {
		t.Errorf("%+v, %v", l, err)
	}
}
