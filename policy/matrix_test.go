package policy

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

const (
	publishedTable = "2023-10-30.csv"
	sandboxTable   = "2024-01-01.csv"
)

var matrixDay = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func loadMatrix(t testing.TB, fsys fs.FS) *Matrix {
	t.Helper()
	m, err := LoadMatrix(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func g15(code string) auth.Coding   { return auth.Coding{System: auth.SystemProfession, Code: code} }
func loinc(code string) auth.Coding { return auth.Coding{System: fhir.SystemLOINC, Code: code} }
func a05(code string) auth.Coding {
	return auth.Coding{System: fhir.SystemDocumentType, Code: code}
}

// naive reads a table by hand: five commas, then the source.
func naive(t *testing.T, fsys fs.FS, name string) map[[2]auth.Coding]string {
	t.Helper()
	f, err := fsys.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cells := map[[2]auth.Coding]string{}
	lines := bufio.NewScanner(f)
	for first := true; lines.Scan(); first = false {
		p := strings.SplitN(lines.Text(), ",", 6)
		if first {
			continue
		}
		if len(p) != 6 {
			t.Fatalf("%s: %q", name, lines.Text())
		}
		cells[[2]auth.Coding{{System: p[0], Code: p[1]}, {System: p[2], Code: p[3]}}] = p[4]
	}
	return cells
}

func TestLookupEqualsTheFile(t *testing.T) {
	for _, c := range []struct {
		fsys fs.FS
		name string
	}{{PublishedMatrix(), publishedTable}, {SandboxMatrix(), sandboxTable}} {
		m, cells := loadMatrix(t, c.fsys), naive(t, c.fsys, c.name)
		if want := 26 * typeCount; len(cells) != want {
			t.Errorf("%s: %d cells, want %d", c.name, len(cells), want)
		}
		for k, want := range cells {
			if got := m.Cell(k[0], nil, k[1], auth.Coding{}, matrixDay); got.String() != want {
				t.Errorf("%s: %v = %v, the file says %s", c.name, k, got, want)
			}
		}
		for code := range auth.Professions() {
			for d := range DocumentTypes() {
				if _, ok := cells[[2]auth.Coding{g15(code), d.Type}]; !ok {
					t.Errorf("%s: no cell %s × %s", c.name, code, d.Type.Code)
				}
			}
		}
	}
}

// A cell that a public source names is what that source says, in both tables.
func TestKnownCellsArePreserved(t *testing.T) {
	published, sandbox := loadMatrix(t, PublishedMatrix()), loadMatrix(t, SandboxMatrix())
	count := 0
	for _, file := range []struct{ name, prefix string }{{"habilitation-known-cells.csv", ""}, {"habilitation-inferred-pharmacist.csv", "inféré : "}} {
		for _, r := range terminologyFile(t, file.name) {
			count++
			profession, typ := auth.Coding{System: r[0], Code: r[1]}, auth.Coding{System: r[2], Code: r[3]}
			for name, m := range map[string]*Matrix{"published": published, "sandbox": sandbox} {
				if got := m.Cell(profession, nil, typ, auth.Coding{}, matrixDay); got.String() != r[4] {
					t.Errorf("%s: %v × %v = %v, want %s", name, profession, typ, got, r[4])
				}
				if got := m.Source(profession, typ, matrixDay); got != file.prefix+r[5] {
					t.Errorf("%s: %v × %v from %q, want %q", name, profession, typ, got, file.prefix+r[5])
				}
			}
		}
	}
	if count != 151+73 {
		t.Errorf("%d known cells", count)
	}
}

// Everything that no public source names is unknown in the published table, and
// marked as invented in that of the sandbox.
func TestOnlySyntheticCellsAreInvented(t *testing.T) {
	published, sandbox := loadMatrix(t, PublishedMatrix()), loadMatrix(t, SandboxMatrix())
	for code := range auth.Professions() {
		for d := range DocumentTypes() {
			p := published.Cell(g15(code), nil, d.Type, auth.Coding{}, matrixDay)
			synthetic := sandbox.Source(g15(code), d.Type, matrixDay) == sourceSynthetic
			if (p == Unknown) != synthetic {
				t.Errorf("%s × %s: published %v, synthetic %v", code, d.Type.Code, p, synthetic)
			}
		}
	}
	if published.Synthetic(matrixDay) || !sandbox.Synthetic(matrixDay) || sandbox.Synthetic(time.Time{}) {
		t.Error("the tables do not say whether they are synthetic")
	}
}

func TestUnknown(t *testing.T) {
	if open := loadMatrix(t, SandboxMatrix()).Unknown(); len(open) != 0 {
		t.Errorf("the sandbox leaves %d cells open: %s…", len(open), open[0])
	}
	open := loadMatrix(t, PublishedMatrix()).Unknown()
	if len(open) != 26*typeCount-151-73-45 {
		t.Errorf("%d open cells", len(open))
	}
	const want = "2023-10-30.csv: TRE_G15-ProfessionSante|10 × TRE_A12-NomenclatureASTM|E1762 Full Document"
	if open[0] != want {
		t.Errorf("first open cell %q, want %q", open[0], want)
	}
}

// The cast of the sandbox: who reads what of Alix's record by the matrix alone.
func TestSandboxTableReadsAsExpected(t *testing.T) {
	m := loadMatrix(t, SandboxMatrix())
	for _, c := range []struct {
		profession auth.Coding
		typ        auth.Coding
		want       Cell
	}{
		{g15("10"), loinc("68599-0"), Allow},
		{g15("10"), a05("EXPPAT_3"), Allow},
		{g15("10"), a05("ATTEST-RESID"), Deny},
		{g15("21"), loinc("68599-0"), Deny},
		{g15("21"), loinc("57833-6"), Allow},
		{g15("21"), a05("EXPPAT_3"), Deny},
		{g15("50"), loinc("15508-5"), Allow},
		{g15("60"), loinc("11502-2"), Allow},
		{g15("60"), loinc("68599-0"), Deny},
		{g15("69"), loinc("68599-0"), Allow},
		{g15("40"), a05("EXPPAT_3"), Deny},
		{g15("80"), loinc("15508-5"), Deny},
		{g15("28"), loinc("78513-9"), Allow},
		{g15("28"), loinc("11502-2"), Deny},
		{g15("28"), loinc("11488-4"), Deny},
		{g15("95"), loinc("11502-2"), Allow},
		{g15("95"), loinc("68599-0"), Deny},
		{g15("98"), loinc("18748-4"), Allow},
		{auth.Coding{System: auth.SystemCareRole, Code: "330"}, loinc("15507-7"), Deny},
		{auth.Coding{System: auth.SystemCareRole, Code: "317"}, loinc("11502-2"), Allow},
	} {
		if got := m.Cell(c.profession, nil, c.typ, auth.Coding{}, matrixDay); got != c.want {
			t.Errorf("%s × %s = %v, want %v", c.profession.Code, c.typ.Code, got, c.want)
		}
	}
	for code := range auth.Professions() {
		if narrow := slices.Contains([]string{"28", "95"}, code); narrow {
			allowed := 0
			for d := range DocumentTypes() {
				if m.Cell(g15(code), nil, d.Type, auth.Coding{}, matrixDay) == Allow {
					allowed++
				}
			}
			if allowed > 10 {
				t.Errorf("profession %s reads %d types", code, allowed)
			}
		}
	}
}

func TestCellUnknown(t *testing.T) {
	m := loadMatrix(t, SandboxMatrix())
	none := auth.Coding{}
	doc := loinc("11488-4")
	for name, got := range map[string]Cell{
		"no profession":               m.Cell(none, nil, doc, none, matrixDay),
		"unknown profession":          m.Cell(g15("93"), nil, doc, none, matrixDay),
		"profession of a system":      m.Cell(auth.Coding{System: auth.SystemTitle, Code: "10"}, nil, doc, none, matrixDay),
		"unknown training":            m.Cell(auth.Coding{System: auth.SystemProfessionTraining, Code: "93"}, nil, doc, none, matrixDay),
		"role without column":         m.Cell(auth.Coding{System: auth.SystemCareRole, Code: "312"}, nil, doc, none, matrixDay),
		"no type and no class":        m.Cell(g15("10"), nil, none, none, matrixDay),
		"unknown type":                m.Cell(g15("10"), nil, loinc("1-1"), none, matrixDay),
		"unknown type, known class":   m.Cell(g15("10"), nil, loinc("1-1"), auth.Coding{System: fhir.SystemDocumentClass, Code: "31"}, matrixDay),
		"unknown class":               m.Cell(g15("10"), nil, none, auth.Coding{System: fhir.SystemDocumentClass, Code: "12"}, matrixDay),
		"class of another system":     m.Cell(g15("10"), nil, none, auth.Coding{System: "urn:x", Code: "31"}, matrixDay),
		"before the first table":      m.Cell(g15("10"), nil, doc, none, time.Date(2023, 12, 31, 23, 59, 59, 0, time.UTC)),
		"the zero instant":            m.Cell(g15("10"), nil, doc, none, time.Time{}),
		"the zero Matrix":             new(Matrix).Cell(g15("10"), nil, doc, none, matrixDay),
		"a role does not stand alone": m.Cell(none, []auth.Coding{g15("10")}, doc, none, matrixDay),
	} {
		if got != Unknown {
			t.Errorf("%s: %v", name, got)
		}
	}
	if s := m.Source(g15("93"), doc, matrixDay) + m.Source(g15("10"), none, matrixDay) + m.Source(g15("10"), doc, time.Time{}); s != "" {
		t.Errorf("a source of no cell: %q", s)
	}
}

// A role narrows and never widens.
func TestRolesNarrow(t *testing.T) {
	m := loadMatrix(t, SandboxMatrix())
	coordinator := auth.Coding{System: auth.SystemCareRole, Code: "330"}
	skill := auth.Coding{System: auth.SystemSkill, Code: "SM54"}
	for code := range auth.Professions() {
		for d := range DocumentTypes() {
			alone := m.Cell(g15(code), nil, d.Type, auth.Coding{}, matrixDay)
			role := m.Cell(coordinator, nil, d.Type, auth.Coding{}, matrixDay)
			want := Allow
			if alone == Deny || role == Deny {
				want = Deny
			}
			if got := m.Cell(g15(code), []auth.Coding{skill, coordinator}, d.Type, auth.Coding{}, matrixDay); got != want {
				t.Errorf("%s as coordinator × %s = %v, want %v", code, d.Type.Code, got, want)
			}
			if got := m.Cell(g15(code), []auth.Coding{skill}, d.Type, auth.Coding{}, matrixDay); got != alone {
				t.Errorf("%s with a skill × %s = %v, want %v", code, d.Type.Code, got, alone)
			}
		}
	}
}

// Without a type, a class is allowed only if all its types are.
func TestClassDecidesAsItsStrictestType(t *testing.T) {
	for _, fsys := range []fs.FS{PublishedMatrix(), SandboxMatrix()} {
		m := loadMatrix(t, fsys)
		for code := range auth.Professions() {
			want := map[auth.Coding][]Cell{}
			for d := range DocumentTypes() {
				want[d.Class] = append(want[d.Class], m.Cell(g15(code), nil, d.Type, auth.Coding{}, matrixDay))
			}
			for class, cells := range want {
				strictest := Allow
				if slices.Contains(cells, Unknown) {
					strictest = Unknown
				}
				if slices.Contains(cells, Deny) {
					strictest = Deny
				}
				if got := m.Cell(g15(code), nil, auth.Coding{}, class, matrixDay); got != strictest {
					t.Errorf("%s × class %s = %v, want %v", code, class.Code, got, strictest)
				}
			}
		}
	}
}

// bendTable returns a folder with the published table, changed.
func bendTable(t *testing.T, change func([][]string) [][]string) fstest.MapFS {
	t.Helper()
	data, err := fs.ReadFile(PublishedMatrix(), publishedTable)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.WriteAll(change(records)); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{publishedTable: {Data: []byte(b.String())}}
}

func TestLoadMatrixReportsEveryProblem(t *testing.T) {
	g15 := auth.SystemProfession
	set := func(line, field int, value string) func([][]string) [][]string {
		return func(r [][]string) [][]string { r[line-1][field] = value; return r }
	}
	add := func(fields ...string) func([][]string) [][]string {
		return func(r [][]string) [][]string { return append(r, fields) }
	}
	for name, c := range map[string]struct {
		change func([][]string) [][]string
		want   []string
	}{
		"nothing":            {func(r [][]string) [][]string { return r }, nil},
		"unknown profession": {set(2, 1, "93"), []string{`:2: unknown profession "93"`, `no cell TRE_G15-ProfessionSante|10 × http://loinc.org|11488-4`}},
		"unknown system":     {set(2, 0, "urn:x"), []string{`:2: unknown profession "10" of "urn:x"`, "no cell"}},
		"unknown type":       {set(2, 3, "1-1"), []string{`:2: unknown document type "1-1"`, "no cell"}},
		"type of a system":   {set(2, 2, fhir.SystemDocumentType), []string{`:2: unknown document type "11488-4"`, "no cell"}},
		"decision":           {set(2, 4, "ALLOW"), []string{`:2: decision "ALLOW" is not allow, deny or unknown`, "no cell"}},
		"empty decision":     {set(2, 4, ""), []string{`:2: decision "" is not`, "no cell"}},
		"no source":          {set(2, 5, " "), []string{":2: no source", "no cell"}},
		"all wrong in a line": {func(r [][]string) [][]string { r[1] = []string{"a", "b", "c", "d", "e", ""}; return r },
			[]string{":2: unknown profession", ":2: unknown document type", ":2: decision", ":2: no source", "no cell"}},
		"repeated":       {add(g15, "10", fhir.SystemLOINC, "11488-4", "allow", "x"), []string{":2680: TRE_G15-ProfessionSante|10 × http://loinc.org|11488-4 repeats line 2"}},
		"contradicted":   {add(g15, "10", fhir.SystemLOINC, "11488-4", "deny", "x"), []string{":2680: TRE_G15-ProfessionSante|10 × http://loinc.org|11488-4 contradicts line 2"}},
		"missing cell":   {func(r [][]string) [][]string { return slices.Delete(r, 1, 2) }, []string{"no cell TRE_G15-ProfessionSante|10 × http://loinc.org|11488-4 CR ou fiche de consultation ou de visite"}},
		"two missing":    {func(r [][]string) [][]string { return slices.Delete(r, 1, 3) }, []string{"|11488-4", "|11490-0"}},
		"no profession":  {func(r [][]string) [][]string { return slices.Delete(r, 1, 1+typeCount) }, []string{"no line for the profession TRE_G15-ProfessionSante|10"}},
		"short title":    {add(auth.SystemTitle, "71", fhir.SystemLOINC, "11488-4", "deny", "x"), repeated("no cell TRE_R95-UsagerTitre|71", typeCount-1)},
		"code of a role": {add(auth.SystemCareRole, "a b", fhir.SystemLOINC, "11488-4", "deny", "x"), []string{`unknown profession "a b"`}},
		"another header": {set(1, 4, "right"), []string{":1: the first line is not"}},
		"no header":      {func(r [][]string) [][]string { return r[1:] }, []string{":1: the first line is not"}},
		"empty":          {func([][]string) [][]string { return nil }, []string{":1: the first line is not"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := LoadMatrix(bendTable(t, c.change))
			if c.want == nil {
				if err != nil || m == nil {
					t.Errorf("error %v", err)
				}
				return
			}
			var e *MatrixError
			if !errors.As(err, &e) || m != nil {
				t.Fatalf("error %v, want a *MatrixError and no Matrix", err)
			}
			got := slices.Concat(e.Problems, e.Missing)
			if len(got) != len(c.want) {
				t.Fatalf("%d problems, want %d: %v", len(got), len(c.want), err)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i], want) || strings.Contains(got[i], "\n") || !strings.HasPrefix(got[i], publishedTable) {
					t.Errorf("problem %q, want %q", got[i], want)
				}
				if missing := strings.HasPrefix(want, "no ") && want != "no source" || strings.HasPrefix(want, "|"); missing != (i >= len(e.Problems)) {
					t.Errorf("%q is told as missing: %v", got[i], !missing)
				}
			}
		})
	}
}

func repeated(s string, n int) []string { return slices.Repeat([]string{s}, n) }

func TestLoadMatrixReportsFiles(t *testing.T) {
	good, err := fs.ReadFile(PublishedMatrix(), publishedTable)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		want string
	}{
		"none":           {fstest.MapFS{"README.md": {Data: []byte("x")}}, "no file AAAA-MM-JJ.csv"},
		"no day":         {fstest.MapFS{"table.csv": {Data: good}}, "table.csv: its name is not a day"},
		"an odd day":     {fstest.MapFS{"2024-02-30.csv": {Data: good}}, "its name is not a day"},
		"a good one too": {fstest.MapFS{"2024-01-01.csv": {Data: good}, "x.csv": {Data: good}}, "x.csv: its name is not a day"},
		"too few fields": {fstest.MapFS{"2024-01-01.csv": {Data: []byte(matrixHeader + "\na,b\n")}}, "wrong number of fields"},
		"bare quote":     {fstest.MapFS{"2024-01-01.csv": {Data: []byte(matrixHeader + "\na,b,c,d,e,x\"\n")}}, "bare \""},
	} {
		m, err := LoadMatrix(c.fsys)
		if err == nil || m != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// A table holds from its day until the next one's.
func TestTablesFollowEachOther(t *testing.T) {
	first, err := fs.ReadFile(PublishedMatrix(), publishedTable)
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Replace(string(first), ",11488-4,allow,", ",11488-4,deny,", 1)
	m := loadMatrix(t, fstest.MapFS{"2023-10-30.csv": {Data: first}, "2027-01-01.csv": {Data: []byte(second)}})
	for at, want := range map[string]Cell{
		"2023-10-29T23:59:59Z":      Unknown,
		"2023-10-30T00:00:00Z":      Allow,
		"2026-12-31T23:59:59Z":      Allow,
		"2027-01-01T00:00:00Z":      Deny,
		"2027-01-01T00:30:00+01:00": Allow,
		"2099-01-01T00:00:00Z":      Deny,
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Cell(g15("10"), nil, loinc("11488-4"), auth.Coding{}, instant); got != want {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
}

func TestCellDoesNotAllocate(t *testing.T) {
	m := loadMatrix(t, SandboxMatrix())
	roles := []auth.Coding{{System: auth.SystemSkill, Code: "SM54"}, {System: auth.SystemCareRole, Code: "330"}}
	class := auth.Coding{System: fhir.SystemDocumentClass, Code: "10"}
	if n := testing.AllocsPerRun(100, func() {
		m.Cell(g15("60"), roles, loinc("11502-2"), class, matrixDay)
		m.Cell(g15("60"), roles, auth.Coding{}, class, matrixDay)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCell(b *testing.B) {
	m := loadMatrix(b, SandboxMatrix())
	// Codings as they come from a token and from a summary: strings of their own.
	profession := auth.Coding{System: strings.Clone(auth.SystemProfession), Code: "60"}
	roles := []auth.Coding{{System: auth.SystemSkill, Code: "SM54"}}
	typ := auth.Coding{System: strings.Clone(fhir.SystemLOINC), Code: fmt.Sprint("11502-", 2)}
	b.ReportAllocs()
	for b.Loop() {
		if m.Cell(profession, roles, typ, auth.Coding{}, matrixDay) != Allow {
			b.Fatal("not allowed")
		}
	}
}
