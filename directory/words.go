package directory

import (
	"slices"
	"sort"
	"strings"
)

// words finds entries by the beginning of a word of their name. It keeps places
// only: the names are read, and folded, where they are needed.
type words struct {
	refs []wordRef
	// name returns the key of an entry's name.
	name func(entry uint32) string
}

// wordRef is where a word begins in the key of an entry.
type wordRef struct {
	entry uint32
	at    uint16
}

// newWords makes the index of entries 0 to n-1. Words beyond the 65,535th byte of a
// name are not found by.
func newWords(n int, name func(uint32) string) words {
	w := words{name: name, refs: make([]wordRef, 0, n+n/4)}
	keys := make([]string, n)
	for i := range keys {
		keys[i] = name(uint32(i))
		for at := range starts(keys[i]) {
			w.refs = append(w.refs, wordRef{uint32(i), at})
		}
	}
	slices.SortStableFunc(w.refs, func(a, b wordRef) int {
		return strings.Compare(keys[a.entry][a.at:], keys[b.entry][b.at:])
	})
	w.refs = slices.Clip(w.refs)
	return w
}

// starts yields where the words of a key begin.
func starts(key string) func(yield func(uint16) bool) {
	return func(yield func(uint16) bool) {
		for i := 0; i < len(key) && i <= 1<<16-1; i++ {
			if (i == 0 || key[i-1] == ' ') && !yield(uint16(i)) {
				return
			}
		}
	}
}

// find returns the entries of which a word, or the name from it on, begins with
// prefix: each once, in their order.
func (w words) find(prefix string) []uint32 {
	from := sort.Search(len(w.refs), func(i int) bool { return w.from(i) >= prefix })
	var found []uint32
	for i := from; i < len(w.refs) && strings.HasPrefix(w.from(i), prefix); i++ {
		found = append(found, w.refs[i].entry)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// from returns a name from a word on.
func (w words) from(i int) string {
	r := w.refs[i]
	return w.name(r.entry)[r.at:]
}
