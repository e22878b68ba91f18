package bench

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/cmd/dmpd/internal/ceiling"
	"opendmp/fhir"
	"opendmp/store/sqlite"
)

// bare serves the ceiling on a port of its own.
func bare(t *testing.T, sizes ceiling.Sizes) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	st, err := sqlite.Open(ctx, t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- ceiling.Serve(ctx, st, l, 10, sizes) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, st.Close()); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func TestMeasureCountsEveryCall(t *testing.T) {
	addr := bare(t, ceiling.Sizes{Push: 500, Search: 2000, Read: 300, Raw: contentSize})
	for path, size := range map[string]int{"/push": 500, "/search": 2000, "/read": 300, "/raw": contentSize} {
		method, body := "GET", []byte(nil)
		if path == "/push" {
			method, body = "POST", make([]byte, 70_000)
		}
		ask := request(method, path, "token", body)
		var mu sync.Mutex
		seen, ticks := map[int]bool{}, 0
		w := work{name: path, next: func(int) []byte { return ask }, check: func(n, status int, body []byte) error {
			mu.Lock()
			defer mu.Unlock()
			seen[n] = true
			if len(body) != size {
				return errors.New("wrong size")
			}
			return want(200, status, body)
		}}
		f, err := measure(context.Background(), addr, w, 4, limit{calls: 40}, func() {
			mu.Lock()
			defer mu.Unlock()
			ticks++
		})
		if err != nil {
			t.Fatal(err)
		}
		if f.calls != 40 || len(seen) != 40 || ticks != 40 {
			t.Errorf("%s: %d calls, %d seen, %d ticks", path, f.calls, len(seen), ticks)
		}
		if f.p50 <= 0 || f.p99 < f.p50 || f.took <= 0 || f.rate() <= 0 {
			t.Errorf("%s: %+v", path, f)
		}
	}
}

func TestMeasureEndsInTime(t *testing.T) {
	addr := bare(t, ceiling.Sizes{Read: 10})
	ask := request("GET", "/read", "", nil)
	w := work{name: "read", next: func(int) []byte { return ask }, check: func(_, status int, body []byte) error { return want(200, status, body) }}
	f, err := measure(context.Background(), addr, w, 2, limit{time: 100 * time.Millisecond}, nil)
	if err != nil || f.calls == 0 || f.took > 5*time.Second {
		t.Errorf("%+v %v", f, err)
	}
}

// One wrong answer ends the run: a figure over wrong answers is no figure.
func TestWrongAnswersEndTheRun(t *testing.T) {
	addr := bare(t, ceiling.Sizes{})
	ask := request("GET", "/nothing", "", nil)
	w := work{name: "nothing", next: func(int) []byte { return ask }, check: func(_, status int, body []byte) error { return want(200, status, body) }}
	_, err := measure(context.Background(), addr, w, 2, limit{time: 10 * time.Second}, nil)
	if err == nil || !strings.Contains(err.Error(), "status 404") {
		t.Errorf("got %v", err)
	}
}

func TestRecordsAreOfTestPeople(t *testing.T) {
	seen := map[string]bool{}
	for i, r := range newRecords(3000) {
		p := r.patient
		ins, err := fhir.ParseINS(fhir.Ident{System: fhir.SystemINSTest, Value: p.INS})
		if err != nil || !ins.KeyOK || seen[p.INS] {
			t.Fatalf("record %d: INS %s, %v", i, p.INS, err)
		}
		seen[p.INS] = true
		if p.Birth[2:4] != p.INS[1:3] || p.Birth[5:7] != p.INS[3:5] {
			t.Fatalf("record %d: born %s, INS %s", i, p.Birth, p.INS)
		}
	}
}
