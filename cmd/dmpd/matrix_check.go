package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/policy"
)

// leave is what a check lets pass because a person said so.
type leave struct {
	unknown     string // "refuse" or "deny", as the setting matrix-unknown
	synthetic   bool
	contradicts bool
	codes       []string
}

// flags adds what both check and import let pass.
func (l *leave) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&l.unknown, "matrix-unknown", "refuse", "the setting of that name of the server: refuse, or deny to let open cells pass")
	f.BoolVar(&l.contradicts, "allow-contradictions", false, "the table follows a newer text than the published cells")
	f.StringArrayVar(&l.codes, "allow-code", nil, "a role or title that is newer than this program, R85|378 (repeatable)")
}

func (l *leave) check() error {
	if l.unknown != "refuse" && l.unknown != "deny" {
		return fmt.Errorf("matrix-unknown is refuse or deny, not %q", l.unknown)
	}
	return nil
}

// given repeats the flags, for a command that checks the same table again.
func (l *leave) given() string {
	var b strings.Builder
	if l.unknown == "deny" {
		b.WriteString(" --matrix-unknown deny")
	}
	if l.contradicts {
		b.WriteString(" --allow-contradictions")
	}
	for _, code := range l.codes {
		fmt.Fprintf(&b, " --allow-code '%s'", code)
	}
	return b.String()
}

// names returns what is known by name, and the codes that were allowed.
func (l *leave) names() (nomenclature, error) {
	n := newNomenclature()
	for _, code := range l.codes {
		if err := n.columns.Accept(code); err != nil {
			return n, err
		}
	}
	return n, nil
}

func matrixCheckCommand() *cobra.Command {
	var l leave
	c := &cobra.Command{
		Use:   "check FILE…",
		Short: "Check tables before a server reads them",
		Long: `Check tables of the habilitation matrix, and say what to do about each problem.

A table must be whole and known: named after its day; every code known; no cell
twice; a cell for every type of document of the DMP in every profession of TRE_G15
and in every further column (TRE_R85, R94, R95, R291). Missing cells are named, the
first 20 of them.

It is further compared with what public texts say of the arrêté of 26 October 2023.
A published cell that it contradicts is named with its source; one that was only
inferred from such a text is a remark. Cells that are invented for the sandbox
(SYNTHETIC) and cells left open (unknown, which a server refuses unless its setting
matrix-unknown is deny) are refused too.

For each table the SHA-256 of its bytes is printed, so that two people can know that
they speak of the same one. Exit 0 if all pass, 1 if one does not.`,
		Example: `  dmpd matrix check /etc/dmpd/matrix/*.csv
  dmpd matrix check published --matrix-unknown deny
  dmpd matrix check prepared-2027-01-01.csv --allow-code 'R85|378'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			if err := l.check(); err != nil {
				return err
			}
			return checkMatrices(files, l, c.OutOrStdout())
		},
	}
	l.flags(c)
	c.Flags().BoolVar(&l.synthetic, "allow-synthetic", false, "the table is for a sandbox: let SYNTHETIC cells pass")
	return c
}

func checkMatrices(files []string, l leave, out io.Writer) error {
	refused := 0
	days := map[time.Time]string{}
	for i, name := range files {
		if i > 0 {
			fmt.Fprintln(out)
		}
		ok, err := checkFile(name, l, days, out)
		if err != nil {
			return err
		}
		if !ok {
			refused++
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d tables refused", refused, len(files))
	}
	return nil
}

// checkFile checks one file; days holds those that were checked before.
func checkFile(name string, l leave, days map[time.Time]string, out io.Writer) (ok bool, err error) {
	fmt.Fprintln(out, name)
	t, err := openTable(name)
	if err != nil {
		if err := listRefused(out, err); err != nil {
			return false, err
		}
		fmt.Fprintln(out, "\nrefused: correct the lines that are wrong, and add what is missing (dmpd matrix import fills it on demand: --missing)")
		return false, nil
	}
	var todo []string
	if first, twice := days[t.From()]; twice {
		todo = append(todo, first+" is of the same day: a folder has one table for a day")
	}
	days[t.From()] = name
	return checkTable(t, l, todo, out)
}

// checkTable prints what a table that could be read holds, and why it is refused;
// todo is what is known to be wrong already.
func checkTable(t tableFile, l leave, todo []string, out io.Writer) (bool, error) {
	n, err := l.names()
	if err != nil {
		return false, err
	}
	summary(t, out)
	f := examine(t.MatrixTable, n)
	list(out, "inferred from what is published, and contradicted (a remark)", f.inferred)
	refusals := []struct {
		title  string
		lines  []string
		passes bool
		todo   string
	}{
		{"codes that are unknown", f.unknownCodes, false, "correct the code, or tell that it is new: --allow-code"},
		{"published cells that are contradicted", f.contradicted, l.contradicts, "correct the cell, or say that a newer text is behind it: --allow-contradictions"},
		{"SYNTHETIC cells", f.synthetic, l.synthetic, "a table of the sandbox is NEVER FOR PRODUCTION; for a sandbox: --allow-synthetic"},
		{"open cells", f.open, l.unknown == "deny", "decide them, or run the server with matrix-unknown deny and say so here: --matrix-unknown deny"},
	}
	for _, r := range refusals {
		list(out, r.title, r.lines)
		if len(r.lines) > 0 && !r.passes {
			todo = append(todo, r.title+": "+r.todo)
		}
	}
	if len(todo) == 0 {
		_, err := fmt.Fprintln(out, "\npasses")
		return true, err
	}
	_, err = fmt.Fprintf(out, "\nrefused\n  %s\n", strings.Join(todo, "\n  "))
	return false, err
}

// summary prints what a table is.
func summary(t tableFile, out io.Writer) {
	var cells tally
	for c := range t.Cells() {
		cells.add(c)
	}
	professions, others := 0, 0
	for c := range t.Columns() {
		if c.System == auth.SystemProfession {
			professions++
		} else {
			others++
		}
	}
	fmt.Fprintf(out, "  in force from  %s\n", t.From().Format(time.DateOnly))
	fmt.Fprintf(out, "  columns        %d professions, %d roles and titles\n", professions, others)
	fmt.Fprintf(out, "  cells          %d: %d allow, %d deny, %d unknown\n", cells.total(), cells.allow, cells.deny, cells.unknown)
	fmt.Fprintf(out, "  SHA-256        %x\n", sha256.Sum256(t.data))
	warnSynthetic(out, cells)
}

// findings are what there is to say of a table that could be read.
type findings struct {
	unknownCodes, contradicted, inferred, synthetic, open []string
}

// prefixInferred begins the source of a published cell that no text names.
const prefixInferred = "inféré :"

func examine(t *policy.MatrixTable, n nomenclature) findings {
	var f findings
	for c := range t.Columns() {
		if _, ok := n.columns.Of(c); !ok {
			f.unknownCodes = append(f.unknownCodes, n.column(c))
		}
	}
	published, err := openTable(wordPublished)
	if err != nil {
		panic(err) // it is part of the program, and its tests read it
	}
	for c := range t.Cells() {
		said := published.At(c.Column, c.Type)
		differs := c.Decision != policy.Unknown && said.Decision != policy.Unknown && c.Decision != said.Decision
		line := fmt.Sprintf("%s: %s, published %s (%s)", n.cell(c), c.Decision, said.Decision, said.Source)
		switch {
		case differs && strings.HasPrefix(said.Source, prefixInferred):
			f.inferred = append(f.inferred, line)
		case differs:
			f.contradicted = append(f.contradicted, line)
		}
		if c.Synthetic() {
			f.synthetic = append(f.synthetic, n.cell(c))
		}
		if c.Decision == policy.Unknown {
			f.open = append(f.open, n.cell(c))
		}
	}
	return f
}

// errRefused is the error of an import whose table does not pass the check.
var errRefused = errors.New("the table is refused, and nothing was written")
