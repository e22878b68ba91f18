package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// collectStep bounds what one commit of Collect removes, so that commits of
// others slip in between.
const collectStep = 1000

// Collect implements store.Store. Beside uploads and state entries it removes
// files older than before that no row names: what a crash left between the
// file and its record.
func (s *Store) Collect(ctx context.Context, now, before time.Time) (int, error) {
	if err := errors.Join(checkTime(now), checkTime(before)); err != nil {
		return 0, err
	}
	if err := s.begin(); err != nil {
		return 0, err
	}
	defer s.calls.Done()
	states, err := s.repeat(ctx, "DELETE FROM state WHERE (kind, key) IN (SELECT kind, key FROM state WHERE expires <= ? LIMIT ?)", nanos(now))
	if err != nil {
		return states, err
	}
	uploads, err := s.repeat(ctx, "DELETE FROM upload WHERE (dossier, id) IN (SELECT dossier, id FROM upload WHERE created < ? LIMIT ?)", nanos(before))
	if err != nil {
		return states + uploads, err
	}
	// The records went first. A crash here leaves files without record, which
	// the next Collect finds.
	return states + uploads, s.sweep(ctx, before)
}

// repeat runs a bounded DELETE until it finds nothing more.
func (s *Store) repeat(ctx context.Context, sql string, until int64) (int, error) {
	total := 0
	for {
		var n int64
		err := s.writer.do(ctx, 0, func(c *conn) (err error) {
			n, err = c.exec(sql, until, int64(collectStep))
			return err
		})
		if err != nil {
			return total, err
		}
		total += int(n)
		if n < collectStep {
			return total, nil
		}
	}
}

// sweep removes the files older than before that no row names.
func (s *Store) sweep(ctx context.Context, before time.Time) error {
	old, err := s.files.older(before)
	if err != nil {
		return unavailable(err)
	}
	for _, path := range old {
		if err := s.sweepFile(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sweepFile(ctx context.Context, path string) error {
	d, id, ok := parsePath(path)
	if !ok {
		return nil // not ours
	}
	// The reservation keeps a new upload of the same id from putting its file in
	// place between the look and the removal.
	final := s.files.path(d, id)
	if !s.files.reserve(final) {
		return nil
	}
	defer s.files.release(final)
	if path == final {
		if known, err := s.known(ctx, d, id); err != nil || known {
			return err
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err)
	}
	return nil
}
