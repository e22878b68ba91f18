package dossier

import "container/list"

// lru keeps the values used last, up to a weight in all. The one put last stays
// whatever it weighs. It is not safe for concurrent use.
type lru[K comparable, V any] struct {
	limit int
	held  int
	order *list.List // of *kept[K, V], the last used in front
	byKey map[K]*list.Element
}

type kept[K comparable, V any] struct {
	key    K
	value  V
	weight int
}

func newLRU[K comparable, V any](limit int) *lru[K, V] {
	return &lru[K, V]{limit: limit, order: list.New(), byKey: make(map[K]*list.Element)}
}

// get returns a value, the zero one if it is not held, and counts as a use.
func (l *lru[K, V]) get(key K) (v V, ok bool) {
	e, ok := l.byKey[key]
	if !ok {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*kept[K, V]).value, true
}

// put holds a value in the place of the one before, and lets go of those that were
// not used for longest.
func (l *lru[K, V]) put(key K, v V, weight int) {
	l.drop(key)
	l.byKey[key] = l.order.PushFront(&kept[K, V]{key, v, weight})
	l.held += weight
	for l.held > l.limit && l.order.Len() > 1 {
		l.remove(l.order.Back())
	}
}

func (l *lru[K, V]) drop(key K) {
	if e, ok := l.byKey[key]; ok {
		l.remove(e)
	}
}

func (l *lru[K, V]) remove(e *list.Element) {
	k := l.order.Remove(e).(*kept[K, V])
	delete(l.byKey, k.key)
	l.held -= k.weight
}
