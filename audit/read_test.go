package audit_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// TestPaging reads a history in pages while it grows, with several events at one
// instant. Every old event comes once, newest first.
func TestPaging(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	w.dossier(t, store.Dossier{2})
	var old []store.EventID
	for i := range 30 {
		r := w.record(t, target, audit.Event{Recorded: start.Add(time.Duration(i/4) * time.Second), Interaction: audit.Read})
		old = append(old, r.Events()...)
	}
	var seen []audit.Event
	for before := (store.Cursor{}); ; {
		page, err := w.Read(t.Context(), target, before, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		seen = append(seen, page...)
		before = page[len(page)-1].Cursor()
		w.record(t, target, audit.Event{Recorded: start.Add(time.Hour), Interaction: audit.Read})
	}
	if !slices.IsSortedFunc(seen, func(a, b audit.Event) int {
		if c := b.Recorded.Compare(a.Recorded); c != 0 {
			return c
		}
		return bytes.Compare(b.ID[:], a.ID[:])
	}) {
		t.Error("not newest first")
	}
	var ids []store.EventID
	for _, e := range seen {
		ids = append(ids, e.ID)
	}
	for _, id := range old {
		if n := len(ids) - len(slices.DeleteFunc(slices.Clone(ids), func(x store.EventID) bool { return x == id })); n != 1 {
			t.Errorf("event %x came %d times", id, n)
		}
	}
}

// TestEventByFHIRID: each event is found at its place, and nothing beside it.
func TestEventByFHIRID(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	last := audit.Event{Interaction: audit.Read}
	for i := range last.ID {
		last.ID[i] = 0xff // the next place is at another instant
	}
	w.record(t, target, audit.Event{Interaction: audit.Read}, last, audit.Event{Interaction: audit.Patch})
	for _, want := range w.history(t, target) {
		d, at, ok := audit.ParseFHIRID(want.FHIRID(target.Dossier))
		if !ok || d != target.Dossier {
			t.Fatalf("%x has no id", want.ID)
		}
		if got, err := w.Event(t.Context(), target, at); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Event = %+v, %v", got, err)
		}
		at.ID[15] ^= 1
		if got, err := w.Event(t.Context(), target, at); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("beside it: %+v, %v", got, err)
		}
	}
	if _, err := w.Event(t.Context(), target, store.Cursor{Recorded: start.Add(-time.Hour)}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before the first: %v", err)
	}
}

// TestUnreadableEventIsAnError: a history with a hole is not a history. Each case
// puts a bad event behind the log's back.
func TestUnreadableEventIsAnError(t *testing.T) {
	w := newWorld(t)
	neighbour := w.dossier(t, store.Dossier{200})
	cases := []struct {
		name string
		bend func(target audit.Target, kept *store.Event)
	}{
		{"changed", func(_ audit.Target, kept *store.Event) { kept.Sealed[len(kept.Sealed)-1] ^= 1 }},
		{"emptied", func(_ audit.Target, kept *store.Event) { kept.Sealed = nil }},
		{"under another id", func(_ audit.Target, kept *store.Event) { kept.ID[15] ^= 1 }},
		{"at another instant", func(_ audit.Target, kept *store.Event) { kept.Recorded = kept.Recorded.Add(1) }},
		{"in another class", func(_ audit.Target, kept *store.Event) { kept.Class = uint8(policy.Secret) }},
		{"not an event", func(target audit.Target, kept *store.Event) {
			kept.Sealed = target.Ring.SealEvent(kept.ID, []byte("noise"))
		}},
		{"of another dossier", func(_ audit.Target, kept *store.Event) {
			kept.Sealed = neighbour.Ring.SealEvent(kept.ID, audit.Event{Recorded: kept.Recorded}.AppendBinary(nil))
		}},
		{"", func(audit.Target, *store.Event) {}}, // nothing bent: it is read
	}
	for i, c := range cases {
		target := w.dossier(t, store.Dossier{byte(i + 1)})
		kept := store.Event{ID: store.EventID{byte(i + 1)}, Dossier: target.Dossier, Recorded: start.Add(time.Minute)}
		kept.Sealed = target.Ring.SealEvent(kept.ID, audit.Event{Recorded: kept.Recorded}.AppendBinary(nil))
		c.bend(target, &kept)
		if err := w.store.Commit(t.Context(), store.Tx{Dossier: target.Dossier, Expect: store.Any, Events: []store.Event{kept}}); err != nil {
			t.Fatal(err)
		}
		events, err := w.Read(t.Context(), target, store.Cursor{}, 10)
		if bad := errors.Is(err, audit.ErrUnreadable) && events == nil; bad != (c.name != "") {
			t.Errorf("%s: Read = %v, %v", c.name, events, err)
		}
	}
}

// TestEventsOfOneActor: a professional's traces are found over all dossiers by a
// blind token, and another's are not among them.
func TestEventsOfOneActor(t *testing.T) {
	w := newWorld(t)
	doctor, nurse := fhir.Ident{System: "s", Value: "doctor"}, fhir.Ident{System: "s", Value: "nurse"}
	for i := range byte(3) {
		target := w.dossier(t, store.Dossier{i + 1})
		w.record(t, target, audit.Event{Actor: doctor, Interaction: audit.Read}, audit.Event{Actor: nurse, Interaction: audit.Read})
	}
	got, err := w.store.EventsOf(t.Context(), w.Actor(doctor), store.Cursor{}, 100)
	if err != nil || len(got) != 3 {
		t.Errorf("%d events, %v", len(got), err)
	}
	if w.Actor(fhir.Ident{System: "a", Value: "bc"}) == w.Actor(fhir.Ident{System: "ab", Value: "c"}) {
		t.Error("system and value run together")
	}
}
