package sqlite

import (
	"context"
	"database/sql/driver"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/store"
)

// TestPlans: every statement that the engine prepares finds its rows by a key or
// an index, and sorts nothing. A full scan is invisible in a small test and ruins
// a large store.
func TestPlans(t *testing.T) {
	s := open(t, t.TempDir(), Options{Readers: 1})
	defer s.Close()
	exercise(t, s)
	small := []string{
		"SCAN pending",       // from its beginning, up to the limit
		"SCAN upload",        // what waits for a commit, looked through by Collect
		"SCAN sqlite_master", // at start
	}
	check := func(c *conn) error {
		for _, sql := range slices.Collect(maps.Keys(c.stmts)) {
			for _, step := range plan(t, c, sql) {
				if strings.HasPrefix(step, "SCAN") && !slices.Contains(small, step) || strings.Contains(step, "ORDER BY") {
					t.Errorf("%s\n%s", step, sql)
				}
			}
		}
		return nil
	}
	if err := s.read(context.Background(), check); err != nil {
		t.Error(err)
	}
	if err := s.writer.do(context.Background(), 0, check); err != nil {
		t.Error(err)
	}
}

// plan gives the steps of a statement (sqlite.org/eqp.html).
func plan(t *testing.T, c *conn, sql string) []string {
	t.Helper()
	var steps []string
	none := make([]driver.Value, strings.Count(sql, "?"))
	err := c.query("EXPLAIN QUERY PLAN "+sql, func(v []driver.Value) error {
		step, _ := v[3].(string)
		steps = append(steps, step)
		return nil
	}, none...)
	if err != nil {
		t.Errorf("%v: %s", err, sql)
	}
	return steps
}

// exercise runs every statement once.
func exercise(t *testing.T, s *Store) {
	t.Helper()
	ctx := context.Background()
	d, row, token, id := store.Dossier{1}, store.RowKey{1}, store.Token{1}, store.ContentID{1}
	upload(t, s, d, id, "content")
	bound := store.TokenPut{Token: token, Row: row}
	tx := opening(1)
	tx.Puts = []store.Put{{Row: row, Version: 1}, {Row: row, Version: 2}}
	tx.Contents = []store.Content{{ID: id}}
	tx.Drops, tx.Claims, tx.Finds = []store.TokenPut{bound}, []store.TokenPut{bound}, []store.TokenPut{bound}
	tx.Keys = []store.KeyRecord{{Dossier: d}}
	tx.Events = []store.Event{{Dossier: d, Recorded: time.Unix(1, 0)}}
	tx.State = []store.StateEntry{{Kind: "k"}, {Kind: "k", Rev: 1}}
	tx.Unset = []store.StateEntry{{Kind: "k"}}
	again := opening(2)
	again.Claims = tx.Claims
	for _, tx := range []store.Tx{tx, {Dossier: d, Expect: 1, Header: tx.Header}, again} {
		_ = s.Commit(ctx, tx) // the last is a duplicate
	}
	for _, err := range s.Rows(ctx, d) {
		_ = err
	}
	for _, err := range s.Versions(ctx, store.RowID{Dossier: d, Row: row}) {
		_ = err
	}
	_, err1 := s.Header(ctx, d)
	_, err2 := s.Bodies(ctx, d, []store.BodyRef{{Row: row, Version: 1}})
	_, err3 := s.Lookup(ctx, token)
	_, err4 := s.Keys(ctx, d)
	_, err5 := s.Events(ctx, d, store.Cursor{}, 1)
	_, err6 := s.EventsOf(ctx, token, store.Cursor{}, 1)
	_, err7 := s.Pending(ctx, 1)
	_, err8 := s.State(ctx, "k", "")
	_, err9 := s.StateList(ctx, "k", "", 1)
	content, err10 := s.Content(ctx, d, id)
	_, err11 := s.Collect(ctx, time.Unix(1, 0), time.Unix(1, 0))
	for _, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11, content.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
}
