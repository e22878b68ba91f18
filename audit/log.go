package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"opendmp/fhir"
	"opendmp/store"
	"opendmp/vault"
)

// Errors of Log. Those of the store pass through.
var (
	// ErrNoEvent: a commit without an event. Nothing was written.
	ErrNoEvent = errors.New("audit: no event")
	// ErrTarget: the target is not the dossier of the commit, or has no trace key.
	// Nothing was written.
	ErrTarget = errors.New("audit: wrong target")
	// ErrUnsealed: something in the commit was not sealed by the vault. Nothing was
	// written.
	ErrUnsealed = errors.New("audit: not sealed")
	// ErrZero: the Log is the zero one.
	ErrZero = errors.New("audit: log without a store")
	// ErrUnreadable: an event of the history does not open or was changed. The
	// history must not be shown without it.
	ErrUnreadable = errors.New("audit: unreadable event")
)

// Target is the dossier in whose history events go, and its keys. The zero Target
// takes none.
type Target struct {
	Dossier store.Dossier
	Ring    *vault.Ring
}

// Log writes and reads histories. It is safe for concurrent use.
type Log struct {
	store   store.Store
	vault   *vault.Vault
	now     func() time.Time
	rand    io.Reader
	journal atomic.Pointer[Target]
}

// New returns a log. rand must be safe for concurrent use.
func New(st store.Store, v *vault.Vault, now func() time.Time, rand io.Reader) *Log {
	return &Log{store: st, vault: v, now: now, rand: rand}
}

// Commit seals the events under the trace key of t, adds them to tx and commits.
// The Receipt is valid when the store said that all of it is durable. It is the
// only way to commit: a tx that comes with events of its own, without an event to
// add, with something unsealed, or whose events would go into another dossier's
// history, is refused (ErrNoEvent, ErrTarget, ErrUnsealed) and nothing is
// written. Errors of the store pass through.
func (l *Log) Commit(ctx context.Context, tx store.Tx, t Target, events ...Event) (Receipt, error) {
	return l.CommitAlso(ctx, tx, t, events, nil)
}

// CommitAlso is Commit with further events in the system journal, in the same
// commit: of an act that leaves no dossier behind in which its history could be
// found. The Receipt is that of the events of the dossier.
func (l *Log) CommitAlso(ctx context.Context, tx store.Tx, t Target, events, journal []Event) (Receipt, error) {
	if l == nil || l.store == nil {
		return Receipt{}, ErrZero
	}
	if err := check(&tx, t, events); err != nil {
		return Receipt{}, err
	}
	r := Receipt{dossier: t.Dossier}
	now := l.now()
	for i, e := range events {
		// A nanosecond apart, the events of a commit keep their order although ids are random.
		sealed, err := l.seal(t, &e, now.Add(time.Duration(i)))
		if err != nil {
			return Receipt{}, err
		}
		tx.Events = append(tx.Events, sealed)
		r.events = append(r.events, e.ID)
		r.recorded = append(r.recorded, e.Recorded)
	}
	for i, e := range journal {
		sealed, err := l.seal(l.Journal(), &e, now.Add(time.Duration(i)))
		if err != nil {
			return Receipt{}, err
		}
		tx.Events = append(tx.Events, sealed)
	}
	if err := l.store.Commit(ctx, tx); err != nil {
		return Receipt{}, err
	}
	r.ok = true
	return r, nil
}

// Record makes the events of a read durable.
func (l *Log) Record(ctx context.Context, t Target, events ...Event) (Receipt, error) {
	return l.Commit(ctx, store.Tx{Dossier: t.Dossier, Expect: store.Any}, t, events...)
}

// Actor returns the blind token under which the events of an actor are found over
// all dossiers (store.Store.EventsOf).
func (l *Log) Actor(id fhir.Ident) store.Token {
	return l.vault.Find("event actor", id.System, id.Value)
}

// seal fills what is missing in e and seals it.
func (l *Log) seal(t Target, e *Event, now time.Time) (store.Event, error) {
	if e.ID == (store.EventID{}) {
		if _, err := io.ReadFull(l.rand, e.ID[:]); err != nil {
			return store.Event{}, fmt.Errorf("audit: no randomness: %w", err)
		}
	}
	if e.Recorded.IsZero() {
		e.Recorded = now
	}
	e.Recorded = e.Recorded.UTC().Round(0)
	if e.Purpose == "" {
		e.Purpose = purpose(e.Kind, e.Mode)
	}
	sealed := t.Ring.SealEvent(e.ID, e.AppendBinary(nil))
	if !vault.IsSealed(sealed) {
		return store.Event{}, fmt.Errorf("%w: no trace key", ErrTarget)
	}
	return store.Event{
		ID:       e.ID,
		Dossier:  t.Dossier,
		Recorded: e.Recorded,
		Class:    uint8(e.Class),
		Actor:    l.Actor(e.Actor),
		Sealed:   sealed,
	}, nil
}

// check refuses what must never be committed.
func check(tx *store.Tx, t Target, events []Event) error {
	switch {
	case len(events) == 0:
		return ErrNoEvent
	case len(tx.Events) > 0:
		return fmt.Errorf("%w: events go in through Commit only", ErrUnsealed)
	case t.Dossier == (store.Dossier{}) || !t.Ring.Of(t.Dossier):
		return fmt.Errorf("%w: no dossier, or not its keys", ErrTarget)
	case tx.Expect != store.Any && tx.Dossier != t.Dossier:
		return fmt.Errorf("%w: a write is told in the history of its own dossier", ErrTarget)
	}
	return checkSealed(tx)
}

// checkSealed looks at the outer form of all that would be stored.
func checkSealed(tx *store.Tx) error {
	for i := range tx.Puts {
		p := &tx.Puts[i]
		if !vault.IsSealed(p.Summary) || !vault.IsSealed(p.Body) && !(p.Deleted && len(p.Body) == 0) {
			return fmt.Errorf("%w: version %d of a %s", ErrUnsealed, p.Version, p.Type)
		}
	}
	for i := range tx.Contents {
		if c := tx.Contents[i].Sealed; c != nil && !vault.IsSealed(c) {
			return fmt.Errorf("%w: content", ErrUnsealed)
		}
	}
	for _, puts := range [][]store.TokenPut{tx.Claims, tx.Finds} {
		for i := range puts {
			if puts[i].Token == (store.Token{}) {
				return fmt.Errorf("%w: zero token", ErrUnsealed)
			}
		}
	}
	return nil
}
