package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"math"

	"opendmp/store"
)

const eventColumns = "SELECT id, dossier, recorded, class, actor, sealed FROM event "

// Events implements store.Store.
func (s *Store) Events(ctx context.Context, d store.Dossier, before store.Cursor, limit int) ([]store.Event, error) {
	return s.page(ctx, eventColumns+"WHERE dossier = ? AND (recorded, id) < (?, ?) ORDER BY recorded DESC, id DESC LIMIT ?", d[:], before, limit)
}

// EventsOf implements store.Store.
func (s *Store) EventsOf(ctx context.Context, actor store.Token, before store.Cursor, limit int) ([]store.Event, error) {
	return s.page(ctx, eventColumns+"WHERE actor = ? AND (recorded, id) < (?, ?) ORDER BY recorded DESC, id DESC LIMIT ?", actor[:], before, limit)
}

func (s *Store) page(ctx context.Context, sql string, whose []byte, before store.Cursor, limit int) ([]store.Event, error) {
	if limit <= 0 {
		return nil, nil
	}
	if err := checkTime(before.Recorded); err != nil {
		return nil, err
	}
	recorded, id := bound(before)
	return list(ctx, s, sql, eventOf, whose, recorded, id, int64(limit))
}

// bound gives the place that events must be before. No event can be at or after
// that of the zero cursor: its id is one byte longer than any.
func bound(before store.Cursor) (recorded int64, id []byte) {
	if before.Recorded.IsZero() {
		return math.MaxInt64, bytes.Repeat([]byte{0xff}, len(before.ID)+1)
	}
	return nanos(before.Recorded), before.ID[:]
}

// Pending implements store.Store, by (Recorded, ID).
func (s *Store) Pending(ctx context.Context, limit int) ([]store.Event, error) {
	if limit <= 0 {
		return nil, nil
	}
	return list(ctx, s, `SELECT event.id, dossier, event.recorded, class, actor, sealed FROM pending
CROSS JOIN event ON event.seq = pending.seq ORDER BY pending.recorded, pending.id LIMIT ?`, eventOf, int64(limit))
}

func eventOf(v []driver.Value) store.Event {
	return store.Event{
		ID:       store.EventID(asBytes(v[0])),
		Dossier:  store.Dossier(asBytes(v[1])),
		Recorded: asTime(v[2]),
		Class:    uint8(asInt(v[3])),
		Actor:    store.Token(asBytes(v[4])),
		Sealed:   asBytes(v[5]),
	}
}
