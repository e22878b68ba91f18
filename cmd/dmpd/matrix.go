package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/cmd/dmpd/internal/codes"
	"opendmp/policy"
)

func matrixCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "matrix",
		Short: "Show, check, compare and import the habilitation matrix",
		Long: `The habilitation matrix (matrice d’habilitation, arrêté of 26 October 2023) says
which profession may read which type of document. It is a folder of tables, one
for each day from which another holds: AAAA-MM-JJ.csv, the setting matrix of
dmpd serve.

These commands are for whoever puts a table in force: import one from a
spreadsheet, check it, see whom it lets read what, and compare it with the one in
force before it is. None of them changes a server: it reads its tables when it
starts.

Where a command takes a table, it is a file named AAAA-MM-JJ.csv (or something
that ends so, prepared-2027-01-01.csv), or one of two words:

  published   the cells that public texts name, all others unknown
  sandbox     the same, completed by invented cells: SYNTHETIC, never for production`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(matrixShowCommand(), matrixCheckCommand(), matrixDiffCommand(), matrixImportCommand())
	return c
}

// Words for the tables that come with the program.
const (
	wordPublished = "published"
	wordSandbox   = "sandbox"
)

// tableFile is a table with the bytes it was read from.
type tableFile struct {
	*policy.MatrixTable
	data []byte
}

// openTable reads a table: a file, or one that comes with the program.
func openTable(name string) (tableFile, error) {
	var data []byte
	var err error
	switch name {
	case wordPublished:
		name, data, err = builtIn(policy.PublishedMatrix())
	case wordSandbox:
		name, data, err = builtIn(policy.SandboxMatrix())
	default:
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return tableFile{}, err
	}
	t, err := policy.ReadMatrixTable(filepath.Base(name), bytes.NewReader(data))
	return tableFile{t, data}, err
}

// builtIn returns the newest table of a folder.
func builtIn(fsys fs.FS) (name string, data []byte, err error) {
	names, err := fs.Glob(fsys, "*.csv")
	if err != nil || len(names) == 0 {
		return "", nil, errors.Join(err, fs.ErrNotExist)
	}
	name = names[len(names)-1]
	data, err = fs.ReadFile(fsys, name)
	return name, data, err
}

// matrixFolder returns the folder of the tables in force, and its name for people.
func matrixFolder(flag string) (fsys fs.FS, name string) {
	if folder := orEnv(flag, "MATRIX"); folder != "" {
		return os.DirFS(folder), folder
	}
	return policy.PublishedMatrix(), "the published tables"
}

// tableInForce returns the table of a folder that holds on a day.
func tableInForce(flag string, day time.Time) (*policy.MatrixTable, error) {
	fsys, name := matrixFolder(flag)
	m, err := policy.LoadMatrix(fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t := m.InForce(day)
	if t == nil {
		return nil, fmt.Errorf("%s: no table is in force on %s", name, day.Format(time.DateOnly))
	}
	return t, nil
}

// parseDay reads AAAA-MM-JJ as its first instant, UTC.
func parseDay(s string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a day, AAAA-MM-JJ", s)
	}
	return day, nil
}

// dayOfName returns the day that the name of a table ends with.
func dayOfName(name string) (time.Time, error) {
	stem, csv := strings.CutSuffix(path.Base(filepath.ToSlash(name)), ".csv")
	if !csv || len(stem) < len(time.DateOnly) {
		return time.Time{}, fmt.Errorf("%s: the name of a table ends with the day from which it holds, AAAA-MM-JJ.csv", name)
	}
	return parseDay(stem[len(stem)-len(time.DateOnly):])
}

// nomenclature is how columns and types are called for people.
type nomenclature struct{ columns, types *codes.Index }

func newNomenclature() nomenclature { return nomenclature{codes.Columns(), codes.Types()} }

func (n nomenclature) column(c auth.Coding) string {
	e, _ := n.columns.Of(c)
	return codes.Name(e)
}

func (n nomenclature) typ(c auth.Coding) string {
	e, _ := n.types.Of(c)
	return codes.Name(e)
}

func (n nomenclature) cell(c policy.MatrixCell) string {
	return n.column(c.Column) + " × " + n.typ(c.Type)
}

// tally counts the cells of a table or of a part of it.
type tally struct{ allow, deny, unknown, synthetic int }

func (t *tally) add(c policy.MatrixCell) {
	switch c.Decision {
	case policy.Allow:
		t.allow++
	case policy.Deny:
		t.deny++
	default:
		t.unknown++
	}
	if c.Synthetic() {
		t.synthetic++
	}
}

func (t tally) total() int { return t.allow + t.deny + t.unknown }

// warnSynthetic says loudly that cells are invented.
func warnSynthetic(out io.Writer, n tally) {
	if n.synthetic > 0 {
		fmt.Fprintf(out, "SYNTHETIC: %d of %d cells are invented for the sandbox. They say nothing of the law. NEVER FOR PRODUCTION.\n", n.synthetic, n.total())
	}
}

// maxNamed is how many lines of one kind are printed before the rest is counted.
const maxNamed = 20

// list prints lines under a title, the first of them only if they are many.
func list(out io.Writer, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s: %d\n", title, len(lines))
	for _, l := range lines[:min(maxNamed, len(lines))] {
		fmt.Fprintln(out, "  "+l)
	}
	if rest := len(lines) - maxNamed; rest > 0 {
		fmt.Fprintf(out, "  … and %d more\n", rest)
	}
}

// listRefused prints what is wrong with a table that could not be read; an error of
// another kind is returned.
func listRefused(out io.Writer, err error) error {
	var refused *policy.MatrixError
	if !errors.As(err, &refused) {
		return err
	}
	list(out, "wrong", refused.Problems)
	list(out, "missing", refused.Missing)
	return nil
}
