package dossier

import (
	"context"
	"errors"
	"fmt"

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
	h, err := s.header(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.loadAt(ctx, id, h)
}

// header reads the header in force; the zero one where there is no dossier.
func (s *Service) header(ctx context.Context, id store.Dossier) (store.Header, error) {
	h, err := s.store.Header(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Header{}, nil
	}
	return h, err
}

// loadAt returns a dossier as of a header that was just read.
func (s *Service) loadAt(ctx context.Context, id store.Dossier, h store.Header) (*loaded, error) {
	if d := s.cache.get(id, h.Version); d != nil {
		return d, nil
	}
	ring, err := s.ring(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.loadUnder(ctx, id, h, ring)
}

// loadUnder reads a dossier whose keys are known.
func (s *Service) loadUnder(ctx context.Context, id store.Dossier, h store.Header, ring *vault.Ring) (*loaded, error) {
	d, err := s.readRows(ctx, id, h, ring)
	if err != nil {
		return nil, err
	}
	s.cache.put(d)
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
		if recs[i], err = openBody(ring, refs[i].Row, refs[i].Version, b); err != nil {
			return nil, err
		}
	}
	return recs, nil
}

// openBody opens a sealed body; nil is one that is missing.
func openBody(ring *vault.Ring, key store.RowKey, version int64, sealed []byte) (*record, error) {
	if sealed == nil {
		return nil, fmt.Errorf("%w: a body is missing", ErrInternal)
	}
	plain, err := ring.Open(bodyPlace(key, version), sealed)
	if err != nil {
		return nil, internal(err, "body")
	}
	rec, err := decodeBody(plain)
	return rec, internal(err, "body")
}

// current opens the current bodies of rows of d, in their order: what is in memory
// from there, the others by one read. It is for what the caller may see: who learns
// that a body was in memory learns that somebody read it.
func (s *Service) current(ctx context.Context, d *loaded, rows ...*row) ([]*record, error) {
	sealed := s.cache.bodiesOf(d, rows)
	var missing []*row
	var refs []store.BodyRef
	for i, r := range rows {
		if sealed[i] == nil {
			missing = append(missing, r)
			refs = append(refs, store.BodyRef{Row: r.key, Version: r.version})
		}
	}
	if len(missing) > 0 {
		read, err := s.store.Bodies(ctx, d.id, refs)
		if err != nil {
			return nil, err
		}
		s.cache.putBodies(d, missing, read)
		for i := range sealed {
			if sealed[i] == nil {
				sealed[i], read = read[0], read[1:]
			}
		}
	}
	recs := make([]*record, len(rows))
	for i, r := range rows {
		var err error
		if recs[i], err = openBody(d.ring, r.key, r.version, sealed[i]); err != nil {
			return nil, err
		}
	}
	return recs, nil
}
