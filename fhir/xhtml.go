package fhir

import (
	"bytes"
	"slices"
	"strings"
)

// xhtmlElements is what a narrative may hold (txt-1: HTML 4.0 chapters 7 to 11
// and 15, links and images), sorted. Nothing here runs, loads a page or sends a
// form.
var xhtmlElements = []string{
	"a", "abbr", "acronym", "address", "b", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code",
	"col", "colgroup", "dd", "dfn", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
	"img", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
	"table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
}

// checkXHTML returns the rule that a narrative breaks: one <div> in the XHTML
// namespace, well-formed without entities of its own, with formatting only and
// some content (txt-1, txt-2). What it accepts stands as it is in an XML document
// too, and an HTML parser reads the same tags in it.
func checkXHTML(text []byte) *rule {
	// A comment around it would be lost in XML.
	if trimmed := bytes.TrimSpace(text); bytes.HasPrefix(trimmed, []byte("<!")) || bytes.HasSuffix(trimmed, []byte("-->")) {
		return badXHTML
	}
	s := xmlScanner{raw: text}
	content := false
	for {
		token, err := s.next()
		switch {
		case err != nil:
			return badXHTML
		case token == xmlEOF:
			return when(!content, blankXHTML)
		case token == xmlStart:
			if broken := checkTag(&s.tag, len(s.open)); broken != nil {
				return broken
			}
			content = content || string(s.tag.local) == "img"
		case token == xmlText:
			content = content || !s.blank
		}
	}
}

// checkTag checks a start tag; the depth of the outermost is 1.
func checkTag(tag *xmlTag, depth int) *rule {
	if depth == 1 && string(tag.local) != "div" || string(tag.space) != xhtmlNamespace {
		return badXHTML
	}
	if _, ok := slices.BinarySearch(xhtmlElements, string(tag.local)); !ok {
		return activeXHTML
	}
	for _, a := range tag.attrs {
		if a.prefix != nil && string(a.space) != xmlNamespace || !safeAttribute(a) {
			return activeXHTML
		}
	}
	return nil
}

// safeAttribute refuses event handlers, addresses that run something, and
// styles that load something.
func safeAttribute(a xmlAttr) bool {
	name := strings.ToLower(string(a.local))
	value := strings.ToLower(strings.Join(strings.Fields(string(appendXMLValue(nil, a.raw))), ""))
	switch {
	case strings.HasPrefix(name, "on"):
		return false
	case name == "href":
		return safeScheme(value, "http", "https", "mailto", "tel", "urn")
	case name == "src":
		return safeScheme(value, "http", "https", "urn") || strings.HasPrefix(value, "data:image/") && !strings.HasPrefix(value, "data:image/svg")
	case name == "style":
		return !strings.Contains(value, "url(") && !strings.Contains(value, "expression(") && !strings.Contains(value, "@import") && !strings.Contains(value, "\\") && !strings.Contains(value, "javascript:")
	case slices.Contains([]string{"action", "formaction", "background", "data", "srcdoc", "srcset", "xlink"}, name):
		return false
	}
	return true
}

// safeScheme tells whether the address is relative or has one of the schemes.
func safeScheme(address string, schemes ...string) bool {
	for i := range len(address) {
		switch c := address[i]; {
		case c == ':':
			return slices.Contains(schemes, address[:i])
		case c == '/' || c == '?' || c == '#':
			return true
		case c < ' ':
			return false
		}
	}
	return true
}
