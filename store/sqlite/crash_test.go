package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"opendmp/store"
)

const (
	crashRounds  = 24
	crashWriters = 6
)

// crashTx is the n-th commit of a writer: every part of a Tx, all of the same
// number. Every fourth adopts a content that was uploaded.
func crashTx(writer, n int64) store.Tx {
	d := crashDossier(writer)
	tx := store.Tx{
		Dossier:  d,
		Expect:   n - 1,
		Header:   store.Header{State: store.Active, Key: 1},
		Contents: []store.Content{{ID: crashContent(writer, n), Sealed: crashBody(writer, n)}},
		Claims:   []store.TokenPut{{Token: widen(number('t', writer<<32|n))}},
		Finds:    []store.TokenPut{{Token: widen(number('f', writer<<32|n))}},
		Keys:     []store.KeyRecord{{Dossier: d, Number: int32(n)}},
		Events:   []store.Event{{ID: store.EventID(number('e', writer<<32|n)), Dossier: d, Recorded: time.Unix(0, n)}},
		State:    []store.StateEntry{{Kind: "crash", Key: fmt.Sprint(writer), Rev: n - 1}},
	}
	if n%4 == 0 {
		tx.Contents[0].Sealed = nil
	}
	for i := range int64(3) {
		tx.Puts = append(tx.Puts, store.Put{Row: crashRow(i), Version: n, Summary: crashBody(writer, n)[:100], Body: crashBody(writer, n)})
	}
	return tx
}

func crashDossier(writer int64) store.Dossier { return store.Dossier(number('d', writer)) }
func crashRow(i int64) store.RowKey           { return store.RowKey(number('r', i)) }

func crashContent(writer, n int64) store.ContentID {
	return store.ContentID(number('c', writer<<32|n))
}

// crashBody is long enough for a commit to span many pages of the log.
func crashBody(writer, n int64) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%d/%d;", writer, n), 1500)
}

// writeForever is the child: writers that go on where the file says they were,
// and print what was acknowledged. It ends by being killed.
func writeForever(dir string) {
	s, err := Open(context.Background(), dir, Options{})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for w := range int64(crashWriters) {
		go func() {
			if err := writeOn(s, w); err != nil {
				fmt.Println("error", err)
				os.Exit(1)
			}
		}()
	}
	select {}
}

func writeOn(s *Store, w int64) error {
	ctx := context.Background()
	h, err := s.Header(ctx, crashDossier(w))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for n := h.Version + 1; ; n++ {
		if n%4 == 0 {
			err := s.Upload(ctx, crashDossier(w), crashContent(w, n), bytes.NewReader(crashBody(w, n)))
			// The upload of a commit that the last kill cut off is still there.
			if err != nil && !errors.Is(err, store.ErrDuplicate) {
				return err
			}
		}
		if err := s.Commit(ctx, crashTx(w, n)); err != nil {
			return err
		}
		fmt.Printf("ack %d %d\n", w, n)
	}
}

// TestKill: a process that writes is killed at a random moment, again and again.
// All it acknowledged is there, and of what it did not, all or nothing.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for seconds")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	checked := make([]int64, crashWriters)
	for round := range crashRounds {
		acknowledged := killOnce(t, dir, time.Duration(random.IntN(120))*time.Millisecond)
		s := open(t, dir, Options{})
		for w := range int64(crashWriters) {
			checked[w] = checkWriter(t, s, w, checked[w], acknowledged[w])
		}
		checkFile(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("commits per writer: %v", checked)
}

// killOnce runs the child until some time after its first acknowledgement, and
// returns the last number that each writer acknowledged.
func killOnce(t *testing.T, dir string, after time.Duration) map[int64]int64 {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"=write", childDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	last := map[int64]int64{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var w, n int64
		if _, err := fmt.Sscanf(lines.Text(), "ack %d %d", &w, &n); err != nil {
			t.Errorf("the child says %q", lines.Text())
			break
		}
		if len(last) == 0 {
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		last[w] = n
	}
	_ = child.Wait() // killed
	return last
}

// checkWriter compares all that a writer wrote after number from with what it
// should have, and returns the last number found.
func checkWriter(t *testing.T, s *Store, w, from, acknowledged int64) int64 {
	t.Helper()
	ctx := context.Background()
	d := crashDossier(w)
	h, err := s.Header(ctx, d)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	last := h.Version
	if last < acknowledged || last < from {
		t.Errorf("writer %d: %d acknowledged, %d found", w, max(acknowledged, from), last)
	}
	for i := range int64(3) {
		checkRow(t, s, w, crashRow(i), last)
	}
	for n := from + 1; n <= last; n++ {
		checkCommit(t, s, w, n)
	}
	checkNothingOf(t, s, w, last+1)
	events, err := s.Events(ctx, d, store.Cursor{}, 1<<20)
	if err != nil || int64(len(events)) != last {
		t.Errorf("writer %d: %d events after %d commits, %v", w, len(events), last, err)
	}
	if entry, err := s.State(ctx, "crash", fmt.Sprint(w)); last > 0 && (err != nil || entry.Rev != last) {
		t.Errorf("writer %d: entry at %d after %d commits, %v", w, entry.Rev, last, err)
	}
	return last
}

func checkRow(t *testing.T, s *Store, w int64, row store.RowKey, last int64) {
	t.Helper()
	want := last
	for v, err := range s.Versions(context.Background(), store.RowID{Dossier: crashDossier(w), Row: row}) {
		if err != nil || v.Version != want {
			t.Fatalf("writer %d: version %d where %d belongs, %v", w, v.Version, want, err)
		}
		want--
	}
	if want != 0 {
		t.Errorf("writer %d: no version %d", w, want)
	}
}

func checkCommit(t *testing.T, s *Store, w, n int64) {
	t.Helper()
	ctx := context.Background()
	d, want := crashDossier(w), crashBody(w, n)
	bodies, err := s.Bodies(ctx, d, []store.BodyRef{{Row: crashRow(0), Version: n}, {Row: crashRow(2), Version: n}})
	if err != nil || !bytes.Equal(bodies[0], want) || !bytes.Equal(bodies[1], want) {
		t.Errorf("writer %d, commit %d: bodies of %d and %d bytes, %v", w, n, len(bodies[0]), len(bodies[1]), err)
	}
	for _, kind := range []byte{'t', 'f'} {
		if refs, err := s.Lookup(ctx, widen(number(kind, w<<32|n))); err != nil || len(refs) != 1 {
			t.Errorf("writer %d, commit %d: token %c leads to %x, %v", w, n, kind, refs, err)
		}
	}
	r, err := s.Content(ctx, d, crashContent(w, n))
	if err != nil {
		t.Errorf("writer %d, commit %d: %v", w, n, err)
		return
	}
	defer r.Close()
	if data, err := io.ReadAll(r); err != nil || !bytes.Equal(data, want) {
		t.Errorf("writer %d, commit %d: content of %d bytes, %v", w, n, len(data), err)
	}
}

// checkNothingOf: of the commit that was cut off, nothing is there.
func checkNothingOf(t *testing.T, s *Store, w, n int64) {
	t.Helper()
	ctx := context.Background()
	d := crashDossier(w)
	bodies, err := s.Bodies(ctx, d, []store.BodyRef{{Row: crashRow(0), Version: n}, {Row: crashRow(1), Version: n}})
	if err != nil || bodies[0] != nil || bodies[1] != nil {
		t.Errorf("writer %d: bodies of commit %d, which was not written, %v", w, n, err)
	}
	if refs, err := s.Lookup(ctx, widen(number('t', w<<32|n))); err != nil || len(refs) != 0 {
		t.Errorf("writer %d: claim of commit %d, which was not written, %v", w, n, err)
	}
	if _, err := s.Content(ctx, d, crashContent(w, n)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("writer %d: content of commit %d, which was not written, %v", w, n, err)
	}
	if keys, err := s.Keys(ctx, d); err != nil || int64(len(keys)) != n-1 {
		t.Errorf("writer %d: %d keys after %d commits, %v", w, len(keys), n-1, err)
	}
}

// checkFile has SQLite look at its own structure.
func checkFile(t *testing.T, s *Store) {
	t.Helper()
	err := s.read(context.Background(), func(c *conn) error {
		if answer, err := c.text("PRAGMA quick_check"); err != nil || answer != "ok" {
			t.Errorf("quick_check: %s, %v", answer, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
