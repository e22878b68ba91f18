package sheet

import (
	"fmt"
	"slices"

	"opendmp/auth"
	"opendmp/cmd/dmpd/internal/codes"
)

// use is what a field of the records is for.
type use int

const (
	unused use = iota
	typeCode
	typeSystem
	typeLabel
	cellOf // a column of the matrix
	professionCode
	professionSystem
	decision
	source
)

// usual are the headings, folded, that are no profession. Those that are unused
// repeat what the terminology says.
func usual(heading string) (use, bool) {
	switch heading {
	case "code", "type code", "typecode", "code type", "code du type", "code loinc", "code document", "code du document":
		return typeCode, true
	case "type system", "system", "systeme":
		return typeSystem, true
	case "label", "label fr", "libelle", "libelle du type", "libelle du document", "intitule", "document", "documents", "type de document":
		return typeLabel, true
	case "classe", "class code", "categorie", "code classe":
		return unused, true
	case "profession system":
		return professionSystem, true
	case "profession code":
		return professionCode, true
	case "decision":
		return decision, true
	case "source":
		return source, true
	}
	return unused, false
}

// header is the line that says what the fields are.
type header struct {
	record
	uses    []use
	columns map[int][]auth.Coding // of the fields that are cellOf
}

// place returns the place of a use, -1 if there is none.
func (h header) place(u use) int { return slices.Index(h.uses, u) }

// long tells whether the sheet has one line for each cell.
func (h header) long() bool {
	return h.place(professionCode) >= 0 && h.place(typeCode) >= 0 && h.place(decision) >= 0
}

// where names a cell of the sheet.
func (h header) where(line, place int) string {
	return fmt.Sprintf("line %d, column %s (%s)", line, columnLetters(place), h.field(place))
}

// findHeader returns the place of the line that says what the others hold: the first
// with a heading for the code or the label of the types. Lines before are titles.
func findHeader(records []record) (int, bool) {
	for i, r := range records {
		for _, f := range r.fields {
			if u, ok := usual(codes.Fold(f)); ok && (u == typeCode || u == typeLabel) && len(r.fields) > 1 {
				return i, true
			}
		}
	}
	return 0, false
}

// readHeader reads the headings; those of no known meaning, and those that stand
// twice, are problems.
func (r *reader) readHeader(line record) header {
	h := header{record: line, uses: make([]use, len(line.fields)), columns: map[int][]auth.Coding{}}
	seen := map[auth.Coding]int{}
	for place := range line.fields {
		heading := h.field(place)
		if mapped, ok := r.options.Headings[heading]; ok {
			h.uses[place], h.columns[place] = cellOf, mapped
		} else if u, ok := usual(codes.Fold(heading)); ok {
			if u != unused && slices.Contains(h.uses, u) {
				r.problem("%s: a second column of that use", h.where(line.line, place))
			}
			h.uses[place] = u
		} else if heading != "" {
			e, err := r.columns.Find(heading)
			if err != nil {
				r.problem("line %d, column %s: %v", line.line, columnLetters(place), err)
				continue
			}
			h.uses[place], h.columns[place] = cellOf, []auth.Coding{e.Coding}
		}
		h.columns[place] = slices.DeleteFunc(slices.Clone(h.columns[place]), func(c auth.Coding) bool {
			first, twice := seen[c]
			if twice {
				r.problem("%s: %s is column %s already", h.where(line.line, place), r.columnName(c), columnLetters(first))
				return true
			}
			seen[c] = place
			return false
		})
	}
	return h
}
