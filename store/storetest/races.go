package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"

	"opendmp/store"
)

// together runs f in n goroutines and fails the test with their errors.
func together(t testing.TB, n int, f func(i int) error) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func counter(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func count(body []byte) int64 { return int64(binary.BigEndian.Uint64(body)) }

// testNoLostUpdate: sixteen writers each add one, fifty times, to a counter that
// they read first; the sum is right and the versions have no gap.
func testNoLostUpdate(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d, row := dossier("a"), rowKey("counter")
	first := put(row, 1)
	first.Body = counter(0)
	commit(t, s, store.Tx{Dossier: d, Header: active(), Puts: []store.Put{first}})

	const writers, rounds = 16, 50
	together(t, writers, func(int) error {
		for range rounds {
			if err := increment(ctx, s, d, row); err != nil {
				return err
			}
		}
		return nil
	})

	h := one[store.Header](t)(s.Header(ctx, d))
	body := one[[][]byte](t)(s.Bodies(ctx, d, []store.BodyRef{{Row: row, Version: h.Version}}))
	if h.Version != 1+writers*rounds || count(body[0]) != writers*rounds {
		t.Fatalf("version %d, counter %d after %d increments", h.Version, count(body[0]), writers*rounds)
	}
	for i, v := range all(t, s.Versions(ctx, store.RowID{Dossier: d, Row: row})) {
		if v.Version != h.Version-int64(i) {
			t.Fatalf("version %d stands at place %d", v.Version, i)
		}
	}
}

// increment adds one to the counter in a row whose version follows the header's,
// and tries again as often as another was quicker.
func increment(ctx context.Context, s store.Store, d store.Dossier, row store.RowKey) error {
	for {
		h, err := s.Header(ctx, d)
		if err != nil {
			return err
		}
		bodies, err := s.Bodies(ctx, d, []store.BodyRef{{Row: row, Version: h.Version}})
		if err != nil {
			return err
		}
		p := put(row, h.Version+1)
		p.Body = counter(count(bodies[0]) + 1)
		err = s.Commit(ctx, store.Tx{Dossier: d, Expect: h.Version, Header: active(), Puts: []store.Put{p}})
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// testNoHalfCommit: each commit writes the same number everywhere; readers look
// for two numbers at once, and for what a reader who knows one must find.
func testNoHalfCommit(t *testing.T, e Engine) {
	s := open(t, e)
	const rounds, readers = 150, 4
	d := dossier("a")
	keys := make([]store.RowKey, 20)
	for i := range keys {
		keys[i] = rowKey("%d", i)
	}
	write := func(n int64) error {
		tx := store.Tx{
			Dossier: d, Expect: n - 1, Header: active(),
			Events: []store.Event{event(d, fmt.Sprint("n", n), noon())},
			State:  []store.StateEntry{{Kind: "n", Key: "n", Value: counter(n), Rev: n - 1}},
			Finds:  []store.TokenPut{{Token: token("%d", n), Row: keys[0]}, {Token: token("%d", n), Row: keys[1]}},
		}
		for _, k := range keys {
			tx.Puts = append(tx.Puts, put(k, n))
		}
		return s.Commit(context.Background(), tx)
	}
	if err := write(1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	together(t, readers+1, func(i int) error {
		if i == 0 {
			defer cancel()
			for n := int64(2); n <= rounds; n++ {
				if err := write(n); err != nil {
					return err
				}
			}
			return nil
		}
		for ctx.Err() == nil {
			if err := sameNumber(s, d, keys); err != nil {
				return err
			}
		}
		return nil
	})
}

// sameNumber reads a commit of testNoHalfCommit in all the ways there are.
func sameNumber(s store.Store, d store.Dossier, keys []store.RowKey) error {
	ctx := context.Background()
	h, err := s.Header(ctx, d)
	if err != nil {
		return err
	}
	n, seen := int64(0), 0
	for r, err := range s.Rows(ctx, d) {
		if err != nil {
			return err
		}
		if seen > 0 && r.Version != n {
			return fmt.Errorf("rows of versions %d and %d in one snapshot", n, r.Version)
		}
		n, seen = r.Version, seen+1
	}
	if seen != len(keys) || n < h.Version {
		return fmt.Errorf("%d rows of version %d after header %d", seen, n, h.Version)
	}
	bodies, err := s.Bodies(ctx, d, []store.BodyRef{{Row: keys[0], Version: n}, {Row: keys[len(keys)-1], Version: n}})
	if err != nil {
		return err
	}
	if bodies[0] == nil || bodies[1] == nil {
		return fmt.Errorf("rows of version %d without bodies", n)
	}
	refs, err := s.Lookup(ctx, token("%d", n))
	if err != nil {
		return err
	}
	if len(refs) != 2 {
		return fmt.Errorf("version %d: %d of its two tokens", n, len(refs))
	}
	entry, err := s.State(ctx, "n", "n")
	if err != nil {
		return err
	}
	if count(entry.Value) < n || entry.Rev != count(entry.Value) {
		return fmt.Errorf("version %d: entry %d at revision %d", n, count(entry.Value), entry.Rev)
	}
	events, err := s.Events(ctx, d, store.Cursor{}, 10_000)
	if err != nil {
		return err
	}
	if int64(len(events)) < n {
		return fmt.Errorf("version %d: %d events", n, len(events))
	}
	return nil
}

// testReadYourWrites: what a returned commit wrote, every later read sees, from
// any goroutine.
func testReadYourWrites(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	together(t, 8, func(i int) error {
		d := dossier("%d", i)
		for n := int64(1); n <= 20; n++ {
			if err := s.Commit(ctx, store.Tx{Dossier: d, Expect: n - 1, Header: active(), Puts: []store.Put{put(rowKey("r"), n)}}); err != nil {
				return err
			}
			h, err := s.Header(ctx, d)
			if err != nil || h.Version != n {
				return fmt.Errorf("wrote %d, read %d, %w", n, h.Version, err)
			}
			for r, err := range s.Rows(ctx, d) {
				if err != nil || r.Version != n {
					return fmt.Errorf("wrote %d, read %d, %w", n, r.Version, err)
				}
			}
		}
		return nil
	})
}
