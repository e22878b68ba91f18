package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/store"
)

// nth gives a command one fate, when its turn comes, and tells whether it came.
func nth(n int, f fate) (decide func(command) fate, came *atomic.Bool) {
	var count atomic.Int64
	came = new(atomic.Bool)
	return func(command) fate {
		if count.Add(1) == int64(n) {
			came.Store(true)
			return f
		}
		return pass
	}, came
}

// atOnce runs f n times at the same time: what takes long here is waiting.
func atOnce(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// relayed opens an engine behind a relay of its own.
func relayed(t testing.TB, e engine, o Options) (*Store, *relay) {
	t.Helper()
	r, through := startRelay(t, e)
	return through.open(t, o), r
}

var fates = map[string]fate{"request lost": lose, "answer lost": deaf}

// lastCommand is beyond the commands of a push.
const lastCommand = 24

// TestOneLoss loses each command of a write once, or its answer: the write is done
// all the same, and once.
func TestOneLoss(t *testing.T) {
	e := fresh(t)
	ctx := context.Background()
	for what, write := range map[string]func(*Store, string) error{
		"push": func(s *Store, label string) error { return push(ctx, s, label) },
		"event": func(s *Store, label string) error {
			return s.Commit(ctx, store.Tx{Expect: store.Any, Events: []store.Event{eventNamed(label)}})
		},
		"events": func(s *Store, label string) error {
			return s.Commit(ctx, store.Tx{Expect: store.Any, Events: []store.Event{eventNamed(label), eventNamed(label + " too")}})
		},
		"entry": func(s *Store, label string) error {
			return s.Commit(ctx, store.Tx{Expect: store.Any, State: []store.StateEntry{entryNamed(label)}})
		},
	} {
		for how, f := range fates {
			t.Run(what+" "+how, func(t *testing.T) {
				var ended atomic.Bool
				atOnce(lastCommand, func(i int) {
					s, r := relayed(t, e, Options{})
					defer s.Close()
					decide, came := nth(i+1, f)
					r.rule(decide)
					label := fmt.Sprint(what, how, i)
					if err := write(s, label); err != nil {
						t.Errorf("command %d: %v", i+1, err)
					}
					r.rule(nil)
					if what == "push" {
						allOrNothing(t, s, label, nil)
					}
					if !came.Load() {
						ended.Store(true)
					}
				})
				if !ended.Load() {
					t.Error("there are more commands than were lost")
				}
			})
		}
	}
}

// TestReadLoss loses a command of each read, or its answer, or all answers to the
// commit of a snapshot but the last: it is read again.
func TestReadLoss(t *testing.T) {
	t.Parallel()
	e := fresh(t)
	direct := e.open(t, Options{})
	defer direct.Close()
	if err := push(context.Background(), direct, "x"); err != nil {
		t.Fatal(err)
	}
	type loss struct {
		name string
		n    int
		fate fate
	}
	var losses []loss
	for name := range calls(direct) {
		for _, f := range fates {
			losses = append(losses, loss{name, 1, f}, loss{name, 2, f})
		}
	}
	losses = append(losses, loss{"Rows", 3, deaf})
	atOnce(len(losses), func(i int) {
		l := losses[i]
		switch l.name {
		case "Commit", "Commit event", "Upload": // have their own test
			return
		case "Collect": // is done by the next one
			return
		}
		s, r := relayed(t, e, Options{})
		defer s.Close()
		decide, _ := nth(l.n, l.fate)
		var commits atomic.Int64
		r.rule(func(c command) fate {
			if l.n == 3 && c.name == "commitTransaction" && commits.Add(1) <= 2 {
				return l.fate
			}
			return decide(c)
		})
		if err := calls(s)[l.name](context.Background()); err != nil {
			t.Errorf("%s, command %d: %v", l.name, l.n, err)
		}
	})
}

// TestGoneAtEachStep takes the server away at each command of a push: all of it is
// there afterwards or nothing, and all if it was acknowledged.
func TestGoneAtEachStep(t *testing.T) {
	e := fresh(t)
	direct := e.open(t, Options{})
	defer direct.Close()
	for how, f := range fates {
		t.Run(how, func(t *testing.T) {
			atOnce(lastCommand, func(i int) {
				s, r := relayed(t, e, Options{Timeout: time.Second})
				defer s.Close()
				at, came := nth(i+1, f)
				r.rule(func(c command) fate {
					if came.Load() {
						return lose
					}
					return at(c)
				})
				label := fmt.Sprint(how, i)
				err := push(context.Background(), s, label)
				if came.Load() != errors.Is(err, store.ErrUnavailable) {
					t.Errorf("command %d lost: %v; got %v", i+1, came.Load(), err)
				}
				allOrNothing(t, direct, label, err)
			})
		})
	}
	collected(t, direct)
}

// TestUnknownCommit loses commits, or their answers, for a while or for good.
func TestUnknownCommit(t *testing.T) {
	for _, test := range []struct {
		name    string
		fate    fate
		times   int64
		written bool
		tries   int64 // transactions that were run; 0: some
		timeout time.Duration
	}{
		{"two requests lost", lose, 2, true, 2, 4 * time.Second},
		{"two answers lost", deaf, 2, true, 1, 4 * time.Second},
		{"one request hangs", hang, 1, true, 2, 2 * time.Second},
		{"all answers lost", deaf, 1 << 30, true, 1, 4 * time.Second},
		{"all requests lost", lose, 1 << 30, false, 0, 2 * time.Second},
		{"all requests hang", hang, 1 << 30, false, 0, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, r := relayed(t, fresh(t), Options{Timeout: test.timeout})
			defer s.Close()
			var commits, begun atomic.Int64
			r.rule(func(c command) fate {
				if start, _ := c.doc.Lookup("startTransaction").BooleanOK(); start {
					begun.Add(1)
				}
				if c.name == "commitTransaction" && commits.Add(1) <= test.times {
					return test.fate
				}
				return pass
			})
			tx := everything("x")
			tx.Contents = tx.Contents[:1]
			err := s.Commit(context.Background(), tx)
			r.rule(nil)
			if (err == nil) != test.written || (err != nil && !errors.Is(err, store.ErrUnavailable)) {
				t.Errorf("got %v", err)
			}
			if _, err := s.Header(context.Background(), tx.Dossier); errors.Is(err, store.ErrNotFound) == test.written {
				t.Errorf("header: %v", err)
			}
			if n := begun.Load(); test.tries != 0 && n != test.tries {
				t.Errorf("%d transactions", n)
			}
		})
	}
}

// TestUnknownEvents loses the commits of two events, or their answers, for a while or
// for good: acknowledged, both are there, and once.
func TestUnknownEvents(t *testing.T) {
	for _, test := range []struct {
		name    string
		fate    fate
		times   int64
		written bool
		timeout time.Duration
	}{
		{"two requests lost", lose, 2, true, 4 * time.Second},
		{"two answers lost", deaf, 2, true, 4 * time.Second},
		{"one request hangs", hang, 1, true, 2 * time.Second},
		{"all answers lost", deaf, 1 << 30, true, 4 * time.Second},
		{"all requests lost", lose, 1 << 30, false, 2 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, r := relayed(t, fresh(t), Options{Timeout: test.timeout})
			defer s.Close()
			var commits atomic.Int64
			r.rule(func(c command) fate {
				if c.name == "commitTransaction" && commits.Add(1) <= test.times {
					return test.fate
				}
				return pass
			})
			tx := store.Tx{Expect: store.Any, Events: []store.Event{eventNamed("seen"), eventNamed("withheld")}}
			err := s.Commit(context.Background(), tx)
			r.rule(nil)
			if (err == nil) != test.written || (err != nil && !errors.Is(err, store.ErrUnavailable)) {
				t.Errorf("got %v", err)
			}
			there, err := s.EventsOf(context.Background(), tx.Events[0].Actor, store.Cursor{}, 10)
			if want := map[bool]int{true: 2, false: 0}[test.written]; len(there) != want || err != nil {
				t.Errorf("%d events, %v, want %d", len(there), err, want)
			}
			// What was there before is nobody's own.
			if err := s.Commit(context.Background(), tx); test.written && !errors.Is(err, store.ErrDuplicate) {
				t.Errorf("again: %v", err)
			}
		})
	}
}

// TestClaimGone: a claim that stood in the way, and is gone when its holder is
// looked up, is no reason to refuse.
func TestClaimGone(t *testing.T) {
	t.Parallel()
	e := fresh(t)
	s, r := relayed(t, e, Options{})
	defer s.Close()
	direct := e.open(t, Options{})
	defer direct.Close()
	ctx := context.Background()
	claim := store.TokenPut{Token: store.Token(digest("wanted"))}
	tx := func(label string) store.Tx {
		return store.Tx{Dossier: dossierOf(label), Header: store.Header{State: store.Active, Key: 1}, Claims: []store.TokenPut{claim}}
	}
	if err := direct.Commit(ctx, tx("first")); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	r.rule(func(c command) fate {
		if c.name == "find" && c.collection() == "claim" {
			once.Do(func() {
				drop := store.Tx{Dossier: dossierOf("first"), Expect: 1, Header: store.Header{State: store.Active, Key: 1}, Drops: []store.TokenPut{claim}}
				if err := direct.Commit(ctx, drop); err != nil {
					t.Error(err)
				}
			})
		}
		return pass
	})
	if err := s.Commit(ctx, tx("second")); err != nil {
		t.Errorf("got %v", err)
	}
	if refs, err := s.Lookup(ctx, claim.Token); err != nil || len(refs) != 1 || refs[0].Dossier != dossierOf("second") {
		t.Errorf("held by %x, %v", refs, err)
	}
}

// calls is every method that asks the database.
func calls(s *Store) map[string]func(context.Context) error {
	d := dossierOf("x")
	row := store.RowKey(id16("row"))
	return map[string]func(context.Context) error{
		"Commit": func(ctx context.Context) error { return s.Commit(ctx, everything("late")) },
		"Commit event": func(ctx context.Context) error {
			return s.Commit(ctx, store.Tx{Expect: store.Any, Events: []store.Event{eventNamed("late")}})
		},
		"Header": func(ctx context.Context) error { return second(s.Header(ctx, d)) },
		"Rows": func(ctx context.Context) (err error) {
			for _, err = range s.Rows(ctx, d) {
			}
			return err
		},
		"Bodies": func(ctx context.Context) error {
			return second(s.Bodies(ctx, d, []store.BodyRef{{Row: row, Version: 1}}))
		},
		"Versions": func(ctx context.Context) (err error) {
			for _, err = range s.Versions(ctx, store.RowID{Dossier: d, Row: row}) {
			}
			return err
		},
		"Lookup":    func(ctx context.Context) error { return second(s.Lookup(ctx, store.Token{})) },
		"Keys":      func(ctx context.Context) error { return second(s.Keys(ctx, d)) },
		"Events":    func(ctx context.Context) error { return second(s.Events(ctx, d, store.Cursor{}, 1)) },
		"EventsOf":  func(ctx context.Context) error { return second(s.EventsOf(ctx, store.Token{}, store.Cursor{}, 1)) },
		"Pending":   func(ctx context.Context) error { return second(s.Pending(ctx, 1)) },
		"Upload":    func(ctx context.Context) error { return s.Upload(ctx, d, store.ContentID{1}, strings.NewReader("x")) },
		"Content":   func(ctx context.Context) error { return second(s.Content(ctx, d, store.ContentID(id16("upload")))) },
		"Collect":   func(ctx context.Context) error { return second(s.Collect(ctx, noon(), noon())) },
		"State":     func(ctx context.Context) error { return second(s.State(ctx, "session", "x")) },
		"StateList": func(ctx context.Context) error { return second(s.StateList(ctx, "session", "", 1)) },
	}
}

// TestGone: with the options of production, every call on a database that is gone,
// or that does not answer, ends within five seconds; when it is back, so is the
// engine, within ten.
func TestGone(t *testing.T) {
	for name, fault := range map[string]struct {
		begin func(*relay)
		end   func(testing.TB, *relay)
	}{
		"killed": {(*relay).down, func(t testing.TB, r *relay) { r.up(t) }},
		"frozen": {
			func(r *relay) { r.rule(func(command) fate { return hang }) },
			func(_ testing.TB, r *relay) { r.rule(nil) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r := relayed(t, fresh(t), Options{})
			defer s.Close()
			if err := push(context.Background(), s, "x"); err != nil {
				t.Fatal(err)
			}
			fault.begin(r)
			var wg sync.WaitGroup
			for name, call := range calls(s) {
				wg.Go(func() {
					start := time.Now()
					err := call(context.Background())
					if took := time.Since(start); !errors.Is(err, store.ErrUnavailable) || took > 5*time.Second {
						t.Errorf("%s: %v after %v", name, err, took)
					}
					if strings.Contains(fmt.Sprint(err), "127.0.0.1") {
						t.Errorf("%s tells the address: %v", name, err)
					}
				})
			}
			wg.Wait()
			fault.end(t, r)
			back := time.Now()
			for s.Commit(context.Background(), store.Tx{Expect: store.Any, State: []store.StateEntry{entryNamed("back")}}) != nil {
				if time.Since(back) > 10*time.Second {
					t.Fatal("not back after ten seconds")
				}
			}
			allOrNothing(t, s, "x", nil)
		})
	}
}
