package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/cmd/dmpd/internal/sheet"
	"opendmp/policy"
)

// importing is what `dmpd matrix import` is asked for.
type importing struct {
	table, out, date, matrix string
	encoding, source         string
	empty, missing           string
	headings                 []string
	leave                    leave
	all                      bool
}

func matrixImportCommand() *cobra.Command {
	var i importing
	c := &cobra.Command{
		Use:   "import TABLE --out AAAA-MM-JJ.csv",
		Short: "Make a table from what a spreadsheet exports",
		Long: `Make a table of the habilitation matrix from a spreadsheet exported as CSV. An .xlsx
or .ods file is refused: export its sheet as CSV.

The wide form has a row for each type of document and a column for each profession,
role or title, by code or label; a line of headings with “code” or “libellé” says
which is which, and lines before it are titles:

  code;libellé;Médecin;Pharmacien;R85|330
  11488-4;CR ou fiche de consultation ou de visite;x;x;
  11502-2;CR d’examens biologiques;oui;oui;non

The long form is that of the matrix files: profession_system, profession_code,
type_system, type_code, decision, source.

Separators are semicolons, commas or tabs; the encoding is UTF-8, UTF-16 or
Windows-1252, recognised. In a cell, x, oui, o, 1, allow or autorisé allows, and non,
n, 0 or deny denies. Everything else is refused by name, with its line and column:
unknown words, unknown codes and labels (with the nearest known ones), what stands
twice. So are an empty cell, unless --empty says what it means, and a type of
document or a profession that is not in the table, unless --missing does. The
official table names fewer types than the DMP has, and may name several professions
in one column:

  --missing unknown --heading 'Infirmiers=60,69'

The result is checked as by dmpd matrix check, and written only if it passes: in one
piece, and never over a file that is there. Then the decisions that change against
the table in force are printed, and how to put the new one in force.`,
		Example: `  dmpd matrix import annexe.csv --out prepared-2027-01-01.csv --empty deny --missing unknown \
    --matrix-unknown deny --source 'arrêté du …, annexe'
  dmpd matrix import annexe.csv --out . --date 2027-01-01 --heading 'Médecins=10'`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			i.table = args[0]
			return i.run(c.OutOrStdout())
		},
	}
	f := c.Flags()
	f.StringVar(&i.out, "out", "", "file to write, its name ending with the day from which it holds; or a folder, with --date")
	f.StringVar(&i.date, "date", "", "day from which the table holds, AAAA-MM-JJ (that of --out)")
	f.StringVar(&i.matrix, "matrix", "", "folder of the tables in force, to compare with (DMPD_MATRIX, or the published table)")
	f.StringVar(&i.encoding, "encoding", "", "utf-8, utf-16, windows-1252 or latin-1 (recognised)")
	f.StringVar(&i.source, "source", "", "the text behind the cells, for their column source (the name of TABLE)")
	f.StringVar(&i.empty, "empty", "refuse", "what an empty cell means: refuse, deny or unknown")
	f.StringVar(&i.missing, "missing", "refuse", "what a row, column or cell that is not there means: refuse, deny or unknown")
	f.StringArrayVar(&i.headings, "heading", nil, "what a heading of TABLE stands for, 'Infirmiers=60,69' (repeatable)")
	f.BoolVar(&i.all, "all", false, "print every cell that changes")
	i.leave.flags(c)
	return c
}

func (i importing) run(out io.Writer) error {
	target, err := i.target()
	if err != nil {
		return err
	}
	if err := i.leave.check(); err != nil {
		return err
	}
	n, err := i.leave.names()
	if err != nil {
		return err
	}
	data, err := i.convert(n, out)
	if err != nil {
		return err
	}
	t, err := policy.ReadMatrixTable(filepath.Base(target), bytes.NewReader(data))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n", target)
	if ok, err := checkTable(tableFile{t, data}, i.leave, nil, out); err != nil {
		return err
	} else if !ok {
		return errRefused
	}
	if err := writeNew(target, data); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nwrote", target)
	return i.compare(t, n, target, out)
}

// target returns the file to write, and refuses a name that tells no day, or
// another one than --date.
func (i importing) target() (string, error) {
	if i.out == "" {
		return "", errors.New("import needs --out: the file to write, AAAA-MM-JJ.csv by the day from which it holds")
	}
	target := i.out
	if info, err := os.Stat(target); err == nil && info.IsDir() {
		if i.date == "" {
			return "", fmt.Errorf("%s is a folder: --date tells the day from which the table holds", target)
		}
		target = filepath.Join(target, i.date+".csv")
	}
	day, err := dayOfName(target)
	if err != nil {
		return "", err
	}
	if i.date != "" && i.date != day.Format(time.DateOnly) {
		return "", fmt.Errorf("--date is %s, and the name of %s says another day", i.date, target)
	}
	if exists(target) {
		return "", fmt.Errorf("%s is there already: a table that was in force is not changed, and another one has another day", target)
	}
	return target, nil
}

// convert reads the sheet and writes it as a table.
func (i importing) convert(n nomenclature, out io.Writer) ([]byte, error) {
	o := sheet.Options{
		Name: filepath.Base(i.table), Source: sheet.OneLine(i.source), Encoding: i.encoding,
		Empty: sheet.Fill(i.empty), Missing: sheet.Fill(i.missing), Columns: n.columns,
	}
	if !o.Empty.Valid() || !o.Missing.Valid() {
		return nil, errors.New("--empty and --missing are refuse, deny or unknown")
	}
	var err error
	if o.Headings, err = parseHeadings(i.headings, n); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(i.table)
	if err != nil {
		return nil, err
	}
	read, err := sheet.Read(data, o)
	if err != nil {
		if err := listRefused(out, err); err != nil {
			return nil, fmt.Errorf("%s: %w", i.table, err)
		}
		return nil, fmt.Errorf("%s: correct what is wrong; --heading, --empty and --missing say what the table leaves open; nothing was written", i.table)
	}
	fmt.Fprintln(out, i.table)
	for _, note := range read.Notes {
		fmt.Fprintln(out, "  "+note)
	}
	var b bytes.Buffer
	err = policy.WriteMatrixTable(&b, read.Cells())
	return b.Bytes(), err
}

// parseHeadings reads what headings stand for: "Infirmiers=60,69".
func parseHeadings(flags []string, n nomenclature) (map[string][]auth.Coding, error) {
	headings := map[string][]auth.Coding{}
	for _, f := range flags {
		heading, list, ok := strings.Cut(f, "=")
		heading = sheet.OneLine(heading)
		if !ok || heading == "" {
			return nil, fmt.Errorf("--heading %q is not 'heading=code,code'", f)
		}
		for name := range strings.SplitSeq(list, ",") {
			e, err := n.columns.Find(name)
			if err != nil {
				return nil, fmt.Errorf("--heading %q: %w", f, err)
			}
			headings[heading] = append(headings[heading], e.Coding)
		}
	}
	return headings, nil
}

// writeNew writes a file whole or not at all, and never over another one. It makes the
// folder of the first table.
func writeNew(name string, data []byte) (err error) {
	if err := os.Mkdir(filepath.Dir(name), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".matrix-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), name) // unlike a rename it fails where the name is taken
}

// compare prints what the new table changes, and how it is put in force.
func (i importing) compare(t *policy.MatrixTable, n nomenclature, target string, out io.Writer) error {
	before, err := tableInForce(i.matrix, t.From())
	if err != nil {
		return fmt.Errorf("the table was written, and cannot be compared with the one in force: %w", err)
	}
	fmt.Fprintln(out, "\nagainst the table in force on that day:")
	if _, err := printDiff(before, t, n, i.all, out); err != nil {
		return err
	}
	folder := orEnv(i.matrix, "MATRIX")
	if folder == "" {
		folder = "<folder of the setting matrix>"
	}
	day := t.From().Format(time.DateOnly)
	_, err = fmt.Fprintf(out, `
To put it in force from %s, once a second person has read the lines above:
  dmpd matrix check %s%s
  cp %s %s/%s.csv
then restart every server: tables are read at the start.
`, day, target, i.leave.given(), target, folder, day)
	return err
}
