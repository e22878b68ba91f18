package audit

import (
	"context"
	"fmt"

	"opendmp/policy"
	"opendmp/store"
)

// Read returns at most limit events of the history of t older than before, newest
// first. An event that cannot be opened, or whose clear part does not agree with
// its sealed one, is ErrUnreadable and nothing is returned.
func (l *Log) Read(ctx context.Context, t Target, before store.Cursor, limit int) ([]Event, error) {
	if l == nil || l.store == nil {
		return nil, ErrZero
	}
	kept, err := l.store.Events(ctx, t.Dossier, before, limit)
	if err != nil {
		return nil, err
	}
	events := make([]Event, len(kept))
	for i := range kept {
		if events[i], err = open(t, &kept[i]); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// Event returns the event at a place of the history of t; store.ErrNotFound if
// there is none.
func (l *Log) Event(ctx context.Context, t Target, at store.Cursor) (Event, error) {
	events, err := l.Read(ctx, t, after(at), 1)
	if err != nil {
		return Event{}, err
	}
	if len(events) == 0 || events[0].Cursor() != at {
		return Event{}, fmt.Errorf("audit: no such event: %w", store.ErrNotFound)
	}
	return events[0], nil
}

// Cursor returns the place of the event in its history: what Log.Read takes to go
// on after it.
func (e Event) Cursor() store.Cursor { return store.Cursor{Recorded: e.Recorded, ID: e.ID} }

func open(t Target, kept *store.Event) (Event, error) {
	plain, err := t.Ring.OpenEvent(kept.ID, kept.Sealed)
	if err != nil {
		return Event{}, fmt.Errorf("%w %x: %w", ErrUnreadable, kept.ID, err)
	}
	e, err := Decode(plain)
	if err != nil {
		return Event{}, fmt.Errorf("%w %x: %w", ErrUnreadable, kept.ID, err)
	}
	e.ID = kept.ID
	if e.Class != policy.Class(kept.Class) || !e.Recorded.Equal(kept.Recorded) {
		return Event{}, fmt.Errorf("%w %x: its clear part was changed", ErrUnreadable, kept.ID)
	}
	return e, nil
}

// after returns the first place after c in the order of (recorded, id).
func after(c store.Cursor) store.Cursor {
	for i := len(c.ID) - 1; i >= 0; i-- {
		c.ID[i]++
		if c.ID[i] != 0 {
			return c
		}
	}
	c.Recorded = c.Recorded.Add(1) // the id was the last one and is the first now
	return c
}
