package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"opendmp/dossier"
	"opendmp/policy"
	"opendmp/store"
)

// dueName is the name of the lease of what falls due by itself.
const dueName = "echeances"

// How often a server looks for what falls due when the settings do not say, for how
// many times that it keeps the others from it, and how many entries it does before
// it asks again whether the work is still its own.
const (
	dueEvery = time.Minute
	dueLease = 3
	dueBatch = 500
)

// dueWorker does what falls due without a request: the notice about what is hidden
// from a patient (E09). Of several servers on one store, one does it at a time. The
// lease only saves work: each entry is done once by itself.
type dueWorker struct {
	door   *dossier.Service
	leases leases
	every  time.Duration
	log    *slog.Logger
}

// newDueWorker makes a worker that looks every so often; every minute if zero.
func newDueWorker(door *dossier.Service, st store.Store, every time.Duration, now func() time.Time, log *slog.Logger) dueWorker {
	return dueWorker{
		door: door, leases: leases{store: st, owner: rand.Text(), now: now}, every: cmp.Or(every, dueEvery), log: log,
	}
}

// run works until ctx ends, and ends when the entry at hand is done. It logs how
// many, never of whom.
func (w dueWorker) run(ctx context.Context) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		r, err := w.work(ctx)
		if r != (dossier.Reminded{}) {
			w.log.Info("due", "told", r.Told, "covered", r.Covered, "over", r.Over, "moved", r.Moved, "left", r.Left)
		}
		if err != nil && ctx.Err() == nil {
			w.log.Warn("due", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// work does all that is due, if no other server is at it, batch by batch as long as
// the lease is this server's.
func (w dueWorker) work(ctx context.Context) (sum dossier.Reminded, err error) {
	for {
		_, mine, err := w.leases.take(ctx, dueName, dueLease*w.every)
		if err != nil || !mine {
			return sum, err
		}
		r, err := w.door.Remind(ctx, dueBatch)
		sum.Told, sum.Covered, sum.Over = sum.Told+r.Told, sum.Covered+r.Covered, sum.Over+r.Over
		sum.Moved, sum.Left = sum.Moved+r.Moved, r.Left
		if err != nil || !r.More || ctx.Err() != nil {
			return sum, err
		}
	}
}

// dueInterval reads the setting echeances: zero if it is not given.
func (s settings) dueInterval() (time.Duration, error) {
	if s.Due == "" {
		return 0, nil
	}
	every, err := time.ParseDuration(s.Due)
	if err != nil || every < time.Second || every > time.Hour {
		return 0, fmt.Errorf("echeances is between 1s and 1h, not %q", s.Due)
	}
	return every, nil
}

// hiding sets annonce-rappel and annonce-fin where they are given.
func (s settings) hiding(rules *policy.Settings) error {
	for _, given := range []struct {
		name, value string
		to          *policy.Period
	}{
		{"annonce-rappel", s.NoticeAfter, &rules.NoticeAfter},
		{"annonce-fin", s.HiddenAtMost, &rules.HiddenAtMost},
	} {
		if given.value == "" {
			continue
		}
		p, err := policy.ParsePeriod(given.value)
		if err != nil {
			return fmt.Errorf("%s is a period like P14D or P1M, not %q", given.name, given.value)
		}
		*given.to = p
	}
	return nil
}
