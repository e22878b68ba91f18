package dossier_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/store"
)

// dying is a store that, once it is told to die, lets every writer lose a race
// first, all at once, and then answers no commit.
type dying struct {
	store.Store
	rivals  int64 // writers that will have lost a race; 0: it is alive
	came    atomic.Int64
	all     chan struct{} // closed when they have all come
	unheard atomic.Int64  // commits that were not answered
}

func (s *dying) Commit(ctx context.Context, tx store.Tx) error {
	if s.rivals == 0 || tx.Expect == store.Any {
		return s.Store.Commit(ctx, tx)
	}
	if came := s.came.Add(1); came <= s.rivals {
		if came == s.rivals {
			close(s.all)
		}
		<-s.all
		return store.ErrConflict
	}
	s.unheard.Add(1)
	time.Sleep(200 * time.Millisecond) // the others wait for their turn by then
	return store.ErrUnavailable
}

// Writers that wait for their turn on a dossier are refused together when the store
// does not answer the first of them: one after the other, the last would wait for
// minutes.
func TestUnansweredTurns(t *testing.T) {
	s := &dying{all: make(chan struct{})}
	h := newHouseOver(t, func(under store.Store) store.Store { s.Store = under; return s })
	h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	const n = 8
	s.rivals = n
	for _, a := range together(n, func(i int) answer {
		return author.post("", strings.ReplaceAll(push, "99999.2", fmt.Sprintf("99999.%d", 70+i)))
	}) {
		if a.is(503).RetryAfter() <= 0 {
			t.Error("503 without a time to come back")
		}
	}
	if got := s.unheard.Load(); got != 1 {
		t.Errorf("%d writers waited for the store", got)
	}
	s.rivals = 0
	author.post("", push).is(200) // nobody is refused for what was
}
