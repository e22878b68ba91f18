package dossier

import "opendmp/store"

// keptBodies are sealed bodies of one dossier, of rows that are current in it. They
// are opened at each use, under the ring of whoever uses them.
type keptBodies struct {
	key   int32 // the header's key number; another one seals anew
	size  int   // in bytes, with bodyOverhead for each
	byRow map[store.RowKey]keptBody
}

type keptBody struct {
	version int64
	sealed  []byte
}

// bodyOverhead is what a body takes beside its bytes.
const bodyOverhead = 96

func (k *keptBodies) add(key store.RowKey, b keptBody) {
	k.byRow[key] = b
	k.size += len(b.sealed) + bodyOverhead
}

// in returns those that are current in d.
func (k *keptBodies) in(d *loaded) *keptBodies {
	now := &keptBodies{key: d.header.Key, byRow: make(map[store.RowKey]keptBody)}
	if k.key != now.key {
		return now
	}
	for _, r := range d.rows {
		if b, ok := k.byRow[r.key]; ok && b.version == r.version && !r.deleted {
			now.add(r.key, b)
		}
	}
	return now
}

// bodiesOf returns the sealed bodies of rows of d, nil where one is not held.
func (c *cache) bodiesOf(d *loaded, rows []*row) [][]byte {
	sealed := make([][]byte, len(rows))
	c.mu.Lock()
	defer c.mu.Unlock()
	held, ok := c.bodies.get(d.id)
	if !ok || held.key != d.header.Key {
		return sealed
	}
	for i, r := range rows {
		if b := held.byRow[r.key]; b.version == r.version {
			sealed[i] = b.sealed
		}
	}
	return sealed
}

// putBodies holds the bodies that were read of rows of d, unless d is of the past by
// now: what a destruction erased must not come back. What would not fit into the
// whole memory is left out.
func (c *cache) putBodies(d *loaded, rows []*row, sealed [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outdated(d) {
		return
	}
	held, ok := c.bodies.get(d.id)
	if !ok || held.key != d.header.Key {
		held = &keptBodies{key: d.header.Key, byRow: make(map[store.RowKey]keptBody)}
	}
	for i, r := range rows {
		was, again := held.byRow[r.key]
		if again && was.version >= r.version || sealed[i] == nil || held.size+len(sealed[i])+bodyOverhead > c.bodies.limit {
			continue
		}
		held.remove(r.key)
		held.add(r.key, keptBody{r.version, sealed[i]})
	}
	c.keepBodies(d, held)
}

func (k *keptBodies) remove(key store.RowKey) {
	if b, ok := k.byRow[key]; ok {
		delete(k.byRow, key)
		k.size -= len(b.sealed) + bodyOverhead
	}
}

// keepBodies holds the bodies of d, or lets go of it when there are none.
func (c *cache) keepBodies(d *loaded, b *keptBodies) {
	if len(b.byRow) == 0 {
		c.bodies.drop(d.id)
		return
	}
	c.bodies.put(d.id, b, b.size)
}
