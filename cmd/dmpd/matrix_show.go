package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/cmd/dmpd/internal/codes"
	"opendmp/cmd/dmpd/internal/sheet"
	"opendmp/policy"
)

// shown is what `dmpd matrix show` is asked for.
type shown struct {
	file, matrix, asOf string
	sandbox            bool
	column, typ        string
}

func matrixShowCommand() *cobra.Command {
	var s shown
	c := &cobra.Command{
		Use:   "show",
		Short: "Print who may read what, and where each cell comes from",
		Long: `Print the table of the habilitation matrix that is in force.

Without more, one line for each column: how many types of document it allows,
denies and leaves unknown. With --profession, one line for each type of document
and what that column says of it. With --type, one line for each column. Each cell
comes with its source. Names are codes (10, G15|10, 11488-4) or labels.

The folder is that of --matrix or DMPD_MATRIX, else the table that comes with the
program; --as-of chooses the day. --file shows one table, in force or not, and
--sandbox that of the sandbox, of which most cells are invented: SYNTHETIC.`,
		Example: `  dmpd matrix show
  dmpd matrix show --profession 21
  dmpd matrix show --type 11488-4 --as-of 2026-01-01
  dmpd matrix show --sandbox --profession Pharmacien --type 11488-4`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return showMatrix(s, c.OutOrStdout()) },
	}
	f := c.Flags()
	f.StringVar(&s.matrix, "matrix", "", "folder of the tables in force (DMPD_MATRIX, or the published table)")
	f.StringVar(&s.file, "file", "", "one table, in force or not")
	f.BoolVar(&s.sandbox, "sandbox", false, "the table of the sandbox, SYNTHETIC")
	f.StringVar(&s.asOf, "as-of", "", "the table in force on that day, AAAA-MM-JJ (today)")
	f.StringVar(&s.column, "profession", "", "a profession, role or title: what it may read")
	f.StringVar(&s.typ, "type", "", "a type of document: who may read it")
	c.MarkFlagsMutuallyExclusive("file", "sandbox", "matrix")
	c.MarkFlagsMutuallyExclusive("file", "sandbox", "as-of")
	return c
}

func showMatrix(s shown, out io.Writer) error {
	t, err := s.table()
	if err != nil {
		return err
	}
	n := newNomenclature()
	columns, types, err := s.selected(t, n)
	if err != nil {
		return err
	}
	var all tally
	for c := range t.Cells() {
		all.add(c)
	}
	fmt.Fprintf(out, "%s, in force from %s\n", t.Name(), t.From().Format(time.DateOnly))
	warnSynthetic(out, all)
	fmt.Fprintln(out)
	if s.column == "" && s.typ == "" {
		err = showCounts(t, n, all, out)
	} else {
		err = showCells(t, n, columns, types, out)
	}
	if err != nil {
		return err
	}
	if all.synthetic > 0 {
		fmt.Fprintln(out)
		warnSynthetic(out, all)
	}
	return nil
}

// table returns the table that is asked for.
func (s shown) table() (*policy.MatrixTable, error) {
	if s.sandbox {
		s.file = wordSandbox
	}
	if s.file != "" {
		f, err := openTable(s.file)
		return f.MatrixTable, refusedTable(err)
	}
	day := time.Now()
	if s.asOf != "" {
		var err error
		if day, err = parseDay(s.asOf); err != nil {
			return nil, err
		}
	}
	t, err := tableInForce(s.matrix, day)
	return t, refusedTable(err)
}

// refusedTable shortens the error of a table with problems: they are for check.
func refusedTable(err error) error {
	var refused *policy.MatrixError
	if errors.As(err, &refused) {
		return fmt.Errorf("the table has %d problems: see dmpd matrix check FILE", len(refused.Problems)+len(refused.Missing))
	}
	return err
}

// selected returns the columns and the types whose cells are asked for.
func (s shown) selected(t *policy.MatrixTable, n nomenclature) (columns, types []auth.Coding, err error) {
	for c := range t.Columns() {
		columns = append(columns, c)
	}
	for d := range policy.DocumentTypes() {
		types = append(types, d.Type)
	}
	if s.column != "" {
		var e codes.Entry
		if e, err = n.columns.Find(s.column); err != nil {
			return nil, nil, err
		}
		if !t.Has(e.Coding) {
			return nil, nil, fmt.Errorf("%s has no column %s: as an exercised profession it reads nothing by the matrix, as a further role it narrows nothing", t.Name(), codes.Name(e))
		}
		columns = []auth.Coding{e.Coding}
	}
	if s.typ != "" {
		var e codes.Entry
		if e, err = n.types.Find(s.typ); err != nil {
			return nil, nil, err
		}
		types = []auth.Coding{e.Coding}
	}
	return columns, types, nil
}

func showCounts(t *policy.MatrixTable, n nomenclature, all tally, out io.Writer) error {
	counts := map[auth.Coding]*tally{}
	for c := range t.Cells() {
		if counts[c.Column] == nil {
			counts[c.Column] = &tally{}
		}
		counts[c.Column].add(c)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(c tally, name string) {
		fmt.Fprintf(w, "%d\t%d\t%d\t", c.allow, c.deny, c.unknown)
		if all.synthetic > 0 {
			fmt.Fprintf(w, "%d\t", c.synthetic)
		}
		fmt.Fprintf(w, "  %s\n", name)
	}
	fmt.Fprint(w, "allow\tdeny\tunknown\t")
	if all.synthetic > 0 {
		fmt.Fprint(w, "SYNTHETIC\t")
	}
	fmt.Fprint(w, "  column\n")
	for c := range t.Columns() {
		line(*counts[c], n.column(c))
	}
	line(all, "all columns")
	return w.Flush()
}

func showCells(t *policy.MatrixTable, n nomenclature, columns, types []auth.Coding, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var sum tally
	for _, column := range columns {
		for _, typ := range types {
			c := t.At(column, typ)
			sum.add(c)
			source := sheet.OneLine(c.Source)
			if c.Synthetic() {
				source = "SYNTHETIC (" + source + ")"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", c.Decision, cellTitle(n, c, len(columns), len(types)), source)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case len(columns) == 1 && len(types) > 1:
		fmt.Fprintf(out, "\n%s", n.column(columns[0]))
	case len(types) == 1 && len(columns) > 1:
		fmt.Fprintf(out, "\n%s", n.typ(types[0]))
	default:
		return nil
	}
	_, err := fmt.Fprintf(out, ": %d allow, %d deny, %d unknown\n", sum.allow, sum.deny, sum.unknown)
	return err
}

// cellTitle names of a cell what differs from line to line.
func cellTitle(n nomenclature, c policy.MatrixCell, columns, types int) string {
	switch {
	case columns == 1 && types > 1:
		return n.typ(c.Type)
	case types == 1 && columns > 1:
		return n.column(c.Column)
	}
	return n.cell(c)
}
