package audit_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/policy"
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

	seconds atomic.Int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	var err error
	if w.vault, err = vault.OpenDir(filepath.Join(w.dir, "keys"), true, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if w.store, err = sqlite.Open(t.Context(), filepath.Join(w.dir, "data"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	w.Log = w.newLog()
	if err := w.OpenJournal(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// now is a second later each time.
func (w *world) now() time.Time {
	return start.Add(time.Duration(w.seconds.Add(1)) * time.Second)
}

func (w *world) newLog() *audit.Log {
	return audit.New(w.store, w.vault, w.now, rand.Reader)
}

// dossier opens a dossier with one event in its history.
func (w *world) dossier(t testing.TB, d store.Dossier) audit.Target {
	t.Helper()
	target, tx := w.opening(t, d)
	w.commit(t, tx, target, audit.Event{Interaction: audit.Create, Allowed: true})
	return target
}

// opening is the commit that opens a dossier.
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

func (w *world) commit(t testing.TB, tx store.Tx, target audit.Target, events ...audit.Event) audit.Receipt {
	t.Helper()
	r, err := w.Commit(t.Context(), tx, target, events...)
	if err != nil || !r.Valid() {
		t.Fatalf("Commit = %+v, %v", r, err)
	}
	return r
}

func (w *world) record(t testing.TB, target audit.Target, events ...audit.Event) audit.Receipt {
	t.Helper()
	r, err := w.Record(t.Context(), target, events...)
	if err != nil || !r.Valid() {
		t.Fatalf("Record = %+v, %v", r, err)
	}
	return r
}

func (w *world) history(t testing.TB, target audit.Target) []audit.Event {
	t.Helper()
	events, err := w.Read(t.Context(), target, store.Cursor{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestRecordThenRead(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	want := by(physician, audit.Event{
		Class: policy.Withheld, Interaction: audit.RetrieveDocument, Action: audit.Reads, Patient: "p1",
		Objects: []string{"Binary/b1"}, Mode: auth.BrisDeGlace, Reason: "Patient inconscient.",
		Purpose: "BTG", Allowed: true, Rules: []string{"L11"}, Status: 200,
	})
	want.Recorded = start.Add(time.Hour)
	r := w.record(t, target, want)
	if !slices.Equal(r.Events(), []store.EventID{want.ID}) || !r.Recorded()[0].Equal(want.Recorded) || r.Dossier() != target.Dossier {
		t.Errorf("the receipt says %v, %v, %v", r.Events(), r.Recorded(), r.Dossier())
	}
	if got := w.history(t, target); !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %+v\nwant %+v", got[0], want)
	}
}

// TestLogFills: id, instant and purpose, when they are zero. Events of one commit
// keep their order.
func TestLogFills(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	events := []audit.Event{
		{Interaction: "first", Kind: auth.Professional},
		{Interaction: "second", Kind: auth.Professional, Mode: auth.Centre15},
		{Interaction: "third", Kind: auth.Patient},
	}
	r := w.record(t, target, events...)
	got := w.history(t, target)
	for i, purpose := range []string{"TREAT", "ETREAT", "PATRQT"} {
		e := got[2-i]
		if e.Interaction != events[i].Interaction || e.Purpose != purpose {
			t.Errorf("event %d is %q for %q", i, e.Interaction, e.Purpose)
		}
		if e.ID == (store.EventID{}) || e.ID != r.Events()[i] || !e.Recorded.Equal(r.Recorded()[i]) || e.Recorded.Before(start) {
			t.Errorf("event %d is %x of %v, the receipt says %x of %v", i, e.ID, e.Recorded, r.Events()[i], r.Recorded()[i])
		}
	}
	if events[0].ID != (store.EventID{}) {
		t.Error("Record changed its argument")
	}
}

// sealedTx is a commit of one row and one content, all of it in order.
func sealedTx(target audit.Target) store.Tx {
	p := vault.Place{Row: vault.ID{5}, Version: 1, Field: vault.Summary}
	key := vault.ContentKey{1}
	return store.Tx{
		Dossier: target.Dossier, Expect: 1, Header: store.Header{State: store.Active, Key: 1},
		Puts: []store.Put{{
			Row: p.Row, Type: "DocumentReference", Version: 1, Updated: start,
			Summary: target.Ring.Seal(p, []byte("s")),
			Body:    target.Ring.Seal(vault.Place{Row: p.Row, Version: 1, Field: vault.Body}, []byte("b")),
		}},
		Contents: []store.Content{{ID: store.ContentID{6}, Owner: p.Row, Sealed: key.Seal(vault.ID{6}, []byte("c"))}},
		Claims:   []store.TokenPut{{Token: store.Token{1}}},
		Finds:    []store.TokenPut{{Token: store.Token{2}}},
	}
}

// TestCommitRefuses: each case bends one thing of a good commit. Nothing of it may
// be written and the receipt must not be valid.
func TestCommitRefuses(t *testing.T) {
	w := newWorld(t)
	target, other := w.dossier(t, store.Dossier{1}), w.dossier(t, store.Dossier{2})
	event := audit.Event{Interaction: audit.Update, Allowed: true}
	cases := []struct {
		name string
		want error
		bend func(*store.Tx, *audit.Target, *[]audit.Event)
	}{
		{"no event", audit.ErrNoEvent, func(_ *store.Tx, _ *audit.Target, e *[]audit.Event) { *e = nil }},
		{"an event of its own", audit.ErrUnsealed, func(tx *store.Tx, target *audit.Target, _ *[]audit.Event) {
			tx.Events = []store.Event{{ID: store.EventID{1}, Dossier: target.Dossier, Recorded: start, Sealed: []byte("x")}}
		}},
		{"zero target", audit.ErrTarget, func(_ *store.Tx, target *audit.Target, _ *[]audit.Event) { *target = audit.Target{} }},
		{"no ring", audit.ErrTarget, func(_ *store.Tx, target *audit.Target, _ *[]audit.Event) { target.Ring = nil }},
		{"zero ring", audit.ErrTarget, func(_ *store.Tx, target *audit.Target, _ *[]audit.Event) { target.Ring = &vault.Ring{} }},
		{"no dossier", audit.ErrTarget, func(_ *store.Tx, target *audit.Target, _ *[]audit.Event) { target.Dossier = store.Dossier{} }},
		{"another dossier's ring", audit.ErrTarget, func(_ *store.Tx, target *audit.Target, _ *[]audit.Event) { target.Ring = other.Ring }},
		{"another history", audit.ErrTarget, func(_ *store.Tx, target *audit.Target, _ *[]audit.Event) { *target = other }},
		{"plain summary", audit.ErrUnsealed, func(tx *store.Tx, _ *audit.Target, _ *[]audit.Event) { tx.Puts[0].Summary = []byte("{}") }},
		{"no summary", audit.ErrUnsealed, func(tx *store.Tx, _ *audit.Target, _ *[]audit.Event) { tx.Puts[0].Summary = nil }},
		{"plain body", audit.ErrUnsealed, func(tx *store.Tx, _ *audit.Target, _ *[]audit.Event) {
			tx.Puts[0].Body = []byte(`{"resourceType":"Patient","id":"long enough to be sealed"}`)
		}},
		{"no body", audit.ErrUnsealed, func(tx *store.Tx, _ *audit.Target, _ *[]audit.Event) { tx.Puts[0].Body = nil }},
		{"plain content", audit.ErrUnsealed, func(tx *store.Tx, _ *audit.Target, _ *[]audit.Event) {
			tx.Contents[0].Sealed = []byte("%PDF-1.7 and much more of a document")
		}},
		{"empty content", audit.ErrUnsealed, func(tx *store.Tx, _ *audit.Target, _ *[]audit.Event) { tx.Contents[0].Sealed = []byte{} }},
		{"zero claim", audit.ErrUnsealed, func(tx *store.Tx, _ *audit.Target, _ *[]audit.Event) { tx.Claims[0].Token = store.Token{} }},
		{"zero find", audit.ErrUnsealed, func(tx *store.Tx, _ *audit.Target, _ *[]audit.Event) { tx.Finds[0].Token = store.Token{} }},
		{"stale version", store.ErrConflict, func(tx *store.Tx, _ *audit.Target, _ *[]audit.Event) { tx.Expect = 7 }},
	}
	before := w.history(t, target)
	for _, c := range cases {
		tx, to, events := sealedTx(target), target, []audit.Event{event}
		c.bend(&tx, &to, &events)
		r, err := w.Commit(t.Context(), tx, to, events...)
		if !errors.Is(err, c.want) || r.Valid() || len(r.Events()) > 0 {
			t.Errorf("%s: %+v, %v", c.name, r, err)
		}
		if h, err := w.store.Header(t.Context(), target.Dossier); err != nil || h.Version != 1 {
			t.Fatalf("%s: the header is %+v, %v", c.name, h, err)
		}
		if got := w.history(t, target); !reflect.DeepEqual(got, before) {
			t.Fatalf("%s: the history changed: %+v", c.name, got)
		}
	}
	w.commit(t, sealedTx(target), target, event)
	if got := w.history(t, target); len(got) != len(before)+1 {
		t.Errorf("the good commit left %d events", len(got))
	}
}

// TestDeletionNeedsNoBody: a deleted version may have none.
func TestDeletionNeedsNoBody(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	tx := sealedTx(target)
	tx.Puts[0].Deleted, tx.Puts[0].Body = true, nil
	w.commit(t, tx, target, audit.Event{Interaction: audit.Delete, Allowed: true})
}

// TestDestroyedDossierKeepsItsHistory: its trace key still takes and shows events.
func TestDestroyedDossierKeepsItsHistory(t *testing.T) {
	w := newWorld(t)
	whole := w.dossier(t, store.Dossier{1})
	records, err := w.store.Keys(t.Context(), whole.Dossier)
	if err != nil {
		t.Fatal(err)
	}
	var trace []vault.Wrapped
	for _, k := range records {
		if k.Kind == vault.Trace {
			trace = append(trace, vault.Wrapped{Kind: k.Kind, Number: k.Number, Epoch: k.Epoch, Bytes: k.Wrapped})
		}
	}
	ring, err := w.vault.Ring(whole.Dossier, trace)
	if err != nil {
		t.Fatal(err)
	}
	target := audit.Target{Dossier: whole.Dossier, Ring: ring}
	w.record(t, target, audit.Event{Interaction: audit.Read})
	if got := w.history(t, target); len(got) != 2 {
		t.Errorf("the history has %d events", len(got))
	}
}

// TestNoReceiptWithoutStore: after Close, and with a context that ended, nothing is
// acknowledged.
func TestNoReceiptWithoutStore(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	event := audit.Event{Interaction: audit.Read, Allowed: true}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := w.Record(ended, target, event); err == nil || r.Valid() || len(r.Events()) > 0 {
		t.Errorf("with an ended context: %+v, %v", r, err)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := w.Record(t.Context(), target, event); !errors.Is(err, store.ErrUnavailable) || r.Valid() || len(r.Events()) > 0 {
		t.Errorf("closed: %+v, %v", r, err)
	}
	if events, err := w.Read(t.Context(), target, store.Cursor{}, 10); !errors.Is(err, store.ErrUnavailable) || events != nil {
		t.Errorf("closed: Read = %v, %v", events, err)
	}
}

// TestNoReceiptWithoutRandomness: an event without a random id is not written.
func TestNoReceiptWithoutRandomness(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	l := audit.New(w.store, w.vault, time.Now, bytes.NewReader(nil))
	if r, err := l.Record(t.Context(), target, audit.Event{}); err == nil || r.Valid() {
		t.Errorf("Record = %+v, %v", r, err)
	}
}

func TestZeroLogRefuses(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	for _, l := range []*audit.Log{nil, {}} {
		if r, err := l.Record(t.Context(), target, audit.Event{}); !errors.Is(err, audit.ErrZero) || r.Valid() {
			t.Errorf("Record = %+v, %v", r, err)
		}
		if _, err := l.Read(t.Context(), target, store.Cursor{}, 1); !errors.Is(err, audit.ErrZero) {
			t.Errorf("Read: %v", err)
		}
		if err := l.OpenJournal(t.Context()); !errors.Is(err, audit.ErrZero) {
			t.Errorf("OpenJournal: %v", err)
		}
	}
	if r, err := w.newLog().Record(t.Context(), w.newLog().Journal(), audit.Event{}); !errors.Is(err, audit.ErrTarget) || r.Valid() {
		t.Errorf("a journal that is not open took an event: %+v, %v", r, err)
	}
}
