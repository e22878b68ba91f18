package sqlite

import (
	"context"
	"errors"
	"testing"
	"time"

	"opendmp/store"
)

// TestGroupCommit: those that wait share one COMMIT, and one that fails is
// undone alone, though its neighbours wrote before and after it.
func TestGroupCommit(t *testing.T) {
	h := newHold()
	s := open(t, t.TempDir(), Options{fault: func(p fault) error { h.at(p); return nil }})
	defer s.Close()

	token := store.TokenPut{Token: store.Token{1}}
	holder := opening(2)
	holder.Claims = []store.TokenPut{token}
	loser := opening(3)
	loser.Claims = []store.TokenPut{token}
	loser.Puts = []store.Put{{Row: store.RowKey{1}, Version: 1}}
	stale := opening(2)
	stale.Expect = 7
	next := opening(2) // the neighbour's commit is what it stands on
	next.Expect = 1

	results := h.batch(t, s, opening(1), holder, loser, stale, next, opening(4))
	h.release()
	for i, want := range []error{nil, nil, store.ErrDuplicate, store.ErrConflict, nil, nil} {
		if err := <-results[i]; !errors.Is(err, want) {
			t.Errorf("commit %d: got %v, want %v", i, err, want)
		}
	}
	if n := h.commits.Load(); n != 2 {
		t.Errorf("%d COMMITs for six transactions, want 2", n)
	}
	for d, want := range map[byte]int64{1: 1, 2: 2, 3: 0, 4: 1} {
		if got := version(t, s, d); got != want {
			t.Errorf("dossier %d at version %d, want %d", d, got, want)
		}
	}
	for range s.Rows(context.Background(), store.Dossier{3}) {
		t.Error("a row of the refused commit is there")
	}
}

// TestNothingWrittenNoCommit: a batch in which all failed costs no fsync.
func TestNothingWrittenNoCommit(t *testing.T) {
	f := &failing{place: beforeCommit}
	s := open(t, t.TempDir(), Options{fault: f.at})
	defer s.Close()
	f.on.Store(true)
	stale := opening(1)
	stale.Expect = 7
	if err := s.Commit(context.Background(), stale); !errors.Is(err, store.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	if f.hits.Load() != 0 {
		t.Error("COMMIT was run")
	}
}

// TestCancelledInQueue: who gives up before the writer came is told that nothing
// was written, and nothing is.
func TestCancelledInQueue(t *testing.T) {
	h := newHold()
	s := open(t, t.TempDir(), Options{fault: func(p fault) error { h.at(p); return nil }})
	defer s.Close()
	first := h.batch(t, s, opening(1))

	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- s.Commit(ctx, opening(2)) }()
	for len(s.writer.queue) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-result; !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrUnavailable and the context's error", err)
	}
	h.release()
	if err := <-first[0]; err != nil {
		t.Error(err)
	}
	if err := s.Commit(context.Background(), opening(3)); err != nil {
		t.Fatal(err)
	}
	if version(t, s, 2) != 0 {
		t.Error("the abandoned commit was written")
	}
}

// TestCancelledTooLate: once the writer has the commit, its outcome is waited for.
func TestCancelledTooLate(t *testing.T) {
	h := newHold()
	s := open(t, t.TempDir(), Options{fault: func(p fault) error { h.at(p); return nil }})
	defer s.Close()
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- s.Commit(ctx, opening(1)) }()
	<-h.held
	cancel()
	select {
	case err := <-result:
		t.Errorf("returned %v before the outcome was known", err)
	case <-time.After(20 * time.Millisecond):
	}
	h.release()
	if err := <-result; err != nil {
		t.Errorf("got %v, want the outcome", err)
	}
	if version(t, s, 1) != 1 {
		t.Error("not written")
	}
}

// TestCloseDrains: Close waits for what is queued, which is written.
func TestCloseDrains(t *testing.T) {
	h := newHold()
	dir := t.TempDir()
	s := open(t, dir, Options{fault: func(p fault) error { h.at(p); return nil }})
	results := h.batch(t, s, opening(1), opening(2), opening(3))
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	for s.begin() == nil { // until Close has begun
		s.calls.Done()
		time.Sleep(time.Millisecond)
	}
	select {
	case <-closed:
		t.Error("closed with commits under way")
	case <-time.After(20 * time.Millisecond):
	}
	h.release()
	for i, r := range results {
		if err := <-r; err != nil {
			t.Errorf("commit %d: %v", i, err)
		}
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	defer s.Close()
	for d := byte(1); d <= 3; d++ {
		if version(t, s, d) != 1 {
			t.Errorf("dossier %d is lost", d)
		}
	}
}

// TestCloseWaitsForReads: a connection is not closed under its reader.
func TestCloseWaitsForReads(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	reading, free, read := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		read <- s.read(context.Background(), func(c *conn) error {
			close(reading)
			<-free
			_, err := c.number("SELECT count(*) FROM header")
			return err
		})
	}()
	<-reading
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("closed with a read under way: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(free)
	if err := errors.Join(<-read, <-closed); err != nil {
		t.Error(err)
	}
}

// TestReadersWait: a read with no free connection waits, until its context ends.
func TestReadersWait(t *testing.T) {
	s := open(t, t.TempDir(), Options{Readers: 1})
	defer s.Close()
	err := s.read(context.Background(), func(*conn) error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		_, err := s.Header(ctx, store.Dossier{1})
		return err
	})
	if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want ErrUnavailable and the context's error", err)
	}
	// A consumer of rows holds no connection: it may call the store.
	if err := s.Commit(context.Background(), store.Tx{Dossier: store.Dossier{1}, Header: store.Header{State: store.Active, Key: 1}, Puts: []store.Put{{Row: store.RowKey{1}, Version: 1}}}); err != nil {
		t.Fatal(err)
	}
	for range s.Rows(context.Background(), store.Dossier{1}) {
		if version(t, s, 1) != 1 {
			t.Error("no header")
		}
	}
}
