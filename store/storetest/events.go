package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"opendmp/store"
)

// olderFirst is the order of a history, backwards.
func olderFirst(a, b store.Event) int {
	if c := a.Recorded.Compare(b.Recorded); c != 0 {
		return c
	}
	return bytes.Compare(a.ID[:], b.ID[:])
}

// history makes n events of one dossier, seven at each instant, in an order that
// is none.
func history(d store.Dossier, n int) []store.Event {
	events := make([]store.Event, n)
	for i := range events {
		place := (i*37 + 11) % n
		events[i] = event(d, fmt.Sprint("history ", place), noon().Add(time.Duration(place/7)*time.Nanosecond))
		if place%2 == 0 {
			events[i].Actor = token("even")
		}
	}
	return events
}

func insert(t testing.TB, s store.Store, events []store.Event) {
	t.Helper()
	for chunk := range slices.Chunk(events, 50) {
		commit(t, s, store.Tx{Expect: store.Any, Events: chunk})
	}
}

// page is Events or EventsOf of somebody.
type page func(before store.Cursor, limit int) ([]store.Event, error)

// walk pages through a history to its end.
func walk(next page, limit int) ([]store.Event, error) {
	var found []store.Event
	var at store.Cursor
	for {
		events, err := next(at, limit)
		if err != nil || len(events) == 0 {
			return found, err
		}
		if len(events) > limit {
			return nil, fmt.Errorf("%d events in a page of %d", len(events), limit)
		}
		if found = append(found, events...); len(found) > 100_000 {
			return nil, errors.New("paging does not end")
		}
		last := events[len(events)-1]
		at = store.Cursor{Recorded: last.Recorded, ID: last.ID}
	}
}

// ids is a history as text.
func ids(events []store.Event) string {
	var b bytes.Buffer
	for _, e := range events {
		fmt.Fprintf(&b, "%v %x\n", e.Recorded.UTC(), e.ID)
	}
	return b.String()
}

func testEventPages(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d, other := dossier("a"), dossier("b")
	events := history(d, 200)
	insert(t, s, events)
	insert(t, s, []store.Event{event(other, "other", noon())})

	want := slices.Clone(events)
	slices.SortFunc(want, olderFirst)
	slices.Reverse(want)
	even := slices.DeleteFunc(slices.Clone(want), func(e store.Event) bool { return e.Actor != token("even") })

	ofDossier := func(at store.Cursor, limit int) ([]store.Event, error) { return s.Events(ctx, d, at, limit) }
	ofActor := func(at store.Cursor, limit int) ([]store.Event, error) {
		return s.EventsOf(ctx, token("even"), at, limit)
	}
	for _, limit := range []int{1, 3, 7, 50, 200, 1000} {
		if got := one[[]store.Event](t)(walk(ofDossier, limit)); ids(got) != ids(want) {
			t.Errorf("pages of %d: got\n%s\nwant\n%s", limit, ids(got), ids(want))
		}
		if got := one[[]store.Event](t)(walk(ofActor, limit)); ids(got) != ids(even) {
			t.Errorf("pages of %d of an actor: got\n%s\nwant\n%s", limit, ids(got), ids(even))
		}
	}
	// A cursor need not be that of an event.
	for _, at := range []store.Cursor{{Recorded: noon().Add(10 * time.Nanosecond)}, {Recorded: noon().Add(-time.Hour)}, {Recorded: noon().Add(time.Hour)}} {
		got := one[[]store.Event](t)(s.Events(ctx, d, at, 1000))
		older := slices.DeleteFunc(slices.Clone(want), func(e store.Event) bool { return !e.Recorded.Before(at.Recorded) })
		if ids(got) != ids(older) {
			t.Errorf("before %v: %d events, want %d", at.Recorded, len(got), len(older))
		}
	}
	for _, limit := range []int{0, -1} {
		if got := one[[]store.Event](t)(s.Events(ctx, d, store.Cursor{}, limit)); len(got) != 0 {
			t.Errorf("a page of %d has %d events", limit, len(got))
		}
	}
}

// testEventPagesWhileInserting: what was there when paging began is seen exactly
// once, whatever comes in meanwhile.
func testEventPagesWhileInserting(t *testing.T, e Engine) {
	s := open(t, e)
	d := dossier("a")
	old := history(d, 150)
	insert(t, s, old)
	newest := slices.MaxFunc(old, olderFirst)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	together(t, 5, func(i int) error {
		if i == 0 { // comes in, also at instants that exist
			for n := 0; ctx.Err() == nil; n++ {
				at := newest.Recorded.Add(time.Duration(n%3) * time.Nanosecond)
				err := s.Commit(context.Background(), store.Tx{Expect: store.Any, Events: []store.Event{event(d, fmt.Sprint("new ", n), at)}})
				if err != nil {
					return err
				}
			}
			return nil
		}
		defer cancel()
		for round := range 3 {
			got, err := walk(func(at store.Cursor, limit int) ([]store.Event, error) {
				return s.Events(context.Background(), d, at, limit)
			}, 5+round)
			if err != nil {
				return err
			}
			if err := complete(got, old); err != nil {
				return err
			}
		}
		return nil
	})
}

// complete looks that every old event is there once, and the order strict.
func complete(got, old []store.Event) error {
	seen := make(map[store.EventID]bool, len(got))
	for i, e := range got {
		if seen[e.ID] {
			return fmt.Errorf("event %x twice", e.ID)
		}
		seen[e.ID] = true
		if i > 0 && olderFirst(e, got[i-1]) >= 0 {
			return fmt.Errorf("event %x stands before an older one", got[i-1].ID)
		}
	}
	for _, e := range old {
		if !seen[e.ID] {
			return fmt.Errorf("event %x of %v is missing", e.ID, e.Recorded)
		}
	}
	return nil
}

// testEventsAnywhere: events name any dossier, one that exists or not, and touch
// no header.
func testEventsAnywhere(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	a := dossier("a")
	commit(t, s, opening(a))
	commit(t, s, store.Tx{Dossier: a, Expect: 1, Header: active(), Events: []store.Event{
		event(a, "own", noon()), event(dossier("unknown"), "elsewhere", noon()), event(store.Dossier{}, "nowhere", noon()),
	}})
	commit(t, s, store.Tx{Dossier: dossier("unknown"), Expect: store.Any, Events: []store.Event{event(dossier("unknown"), "again", noon())}})
	for d, want := range map[store.Dossier]int{a: 1, dossier("unknown"): 2, {}: 1} {
		if got := one[[]store.Event](t)(s.Events(ctx, d, store.Cursor{}, 10)); len(got) != want {
			t.Errorf("dossier %x: %d events, want %d", d, len(got), want)
		}
	}
	if _, err := s.Header(ctx, dossier("unknown")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an event made a header: %v", err)
	}
}

func testPending(t *testing.T, e Engine) {
	s := e.Open(t)
	ctx := context.Background()
	events := append(history(dossier("a"), 60), history(dossier("b"), 1)...)
	events[60].ID = eventID("another")
	insert(t, s, events)
	slices.SortFunc(events, olderFirst)
	for _, limit := range []int{1, 10, 61, 1000} {
		got := one[[]store.Event](t)(s.Pending(ctx, limit))
		if want := events[:min(limit, len(events))]; ids(got) != ids(want) {
			t.Errorf("the first %d: got\n%s\nwant\n%s", limit, ids(got), ids(want))
		}
	}
	if got := one[[]store.Event](t)(s.Pending(ctx, 0)); len(got) != 0 {
		t.Errorf("none asked for, %d given", len(got))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, e)
	if got := one[[]store.Event](t)(s.Pending(ctx, 1000)); ids(got) != ids(events) {
		t.Error("another queue after a restart")
	}
}
