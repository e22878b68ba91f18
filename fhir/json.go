package fhir

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 64

// Kind is the JSON type of a node.
type Kind uint8

// Kinds of nodes. Absent is that of the zero Node.
const (
	Absent Kind = iota
	Object
	Array
	String
	Number
	Bool
	Null
)

// node is a value at [start,end) of the bytes. Nodes are in document order: the
// first child of i is i+1, and next is the node after i's subtree.
type node struct {
	start, end uint32
	key, keyTo uint32 // the member's name, without quotes; empty in arrays
	next       uint32
	kind       Kind
	escaped    bool // the string, or the name of the member, has a backslash
}

// tree is the bytes of a JSON text and the positions of its values.
type tree struct {
	raw   []byte
	nodes []node
}

// Node is a place in a resource. The zero Node is an absent one: all its
// methods answer as for something empty, so that a path may be followed without
// a check at each step.
type Node struct {
	t *tree
	i uint32
}

func (n Node) n() *node { return &n.t.nodes[n.i] }

// Exists tells whether the node is there; a JSON null is.
func (n Node) Exists() bool { return n.t != nil }

// Kind returns the JSON type.
func (n Node) Kind() Kind {
	if n.t == nil {
		return Absent
	}
	return n.n().kind
}

// Span returns the offsets of the value in the bytes of its resource.
func (n Node) Span() (start, end int) {
	if n.t == nil {
		return 0, 0
	}
	return int(n.n().start), int(n.n().end)
}

// Raw returns the bytes of the value, as received. They must not be changed.
func (n Node) Raw() []byte {
	if n.t == nil {
		return nil
	}
	v := n.n()
	return n.t.raw[v.start:v.end:v.end]
}

// Name returns the name of the member that holds this value, "" in an array.
func (n Node) Name() string {
	if n.t == nil {
		return ""
	}
	v := n.n()
	return string(n.t.raw[v.key:v.keyTo])
}

// Text returns the value of a string without its escapes, the digits of a
// number, "true" or "false"; "" for anything else.
func (n Node) Text() string {
	if n.t == nil {
		return ""
	}
	v := n.n()
	switch v.kind {
	case String:
		s := n.t.raw[v.start+1 : v.end-1]
		if v.escaped {
			return unescape(s)
		}
		return string(s)
	case Number, Bool:
		return string(n.t.raw[v.start:v.end])
	}
	return ""
}

// Is tells whether the node is the string s.
func (n Node) Is(s string) bool {
	if n.t == nil || n.n().kind != String {
		return false
	}
	v := n.n()
	if v.escaped {
		return n.Text() == s
	}
	return string(n.t.raw[v.start+1:v.end-1]) == s
}

// True tells whether the node is the boolean true.
func (n Node) True() bool { return n.Kind() == Bool && n.t.raw[n.n().start] == 't' }

// Get returns the member of an object, or of the first element of an array.
func (n Node) Get(name string) Node {
	if n.t == nil {
		return Node{}
	}
	v := n.n()
	if v.kind == Array && v.next > n.i+1 {
		return Node{n.t, n.i + 1}.Get(name)
	}
	if v.kind != Object {
		return Node{}
	}
	for c := n.i + 1; c < v.next; c = n.t.nodes[c].next {
		k := &n.t.nodes[c]
		if string(n.t.raw[k.key:k.keyTo]) == name {
			return Node{n.t, c}
		}
	}
	return Node{}
}

// At follows names one after the other, taking the first element of arrays.
func (n Node) At(names ...string) Node {
	for _, name := range names {
		n = n.Get(name)
	}
	if n.Kind() == Array {
		for c := range n.Items() {
			return c
		}
		return Node{}
	}
	return n
}

// Items yields the elements of an array; any other value yields itself, and an
// absent one nothing.
func (n Node) Items() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.t == nil {
			return
		}
		v := n.n()
		if v.kind != Array {
			yield(n)
			return
		}
		for c := n.i + 1; c < v.next; c = n.t.nodes[c].next {
			if !yield(Node{n.t, c}) {
				return
			}
		}
	}
}

// Members yields the members of an object, in their order.
func (n Node) Members() iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		if n.Kind() != Object {
			return
		}
		v := n.n()
		for c := n.i + 1; c < v.next; c = n.t.nodes[c].next {
			k := &n.t.nodes[c]
			if !yield(string(n.t.raw[k.key:k.keyTo]), Node{n.t, c}) {
				return
			}
		}
	}
}

// All yields every value that the names lead to, through all elements of the
// arrays on the way.
func (n Node) All(names ...string) iter.Seq[Node] {
	return func(yield func(Node) bool) { n.all(names, yield) }
}

func (n Node) all(names []string, yield func(Node) bool) bool {
	for c := range n.Items() {
		if len(names) == 0 {
			if !yield(c) {
				return false
			}
			continue
		}
		if m := c.Get(names[0]); m.Exists() && !m.all(names[1:], yield) {
			return false
		}
	}
	return true
}

// Len is the number of elements of an array or members of an object.
func (n Node) Len() int {
	if n.t == nil {
		return 0
	}
	v := n.n()
	if v.kind != Array && v.kind != Object {
		return 0
	}
	count := 0
	for c := n.i + 1; c < v.next; c = n.t.nodes[c].next {
		count++
	}
	return count
}

// unescape resolves the escapes of a string that the scanner has checked.
func unescape(s []byte) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			r := hex4(s[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, hex4(s[i+3:]))
				i += 6
			}
			b.WriteRune(r)
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// hex4 reads four hexadecimal digits; -1 if they are not.
func hex4(s []byte) rune {
	if len(s) < 4 {
		return -1
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// scanJSON reads one JSON text (RFC 8259) strictly: UTF-8, no byte order mark,
// no duplicate names nor names that differ only by case, nothing after the
// value, at most MaxDepth levels.
func scanJSON(raw []byte) (*tree, error) {
	if len(raw) >= 1<<31 {
		return nil, syntax(0, "too large")
	}
	if !utf8.Valid(raw) {
		return nil, syntax(0, "not valid UTF-8")
	}
	s := &scanner{tree: tree{raw: raw, nodes: make([]node, 0, min(len(raw)/16+4, maxValues))}}
	s.space()
	if err := s.value(0, 0, 0, false); err != nil {
		return nil, err
	}
	s.space()
	if s.at != len(raw) {
		return nil, syntax(s.at, "data after the end of the value")
	}
	return &s.tree, nil
}

func syntax(at int, what string) *Invalid {
	e := invalid("structure", "", "Le corps n’est pas un JSON valide.", "The body is not valid JSON.")
	e.Issues[0].Diagnostics = fmt.Sprintf("byte %d: %s", at, what)
	return e
}

type scanner struct {
	tree
	at int
}

func (s *scanner) space() {
	for s.at < len(s.raw) {
		switch s.raw[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// maxValues bounds the values of a text, and so the memory that its tree takes (24
// bytes each) whatever the size of the body: a value needs two bytes there. The
// largest submission, of a thousand entries, has half of it.
const maxValues = 1 << 19

// value reads the value at s.at and appends its node and those below it.
func (s *scanner) value(depth int, key, keyTo uint32, keyEscaped bool) error {
	if s.at >= len(s.raw) {
		return syntax(s.at, "unexpected end")
	}
	i := len(s.nodes)
	if i == maxValues {
		return invalid("too-costly", "", "Le corps a plus de 524 288 valeurs.", "The body has more than 524,288 values.")
	}
	s.nodes = append(s.nodes, node{start: uint32(s.at), key: key, keyTo: keyTo, escaped: keyEscaped})
	var kind Kind
	var err error
	switch c := s.raw[s.at]; {
	case c == '{':
		kind, err = Object, s.object(depth+1, i)
	case c == '[':
		kind, err = Array, s.array(depth+1)
	case c == '"':
		var escaped bool
		escaped, err = s.string()
		kind, s.nodes[i].escaped = String, escaped
	case c == 't':
		kind, err = Bool, s.word("true")
	case c == 'f':
		kind, err = Bool, s.word("false")
	case c == 'n':
		kind, err = Null, s.word("null")
	default:
		kind, err = Number, s.number()
	}
	if err != nil {
		return err
	}
	n := &s.nodes[i]
	n.kind, n.end, n.next = kind, uint32(s.at), uint32(len(s.nodes))
	return nil
}

func (s *scanner) object(depth, self int) error {
	if depth > MaxDepth {
		return syntax(s.at, "nested too deep")
	}
	s.at++
	s.space()
	if s.at < len(s.raw) && s.raw[s.at] == '}' {
		s.at++
		return nil
	}
	for {
		if s.at >= len(s.raw) || s.raw[s.at] != '"' {
			return syntax(s.at, "expected a name")
		}
		from := s.at
		escaped, err := s.string()
		if err != nil {
			return err
		}
		if escaped {
			return syntax(from, "a name with an escape is not an element name")
		}
		key, keyTo := uint32(from+1), uint32(s.at-1)
		if err := s.unique(self, key, keyTo); err != nil {
			return err
		}
		s.space()
		if s.at >= len(s.raw) || s.raw[s.at] != ':' {
			return syntax(s.at, "expected a colon")
		}
		s.at++
		s.space()
		if err := s.value(depth, key, keyTo, false); err != nil {
			return err
		}
		s.space()
		if done, err := s.separator('}'); done || err != nil {
			return err
		}
	}
}

// unique refuses a name that the object has already, in whatever case.
func (s *scanner) unique(object int, key, keyTo uint32) error {
	name := s.raw[key:keyTo]
	seen := 0
	for c := uint32(object + 1); c < uint32(len(s.nodes)); c = s.nodes[c].next {
		k := &s.nodes[c]
		if k.keyTo-k.key == keyTo-key && sameLetter(s.raw[k.key], s.raw[key]) && bytes.EqualFold(s.raw[k.key:k.keyTo], name) {
			return syntax(int(key), "duplicate name")
		}
		if seen++; seen > maxMembers {
			return syntax(int(key), "too many members")
		}
	}
	return nil
}

// sameLetter tells whether two bytes may begin names that differ only by case. It
// spares most comparisons; bytes beyond ASCII are left to them.
func sameLetter(a, b byte) bool { return a|0x20 == b|0x20 || a >= 0x80 || b >= 0x80 }

// maxMembers bounds the members of one object, so that looking for duplicates
// stays cheap. No FHIR type has half of it.
const maxMembers = 256

func (s *scanner) array(depth int) error {
	if depth > MaxDepth {
		return syntax(s.at, "nested too deep")
	}
	s.at++
	s.space()
	if s.at < len(s.raw) && s.raw[s.at] == ']' {
		s.at++
		return nil
	}
	for {
		if err := s.value(depth, 0, 0, false); err != nil {
			return err
		}
		s.space()
		if done, err := s.separator(']'); done || err != nil {
			return err
		}
	}
}

// separator reads a comma and the space after it, or the closing byte.
func (s *scanner) separator(closing byte) (done bool, err error) {
	if s.at >= len(s.raw) {
		return false, syntax(s.at, "unexpected end")
	}
	switch s.raw[s.at] {
	case closing:
		s.at++
		return true, nil
	case ',':
		s.at++
		s.space()
		return false, nil
	}
	return false, syntax(s.at, "expected a comma or the end")
}

// string reads a string and tells whether it has escapes.
func (s *scanner) string() (escaped bool, err error) {
	for i := s.at + 1; i < len(s.raw); i++ {
		switch c := s.raw[i]; {
		case c == '"':
			s.at = i + 1
			return escaped, nil
		case c < 0x20:
			return false, syntax(i, "control character in a string")
		case c == '\\':
			escaped = true
			n, ok := escape(s.raw[i:])
			if !ok {
				return false, syntax(i, "invalid escape")
			}
			i += n - 1
		}
	}
	return false, syntax(s.at, "string without end")
}

// escape returns the length of the escape that s begins with.
func escape(s []byte) (length int, ok bool) {
	if len(s) < 2 {
		return 0, false
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, true
	case 'u':
	default:
		return 0, false
	}
	r := hex4(s[2:])
	switch {
	case r <= 0: // not hexadecimal, or NUL
		return 0, false
	case !utf16.IsSurrogate(r):
		return 6, true
	}
	if len(s) < 12 || s[6] != '\\' || s[7] != 'u' {
		return 0, false
	}
	if utf16.DecodeRune(r, hex4(s[8:])) == utf8.RuneError {
		return 0, false
	}
	return 12, true
}

func (s *scanner) word(w string) error {
	if !bytes.HasPrefix(s.raw[s.at:], []byte(w)) {
		return syntax(s.at, "unexpected character")
	}
	s.at += len(w)
	return nil
}

func (s *scanner) number() error {
	i := s.at
	digits := func() bool {
		from := i
		for i < len(s.raw) && s.raw[i] >= '0' && s.raw[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s.raw) && s.raw[i] == '-' {
		i++
	}
	from := i
	if !digits() || s.raw[from] == '0' && i > from+1 {
		return syntax(s.at, "unexpected character")
	}
	if i < len(s.raw) && s.raw[i] == '.' {
		i++
		if !digits() {
			return syntax(i, "expected a digit")
		}
	}
	if i < len(s.raw) && (s.raw[i] == 'e' || s.raw[i] == 'E') {
		i++
		if i < len(s.raw) && (s.raw[i] == '+' || s.raw[i] == '-') {
			i++
		}
		if !digits() {
			return syntax(i, "expected a digit")
		}
	}
	s.at = i
	return nil
}
