package audit_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
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

// TestNothingInClear looks for each text of an event in the files of the store, as
// it is and in the usual encodings.
func TestNothingInClear(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	e := audit.Event{Kind: auth.Professional, Allowed: true}
	var markers []string
	mark := func(name string) string {
		markers = append(markers, "MARKER-"+name)
		return "MARKER-" + name
	}
	v := reflect.ValueOf(&e).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		switch field := v.FieldByIndex(f.Index); field.Interface().(type) {
		case string:
			field.SetString(mark(f.Name))
		case []string:
			field.Set(reflect.ValueOf([]string{mark(f.Name)}))
		case fhir.Ident:
			field.Set(reflect.ValueOf(fhir.Ident{System: mark(f.Name + "-system"), Value: mark(f.Name)}))
		case auth.Coding:
			field.Set(reflect.ValueOf(auth.Coding{System: mark(f.Name + "-system"), Code: mark(f.Name)}))
		}
	}
	if len(markers) < 15 {
		t.Fatalf("only %d markers", len(markers))
	}
	w.record(t, target, e)
	w.record(t, w.Journal(), e)
	looked := 0
	look := func() {
		err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			looked += len(data)
			for _, m := range markers {
				for _, form := range []string{m, strings.ToLower(m), hex.EncodeToString([]byte(m)), base64.StdEncoding.EncodeToString([]byte(m))[:12]} {
					if bytes.Contains(data, []byte(form)) {
						t.Errorf("%s shows %s", path, m)
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	look() // with the write-ahead log
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	look()
	if looked < 10_000 {
		t.Errorf("only %d bytes were looked at", looked)
	}
}
