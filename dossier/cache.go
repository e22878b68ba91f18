package dossier

import (
	"sync"

	"opendmp/store"
	"opendmp/vault"
)

// maxRings bounds the dossiers whose opened keys are kept; some 4 KB each.
const maxRings = 10_000

// cache keeps what was read of the dossiers used last: their summaries, up to a
// number of rows; their opened keys; and the current bodies that somebody was shown,
// sealed, up to a number of bytes. All of it is looked up under a header that was
// just read, so that nothing is used that a commit, of whatever server, put an end
// to. Keys and bodies are used only for who was let in before, or sees the document.
type cache struct {
	mu       sync.Mutex
	dossiers *lru[store.Dossier, *loaded]
	rings    *lru[store.Dossier, keptRing]
	bodies   *lru[store.Dossier, *keptBodies]
}

// keptRing is the ring of a dossier while its header has that key number.
type keptRing struct {
	key  int32
	ring *vault.Ring
}

func newCache(rows, bytes int) *cache {
	return &cache{
		dossiers: newLRU[store.Dossier, *loaded](rows),
		rings:    newLRU[store.Dossier, keptRing](maxRings),
		bodies:   newLRU[store.Dossier, *keptBodies](bytes),
	}
}

// get returns the dossier if it is held at exactly this version. One that is
// destroyed is not at hand, as one that never was is not.
func (c *cache) get(id store.Dossier, version int64) *loaded {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.dossiers.get(id); ok && d.header.Version == version && d.exists() {
		return d
	}
	return nil
}

// ring returns the opened keys of a dossier with that header, nil if they are not
// held. Those of a destroyed one never are.
func (c *cache) ring(id store.Dossier, h store.Header) *vault.Ring {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.rings.get(id); ok && k.key == h.Key && h.State != store.Destroyed {
		return k.ring
	}
	return nil
}

// put holds a dossier, unless a later version is held already, and lets go of what
// it ended: bodies that are not current any more, and of a destroyed dossier
// everything but its header, by which what comes late is known to be of the past.
func (c *cache) put(fresh *loaded) {
	if fresh.header == (store.Header{}) {
		return
	}
	at := *fresh
	at.kept = true
	d := &at
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outdated(d) {
		return
	}
	if !d.exists() {
		c.dossiers.put(d.id, &loaded{id: d.id, header: d.header}, 1)
		c.rings.drop(d.id)
		c.bodies.drop(d.id)
		return
	}
	c.dossiers.put(d.id, d, len(d.rows))
	c.rings.put(d.id, keptRing{d.header.Key, d.ring}, 1)
	if b, ok := c.bodies.get(d.id); ok {
		c.keepBodies(d, b.in(d))
	}
}

// outdated tells whether a later version of d is held.
func (c *cache) outdated(d *loaded) bool {
	now, ok := c.dossiers.get(d.id)
	return ok && now.header.Version > d.header.Version
}
