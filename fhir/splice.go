package fhir

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrSplice is the error of edits that overlap, leave the resource, or would not
// leave valid JSON. It is a fault of the program, not of the input.
var ErrSplice = errors.New("fhir: invalid splice")

// Edit replaces the bytes [Start,End) of a resource by With. Edits that remove
// a member or an element are worked out by Splice, which knows what else goes:
// make them with RemoveMember and RemoveItem.
type Edit struct {
	Start, End int
	With       []byte

	// remove is the node that RemoveMember and RemoveItem take out, 0 if none
	// (the root cannot be removed).
	remove uint32
}

// Replace puts a value in the place of another.
func Replace(n Node, with []byte) Edit {
	start, end := n.Span()
	return Edit{Start: start, End: end, With: with}
}

// RemoveMember removes a member of an object, with the comma and the white space
// that belong to it. Several members of one object may go in one Splice. An
// absent node removes nothing.
func RemoveMember(n Node) Edit {
	start, end := n.Span()
	return Edit{Start: start, End: end, remove: n.i}
}

// RemoveItem removes an element of an array, as RemoveMember does.
func RemoveItem(n Node) Edit { return RemoveMember(n) }

// RemoveItems removes the elements of an array that drop chooses. FHIR has no
// empty arrays: when it chooses all, the member that holds the array goes.
func RemoveItems(array Node, drop func(Node) bool) []Edit {
	var edits []Edit
	kept := false
	for item := range array.Items() {
		if drop(item) {
			edits = append(edits, RemoveItem(item))
		} else {
			kept = true
		}
	}
	if len(edits) > 0 && !kept {
		return []Edit{RemoveMember(array)}
	}
	return edits
}

// InsertMember adds a member at the end of an object, in the style (line breaks,
// spaces) of the member before it.
func InsertMember(object Node, name string, value []byte) Edit {
	last := object.lastChild()
	if !last.Exists() {
		_, end := object.Span()
		return Edit{Start: end - 1, End: end - 1, With: appendMember(nil, name, ":", value)}
	}
	return InsertAfter(last, name, value)
}

// InsertAfter adds a member after another one of the same object.
func InsertAfter(member Node, name string, value []byte) Edit {
	_, end := member.Span()
	before, colon := member.style()
	with := append([]byte{','}, before...)
	return Edit{Start: end, End: end, With: appendMember(with, name, colon, value)}
}

// AppendItem adds an element at the end of an array.
func AppendItem(array Node, value []byte) Edit {
	last := array.lastChild()
	if !last.Exists() {
		_, end := array.Span()
		return Edit{Start: end - 1, End: end - 1, With: value}
	}
	_, end := last.Span()
	with := append([]byte{','}, last.before()...)
	return Edit{Start: end, End: end, With: append(with, value...)}
}

// Splice returns the resource with the edits done: every byte outside of them
// is as it was. The edits may come in any order; they must not overlap, but a
// removed value may hold other edits, which go with it. Insertions at one place
// keep their order.
//
// The result is JSON again, and no more is checked: parse it when the edits come
// from a client.
func (r *Resource) Splice(edits []Edit) (*Resource, error) {
	root := r.Root()
	if !root.Exists() {
		return nil, fmt.Errorf("%w: no resource", ErrSplice)
	}
	start, _ := root.Span()
	if len(edits) == 0 {
		return r, nil
	}
	edits = r.t.resolve(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return a.End - b.End // insertions first
	})
	size := len(r.t.raw)
	for _, e := range edits {
		size += len(e.With)
	}
	out := make([]byte, 0, size)
	at := start
	_, end := root.Span()
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > end {
			return nil, fmt.Errorf("%w: overlap or out of range at byte %d", ErrSplice, e.Start)
		}
		out = append(out, r.t.raw[at:e.Start]...)
		out = append(out, e.With...)
		at = e.End
	}
	out = append(out, r.t.raw[at:end]...)
	spliced, err := Scan(out)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSplice, err)
	}
	return spliced, nil
}

// Quote returns s as a JSON string that Scan takes: NUL and bytes that are not
// UTF-8 become U+FFFD.
func Quote(s string) []byte { return appendQuoted(make([]byte, 0, len(s)+2), s) }

func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	s = strings.ToValidUTF8(s, "\ufffd")
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == 0:
			b = append(b, "\ufffd"...)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func appendMember(b []byte, name, colon string, value []byte) []byte {
	b = appendQuoted(b, name)
	b = append(b, colon...)
	return append(b, value...)
}

// resolve turns removals into the bytes that go, and drops the edits that lie
// within them.
func (t *tree) resolve(edits []Edit) []Edit {
	r := removal{tree: t}
	for _, e := range edits {
		if e.remove != 0 {
			r.nodes = append(r.nodes, e.remove)
		}
	}
	if len(r.nodes) == 0 {
		return slices.Clone(edits)
	}
	slices.Sort(r.nodes)
	r.children(0)
	for _, e := range edits {
		if e.remove == 0 && !r.holds(e) {
			r.out = append(r.out, e)
		}
	}
	return r.out
}

// removal works out which bytes go with the nodes that are removed.
type removal struct {
	*tree
	nodes []uint32 // sorted
	at    int      // the next of nodes
	gone  []uint32 // those of nodes that are not within another one
	out   []Edit
}

// children goes once through the children of p that are removed or hold what
// is. A run of removed neighbours goes with the comma before it; a run at the
// beginning with the comma after it.
func (r *removal) children(p uint32) {
	var kept, run uint32 // the last child kept and the first of the run; 0: none
	for c := p + 1; c < r.tree.nodes[p].next; c = r.tree.nodes[c].next {
		if r.takes(c) {
			if run == 0 {
				run = c
			}
			continue
		}
		if run != 0 && kept == 0 {
			r.cut(r.begin(run), r.begin(c))
		} else if run != 0 {
			r.cut(int(r.tree.nodes[kept].end), r.endOf(c, run))
		}
		kept, run = c, 0
		if r.at < len(r.nodes) && r.nodes[r.at] < r.tree.nodes[c].next {
			r.children(c)
		}
	}
	switch end := r.tree.nodes[p].next; {
	case run == 0:
	case kept != 0:
		r.cut(int(r.tree.nodes[kept].end), r.endOf(end, run))
	default:
		r.cut(int(r.tree.nodes[p].start)+1, int(r.tree.nodes[p].end)-1)
	}
}

// takes tells whether the node c is removed, and passes over all that it holds.
func (r *removal) takes(c uint32) bool {
	if r.at == len(r.nodes) || r.nodes[r.at] != c {
		return false
	}
	r.gone = append(r.gone, c)
	for r.at < len(r.nodes) && r.nodes[r.at] < r.tree.nodes[c].next {
		r.at++
	}
	return true
}

// endOf returns where the run that begins at run and stops before next ends.
func (r *removal) endOf(next, run uint32) int {
	for r.tree.nodes[run].next < next {
		run = r.tree.nodes[run].next
	}
	return int(r.tree.nodes[run].end)
}

func (r *removal) cut(start, end int) { r.out = append(r.out, Edit{Start: start, End: end}) }

// holds tells whether an edit lies inside a removed value.
func (r *removal) holds(e Edit) bool {
	i, _ := slices.BinarySearchFunc(r.gone, e.Start, func(n uint32, start int) int {
		if int(r.tree.nodes[n].end) <= start {
			return -1
		}
		return 1
	})
	if i == len(r.gone) {
		return false
	}
	n := &r.tree.nodes[r.gone[i]]
	return e.Start >= int(n.start) && e.End <= int(n.end)
}

// begin returns where a child begins: its name's quote, or its value in an array.
func (t *tree) begin(i uint32) int {
	if n := &t.nodes[i]; n.key > 0 {
		return int(n.key) - 1
	}
	return int(t.nodes[i].start)
}

func (n Node) lastChild() Node {
	if n.Kind() != Object && n.Kind() != Array {
		return Node{}
	}
	last := uint32(0)
	for c := n.i + 1; c < n.n().next; c = n.t.nodes[c].next {
		last = c
	}
	if last == 0 {
		return Node{}
	}
	return Node{n.t, last}
}

// before returns the white space before a child.
func (n Node) before() []byte {
	end := n.t.begin(n.i)
	start := end
	for start > 0 && isSpace(n.t.raw[start-1]) {
		start--
	}
	return n.t.raw[start:end]
}

// style returns the white space before a member, and its colon with the white
// space around it.
func (n Node) style() (before []byte, colon string) {
	v := n.n()
	return n.before(), string(n.t.raw[v.keyTo+1 : v.start])
}
