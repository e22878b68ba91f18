package mongo

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"opendmp/store"
)

// batch is how many documents a server may send at once: as many as fit into its
// 16 MB, so that a dossier is one range read.
const batch = 1 << 20

// Directions of a sort.
const (
	up   int32 = 1
	down int32 = -1
)

func sorted(field string, direction int32) bson.D {
	return bson.D{{Key: field, Value: direction}}
}

// all reads a cursor whole.
func all[T any](c *driver.Cursor, err error) func(context.Context) ([]T, error) {
	return func(ctx context.Context) ([]T, error) {
		if err != nil {
			return nil, err
		}
		var list []T
		return list, c.All(ctx, &list)
	}
}

// Header implements store.Store.
func (s *Store) Header(ctx context.Context, d store.Dossier) (store.Header, error) {
	var h store.Header
	err := s.call(ctx, "header", func(ctx context.Context) error {
		var doc headerDoc
		if err := s.headers.FindOne(ctx, byID(d[:])).Decode(&doc); err != nil {
			return absent(err)
		}
		h = store.Header{Version: doc.Version, State: store.State(doc.State), Key: doc.Key}
		return nil
	})
	return h, err
}

// Rows implements store.Store. The rows are read whole before the first is given:
// the snapshot ends there, a slow consumer holds up no transaction, and may call
// the store meanwhile.
func (s *Store) Rows(ctx context.Context, d store.Dossier) iter.Seq2[store.Row, error] {
	return whole(func() (rows []store.Row, err error) {
		err = s.call(ctx, "rows", func(ctx context.Context) error {
			return s.snapshot(ctx, func(ctx context.Context) error {
				docs, err := all[rowDoc](s.rows.Find(ctx, beginning(d[:], sizeRow), options.Find().SetBatchSize(batch)))(ctx)
				if err == nil {
					rows, err = rowsOf(docs)
				}
				return err
			})
		})
		return rows, err
	})
}

func rowsOf(docs []rowDoc) ([]store.Row, error) {
	rows := make([]store.Row, len(docs))
	for i := range docs {
		r := &docs[i]
		ref, err := refOf(r.ID)
		if err != nil {
			return nil, err
		}
		rows[i] = store.Row{
			ID:      store.RowID(ref),
			Type:    string(r.Type),
			Version: r.Version,
			Updated: instant(r.Updated),
			Deleted: r.Deleted,
			Summary: r.Summary,
		}
	}
	return rows, nil
}

// Versions implements store.Store. It reads whole, as Rows does; a version never
// changes, so it needs no snapshot.
func (s *Store) Versions(ctx context.Context, id store.RowID) iter.Seq2[store.Version, error] {
	return whole(func() (versions []store.Version, err error) {
		err = s.call(ctx, "versions", func(ctx context.Context) error {
			docs, err := all[versionDoc](s.versions.Find(ctx, beginning(refID(id.Dossier, id.Row), sizeInt64),
				options.Find().SetSort(sorted("_id", down)).SetProjection(bson.D{{Key: "b", Value: 0}}).SetBatchSize(batch)))(ctx)
			versions = versionsOf(docs)
			return err
		})
		return versions, err
	})
}

func versionsOf(docs []versionDoc) []store.Version {
	versions := make([]store.Version, len(docs))
	for i := range docs {
		v := &docs[i]
		versions[i] = store.Version{
			Version: fromBE64(v.ID[sizeRef:]),
			Updated: instant(v.Updated),
			Deleted: v.Deleted,
			Summary: v.Summary,
		}
	}
	return versions
}

// whole yields what read gives, read before the first is given, or one error.
func whole[T any](read func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		list, err := read()
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// Bodies implements store.Store.
func (s *Store) Bodies(ctx context.Context, d store.Dossier, refs []store.BodyRef) ([][]byte, error) {
	bodies := make([][]byte, len(refs))
	ids := make([][]byte, len(refs))
	for i, r := range refs {
		ids[i] = versionID(d, r.Row, r.Version)
	}
	err := s.call(ctx, "bodies", func(ctx context.Context) error {
		if len(ids) == 0 {
			return nil
		}
		docs, err := all[versionDoc](s.versions.Find(ctx, among(ids),
			options.Find().SetProjection(bson.D{{Key: "b", Value: 1}}).SetBatchSize(batch)))(ctx)
		if err != nil {
			return err
		}
		found := make(map[string][]byte, len(docs))
		for _, v := range docs {
			found[string(v.ID)] = v.Body
		}
		for i, id := range ids {
			bodies[i] = found[string(id)]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return bodies, nil
}

// Keys implements store.Store.
func (s *Store) Keys(ctx context.Context, d store.Dossier) ([]store.KeyRecord, error) {
	var keys []store.KeyRecord
	err := s.call(ctx, "keys", func(ctx context.Context) error {
		docs, err := all[keyDoc](s.wrapped.Find(ctx, beginning(d[:], sizeKeyName),
			options.Find().SetSort(sorted("_id", up)).SetBatchSize(batch)))(ctx)
		for i := range docs {
			name := docs[i].ID[sizeDossier:]
			keys = append(keys, store.KeyRecord{
				Dossier: d,
				Kind:    name[0],
				Number:  fromBE32(name[1:]),
				Epoch:   docs[i].Epoch,
				Wrapped: docs[i].Wrapped,
			})
		}
		return err
	})
	return keys, err
}
