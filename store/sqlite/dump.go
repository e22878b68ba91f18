package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"

	"opendmp/store"
)

var (
	_ store.Dumper = (*Store)(nil)
	_ store.Loader = (*Store)(nil)
)

// A page of a dump ends after so many items, or with the item that makes it so
// many bytes.
const (
	dumpItems = 1000
	dumpBytes = 4 << 20
)

// errPlace is a place that no item can have.
var errPlace = errors.New("sqlite: no such place in a dump")

// errFull ends the reading of a page.
var errFull = errors.New("sqlite: page full")

// Dump implements store.Dumper. It reads a page at a time, so that a slow consumer
// holds up no connection.
func (s *Store) Dump(ctx context.Context, after store.Place) iter.Seq2[store.Item, error] {
	return after.Pages(func(part store.Part, key string) ([]store.Item, error) { return s.dumpPage(ctx, part, key) })
}

func (s *Store) dumpPage(ctx context.Context, part store.Part, key string) ([]store.Item, error) {
	from, err := bounds(part, key)
	if err != nil {
		return nil, err
	}
	q := dumpQueryOf(part)
	var page []store.Item
	bytes := 0
	err = s.read(ctx, func(c *conn) error {
		return c.query(q.sql, func(v []driver.Value) error {
			page = append(page, q.item(v))
			for _, column := range v {
				bytes += len(asBytes(column))
			}
			if bytes >= dumpBytes {
				return errFull
			}
			return nil
		}, append(from, int64(dumpItems))...)
	})
	if err != nil && !errors.Is(err, errFull) {
		return nil, err
	}
	return page, nil
}

// dumpQuery reads a page of a part: its parameters are those of bounds and the
// number of items.
type dumpQuery struct {
	sql  string
	item func([]driver.Value) store.Item
}

func dumpQueryOf(part store.Part) dumpQuery {
	switch part {
	case store.Versions:
		return dumpQuery{`SELECT dossier, row, version, updated, deleted, summary, body FROM version
WHERE (dossier, row, version) > (?, ?, ?) ORDER BY dossier, row, version LIMIT ?`, versionItem}
	case store.Rows:
		return dumpQuery{`SELECT dossier, row, version, updated, deleted, summary, type FROM row
WHERE (dossier, row) > (?, ?) ORDER BY dossier, row LIMIT ?`, rowItem}
	case store.Contents:
		return dumpQuery{`SELECT dossier, id, owner, data FROM content
WHERE (dossier, id) > (?, ?) ORDER BY dossier, id LIMIT ?`, contentItem}
	case store.Claims:
		return dumpQuery{`SELECT dossier, row, token FROM claim WHERE token > ? ORDER BY token LIMIT ?`,
			func(v []driver.Value) store.Item {
				return store.ClaimItem{Token: store.Token(asBytes(v[2])), Ref: refOf(v)}
			}}
	case store.Finds:
		return dumpQuery{`SELECT dossier, row, token FROM find
WHERE (token, dossier, row) > (?, ?, ?) ORDER BY token, dossier, row LIMIT ?`,
			func(v []driver.Value) store.Item {
				return store.FindItem{Token: store.Token(asBytes(v[2])), Ref: refOf(v)}
			}}
	case store.Keys:
		return dumpQuery{`SELECT dossier, kind, number, epoch, wrapped FROM wrapped
WHERE (dossier, kind, number) > (?, ?, ?) ORDER BY dossier, kind, number LIMIT ?`, keyItem}
	case store.Events:
		return dumpQuery{`SELECT id, dossier, recorded, class, actor, sealed,
	EXISTS (SELECT 1 FROM pending WHERE pending.recorded = event.recorded AND pending.id = event.id) FROM event
WHERE (dossier, recorded, id) > (?, ?, ?) ORDER BY dossier, recorded, id LIMIT ?`,
			func(v []driver.Value) store.Item {
				return store.EventItem{Event: eventOf(v), Pending: asInt(v[6]) != 0}
			}}
	case store.States:
		return dumpQuery{`SELECT key, value, expires, rev, kind FROM state
WHERE (kind, key) > (?, ?) ORDER BY kind, key LIMIT ?`,
			func(v []driver.Value) store.Item {
				return store.StateItem{StateEntry: entryOf(string(asBytes(v[4])), v)}
			}}
	default: // store.Headers
		return dumpQuery{`SELECT dossier, version, state, keynum FROM header WHERE dossier > ? ORDER BY dossier LIMIT ?`, headerItem}
	}
}

func versionItem(v []driver.Value) store.Item {
	return store.VersionItem{
		ID:   store.RowID(refOf(v)),
		Kept: store.Version{Version: asInt(v[2]), Updated: asTime(v[3]), Deleted: asInt(v[4]) != 0, Summary: asBytes(v[5])},
		Body: asBytes(v[6]),
	}
}

func rowItem(v []driver.Value) store.Item {
	return store.RowItem{Row: store.Row{
		ID: store.RowID(refOf(v)), Version: asInt(v[2]), Updated: asTime(v[3]),
		Deleted: asInt(v[4]) != 0, Summary: asBytes(v[5]), Type: string(asBytes(v[6])),
	}}
}

func contentItem(v []driver.Value) store.Item {
	return store.ContentItem{Dossier: store.Dossier(asBytes(v[0])), Content: store.Content{
		ID: store.ContentID(asBytes(v[1])), Owner: store.RowKey(asBytes(v[2])), Sealed: asBytes(v[3]),
	}}
}

func keyItem(v []driver.Value) store.Item {
	return store.KeyItem{KeyRecord: store.KeyRecord{
		Dossier: store.Dossier(asBytes(v[0])), Kind: uint8(asInt(v[1])), Number: int32(asInt(v[2])),
		Epoch: int32(asInt(v[3])), Wrapped: asBytes(v[4]),
	}}
}

func headerItem(v []driver.Value) store.Item {
	return store.HeaderItem{Dossier: store.Dossier(asBytes(v[0])), Header: store.Header{
		Version: asInt(v[1]), State: store.State(asInt(v[2])), Key: int32(asInt(v[3])),
	}}
}

// bounds gives the columns that the items behind a key exceed. For the empty key
// these are numbers: SQLite sorts them before every blob, the empty one too.
func bounds(part store.Part, key string) ([]driver.Value, error) {
	widths := map[store.Part][]int{
		store.Versions: {16, 16, 8}, store.Rows: {16, 16}, store.Contents: {16, 16},
		store.Claims: {32}, store.Finds: {32, 16, 16}, store.Keys: {16, 1, 4},
		store.Events: {16, 8, 16}, store.Headers: {16},
	}[part]
	switch {
	case part == store.States && key == "":
		return []driver.Value{int64(0), int64(0)}, nil
	case part == store.States:
		return stateBounds(key)
	}
	var columns []driver.Value
	rest := []byte(key)
	for _, n := range widths {
		if key == "" {
			columns = append(columns, int64(0))
			continue
		}
		if len(rest) < n {
			return nil, fmt.Errorf("%w: %v", errPlace, part)
		}
		columns = append(columns, column(rest[:n]))
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: %v", errPlace, part)
	}
	return columns, nil
}

// column reads one field of a key: numbers have up to eight bytes.
func column(b []byte) driver.Value {
	switch len(b) {
	case 1:
		return int64(b[0])
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b) ^ 1<<31))
	case 8:
		return int64(binary.BigEndian.Uint64(b) ^ 1<<63)
	}
	return b
}

func stateBounds(key string) ([]driver.Value, error) {
	first, second, _ := strings.Cut(key, "/")
	kind, err1 := hex.DecodeString(first)
	name, err2 := hex.DecodeString(second)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("%w: %v", errPlace, store.States)
	}
	return []driver.Value{blob(kind), blob(name)}, nil
}

// Load implements store.Loader.
func (s *Store) Load(ctx context.Context, items []store.Item) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.calls.Done()
	if err := checkItems(items); err != nil {
		return err
	}
	return s.writer.do(ctx, 0, func(c *conn) error {
		for _, item := range items {
			if err := loadItem(c, item); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkItems refuses times that the database cannot hold.
func checkItems(items []store.Item) error {
	for _, item := range items {
		var err error
		switch i := item.(type) {
		case store.VersionItem:
			err = checkTime(i.Kept.Updated)
		case store.RowItem:
			err = checkTime(i.Updated)
		case store.EventItem:
			err = checkTime(i.Recorded)
		case store.StateItem:
			err = checkTime(i.Expires)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func loadItem(c *conn, item store.Item) error {
	switch i := item.(type) {
	case store.VersionItem:
		k := &i.Kept
		return loaded(c.exec("INSERT INTO version (dossier, row, version, updated, deleted, summary, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
			i.ID.Dossier[:], i.ID.Row[:], k.Version, nanos(k.Updated), flag(k.Deleted), blob(k.Summary), blob(i.Body)))
	case store.RowItem:
		return loaded(c.exec("INSERT INTO row (dossier, row, type, version, updated, deleted, summary) VALUES (?, ?, ?, ?, ?, ?, ?)",
			i.ID.Dossier[:], i.ID.Row[:], []byte(i.Type), i.Version, nanos(i.Updated), flag(i.Deleted), blob(i.Summary)))
	case store.ContentItem:
		return applyContent(c, i.Dossier, &i.Content)
	case store.ClaimItem:
		return loaded(c.exec("INSERT INTO claim (token, dossier, row) VALUES (?, ?, ?)", i.Token[:], i.Ref.Dossier[:], i.Ref.Row[:]))
	case store.FindItem:
		return loaded(c.exec("INSERT INTO find (token, dossier, row) VALUES (?, ?, ?)", i.Token[:], i.Ref.Dossier[:], i.Ref.Row[:]))
	case store.KeyItem:
		return applyKeys(c, &store.Tx{Keys: []store.KeyRecord{i.KeyRecord}})
	case store.EventItem:
		return loadEvent(c, &i)
	case store.StateItem:
		return loaded(c.exec("INSERT OR REPLACE INTO state (kind, key, value, expires, rev) VALUES (?, ?, ?, ?, ?)",
			blob([]byte(i.Kind)), blob([]byte(i.Key)), blob(i.Value), expiry(i.Expires), i.Rev))
	case store.HeaderItem:
		return loaded(c.exec("INSERT INTO header (dossier, version, state, keynum) VALUES (?, ?, ?, ?)",
			i.Dossier[:], i.Header.Version, int64(i.Header.State), int64(i.Header.Key)))
	}
	return fmt.Errorf("sqlite: no item: %T", item)
}

func loaded(_ int64, err error) error { return duplicate(err) }

// loadEvent inserts an event and takes back the pending mark of one that has a
// number.
func loadEvent(c *conn, i *store.EventItem) error {
	err := applyEvents(c, &store.Tx{Events: []store.Event{i.Event}})
	if err != nil || i.Pending {
		return err
	}
	_, err = c.exec("DELETE FROM pending WHERE recorded = ? AND id = ?", nanos(i.Recorded), i.ID[:])
	return err
}
