package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/store"
)

// calls is every method, as a call that has an outcome.
func calls(s store.Store) map[string]func(context.Context) error {
	d := dossier("a")
	return map[string]func(context.Context) error{
		"Commit":       func(ctx context.Context) error { return s.Commit(ctx, opening(dossier("late"))) },
		"Commit event": func(ctx context.Context) error { return s.Commit(ctx, store.Tx{Expect: store.Any}) },
		"Header":       func(ctx context.Context) error { return second(s.Header(ctx, d)) },
		"Rows":         func(ctx context.Context) error { return only(s.Rows(ctx, d)) },
		"Bodies": func(ctx context.Context) error {
			return second(s.Bodies(ctx, d, []store.BodyRef{{Row: rowKey("r"), Version: 1}}))
		},
		"Versions": func(ctx context.Context) error {
			return only(s.Versions(ctx, store.RowID{Dossier: d, Row: rowKey("r")}))
		},
		"Lookup":    func(ctx context.Context) error { return second(s.Lookup(ctx, token("t"))) },
		"Keys":      func(ctx context.Context) error { return second(s.Keys(ctx, d)) },
		"Events":    func(ctx context.Context) error { return second(s.Events(ctx, d, store.Cursor{}, 1)) },
		"EventsOf":  func(ctx context.Context) error { return second(s.EventsOf(ctx, token("t"), store.Cursor{}, 1)) },
		"Pending":   func(ctx context.Context) error { return second(s.Pending(ctx, 1)) },
		"Upload":    func(ctx context.Context) error { return s.Upload(ctx, d, content("late"), strings.NewReader("x")) },
		"Content":   func(ctx context.Context) error { return second(s.Content(ctx, d, content("c"))) },
		"Collect":   func(ctx context.Context) error { return second(s.Collect(ctx, time.Now(), time.Now())) },
		"State":     func(ctx context.Context) error { return second(s.State(ctx, "k", "x")) },
		"StateList": func(ctx context.Context) error { return second(s.StateList(ctx, "k", "", 1)) },
	}
}

// only gives the error of an iterator that yields nothing else.
func only[T any](seq func(func(T, error) bool)) error {
	n, last := 0, error(nil)
	for _, err := range seq {
		n, last = n+1, err
	}
	if n > 1 {
		return fmt.Errorf("yields %d times, last %w", n, last)
	}
	return last
}

// seed writes what calls reads, so that none fails for want of data.
func seed(t testing.TB, s store.Store) {
	t.Helper()
	commit(t, s, store.Tx{
		Dossier: dossier("a"), Header: active(),
		Puts:     []store.Put{put(rowKey("r"), 1)},
		Contents: []store.Content{{ID: content("c"), Sealed: []byte("x")}},
		State:    []store.StateEntry{{Kind: "k", Key: "x"}},
	})
}

func testCancelled(t *testing.T, e Engine) {
	s := open(t, e)
	seed(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, call := range calls(s) {
		if err := call(ctx); !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want ErrUnavailable and the context's error", name, err)
		}
	}
	if _, err := s.Header(context.Background(), dossier("late")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the cancelled commit: %v", err)
	}
	// Nothing is left behind that would spoil the same calls, done properly.
	for name, call := range calls(s) {
		if err := call(context.Background()); err != nil {
			t.Errorf("%s, afterwards: %v", name, err)
		}
	}
}

func testClosed(t *testing.T, e Engine) {
	s := e.Open(t)
	seed(t, s)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	for name, call := range calls(s) {
		if err := call(context.Background()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: got %v, want ErrUnavailable", name, err)
		}
	}
}

// testCloseUnderLoad: what was acknowledged before and during Close is there
// afterwards. Of the commit that was told ErrUnavailable, all or nothing is.
func testCloseUnderLoad(t *testing.T, e Engine) {
	s := e.Open(t)
	var mu sync.Mutex
	acknowledged := map[store.Dossier]int64{}
	closing := make(chan struct{})
	together(t, 9, func(i int) error {
		if i == 8 {
			<-closing
			return s.Close()
		}
		d := dossier("%d", i)
		for n := int64(1); ; n++ {
			err := s.Commit(context.Background(), store.Tx{Dossier: d, Expect: n - 1, Header: active(), Puts: []store.Put{put(rowKey("r"), n)}})
			if errors.Is(err, store.ErrUnavailable) {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			acknowledged[d] = n
			mu.Unlock()
			if i == 0 && n == 20 {
				close(closing)
			}
		}
	})
	s = open(t, e)
	for d, n := range acknowledged {
		h := one[store.Header](t)(s.Header(context.Background(), d))
		versions := all(t, s.Versions(context.Background(), store.RowID{Dossier: d, Row: rowKey("r")}))
		if h.Version < n || h.Version > n+1 || len(versions) != int(h.Version) {
			t.Errorf("acknowledged %d, found header %d and %d versions", n, h.Version, len(versions))
		}
	}
}
