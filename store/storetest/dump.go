package storetest

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"opendmp/store"
)

// Copyable is an engine that can be dumped and loaded.
type Copyable interface {
	store.Store
	store.Dumper
	store.Loader
}

// RunDump runs the suite of Dump and Load. It is apart from Run because no server
// needs either. fresh is that of Run; its engines must be Copyable.
func RunDump(t *testing.T, fresh func(t *testing.T) Engine) {
	for name, test := range map[string]func(*testing.T, Copyable, func() Copyable){
		"Order": testDumpOrder, "Resume": testDumpResume, "Load": testLoad,
		"LoadAtOnce": testLoadAtOnce, "LoadAllOrNothing": testLoadAllOrNothing, "Empty": testDumpEmpty,
	} {
		t.Run(name, func(t *testing.T) {
			another := func() Copyable { return copyable(t, open(t, fresh(t))) }
			test(t, another(), another)
		})
	}
}

func copyable(t *testing.T, s store.Store) Copyable {
	t.Helper()
	c, ok := s.(Copyable)
	if !ok {
		t.Fatalf("%T has no Dump and Load", s)
	}
	return c
}

// fill writes two dossiers that have everything, and what is hard to order: empty
// and equal names, a state that begins another, a row of many versions.
func fill(t *testing.T, s store.Store) world {
	t.Helper()
	ctx := context.Background()
	labels := map[string]store.Dossier{"a": dossier("a"), "b": dossier("b")}
	for label, d := range labels {
		for _, id := range []store.ContentID{content("%s upload", label), content("%s unadopted", label)} {
			if err := s.Upload(ctx, d, id, strings.NewReader("uploaded "+label)); err != nil {
				t.Fatal(err)
			}
		}
		commit(t, s, full(d, label))
	}
	again := store.Tx{Dossier: dossier("a"), Expect: 1, Header: store.Header{State: store.Closed, Key: 2}}
	for n := range int64(300) {
		again.Puts = append(again.Puts, put(rowKey("a first"), n+2))
	}
	commit(t, s, again)
	for _, e := range []store.StateEntry{{}, {Kind: "k"}, {Kind: "k", Key: "\x00"}, {Kind: "k\x00"}, {Kind: "kk", Key: "é"}, {Kind: "old", Expires: noon()}} {
		commit(t, s, store.Tx{Expect: store.Any, State: []store.StateEntry{e}})
	}
	w := worldOf(labels)
	w.kinds = append(w.kinds, "", "k", "k\x00", "kk", "old")
	return w
}

func dumpAll(t *testing.T, s store.Dumper, after store.Place) []store.Item {
	t.Helper()
	return all(t, s.Dump(context.Background(), after))
}

// loadAll loads items as a copy does: uploads first.
func loadAll(t *testing.T, from store.Store, to Copyable, items []store.Item) error {
	t.Helper()
	ctx := context.Background()
	for _, item := range items {
		c, ok := item.(store.ContentItem)
		if !ok || c.Sealed != nil {
			continue
		}
		data, _ := read(t, from, c.Dossier, c.ID)
		if err := to.Upload(ctx, c.Dossier, c.ID, strings.NewReader(string(data))); err != nil {
			t.Fatal(err)
		}
	}
	return to.Load(ctx, items)
}

// Each part is there, and every place is after the one before.
func testDumpOrder(t *testing.T, s Copyable, _ func() Copyable) {
	fill(t, s)
	seen := map[store.Part]int{}
	var last store.Place
	for _, item := range dumpAll(t, s, store.Place{}) {
		p := item.Place()
		if last.Compare(p) >= 0 {
			t.Errorf("%v %x is not after %v %x", p.Part, p.Key, last.Part, last.Key)
		}
		last = p
		seen[p.Part]++
	}
	want := map[store.Part]int{
		store.Versions: 304, store.Rows: 4, store.Contents: 4, store.Claims: 4, store.Finds: 4,
		store.Keys: 4, store.Events: 4, store.States: 10, store.Headers: 2,
	}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("items: %v, want %v", seen, want)
	}
}

// A dump that goes on after any place gives what was left, and nothing twice.
func testDumpResume(t *testing.T, s Copyable, _ func() Copyable) {
	fill(t, s)
	whole := dumpAll(t, s, store.Place{})
	for n, item := range whole {
		if n%50 != 0 && n < 304 {
			continue // versions of one row
		}
		if rest := dumpAll(t, s, item.Place()); !reflect.DeepEqual(rest, whole[n+1:]) && len(rest)+len(whole[n+1:]) > 0 {
			t.Fatalf("after item %d of %d: %d items, the first %v", n, len(whole), len(rest), rest[:min(1, len(rest))])
		}
	}
	for _, key := range []string{"short", strings.Repeat("x", 100)} {
		for _, err := range s.Dump(context.Background(), store.Place{Part: store.Versions, Key: key}) {
			if err == nil {
				t.Errorf("a place that no version can have: an item")
			}
			break
		}
	}
}

// What was loaded is what was dumped, read in every way.
func testLoad(t *testing.T, s Copyable, another func() Copyable) {
	w := fill(t, s)
	to := another()
	items := dumpAll(t, s, store.Place{})
	for start := 0; start < len(items); start += 7 {
		if err := loadAll(t, s, to, items[start:min(start+7, len(items))]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := different(dump(t, to, w), dump(t, s, w)); diff != "" {
		t.Error(diff)
	}
	if got := dumpAll(t, to, store.Place{}); !reflect.DeepEqual(got, items) {
		t.Errorf("%d items came back from %d, or others", len(got), len(items))
	}
	// The copy is one to go on with.
	commit(t, to, store.Tx{Dossier: dossier("a"), Expect: 2, Header: active(), Puts: []store.Put{put(rowKey("a first"), 302)}})
	claimRefused(t, to, store.Tx{Dossier: dossier("c"), Header: active(), Claims: []store.TokenPut{{Token: token("a claim")}}})
}

// A number that an event has got stays.
func testLoadAtOnce(t *testing.T, s Copyable, another func() Copyable) {
	fill(t, s)
	items := dumpAll(t, s, store.Place{})
	for n, item := range items {
		if e, ok := item.(store.EventItem); ok {
			e.Pending = e.ID == eventID("a one")
			items[n] = e
		}
	}
	to := another()
	if err := loadAll(t, s, to, items); err != nil {
		t.Fatal(err)
	}
	if pending := one[[]store.Event](t)(to.Pending(context.Background(), 10)); len(pending) != 1 || pending[0].ID != eventID("a one") {
		t.Errorf("pending: %v", pending)
	}
	if got := dumpAll(t, to, store.Place{}); !reflect.DeepEqual(got, items) {
		t.Error("other items came back")
	}
}

// An item whose place is taken, or a content that was not uploaded, leaves nothing
// of its batch; a state entry replaces the one there.
func testLoadAllOrNothing(t *testing.T, s Copyable, another func() Copyable) {
	fill(t, s)
	ctx := context.Background()
	items := dumpAll(t, s, store.Place{})
	if err := s.Load(ctx, nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
	tried := map[store.Part]bool{}
	for _, item := range items {
		part := item.Place().Part
		if c, ok := item.(store.ContentItem); tried[part] || part == store.States || ok && c.Sealed == nil {
			continue
		}
		tried[part] = true
		to := another()
		if err := to.Load(ctx, []store.Item{item}); err != nil {
			t.Fatalf("%v: %v", part, err)
		}
		other := store.StateItem{StateEntry: store.StateEntry{Kind: "new", Rev: 1}}
		if err := to.Load(ctx, []store.Item{other, item}); !errors.Is(err, store.ErrDuplicate) {
			t.Errorf("%v again: %v", part, err)
		}
		if got := dumpAll(t, to, store.Place{}); len(got) != 1 {
			t.Errorf("%v again: %d items", part, len(got))
		}
	}
	to := another()
	missing := store.ContentItem{Dossier: dossier("a"), Content: store.Content{ID: content("missing")}}
	state := func(value string, rev int64, at time.Time) store.Item {
		return store.StateItem{StateEntry: store.StateEntry{Kind: "copy", Value: []byte(value), Rev: rev, Expires: at}}
	}
	if err := to.Load(ctx, []store.Item{state("x", 1, time.Time{}), missing}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a content that was not uploaded: %v", err)
	}
	for rev, want := range []store.Item{state("x", 1, time.Time{}), state("y", 9, noon()), state("", 2, time.Time{})} {
		if err := to.Load(ctx, []store.Item{want}); err != nil {
			t.Fatal(err)
		}
		if got := dumpAll(t, to, store.Place{}); len(got) != 1 || got[0].(store.StateItem).Rev != want.(store.StateItem).Rev {
			t.Errorf("state %d: %v", rev, got)
		}
	}
}

// An empty store has no items, and an upload that nobody adopted is none.
func testDumpEmpty(t *testing.T, s Copyable, _ func() Copyable) {
	if err := s.Upload(context.Background(), dossier("a"), content("x"), io.LimitReader(strings.NewReader("xyz"), 2)); err != nil {
		t.Fatal(err)
	}
	if items := dumpAll(t, s, store.Place{}); len(items) > 0 {
		t.Errorf("%v", items)
	}
	if items := dumpAll(t, s, store.Place{Part: store.Headers}); len(items) > 0 {
		t.Errorf("%v", items)
	}
}
