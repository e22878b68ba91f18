package dossier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// Kinds of the state entries of E09 (docs/decisions/0015-notice.md).
const (
	// dueKind has one entry for each document that was hidden from the patient, by
	// the day on which it is looked at again. Nothing takes it away before: whether
	// the patient is owed a notice is judged then.
	dueKind = "echeance"
	// toldKind has one entry for each dossier whose patient was told today.
	toldKind = "avis-du-jour"
)

// occasionUpdated is the neutral notice: the record was updated, please ask your
// médecin traitant. It names no document, author or establishment.
const occasionUpdated = "dossier-mis-a-jour"

// eventUpdated names in the history that the patient was told. The event is
// withheld from them as long as what it is about.
const eventUpdated = "mise-a-jour-annoncee"

// remindTime bounds what one entry may take once the server is to stop.
const remindTime = 10 * time.Second

// duePage bounds how many entries are read together.
const duePage = 200

// Reminded counts what a run of Remind did with the entries that were due.
type Reminded struct {
	Told    int // a notice was given
	Covered int // the notice of the same day, for another document, served
	Over    int // visible, deleted, replaced or destroyed since: nothing is owed
	Moved   int // not owed yet: the dossier is closed, or annonce-rappel is longer now
	Left    int // another server was at it, or a fault: the next run looks again
	// More tells that the run ended before it had seen all.
	More bool
}

// acted is how many entries are done with.
func (r Reminded) acted() int { return r.Told + r.Covered + r.Over + r.Moved }

// remind puts a due entry with a version of a document that is hidden from the
// patient and was not before, in its commit.
func (ch *change) remind(old, now *row) {
	engine, at := ch.c.policy, ch.c.at
	if now.typ != "DocumentReference" || old != nil && engine.HiddenAt(old.facts, at) {
		return
	}
	if old == nil && !now.origin.HiddenSince.IsZero() && engine.NoticeDue(now.facts, at) {
		return // told with what it replaces
	}
	if due, ok := engine.NoticeAt(now.facts, at); ok {
		e := ch.c.dueEntry(ch.d.id, now.key, due)
		ch.tx.Unset, ch.tx.State = append(ch.tx.Unset, e), append(ch.tx.State, e)
	}
}

// dueEntry is the entry of a row of a dossier for a day that begins at an instant.
// Its key is the day, so that a list is in order and tells no hour of a deposit,
// and blind: the entries of one dossier do not show that they are.
func (s *Service) dueEntry(d store.Dossier, row store.RowKey, due time.Time) store.StateEntry {
	key := due.In(fhir.Paris).Format(time.DateOnly) + "/" + s.blindKey(dueKind, string(d[:]), string(row[:]))
	return store.StateEntry{Kind: dueKind, Key: key, Value: s.sealState(dueKind, key, slices.Concat(d[:], row[:]))}
}

// Remind tells the patients who are owed the neutral notice about documents that
// are hidden from them (E09): each document once, with one notice a day for a
// dossier, whatever server runs it, how often, after how long, and wherever it was
// interrupted. It looks again at most at a number of entries, and at all if most is
// zero. It ends early, without an error, when ctx does, and only between two
// entries. The error is the first fault; what does not depend on it is done.
func (s *Service) Remind(ctx context.Context, most int) (Reminded, error) {
	var r Reminded
	var first error
	at := s.now()
	for after := ""; ; {
		page, err := s.store.StateList(ctx, dueKind, after, duePage)
		if err != nil {
			return r, errors.Join(first, unlessEnded(ctx, err))
		}
		for _, e := range page {
			after = e.Key
			if !isDue(e.Key, at) {
				return r, first // what follows is later
			}
			if ctx.Err() != nil || most > 0 && r.acted() == most {
				r.More = true
				return r, first
			}
			err := s.remindEntry(ctx, e, at, &r)
			if first = cmpErr(first, err); isUnavailable(err) {
				return r, first
			}
		}
		if len(page) < duePage {
			return r, first
		}
	}
}

// cmpErr returns the first error there is.
func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// unlessEnded returns err, but none of a work that is to stop.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// isDue tells whether the day in the key of a due entry has begun.
func isDue(key string, at time.Time) bool {
	day, ok := fhir.ParseInterval(key[:min(len(key), len(time.DateOnly))])
	return ok && !at.Before(day.StartTime())
}

// remindEntry does with one entry what is to be done at an instant, and counts it.
func (s *Service) remindEntry(ctx context.Context, e store.StateEntry, at time.Time, r *Reminded) error {
	if len(e.Value) == 0 {
		return nil // done with: Collect removes it
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), remindTime)
	defer cancel()
	count, err := s.judgeDue(ctx, e, at, r)
	if errors.Is(err, store.ErrConflict) {
		count, err = &r.Left, nil
	}
	if err != nil {
		count = &r.Left
	}
	*count++
	return err
}

// judgeDue looks at the document of an entry again. All that it writes goes with
// the mark that the entry is done with, so that it is done once.
func (s *Service) judgeDue(ctx context.Context, e store.StateEntry, at time.Time, r *Reminded) (*int, error) {
	plain, err := s.openState(e)
	if err != nil {
		return nil, err
	}
	if len(plain) != len(store.Dossier{})+len(store.RowKey{}) {
		return nil, fmt.Errorf("%w: a due entry of %d bytes", ErrInternal, len(plain))
	}
	d, err := s.load(ctx, store.Dossier(plain))
	if err != nil {
		return nil, err
	}
	doc := d.byKey(store.RowKey(plain[len(store.Dossier{}):]))
	tx := store.Tx{Dossier: d.id, Expect: store.Any, State: []store.StateEntry{spent(e, at)}}
	switch {
	case !d.exists() || d.patient() == nil || doc == nil:
		return &r.Over, s.store.Commit(ctx, tx)
	case d.header.State == store.Active && s.policy.NoticeDue(doc.facts, at):
		return s.tellUpdate(ctx, tx, d, doc, at, r)
	}
	next, ok := s.policy.NoticeAt(doc.facts, at)
	if !ok {
		return &r.Over, s.store.Commit(ctx, tx)
	}
	later := s.dueEntry(d.id, doc.key, next)
	tx.Unset, tx.State = append(tx.Unset, later), append(tx.State, later)
	return &r.Moved, s.store.Commit(ctx, tx)
}

// spent is an entry that nobody need look at again. It is written over what was
// read of it, so that of two servers one succeeds.
func spent(e store.StateEntry, at time.Time) store.StateEntry {
	e.Value, e.Expires = nil, at
	return e
}

// tellUpdate gives the notice, unless the patient had one today: two at a time
// would count for them what is hidden.
func (s *Service) tellUpdate(ctx context.Context, tx store.Tx, d *loaded, doc *row, at time.Time, r *Reminded) (*int, error) {
	told, err := s.toldToday(ctx, d.id)
	if err != nil {
		return nil, err
	}
	count := &r.Covered
	if !told.Expires.After(at) {
		count = &r.Told
		told.Expires = policy.EndOfDay(at)
		tx.State = append(tx.State, told, s.outboxEntry(d.id, occasionUpdated, at))
	}
	e := s.systemEvent(d.patient().id, eventUpdated, audit.Executes)
	e.Class, e.Objects, e.Rules = policy.Withheld, []string{versionRef(doc)}, []string{policy.RuleNotice}
	_, err = s.audit.Commit(ctx, tx, audit.Target{Dossier: d.id, Ring: d.ring}, e)
	return count, err
}

// toldToday returns the entry that says until when a patient counts as told, as it
// stands; a new one that says nothing where there is none.
func (s *Service) toldToday(ctx context.Context, d store.Dossier) (store.StateEntry, error) {
	key := s.blindKey(toldKind, string(d[:]))
	e, err := s.store.State(ctx, toldKind, key)
	if errors.Is(err, store.ErrNotFound) {
		return store.StateEntry{Kind: toldKind, Key: key}, nil
	}
	return e, err
}
