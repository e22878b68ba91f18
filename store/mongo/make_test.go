package mongo

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"opendmp/store"
)

func noon() time.Time { return time.Date(2025, 3, 14, 12, 0, 0, 123456789, time.UTC) }

func digest(label string) [32]byte { return sha256.Sum256([]byte(label)) }

func id16(label string) (id [16]byte) {
	sum := digest(label)
	copy(id[:], sum[:])
	return id
}

func dossierOf(label string) store.Dossier { return store.Dossier(id16("dossier " + label)) }

func eventNamed(label string) store.Event {
	return store.Event{ID: store.EventID(id16("event " + label)), Dossier: dossierOf(label), Recorded: noon(), Actor: store.Token(digest("actor")), Sealed: []byte(label)}
}

func entryNamed(label string) store.StateEntry {
	return store.StateEntry{Kind: "session", Key: label, Value: []byte("value")}
}

// everything is a first commit that has every part, and adopts an upload.
func everything(label string) store.Tx {
	d, row := dossierOf(label), store.RowKey(id16("row"))
	return store.Tx{
		Dossier: d,
		Header:  store.Header{State: store.Active, Key: 1},
		Puts: []store.Put{
			{Row: row, Type: "Patient", Version: 1, Updated: noon(), Summary: []byte("s"), Body: []byte("b")},
			{Row: row, Type: "Patient", Version: 2, Updated: noon(), Summary: []byte("s"), Body: []byte("b")},
		},
		Contents: []store.Content{{ID: store.ContentID(id16("inline")), Owner: row, Sealed: []byte("x")}, {ID: store.ContentID(id16("upload")), Owner: row}},
		Claims:   []store.TokenPut{{Token: store.Token(digest("claim " + label))}},
		Finds:    []store.TokenPut{{Token: store.Token(digest("find " + label)), Row: row}},
		Keys:     []store.KeyRecord{{Dossier: d, Kind: 1, Number: 1, Wrapped: []byte("k")}},
		Events:   []store.Event{eventNamed(label), eventNamed(label + " second")},
		State:    []store.StateEntry{entryNamed(label)},
	}
}

// push uploads what everything adopts, and commits.
func push(ctx context.Context, s *Store, label string) error {
	tx := everything(label)
	if err := s.Upload(ctx, tx.Dossier, tx.Contents[1].ID, strings.NewReader("uploaded")); err != nil {
		return err
	}
	return s.Commit(ctx, tx)
}

// present counts the parts of a commit of everything that are there, out of parts.
func present(t testing.TB, s *Store, label string) (there, parts int) {
	t.Helper()
	ctx := context.Background()
	tx := everything(label)
	is := func(ok bool, err error) {
		t.Helper()
		parts++
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		if ok && err == nil {
			there++
		}
	}
	h, err := s.Header(ctx, tx.Dossier)
	is(h.Version == 1, err)
	for r, err := range s.Rows(ctx, tx.Dossier) {
		is(r.Version == 2, err)
		parts--
	}
	parts++
	bodies, err := s.Bodies(ctx, tx.Dossier, []store.BodyRef{{Row: tx.Puts[0].Row, Version: 1}, {Row: tx.Puts[0].Row, Version: 2}})
	is(bodies[0] != nil, err)
	is(bodies[1] != nil, err)
	for _, c := range tx.Contents {
		is(true, second(s.Content(ctx, tx.Dossier, c.ID)))
	}
	for _, tokens := range [][]store.TokenPut{tx.Claims, tx.Finds} {
		refs, err := s.Lookup(ctx, tokens[0].Token)
		is(len(refs) == 1, err)
	}
	keys, err := s.Keys(ctx, tx.Dossier)
	is(len(keys) == 1, err)
	for _, e := range tx.Events {
		found, err := s.Events(ctx, e.Dossier, store.Cursor{}, 10)
		is(len(found) == 1, err)
	}
	is(true, second(s.State(ctx, "session", label)))
	return there, parts
}

func second[T any](_ T, err error) error { return err }

// allOrNothing demands all of a commit that was acknowledged, and otherwise all or
// nothing.
func allOrNothing(t testing.TB, s *Store, label string, acknowledged error) {
	t.Helper()
	there, parts := present(t, s, label)
	switch {
	case acknowledged == nil && there != parts:
		t.Errorf("acknowledged, and %d of %d parts are there", there, parts)
	case there != 0 && there != parts:
		t.Errorf("%d of %d parts are there", there, parts)
	}
}
