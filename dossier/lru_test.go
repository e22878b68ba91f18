package dossier

import (
	"slices"
	"testing"
)

func TestLRU(t *testing.T) {
	l := newLRU[string, int](10)
	held := func(want ...string) {
		t.Helper()
		var got []string
		for e := l.order.Front(); e != nil; e = e.Next() {
			got = append(got, e.Value.(*kept[string, int]).key)
		}
		if !slices.Equal(got, want) || len(l.byKey) != len(want) {
			t.Errorf("held %v, %d by key, want %v", got, len(l.byKey), want)
		}
	}
	l.put("a", 1, 4)
	l.put("b", 2, 4)
	if v, ok := l.get("a"); !ok || v != 1 {
		t.Errorf("a is %d, %v", v, ok)
	}
	held("a", "b")
	l.put("c", 3, 4)
	held("c", "a") // b was not used for longest
	l.put("c", 4, 8)
	held("c")
	l.put("d", 5, 100)
	held("d") // alone, whatever it weighs
	l.put("e", 6, 1)
	held("e")
	l.drop("e")
	l.drop("nothing")
	held()
	if l.held != 0 {
		t.Errorf("%d is held of nothing", l.held)
	}
}
