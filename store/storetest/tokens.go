package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"opendmp/store"
)

// opening is the first commit of a dossier, with claims.
func opening(d store.Dossier, claims ...store.TokenPut) store.Tx {
	return store.Tx{Dossier: d, Header: active(), Claims: claims}
}

func testClaims(t *testing.T, e Engine) {
	s := open(t, e)
	a, b, row := dossier("a"), dossier("b"), rowKey("r")
	ins, doc := token("ins"), token("doc")
	commit(t, s, opening(a, store.TokenPut{Token: ins}, store.TokenPut{Token: doc, Row: row}))

	for _, test := range []struct {
		claim  store.TokenPut
		holder store.Ref
	}{
		{store.TokenPut{Token: ins}, store.Ref{Dossier: a}},
		{store.TokenPut{Token: ins, Row: row}, store.Ref{Dossier: a}},
		{store.TokenPut{Token: doc, Row: rowKey("other")}, store.Ref{Dossier: a, Row: row}},
	} {
		if d := claimRefused(t, s, opening(b, store.TokenPut{Token: token("free")}, test.claim)); d.Token != test.claim.Token || d.Holder != test.holder {
			t.Errorf("%x: %+v", test.claim, d)
		}
	}
	if _, err := s.Header(context.Background(), b); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the refused dossier: %v", err)
	}
	if refs := lookup(t, s, token("free")); len(refs) != 0 {
		t.Errorf("the claim beside the refused one leads to %x", refs)
	}
	commit(t, s, opening(b, store.TokenPut{Token: token("free")}))
}

// testClaimRace: many dossiers want one token at the same moment; one gets it, and
// all others are told who.
func testClaimRace(t *testing.T, e Engine) {
	s := open(t, e)
	for round := range 10 {
		tok := token("wanted %d", round)
		var winners atomic.Int32
		lost := make([]*store.DuplicateError, 16)
		together(t, len(lost), func(i int) error {
			err := s.Commit(context.Background(), opening(dossier("%d %d", round, i), store.TokenPut{Token: tok}))
			if err == nil {
				winners.Add(1)
				return nil
			}
			if !errors.As(err, &lost[i]) {
				return fmt.Errorf("got %w, want a DuplicateError", err)
			}
			return nil
		})
		refs := lookup(t, s, tok)
		if winners.Load() != 1 || len(refs) != 1 {
			t.Fatalf("%d winners, holders %x", winners.Load(), refs)
		}
		for _, l := range lost {
			if l != nil && (l.Holder != refs[0] || l.Token != tok) {
				t.Fatalf("told %+v, holder is %x", l, refs[0])
			}
		}
	}
}

// testDropAndClaim: in one Tx, a token moves from a row to another.
func testDropAndClaim(t *testing.T, e Engine) {
	s := open(t, e)
	a, b := dossier("a"), dossier("b")
	tok := token("t")
	from, to := store.TokenPut{Token: tok, Row: rowKey("old")}, store.TokenPut{Token: tok, Row: rowKey("new")}
	commit(t, s, opening(a, from))
	commit(t, s, opening(b))
	expect := func(want ...store.Ref) {
		t.Helper()
		if refs := lookup(t, s, tok); fmt.Sprint(refs) != fmt.Sprint(want) {
			t.Fatalf("leads to %x, want %x", refs, want)
		}
	}

	commit(t, s, store.Tx{Dossier: a, Expect: 1, Header: active(), Drops: []store.TokenPut{from}, Claims: []store.TokenPut{to}})
	expect(store.Ref{Dossier: a, Row: to.Row})
	// Dropping what is not held so (another dossier, another row) drops nothing.
	commit(t, s, store.Tx{Dossier: b, Expect: 1, Header: active(), Drops: []store.TokenPut{to}})
	commit(t, s, store.Tx{Dossier: a, Expect: 2, Header: active(), Drops: []store.TokenPut{from}})
	expect(store.Ref{Dossier: a, Row: to.Row})
	// A drop of a refused commit is undone.
	refused(t, s, store.Tx{Dossier: a, Expect: 9, Header: active(), Drops: []store.TokenPut{to}}, store.ErrConflict)
	expect(store.Ref{Dossier: a, Row: to.Row})
	// Dropped and claimed again by the same row.
	commit(t, s, store.Tx{Dossier: a, Expect: 3, Header: active(), Drops: []store.TokenPut{to}, Claims: []store.TokenPut{to}})
	expect(store.Ref{Dossier: a, Row: to.Row})
	// Dropped, it is free for anybody.
	commit(t, s, store.Tx{Dossier: a, Expect: 4, Header: active(), Drops: []store.TokenPut{to}})
	expect()
	commit(t, s, store.Tx{Dossier: b, Expect: 2, Header: active(), Claims: []store.TokenPut{from}})
	expect(store.Ref{Dossier: b, Row: from.Row})
}

func testFinds(t *testing.T, e Engine) {
	s := open(t, e)
	a, b := dossier("a"), dossier("b")
	tok := token("t")
	of := func(rows ...string) []store.TokenPut {
		var list []store.TokenPut
		for _, r := range rows {
			list = append(list, store.TokenPut{Token: tok, Row: rowKey("%s", r)})
		}
		return list
	}
	commit(t, s, store.Tx{Dossier: a, Header: active(), Finds: of("1", "2", "2")})
	commit(t, s, store.Tx{Dossier: b, Header: active(), Finds: append(of("1"), store.TokenPut{Token: tok})})
	commit(t, s, store.Tx{Dossier: b, Expect: 1, Header: active(), Finds: of("1")})
	if refs := lookup(t, s, tok); len(refs) != 4 {
		t.Fatalf("leads to %x", refs)
	}
	commit(t, s, store.Tx{Dossier: a, Expect: 1, Header: active(), Drops: of("1", "none")})
	if refs := lookup(t, s, tok); len(refs) != 3 {
		t.Fatalf("after a drop, leads to %x", refs)
	}
	// A token may be claimed by one and found by others, or by the same.
	commit(t, s, store.Tx{Dossier: a, Expect: 2, Header: active(), Claims: append(of("2"), store.TokenPut{Token: token("u"), Row: rowKey("9")}), Finds: []store.TokenPut{{Token: token("u"), Row: rowKey("8")}}})
	if refs := lookup(t, s, tok); len(refs) != 3 {
		t.Fatalf("claimed and found by one row, leads to %x", refs)
	}
	if refs := lookup(t, s, token("u")); len(refs) != 2 {
		t.Fatalf("claimed by one row and found by another, leads to %x", refs)
	}
	// A drop takes away both.
	commit(t, s, store.Tx{Dossier: a, Expect: 3, Header: active(), Drops: of("2")})
	if refs := lookup(t, s, tok); len(refs) != 2 {
		t.Fatalf("after the last drop, leads to %x", refs)
	}
}
