package sqlite

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"opendmp/store"
)

var errInjected = errors.New("injected")

// failing is a switch for one place.
type failing struct {
	place fault
	on    atomic.Bool
	hits  atomic.Int32
}

func (f *failing) at(place fault) error {
	if place != f.place || !f.on.Load() {
		return nil
	}
	f.hits.Add(1)
	return errInjected
}

func opening(d byte) store.Tx {
	return store.Tx{Dossier: store.Dossier{d}, Header: store.Header{State: store.Active, Key: 1}}
}

func version(t *testing.T, s *Store, d byte) int64 {
	t.Helper()
	h, err := s.Header(context.Background(), store.Dossier{d})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return h.Version
}

func upload(t *testing.T, s *Store, d store.Dossier, id store.ContentID, data string) {
	t.Helper()
	if err := s.Upload(context.Background(), d, id, strings.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

// TestCommitFails, in two forms: not written, and written but the answer lost.
// The caller cannot tell; the next commit finds the file in a known state.
func TestCommitFails(t *testing.T) {
	for _, test := range []struct {
		name    string
		place   fault
		written int64
	}{
		{"before", beforeCommit, 0},
		{"answer lost", afterCommit, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			f := &failing{place: test.place}
			s := open(t, dir, Options{fault: f.at})
			if err := s.Commit(context.Background(), opening(1)); err != nil {
				t.Fatal(err)
			}
			f.on.Store(true)
			if err := s.Commit(context.Background(), opening(2)); !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, errInjected) {
				t.Fatalf("got %v, want ErrUnavailable and its cause", err)
			}
			if version(t, s, 1) != 1 {
				t.Error("reads do not go on")
			}
			f.on.Store(false)
			if err := s.Commit(context.Background(), opening(3)); err != nil {
				t.Fatalf("no recovery: %v", err)
			}
			if got := version(t, s, 2); got != test.written {
				t.Errorf("version %d, want %d", got, test.written)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir, Options{})
			defer s.Close()
			if a, b, c := version(t, s, 1), version(t, s, 2), version(t, s, 3); a != 1 || b != test.written || c != 1 {
				t.Errorf("after a restart: versions %d, %d, %d", a, b, c)
			}
		})
	}
}

// TestCommitFailsForAll: those who share a COMMIT share its failure, also those
// whose own answer would have been a conflict: it may rest on a neighbour.
func TestCommitFailsForAll(t *testing.T) {
	h := newHold()
	f := &failing{place: beforeCommit}
	s := open(t, t.TempDir(), Options{fault: func(p fault) error { h.at(p); return f.at(p) }})
	defer s.Close()
	results := h.batch(t, s, opening(1), opening(2), opening(2), opening(3))
	f.on.Store(true)
	h.release()
	for i := range 4 {
		if err := <-results[i]; !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("commit %d: got %v, want ErrUnavailable", i, err)
		}
	}
	for d := range byte(4) {
		if version(t, s, d) != 0 {
			t.Errorf("dossier %d was written", d)
		}
	}
}

// TestNoWriteUntilReopened: after a failed COMMIT nothing is written on the old
// connection, however often one asks.
func TestNoWriteUntilReopened(t *testing.T) {
	commitFails, reopenFails := &failing{place: beforeCommit}, &failing{place: reopening}
	s := open(t, t.TempDir(), Options{fault: func(p fault) error { return errors.Join(commitFails.at(p), reopenFails.at(p)) }})
	if err := s.Commit(context.Background(), opening(1)); err != nil {
		t.Fatal(err)
	}
	commitFails.on.Store(true)
	reopenFails.on.Store(true)
	for range 3 {
		if err := s.Commit(context.Background(), opening(2)); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("got %v, want ErrUnavailable", err)
		}
	}
	if c, r := commitFails.hits.Load(), reopenFails.hits.Load(); c != 1 || r != 2 {
		t.Errorf("COMMIT tried %d times, reopening %d; want 1 and 2", c, r)
	}
	if version(t, s, 1) != 1 {
		t.Error("reads do not go on")
	}
	// A store that cannot write can still be closed.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDatabaseFull: a full database refuses commits, keeps answering reads, and
// takes commits again once there is room.
func TestDatabaseFull(t *testing.T) {
	var room atomic.Bool
	var s *Store
	dir := t.TempDir()
	s = open(t, dir, Options{maxPages: 100, fault: func(p fault) error {
		if p == reopening && room.Load() {
			s.writer.opts.maxPages = 0 // on the writer's own goroutine
		}
		return nil
	}})
	written := fillUp(t, s)
	if written == 0 {
		t.Fatal("not even one commit fits")
	}
	for d := range written {
		if version(t, s, d) != 1 {
			t.Errorf("dossier %d cannot be read", d)
		}
	}
	if version(t, s, written) != 0 {
		t.Error("the refused commit is there")
	}
	if err := s.Commit(context.Background(), large(written)); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("still full: got %v, want ErrUnavailable", err)
	}
	room.Store(true)
	if err := s.Commit(context.Background(), large(written)); err != nil {
		t.Errorf("no recovery: %v", err)
	}
	checkFile(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// large is a commit of some 25 pages.
func large(d byte) store.Tx {
	tx := opening(d)
	tx.Puts = []store.Put{{Row: store.RowKey{1}, Version: 1, Body: make([]byte, 100<<10)}}
	return tx
}

// fillUp commits until the engine refuses, and returns how many it took.
func fillUp(t *testing.T, s *Store) byte {
	t.Helper()
	for d := range byte(200) {
		err := s.Commit(context.Background(), large(d))
		if errors.Is(err, store.ErrUnavailable) {
			return d
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("never full")
	return 0
}

// TestFileLimit: the operating system refuses to let files grow, the log and the
// contents too, until it does not. (RLIMIT_FSIZE stands for a full disk.)
func TestFileLimit(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	s := open(t, t.TempDir(), Options{})
	defer s.Close()

	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	limit := func(bytes uint64) {
		l := syscall.Rlimit{Cur: min(bytes, old.Max), Max: old.Max}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
	}
	limit(1 << 20)
	defer limit(old.Cur)

	err := s.Upload(context.Background(), store.Dossier{1}, store.ContentID{1}, io.LimitReader(zeros{}, 2<<20))
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("upload: got %v, want ErrUnavailable", err)
	}
	written := fillUp(t, s)
	for d := range written {
		if version(t, s, d) != 1 {
			t.Errorf("dossier %d cannot be read", d)
		}
	}
	limit(old.Cur)
	if err := s.Commit(context.Background(), large(written)); err != nil {
		t.Errorf("no recovery: %v", err)
	}
	if err := s.Upload(context.Background(), store.Dossier{1}, store.ContentID{1}, io.LimitReader(zeros{}, 2<<20)); err != nil {
		t.Errorf("no recovery of uploads: %v", err)
	}
	checkFile(t, s)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestOrphans: what a crash leaves between a file and its record is collected
// when it is old, and never adopted.
func TestOrphans(t *testing.T) {
	var now atomic.Int64
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return start.Add(time.Duration(now.Load())) }
	f := &failing{place: beforeRecord}
	s := open(t, t.TempDir(), Options{Now: clock, fault: f.at})
	defer s.Close()
	ctx := context.Background()
	d, id := store.Dossier{1}, store.ContentID{1}

	f.on.Store(true)
	if err := s.Upload(ctx, d, id, strings.NewReader("lost")); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("got %v, want ErrUnavailable", err)
	}
	f.on.Store(false)
	path := s.files.path(d, id)
	part := s.files.path(store.Dossier{2}, id) + unfinished
	other := filepath.Join(filepath.Dir(path), "README")
	for _, p := range []string{part, other} {
		if err := errors.Join(os.WriteFile(p, nil, 0o600), os.Chtimes(p, start, start)); err != nil {
			t.Fatal(err)
		}
	}
	upload(t, s, d, store.ContentID{2}, "waiting")
	now.Store(int64(time.Hour))
	upload(t, s, d, store.ContentID{3}, "young")
	if err := s.Commit(ctx, store.Tx{Dossier: d, Header: store.Header{State: store.Active, Key: 1}, Contents: []store.Content{{ID: id}}}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("adopting the file without record: %v", err)
	}

	exist := func(want bool, paths ...string) {
		t.Helper()
		for _, p := range paths {
			if _, err := os.Stat(p); (err == nil) != want {
				t.Errorf("%s: %v", filepath.Base(p), err)
			}
		}
	}
	if n, err := s.Collect(ctx, start, start); n != 0 || err != nil {
		t.Errorf("collected %d, %v", n, err)
	}
	exist(true, path, part, other)
	if n, err := s.Collect(ctx, start, start.Add(time.Minute)); n != 1 || err != nil {
		t.Errorf("collected %d, %v", n, err)
	}
	exist(false, path, part, s.files.path(d, store.ContentID{2}))
	exist(true, other, s.files.path(d, store.ContentID{3}))
	// The id is free again.
	upload(t, s, d, id, "second")
}

// TestOrphanReplaced: the caller who was told ErrUnavailable tries again at once.
func TestOrphanReplaced(t *testing.T) {
	f := &failing{place: beforeRecord}
	s := open(t, t.TempDir(), Options{fault: f.at})
	defer s.Close()
	ctx := context.Background()
	d, id := store.Dossier{1}, store.ContentID{1}
	f.on.Store(true)
	if err := s.Upload(ctx, d, id, strings.NewReader("first, longer")); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("got %v, want ErrUnavailable", err)
	}
	f.on.Store(false)
	upload(t, s, d, id, "second")
	if err := s.Commit(ctx, store.Tx{Dossier: d, Header: store.Header{State: store.Active, Key: 1}, Contents: []store.Content{{ID: id}}}); err != nil {
		t.Fatal(err)
	}
	r, err := s.Content(ctx, d, id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, err := io.ReadAll(r); string(data) != "second" || err != nil {
		t.Errorf("content %q, %v", data, err)
	}
}

// TestCollectSparesUpload: a file that is being written is nobody's orphan, even
// when it is old.
func TestCollectSparesUpload(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer s.Close()
	ctx := context.Background()
	d, id := store.Dossier{1}, store.ContentID{1}
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- s.Upload(ctx, d, id, r) }()
	if _, err := io.WriteString(w, "half "); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Collect(ctx, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.Upload(ctx, d, id, strings.NewReader("other")); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("the same id, at the same time: %v", err)
	}
	if _, err := io.WriteString(w, "and half"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), <-done); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(ctx, store.Tx{Dossier: d, Header: store.Header{State: store.Active, Key: 1}, Contents: []store.Content{{ID: id}}}); err != nil {
		t.Fatal(err)
	}
	c, err := s.Content(ctx, d, id)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if data, err := io.ReadAll(c); string(data) != "half and half" || err != nil {
		t.Errorf("content %q, %v", data, err)
	}
}

// TestBrokenUploadLeavesNoFile: half a content is removed at once.
func TestBrokenUploadLeavesNoFile(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer s.Close()
	err := s.Upload(context.Background(), store.Dossier{1}, store.ContentID{1}, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errInjected)))
	if !errors.Is(err, errInjected) {
		t.Errorf("got %v, want the reader's error", err)
	}
	if left, err := s.files.older(time.Now().Add(time.Hour)); len(left) != 0 || err != nil {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestContentFileLost: a content whose file is gone is a fault of the disk; to
// say "not found" would say that it never was.
func TestContentFileLost(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer s.Close()
	d, id := store.Dossier{1}, store.ContentID{1}
	upload(t, s, d, id, "content")
	if err := s.Commit(context.Background(), store.Tx{Dossier: d, Header: store.Header{State: store.Active, Key: 1}, Contents: []store.Content{{ID: id}}}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.files.path(d, id)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Content(context.Background(), d, id); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

// hold stops the writer before a COMMIT, so that others queue up behind it.
type hold struct {
	once    sync.Once
	held    chan struct{} // closed when the writer stands before its first COMMIT
	free    chan struct{} // closed to let it go
	commits atomic.Int32
}

func newHold() *hold { return &hold{held: make(chan struct{}), free: make(chan struct{})} }

func (h *hold) at(p fault) {
	if p == beforeCommit {
		h.commits.Add(1)
		h.once.Do(func() { close(h.held); <-h.free })
	}
}

func (h *hold) release() { close(h.free) }

// batch commits the first transaction, which is held before its COMMIT, and
// queues the others behind it.
func (h *hold) batch(t *testing.T, s *Store, txs ...store.Tx) []chan error {
	t.Helper()
	results := make([]chan error, len(txs))
	for i, tx := range txs {
		results[i] = make(chan error, 1)
		go func() { results[i] <- s.Commit(context.Background(), tx) }()
		if i == 0 {
			<-h.held
			continue
		}
		for len(s.writer.queue) < i {
			time.Sleep(time.Millisecond)
		}
	}
	return results
}
