package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"opendmp/policy"
)

func matrixDiffCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Print which decisions change from one table to another",
		Long: `Print which decisions change from one table of the habilitation matrix to another,
column by column, before the new one is put in force.

A decision opens when the new table allows what the old one did not, and closes
when it no longer allows it. Between deny and unknown nobody reads more or less:
such cells are counted, and named with --all.

A column that only one table has is named too. As the exercised profession it is
unknown where it is missing, and reads nothing. As a further role it narrows what a
profession may read, so that dropping it lets its bearers read more, and adding it
less, than the cells of the column tell.

Of each column the first 20 lines are printed; --all prints them all.

The exit code is that of diff: 0 if nothing changes, 1 if something does, 2 if the
tables cannot be compared.`,
		Example: `  dmpd matrix diff published prepared-2027-01-01.csv
  dmpd matrix diff /etc/dmpd/matrix/2026-01-01.csv /etc/dmpd/matrix/2027-01-01.csv --all`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return &exitError{2, errors.New("diff needs two tables: dmpd matrix diff OLD NEW")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			changed, err := diffMatrices(args[0], args[1], all, c.OutOrStdout())
			if err != nil {
				return &exitError{2, err}
			}
			if changed {
				return &exitError{code: 1}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "print every cell that changes")
	return c
}

func diffMatrices(from, to string, all bool, out io.Writer) (changed bool, err error) {
	before, err := openTable(from)
	if err != nil {
		return false, fmt.Errorf("%s: %w", from, refusedTable(err))
	}
	after, err := openTable(to)
	if err != nil {
		return false, fmt.Errorf("%s: %w", to, refusedTable(err))
	}
	return printDiff(before.MatrixTable, after.MatrixTable, newNomenclature(), all, out)
}

// effect counts what changes do.
type effect struct{ opens, closes, neither int }

func (e *effect) add(c policy.MatrixChange) {
	switch {
	case c.Opens():
		e.opens++
	case c.Closes():
		e.closes++
	default:
		e.neither++
	}
}

func (e effect) String() string {
	return fmt.Sprintf("%d open, %d close, %d between deny and unknown", e.opens, e.closes, e.neither)
}

// printDiff prints what changes between two tables, and tells whether something
// does.
func printDiff(before, after *policy.MatrixTable, n nomenclature, all bool, out io.Writer) (bool, error) {
	fmt.Fprintf(out, "%s → %s\n", before.Name(), after.Name())
	for _, t := range []*policy.MatrixTable{before, after} {
		var cells tally
		for c := range t.Cells() {
			cells.add(c)
		}
		warnSynthetic(out, cells)
	}
	changes := policy.CompareTables(before, after)
	if len(changes) == 0 {
		_, err := fmt.Fprintln(out, "nothing changes")
		return false, err
	}
	var sum effect
	for _, c := range changes {
		for _, cell := range c.Cells {
			sum.add(cell)
		}
	}
	fmt.Fprintf(out, "%d columns change: %v\n", len(changes), sum)
	for _, c := range changes {
		if err := printColumn(c, n, all, out); err != nil {
			return true, err
		}
	}
	return true, nil
}

func printColumn(c policy.ColumnChange, n nomenclature, all bool, out io.Writer) error {
	var sum effect
	var told []policy.MatrixChange
	for _, cell := range c.Cells {
		sum.add(cell)
		if all || cell.Opens() || cell.Closes() {
			told = append(told, cell)
		}
	}
	fmt.Fprintf(out, "\n%s: %v\n", n.column(c.Column), sum)
	switch {
	case c.Added:
		fmt.Fprintln(out, "  NEW COLUMN: as a further role it now narrows")
	case c.Dropped:
		fmt.Fprintln(out, "  COLUMN DROPPED: as a further role it no longer narrows")
	}
	limit := len(told)
	if !all {
		limit = min(limit, maxNamed)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, cell := range told[:limit] {
		fmt.Fprintf(w, "  %s → %s\t%s\n", cell.From, cell.To, n.typ(cell.Type.Type))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if rest := len(told) - limit; rest > 0 {
		fmt.Fprintf(out, "  … and %d more (--all)\n", rest)
	}
	return nil
}
