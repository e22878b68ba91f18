package server

import "sync/atomic"

// budget is an amount that requests share. Taking never waits: a queue would
// hold connections and hide the overload.
type budget struct{ left atomic.Int64 }

func newBudget(n int64) *budget {
	b := &budget{}
	b.left.Store(n)
	return b
}

// take takes n, or nothing and returns false.
func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

// give puts back what was taken.
func (b *budget) give(n int64) { b.left.Add(n) }
