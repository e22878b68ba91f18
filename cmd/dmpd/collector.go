package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"opendmp/store"
)

// How often a server looks for what nothing names any more, how old it must be,
// and how long the one that looks keeps the others from it.
const (
	collectEvery = 10 * time.Minute
	orphanAge    = time.Hour
	collectLease = 15 * time.Minute
)

// collectName is the name of the lease of collecting.
const collectName = "collect"

// collector removes uploads that no commit adopted and state that has expired.
// Of several servers on one store, one does it at a time.
type collector struct {
	store  store.Store
	leases leases
	now    func() time.Time
	log    *slog.Logger
}

func newCollector(st store.Store, now func() time.Time, log *slog.Logger) collector {
	return collector{store: st, leases: leases{store: st, owner: rand.Text(), now: now}, now: now, log: log}
}

// run collects now and then until ctx ends.
func (c collector) run(ctx context.Context) {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		if n, err := c.collect(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("collecting", "error", err.Error())
		} else if n > 0 {
			c.log.Info("collected", "removed", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// collect removes what there is, if no other server is at it. The lease is kept
// after it: the same server collects the next time, and another one when this one
// is gone.
func (c collector) collect(ctx context.Context) (int, error) {
	_, mine, err := c.leases.take(ctx, collectName, collectLease)
	if err != nil || !mine {
		return 0, err
	}
	now := c.now()
	return c.store.Collect(ctx, now, now.Add(-orphanAge))
}
