package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"opendmp/store"
)

// applyState removes and writes state entries. One entry is one write, which is
// atomic also outside a transaction.
func (s *Store) applyState(ctx context.Context, tx *store.Tx, now time.Time) error {
	if err := s.unset(ctx, tx); err != nil {
		return err
	}
	models := make([]driver.WriteModel, len(tx.State))
	for i := range tx.State {
		models[i] = entryModel(&tx.State[i], now)
	}
	n, err := write(ctx, s.states, models)
	if err == nil && n != int64(len(models)) {
		return store.ErrConflict
	}
	// An insert that met a live entry.
	return duplicate(err, store.ErrConflict)
}

func (s *Store) unset(ctx context.Context, tx *store.Tx) error {
	models := make([]driver.WriteModel, len(tx.Unset))
	for i := range tx.Unset {
		models[i] = driver.NewDeleteOneModel().SetFilter(byID(stateID(tx.Unset[i].Kind, tx.Unset[i].Key)))
	}
	_, err := write(ctx, s.states, models)
	return err
}

// entryModel writes the revision after e.Rev. An expired entry counts as absent
// for who expects none, and still has its revision for who takes it over.
func entryModel(e *store.StateEntry, now time.Time) driver.WriteModel {
	d := stateDoc{ID: stateID(e.Kind, e.Key), Value: filled(e.Value), Rev: e.Rev + 1}
	if !e.Expires.IsZero() {
		at := nanos(e.Expires)
		d.Expires = &at
	}
	m := driver.NewReplaceOneModel().SetReplacement(d)
	if e.Rev == 0 {
		return m.SetUpsert(true).SetFilter(append(byID(d.ID), where("x", "$lte", nanos(now))...))
	}
	return m.SetFilter(append(byID(d.ID), bson.E{Key: "r", Value: e.Rev}))
}

// State implements store.Store.
func (s *Store) State(ctx context.Context, kind, key string) (store.StateEntry, error) {
	var e store.StateEntry
	err := s.call(ctx, "state", func(ctx context.Context) error {
		var d stateDoc
		if err := s.states.FindOne(ctx, byID(stateID(kind, key))).Decode(&d); err != nil {
			return absent(err)
		}
		e = entryOf(kind, key, &d)
		return nil
	})
	return e, err
}

// StateList implements store.Store.
func (s *Store) StateList(ctx context.Context, kind, after string, limit int) ([]store.StateEntry, error) {
	if limit <= 0 {
		return nil, nil
	}
	var list []store.StateEntry
	err := s.call(ctx, "state list", func(ctx context.Context) error {
		between := bson.D{{Key: "$gt", Value: stateID(kind, after)}, {Key: "$lt", Value: stateEnd(kind)}}
		docs, err := all[stateDoc](s.states.Find(ctx, bson.D{{Key: "_id", Value: between}},
			options.Find().SetSort(sorted("_id", up)).SetLimit(int64(limit))))(ctx)
		if err != nil {
			return err
		}
		for i := range docs {
			key, err := stateKey(docs[i].ID)
			if err != nil {
				return err
			}
			list = append(list, entryOf(kind, key, &docs[i]))
		}
		return nil
	})
	return list, err
}

func entryOf(kind, key string, d *stateDoc) store.StateEntry {
	e := store.StateEntry{Kind: kind, Key: key, Value: d.Value, Rev: d.Rev}
	if d.Expires != nil {
		e.Expires = instant(*d.Expires)
	}
	return e
}
