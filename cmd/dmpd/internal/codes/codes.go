package codes

import (
	"fmt"
	"slices"
	"strings"

	"opendmp/auth"
	"opendmp/policy"
)

// Entry is a column or a document type, by its code and its French label.
type Entry struct {
	Coding auth.Coding
	Label  string
}

// Columns returns what can be a column: professions, roles and titles.
func Columns() *Index {
	x := &Index{what: "profession, role or title"}
	for c := range policy.MatrixColumns() {
		x.add(Entry{c.Coding, c.Label})
	}
	return x
}

// Types returns the document types of the DMP.
func Types() *Index {
	x := &Index{what: "document type"}
	for d := range policy.DocumentTypes() {
		x.add(Entry{d.Type, d.Label})
	}
	return x
}

// Index finds entries by name.
type Index struct {
	what    string
	entries []Entry
	byName  map[string][]int // folded
}

func (x *Index) add(e Entry) {
	if x.byName == nil {
		x.byName = map[string][]int{}
	}
	place := len(x.entries)
	x.entries = append(x.entries, e)
	for _, name := range []string{e.Label, e.Coding.Code + " " + e.Label, e.Label + " " + e.Coding.Code} {
		key := Fold(name)
		if !slices.Contains(x.byName[key], place) {
			x.byName[key] = append(x.byName[key], place)
		}
	}
}

// Error is the error of a name that stands for nothing, or for two things.
type Error struct {
	what, name string
	Near       []Entry // the nearest known ones, or those that the name may mean
	several    bool
}

func (e *Error) Error() string {
	var near []string
	for _, n := range e.Near {
		near = append(near, Name(n))
	}
	switch {
	case e.several:
		return fmt.Sprintf("%q stands for %s: give the code", e.name, strings.Join(near, " and "))
	case len(near) > 0:
		return fmt.Sprintf("unknown %s %q; nearest: %s", e.what, e.name, strings.Join(near, ", "))
	}
	return fmt.Sprintf("unknown %s %q", e.what, e.name)
}

// Find returns the entry of a name: a code exactly ("11488-4"), a code with its
// table ("G15|10", "TRE_G15-ProfessionSante|10", "<system>|10"), or a label, alone or
// with its code, in any case and punctuation, with or without accents. The error is
// an *Error.
func (x *Index) Find(name string) (Entry, error) {
	name = strings.Join(strings.Fields(name), " ")
	if e, ok := x.byCode(name); ok {
		return e, nil
	}
	places := x.byName[Fold(name)]
	if len(places) == 1 {
		return x.entries[places[0]], nil
	}
	err := &Error{what: x.what, name: name, several: len(places) > 1}
	for _, p := range places {
		err.Near = append(err.Near, x.entries[p])
	}
	if !err.several {
		err.Near = x.nearest(name)
	}
	return Entry{}, err
}

// Of returns the entry of a coding; false if it is not known.
func (x *Index) Of(c auth.Coding) (Entry, bool) {
	i := slices.IndexFunc(x.entries, func(e Entry) bool { return e.Coding == c })
	if i < 0 {
		return Entry{Coding: c}, false
	}
	return x.entries[i], true
}

// All returns the entries in the order of their tables.
func (x *Index) All() []Entry { return slices.Clone(x.entries) }

func (x *Index) byCode(name string) (Entry, bool) {
	table, code, ok := strings.Cut(name, "|")
	if !ok {
		table, code = "", name
	}
	i := slices.IndexFunc(x.entries, func(e Entry) bool {
		return e.Coding.Code == code && (table == "" || inTable(e.Coding.System, table))
	})
	if i < 0 {
		return Entry{}, false
	}
	return x.entries[i], true
}

// inTable tells whether a system is the one that a short name means.
func inTable(system, table string) bool {
	return system == table || nameOf(system) == table || Table(system) == strings.TrimPrefix(table, "TRE_")
}

// Table returns the short name of a code system: "G15", "R85", "A05", "LOINC".
func Table(system string) string {
	if system == "http://loinc.org" {
		return "LOINC"
	}
	short, _, _ := strings.Cut(strings.TrimPrefix(nameOf(system), "TRE_"), "-")
	return short
}

// nameOf returns the name of a table of the ANS, "TRE_G15-ProfessionSante"; other
// systems are returned as they are.
func nameOf(system string) string {
	if _, rest, ok := strings.Cut(system, "/NOS/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	return system
}

// Name names an entry for people: "G15|10 Médecin".
func Name(e Entry) string {
	return strings.TrimSpace(Table(e.Coding.System) + "|" + e.Coding.Code + " " + e.Label)
}

// Accept adds a role or a title that the tables of this program do not have yet,
// written as its table and its code: "R85|378". What is known already is left as it
// is.
func (x *Index) Accept(name string) error {
	if _, ok := x.byCode(name); ok {
		return nil
	}
	table, code, _ := strings.Cut(name, "|")
	for _, system := range []string{auth.SystemCareRole, auth.SystemSocial, auth.SystemTitle, auth.SystemOtherProfession} {
		if inTable(system, table) && code != "" && !strings.ContainsFunc(code, foreign) {
			x.entries = append(x.entries, Entry{Coding: auth.Coding{System: system, Code: code}})
			return nil
		}
	}
	return fmt.Errorf("%q is no code of R85, R94, R95 or R291: write it like R85|378", name)
}

// foreign tells whether a character is in no code of these tables.
func foreign(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
}
