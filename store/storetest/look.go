package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"opendmp/store"
)

// all collects an iterator.
func all[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var list []T
	for v, err := range seq {
		if err != nil {
			t.Fatalf("iterating: %v", err)
		}
		list = append(list, v)
	}
	return list
}

// one fails the test on an error: one(t)(s.Header(ctx, d)).
func one[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// rows gives the rows of a dossier in order of key.
func rows(t testing.TB, s store.Store, d store.Dossier) []store.Row {
	t.Helper()
	list := all(t, s.Rows(context.Background(), d))
	slices.SortFunc(list, func(a, b store.Row) int { return slices.Compare(a.ID.Row[:], b.ID.Row[:]) })
	return list
}

// lookup gives the references of a token in order.
func lookup(t testing.TB, s store.Store, tok store.Token) []store.Ref {
	t.Helper()
	refs := one[[]store.Ref](t)(s.Lookup(context.Background(), tok))
	slices.SortFunc(refs, func(a, b store.Ref) int {
		if c := slices.Compare(a.Dossier[:], b.Dossier[:]); c != 0 {
			return c
		}
		return slices.Compare(a.Row[:], b.Row[:])
	})
	return refs
}

// read gives the bytes of a content, or false where there is none.
func read(t testing.TB, s store.Store, d store.Dossier, id store.ContentID) ([]byte, bool) {
	t.Helper()
	r, err := s.Content(context.Background(), d, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false
	}
	if err != nil {
		t.Fatalf("Content: %v", err)
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatalf("reading a content: %v", err)
	}
	return data, true
}

// dump writes everything that a world can see of a store, one fact a line, so
// that two moments can be compared.
func dump(t testing.TB, s store.Store, w world) string {
	t.Helper()
	var b strings.Builder
	for _, d := range w.dossiers {
		dumpDossier(t, &b, s, d)
		for _, id := range w.contents {
			data, ok := read(t, s, d, id)
			fmt.Fprintf(&b, "content %x %x: %v %q\n", d, id, ok, data)
		}
	}
	for _, tok := range w.tokens {
		fmt.Fprintf(&b, "token %x: %x\n", tok, lookup(t, s, tok))
	}
	for _, actor := range w.actors {
		dumpEvents(&b, "trace", one[[]store.Event](t)(s.EventsOf(context.Background(), actor, store.Cursor{}, 1000)))
	}
	dumpEvents(&b, "pending", one[[]store.Event](t)(s.Pending(context.Background(), 1000)))
	for _, kind := range w.kinds {
		for _, e := range one[[]store.StateEntry](t)(s.StateList(context.Background(), kind, "", 1000)) {
			fmt.Fprintf(&b, "state %q %q: %q %v rev %d\n", e.Kind, e.Key, e.Value, e.Expires.UTC(), e.Rev)
		}
	}
	return b.String()
}

// different gives the lines that only one of two dumps has; empty when they are
// the same.
func different(got, want string) string {
	if got == want {
		return ""
	}
	var b strings.Builder
	b.WriteString("the stores differ:\n")
	only := func(sign, text, other string) {
		lines := strings.Split(other, "\n")
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); !slices.Contains(lines, line) {
				fmt.Fprintf(&b, "%s %s\n", sign, line)
			}
		}
	}
	only("got ", got, want)
	only("want", want, got)
	return b.String()
}

func dumpDossier(t testing.TB, b *strings.Builder, s store.Store, d store.Dossier) {
	t.Helper()
	ctx := context.Background()
	h, err := s.Header(ctx, d)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	fmt.Fprintf(b, "header %x: %+v %v\n", d, h, err == nil)
	for _, r := range rows(t, s, d) {
		fmt.Fprintf(b, "row %x: %s %d %v %v %q\n", r.ID, r.Type, r.Version, r.Updated.UTC(), r.Deleted, r.Summary)
		for _, v := range all(t, s.Versions(ctx, r.ID)) {
			body := one[[][]byte](t)(s.Bodies(ctx, d, []store.BodyRef{{Row: r.ID.Row, Version: v.Version}}))
			fmt.Fprintf(b, "  version %d %v %v %q %q\n", v.Version, v.Updated.UTC(), v.Deleted, v.Summary, body)
		}
	}
	keys := one[[]store.KeyRecord](t)(s.Keys(ctx, d))
	slices.SortFunc(keys, func(a, b store.KeyRecord) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Number, b.Number))
	})
	for _, k := range keys {
		fmt.Fprintf(b, "key %x: %d %d %d %q\n", k.Dossier, k.Kind, k.Number, k.Epoch, k.Wrapped)
	}
	dumpEvents(b, "history", one[[]store.Event](t)(s.Events(ctx, d, store.Cursor{}, 1000)))
}

func dumpEvents(b *strings.Builder, name string, events []store.Event) {
	for _, e := range events {
		fmt.Fprintf(b, "%s %x: %x %v %d %x %q\n", name, e.ID, e.Dossier, e.Recorded.UTC(), e.Class, e.Actor, e.Sealed)
	}
}
