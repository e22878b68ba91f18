package fhir

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a query. What goes beyond is refused, never cut.
const (
	MaxParams    = 50   // parameters
	MaxOr        = 20   // values of one parameter, separated by commas
	MaxValue     = 2048 // bytes of one parameter's value, decoded
	MaxSort      = 4    // keys of _sort
	MaxCount     = 200  // _count
	DefaultCount = 50
)

// PageParam is the parameter of a link to the next page. What it holds is sealed
// by the door; here it is a string without meaning.
const PageParam = "_page"

// Base is the FHIR base URL under which the server is known, without a slash at
// its end: "https://dmp.example.org/fhir"; where it is known under several, all of
// them, with a blank between. A reference in a query that begins with one is one to
// the server's own resources. The empty Base knows no absolute URL as its own.
type Base string

// Query is a search, parsed: nothing in it was ignored.
type Query struct {
	Type string

	// PatientID and PatientIdent name the dossier: from patient or subject as a
	// reference to a Patient, and from their identifier (for the type Patient from
	// identifier). If both are set both must hold. Match does not look at them.
	PatientID    string
	PatientIdent Ident
	// IDs are the values of _id. They are alternatives; a repeated _id keeps the
	// first and Match sees to the others.
	IDs []string
	// Idents are the alternatives of the first identifier parameter with values,
	// canonical, to find dossiers where no patient is named. A part that was not given
	// is empty; where nothing else names a dossier it is not the value.
	Idents []Ident
	// Traits are those of family, given, birthdate and gender on Patient.
	Traits Traits

	// Count is how many resources a page holds, 0 to MaxCount; DefaultCount if
	// none was given.
	Count      int
	CountGiven bool
	// Sort is as given, or the order of the type if none was.
	Sort []SortKey
	// Total is "", "none", "estimate" or "accurate".
	Total string
	// SummaryCount asks for the total alone.
	SummaryCount bool
	// Summary is "true", "text" or "data"; "" for whole resources.
	Summary string
	// Elements are the names that _elements asks for of resources of Type, without
	// the type before them; nil for all.
	Elements []string
	// Since is where a history begins, the zero time for its beginning.
	Since  time.Time
	Pretty bool
	// Format is _format as given, "" for none.
	Format string
	// Page is the value of PageParam, "" for none.
	Page string
	// Includes are those of _include and _revinclude, each once.
	Includes []Include
	// Ignored is what a search with lenient handling left out, as warnings.
	Ignored []Issue

	base       Base
	conditions []condition
	sortGiven  bool
	// mode and profile are arguments of $validate.
	mode, profile string
}

// SortKey is one key of _sort.
type SortKey struct {
	// Param is the name of a sortable parameter.
	Param string
	Desc  bool
}

// condition is one parameter of a query: any of its alternatives.
type condition struct {
	param   *Param
	mod     modifier // one, or none
	missing bool     // the value of :missing
	any     []want
	set     map[Ident]bool // of :in and :not-in
	raw     string         // the value as written, percent-decoded
}

// want is one alternative. Which fields count depends on the parameter's type.
type want struct {
	system, text       string // token: system and code; string and reference: text
	anySystem, anyCode bool
	suffix             bool // reference: text is "/id" and the type does not matter
	comparison         comparison
	when               Interval
}

// ParseQuery reads the query of a search on a type, as it stands in a URL or in
// the body of a POST to _search, percent-encoded, strictly. Several parts are joined by the
// caller with "&". The error is an *Invalid with an issue for each parameter
// that is refused: unknown names, modifiers and values, control parameters given
// twice, limits exceeded, more than one patient.
func ParseQuery(typ, rawQuery string) (*Query, error) { return Base("").ParseQuery(typ, rawQuery) }

// ParseQuery is the function of that name, for a server that knows its base.
func (b Base) ParseQuery(typ, rawQuery string) (*Query, error) {
	return b.parseQuery(typ, rawQuery, Strict)
}

func (b Base) parseQuery(typ, rawQuery string, h Handling) (*Query, error) {
	t := serviceOf(typ)
	if t == nil || !t.supports(Search) {
		return nil, invalid("not-supported", "", "La recherche n’est pas proposée sur ce type.", "This type cannot be searched.")
	}
	return b.parseSearch(t, rawQuery, h)
}

// Names returns the values given for a parameter, as written, without regard to
// modifiers; patient:identifier is under patient.identifier.
func (q *Query) Names(param string) []string {
	var raw []string
	for i := range q.conditions {
		if q.conditions[i].param.Name == param {
			raw = append(raw, q.conditions[i].raw)
		}
	}
	return raw
}

// Mentions returns what the query names, to be found or not to be: the ids of
// resources of whatever type; references, "Type/id" or absolute; and identifiers,
// canonical, without a system where any will do. The patient is not among them.
func (q *Query) Mentions() (ids, references []string, idents []Ident) {
	for i := range q.conditions {
		c := &q.conditions[i]
		chain := c.param.Name == "identifier" || strings.HasSuffix(c.param.Name, ".identifier")
		for _, w := range c.any {
			switch {
			case c.param.role.ofDoor() || w.anyCode:
			case c.param.role == findsID:
				ids = append(ids, w.text)
			case c.param.Type == ReferenceParam && w.suffix:
				ids = append(ids, strings.TrimPrefix(w.text, "/"))
			case c.param.Type == ReferenceParam:
				references = append(references, w.text)
			case chain:
				idents = append(idents, Ident{w.system, w.text})
			}
		}
	}
	return ids, references, idents
}

// String returns the query in one order, percent-encoded, without _format,
// _pretty and the page: for self links, and to bind a page to its query.
// Parsing it gives a query that matches the same.
func (q *Query) String() string {
	var pairs []string
	add := func(name, value string) { pairs = append(pairs, name+"="+escapeQuery(value)) }
	sorted := slices.Clone(q.conditions)
	slices.SortStableFunc(sorted, func(a, b condition) int { return cmp.Compare(a.name(), b.name()) })
	for _, c := range sorted {
		add(c.name(), c.raw)
	}
	if q.CountGiven {
		add("_count", strconv.Itoa(q.Count))
	}
	if q.sortGiven {
		var keys []string
		for _, k := range q.Sort {
			if k.Desc {
				k.Param = "-" + k.Param
			}
			keys = append(keys, k.Param)
		}
		add("_sort", strings.Join(keys, ","))
	}
	switch {
	case q.SummaryCount:
		add("_summary", "count")
	case q.Summary != "":
		add("_summary", q.Summary)
	case len(q.Elements) > 0:
		add("_elements", strings.Join(q.Elements, ","))
	}
	if !q.Since.IsZero() {
		add("_since", FormatInstant(q.Since))
	}
	if q.Total != "" {
		add("_total", q.Total)
	}
	for _, i := range q.Includes {
		add(i.name(), i.value())
	}
	return strings.Join(pairs, "&")
}

// name is the name of the parameter with its modifier.
func (c *condition) name() string {
	for bit, name := range modifierNames {
		if c.mod == 1<<bit {
			return c.param.Name + ":" + name
		}
	}
	return c.param.Name
}

// escapeQuery percent-encodes a value, but for what a query may hold as it is and
// FHIR uses often (RFC 3986, query): self links stay legible.
func escapeQuery(s string) string {
	return strings.NewReplacer("%2C", ",", "%3A", ":", "%2F", "/", "%24", "$").Replace(url.QueryEscape(s))
}
