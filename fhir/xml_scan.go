package fhir

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

const (
	fhirNamespace  = "http://hl7.org/fhir"
	xhtmlNamespace = "http://www.w3.org/1999/xhtml"
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xsiNamespace   = "http://www.w3.org/2001/XMLSchema-instance"
)

// Bounds of XML. With them, no document makes the scanner look twice at more than
// a few of its bytes.
const (
	// maxXMLDepth is how deep elements may nest, those of a narrative included.
	// The elements of FHIR have the bound of JSON besides, MaxDepth.
	maxXMLDepth = 256
	// maxAttributes bounds the attributes of one tag.
	maxAttributes = 64
	// maxComments bounds the comments of a document.
	maxComments = 4096
	// maxNamespaces bounds the declarations of namespaces in force at one place.
	maxNamespaces = 64
)

// xmlToken is what next has read.
type xmlToken uint8

const (
	xmlEOF   xmlToken = iota
	xmlStart          // a start tag, or the start of an empty element: see xmlScanner.tag
	xmlEnd            // an end tag, or the end of an empty element
	xmlText           // text between tags: see xmlScanner.blank
)

// xmlName is the name of an element or attribute with its namespace.
type xmlName struct {
	space  []byte // the URI, nil if there is none
	prefix []byte
	local  []byte
}

// xmlAttr is an attribute that is no declaration of a namespace.
type xmlAttr struct {
	xmlName
	raw []byte // between the quotes, with its references
}

// xmlTag is a start tag.
type xmlTag struct {
	xmlName
	attrs []xmlAttr
	empty bool // <a/>
}

// xmlBinding is a declaration of a namespace: xmlns:prefix="uri".
type xmlBinding struct {
	depth       int
	prefix, uri []byte
}

// xmlScanner reads XML 1.0 with namespaces, in UTF-8, by one token after the
// other. It is stricter than the standard: names are ASCII, and there are no
// document type declarations, no processing instructions and hence no entities
// but the five of XML, so that nothing is expanded and nothing is fetched.
// Comments are skipped; CDATA sections are refused, because an HTML parser reads
// them otherwise than an XML parser does.
//
// What it holds at a time is one tag, the names of the open elements and the
// namespaces in force, all of them bounded.
type xmlScanner struct {
	raw   []byte
	at    int
	start int // where the last token begins
	tag   xmlTag
	blank bool // the last text was white space only

	open     [][]byte // the names of the open elements, as written
	bindings []xmlBinding
	ended    bool // the root element has ended
	pending  bool // the end of an empty element is due
	comments int
	popped   int // the depth whose bindings go with the next token; 0: none
	// document is that the text is a document to look into, and none of our
	// formats: its processing instructions are passed over, never carried out, and
	// its CDATA sections are text. There are still no DTDs and no entities.
	document bool
}

func xmlSyntax(at int, what string) *Invalid {
	e := invalid("structure", "", "Le corps n’est pas un XML valide.", "The body is not valid XML.")
	e.Issues[0].Diagnostics = fmt.Sprintf("byte %d: %s", at, what)
	return e
}

// newXMLScanner begins to read a document: byte order mark and declaration.
func newXMLScanner(raw []byte) (*xmlScanner, error) {
	if len(raw) >= 1<<31 {
		return nil, xmlSyntax(0, "too large")
	}
	if !utf8.Valid(raw) {
		return nil, xmlSyntax(0, "not valid UTF-8")
	}
	s := &xmlScanner{raw: raw, at: len(raw) - len(bytes.TrimPrefix(raw, []byte("\ufeff")))}
	return s, s.declaration()
}

// declaration reads <?xml version="1.0" encoding="UTF-8" standalone="yes"?>,
// which may stand at the very start and nowhere else.
func (s *xmlScanner) declaration() error {
	const opening = "<?xml"
	if !bytes.HasPrefix(s.raw[s.at:], []byte(opening)) || s.at+len(opening) < len(s.raw) && isNameByte(s.raw[s.at+len(opening)]) {
		return nil
	}
	s.at += len(opening)
	seen := 0
	for _, field := range [...]struct {
		name   string
		values []string
	}{{"version", []string{"1.0"}}, {"encoding", []string{"utf-8"}}, {"standalone", []string{"yes", "no"}}} {
		from := s.at
		if !s.space() || !bytes.HasPrefix(s.raw[s.at:], []byte(field.name)) {
			s.at = from
			if field.name == "version" {
				return xmlSyntax(s.at, "expected the version of XML")
			}
			continue
		}
		s.at += len(field.name)
		value, err := s.equalsQuoted()
		if err != nil {
			return err
		}
		allowed := false
		for _, v := range field.values {
			allowed = allowed || bytes.EqualFold(value, []byte(v))
		}
		if !allowed {
			return xmlSyntax(from, "the "+field.name+" is not supported: XML 1.0 in UTF-8 only")
		}
		seen++
	}
	s.space()
	if seen == 0 || !bytes.HasPrefix(s.raw[s.at:], []byte("?>")) {
		return xmlSyntax(s.at, "expected the end of the declaration")
	}
	s.at += 2
	return nil
}

// next reads one token. Its slices are of the document, and the tag is good until
// the next call.
func (s *xmlScanner) next() (xmlToken, error) {
	s.start = s.at
	if s.popped > 0 {
		s.dropBindings()
	}
	if s.pending {
		s.pending = false
		s.close()
		return xmlEnd, nil
	}
	for s.at < len(s.raw) {
		if s.raw[s.at] != '<' {
			return xmlText, s.text()
		}
		rest := s.raw[s.at:]
		switch {
		case bytes.HasPrefix(rest, []byte("</")):
			return xmlEnd, s.endTag()
		case bytes.HasPrefix(rest, []byte("<!--")):
			if err := s.comment(); err != nil {
				return xmlEOF, err
			}
			s.start = s.at
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			if s.document {
				return xmlText, s.cdata()
			}
			return xmlEOF, xmlSyntax(s.at, "CDATA sections are not accepted")
		case bytes.HasPrefix(rest, []byte("<!")):
			return xmlEOF, xmlSyntax(s.at, "document type declarations (DTD) and entities are not accepted")
		case bytes.HasPrefix(rest, []byte("<?")):
			if s.document {
				if err := s.instruction(); err != nil {
					return xmlEOF, err
				}
				s.start = s.at
				continue
			}
			return xmlEOF, xmlSyntax(s.at, "processing instructions are not accepted")
		default:
			return xmlStart, s.startTag()
		}
	}
	if !s.ended {
		return xmlEOF, xmlSyntax(s.at, "unexpected end")
	}
	return xmlEOF, nil
}

// space skips white space and tells whether there was some.
func (s *xmlScanner) space() bool {
	from := s.at
	for s.at < len(s.raw) && isSpace(s.raw[s.at]) {
		s.at++
	}
	return s.at > from
}

// comment skips <!-- … -->, in which "--" must not stand (XML 1.0 §2.5). One that
// begins with > or -> is refused: there, it would have ended for an HTML parser.
func (s *xmlScanner) comment() error {
	from := s.at
	s.at += len("<!--")
	if rest := s.raw[s.at:]; bytes.HasPrefix(rest, []byte(">")) || bytes.HasPrefix(rest, []byte("->")) {
		return xmlSyntax(from, "a comment that begins as it would end")
	}
	if s.comments++; s.comments > maxComments {
		return xmlSyntax(from, "too many comments")
	}
	dashes := bytes.Index(s.raw[s.at:], []byte("--"))
	if dashes < 0 || !bytes.HasPrefix(s.raw[s.at+dashes:], []byte("-->")) {
		return xmlSyntax(from, "comment without end, or with two dashes")
	}
	if i := badControl(s.raw[s.at : s.at+dashes]); i >= 0 {
		return xmlSyntax(s.at+i, "control character")
	}
	s.at += dashes + len("-->")
	return nil
}

// instruction skips a processing instruction, <?name … ?>. There are as many as
// comments at most, and none is a second declaration of XML.
func (s *xmlScanner) instruction() error {
	from := s.at
	s.at += len("<?")
	name, err := s.name()
	if err != nil {
		return err
	}
	if s.comments++; s.comments > maxComments || bytes.EqualFold(name, []byte("xml")) {
		return xmlSyntax(from, "too many processing instructions, or a declaration that is not at the start")
	}
	end := bytes.Index(s.raw[s.at:], []byte("?>"))
	if end < 0 {
		return xmlSyntax(from, "a processing instruction without end")
	}
	if i := badControl(s.raw[s.at : s.at+end]); i >= 0 {
		return xmlSyntax(s.at+i, "control character")
	}
	s.at += end + len("?>")
	return nil
}

const cdataStart, cdataEnd = "<![CDATA[", "]]>"

// cdata reads a CDATA section, which is text as it stands.
func (s *xmlScanner) cdata() error {
	from := s.at
	text := s.raw[s.at+len(cdataStart):]
	end := bytes.Index(text, []byte(cdataEnd))
	if end < 0 || len(s.open) == 0 {
		return xmlSyntax(from, "a CDATA section without end, or outside of the root element")
	}
	if i := badControl(text[:end]); i >= 0 {
		return xmlSyntax(from+i, "control character")
	}
	s.blank = false
	s.at += len(cdataStart) + end + len(cdataEnd)
	return nil
}

// badControl returns the place of a character that XML does not have, -1 if none.
func badControl(s []byte) int {
	for i, c := range s {
		if c < 0x20 && !isSpace(c) || c == 0xef && isNonCharacter(s[i:]) {
			return i
		}
	}
	return -1
}

// isNonCharacter tells whether s begins with U+FFFE or U+FFFF, which are no
// characters in XML 1.0.
func isNonCharacter(s []byte) bool {
	return len(s) >= 3 && s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe
}

// text reads up to the next tag. Outside of the root there is white space only.
func (s *xmlScanner) text() error {
	end := bytes.IndexByte(s.raw[s.at:], '<')
	if end < 0 {
		end = len(s.raw) - s.at
	}
	text := s.raw[s.at : s.at+end]
	s.blank = true
	for i := 0; i < len(text); {
		c := text[i]
		if isSpace(c) {
			i++
			continue
		}
		if n := plainLength(text[i:]); n > 0 && len(s.open) > 0 {
			s.blank = false
			i += n
			continue
		}
		if len(s.open) == 0 {
			return xmlSyntax(s.at+i, "text outside of the root element")
		}
		r, size := rune(c), 1
		switch {
		case c == '&':
			if r, size = xmlReference(text[i:]); size == 0 {
				return xmlSyntax(s.at+i, "a reference that is not of XML itself")
			}
		case c < 0x20 || c == 0xef && isNonCharacter(text[i:]):
			return xmlSyntax(s.at+i, "control character")
		case c == '>' && i >= 2 && text[i-1] == ']' && text[i-2] == ']':
			return xmlSyntax(s.at+i, "]]> in text")
		case c >= utf8.RuneSelf:
			r, size = utf8.DecodeRune(text[i:])
		}
		s.blank = s.blank && unicode.IsSpace(r)
		i += size
	}
	s.at += end
	return nil
}

// plainLength returns how many bytes s begins with that mean nothing in XML and are
// a character each: letters, digits and most signs of ASCII.
func plainLength(s []byte) int {
	for i, c := range s {
		if c <= ' ' || c >= 0x7f || c == '&' || c == '<' || c == '>' || c == '"' || c == '\'' {
			return i
		}
	}
	return len(s)
}

// startTag reads <name attribute="value" …> and opens the element.
func (s *xmlScanner) startTag() error {
	from := s.at
	if s.ended {
		return xmlSyntax(from, "data after the end of the root element")
	}
	if len(s.open) >= maxXMLDepth {
		return xmlSyntax(from, "nested too deep")
	}
	s.at++
	nameFrom := s.at
	var err error
	s.tag.attrs = s.tag.attrs[:0]
	if s.tag.prefix, s.tag.local, err = s.qualifiedName(); err != nil {
		return err
	}
	s.open = append(s.open, s.raw[nameFrom:s.at])
	if err := s.attributes(); err != nil {
		return err
	}
	return s.resolve(from)
}

// attributes reads the rest of a start tag. Declarations of namespaces are noted.
func (s *xmlScanner) attributes() error {
	for count := 0; ; count++ {
		spaced := s.space()
		switch {
		case s.at >= len(s.raw):
			return xmlSyntax(s.at, "unexpected end")
		case s.raw[s.at] == '>':
			s.at++
			s.tag.empty = false
			return nil
		case bytes.HasPrefix(s.raw[s.at:], []byte("/>")):
			s.at += 2
			s.tag.empty, s.pending = true, true
			return nil
		case !spaced:
			return xmlSyntax(s.at, "expected white space or the end of the tag")
		case count == maxAttributes:
			return xmlSyntax(s.at, "too many attributes")
		}
		if err := s.attribute(); err != nil {
			return err
		}
	}
}

func (s *xmlScanner) attribute() error {
	from := s.at
	prefix, local, err := s.qualifiedName()
	if err != nil {
		return err
	}
	value, err := s.equalsQuoted()
	if err != nil {
		return err
	}
	switch {
	case prefix == nil && string(local) == "xmlns":
		return s.bind(from, nil, value)
	case string(prefix) == "xmlns":
		return s.bind(from, local, value)
	}
	s.tag.attrs = append(s.tag.attrs, xmlAttr{xmlName{nil, prefix, local}, value})
	return nil
}

// bind notes that a prefix, nil for none, names a namespace from this element on.
func (s *xmlScanner) bind(at int, prefix, raw []byte) error {
	uri := raw
	if bytes.IndexByte(raw, '&') >= 0 {
		uri = appendXMLValue(nil, raw)
	}
	switch {
	case string(prefix) == "xml" || string(prefix) == "xmlns" || string(uri) == xmlNamespace || string(uri) == "http://www.w3.org/2000/xmlns/":
		return xmlSyntax(at, "a namespace that XML keeps for itself")
	case prefix != nil && len(uri) == 0:
		return xmlSyntax(at, "a prefix without namespace")
	case len(s.bindings) >= maxNamespaces:
		return xmlSyntax(at, "too many namespaces")
	}
	depth := len(s.open)
	for i := len(s.bindings); i > 0 && s.bindings[i-1].depth == depth; i-- {
		if sameName(s.bindings[i-1].prefix, prefix) {
			return xmlSyntax(at, "duplicate attribute")
		}
	}
	s.bindings = append(s.bindings, xmlBinding{depth, prefix, uri})
	return nil
}

func sameName(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// resolve finds the namespaces of the tag, and duplicate attributes.
func (s *xmlScanner) resolve(at int) error {
	var ok bool
	if s.tag.space, ok = s.namespace(s.tag.prefix); !ok {
		return xmlSyntax(at, "a prefix that is not declared")
	}
	for i := range s.tag.attrs {
		a := &s.tag.attrs[i]
		if a.prefix != nil {
			if a.space, ok = s.namespace(a.prefix); !ok {
				return xmlSyntax(at, "a prefix that is not declared")
			}
		}
		for j := range i {
			if b := &s.tag.attrs[j]; bytes.Equal(a.local, b.local) && bytes.Equal(a.space, b.space) {
				return xmlSyntax(at, "duplicate attribute")
			}
		}
	}
	return nil
}

// namespace returns what a prefix, nil for none, names here.
func (s *xmlScanner) namespace(prefix []byte) (uri []byte, ok bool) {
	for i := len(s.bindings) - 1; i >= 0; i-- {
		if sameName(s.bindings[i].prefix, prefix) {
			return s.bindings[i].uri, true
		}
	}
	if string(prefix) == "xml" {
		return []byte(xmlNamespace), true
	}
	return nil, prefix == nil
}

// declares tells whether the start tag that was just read declares the prefix,
// nil for none, itself.
func (s *xmlScanner) declares(prefix []byte) bool {
	for i := len(s.bindings) - 1; i >= 0 && s.bindings[i].depth == len(s.open); i-- {
		if sameName(s.bindings[i].prefix, prefix) {
			return true
		}
	}
	return false
}

func (s *xmlScanner) endTag() error {
	from := s.at
	s.at += 2
	if len(s.open) == 0 {
		return xmlSyntax(from, "an end tag without start")
	}
	name := s.open[len(s.open)-1]
	if !bytes.HasPrefix(s.raw[s.at:], name) {
		return xmlSyntax(from, "an end tag that does not match its start")
	}
	s.at += len(name)
	s.space()
	if s.at >= len(s.raw) || s.raw[s.at] != '>' {
		return xmlSyntax(from, "an end tag that does not match its start")
	}
	s.at++
	s.close()
	return nil
}

// close ends the innermost element.
func (s *xmlScanner) close() {
	s.popped = len(s.open)
	s.open = s.open[:len(s.open)-1]
	s.ended = len(s.open) == 0
}

func (s *xmlScanner) dropBindings() {
	n := len(s.bindings)
	for n > 0 && s.bindings[n-1].depth >= s.popped {
		n--
	}
	s.bindings, s.popped = s.bindings[:n], 0
}

// qualifiedName reads local or prefix:local; prefix is nil if there is none.
func (s *xmlScanner) qualifiedName() (prefix, local []byte, err error) {
	if local, err = s.name(); err != nil {
		return nil, nil, err
	}
	if s.at < len(s.raw) && s.raw[s.at] == ':' {
		s.at++
		prefix = local
		if local, err = s.name(); err != nil {
			return nil, nil, err
		}
	}
	return prefix, local, nil
}

func (s *xmlScanner) name() ([]byte, error) {
	from := s.at
	for s.at < len(s.raw) && isNameByte(s.raw[s.at]) {
		s.at++
	}
	if s.at == from || s.raw[from] == '-' || s.raw[from] == '.' || s.raw[from] >= '0' && s.raw[from] <= '9' {
		return nil, xmlSyntax(from, "expected a name")
	}
	return s.raw[from:s.at], nil
}

func isNameByte(c byte) bool { return isAlphanumeric(c) || c == '_' || c == '-' || c == '.' }

// equalsQuoted reads ="value" and returns what is between the quotes, whose
// references it has checked.
func (s *xmlScanner) equalsQuoted() ([]byte, error) {
	s.space()
	if s.at >= len(s.raw) || s.raw[s.at] != '=' {
		return nil, xmlSyntax(s.at, "expected an equals sign")
	}
	s.at++
	s.space()
	if s.at >= len(s.raw) || s.raw[s.at] != '"' && s.raw[s.at] != '\'' {
		return nil, xmlSyntax(s.at, "expected a quote")
	}
	quote := s.raw[s.at]
	s.at++
	from := s.at
	for i := from; i < len(s.raw); i++ {
		if i += plainLength(s.raw[i:]); i == len(s.raw) {
			break
		}
		switch c := s.raw[i]; {
		case c == quote:
			s.at = i + 1
			return s.raw[from:i], nil
		case c == '<':
			return nil, xmlSyntax(i, "< in an attribute")
		case c == '&':
			if _, size := xmlReference(s.raw[i:]); size == 0 {
				return nil, xmlSyntax(i, "a reference that is not of XML itself")
			}
		case c < 0x20 && !isSpace(c) || c == 0xef && isNonCharacter(s.raw[i:]):
			return nil, xmlSyntax(i, "control character")
		}
	}
	return nil, xmlSyntax(from, "an attribute without end")
}

// xmlReference reads &amp; &#10; &#xA; and the like; size 0 is none. The
// character is one that XML has.
func xmlReference(s []byte) (r rune, size int) {
	const longest = len("&#x0010FFFF;")
	end := bytes.IndexByte(s[:min(len(s), longest)], ';')
	if end < 2 {
		return 0, 0
	}
	switch name := s[1:end]; string(name) {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	default:
		if r = xmlCodePoint(name); r < 0 {
			return 0, 0
		}
		return r, end + 1
	}
}

// xmlCodePoint reads #10 or #xA; -1 if it is neither, or no character of XML.
func xmlCodePoint(s []byte) rune {
	if len(s) < 2 || s[0] != '#' {
		return -1
	}
	digits, base := s[1:], rune(10)
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	if len(digits) == 0 {
		return -1
	}
	var r rune
	for _, c := range digits {
		d := rune(c) - '0'
		if base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f' {
			d = rune(c|0x20) - 'a' + 10
		} else if c < '0' || c > '9' {
			return -1
		}
		if r = r*base + d; r > unicode.MaxRune {
			return -1
		}
	}
	if r < 0x20 && (r > 0xff || !isSpace(byte(r))) || !utf8.ValidRune(r) || r == 0xfffe || r == 0xffff {
		return -1
	}
	return r
}

// appendXMLValue appends the value of an attribute that the scanner has read: the
// references are resolved, and white space that is written as itself is a space
// each (XML 1.0 §3.3.3).
func appendXMLValue(b, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '&':
			r, size := xmlReference(raw[i:])
			b = utf8.AppendRune(b, r)
			i += size - 1
		case '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				continue // a line end is one character
			}
			b = append(b, ' ')
		case '\n', '\t':
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return b
}
