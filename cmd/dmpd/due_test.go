package main

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/vault"
)

// dueServers are two servers on one sandbox, with a clock that a test moves: on
// MongoDB each with a store of its own, on the embedded engine with the one of the
// process. Alix has a document that is hidden from her since yesterday.
func dueServers(t *testing.T, log *slog.Logger) (both []dueWorker, c *clock) {
	t.Helper()
	data := t.TempDir()
	p, signer, err := sandboxPlan(settings{Data: data, Store: testStore(data), Sandbox: true}, "http://127.0.0.1:8080/fhir", log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	if err := load(t.Context(), p, signer, io.Discard); err != nil {
		t.Fatal(err)
	}
	keys, err := vault.OpenDir(vaultDir(data), false, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	st, err := p.engine.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	for range 2 {
		if p.engine.uri != "" && len(both) > 0 {
			if st, err = p.engine.open(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { st.Close() })
		}
		door, err := newDoor(t.Context(), p, keys, st)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, newDueWorker(door, st, 0, p.clock.Now, log))
	}
	return both, p.clock
}

// neutral counts the neutral notices that wait.
func neutral(t *testing.T, w dueWorker) (n int) {
	t.Helper()
	waiting, err := w.door.Notices(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, notice := range waiting {
		if notice.Occasion == "dossier-mis-a-jour" {
			n++
		}
	}
	return n
}

// Two servers at once, each believing that the work is its own, and then one after
// the other: the patient is told once, on the day, and not before.
func TestOneNoticeByTwoServers(t *testing.T) {
	both, c := dueServers(t, slog.New(slog.DiscardHandler))
	now := time.Now().In(fhir.Paris)
	due := time.Date(now.Year(), now.Month(), now.Day()+14, 0, 0, 0, 0, fhir.Paris)

	c.set(due.Add(-time.Microsecond))
	if r, err := both[0].work(t.Context()); err != nil || r != (dossier.Reminded{}) {
		t.Fatalf("before the day: %+v, %v", r, err)
	}
	c.set(due)
	if r, err := both[1].work(t.Context()); err != nil || r != (dossier.Reminded{}) {
		t.Fatalf("under another's lease: %+v, %v", r, err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if _, err := both[i%2].door.Remind(context.Background(), 0); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for range 3 {
		for _, w := range both {
			turn(c, dueLease*dueEvery)
			if r, err := w.work(t.Context()); err != nil || r.Told+r.Covered > 0 {
				t.Errorf("again: %+v, %v", r, err)
			}
		}
	}
	if n := neutral(t, both[0]); n != 1 {
		t.Errorf("%d notices", n)
	}
	c.set(due.AddDate(0, 1, 0))
	if r, err := both[1].work(t.Context()); err != nil || r != (dossier.Reminded{}) {
		t.Errorf("when it is visible by itself: %+v, %v", r, err)
	}
}

// The worker does what fell due while no server ran, says how many and of nobody,
// and ends when it is told to.
func TestDueWorkerRuns(t *testing.T) {
	var log lockedBuffer
	both, c := dueServers(t, slog.New(slog.NewJSONHandler(&log, nil)))
	c.set(time.Now().AddDate(0, 0, 24)) // ten days without a server
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { both[0].run(ctx); close(ended) }()
	for n := 0; !strings.Contains(log.String(), `"told":1`); n++ {
		if n == 1000 {
			t.Fatalf("nobody was told: %s", log.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"msg":"due","told":1,"covered":0,"over":0,"moved":0,"left":0}`) {
		t.Errorf("logged %s", got)
	}
}

func TestDueSettings(t *testing.T) {
	for _, c := range []struct {
		set     settings
		refusal string
	}{
		{settings{}, ""},
		{settings{NoticeAfter: "P7D", HiddenAtMost: "P15D", Due: "5s"}, ""},
		{settings{NoticeAfter: "14"}, "annonce-rappel"},
		{settings{HiddenAtMost: "1M"}, "annonce-fin"},
		{settings{Due: "often"}, "echeances"},
		{settings{Due: "10ms"}, "echeances"},
		{settings{Due: "2h"}, "echeances"},
	} {
		c.set.Addr, c.set.Sandbox = "127.0.0.1:0", true
		err := c.set.check()
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%+v: %v, want %q", c.set, err, c.refusal)
		}
	}
	s := settings{Data: t.TempDir(), Sandbox: true, NoticeAfter: "P7D", HiddenAtMost: "P15D", Due: "5s"}
	p, _, err := sandboxPlan(s, "http://127.0.0.1:8080/fhir", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if p.due != 5*time.Second || p.settings.NoticeAfter != (policy.Period{Days: 7}) || p.settings.HiddenAtMost != (policy.Period{Days: 15}) {
		t.Errorf("%v, %v, %v", p.due, p.settings.NoticeAfter, p.settings.HiddenAtMost)
	}
}
