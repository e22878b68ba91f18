package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"io"
	"os"

	"opendmp/store"
)

// Upload implements store.Store. An id can be uploaded once; store.ErrDuplicate
// otherwise.
func (s *Store) Upload(ctx context.Context, d store.Dossier, id store.ContentID, sealed io.Reader) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.calls.Done()
	path := s.files.path(d, id)
	if !s.files.reserve(path) {
		return store.ErrDuplicate
	}
	defer s.files.release(path)
	if known, err := s.known(ctx, d, id); err != nil || known {
		return orDuplicate(known, err)
	}
	if err := s.files.write(ctx, path, sealed); err != nil {
		return err
	}
	if err := s.writer.opts.fault.at(beforeRecord); err != nil {
		return unavailable(err)
	}
	created := nanos(s.now())
	return s.writer.do(ctx, 0, func(c *conn) error {
		_, err := c.exec("INSERT INTO upload (dossier, id, created) VALUES (?, ?, ?)", d[:], id[:], created)
		return duplicate(err)
	})
}

// known tells whether a content is recorded, adopted or not.
func (s *Store) known(ctx context.Context, d store.Dossier, id store.ContentID) (bool, error) {
	known := false
	err := s.readers.use(ctx, func(c *conn) (err error) {
		known, err = recorded(c, d, id)
		return err
	})
	return known, err
}

func recorded(c *conn, d store.Dossier, id store.ContentID) (bool, error) {
	return c.found("SELECT 1 FROM upload WHERE dossier = ?1 AND id = ?2 UNION ALL SELECT 1 FROM content WHERE dossier = ?1 AND id = ?2 LIMIT 1",
		func([]driver.Value) {}, d[:], id[:])
}

func orDuplicate(known bool, err error) error {
	if err == nil && known {
		return store.ErrDuplicate
	}
	return err
}

// Content implements store.Store. An upload that no commit adopted is not found.
func (s *Store) Content(ctx context.Context, d store.Dossier, id store.ContentID) (io.ReadCloser, error) {
	var data []byte
	err := s.read(ctx, func(c *conn) error {
		ok, err := c.found("SELECT data FROM content WHERE dossier = ? AND id = ?", func(v []driver.Value) {
			data = asBytes(v[0])
		}, d[:], id[:])
		return orNotFound(ok, err)
	})
	if err != nil {
		return nil, err
	}
	if data != nil {
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	f, err := os.Open(s.files.path(d, id))
	if err != nil {
		return nil, unavailable(err) // a row names it: its absence is a fault, not an answer
	}
	return f, nil
}
