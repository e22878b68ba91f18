package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"opendmp/store"
)

// Commit implements store.Store. When ctx ends while the transaction still waits
// for the writer, it is not written; once taken, Commit waits for the outcome.
func (s *Store) Commit(ctx context.Context, tx store.Tx) error {
	if err := check(&tx); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	defer s.calls.Done()
	return s.writer.do(ctx, weight(&tx), func(c *conn) error {
		return apply(c, &tx, s.now())
	})
}

// apply writes a transaction that check has passed, inside the savepoint of its
// caller, which undoes it all on an error. The order is that of doc.go.
func apply(c *conn, tx *store.Tx, now time.Time) error {
	steps := []func(*conn, *store.Tx) error{
		applyHeader,
		func(c *conn, tx *store.Tx) error { return applyState(c, tx, now) },
		applyErase, applyPuts, applyDrops, applyClaims, applyFinds,
		applyContents, applyKeys, applyEvents,
	}
	for _, step := range steps {
		if err := step(c, tx); err != nil {
			return err
		}
	}
	return nil
}

// applyHeader compares and swaps the header.
func applyHeader(c *conn, tx *store.Tx) error {
	if tx.Expect == store.Any {
		return nil
	}
	state, key := int64(tx.Header.State), int64(tx.Header.Key)
	if tx.Expect == 0 {
		_, err := c.exec("INSERT INTO header (dossier, version, state, keynum) VALUES (?, 1, ?, ?)", tx.Dossier[:], state, key)
		return duplicate(err)
	}
	n, err := c.exec("UPDATE header SET version = ?, state = ?, keynum = ? WHERE dossier = ? AND version = ?",
		tx.Expect+1, state, key, tx.Dossier[:], tx.Expect)
	return conflictUnless(n, err)
}

// applyErase removes rows with their versions and contents. The file of a large
// content stays until Collect finds that no row names it.
func applyErase(c *conn, tx *store.Tx) error {
	for i := range tx.Erase {
		for _, sql := range [...]string{
			"DELETE FROM row WHERE dossier = ? AND row = ?",
			"DELETE FROM version WHERE dossier = ? AND row = ?",
			"DELETE FROM content WHERE dossier = ? AND owner = ?",
		} {
			if _, err := c.exec(sql, tx.Dossier[:], tx.Erase[i][:]); err != nil {
				return err
			}
		}
	}
	return nil
}

func applyPuts(c *conn, tx *store.Tx) error {
	for i := range tx.Puts {
		if err := applyPut(c, tx.Dossier, &tx.Puts[i]); err != nil {
			return err
		}
	}
	return nil
}

func applyPut(c *conn, d store.Dossier, p *store.Put) error {
	updated, deleted, summary := nanos(p.Updated), flag(p.Deleted), blob(p.Summary)
	var n int64
	var err error
	switch {
	case p.Version < 1:
		return store.ErrConflict
	case p.Version == 1:
		n, err = c.exec("INSERT INTO row (dossier, row, type, version, updated, deleted, summary) VALUES (?, ?, ?, 1, ?, ?, ?)",
			d[:], p.Row[:], []byte(p.Type), updated, deleted, summary)
	default:
		n, err = c.exec("UPDATE row SET type = ?, version = ?, updated = ?, deleted = ?, summary = ? WHERE dossier = ? AND row = ? AND version = ?",
			[]byte(p.Type), p.Version, updated, deleted, summary, d[:], p.Row[:], p.Version-1)
	}
	if err := conflictUnless(n, err); err != nil {
		return err
	}
	_, err = c.exec("INSERT INTO version (dossier, row, version, updated, deleted, summary, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
		d[:], p.Row[:], p.Version, updated, deleted, summary, blob(p.Body))
	return err
}

func applyDrops(c *conn, tx *store.Tx) error {
	for i := range tx.Drops {
		t := &tx.Drops[i]
		if _, err := c.exec("DELETE FROM claim WHERE token = ? AND dossier = ? AND row = ?", t.Token[:], tx.Dossier[:], t.Row[:]); err != nil {
			return err
		}
		if _, err := c.exec("DELETE FROM find WHERE token = ? AND dossier = ? AND row = ?", t.Token[:], tx.Dossier[:], t.Row[:]); err != nil {
			return err
		}
	}
	return nil
}

func applyClaims(c *conn, tx *store.Tx) error {
	for i := range tx.Claims {
		t := &tx.Claims[i]
		_, err := c.exec("INSERT INTO claim (token, dossier, row) VALUES (?, ?, ?)", t.Token[:], tx.Dossier[:], t.Row[:])
		if errors.Is(err, errConstraint) {
			return holder(c, t.Token)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// holder names who holds a claim.
func holder(c *conn, t store.Token) error {
	d := &store.DuplicateError{Token: t}
	_, err := c.found("SELECT dossier, row FROM claim WHERE token = ?", func(v []driver.Value) {
		d.Holder = refOf(v)
	}, t[:])
	if err != nil {
		return err
	}
	return d
}

func applyFinds(c *conn, tx *store.Tx) error {
	for i := range tx.Finds {
		t := &tx.Finds[i]
		if _, err := c.exec("INSERT OR IGNORE INTO find (token, dossier, row) VALUES (?, ?, ?)", t.Token[:], tx.Dossier[:], t.Row[:]); err != nil {
			return err
		}
	}
	return nil
}

func applyContents(c *conn, tx *store.Tx) error {
	for i := range tx.Contents {
		if err := applyContent(c, tx.Dossier, &tx.Contents[i]); err != nil {
			return err
		}
	}
	return nil
}

func applyContent(c *conn, d store.Dossier, t *store.Content) error {
	var data driver.Value // NULL: a file
	if t.Sealed != nil {
		data = t.Sealed
	}
	_, err := c.exec("INSERT INTO content (dossier, id, owner, data) VALUES (?, ?, ?, ?)", d[:], t.ID[:], t.Owner[:], data)
	if err != nil || t.Sealed != nil {
		return duplicate(err)
	}
	return adopt(c, d, t.ID)
}

// adopt takes an upload out of the reach of Collect.
func adopt(c *conn, d store.Dossier, id store.ContentID) error {
	n, err := c.exec("DELETE FROM upload WHERE dossier = ? AND id = ?", d[:], id[:])
	if err == nil && n == 0 {
		return store.ErrNotFound
	}
	return err
}

func applyKeys(c *conn, tx *store.Tx) error {
	for i := range tx.Keys {
		k := &tx.Keys[i]
		_, err := c.exec("INSERT INTO wrapped (dossier, kind, number, epoch, wrapped) VALUES (?, ?, ?, ?, ?)",
			k.Dossier[:], int64(k.Kind), int64(k.Number), int64(k.Epoch), blob(k.Wrapped))
		if err := duplicate(err); err != nil {
			return err
		}
	}
	return nil
}

func applyEvents(c *conn, tx *store.Tx) error {
	for i := range tx.Events {
		e := &tx.Events[i]
		recorded := nanos(e.Recorded)
		_, err := c.exec("INSERT INTO event (id, dossier, recorded, class, actor, sealed) VALUES (?, ?, ?, ?, ?, ?)",
			e.ID[:], e.Dossier[:], recorded, int64(e.Class), e.Actor[:], blob(e.Sealed))
		if err := duplicate(err); err != nil {
			return err
		}
		_, err = c.exec("INSERT INTO pending (recorded, id, seq) VALUES (?, ?, last_insert_rowid())", recorded, e.ID[:])
		if err := duplicate(err); err != nil {
			return err
		}
	}
	return nil
}

func applyState(c *conn, tx *store.Tx, now time.Time) error {
	for i := range tx.Unset {
		u := &tx.Unset[i]
		if _, err := c.exec("DELETE FROM state WHERE kind = ? AND key = ?", blob([]byte(u.Kind)), blob([]byte(u.Key))); err != nil {
			return err
		}
	}
	for i := range tx.State {
		if err := applyEntry(c, &tx.State[i], now); err != nil {
			return err
		}
	}
	return nil
}

// applyEntry writes the revision after e.Rev. An expired entry counts as absent
// for who expects none, and still has its revision for who takes it over.
func applyEntry(c *conn, e *store.StateEntry, now time.Time) error {
	kind, key := blob([]byte(e.Kind)), blob([]byte(e.Key))
	if e.Rev == 0 {
		n, err := c.exec(`INSERT INTO state (kind, key, value, expires, rev) VALUES (?, ?, ?, ?, 1)
ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, expires = excluded.expires, rev = 1 WHERE state.expires <= ?`,
			kind, key, blob(e.Value), expiry(e.Expires), nanos(now))
		return conflictUnless(n, err)
	}
	n, err := c.exec("UPDATE state SET value = ?, expires = ?, rev = rev + 1 WHERE kind = ? AND key = ? AND rev = ?",
		blob(e.Value), expiry(e.Expires), kind, key, e.Rev)
	return conflictUnless(n, err)
}

// conflictUnless is store.ErrConflict when a compare-and-swap changed nothing.
func conflictUnless(changed int64, err error) error {
	if errors.Is(err, errConstraint) || (err == nil && changed == 0) {
		return store.ErrConflict
	}
	return err
}

// duplicate is store.ErrDuplicate for a broken uniqueness.
func duplicate(err error) error {
	if errors.Is(err, errConstraint) {
		return store.ErrDuplicate
	}
	return err
}
