package dossier

import (
	"strconv"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := newLimiter(2)
	for i, want := range []bool{true, true, false} {
		if got := l.take("a", now); got != want {
			t.Errorf("request %d: %v", i, got)
		}
	}
	if !l.take("b", now) {
		t.Error("one caller uses up another's allowance")
	}
	if l.take("a", now.Add(-time.Hour)) {
		t.Error("a clock that goes back earns requests")
	}
	if !l.take("a", now.Add(30*time.Second)) || l.take("a", now.Add(30*time.Second)) {
		t.Error("half a minute earns one of two requests")
	}
	for i := range maxBuckets + 10 {
		l.take(strconv.Itoa(i), now)
		now = now.Add(time.Second)
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d callers remembered", len(l.buckets))
	}
}
