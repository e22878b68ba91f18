//go:build linux

package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"opendmp/store"
)

const tracedCommits = 8

// writeSome is the child that is traced: it makes some commits and prints which
// were acknowledged. After a failure it looks where the file says it is.
func writeSome(dir string) {
	s, err := Open(context.Background(), dir, Options{})
	if err != nil {
		fmt.Println("fail open", err)
		return
	}
	for range tracedCommits {
		n, err := commitNext(s)
		if err != nil {
			fmt.Println("fail", n, err)
		} else {
			fmt.Println("ack 0", n)
		}
	}
	if err := s.Close(); err != nil {
		fmt.Println("fail close", err)
	}
}

// commitNext makes the commit after the one that the file knows.
func commitNext(s *Store) (int64, error) {
	ctx := context.Background()
	h, err := s.Header(ctx, crashDossier(0))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	n := h.Version + 1
	if n%4 == 0 {
		err := s.Upload(ctx, crashDossier(0), crashContent(0, n), bytes.NewReader(crashBody(0, n)))
		if err != nil && !errors.Is(err, store.ErrDuplicate) {
			return n, err
		}
	}
	return n, s.Commit(ctx, crashTx(0, n))
}

// traceChild runs the child in dir under strace and returns its system calls, one
// finished call a line, and what it printed. It skips the test where strace
// cannot run.
func traceChild(t *testing.T, dir string, options ...string) (calls []string, output string) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace")
	}
	if out, err := exec.Command(strace, "-o", os.DevNull, os.Args[0], "-test.run=^$").CombinedOutput(); err != nil {
		t.Skipf("strace cannot run here: %v %s", err, out)
	}
	file := filepath.Join(t.TempDir(), "trace")
	args := append([]string{"-f", "-y", "-qq", "-s", "64", "-o", file, "-e", "signal=none"}, options...)
	child := exec.Command(strace, append(args, os.Args[0])...)
	child.Env = append(os.Environ(), childEnv+"=traced", childDir+"="+dir)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return finished(string(data)), string(out)
}

var (
	unfinishedCall = regexp.MustCompile(`^(\d+) +(.*) <unfinished \.\.\.>$`)
	resumedCall    = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
	threadNumber   = regexp.MustCompile(`^\d+ +`)
)

// finished joins the halves of calls that strace saw in two, at the place where
// the call returned, and drops the thread numbers.
func finished(trace string) []string {
	var calls []string
	begun := map[string]string{}
	for line := range strings.Lines(trace) {
		line = strings.TrimSpace(line)
		if m := unfinishedCall.FindStringSubmatch(line); m != nil {
			begun[m[1]] = m[2]
		} else if m := resumedCall.FindStringSubmatch(line); m != nil {
			calls = append(calls, begun[m[1]]+m[2])
		} else {
			calls = append(calls, threadNumber.ReplaceAllString(line, ""))
		}
	}
	return calls
}

var (
	writeCall  = regexp.MustCompile(`^(?:write|pwrite64)\(\d+<([^>]*)>, "(.*?)"`)
	syncCall   = regexp.MustCompile(`^(?:fsync|fdatasync)\(\d+<([^>]*)>\) += (-?\d+)`)
	renameCall = regexp.MustCompile(`^rename\w*\(.*?"([^"]*)".*?"([^"]*)"`)
)

// disk is what the trace says about files written and not yet synced.
type disk struct {
	dirty map[string]bool
	acks  int
}

// see follows one call and reports what must not happen.
func (d *disk) see(call, dir string) error {
	if m := syncCall.FindStringSubmatch(call); m != nil {
		if m[2] == "0" {
			delete(d.dirty, m[1])
		}
		return nil
	}
	if m := renameCall.FindStringSubmatch(call); m != nil {
		if d.dirty[m[1]] {
			return fmt.Errorf("%s renamed before it was synced", m[1])
		}
		d.dirty[filepath.Dir(m[2])] = true
		return nil
	}
	m := writeCall.FindStringSubmatch(call)
	if m == nil {
		return nil
	}
	if strings.HasPrefix(m[2], "ack ") {
		d.acks++
		return d.acknowledged(dir)
	}
	if strings.HasPrefix(m[1], dir) {
		d.dirty[m[1]] = true
	}
	return nil
}

// acknowledged: at that moment the log, the contents and their directories are
// on the disk. The database file need not be, nor the index of the log.
func (d *disk) acknowledged(dir string) error {
	for path := range d.dirty {
		if path != filepath.Join(dir, databaseName) && path != filepath.Join(dir, databaseName+"-shm") {
			return fmt.Errorf("acknowledgement %d before %s was synced", d.acks, path)
		}
	}
	return nil
}

// TestOrderOfSyncs: an acknowledgement is written after the log that holds the
// commit was synced; a content is renamed after it was synced, and its directory
// is synced before the commit that names it is acknowledged.
func TestOrderOfSyncs(t *testing.T) {
	dir := t.TempDir()
	calls, _ := traceChild(t, dir, "-e", "trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2")
	d := disk{dirty: map[string]bool{}}
	logged, renamed := 0, 0
	for _, call := range calls {
		if m := writeCall.FindStringSubmatch(call); m != nil && m[1] == filepath.Join(dir, databaseName+"-wal") {
			logged++
		}
		if renameCall.MatchString(call) {
			renamed++
		}
		if err := d.see(call, dir); err != nil {
			t.Error(err)
		}
	}
	if d.acks != tracedCommits || logged < d.acks || renamed != tracedCommits/4 {
		t.Fatalf("the trace shows %d acknowledgements, %d writes of the log, %d renamings", d.acks, logged, renamed)
	}
}

// TestSyncFails: the n-th fsync of the database or its log fails (SECURITY F-08).
// Nothing that rests on it is acknowledged, the log is written again only after
// its content went elsewhere, and what was acknowledged is there.
func TestSyncFails(t *testing.T) {
	failed := 0
	for n := 1; n <= 14; n++ {
		dir := t.TempDir()
		database := filepath.Join(dir, databaseName)
		calls, output := traceChild(t, dir, "-e", "trace=fsync,pwrite64,ftruncate",
			"-P", database, "-P", database+"-wal",
			"-e", fmt.Sprintf("inject=fsync:error=EIO:when=%d", n))
		l := logState{database: database}
		for _, call := range calls {
			if err := l.see(call); err != nil {
				t.Errorf("fsync %d fails: %v", n, err)
			}
		}
		acknowledged := int64(0)
		for line := range strings.Lines(output) {
			if strings.HasPrefix(line, "ack ") {
				_, _ = fmt.Sscanf(line, "ack 0 %d", &acknowledged) // 0 is seen below
			} else if !strings.Contains(line, store.ErrUnavailable.Error()) {
				t.Errorf("fsync %d fails: the child says %q", n, line)
			}
		}
		if l.failed > 0 {
			failed += strings.Count(output, "fail ")
		}
		s := open(t, dir, Options{})
		checkWriter(t, s, 0, 0, acknowledged)
		checkFile(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d calls failed", failed)
	if failed < 3 {
		t.Errorf("only %d calls failed: too little was tested", failed)
	}
}

// logState follows the log of a database through its system calls.
type logState struct {
	database string
	frames   bool // more than the header of the log was written
	held     bool // and synced: the log may hold acknowledged commits
	saved    bool // and the database file was synced after that
	doubtful bool // a sync of the log failed
	failed   int
}

var truncateCall = regexp.MustCompile(`^ftruncate\(\d+<([^>]*)>, 0\)`)

func (l *logState) see(call string) error {
	wal := l.database + "-wal"
	if m := syncCall.FindStringSubmatch(call); m != nil {
		l.sync(m[1] == wal, m[2] == "0")
	}
	if m := truncateCall.FindStringSubmatch(call); m != nil && m[1] == wal {
		lost := l.held && !l.saved
		l.frames, l.held, l.doubtful = false, false, false
		if lost {
			return errors.New("the log was emptied before the database was synced")
		}
	}
	if m := writeCall.FindStringSubmatch(call); m != nil && m[1] == wal {
		if l.doubtful {
			return fmt.Errorf("the log was written after a sync of it failed: %s", call)
		}
		l.frames = l.frames || strings.HasSuffix(call, " = 4096")
	}
	return nil
}

func (l *logState) sync(ofLog, good bool) {
	switch {
	case !good:
		l.failed++
		l.doubtful = l.doubtful || ofLog
	case ofLog:
		l.held, l.saved = l.frames, false
	default:
		l.saved = true
	}
}
