package policy

import (
	"encoding/csv"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"opendmp/auth"
)

// MatrixCell is one cell of a table: what it says of a column and a document type,
// and where that comes from.
type MatrixCell struct {
	Column, Type auth.Coding
	Decision     Cell
	Source       string
}

// Synthetic tells whether the cell was invented for the sandbox.
func (c MatrixCell) Synthetic() bool { return c.Source == sourceSynthetic }

// Name returns the name of the table's file.
func (t *MatrixTable) Name() string { return t.name }

// From returns the day from which the table holds, 00:00 UTC.
func (t *MatrixTable) From() time.Time { return t.from }

// Columns yields the columns in the order of the file.
func (t *MatrixTable) Columns() iter.Seq[auth.Coding] {
	return func(yield func(auth.Coding) bool) {
		for _, c := range t.inOrder() {
			if !yield(c.coding) {
				return
			}
		}
	}
}

// Has tells whether the table has a column.
func (t *MatrixTable) Has(column auth.Coding) bool {
	_, ok := t.column(column)
	return ok
}

// At returns the cell of a column and a document type; one of no decision and no
// source where the table has none.
func (t *MatrixTable) At(column, typ auth.Coding) MatrixCell {
	c := MatrixCell{Column: column, Type: typ}
	first, ok := t.column(column)
	place := typePlace(typ)
	if ok && place >= 0 {
		c.Decision, c.Source = t.cells[first+place], t.sources[first+place]
	}
	return c
}

// Cells yields all cells: column by column as in the file, and in each the types in
// the order of DocumentTypes.
func (t *MatrixTable) Cells() iter.Seq[MatrixCell] {
	return func(yield func(MatrixCell) bool) {
		for column := range t.Columns() {
			for d := range DocumentTypes() {
				if !yield(t.At(column, d.Type)) {
					return
				}
			}
		}
	}
}

// WriteMatrixTable writes cells in the format of LoadMatrix, in the order in which
// they come. It does not check them: ReadMatrixTable does.
func WriteMatrixTable(w io.Writer, cells iter.Seq[MatrixCell]) error {
	out := csv.NewWriter(w)
	if err := out.Write(strings.Split(matrixHeader, ",")); err != nil {
		return err
	}
	for c := range cells {
		if err := out.Write([]string{c.Column.System, c.Column.Code, c.Type.System, c.Type.Code, c.Decision.String(), c.Source}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// MatrixChange is a cell that two tables say differently.
type MatrixChange struct {
	Type     DocumentType
	From, To Cell
}

// Opens tells whether the change lets somebody read who could not.
func (c MatrixChange) Opens() bool { return c.To == Allow }

// Closes tells whether the change keeps somebody from reading who could. A change
// that neither opens nor closes is between deny and unknown: both refuse.
func (c MatrixChange) Closes() bool { return c.From == Allow }

// ColumnChange is what changes in one column. A column that one table does not have
// counts as unknown there when it is the exercised profession; as a further role it
// narrows only where it is a column, so that one that is Dropped widens, and one
// that is Added narrows, what its bearers read of their profession (Matrix.Cell).
type ColumnChange struct {
	Column         auth.Coding
	Added, Dropped bool
	Cells          []MatrixChange // in the order of DocumentTypes
}

// CompareTables returns the columns in which two tables differ, those of the old one
// first, in its order.
func CompareTables(before, after *MatrixTable) []ColumnChange {
	columns := slices.Collect(before.Columns())
	for c := range after.Columns() {
		if !before.Has(c) {
			columns = append(columns, c)
		}
	}
	var changes []ColumnChange
	for _, column := range columns {
		c := ColumnChange{Column: column, Added: !before.Has(column), Dropped: !after.Has(column)}
		for d := range DocumentTypes() {
			from, to := before.At(column, d.Type).Decision, after.At(column, d.Type).Decision
			if from != to {
				c.Cells = append(c.Cells, MatrixChange{d, from, to})
			}
		}
		if c.Added || c.Dropped || len(c.Cells) > 0 {
			changes = append(changes, c)
		}
	}
	return changes
}
