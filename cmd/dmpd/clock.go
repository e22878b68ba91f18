package main

import (
	"sync/atomic"
	"time"
)

// clock is the clock of the whole program. It is that of the machine, but while
// the sandbox is loaded: then it stands at the instant of each step.
type clock struct{ fixed atomic.Pointer[time.Time] }

// Now returns the instant.
func (c *clock) Now() time.Time {
	if t := c.fixed.Load(); t != nil {
		return *t
	}
	return time.Now()
}

// set stops the clock at t.
func (c *clock) set(t time.Time) { c.fixed.Store(&t) }

// release lets the clock run.
func (c *clock) release() { c.fixed.Store(nil) }
