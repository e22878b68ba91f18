package policy

import (
	"iter"

	"opendmp/auth"
)

// MatrixColumn is a profession (TRE_G15), a role (TRE_R85) or a title (TRE_R94, R95,
// R291) that can be a column of the matrix.
type MatrixColumn struct {
	Coding auth.Coding
	Label  string // in French, as its table has it
}

// MatrixColumns yields the professions in force and the roles and titles that are
// known by name, in the order of their tables. The tables of roles and titles
// change often: a code that is not among them can be new, and LoadMatrix takes it
// as a column; people are asked (dmpd matrix check).
func MatrixColumns() iter.Seq[MatrixColumn] {
	return func(yield func(MatrixColumn) bool) {
		for place := range columnCount {
			if !yield(namedColumn(place)) {
				return
			}
		}
	}
}

// ColumnLabel returns the French label of a column; false if it is not known by
// name.
func ColumnLabel(c auth.Coding) (string, bool) {
	for named := range MatrixColumns() {
		if named.Coding == c {
			return named.Label, true
		}
	}
	return "", false
}
