package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// work is one kind of call, prepared so that nothing is built while the clock
// runs.
type work struct {
	name string
	// next returns the n-th request, n from 0 over all connections; nil when there
	// is no further one.
	next func(n int) []byte
	// check holds an answer against what it must be.
	check func(n, status int, body []byte) error
}

// figures are those of one work at one number of connections.
type figures struct {
	name     string
	conns    int
	calls    int64
	took     time.Duration
	p50, p99 time.Duration
}

// rate is in calls a second.
func (f figures) rate() float64 { return float64(f.calls) / f.took.Seconds() }

// limit ends a measurement: after a time, or after a number of calls.
type limit struct {
	time  time.Duration
	calls int
}

// measure runs work on conns connections. tick, if any, is called after each
// call.
func measure(ctx context.Context, addr string, w work, conns int, end limit, tick func()) (figures, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if end.time > 0 {
		t := time.AfterFunc(end.time, func() { cancel(nil) })
		defer t.Stop()
	}
	var (
		turn atomic.Int64
		wait sync.WaitGroup
		all  = newHistogram()
		mu   sync.Mutex
	)
	began := time.Now()
	for range conns {
		wait.Go(func() {
			own, err := w.run(ctx, addr, &turn, end.calls, tick)
			if err != nil {
				cancel(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all.Merge(own)
		})
	}
	wait.Wait()
	took := time.Since(began)
	if err := context.Cause(ctx); err != nil && err != context.Canceled {
		return figures{}, fmt.Errorf("%s: %w", w.name, err)
	}
	return figures{
		name: w.name, conns: conns, calls: all.TotalCount(), took: took,
		p50: time.Duration(all.ValueAtQuantile(50)), p99: time.Duration(all.ValueAtQuantile(99)),
	}, nil
}

// run is one connection's share.
func (w work) run(ctx context.Context, addr string, turn *atomic.Int64, calls int, tick func()) (*hdrhistogram.Histogram, error) {
	own := newHistogram()
	c, err := dial(addr)
	if err != nil {
		return own, err
	}
	defer c.close()
	for ctx.Err() == nil {
		n := int(turn.Add(1) - 1)
		if calls > 0 && n >= calls {
			return own, nil
		}
		r := w.next(n)
		if r == nil {
			return own, nil
		}
		began := time.Now()
		status, body, err := c.do(r)
		took := time.Since(began)
		if err == nil {
			err = w.check(n, status, body)
		}
		if err != nil {
			return own, err
		}
		if err := own.RecordValue(int64(took)); err != nil {
			return own, err
		}
		if tick != nil {
			tick()
		}
	}
	return own, nil
}

// newHistogram holds latencies from a microsecond to a minute, to three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(int64(time.Microsecond), int64(time.Minute), 3)
}
