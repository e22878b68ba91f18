package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Commands that kill the MongoDB under test and start it again, run by sh. Other
// tests must not use it meanwhile: run those of this name alone.
const (
	envKill  = "DMP_TEST_MONGODB_KILL"
	envStart = "DMP_TEST_MONGODB_START"
)

// What a client is promised of a database that dies (docs/exploitation.md).
const (
	answerWithin   = 5 * time.Second
	recoversWithin = 10 * time.Second
)

// A MongoDB that is killed under a server, twice: each answer is a good one or a
// 503 with Retry-After, and within five seconds; the server works again by itself
// within ten of the database; what was acknowledged is there, and a push that is
// repeated until it is, is there once.
func TestKilledDatabase(t *testing.T) {
	kill, start := os.Getenv(envKill), os.Getenv(envStart)
	data := t.TempDir()
	switch {
	case testStore(data) == "":
		t.Skip("no database to kill: the server under test is on SQLite (OPENDMP_TEST_STORE)")
	case kill == "" || start == "":
		t.Skipf("the database is not killed: %s and %s are not set", envKill, envStart)
	}
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	w, _ := startChild(t, data, freeAddr(t))
	before := documents(t, w)
	var ledger []acked
	for round := range 2 {
		l := newPressure(t, w)
		l.more(t, fmt.Sprint("round ", round))
		time.Sleep(700 * time.Millisecond)
		shell(t, kill)
		down := time.Now()
		l.more(t, fmt.Sprint("late, round ", round)) // those that come while it is down
		time.Sleep(answerWithin + time.Second)
		up := time.Now()
		shell(t, start)
		back := l.recovered(t)
		time.Sleep(500 * time.Millisecond)
		ledger = append(ledger, l.stop()...)
		l.check(t, down, up)
		t.Logf("round %d: %d answers, %d of them 503; the slowest after %v; %d pushes, %d repeated; back after %v",
			round, len(l.answers), l.count(http.StatusServiceUnavailable), l.slowest(), len(l.acked), l.repeated, back)
	}
	for some := range slices.Chunk(ledger, ledgerSample) {
		checkLedger(t, w, some)
	}
	checkWhole(t, w)
	if after := documents(t, w); after != before+len(ledger) {
		t.Errorf("%d documents, %d before, and %d pushes", after, before, len(ledger))
	}
}

func shell(t *testing.T, line string) {
	t.Helper()
	if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// documents counts those of the patient that the load writes to.
func documents(t *testing.T, w *world) int {
	t.Helper()
	w.t = t
	n, err := strconv.Atoi(w.as("medecin-martin").get("DocumentReference?patient=" + w.patient("patient-alix") + "&_summary=count").is(200).at("total"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// answer is what came back of one request of a load.
type answer struct {
	what       string
	begun, end time.Time
	status     int
	retryAfter string
	body       []byte
	err        error
}

// pressure is clients that push, search and read until they are stopped.
type pressure struct {
	w       *world
	client  http.Client
	end     context.CancelFunc
	ended   <-chan struct{}
	clients sync.WaitGroup

	mu       sync.Mutex
	answers  []answer
	acked    []acked
	repeated int // pushes that were sent more than once
}

func newPressure(t *testing.T, w *world) *pressure {
	ctx, cancel := context.WithCancel(context.Background())
	l := &pressure{w: w, client: http.Client{Timeout: 4 * answerWithin}, ended: ctx.Done(), end: cancel}
	t.Cleanup(func() { l.stop() })
	return l
}

// more starts clients, as many as there are kinds of requests, and four that push.
func (l *pressure) more(t *testing.T, name string) {
	t.Helper()
	token := func(persona string) string {
		s, err := personaToken(l.w.signer, persona, "", "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	hospital, reader := token("hopital-nord"), token("medecin-martin")
	for i := range 4 {
		l.clients.Go(func() {
			for n := 0; l.running(); n++ {
				l.push(hospital, fmt.Sprintf("%s, client %d, push %d", name, i, n))
			}
		})
	}
	for what, path := range l.paths() {
		l.clients.Go(func() {
			for l.running() {
				l.ask(what, http.MethodGet, strings.TrimSuffix(l.w.base, "/fhir")+path, reader, "")
			}
		})
	}
}

// paths are the requests of a load that only read.
func (l *pressure) paths() map[string]string {
	document := "/fhir/" + l.w.doc("alix-biologie")
	return map[string]string{
		"search":  "/fhir/DocumentReference?patient=" + l.w.patient("patient-alix") + "&_count=5",
		"by INS":  "/fhir/DocumentReference?_count=5&patient.identifier=" + l.w.people["patient-alix"].INS,
		"read":    document,
		"history": document + "/_history",
		"absent":  "/fhir/DocumentReference/absent",
		"health":  "/health",
	}
}

func (l *pressure) running() bool {
	select {
	case <-l.ended:
		return false
	default:
		return true
	}
}

// push sends one bundle until it is acknowledged, as a client that was told to come
// back does, also after the end of the load: so each push is known to be there.
func (l *pressure) push(token, content string) {
	body := hospitalPush(l.w.people["patient-alix"].INS, content)
	begun := time.Now()
	for n := 0; time.Since(begun) < 4*recoversWithin; n++ {
		if n == 1 {
			l.mu.Lock()
			l.repeated++
			l.mu.Unlock()
		}
		a := l.ask("push", http.MethodPost, l.w.base, token, body)
		if a.status != http.StatusOK {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		var b struct {
			Entry []struct{ Response struct{ Location string } }
		}
		if err := json.Unmarshal(a.body, &b); err != nil || len(b.Entry) != 3 {
			return // and check says why
		}
		at := func(i int) string {
			ref, _, _ := strings.Cut(b.Entry[i].Response.Location, "/_history/")
			return ref
		}
		l.mu.Lock()
		l.acked = append(l.acked, acked{list: at(0), doc: at(1), binary: at(2), content: content})
		l.mu.Unlock()
		return
	}
}

// ask sends one request and writes its answer down.
func (l *pressure) ask(what, method, url, token, body string) answer {
	a := answer{what: what, begun: time.Now()}
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/fhir+json")
		var resp *http.Response
		if resp, err = l.client.Do(r); err == nil {
			a.status, a.retryAfter = resp.StatusCode, resp.Header.Get("Retry-After")
			a.body, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
	}
	a.end, a.err = time.Now(), err
	l.mu.Lock()
	l.answers = append(l.answers, a)
	l.mu.Unlock()
	return a
}

// recovered waits until each kind of request has succeeded that was begun from now
// on, and returns how long that took.
func (l *pressure) recovered(t *testing.T) time.Duration {
	t.Helper()
	begun := time.Now()
	for {
		missing := map[string]bool{}
		l.mu.Lock()
		for _, a := range l.answers {
			missing[a.what] = missing[a.what] || a.begun.Before(begun)
		}
		for _, a := range l.answers {
			if a.begun.After(begun) && a.good() {
				delete(missing, a.what)
			}
		}
		l.mu.Unlock()
		if len(missing) == 0 {
			return time.Since(begun)
		}
		if time.Since(begun) > recoversWithin {
			t.Fatalf("not back after %v: %v", recoversWithin, missing)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// good tells whether the answer is what it would be on any day.
func (a answer) good() bool {
	if a.what == "absent" {
		return a.status == http.StatusNotFound
	}
	return a.status == http.StatusOK
}

// stop ends the load, when each push is acknowledged, and returns them.
func (l *pressure) stop() []acked {
	l.end()
	l.clients.Wait()
	l.client.CloseIdleConnections()
	return l.acked
}

func (l *pressure) count(status int) (n int) {
	for _, a := range l.answers {
		if a.status == status {
			n++
		}
	}
	return n
}

func (l *pressure) slowest() (d time.Duration) {
	for _, a := range l.answers {
		d = max(d, a.end.Sub(a.begun))
	}
	return d
}

// check holds each answer against the promises. The database was surely down from
// down to up.
func (l *pressure) check(t *testing.T, down, up time.Time) {
	t.Helper()
	refused := map[string]int{}
	for _, a := range l.answers {
		took := a.end.Sub(a.begun)
		inside := a.begun.After(down) && a.end.Before(up)
		seconds, err := strconv.Atoi(a.retryAfter)
		switch {
		case a.err != nil:
			t.Errorf("%s: no answer after %v: %v", a.what, took, a.err)
		case took > answerWithin:
			t.Errorf("%s: %d after %v", a.what, a.status, took)
		case a.good() && inside:
			t.Errorf("%s: %d while the database was down", a.what, a.status)
		case a.good():
		case a.status != http.StatusServiceUnavailable:
			t.Errorf("%s: %d %.300s", a.what, a.status, a.body)
		case err != nil || seconds < 1:
			t.Errorf("%s: 503 with Retry-After %q", a.what, a.retryAfter)
		case inside:
			refused[a.what]++
		}
	}
	for what := range l.paths() {
		if refused[what] == 0 || refused["push"] == 0 {
			t.Errorf("%s or push: none was refused while the database was down", what)
		}
	}
}
