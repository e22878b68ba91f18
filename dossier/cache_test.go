package dossier

import (
	"testing"

	"opendmp/store"
	"opendmp/vault"
)

// rowsAt makes rows by their versions.
func rowsAt(versions ...int64) []*row {
	var rows []*row
	for i, v := range versions {
		rows = append(rows, &row{key: store.RowKey{byte(i + 1)}, typ: "Observation", version: v})
	}
	return rows
}

func at(version int64, key int32, state store.State, rows []*row) *loaded {
	return newLoaded(store.Dossier{1}, store.Header{Version: version, State: state, Key: key}, &vault.Ring{}, rows)
}

// Bodies outlive a commit that leaves their rows alone, and nothing else: not a new
// version, not a deletion, not an erasure, not a new key.
func TestBodiesEnd(t *testing.T) {
	deleted := rowsAt(1, 1)
	deleted[0].deleted = true
	for name, c := range map[string]struct {
		next *loaded
		held int
	}{
		"another row is new": {at(2, 1, store.Active, rowsAt(1, 1, 1)), 2},
		"closed":             {at(2, 1, store.Closed, rowsAt(1, 1)), 2},
		"a new version":      {at(2, 1, store.Active, rowsAt(2, 1)), 1},
		"deleted":            {at(2, 1, store.Active, deleted), 1},
		"erased":             {at(2, 1, store.Active, rowsAt(1)), 1},
		"a new key":          {at(2, 2, store.Active, rowsAt(1, 1)), 0},
		"destroyed":          {at(2, 1, store.Destroyed, nil), 0},
	} {
		t.Run(name, func(t *testing.T) {
			cache := newCache(100, 1<<10)
			first := at(1, 1, store.Active, rowsAt(1, 1))
			cache.put(first)
			cache.putBodies(first, first.rows, [][]byte{[]byte("one"), []byte("two")})
			cache.put(c.next)
			held := func() (n int) {
				for _, b := range cache.bodiesOf(c.next, c.next.rows) {
					if b != nil {
						n++
					}
				}
				return n
			}
			if n := held(); n != c.held {
				t.Errorf("%d are held, want %d", n, c.held)
			}
			if want := c.held * (3 + bodyOverhead); cache.bodies.held != want {
				t.Errorf("%d bytes, want %d", cache.bodies.held, want)
			}
			// A request that began before the commit brings nothing back.
			cache.putBodies(first, first.rows, [][]byte{[]byte("one"), []byte("two")})
			cache.put(first)
			if n := held(); n != c.held || cache.bodies.held != c.held*(3+bodyOverhead) {
				t.Errorf("%d are held after a late one, want %d", n, c.held)
			}
		})
	}
}

// A request is given the bodies of its own versions: one that began before a commit
// gets none of those after it, nor the other way round.
func TestBodiesAreOfTheirVersion(t *testing.T) {
	cache := newCache(100, 1<<10)
	before, after := at(1, 1, store.Active, rowsAt(1, 1)), at(2, 1, store.Active, rowsAt(2, 1))
	cache.put(after)
	cache.putBodies(after, after.rows, [][]byte{[]byte("new"), []byte("same")})
	for _, c := range []struct {
		d    *loaded
		want [2]string
	}{{before, [2]string{"", "same"}}, {after, [2]string{"new", "same"}}, {at(3, 1, store.Active, rowsAt(3, 1)), [2]string{"", "same"}}} {
		got := cache.bodiesOf(c.d, c.d.rows)
		if [2]string{string(got[0]), string(got[1])} != c.want {
			t.Errorf("version %d: %q, want %q", c.d.header.Version, got, c.want)
		}
	}
}

// Keys are those of the header's key number, and of no dossier that is destroyed.
func TestRingsEnd(t *testing.T) {
	cache := newCache(100, 0)
	active := at(1, 1, store.Active, rowsAt(1))
	cache.put(active)
	for name, c := range map[string]struct {
		h    store.Header
		want *vault.Ring
	}{
		"the same":      {active.header, active.ring},
		"changed":       {store.Header{Version: 2, State: store.Active, Key: 1}, active.ring},
		"closed":        {store.Header{Version: 2, State: store.Closed, Key: 1}, active.ring},
		"a new key":     {store.Header{Version: 2, State: store.Active, Key: 2}, nil},
		"destroyed":     {store.Header{Version: 2, State: store.Destroyed, Key: 1}, nil},
		"not a dossier": {store.Header{}, nil},
	} {
		if got := cache.ring(active.id, c.h); got != c.want {
			t.Errorf("%s: held: %v", name, got != nil)
		}
	}
	cache.put(at(2, 1, store.Destroyed, nil))
	if _, ok := cache.rings.get(active.id); ok {
		t.Error("the keys of a destroyed dossier are held")
	}
}
