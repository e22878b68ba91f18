package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"

	"opendmp/store"
)

// read runs f on a reading connection.
func (s *Store) read(ctx context.Context, f func(*conn) error) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.calls.Done()
	return s.readers.use(ctx, f)
}

// Header implements store.Store.
func (s *Store) Header(ctx context.Context, d store.Dossier) (store.Header, error) {
	var h store.Header
	err := s.read(ctx, func(c *conn) error {
		ok, err := c.found("SELECT version, state, keynum FROM header WHERE dossier = ?", func(v []driver.Value) {
			h = store.Header{Version: asInt(v[0]), State: store.State(asInt(v[1])), Key: int32(asInt(v[2]))}
		}, d[:])
		return orNotFound(ok, err)
	})
	return h, err
}

// Rows implements store.Store. The rows are read whole before the first is
// given: the snapshot ends there, a slow consumer holds up neither the log nor a
// connection, and may call the store meanwhile.
func (s *Store) Rows(ctx context.Context, d store.Dossier) iter.Seq2[store.Row, error] {
	return whole(ctx, s, "SELECT row, type, version, updated, deleted, summary FROM row WHERE dossier = ?",
		func(v []driver.Value) store.Row {
			return store.Row{
				ID:      store.RowID{Dossier: d, Row: store.RowKey(asBytes(v[0]))},
				Type:    string(asBytes(v[1])),
				Version: asInt(v[2]),
				Updated: asTime(v[3]),
				Deleted: asInt(v[4]) != 0,
				Summary: asBytes(v[5]),
			}
		}, d[:])
}

// Versions implements store.Store. It reads whole, as Rows does.
func (s *Store) Versions(ctx context.Context, id store.RowID) iter.Seq2[store.Version, error] {
	return whole(ctx, s, "SELECT version, updated, deleted, summary FROM version WHERE dossier = ? AND row = ? ORDER BY version DESC",
		func(v []driver.Value) store.Version {
			return store.Version{
				Version: asInt(v[0]),
				Updated: asTime(v[1]),
				Deleted: asInt(v[2]) != 0,
				Summary: asBytes(v[3]),
			}
		}, id.Dossier[:], id.Row[:])
}

// whole yields the rows of one statement, read before the first is given, or one
// error.
func whole[T any](ctx context.Context, s *Store, sql string, scan func([]driver.Value) T, args ...driver.Value) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		all, err := list(ctx, s, sql, scan, args...)
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, t := range all {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// list reads the rows of one statement. A dossier can be large: ctx is looked at
// now and then.
func list[T any](ctx context.Context, s *Store, sql string, scan func([]driver.Value) T, args ...driver.Value) ([]T, error) {
	var all []T
	err := s.read(ctx, func(c *conn) error {
		return c.query(sql, func(v []driver.Value) error {
			all = append(all, scan(v))
			if len(all)%256 == 0 {
				return unavailable(ctx.Err())
			}
			return nil
		}, args...)
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Bodies implements store.Store.
func (s *Store) Bodies(ctx context.Context, d store.Dossier, refs []store.BodyRef) ([][]byte, error) {
	bodies := make([][]byte, len(refs))
	err := s.read(ctx, func(c *conn) error {
		for i, r := range refs {
			_, err := c.found("SELECT body FROM version WHERE dossier = ? AND row = ? AND version = ?", func(v []driver.Value) {
				bodies[i] = asBytes(v[0])
			}, d[:], r.Row[:], r.Version)
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return unavailable(err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return bodies, nil
}

// Lookup implements store.Store.
func (s *Store) Lookup(ctx context.Context, t store.Token) ([]store.Ref, error) {
	return list(ctx, s, "SELECT dossier, row FROM claim WHERE token = ?1 UNION SELECT dossier, row FROM find WHERE token = ?1", refOf, t[:])
}

func refOf(v []driver.Value) store.Ref {
	return store.Ref{Dossier: store.Dossier(asBytes(v[0])), Row: store.RowKey(asBytes(v[1]))}
}

// Keys implements store.Store.
func (s *Store) Keys(ctx context.Context, d store.Dossier) ([]store.KeyRecord, error) {
	return list(ctx, s, "SELECT kind, number, epoch, wrapped FROM wrapped WHERE dossier = ? ORDER BY kind, number", func(v []driver.Value) store.KeyRecord {
		return store.KeyRecord{
			Dossier: d,
			Kind:    uint8(asInt(v[0])),
			Number:  int32(asInt(v[1])),
			Epoch:   int32(asInt(v[2])),
			Wrapped: asBytes(v[3]),
		}
	}, d[:])
}

// State implements store.Store.
func (s *Store) State(ctx context.Context, kind, key string) (store.StateEntry, error) {
	var e store.StateEntry
	err := s.read(ctx, func(c *conn) error {
		ok, err := c.found("SELECT key, value, expires, rev FROM state WHERE kind = ? AND key = ?", func(v []driver.Value) {
			e = entryOf(kind, v)
		}, blob([]byte(kind)), blob([]byte(key)))
		return orNotFound(ok, err)
	})
	return e, err
}

// StateList implements store.Store.
func (s *Store) StateList(ctx context.Context, kind, after string, limit int) ([]store.StateEntry, error) {
	if limit <= 0 {
		return nil, nil
	}
	return list(ctx, s, "SELECT key, value, expires, rev FROM state WHERE kind = ? AND key > ? ORDER BY key LIMIT ?", func(v []driver.Value) store.StateEntry {
		return entryOf(kind, v)
	}, blob([]byte(kind)), blob([]byte(after)), int64(limit))
}

func entryOf(kind string, v []driver.Value) store.StateEntry {
	return store.StateEntry{
		Kind:    kind,
		Key:     string(asBytes(v[0])),
		Value:   asBytes(v[1]),
		Expires: asTime(v[2]),
		Rev:     asInt(v[3]),
	}
}

func orNotFound(ok bool, err error) error {
	if err == nil && !ok {
		return store.ErrNotFound
	}
	return err
}
