package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"opendmp/store"
)

// setting is a commit of entries alone.
func setting(entries ...store.StateEntry) store.Tx {
	return store.Tx{Expect: store.Any, State: entries}
}

func testState(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	entry := func(rev int64, value string) store.StateEntry {
		return store.StateEntry{Kind: "k", Key: "x", Value: []byte(value), Rev: rev}
	}
	expect := func(rev int64, value string) {
		t.Helper()
		if got := one[store.StateEntry](t)(s.State(ctx, "k", "x")); got.Rev != rev || string(got.Value) != value {
			t.Fatalf("entry %+v, want %q at %d", got, value, rev)
		}
	}
	refused(t, s, setting(entry(1, "early")), store.ErrConflict)
	commit(t, s, setting(entry(0, "one")))
	expect(1, "one")
	refused(t, s, setting(entry(0, "again")), store.ErrConflict)
	refused(t, s, setting(entry(2, "ahead")), store.ErrConflict)
	commit(t, s, setting(entry(1, "two")))
	commit(t, s, setting(entry(2, "three"), entry(3, "four")))
	expect(4, "four")

	// One-time use: of two commits that spend an entry, one succeeds, with all
	// that it carries.
	spend := func(label string) store.Tx {
		tx := setting(store.StateEntry{Kind: "used", Key: "jti"})
		tx.Events = []store.Event{event(dossier("a"), label, noon())}
		return tx
	}
	commit(t, s, spend("first"))
	refused(t, s, spend("second"), store.ErrConflict)
	if events := one[[]store.Event](t)(s.Events(ctx, dossier("a"), store.Cursor{}, 10)); len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}

	// Unset looks at kind and key alone, and comes before State.
	commit(t, s, store.Tx{Expect: store.Any, Unset: []store.StateEntry{{Kind: "k", Key: "x", Rev: 77}, {Kind: "k", Key: "none"}}})
	if _, err := s.State(ctx, "k", "x"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("unset: %v", err)
	}
	commit(t, s, setting(entry(0, "five")))
	commit(t, s, store.Tx{Expect: store.Any, Unset: []store.StateEntry{{Kind: "k", Key: "x"}}, State: []store.StateEntry{entry(0, "six")}})
	expect(1, "six")
}

// testStateRace: many renew one lease; no revision is given twice.
func testStateRace(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	commit(t, s, setting(store.StateEntry{Kind: "lease", Key: "x"}))
	const holders, rounds = 8, 20
	together(t, holders, func(i int) error {
		for won := 0; won < rounds; {
			now, err := s.State(ctx, "lease", "x")
			if err != nil {
				return err
			}
			now.Value = fmt.Append(nil, i)
			switch err := s.Commit(ctx, setting(now)); {
			case err == nil:
				won++
			case !errors.Is(err, store.ErrConflict):
				return err
			}
		}
		return nil
	})
	if got := one[store.StateEntry](t)(s.State(ctx, "lease", "x")); got.Rev != 1+holders*rounds {
		t.Fatalf("revision %d after %d writes", got.Rev, 1+holders*rounds)
	}
}

func testStateExpiry(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	at := func(key string, rev int64, expires time.Time) store.StateEntry {
		return store.StateEntry{Kind: "k", Key: key, Expires: expires, Rev: rev}
	}
	commit(t, s, setting(at("past", 0, past), at("future", 0, future), at("never", 0, time.Time{}), at("lease", 0, future)))
	commit(t, s, setting(at("lease", 1, past)))

	// The caller looks at Expires: an expired entry can still be read and listed.
	if got := one[store.StateEntry](t)(s.State(ctx, "k", "past")); !got.Expires.Equal(past) {
		t.Fatalf("expired entry %+v", got)
	}
	if got := one[store.StateEntry](t)(s.State(ctx, "k", "never")); !got.Expires.IsZero() {
		t.Fatalf("entry without end %+v", got)
	}
	if list := one[[]store.StateEntry](t)(s.StateList(ctx, "k", "", 10)); len(list) != 4 {
		t.Fatalf("listed %+v", list)
	}
	// For who expects none, it is not there, and its revisions begin anew.
	commit(t, s, setting(at("past", 0, past)))
	for _, live := range []string{"future", "never"} {
		refused(t, s, setting(at(live, 0, future)), store.ErrConflict)
	}
	// With its revision, an expired lease is taken over and its number grows.
	refused(t, s, setting(at("lease", 1, future)), store.ErrConflict)
	commit(t, s, setting(at("lease", 2, future)))
	if got := one[store.StateEntry](t)(s.State(ctx, "k", "lease")); got.Rev != 3 {
		t.Fatalf("lease at revision %d", got.Rev)
	}
	commit(t, s, setting(at("lease", 3, past)))
	commit(t, s, setting(at("lease", 0, future)))
	if got := one[store.StateEntry](t)(s.State(ctx, "k", "lease")); got.Rev != 1 {
		t.Fatalf("lease begun anew at revision %d", got.Rev)
	}

	// Collect goes by the time it is given, that of expiry included.
	if n := one[int](t)(s.Collect(ctx, past.Add(-time.Nanosecond), noon())); n != 0 {
		t.Fatalf("collected %d before any expired", n)
	}
	if n := one[int](t)(s.Collect(ctx, past, noon())); n != 1 {
		t.Fatalf("collected %d at the expiry of one", n)
	}
	if n := one[int](t)(s.Collect(ctx, future, noon())); n != 2 {
		t.Fatalf("collected %d at the expiry of two", n)
	}
	if list := one[[]store.StateEntry](t)(s.StateList(ctx, "k", "", 10)); len(list) != 1 || list[0].Key != "never" {
		t.Fatalf("left %+v", list)
	}
}

func testStateList(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	keys := []string{"B", "a", "a\x00", "a\x00b", "aa", "ab", "e\u0301", "é", "z", "~"}
	slices.Sort(keys)
	for i := range keys {
		commit(t, s, setting(store.StateEntry{Kind: "k", Key: keys[(i*7)%len(keys)]}, store.StateEntry{Kind: "j", Key: keys[i]}))
	}
	commit(t, s, setting(store.StateEntry{Kind: "K", Key: "other"}, store.StateEntry{Kind: "k\x00", Key: "other"}))
	for _, limit := range []int{1, 3, len(keys), 100} {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			list := one[[]store.StateEntry](t)(s.StateList(ctx, "k", after, limit))
			if len(list) == 0 {
				break
			}
			if len(list) > limit {
				t.Fatalf("%d entries in a page of %d", len(list), limit)
			}
			for _, entry := range list {
				got = append(got, entry.Key)
			}
		}
		if !slices.Equal(got, keys) {
			t.Errorf("pages of %d: got %q, want %q", limit, got, keys)
		}
	}
	if list := one[[]store.StateEntry](t)(s.StateList(ctx, "k", "", 0)); len(list) != 0 {
		t.Errorf("none asked for, %d given", len(list))
	}
}
