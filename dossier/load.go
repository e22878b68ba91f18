package dossier

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"opendmp/policy"
	"opendmp/store"
	"opendmp/vault"
)

// loaded is a dossier in memory at one version: facts and values, never a
// situation or a decision. It is immutable.
type loaded struct {
	id      store.Dossier
	header  store.Header
	ring    *vault.Ring
	rows    []*row
	byRef   map[string]int // "DocumentReference/x" → its place in rows
	governs map[string]int // "Binary/x" → the document that names it
	record  *policy.Record
	// kept tells that it was at hand, so that nothing but its header was read.
	kept bool
}

// newLoaded indexes rows. The header of a dossier that does not exist is zero,
// and everything is absent from it.
func newLoaded(id store.Dossier, h store.Header, ring *vault.Ring, rows []*row) *loaded {
	d := &loaded{
		id: id, header: h, ring: ring, rows: rows,
		byRef: make(map[string]int, len(rows)), governs: make(map[string]int),
	}
	subjects := make([]policy.Subject, len(rows))
	for i, r := range rows {
		ref := r.ref()
		subjects[i] = policy.Subject{Ref: ref, Facts: r.facts}
		d.byRef[ref] = i
		for _, name := range r.names {
			if !r.deleted {
				d.governs[name] = i
			}
		}
	}
	d.record = policy.NewRecord(state(h.State), subjects)
	return d
}

func state(s store.State) policy.State {
	switch s {
	case store.Active:
		return policy.Active
	case store.Closed:
		return policy.Closed
	case store.Destroyed:
		return policy.Destroyed
	}
	return policy.NoDossier
}

// exists tells whether there is a dossier that is not destroyed.
func (d *loaded) exists() bool {
	return d.header.State == store.Active || d.header.State == store.Closed
}

// find returns the current row of a resource, nil if there is none.
func (d *loaded) find(ref string) *row {
	if i, ok := d.byRef[ref]; ok {
		return d.rows[i]
	}
	return nil
}

// patient returns the row of the dossier's Patient, nil in a decoy.
func (d *loaded) patient() *row {
	for _, r := range d.rows {
		if r.typ == "Patient" {
			return r
		}
	}
	return nil
}

// load returns a dossier as of now: the header is read on every call, the rest
// when its version moved. A dossier that does not exist loads as an empty one,
// by the same calls, so that a decoy costs what a hidden document costs.
func (s *Service) load(ctx context.Context, id store.Dossier) (*loaded, error) {
	h, err := s.store.Header(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if d := s.cache.get(id, h.Version); d != nil {
		return d, nil
	}
	ring, err := s.ring(ctx, id)
	if err != nil {
		return nil, err
	}
	d, err := s.readRows(ctx, id, h, ring)
	if err != nil {
		return nil, err
	}
	if d.exists() {
		s.cache.put(d)
	}
	return d, nil
}

// even makes the store calls that are made where nothing exists, if the dossier
// was at hand and did without them: who asks for something hidden in a dossier
// that is in use is not told so by the time it takes.
func (s *Service) even(ctx context.Context, d *loaded) error {
	if !d.kept {
		return nil
	}
	nowhere := decoy(s.vault.Find("nowhere", string(d.id[:])))
	if _, err := s.store.Keys(ctx, nowhere); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for _, err := range s.store.Rows(ctx, nowhere) {
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// ring unwraps the keys of a dossier; nil when it has none.
func (s *Service) ring(ctx context.Context, id store.Dossier) (*vault.Ring, error) {
	records, err := s.store.Keys(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if len(records) == 0 {
		return nil, nil
	}
	wrapped := make([]vault.Wrapped, len(records))
	for i, k := range records {
		wrapped[i] = vault.Wrapped{Kind: k.Kind, Number: k.Number, Epoch: k.Epoch, Bytes: k.Wrapped}
	}
	ring, err := s.vault.Ring(id, wrapped)
	return ring, internal(err, "keys")
}

// readRows reads and opens the summaries. Rows may be newer than the header
// that was read before them; the header's version is then behind, and the next
// load reads again.
func (s *Service) readRows(ctx context.Context, id store.Dossier, h store.Header, ring *vault.Ring) (*loaded, error) {
	var rows []*row
	for sealed, err := range s.store.Rows(ctx, id) {
		if err != nil {
			if errors.Is(err, store.ErrNotFound) {
				break
			}
			return nil, err
		}
		r, err := s.openRow(ctx, ring, sealed)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return newLoaded(id, h, ring, rows), nil
}

// openRow opens a summary; one of an unknown format is rebuilt from its body.
func (s *Service) openRow(ctx context.Context, ring *vault.Ring, sealed store.Row) (*row, error) {
	if ring == nil {
		return nil, fmt.Errorf("%w: rows without keys", ErrInternal)
	}
	r := &row{key: sealed.ID.Row, typ: sealed.Type, version: sealed.Version, updated: sealed.Updated, deleted: sealed.Deleted}
	plain, err := ring.Open(summaryPlace(r.key, r.version), sealed.Summary)
	if err != nil {
		return nil, internal(err, "summary")
	}
	if err = decodeSummary(plain, r); err == nil {
		return r, nil
	}
	rec, err := s.body(ctx, sealed.ID.Dossier, ring, r.key, r.version)
	if err != nil {
		return nil, err
	}
	rebuilt, err := summarise(r.key, r.version, r.updated, rec)
	if err != nil {
		return nil, internal(err, "summary rebuilt")
	}
	rebuilt.deleted = r.deleted
	return rebuilt, nil
}

// body opens one version of a resource.
func (s *Service) body(ctx context.Context, id store.Dossier, ring *vault.Ring, key store.RowKey, version int64) (*record, error) {
	recs, err := s.bodies(ctx, id, ring, []store.BodyRef{{Row: key, Version: version}})
	if err != nil {
		return nil, err
	}
	return recs[0], nil
}

// bodies opens several, in the order of refs.
func (s *Service) bodies(ctx context.Context, id store.Dossier, ring *vault.Ring, refs []store.BodyRef) ([]*record, error) {
	sealed, err := s.store.Bodies(ctx, id, refs)
	if err != nil {
		return nil, err
	}
	recs := make([]*record, len(refs))
	for i, b := range sealed {
		if b == nil {
			return nil, fmt.Errorf("%w: a body is missing", ErrInternal)
		}
		plain, err := ring.Open(bodyPlace(refs[i].Row, refs[i].Version), b)
		if err != nil {
			return nil, internal(err, "body")
		}
		if recs[i], err = decodeBody(plain); err != nil {
			return nil, internal(err, "body")
		}
	}
	return recs, nil
}

// cache keeps the dossiers used last, up to a number of rows in all.
type cache struct {
	mu    sync.Mutex
	limit int
	rows  int
	order *list.List // of *loaded, the last used in front
	byID  map[store.Dossier]*list.Element
}

func newCache(limit int) *cache {
	return &cache{limit: limit, order: list.New(), byID: make(map[store.Dossier]*list.Element)}
}

// weight counts an empty dossier too, so that decoys cannot grow without bound.
func weight(d *loaded) int { return len(d.rows) + 1 }

// get returns the dossier if it is held at exactly this version.
func (c *cache) get(id store.Dossier, version int64) *loaded {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok || e.Value.(*loaded).header.Version != version {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*loaded)
}

// put holds a dossier, unless a later version is held already.
func (c *cache) put(fresh *loaded) {
	at := *fresh
	at.kept = true
	d := &at
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byID[d.id]; ok {
		if e.Value.(*loaded).header.Version > d.header.Version {
			return
		}
		c.remove(e)
	}
	c.byID[d.id] = c.order.PushFront(d)
	c.rows += weight(d)
	for c.rows > c.limit && c.order.Len() > 1 {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(e *list.Element) {
	d := c.order.Remove(e).(*loaded)
	delete(c.byID, d.id)
	c.rows -= weight(d)
}
