package mongo

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"opendmp/store"
)

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, tx store.Tx) error {
	if err := check(&tx); err != nil {
		return err
	}
	return s.call(ctx, "commit", func(ctx context.Context) error {
		if tx.Expect != store.Any {
			return s.commitAll(ctx, &tx)
		}
		switch events, entries := len(tx.Events), len(tx.State)+len(tx.Unset); {
		case events+entries == 0:
			return nil
		case events == 1 && entries == 0:
			return single(ctx, func() error { return s.insertEvents(ctx, &tx) })
		case events == 0 && entries == 1:
			return single(ctx, func() error { return s.applyState(ctx, &tx, s.now()) })
		case entries == 0:
			return s.commitEvents(ctx, &tx)
		}
		return s.commitAll(ctx, &tx)
	})
}

// commitAll commits in a transaction. A claim refused is looked up outside of it,
// where a majority stands behind the holder; one that is gone by then is no
// refusal, and the commit starts over.
func (s *Store) commitAll(ctx context.Context, tx *store.Tx) error {
	return patiently(ctx, func() error {
		err := s.transact(ctx, func(ctx context.Context) error { return s.apply(ctx, tx, s.now()) })
		if taken := (*takenError)(nil); errors.As(err, &taken) {
			return s.holder(ctx, taken)
		}
		return err
	})
}

// commitEvents commits events and nothing else, in a transaction that needs no mark:
// their ids are random, and tell what became of it. When the outcome of a commit is
// unknown, settling a mark that the transaction does not have ends it on a server
// that was not asked to commit, and it runs again: events that are there by then are
// its own.
func (s *Store) commitEvents(ctx context.Context, tx *store.Tx) error {
	unknown := false
	return patiently(ctx, func() error {
		err := s.attempt(ctx, func(ctx context.Context) error { return s.insertEvents(ctx, tx) }, func(ctx context.Context) error {
			unknown = true
			id, err := s.random(sizeLoose)
			if err != nil {
				return err
			}
			return s.settle(ctx, id)
		})
		if unknown && errors.Is(err, store.ErrDuplicate) {
			return s.confirm(ctx, &tx.Events[0])
		}
		return err
	})
}

// confirm looks whether a majority has an event.
func (s *Store) confirm(ctx context.Context, e *store.Event) error {
	err := s.events.FindOne(ctx, byID(docOfEvent(e).ID)).Err()
	if errors.Is(err, driver.ErrNoDocuments) {
		return errUnsettled
	}
	return err
}

// apply writes a transaction that check has passed, in the order of doc.go. On an
// error the caller aborts.
func (s *Store) apply(ctx context.Context, tx *store.Tx, now time.Time) error {
	steps := []func(context.Context, *store.Tx) error{
		s.applyHeader,
		func(ctx context.Context, tx *store.Tx) error { return s.applyState(ctx, tx, now) },
		s.applyErase, s.applyPuts, s.applyDrops, s.applyClaims, s.applyFinds,
		s.applyContents, s.applyKeys, s.insertEvents,
	}
	for _, step := range steps {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// applyHeader compares and swaps the header.
func (s *Store) applyHeader(ctx context.Context, tx *store.Tx) error {
	if tx.Expect == store.Any {
		return nil
	}
	h := headerDoc{ID: tx.Dossier[:], Version: tx.Expect + 1, State: uint8(tx.Header.State), Key: tx.Header.Key}
	if tx.Expect == 0 {
		_, err := s.headers.InsertOne(ctx, h)
		return duplicate(err, store.ErrDuplicate)
	}
	r, err := s.headers.ReplaceOne(ctx, bson.D{{Key: "_id", Value: h.ID}, {Key: "v", Value: tx.Expect}}, h)
	if err == nil && r.MatchedCount == 0 {
		return store.ErrConflict
	}
	return err
}

// applyKeys inserts the wrapped keys.
func (s *Store) applyKeys(ctx context.Context, tx *store.Tx) error {
	docs := make([]keyDoc, len(tx.Keys))
	for i := range tx.Keys {
		k := &tx.Keys[i]
		docs[i] = keyDoc{ID: keyID(k), Epoch: k.Epoch, Wrapped: filled(k.Wrapped)}
	}
	return duplicate(insert(ctx, s.wrapped, docs), store.ErrDuplicate)
}

// insertEvents inserts the events, each with its pending mark. One event is an
// insert of one document, which is atomic also outside a transaction.
func (s *Store) insertEvents(ctx context.Context, tx *store.Tx) error {
	docs := make([]eventDoc, len(tx.Events))
	for i := range tx.Events {
		docs[i] = docOfEvent(&tx.Events[i])
	}
	return duplicate(insert(ctx, s.events, docs), store.ErrDuplicate)
}

// insert inserts documents in their order, with as few commands as they fit in.
func insert[T any](ctx context.Context, c *driver.Collection, docs []T) error {
	switch len(docs) {
	case 0:
		return nil
	case 1:
		_, err := c.InsertOne(ctx, docs[0])
		return err
	}
	_, err := c.InsertMany(ctx, docs)
	return err
}

// write runs writes in their order and returns how many documents they matched
// or made.
func write(ctx context.Context, c *driver.Collection, models []driver.WriteModel) (int64, error) {
	if len(models) == 0 {
		return 0, nil
	}
	r, err := c.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(true))
	if err != nil {
		return 0, err
	}
	return r.MatchedCount + r.UpsertedCount, nil
}
