package mongo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/store"
)

// Commands that kill the deployment and start it again, for TestKilledDatabase:
// both are run by sh.
const (
	envKill  = "DMP_TEST_MONGODB_KILL"
	envStart = "DMP_TEST_MONGODB_START"
)

const writers = 4

// writeForever pushes until it is killed, and tells before each push what it
// tries, and after it that it was acknowledged.
func writeForever(uri, database, run string) {
	s, err := Open(context.Background(), uri, Options{Database: database})
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	say := func(what, label string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(what, label)
	}
	atOnce(writers, func(i int) {
		for n := 0; ; n++ {
			label := fmt.Sprintf("%s-%d-%d", run, i, n)
			say("try", label)
			if err := push(context.Background(), s, label); err != nil {
				panic(err)
			}
			say("ok", label)
		}
	})
}

// TestKilledProcess kills a process that writes: what it acknowledged is there,
// and nothing is there in part.
func TestKilledProcess(t *testing.T) {
	e := fresh(t)
	s := e.open(t, Options{})
	t.Cleanup(func() { s.Close() })
	rng := rand.New(rand.NewPCG(1, 1))
	acknowledged := 0
	for round := range 5 {
		// The relay ends the transactions that the killed process leaves open.
		r, through := startRelay(t, e)
		tried, ok := killed(t, through, fmt.Sprint(round), time.Duration(50+rng.IntN(250))*time.Millisecond)
		acknowledged += len(ok)
		for label := range tried {
			err := store.ErrUnavailable
			if ok[label] {
				err = nil
			}
			allOrNothing(t, s, label, err)
		}
		r.down()
		killSessions(t, e, r.sessions)
	}
	if acknowledged == 0 {
		t.Error("nothing was acknowledged")
	}
	collected(t, s)
}

// killed runs a writing process and kills it some time after its first push.
func killed(t *testing.T, e engine, run string, after time.Duration) (tried, ok map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+run, childURI+"="+e.uri, childDatabase+"="+e.database)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tried, ok = map[string]bool{}, map[string]bool{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		what, label, _ := strings.Cut(lines.Text(), " ")
		if what == "try" {
			tried[label] = true
			continue
		}
		if ok[label] = true; len(ok) == 1 {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // killed
	return tried, ok
}

// TestKilledDatabase kills the deployment under load, some times: each call ends
// within five seconds, the engine is back within ten after the database is, and
// what was acknowledged is there.
func TestKilledDatabase(t *testing.T) {
	kill, start := os.Getenv(envKill), os.Getenv(envStart)
	if kill == "" || start == "" {
		t.Skipf("the database is not killed: %s and %s are not set", envKill, envStart)
	}
	s := fresh(t).open(t, Options{})
	defer s.Close()
	for round := range 3 {
		var mu sync.Mutex
		outcomes := map[string]error{}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					label := fmt.Sprintf("%d-%d-%d", round, i, n)
					begun := time.Now()
					err := push(context.Background(), s, label)
					if took := time.Since(begun); took > 10*time.Second { // two calls
						t.Errorf("a push took %v", took)
					}
					if err != nil && !errors.Is(err, store.ErrUnavailable) {
						t.Errorf("got %v", err)
					}
					mu.Lock()
					outcomes[label] = err
					mu.Unlock()
				}
			})
		}
		time.Sleep(500 * time.Millisecond)
		shell(t, kill)
		time.Sleep(time.Second)
		shell(t, start)
		back(t, s)
		time.Sleep(500 * time.Millisecond)
		close(stop)
		wg.Wait()
		lost := 0
		for label, err := range outcomes {
			allOrNothing(t, s, label, err)
			if err != nil {
				lost++
			}
		}
		t.Logf("round %d: %d pushes, %d told that the store is unavailable", round, len(outcomes), lost)
		if lost == len(outcomes) {
			t.Error("nothing was acknowledged")
		}
	}
	collected(t, s)
}

func shell(t *testing.T, line string) {
	t.Helper()
	if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// back waits until the engine writes again.
func back(t *testing.T, s *Store) {
	t.Helper()
	begun := time.Now()
	for n := 0; ; n++ {
		entry := entryNamed(fmt.Sprint("back ", begun.UnixNano(), n))
		if s.Commit(context.Background(), store.Tx{Expect: store.Any, State: []store.StateEntry{entry}}) == nil {
			return
		}
		if time.Since(begun) > 10*time.Second {
			t.Fatal("not back after ten seconds")
		}
	}
}
