package mongo

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// collectStep bounds how many documents one step of Collect looks at.
const collectStep = 1000

// Collect implements store.Store. Beside uploads and state entries it removes
// chunks that belong to nothing: what a crash left of an Upload or a Collect.
// Several may run at once.
func (s *Store) Collect(ctx context.Context, now, before time.Time) (int, error) {
	if err := errors.Join(checkTime(now), checkTime(before)); err != nil {
		return 0, err
	}
	if err := s.begin(); err != nil {
		return 0, err
	}
	defer s.calls.Done()
	n, err := s.collect(ctx, nanos(now), nanos(before))
	return n, outcome(ctx, "collect", err)
}

func (s *Store) collect(ctx context.Context, now, before int64) (int, error) {
	states, err := s.collectState(ctx, now)
	if err != nil {
		return states, err
	}
	uploads, err := s.collectUploads(ctx, before)
	if err != nil {
		return states + uploads, err
	}
	return states + uploads, s.collectLoose(ctx, before)
}

func (s *Store) collectState(ctx context.Context, now int64) (n int, err error) {
	err = s.step(ctx, func(ctx context.Context) error {
		return single(ctx, func() error {
			r, err := s.states.DeleteMany(ctx, where("x", "$lte", now))
			if err == nil {
				n += int(r.DeletedCount)
			}
			return err
		})
	})
	return n, err
}

// collectUploads gives old uploads up, a page at a time.
func (s *Store) collectUploads(ctx context.Context, before int64) (n int, err error) {
	for {
		var old []uploadDoc
		err := s.step(ctx, func(ctx context.Context) (err error) {
			old, err = all[uploadDoc](s.uploads.Find(ctx, where("at", "$lt", before), options.Find().SetLimit(collectStep)))(ctx)
			return err
		})
		if err != nil {
			return n, err
		}
		for i := range old {
			gone, err := s.collectUpload(ctx, &old[i])
			if err != nil {
				return n, err
			}
			if gone {
				n++
			}
		}
		if len(old) < collectStep {
			return n, nil
		}
	}
}

// collectUpload gives one upload up, unless a Commit has adopted it meanwhile.
func (s *Store) collectUpload(ctx context.Context, u *uploadDoc) (gone bool, err error) {
	err = s.step(ctx, func(ctx context.Context) error {
		return s.transact(ctx, func(ctx context.Context) error {
			r, err := s.uploads.DeleteOne(ctx, append(byID(u.ID), bson.E{Key: "l", Value: u.Loose}))
			if err != nil {
				return err
			}
			if gone = r.DeletedCount == 1; !gone {
				return nil
			}
			_, err = s.loose.InsertOne(ctx, looseDoc{ID: u.Loose, At: u.At, Dead: true})
			return err
		})
	})
	if err != nil || !gone {
		return false, err
	}
	return true, s.step(ctx, func(ctx context.Context) error { return s.sweep(ctx, u.Loose) })
}

// collectLoose removes what Uploads and Collects that stopped have left.
func (s *Store) collectLoose(ctx context.Context, before int64) error {
	for {
		var old []looseDoc
		err := s.step(ctx, func(ctx context.Context) (err error) {
			old, err = all[looseDoc](s.loose.Find(ctx, where("at", "$lt", before), options.Find().SetLimit(collectStep)))(ctx)
			return err
		})
		if err != nil {
			return err
		}
		for i := range old {
			if err := s.step(ctx, func(ctx context.Context) error { return s.sweep(ctx, old[i].ID) }); err != nil {
				return err
			}
		}
		if len(old) < collectStep {
			return nil
		}
	}
}

// sweep removes the chunks of a prefix that is loose, and then the prefix. It is
// marked dead first, so that an Upload that is only slow cannot keep it any more.
func (s *Store) sweep(ctx context.Context, loose []byte) error {
	dead := bson.D{{Key: "$set", Value: bson.D{{Key: "dead", Value: true}}}}
	return single(ctx, func() error {
		r, err := s.loose.UpdateOne(ctx, byID(loose), dead)
		if err != nil || r.MatchedCount == 0 {
			return err
		}
		if _, err := s.chunks.DeleteMany(ctx, beginning(loose, sizeInt32)); err != nil {
			return err
		}
		_, err = s.loose.DeleteOne(ctx, byID(loose))
		return err
	})
}
