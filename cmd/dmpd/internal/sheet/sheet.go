package sheet

import (
	"fmt"
	"iter"
	"strings"

	"golang.org/x/text/unicode/norm"

	"opendmp/auth"
	"opendmp/cmd/dmpd/internal/codes"
	"opendmp/policy"
)

// Fill is what stands for a cell that the sheet does not decide.
type Fill string

// Fills. The zero Fill refuses too.
const (
	Refuse  Fill = "refuse"
	Deny    Fill = "deny"
	Unknown Fill = "unknown"
)

// Valid tells whether f is one of the fills.
func (f Fill) Valid() bool { return f == Refuse || f == Deny || f == Unknown }

// cell returns the decision of a fill; false if it refuses.
func (f Fill) cell() (policy.Cell, bool) {
	return map[Fill]policy.Cell{Deny: policy.Deny}[f], f == Deny || f == Unknown
}

// Options say how a sheet is read.
type Options struct {
	Name     string                   // of the file, for the sources of cells that tell none
	Source   string                   // the source of such cells; of Name if empty
	Encoding string                   // utf-8, utf-16, windows-1252, latin-1; recognised if empty
	Empty    Fill                     // of a cell that is there and empty
	Missing  Fill                     // of a row, a column or a cell that is not there
	Headings map[string][]auth.Coding // headings of this sheet, and the columns that each stands for
	Columns  *codes.Index             // what can be a column
}

// Result is a sheet that was read whole.
type Result struct {
	Notes []string // what was recognised and filled, for whoever checks it
	cells map[key]policy.MatrixCell
	order []auth.Coding
}

// key is a cell by its column and its type.
type key struct{ column, typ auth.Coding }

// Read reads a sheet. The error is a *policy.MatrixError that names all that is
// wrong and all that is missing, unless the file cannot be read at all.
func Read(data []byte, o Options) (*Result, error) {
	text, encoding, err := decode(data, o.Encoding)
	if err != nil {
		return nil, err
	}
	records, first, separator, err := records(text)
	if err != nil {
		return nil, err
	}
	r := &reader{options: o, columns: o.Columns, types: codes.Types(), Result: Result{cells: map[key]policy.MatrixCell{}}, lines: map[key]int{}}
	h := r.readHeader(records[first])
	r.note("read as %s, separated by %s, headings on line %d", encoding, separator, h.line)
	if h.long() {
		r.readLong(h, records[first+1:])
	} else {
		r.readWide(h, records[first+1:])
	}
	r.complete()
	if len(r.problems)+len(r.missing) > 0 {
		return nil, &policy.MatrixError{Problems: r.problems, Missing: r.missing}
	}
	return &r.Result, nil
}

// records splits a text by the separator under which it has headings, and under which
// they are the most.
func records(text string) (found []record, first int, name string, err error) {
	var broken error
	for _, s := range []struct {
		rune
		name string
	}{{';', "semicolons"}, {',', "commas"}, {'\t', "tabs"}} {
		all, err := split(text, s.rune)
		i, ok := findHeader(all)
		if !ok {
			continue
		}
		if err != nil {
			broken = err
			continue
		}
		if found == nil || len(all[i].fields) > len(found[first].fields) {
			found, first, name = all, i, s.name
		}
	}
	switch {
	case found != nil:
		return found, first, name, nil
	case broken != nil:
		return nil, 0, "", fmt.Errorf("not CSV: %w", broken)
	}
	return nil, 0, "", fmt.Errorf("no line of headings: one must hold “code” or “libellé” and the professions")
}

// Cells yields the cells in the order of the tables: columns as they are numbered,
// then the types.
func (r *Result) Cells() iter.Seq[policy.MatrixCell] {
	return func(yield func(policy.MatrixCell) bool) {
		for _, c := range r.order {
			for d := range policy.DocumentTypes() {
				if !yield(r.cells[key{c, d.Type}]) {
					return
				}
			}
		}
	}
}

// reader collects cells and what is wrong.
type reader struct {
	Result
	options  Options
	columns  *codes.Index
	types    *codes.Index
	lines    map[key]int // where a cell was read first
	problems []string
	missing  []string
}

func (r *reader) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

func (r *reader) lacks(format string, args ...any) {
	r.missing = append(r.missing, fmt.Sprintf(format, args...))
}

func (r *reader) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func (r *reader) columnName(c auth.Coding) string {
	e, _ := r.columns.Of(c)
	return codes.Name(e)
}

func (r *reader) typeName(c auth.Coding) string {
	e, _ := r.types.Of(c)
	return codes.Name(e)
}

func (r *reader) cellName(k key) string { return r.columnName(k.column) + " × " + r.typeName(k.typ) }

// source returns where a cell comes from that does not tell it itself.
func (r *reader) source() string {
	if r.options.Source != "" {
		return r.options.Source
	}
	return "tableau importé : " + r.options.Name
}

// put takes a cell, unless the sheet has it twice.
func (r *reader) put(k key, line int, d policy.Cell, source string) {
	if first, twice := r.lines[k]; twice {
		r.problem("line %d: %s stands on line %d already", line, r.cellName(k), first)
		return
	}
	r.lines[k] = line
	r.cells[k] = policy.MatrixCell{Column: k.column, Type: k.typ, Decision: d, Source: source}
}

// complete orders the columns, and fills or names what the sheet does not have.
func (r *reader) complete() {
	columns, rows := map[auth.Coding]bool{}, map[auth.Coding]bool{}
	for k := range r.lines {
		columns[k.column], rows[k.typ] = true, true
	}
	fill, fills := r.options.Missing.cell()
	r.orderColumns(columns, fills)
	filled := 0
	for t := range policy.DocumentTypes() {
		if !fills && !rows[t.Type] {
			r.lacks("no row for %s", r.typeName(t.Type))
			continue
		}
		for _, c := range r.order {
			k := key{c, t.Type}
			if _, read := r.lines[k]; read {
				continue
			}
			if !fills {
				r.lacks("no cell for %s", r.cellName(k))
				continue
			}
			r.cells[k] = r.absent(k, fill)
			filled++
		}
	}
	if filled > 0 {
		r.note("%d cells are not in the table and become %s", filled, fill)
	}
}

// orderColumns puts the columns into the order of their tables. Every profession is
// one, and of the roles and titles those that the sheet has.
func (r *reader) orderColumns(present map[auth.Coding]bool, fills bool) {
	for _, e := range r.columns.All() {
		profession := e.Coding.System == auth.SystemProfession
		switch {
		case present[e.Coding], profession && fills:
			r.order = append(r.order, e.Coding)
		case profession:
			r.lacks("no column for the profession %s", codes.Name(e))
		}
	}
}

func (r *reader) absent(k key, d policy.Cell) policy.MatrixCell {
	return policy.MatrixCell{Column: k.column, Type: k.typ, Decision: d, Source: "absent de " + r.options.Name}
}

// word returns the decision of a word in a cell; the words are those of the table
// and of the people who fill it in. Case and blanks do not count, all else does: an
// “x*” has a footnote that somebody must read.
func word(s string) (policy.Cell, bool) {
	switch strings.ToLower(norm.NFC.String(strings.TrimSpace(s))) {
	case "x", "oui", "o", "1", "allow", "autorisé", "autorisée", "autorise", "autorisee":
		return policy.Allow, true
	case "non", "n", "0", "deny":
		return policy.Deny, true
	}
	return policy.Unknown, false
}
