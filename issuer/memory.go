package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"opendmp/auth"
	"opendmp/store"
)

const (
	kindUsed    = "oauth-used"
	kindRevoked = "oauth-revoked"

	clientPrefix = "client:"
	tokenPrefix  = "token:"

	// revocationAge is how old the list may be that a resource server goes by.
	revocationAge = time.Minute
	// revocationPoll is how often it is read.
	revocationPoll = 5 * time.Second
	revocationPage = 1000
)

// used is the entry that marks an id as used until a time. In a commit it conflicts
// the second time.
func used(use, id string, until time.Time) store.StateEntry {
	return store.StateEntry{Kind: kindUsed, Key: hash(use + " " + id), Value: []byte{1}, Expires: until}
}

// Replay returns the memory of DPoP proofs, for auth.Config: one durable write for
// each, so that a proof serves once on all servers together.
func Replay(st store.Store) auth.Replay {
	return func(ctx context.Context, id string, until time.Time) error {
		err := st.Commit(ctx, store.Tx{Expect: store.Any, State: []store.StateEntry{used("dpop", id, until)}})
		switch {
		case errors.Is(err, store.ErrConflict):
			return fmt.Errorf("%w: used before", auth.ErrProof)
		case err != nil:
			return fmt.Errorf("%w: %w", auth.ErrUndecided, err)
		}
		return nil
	}
}

// revocation is the entry that takes back a token or all tokens of a client; name has a
// prefix that says which.
func revocation(name string, until time.Time) store.StateEntry {
	return store.StateEntry{Kind: kindRevoked, Key: hash(name), Value: []byte{1}, Expires: until}
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Revocations is the list of tokens taken back, kept in memory so that no request waits
// for it. A token that is taken back on one server is refused there at once and on the
// others within seconds. It is safe for concurrent use.
type Revocations struct {
	store store.Store
	now   func() time.Time

	reading sync.Mutex

	mu   sync.RWMutex
	list map[string]bool
	read time.Time
}

// NewRevocations returns the list as it is in the store.
func NewRevocations(ctx context.Context, st store.Store, now func() time.Time) (*Revocations, error) {
	r := &Revocations{store: st, now: now}
	return r, r.Refresh(ctx)
}

// Revoked is for auth.Config. A list that could not be read for a minute refuses every
// token with auth.ErrUndecided: degraded is not open.
func (r *Revocations) Revoked(tokenID, client string) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch {
	case r.now().Sub(r.read) > revocationAge:
		return auth.ErrUndecided
	case len(r.list) == 0:
		return nil
	case r.list[hash(tokenPrefix+tokenID)] || client != "" && r.list[hash(clientPrefix+client)]:
		return fmt.Errorf("%w: taken back", auth.ErrInvalidToken)
	}
	return nil
}

// Refresh reads the list anew, one reader after the other: an older list never takes the
// place of a newer one.
func (r *Revocations) Refresh(ctx context.Context) error {
	r.reading.Lock()
	defer r.reading.Unlock()
	now := r.now()
	list := map[string]bool{}
	after := ""
	for {
		page, err := r.store.StateList(ctx, kindRevoked, after, revocationPage)
		if err != nil {
			return err
		}
		for _, e := range page {
			after = e.Key
			if e.Expires.After(now) {
				list[e.Key] = true
			}
		}
		if len(page) < revocationPage {
			break
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list, r.read = list, now
	return nil
}

// Run reads the list every few seconds until ctx ends.
func (r *Revocations) Run(ctx context.Context) {
	tick := time.NewTicker(revocationPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = r.Refresh(ctx) // Revoked says so when it lasts
		}
	}
}
