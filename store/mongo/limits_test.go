package mongo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"opendmp/store"
)

// TestLargeDocuments: what fits into a document of the server is kept, what does
// not is refused before anything is sent.
func TestLargeDocuments(t *testing.T) {
	var sent tally
	s := fresh(t).open(t, Options{Observe: sent.observe, Timeout: 30 * time.Second})
	defer s.Close()
	ctx := context.Background()
	d, row := dossierOf("x"), store.RowKey(id16("row"))
	body := bytes.Repeat([]byte{'x'}, documentMax)
	put := func(body []byte) store.Tx {
		return store.Tx{Dossier: d, Header: store.Header{State: store.Active, Key: 1}, Puts: []store.Put{{Row: row, Version: 1, Updated: noon(), Body: body}}}
	}
	if err := s.Commit(ctx, put(body)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Bodies(ctx, d, []store.BodyRef{{Row: row, Version: 1}}); err != nil || !bytes.Equal(got[0], body) {
		t.Errorf("%d bytes came back, %v", len(got[0]), err)
	}
	sent.take()
	over := append(body, 'x')
	for name, tx := range map[string]store.Tx{
		"body":  put(over),
		"key":   {Dossier: d, Expect: 1, Header: store.Header{State: store.Active, Key: 1}, Keys: []store.KeyRecord{{Dossier: d, Wrapped: over}}},
		"event": {Expect: store.Any, Events: []store.Event{{Recorded: noon(), Sealed: over}}},
		"entry": {Expect: store.Any, State: []store.StateEntry{{Kind: "k", Key: "x", Value: over}}},
		"name":  {Expect: store.Any, State: []store.StateEntry{{Kind: "k", Key: string(over[:len(over)/2+1])}}},
	} {
		if err := s.Commit(ctx, tx); !errors.Is(err, errTx) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if list := sent.take(); len(list) != 0 {
		t.Errorf("sent %v", list)
	}
}

// TestDamaged: documents that this package did not write are no answer, and no
// panic.
func TestDamaged(t *testing.T) {
	t.Parallel()
	s := fresh(t).open(t, Options{})
	defer s.Close()
	ctx := context.Background()
	d, actor, token := dossierOf("x"), store.Token{1}, store.Token{2}
	e := docOfEvent(&store.Event{Dossier: d, Recorded: noon(), Actor: actor})
	e.Actor = e.Actor[:31]
	_, err := s.events.InsertOne(ctx, e)
	_, err2 := s.events.InsertOne(ctx, eventDoc{ID: []byte("x"), Actor: actor[:], Place: e.Place, Pending: true})
	_, err3 := s.claims.InsertOne(ctx, claimDoc{ID: token[:], Ref: []byte("x")})
	_, err4 := s.states.InsertOne(ctx, stateDoc{ID: stateID("k", "a") + "x"})
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	claim := everything("x")
	claim.Contents, claim.Claims[0].Token = nil, token
	for name, err := range map[string]error{
		"Events":    second(s.Events(ctx, d, store.Cursor{}, 10)),
		"EventsOf":  second(s.EventsOf(ctx, actor, store.Cursor{}, 10)),
		"Pending":   second(s.Pending(ctx, 10)),
		"Lookup":    second(s.Lookup(ctx, token)),
		"StateList": second(s.StateList(ctx, "k", "", 10)),
		"Commit":    s.Commit(ctx, claim),
	} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestIDsKeepOrder: bytes and texts sort as what they stand for.
func TestIDsKeepOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		if bytes.Compare(be64(a), be64(b)) != cmp.Compare(a, b) || fromBE64(be64(a)) != a {
			t.Error("be64")
		}
		m, n := rapid.Int32().Draw(t, "m"), rapid.Int32().Draw(t, "n")
		if bytes.Compare(be32(m), be32(n)) != cmp.Compare(m, n) || fromBE32(be32(m)) != m {
			t.Error("be32")
		}
		kind, other := rapid.String().Draw(t, "kind"), rapid.String().Draw(t, "other")
		key, next := rapid.String().Draw(t, "key"), rapid.String().Draw(t, "next")
		if cmp.Compare(stateID(kind, key), stateID(kind, next)) != cmp.Compare(key, next) {
			t.Error("order of keys")
		}
		id := stateID(other, key)
		if within := stateID(kind, "") <= id && id < stateEnd(kind); within != (kind == other) {
			t.Error("a kind runs into another")
		}
		if back, err := stateKey(id); err != nil || back != key {
			t.Error("key")
		}
	})
}

func TestChanges(t *testing.T) {
	t.Parallel()
	a, b := store.RowKey{1}, store.RowKey{2}
	for _, test := range []struct {
		name string
		puts []store.Put
		want []change // by row, version of base
	}{
		{"none", nil, nil},
		{"created", []store.Put{{Row: a, Version: 1}}, []change{{0, &store.Put{Row: a, Version: 1}}}},
		{"two rows, one twice", []store.Put{{Row: a, Version: 4}, {Row: b, Version: 1}, {Row: a, Version: 5}},
			[]change{{3, &store.Put{Row: a, Version: 5}}, {0, &store.Put{Row: b, Version: 1}}}},
	} {
		got, err := changes(test.puts)
		same := func(x, y change) bool {
			return x.base == y.base && x.last.Row == y.last.Row && x.last.Version == y.last.Version
		}
		if err != nil || !slices.EqualFunc(got, test.want, same) {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
	for name, puts := range map[string][]store.Put{
		"version 0": {{Row: a}}, "negative": {{Row: a, Version: -1}},
		"twice": {{Row: a, Version: 1}, {Row: a, Version: 1}}, "gap": {{Row: a, Version: 1}, {Row: a, Version: 3}},
		"backwards": {{Row: a, Version: 2}, {Row: a, Version: 1}},
	} {
		if _, err := changes(puts); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
