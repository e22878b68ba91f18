package dossier

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"opendmp/audit"
	"opendmp/policy"
	"opendmp/store"
)

// Errors of Purge. Nothing was destroyed, and somebody must look.
var (
	// ErrClock: the clock went back since the run before, or so far ahead that it
	// cannot be trusted, or nobody purged for that long.
	ErrClock = errors.New("dossier: purge: the clock does not go with the run before")
	// ErrTooManyDue: more dossiers are due than a run may touch.
	ErrTooManyDue = errors.New("dossier: purge: too many dossiers are due")
)

// PurgeOptions bound a run of Purge. The zero value only looks.
type PurgeOptions struct {
	// Act announces and destroys; without it the run changes nothing.
	Act bool
	// Delay is how long an announced destruction waits: 30 days if zero.
	Delay time.Duration
	// Most is how many dossiers may be due: 100 if zero. More is ErrTooManyDue,
	// before anything is done.
	Most int
	// Gap is how long ago the run before may be: 7 days if zero. Longer is ErrClock,
	// unless AfterGap says that a person has looked at the clock.
	Gap      time.Duration
	AfterGap bool
}

// PurgeReport is what a run found, and if it acted, did.
type PurgeReport struct {
	// First tells that no run was before: such a run announces, and destroys
	// nothing.
	First bool
	Due   int // closed dossiers whose time is over
	// Announced and Destroyed of them; without Act, what it would be.
	Announced, Destroyed int
	// Waiting were announced before, and their delay is not over.
	Waiting int
}

// State entries of Purge.
const (
	purgeKind = "purge"
	purgeLast = "last"
)

// Words of the history for the two steps.
const (
	eventAnnounced = "destruction-annoncee"
	eventPurged    = "destruction-fin-de-conservation"
)

// purgePage bounds how many entries are read together.
const purgePage = 200

// Purge destroys the closed dossiers whose retention is over, in two steps (G03):
// a first run announces, in the history and to the patient, and a later one, after
// a delay, destroys. It refuses to act on a clock that it cannot trust and on more
// dossiers than a run may touch; a dossier that is reactivated in between is left
// alone. Runs may be repeated and interrupted at will.
func (s *Service) Purge(ctx context.Context, o PurgeOptions) (PurgeReport, error) {
	o = o.withDefaults()
	at := s.now()
	last, err := s.lastPurge(ctx)
	if err != nil {
		return PurgeReport{}, err
	}
	r := PurgeReport{First: last.Rev == 0}
	if err := o.checkClock(last, at); err != nil {
		return r, err
	}
	due, err := s.due(ctx, at, o.Most)
	r.Due = len(due)
	if err != nil {
		return r, err
	}
	for _, e := range due {
		if err := s.purgeOne(ctx, o, e, at, &r); err != nil {
			return r, err
		}
	}
	if !o.Act {
		return r, nil
	}
	last.Value = []byte(at.UTC().Format(time.RFC3339Nano))
	return r, s.store.Commit(ctx, store.Tx{Expect: store.Any, State: []store.StateEntry{last}})
}

func (o PurgeOptions) withDefaults() PurgeOptions {
	if o.Delay <= 0 {
		o.Delay = 30 * 24 * time.Hour
	}
	if o.Most <= 0 {
		o.Most = 100
	}
	if o.Gap <= 0 {
		o.Gap = 7 * 24 * time.Hour
	}
	return o
}

func (s *Service) lastPurge(ctx context.Context) (store.StateEntry, error) {
	e, err := s.store.State(ctx, purgeKind, purgeLast)
	if errors.Is(err, store.ErrNotFound) {
		return store.StateEntry{Kind: purgeKind, Key: purgeLast}, nil
	}
	return e, err
}

// checkClock compares the clock with that of the run before.
func (o PurgeOptions) checkClock(last store.StateEntry, at time.Time) error {
	if last.Rev == 0 {
		return nil
	}
	before, err := time.Parse(time.RFC3339Nano, string(last.Value))
	switch {
	case err != nil:
		return fmt.Errorf("%w: its time cannot be read", ErrClock)
	case at.Before(before):
		return fmt.Errorf("%w: it was at %s, and now is %s", ErrClock, before.Format(time.RFC3339), at.UTC().Format(time.RFC3339))
	case at.Sub(before) > o.Gap && !o.AfterGap:
		return fmt.Errorf("%w: it was %d days ago", ErrClock, int(at.Sub(before).Hours()/24))
	}
	return nil
}

// due lists the entries of closed dossiers whose time is over, oldest first.
func (s *Service) due(ctx context.Context, at time.Time, most int) ([]store.StateEntry, error) {
	var due []store.StateEntry
	for after := ""; ; {
		page, err := s.store.StateList(ctx, retained, after, purgePage)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			after = e.Key
			day, _, ok := splitRetained(e.Key)
			if !ok {
				continue // none of ours
			}
			if !s.policy.RetentionOver(day, at) {
				return due, nil // what follows was closed later
			}
			if due = append(due, e); len(due) > most {
				return due, fmt.Errorf("%w: more than %d", ErrTooManyDue, most)
			}
		}
		if len(page) < purgePage {
			return due, nil
		}
	}
}

// splitRetained undoes retainedKey.
func splitRetained(key string) (day string, d store.Dossier, ok bool) {
	day, id, _ := strings.Cut(key, "/")
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != len(d) {
		return "", d, false
	}
	return day, store.Dossier(b), true
}

// purgeOne takes one due dossier its next step.
func (s *Service) purgeOne(ctx context.Context, o PurgeOptions, e store.StateEntry, at time.Time, r *PurgeReport) error {
	_, id, _ := splitRetained(e.Key)
	d, err := s.load(ctx, id)
	if err != nil {
		return err
	}
	if d.patient() == nil || d.header.State != store.Closed || !s.policy.RetentionOver(d.patient().facts.ClosedOn(), at) {
		return nil // reopened since it was listed, or closed again
	}
	announced, err := time.Parse(time.RFC3339Nano, string(e.Value))
	step := &r.Announced
	run := s.announce
	switch {
	case len(e.Value) == 0:
	case err != nil:
		return fmt.Errorf("%w: when a destruction was announced cannot be read", ErrClock)
	case at.Sub(announced) < o.Delay || r.First:
		r.Waiting++
		return nil
	default:
		step, run = &r.Destroyed, s.purge
	}
	if o.Act {
		if err := run(ctx, d, e, at); errors.Is(err, store.ErrConflict) {
			return nil // somebody acted on it meanwhile: the next run looks again
		} else if err != nil {
			return err
		}
	}
	*step++
	return nil
}

// announce is the first step.
func (s *Service) announce(ctx context.Context, d *loaded, e store.StateEntry, at time.Time) error {
	e.Value = []byte(at.UTC().Format(time.RFC3339Nano))
	ch := s.systemChange(d, at)
	ch.tx.Expect = store.Any
	ch.tx.State = append(ch.tx.State, e)
	ch.notice("fin-de-conservation")
	_, err := s.audit.Commit(ctx, ch.tx, audit.Target{Dossier: d.id, Ring: d.ring}, s.purgeEvent(d, eventAnnounced, audit.Executes))
	return err
}

// purge is the second.
func (s *Service) purge(ctx context.Context, d *loaded, _ store.StateEntry, at time.Time) error {
	c := s.systemCall(at)
	ch, err := c.eraseDossier(ctx, d, nil)
	if err != nil {
		return err
	}
	ch.events = []audit.Event{s.purgeEvent(d, eventPurged, audit.Deletes)}
	_, err = ch.commitDestruction(ctx)
	return err
}

func (s *Service) purgeEvent(d *loaded, what string, action audit.Action) audit.Event {
	e := s.systemEvent(d.patient().id, what, action)
	e.Rules = []string{policy.RuleRetention}
	return e
}

// systemCall is a call that nobody made: it decides nothing and reads nothing as a
// caller.
func (s *Service) systemCall(at time.Time) *call { return &call{Service: s, at: at} }

func (s *Service) systemChange(d *loaded, at time.Time) *change {
	return s.systemCall(at).newChange(d, nil)
}
