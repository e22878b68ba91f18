package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares an output with its file, which -update writes.
func golden(t *testing.T, folder, name, got string) {
	t.Helper()
	file := filepath.Join(folder, strings.NewReplacer(" ", "-", "/", "-").Replace(name)+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s", file, got)
	}
}

// matrixDesk is a folder to work in: the tables that the cases name, and sheets.
// It returns the folder of the golden files.
func matrixDesk(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs("testdata/matrix")
	if err != nil {
		t.Fatal(err)
	}
	published, err := fs.ReadFile(policy.PublishedMatrix(), "2023-10-30.csv")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("DMPD_MATRIX", "")
	text := string(published)
	lines := strings.SplitAfter(text, "\n")
	for name, data := range map[string]string{
		"prepared-2027-01-01.csv": changedTable(t, text),
		"broken-2027-01-01.csv":   strings.Join(lines[:1000], "") + strings.Replace(lines[1000], ",unknown,", ",maybe,", 1) + lines[5] + strings.Join(lines[1100:], ""),
		"new-2027-01-01.csv":      text + newRole(),
		"table.csv":               text,
		"sheet.csv":               strings.NewReplacer("11488-4;;X", "11488-4;;x", "EXPPAT_3;;X", "EXPPAT_3;;").Replace(wideSheet(t, "")),
		"whole.csv":               wideSheet(t, "oui"),
		"refused.csv":             strings.NewReplacer("Médecin;", "Médecins;", "11490-0;", "11490-9;", "DOCPAT01;", "DOCPAT01;;").Replace(wideSheet(t, "oui")),
		"contradicts.csv":         strings.Replace(wideSheet(t, "oui"), "75496-0;;X", "75496-0;;non", 1),
		"sheet.xlsx":              "PK\x03\x04",
	} {
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// changedTable is the published table with four decisions changed, a column dropped
// and one added.
func changedTable(t *testing.T, published string) string {
	t.Helper()
	g15 := auth.SystemProfession + ","
	loinc := ",http://loinc.org,"
	for _, change := range [][2]string{
		{g15 + "10" + loinc + "11488-4,allow", g15 + "10" + loinc + "11488-4,deny"},
		{g15 + "26" + loinc + "11488-4,unknown", g15 + "26" + loinc + "11488-4,allow"},
		{g15 + "26" + loinc + "11490-0,unknown", g15 + "26" + loinc + "11490-0,deny"},
		{g15 + "21" + loinc + "11488-4,allow", g15 + "21" + loinc + "11488-4,deny"},
	} {
		if strings.Count(published, change[0]+",") != 1 {
			t.Fatalf("%s is not there", change[0])
		}
		published = strings.Replace(published, change[0]+",", change[1]+",", 1)
	}
	return strings.ReplaceAll(published, "TRE-R85-RolePriseCharge,317,", "TRE-R85-RolePriseCharge,313,")
}

// newRole is a column of a role that the program does not know.
func newRole() string {
	var b strings.Builder
	for d := range policy.DocumentTypes() {
		fmt.Fprintf(&b, "%s,378,%s,%s,deny,essai\n", auth.SystemCareRole, d.Type.System, d.Type.Code)
	}
	return b.String()
}

// wideSheet is a sheet in the form of the official table: what is published, and a
// word for what is not.
func wideSheet(t *testing.T, open string) string {
	t.Helper()
	published, err := openTable(wordPublished)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("Matrice (essai)\r\ncode;libellé")
	for c := range published.Columns() {
		label, _ := policy.ColumnLabel(c)
		b.WriteString(";" + label)
	}
	for d := range policy.DocumentTypes() {
		b.WriteString("\r\n" + d.Type.Code + ";")
		for c := range published.Columns() {
			word := map[policy.Cell]string{policy.Allow: "X", policy.Deny: "non", policy.Unknown: open}[published.At(c, d.Type).Decision]
			b.WriteString(";" + word)
		}
	}
	return b.String() + "\r\n"
}

func TestMatrixCommands(t *testing.T) {
	folder := matrixDesk(t)
	for _, c := range []struct {
		name string
		args string
		code int
	}{
		{"help", "--help", 0},
		{"show help", "show --help", 0},
		{"check help", "check --help", 0},
		{"diff help", "diff --help", 0},
		{"import help", "import --help", 0},

		{"show", "show --as-of 2026-01-01", 0},
		{"show profession", "show --as-of 2026-01-01 --profession Infirmier", 0},
		{"show type", "show --as-of 2026-01-01 --type EXPPAT_3", 0},
		{"show sandbox", "show --sandbox", 0},
		{"show sandbox cell", "show --sandbox --profession 28 --type 11488-4", 0},
		{"show role", "show --file prepared-2027-01-01.csv --profession R85|330 --type 15507-7", 0},
		{"show too early", "show --as-of 2023-10-29", 1},
		{"show unknown profession", "show --profession Médecins", 1},
		{"show unknown type", "show --type 11488-5", 1},
		{"show no column", "show --as-of 2026-01-01 --profession 71", 1},
		{"show broken", "show --file broken-2027-01-01.csv", 1},
		{"show two tables", "show --sandbox --file table.csv", 1},

		{"check published", "check published", 1},
		{"check published denied", "check published --matrix-unknown deny", 0},
		{"check sandbox", "check sandbox", 1},
		{"check sandbox allowed", "check sandbox --allow-synthetic", 0},
		{"check broken", "check broken-2027-01-01.csv", 1},
		{"check changed", "check prepared-2027-01-01.csv --matrix-unknown deny", 1},
		{"check newer text", "check prepared-2027-01-01.csv --matrix-unknown deny --allow-contradictions", 0},
		{"check new role", "check new-2027-01-01.csv --matrix-unknown deny", 1},
		{"check new role allowed", "check new-2027-01-01.csv --matrix-unknown deny --allow-code R85|378", 0},
		{"check no day", "check table.csv", 1},
		{"check two of a day", "check prepared-2027-01-01.csv new-2027-01-01.csv --matrix-unknown deny --allow-contradictions --allow-code R85|378", 1},
		{"check bad flag", "check published --matrix-unknown maybe", 1},
		{"check no file", "check nothing-2027-01-01.csv", 1},

		{"diff same", "diff published published", 0},
		{"diff", "diff published prepared-2027-01-01.csv", 1},
		{"diff all", "diff published prepared-2027-01-01.csv --all", 1},
		{"diff sandbox", "diff published sandbox", 1},
		{"diff broken", "diff published broken-2027-01-01.csv", 2},
		{"diff one", "diff published", 2},
		{"diff no file", "diff published nothing.csv", 2},

		{"import refused", "import refused.csv --out 2027-01-01.csv", 1},
		{"import xlsx", "import sheet.xlsx --out 2027-01-01.csv", 1},
		{"import contradicts", "import contradicts.csv --out 2027-01-01.csv", 1},
		{"import no out", "import sheet.csv", 1},
		{"import no day", "import sheet.csv --out table-new.csv", 1},
		{"import two days", "import sheet.csv --out 2027-01-01.csv --date 2027-01-02", 1},
		{"import folder", "import sheet.csv --out .", 1},
		{"import over a table", "import sheet.csv --out prepared-2027-01-01.csv", 1},
		{"import bad heading", "import sheet.csv --out 2027-01-01.csv --heading Médecins=Medecins", 1},
		{"import bad fill", "import sheet.csv --out 2027-01-01.csv --empty allow", 1},
		{"import open cells", "import sheet.csv --out 2027-01-01.csv --empty unknown", 1},
		{"import", "import sheet.csv --out . --date 2027-01-01 --source essai --empty unknown --matrix-unknown deny", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := command(t, append([]string{"matrix"}, strings.Fields(c.args)...)...)
			if err != nil && err.Error() != "" {
				out += "error: " + err.Error() + "\n"
			}
			if got := exitCode(err); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
			golden(t, folder, c.name, fmt.Sprintf("$ dmpd matrix %s\n%sexit %d\n", c.args, out, exitCode(err)))
		})
	}
	imported, err := openTable("2027-01-01.csv")
	if err != nil {
		t.Fatal(err)
	}
	published, err := openTable(wordPublished)
	if err != nil {
		t.Fatal(err)
	}
	changes := policy.CompareTables(published.MatrixTable, imported.MatrixTable)
	if len(changes) != 1 || len(changes[0].Cells) != 1 || changes[0].Cells[0].Type.Type.Code != "EXPPAT_3" {
		t.Errorf("the import changes %v", changes)
	}
	for c := range imported.Cells() {
		if want := map[bool]string{true: "essai (case vide)", false: "essai"}[c.Decision == policy.Unknown]; c.Source != want {
			t.Fatalf("%+v", c)
		}
	}
	left, err := filepath.Glob(".matrix-*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What was refused was not written, and a folder of tables is compared with.
func TestMatrixImportAgainstAFolder(t *testing.T) {
	matrixDesk(t)
	if _, err := command(t, "matrix", "import", "contradicts.csv", "--out", "2027-01-01.csv"); !errors.Is(err, errRefused) || exists("2027-01-01.csv") {
		t.Fatalf("%v, written %v", err, exists("2027-01-01.csv"))
	}
	if _, err := command(t, "matrix", "import", "contradicts.csv", "--out", "tables/2027-01-01.csv"); err == nil || exists("tables") {
		t.Fatal("a refused import makes a folder", err)
	}
	if out, err := command(t, "matrix", "import", "whole.csv", "--out", "tables/2026-01-01.csv"); err != nil { // and makes the folder
		t.Fatalf("%s %v", out, err)
	}
	t.Setenv("DMPD_MATRIX", "tables")
	out, err := command(t, "matrix", "import", "contradicts.csv", "--out", "2027-01-01.csv", "--allow-contradictions")
	if err != nil || !strings.Contains(out, "2026-01-01.csv → 2027-01-01.csv\n1 columns change: 0 open, 1 close") || !strings.Contains(out, "cp 2027-01-01.csv tables/2027-01-01.csv") {
		t.Errorf("%s %v", out, err)
	}
	shown, err := command(t, "matrix", "show", "--as-of", "2026-06-01", "--type", "11488-4")
	if err != nil || !strings.HasPrefix(shown, "2026-01-01.csv, in force") {
		t.Errorf("%s %v", shown, err)
	}
	// what was imported is what a server loads
	m, err := policy.LoadMatrix(os.DirFS("tables"))
	if err != nil || len(m.Unknown()) != 0 {
		t.Errorf("%v", err)
	}
	if m.InForce(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) == nil {
		t.Error("not in force on its day")
	}
}

// SYNTHETIC stands wherever a cell of the sandbox is shown.
func TestSyntheticIsSaid(t *testing.T) {
	matrixDesk(t)
	for _, args := range [][]string{
		{"show", "--sandbox"},
		{"show", "--sandbox", "--type", "11488-4"},
		{"show", "--file", "sandbox", "--profession", "60", "--type", "11502-2"}, // a known cell, beside invented ones
		{"check", "sandbox"},
		{"diff", "sandbox", "published"},
		{"diff", "published", "sandbox"},
	} {
		out, _ := command(t, append([]string{"matrix"}, args...)...)
		if !strings.Contains(out, "SYNTHETIC: 2409 of 2678 cells are invented") {
			t.Errorf("%v: %s", args, out)
		}
	}
	out, err := command(t, "matrix", "show", "--as-of", "2026-01-01")
	if err != nil || bytes.Contains([]byte(out), []byte("SYNTHETIC")) {
		t.Errorf("the published table is called SYNTHETIC (%v)", err)
	}
}
