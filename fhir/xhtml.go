package fhir

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

const xhtmlNamespace = "http://www.w3.org/1999/xhtml"

// xhtmlElements is what a narrative may hold (txt-1: HTML 4.0 chapters 7 to 11
// and 15, links and images), sorted. Nothing here runs, loads a page or sends a
// form.
var xhtmlElements = []string{
	"a", "abbr", "acronym", "address", "b", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code",
	"col", "colgroup", "dd", "dfn", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
	"img", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
	"table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
}

// maxAttributes bounds the attributes of one tag, so that looking for duplicates
// stays cheap.
const maxAttributes = 64

// checkXHTML returns the rule that a narrative breaks: one <div> in the XHTML
// namespace, well-formed without entities of its own, with formatting only and
// some content (txt-1, txt-2).
func checkXHTML(s []byte) *rule {
	d := xml.NewDecoder(bytes.NewReader(s))
	depth, content := 0, false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && depth == 0 {
			break
		}
		if err != nil {
			return badXHTML
		}
		switch token := token.(type) {
		case xml.StartElement:
			if broken := checkTag(token, depth); broken != nil {
				return broken
			}
			content = content || token.Name.Local == "img"
			depth++
		case xml.EndElement:
			if depth--; depth == 0 && len(bytes.TrimSpace(s[d.InputOffset():])) > 0 {
				return badXHTML
			}
		case xml.CharData:
			blank := len(bytes.TrimSpace(token)) == 0
			if depth == 0 && !blank {
				return badXHTML
			}
			content = content || !blank
		case xml.Comment:
		default: // a declaration, a processing instruction
			return badXHTML
		}
	}
	return when(!content, blankXHTML)
}

func checkTag(tag xml.StartElement, depth int) *rule {
	if depth == 0 && tag.Name.Local != "div" || tag.Name.Space != xhtmlNamespace {
		return badXHTML
	}
	if _, ok := slices.BinarySearch(xhtmlElements, tag.Name.Local); !ok {
		return activeXHTML
	}
	if len(tag.Attr) > maxAttributes {
		return badXHTML
	}
	for i, a := range tag.Attr {
		if !safeAttribute(a) {
			return activeXHTML
		}
		for _, b := range tag.Attr[:i] {
			if a.Name == b.Name {
				return badXHTML
			}
		}
	}
	return nil
}

// safeAttribute refuses event handlers, addresses that run something, and
// styles that load something.
func safeAttribute(a xml.Attr) bool {
	name := strings.ToLower(a.Name.Local)
	value := strings.ToLower(strings.Join(strings.Fields(a.Value), ""))
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
