package mongo

import (
	"bytes"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"opendmp/store"
)

func docOfEvent(e *store.Event) eventDoc {
	at := place(nanos(e.Recorded), e.ID)
	return eventDoc{
		ID:      slices.Concat(e.Dossier[:], at),
		Actor:   e.Actor[:],
		Place:   at,
		Class:   e.Class,
		Sealed:  filled(e.Sealed),
		Pending: true,
	}
}

func eventOf(d *eventDoc) (store.Event, error) {
	if len(d.ID) != sizeDossier+sizePlace || len(d.Actor) != sizeToken {
		return store.Event{}, errDamaged
	}
	at := d.ID[sizeDossier:]
	return store.Event{
		ID:       store.EventID(at[sizeInt64:]),
		Dossier:  store.Dossier(d.ID[:sizeDossier]),
		Recorded: instant(fromBE64(at)),
		Class:    d.Class,
		Actor:    store.Token(d.Actor),
		Sealed:   d.Sealed,
	}, nil
}

// Events implements store.Store.
func (s *Store) Events(ctx context.Context, d store.Dossier, before store.Cursor, limit int) ([]store.Event, error) {
	if err := checkTime(before.Recorded); err != nil {
		return nil, err
	}
	from := slices.Concat(d[:], make([]byte, sizePlace))
	older := append(bson.D{{Key: "$gte", Value: from}}, olderThan(d[:], before)...)
	return s.page(ctx, bson.D{{Key: "_id", Value: older}}, sorted("_id", down), limit)
}

// EventsOf implements store.Store.
func (s *Store) EventsOf(ctx context.Context, actor store.Token, before store.Cursor, limit int) ([]store.Event, error) {
	if err := checkTime(before.Recorded); err != nil {
		return nil, err
	}
	filter := bson.D{{Key: "a", Value: actor[:]}, {Key: "p", Value: olderThan(nil, before)}}
	return s.page(ctx, filter, sorted("p", down), limit)
}

// olderThan is the bound of places, behind a prefix, that are before a cursor.
// Before the zero cursor is everything.
func olderThan(prefix []byte, before store.Cursor) bson.D {
	if before.Recorded.IsZero() {
		return bson.D{{Key: "$lte", Value: slices.Concat(prefix, bytes.Repeat([]byte{0xff}, sizePlace))}}
	}
	return bson.D{{Key: "$lt", Value: slices.Concat(prefix, place(nanos(before.Recorded), before.ID))}}
}

// Pending implements store.Store, by (Recorded, ID).
func (s *Store) Pending(ctx context.Context, limit int) ([]store.Event, error) {
	return s.page(ctx, bson.D{{Key: "q", Value: true}}, sorted("p", up), limit)
}

func (s *Store) page(ctx context.Context, filter, order bson.D, limit int) ([]store.Event, error) {
	if limit <= 0 {
		return nil, nil
	}
	var events []store.Event
	err := s.call(ctx, "events", func(ctx context.Context) error {
		docs, err := all[eventDoc](s.events.Find(ctx, filter, options.Find().SetSort(order).SetLimit(int64(limit)).SetBatchSize(batch)))(ctx)
		if err != nil {
			return err
		}
		events = make([]store.Event, len(docs))
		for i := range docs {
			if events[i], err = eventOf(&docs[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return events, err
}
