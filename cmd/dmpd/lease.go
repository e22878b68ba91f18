package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"opendmp/store"
)

// leaseKind is the kind of the state entries that are leases; the key is the name
// of the work.
const leaseKind = "lease"

// lease is the right to do one work of the servers, alone, until an instant. The
// zero lease is nobody's.
type lease struct {
	name  string
	owner string // the process that has it
	// fence counts the changes of hands, from 1, and never goes back: of two that
	// believe to have the lease, the one with the higher number has it.
	fence int64
	until time.Time
	entry store.StateEntry // as it stands
}

// leaseValue is what the entry of a lease holds. Its end stands here and not in
// the entry's Expires: a collected entry would take the fencing number with it.
type leaseValue struct {
	Owner string    `json:"owner"`
	Fence int64     `json:"fence"`
	Until time.Time `json:"until"`
}

// leases takes leases for one process. Of all that share the store, one has the
// lease of a name at a time, as far as their clocks agree; a work that must not be
// done twice even when they do not adds the guard of its lease to its commits.
type leases struct {
	store store.Store
	owner string // random: no two processes have the same
	now   func() time.Time
}

// take takes the lease of a work for a term, or prolongs it when it is this
// process's already. ok is false while another one has it.
func (ls leases) take(ctx context.Context, name string, term time.Duration) (l lease, ok bool, err error) {
	if ls.owner == "" {
		return lease{}, false, errors.New("lease: no owner")
	}
	l, err = ls.read(ctx, name)
	if err != nil {
		return lease{}, false, err
	}
	now := ls.now()
	if l.owner != ls.owner {
		if now.Before(l.until) {
			return lease{}, false, nil
		}
		l.owner = ls.owner
		l.fence++
	}
	l.until = now.Add(term)
	err = ls.write(ctx, &l)
	if errors.Is(err, store.ErrConflict) {
		return lease{}, false, nil // another one was faster
	}
	return l, err == nil, err
}

// read reads a lease, whoever has it. One that nobody ever took is over.
func (ls leases) read(ctx context.Context, name string) (lease, error) {
	entry, err := ls.store.State(ctx, leaseKind, name)
	if errors.Is(err, store.ErrNotFound) {
		return lease{name: name, entry: store.StateEntry{Kind: leaseKind, Key: name}}, nil
	}
	if err != nil {
		return lease{}, err
	}
	var v leaseValue
	if err := json.Unmarshal(entry.Value, &v); err != nil {
		return lease{}, fmt.Errorf("lease %s: %w", name, err)
	}
	return lease{name: name, owner: v.Owner, fence: v.Fence, until: v.Until, entry: entry}, nil
}

// write commits a lease over what was read of it.
func (ls leases) write(ctx context.Context, l *lease) (err error) {
	l.entry.Value, err = json.Marshal(leaseValue{Owner: l.owner, Fence: l.fence, Until: l.until})
	if err != nil {
		return err
	}
	if err := ls.store.Commit(ctx, store.Tx{Expect: store.Any, State: []store.StateEntry{l.entry}}); err != nil {
		return err
	}
	l.entry.Rev++
	return nil
}

// guard is the entry that makes a commit depend on the lease: with it in Tx.State,
// nothing of the Tx is written once the lease has been taken or prolonged since,
// and the error is store.ErrConflict. It serves one commit: take the lease again
// before the next. That of the zero lease lets nothing through.
func (l lease) guard() store.StateEntry {
	if l.fence == 0 {
		return store.StateEntry{Kind: leaseKind, Rev: -1}
	}
	return l.entry
}
