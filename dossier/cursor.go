package dossier

import (
	"context"
	"encoding/binary"
	"errors"
	"net/url"
	"time"

	"opendmp/fhir"
	"opendmp/store"
)

// cursorLife is how long a link to the next page may be followed.
const cursorLife = 10 * time.Minute

// ErrCursor: a link to a page that is not ours, not for this caller, not for
// this search, or too old.
var ErrCursor = errors.New("dossier: page link not valid")

// cursor is a place in the results of a search of one caller: after one version
// of one row. It holds the position and no result; the policy runs again on
// each page.
type cursor struct {
	caller  string
	query   string
	expires time.Time
	// A place among resources is one version of a row; in the history it is an
	// event.
	row     store.RowID
	version int64
	event   store.Cursor
}

// caller identifies who may follow a cursor: the person or system, in their
// role, structure and mode.
func (c *call) caller() string {
	p := c.p
	return string([]byte{byte(p.Kind()), byte(p.Mode())}) + p.ID().System + "|" + p.ID().Value + "|" +
		p.Profession().Code + "|" + p.Structure().Value
}

// nextLink returns the URL of the page after h.
func (c *call) nextLink(q *fhir.Query, h hit) string {
	return c.link(q, cursor{row: store.RowID{Dossier: h.d.id, Row: h.key}, version: h.version})
}

// link seals a place into the URL of the next page of q.
func (c *call) link(q *fhir.Query, k cursor) string { return c.linkAt(q.Type, q, k) }

// linkAt does so for the results of a path below the base.
func (c *call) linkAt(path string, q *fhir.Query, k cursor) string {
	k.caller, k.query, k.expires = c.caller(), path+"?"+q.String(), c.at.Add(cursorLife)
	link := c.base + "/" + path + "?"
	if s := q.String(); s != "" {
		link += s + "&"
	}
	return link + fhir.PageParam + "=" + url.QueryEscape(c.vault.SealCursor(k.append(nil)))
}

// cursorOf opens the place in the cursor of q, for this caller and this search.
func (c *call) cursorOf(q *fhir.Query) (cursor, error) { return c.cursorAt(q.Type, q) }

// cursorAt does so for the results of a path below the base.
func (c *call) cursorAt(path string, q *fhir.Query) (cursor, error) {
	plain, err := c.vault.OpenCursor(q.Page)
	if err != nil {
		return cursor{}, ErrCursor
	}
	k, err := decodeCursor(plain)
	if err != nil || k.caller != c.caller() || k.query != path+"?"+q.String() || c.at.After(k.expires) {
		return cursor{}, ErrCursor
	}
	return k, nil
}

// after drops the hits up to the one that the cursor of the query names.
func (c *call) after(ctx context.Context, q *fhir.Query, hits []hit) ([]hit, error) {
	if q.Page == "" {
		return hits, nil
	}
	k, err := c.cursorOf(q)
	if err != nil {
		return nil, err
	}
	last, err := c.rowAt(ctx, k)
	if err != nil {
		return nil, err
	}
	for i, h := range hits {
		if compareHits(h.row, last, q) > 0 {
			return hits[i:], nil
		}
	}
	return nil, nil
}

// rowAt returns the row as it was when the cursor was made, so that a later
// change of it does not move the page.
func (c *call) rowAt(ctx context.Context, k cursor) (*row, error) {
	d, err := c.load(ctx, k.row.Dossier)
	if err != nil {
		return nil, err
	}
	for version, err := range c.store.Versions(ctx, k.row) {
		if err != nil {
			return nil, err
		}
		if version.Version == k.version && d.ring != nil {
			return c.openRow(ctx, d.ring, store.Row{ID: k.row, Version: version.Version, Updated: version.Updated, Summary: version.Summary})
		}
	}
	return nil, ErrCursor
}

func (k cursor) append(b []byte) []byte {
	b = appendBytes(b, []byte(k.caller))
	b = appendBytes(b, []byte(k.query))
	b = binary.AppendVarint(b, k.expires.Unix())
	b = append(b, k.row.Dossier[:]...)
	b = append(b, k.row.Row[:]...)
	b = binary.AppendVarint(b, k.version)
	if k.event.Recorded.IsZero() {
		return b
	}
	b = binary.AppendVarint(b, k.event.Recorded.UnixNano())
	return append(b, k.event.ID[:]...)
}

func decodeCursor(b []byte) (k cursor, err error) {
	d := decoder{b: b}
	k.caller, k.query = string(d.bytes()), string(d.bytes())
	k.expires = time.Unix(d.varint(), 0)
	copy(k.row.Dossier[:], d.take(16))
	copy(k.row.Row[:], d.take(16))
	k.version = d.varint()
	if len(d.b) > 0 {
		k.event.Recorded = time.Unix(0, d.varint()).UTC()
		copy(k.event.ID[:], d.take(16))
	}
	if d.bad {
		return cursor{}, errFormat
	}
	return k, nil
}
