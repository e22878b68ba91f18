package main

import (
	"context"
	"errors"
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

// collector removes uploads that no commit adopted and state that has expired.
// Of several servers on one store, one does it at a time.
type collector struct {
	store store.Store
	now   func() time.Time
	log   *slog.Logger
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

// collect removes what there is, if no other server is at it.
func (c collector) collect(ctx context.Context) (int, error) {
	mine, err := c.lease(ctx)
	if err != nil || !mine {
		return 0, err
	}
	now := c.now()
	return c.store.Collect(ctx, now, now.Add(-orphanAge))
}

// lease takes the lease of collecting; false if another server has it.
func (c collector) lease(ctx context.Context) (bool, error) {
	now := c.now()
	held, err := c.store.State(ctx, "lease", "collector")
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return false, err
	case now.Before(held.Expires):
		return false, nil
	}
	err = c.store.Commit(ctx, store.Tx{Expect: store.Any, State: []store.StateEntry{{
		Kind: "lease", Key: "collector", Value: []byte("collecting"), Expires: now.Add(collectLease), Rev: held.Rev,
	}}})
	if errors.Is(err, store.ErrConflict) {
		return false, nil // another one was faster
	}
	return err == nil, err
}
