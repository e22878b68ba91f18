package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/store"
)

// testModel makes random commits, uploads and collections in a small world, where
// most collide, and demands of each the outcome of the model, and of the whole
// the same facts.
func testModel(t *testing.T, e Engine) {
	const steps = 600
	s, m := open(t, e), newModel()
	g := generator{rand.New(rand.NewPCG(7, 7)), m}
	outcomes := map[string]int{}
	for step := range steps {
		what, got, want := g.step(s)
		outcomes[want]++
		if got != want {
			t.Fatalf("step %d, %s:\ngot  %s\nwant %s", step, what, got, want)
		}
		if step%40 == 39 {
			if diff := different(dump(t, s, g.world()), dump(t, m, g.world())); diff != "" {
				t.Fatalf("after step %d, %s: %s", step, what, diff)
			}
		}
	}
	for _, o := range []string{"done", "conflict", "duplicate", "not found", "held by"} {
		n := 0
		for outcome, times := range outcomes {
			if strings.HasPrefix(outcome, o) {
				n += times
			}
		}
		if n < steps/50 {
			t.Errorf("only %d of %d steps end with %q: %v", n, steps, o, outcomes)
		}
	}
}

// outcome names an error, so that those of two stores can be compared.
func outcome(err error) string {
	var d *store.DuplicateError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &d):
		return fmt.Sprintf("held by %x: %x", d.Holder, d.Token)
	case errors.Is(err, store.ErrDuplicate):
		return "duplicate"
	case errors.Is(err, store.ErrConflict):
		return "conflict"
	case errors.Is(err, store.ErrNotFound):
		return "not found"
	case errors.Is(err, store.ErrUnavailable):
		return "unavailable: " + err.Error()
	}
	return "invalid"
}

// generator makes steps that have a fair chance to succeed, because it knows the
// model.
type generator struct {
	*rand.Rand
	m *model
}

func (g generator) world() world {
	var w world
	for i := range 3 {
		w.dossiers = append(w.dossiers, dossier("%d", i))
		w.kinds = append(w.kinds, fmt.Sprint("kind ", i))
	}
	for i := range 8 {
		w.tokens = append(w.tokens, token("%d", i))
		w.contents = append(w.contents, content("%d", i))
	}
	w.actors = []store.Token{token("0"), token("1")}
	return w
}

// once in n times.
func (g generator) once(n int) bool { return g.IntN(n) == 0 }

// step does one thing to the store and to the model, and names both outcomes.
func (g generator) step(s store.Store) (what, got, want string) {
	ctx := context.Background()
	switch {
	case g.once(6):
		d, id := g.dossier(), g.content()
		data := fmt.Sprint("uploaded ", g.Uint32())
		return fmt.Sprintf("upload %x %x", d, id),
			outcome(s.Upload(ctx, d, id, strings.NewReader(data))),
			outcome(g.m.Upload(ctx, d, id, strings.NewReader(data)))
	case g.once(30):
		now, before := g.moment(), g.moment()
		n1, err1 := s.Collect(ctx, now, before)
		n2, err2 := g.m.Collect(ctx, now, before)
		return fmt.Sprintf("collect %v %v", now, before), fmt.Sprint(n1, outcome(err1)), fmt.Sprint(n2, outcome(err2))
	}
	tx := g.tx()
	return fmt.Sprintf("commit %+v", tx), outcome(s.Commit(ctx, tx)), outcome(g.m.Commit(ctx, tx))
}

func (g generator) dossier() store.Dossier   { return dossier("%d", g.IntN(3)) }
func (g generator) row() store.RowKey        { return rowKey("%d", g.IntN(3)) }
func (g generator) content() store.ContentID { return content("%d", g.IntN(8)) }

// moment is far from now on either side, so that the clocks of two stores agree.
func (g generator) moment() time.Time {
	return time.Now().Add(time.Duration(2*g.IntN(2)-1) * time.Hour)
}

func (g generator) tokens() []store.TokenPut {
	var list []store.TokenPut
	for g.once(4) {
		list = append(list, store.TokenPut{Token: token("%d", g.IntN(8)), Row: g.row()})
	}
	return list
}

func (g generator) tx() store.Tx {
	d := g.dossier()
	tx := store.Tx{Dossier: d, Expect: g.m.facts.headers[d].Version, Header: store.Header{State: store.State(1 + g.IntN(3)), Key: int32(1 + g.IntN(9))}}
	if g.once(12) {
		tx.Expect += int64(g.IntN(3)) - 1
	}
	for g.once(3) {
		tx.Events = append(tx.Events, g.event())
	}
	for g.once(4) {
		tx.State = append(tx.State, g.entry())
	}
	for g.once(8) {
		tx.Unset = append(tx.Unset, g.entry())
	}
	if g.once(8) {
		tx.Expect = store.Any
		return tx
	}
	for g.once(6) {
		tx.Erase = append(tx.Erase, g.row())
	}
	for g.once(2) {
		tx.Puts = append(tx.Puts, g.put(d, tx.Erase))
	}
	for g.once(4) {
		tx.Contents = append(tx.Contents, g.sealed())
	}
	for g.once(6) {
		tx.Keys = append(tx.Keys, store.KeyRecord{Dossier: d, Kind: uint8(g.IntN(2)), Number: int32(g.IntN(40)), Epoch: int32(g.IntN(3)), Wrapped: []byte("wrapped")})
	}
	tx.Drops, tx.Claims, tx.Finds = append(g.tokens(), g.tokens()...), g.tokens(), g.tokens()
	return tx
}

// event has an id that decides the rest: engines need not know one id under two
// dossiers or instants.
func (g generator) event() store.Event {
	id := eventID("%d", g.IntN(300))
	return store.Event{
		ID:       id,
		Dossier:  dossier("%d", id[0]%3),
		Recorded: noon().Add(time.Duration(id[1] % 5)),
		Class:    id[2],
		Actor:    token("%d", id[3]%2),
		Sealed:   fmt.Append(nil, g.Uint32()),
	}
}

func (g generator) put(d store.Dossier, erased []store.RowKey) store.Put {
	p := put(g.row(), 0)
	p.Version = int64(len(g.m.facts.rows[store.RowID{Dossier: d, Row: p.Row}])) + 1
	if slices.Contains(erased, p.Row) {
		p.Version = 1
	}
	if g.once(12) {
		p.Version += int64(g.IntN(3)) - 1
	}
	p.Deleted = g.once(5)
	p.Summary, p.Body = fmt.Append(nil, g.Uint32()), fmt.Append(nil, g.Uint32())
	return p
}

func (g generator) sealed() store.Content {
	c := store.Content{ID: g.content(), Owner: g.row(), Sealed: []byte("inline")}
	if g.once(2) {
		c.Sealed = nil
	}
	return c
}

func (g generator) entry() store.StateEntry {
	e := store.StateEntry{Kind: fmt.Sprint("kind ", g.IntN(3)), Key: fmt.Sprint("key ", g.IntN(4)), Value: fmt.Append(nil, g.Uint32())}
	e.Rev = g.m.facts.state[entryName{e.Kind, e.Key}].Rev
	if g.once(5) {
		e.Rev = int64(g.IntN(3))
	}
	if g.once(2) {
		e.Expires = g.moment()
	}
	return e
}
