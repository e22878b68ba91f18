package dossier

import (
	"context"
	"slices"
	"sync"

	"opendmp/fhir"
	"opendmp/store"
)

// maxMemory bounds what is remembered of callers; some 300 bytes each.
const maxMemory = 50_000

// memory remembers to which dossier the name of a patient (an id, an INS) led a
// caller who was let in there, so that a search by patient asks the store for it
// once and not each time.
//
// It is no more than a hint. The header of the dossier is read on every request all
// the same, the Patient in it must still go by that name, and the policy decides
// anew. It is kept for each caller, and only of what they were let into: to others,
// and to whoever is refused since, a search costs what it costs where there is no
// dossier.
type memory struct {
	mu     sync.Mutex
	places *lru[knownTo, store.Dossier]
}

// knownTo is a caller, in the role in which they ask, and the blind token of the name.
type knownTo struct {
	caller string
	name   store.Token
}

func newMemory() *memory { return &memory{places: newLRU[knownTo, store.Dossier](maxMemory)} }

func (m *memory) get(to knownTo) (store.Dossier, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.places.get(to)
}

func (m *memory) put(to knownTo, d store.Dossier) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.places.put(to, d, 1)
}

func (m *memory) drop(to knownTo) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.places.drop(to)
}

func (c *call) knownTo() knownTo { return knownTo{c.caller(), c.patient} }

// spared is what memory spared the store in a call.
type spared struct{ lookup, keys bool }

// loadPatient loads the dossier of the patient whose name gives token t, or a decoy:
// from memory where the caller was let in before and nothing changed that, by a
// lookup otherwise. The caller calls letIn when it is decided whether they are let in.
func (c *call) loadPatient(ctx context.Context, t store.Token) (*loaded, error) {
	c.patient = t
	id, ok := c.memory.get(c.knownTo())
	if !ok {
		return c.loadToken(ctx, t)
	}
	h, err := c.header(ctx, id)
	if err != nil {
		return nil, err
	}
	if h.State == store.Active || h.State == store.Closed {
		d, err := c.loadKnown(ctx, id, h)
		if err != nil {
			return nil, err
		}
		if c.names(t, d) {
			c.spared.lookup = true
			return d, nil
		}
	} else {
		c.cache.put(newLoaded(id, h, nil, nil)) // what is destroyed leaves the memory
	}
	return c.moved(ctx, t)
}

// loadKnown is loadAt for who was let in before: with the keys that are in memory.
func (c *call) loadKnown(ctx context.Context, id store.Dossier, h store.Header) (*loaded, error) {
	if d := c.cache.get(id, h.Version); d != nil {
		return d, nil
	}
	ring := c.cache.ring(id, h)
	if ring == nil {
		return c.loadAt(ctx, id, h)
	}
	c.spared.keys = true
	return c.loadUnder(ctx, id, h, ring)
}

// moved loads the dossier of a patient who is not where they were. Where there is
// none any more, one header was read, as of a decoy.
func (c *call) moved(ctx context.Context, t store.Token) (*loaded, error) {
	c.memory.drop(c.knownTo())
	c.spared = spared{}
	id, err := c.byToken(ctx, t)
	if err != nil {
		return nil, err
	}
	if id == decoy(t) {
		return c.loadAt(ctx, id, store.Header{})
	}
	return c.load(ctx, id)
}

// names tells whether t is a name of the Patient of d.
func (s *Service) names(t store.Token, d *loaded) bool {
	p := d.patient()
	return p != nil && (s.idToken("Patient", p.id) == t ||
		slices.ContainsFunc(p.facts.INS(), func(i fhir.Ident) bool { return s.insToken(i) == t }))
}

// letIn remembers the dossier that loadPatient found for a caller who is let in. One
// who is not pays for what memory spared them, as they would where nothing exists.
func (c *call) letIn(ctx context.Context, d *loaded, in bool) error {
	if c.patient == (store.Token{}) {
		return nil
	}
	if in && d.exists() {
		c.memory.put(c.knownTo(), d.id)
		return nil
	}
	c.memory.drop(c.knownTo())
	if c.spared.lookup {
		if _, err := c.byToken(ctx, c.patient); err != nil {
			return err
		}
	}
	if c.spared.keys {
		if _, err := c.ring(ctx, d.id); err != nil {
			return err
		}
	}
	return c.even(ctx, d)
}
