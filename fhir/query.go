package fhir

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
// its end: "https://dmp.example.org/fhir". A reference in a query that begins
// with it is one to the server's own resources. The empty Base knows no absolute
// URL as its own.
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
	// Idents are the alternatives of the first identifier parameter, canonical, to
	// find dossiers where no patient is named. A part that was not given is empty.
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
	Pretty       bool
	// Format is _format as given, "" for none.
	Format string
	// Page is the value of PageParam, "" for none.
	Page string

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
	raw     string // the value as written, percent-decoded
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
// the body of a POST to _search, percent-encoded. Several parts are joined by the
// caller with "&". The error is an *Invalid with an issue for each parameter
// that is refused: unknown names, modifiers and values, control parameters given
// twice, limits exceeded, more than one patient.
func ParseQuery(typ, rawQuery string) (*Query, error) { return Base("").ParseQuery(typ, rawQuery) }

// ParseQuery is the function of that name, for a server that knows its base.
func (b Base) ParseQuery(typ, rawQuery string) (*Query, error) {
	t := serviceOf(typ)
	if t == nil || !t.supports(Search) {
		return nil, invalid("not-supported", "", "La recherche n’est pas proposée sur ce type.", "This type cannot be searched.")
	}
	return b.parse(t, rawQuery, searchControls[:])
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
	if q.SummaryCount {
		add("_summary", "count")
	}
	if q.Total != "" {
		add("_total", q.Total)
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
