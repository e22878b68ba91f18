package dossier

import (
	"sync"
	"time"
)

// limiter allows each caller a number of requests a minute, with a burst of the
// same size. It forgets callers whose allowance is full again. It is of one
// process: several servers allow that many each.
type limiter struct {
	mu        sync.Mutex
	perMinute float64
	buckets   map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds the callers remembered; beyond it the full ones are dropped.
const maxBuckets = 10_000

func newLimiter(perMinute int) *limiter {
	return &limiter{perMinute: float64(perMinute), buckets: make(map[string]bucket)}
}

// take tells whether the caller may go on at the instant now.
func (l *limiter) take(caller string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[caller]
	if !known {
		l.sweep(now)
		b = bucket{left: l.perMinute, at: now}
	}
	b = l.filled(b, now)
	if b.left < 1 {
		l.buckets[caller] = b
		return false
	}
	b.left--
	l.buckets[caller] = b
	return true
}

// filled gives a bucket what it earned since it was last looked at. A clock that
// went back earns nothing.
func (l *limiter) filled(b bucket, now time.Time) bucket {
	if elapsed := now.Sub(b.at); elapsed > 0 {
		b.left = min(l.perMinute, b.left+elapsed.Minutes()*l.perMinute)
		b.at = now
	}
	return b
}

func (l *limiter) sweep(now time.Time) {
	if len(l.buckets) < maxBuckets {
		return
	}
	for caller, b := range l.buckets {
		if l.filled(b, now).left >= l.perMinute {
			delete(l.buckets, caller)
		}
	}
}
