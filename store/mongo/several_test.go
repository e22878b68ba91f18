package mongo

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"opendmp/store"
)

// TestTwoServers: two engines on one database, as two servers have it, lose no
// update, see each other's commits as soon as they return, and share one lease.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	e := fresh(t)
	servers := []*Store{e.open(t, Options{}), e.open(t, Options{})}
	for _, s := range servers {
		defer s.Close()
	}
	ctx := context.Background()
	d, header := dossierOf("x"), store.Header{State: store.Active, Key: 1}
	if err := servers[0].Commit(ctx, store.Tx{Dossier: d, Header: header}); err != nil {
		t.Fatal(err)
	}
	const rounds = 20
	atOnce(4, func(i int) {
		mine, other := servers[i%2], servers[(i+1)%2]
		for won := 0; won < rounds; {
			h, err := mine.Header(ctx, d)
			if err != nil {
				t.Error(err)
				return
			}
			err = mine.Commit(ctx, store.Tx{Dossier: d, Expect: h.Version, Header: header})
			if errors.Is(err, store.ErrConflict) {
				continue
			}
			if err != nil {
				t.Error(err)
				return
			}
			won++
			if seen, err := other.Header(ctx, d); err != nil || seen.Version <= h.Version {
				t.Errorf("wrote %d, the other reads %d, %v", h.Version+1, seen.Version, err)
			}
		}
	})
	if h, err := servers[1].Header(ctx, d); err != nil || h.Version != 1+4*rounds {
		t.Errorf("%+v, %v", h, err)
	}

	// A lease that nobody holds goes to one of those who want it.
	for round := range 10 {
		wins := make([]bool, 8)
		atOnce(len(wins), func(i int) {
			err := servers[i%2].Commit(ctx, store.Tx{Expect: store.Any, State: []store.StateEntry{entryNamed(fmt.Sprint("lease ", round))}})
			if wins[i] = err == nil; err != nil && !errors.Is(err, store.ErrConflict) {
				t.Error(err)
			}
		})
		n := 0
		for _, won := range wins {
			if won {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d holders of one lease", n)
		}
	}
}
