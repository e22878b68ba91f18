package policy

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"maps"
	prng "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"opendmp/auth"
)

func r85(code string) auth.Coding { return auth.Coding{System: auth.SystemCareRole, Code: code} }
func r95(code string) auth.Coding { return auth.Coding{System: auth.SystemTitle, Code: code} }
func r291(code string) auth.Coding {
	return auth.Coding{System: auth.SystemOtherProfession, Code: code}
}

func TestColumnsEqualTheTerminology(t *testing.T) {
	systems := map[string]string{
		"1.2.250.1.213.1.6.1.107": auth.SystemCareRole, "1.2.250.1.213.1.6.1.109": auth.SystemTitle,
		"1.2.250.1.213.1.6.1.4": auth.SystemSocial, "1.2.250.1.213.1.6.1.140": auth.SystemOtherProfession,
	}
	want := map[auth.Coding]string{}
	for _, r := range terminologyFile(t, "professions.csv") {
		want[g15(r[0])] = r[1]
	}
	for _, file := range []string{"JDV_J01_XdsAuthorSpecialty_CISIS.csv", "TRE_R291-AutreProfession.csv"} {
		for _, r := range terminologyFile(t, file) {
			if system, ok := systems[r[1]]; ok {
				want[auth.Coding{System: system, Code: r[0]}] = r[2]
			}
		}
	}
	got := map[auth.Coding]string{}
	for c := range MatrixColumns() {
		got[c.Coding] = c.Label
		if label, ok := ColumnLabel(c.Coding); !ok || label != c.Label || !canBeColumn(c.Coding) {
			t.Errorf("%v is %q, %v", c, label, ok)
		}
	}
	if !maps.Equal(got, want) || len(got) < 100 {
		t.Errorf("%d columns, the files have %d", len(got), len(want))
	}
	if label, ok := ColumnLabel(auth.Coding{System: auth.SystemSkill, Code: "SM54"}); ok {
		t.Errorf("a skill is the column %q", label)
	}
}

// cellKey is a column and a type.
type cellKey [2]auth.Coding

// wholeMatrix makes a table of every column that is known by name, or of those that
// keep keeps, with random cells, and loads it from its file.
func wholeMatrix(t *testing.T, keep func(auth.Coding) bool) (*Matrix, map[cellKey]Cell) {
	t.Helper()
	random := prng.New(prng.NewPCG(4, 2026))
	cells := map[cellKey]Cell{}
	var file bytes.Buffer
	err := WriteMatrixTable(&file, func(yield func(MatrixCell) bool) {
		for c := range MatrixColumns() {
			if !keep(c.Coding) {
				continue
			}
			for d := range DocumentTypes() {
				cell := MatrixCell{c.Coding, d.Type, Cell(random.IntN(3)), "a, \"test\""}
				cells[cellKey{c.Coding, d.Type}] = cell.Decision
				if !yield(cell) {
					return
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return loadMatrix(t, fstest.MapFS{"2024-01-01.csv": {Data: file.Bytes()}}), cells
}

func every(auth.Coding) bool { return true }

// Every column with every type: as the exercised profession, and as a further role.
func TestEveryCellOfEveryColumn(t *testing.T) {
	m, cells := wholeMatrix(t, every)
	if len(cells) != columnCount*typeCount {
		t.Fatalf("%d cells", len(cells))
	}
	for k, want := range cells {
		if got := m.Cell(k[0], nil, k[1], auth.Coding{}, matrixDay); got != want {
			t.Errorf("%v = %v, want %v", k, got, want)
		}
		base := cells[cellKey{g15("10"), k[1]}]
		if got := m.Cell(g15("10"), []auth.Coding{k[0]}, k[1], auth.Coding{}, matrixDay); got != strictestOf(base, want) {
			t.Errorf("as a role %v = %v, want the stricter of %v and %v", k, got, base, want)
		}
	}
}

// strictestOf is a reading of its own: any refusal refuses, any doubt doubts.
func strictestOf(cells ...Cell) Cell {
	switch {
	case slices.Contains(cells, Deny):
		return Deny
	case slices.Contains(cells, Unknown) || len(cells) == 0:
		return Unknown
	}
	return Allow
}

// principal takes a professional through a token and its verification.
func principal(t *testing.T, profession auth.Coding, roles ...auth.Coding) auth.Principal {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := auth.NewSigner(key, "issuer", "audience", func() time.Time { return noon }, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	structure := oidStructure + "|" + castStructures["cabinet-centre"]
	token, err := signer.Sign(auth.Claims{
		Subject: "s", Client: "c",
		Extensions: auth.Extensions{IUA: auth.IUA{
			SubjectName: "n", OrganizationID: []string{structure}, Provider: oidPerson + "|8899900000011",
			Purpose: []auth.Coding{{System: auth.SystemAccessMode, Code: "normal"}},
		}},
		DMP: auth.DMP{Kind: auth.Professional.String(), Profession: &profession, Roles: roles},
	})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := auth.NewVerifier(auth.Config{Issuers: []auth.Issuer{signer.Trust()}, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	p, err := verifier.Verify(context.Background(), token)
	if err != nil {
		t.Fatalf("%v %v: %v", profession, roles, err)
	}
	return p
}

// The cells of a caller are those of their columns: the exercised profession, be it
// a profession, a role or a title, narrowed by further roles that are columns.
func TestCellsOfCallers(t *testing.T) {
	training := func(code string) auth.Coding {
		return auth.Coding{System: auth.SystemProfessionTraining, Code: code}
	}
	skill := auth.Coding{System: auth.SystemSkill, Code: "SM54"}
	social := auth.Coding{System: auth.SystemSocial, Code: "41"}
	known := func(c auth.Coding) bool { return c != r85("312") && c != r291("99") }
	for name, c := range map[string]struct {
		profession auth.Coding
		roles      []auth.Coding
		columns    []auth.Coding // none: Unknown
	}{
		"profession":                        {g15("60"), nil, []auth.Coding{g15("60")}},
		"profession and skill":              {g15("10"), []auth.Coding{skill}, []auth.Coding{g15("10")}},
		"profession and role":               {g15("60"), []auth.Coding{r85("330")}, []auth.Coding{g15("60"), r85("330")}},
		"two roles":                         {g15("60"), []auth.Coding{r85("353"), r85("330")}, []auth.Coding{g15("60"), r85("330"), r85("353")}},
		"profession, role without column":   {g15("60"), []auth.Coding{r85("312")}, []auth.Coding{g15("60")}},
		"role":                              {r85("317"), nil, []auth.Coding{r85("317")}},
		"role and role":                     {r85("317"), []auth.Coding{r85("330")}, []auth.Coding{r85("317"), r85("330")}},
		"title":                             {r95("71"), nil, []auth.Coding{r95("71")}},
		"title with the code of a former":   {r95("93"), nil, []auth.Coding{r95("93")}},
		"social worker":                     {social, []auth.Coding{r85("330")}, []auth.Coding{social, r85("330")}},
		"role without column":               {r85("312"), nil, nil},
		"role without column, another role": {r85("312"), []auth.Coding{r85("330")}, nil},
		"known by role":                     {r291("99"), []auth.Coding{r85("313")}, []auth.Coding{r85("313")}},
		"known by two roles":                {r291("99"), []auth.Coding{r85("330"), r85("313")}, []auth.Coding{r85("313"), r85("330")}},
		"known by role, with a skill":       {r291("99"), []auth.Coding{skill, r85("313")}, []auth.Coding{r85("313")}},
		"known by a role without column":    {r291("99"), []auth.Coding{r85("313"), r85("312")}, nil},
		"known by a skill":                  {r291("99"), []auth.Coding{skill}, nil},
		"known by nothing":                  {r291("99"), nil, nil},
		"in training":                       {training("50"), nil, []auth.Coding{g15("50")}},
		"in training, with a role":          {training("21"), []auth.Coding{r85("357")}, []auth.Coding{g15("21"), r85("357")}},
		"student by role":                   {r85("346"), nil, []auth.Coding{r85("346")}},
	} {
		t.Run(name, func(t *testing.T) {
			m, cells := wholeMatrix(t, known)
			e, err := New(DefaultSettings(), m)
			if err != nil {
				t.Fatal(err)
			}
			v := e.View(principal(t, c.profession, c.roles...), castDossier(t, "alix").record(), noon)
			for d := range DocumentTypes() {
				var of []Cell
				for _, column := range c.columns {
					of = append(of, cells[cellKey{column, d.Type}])
				}
				if got := v.lookUp(d.Type, d.Class).cell; got != strictestOf(of...) {
					t.Errorf("%s: %v, want the strictest of %v", d.Type.Code, got, of)
				}
			}
		})
	}
}

// A table that has a column for those who are known by their role lets it decide as
// any other does.
func TestColumnOfThoseKnownByRole(t *testing.T) {
	m, cells := wholeMatrix(t, every)
	for d := range DocumentTypes() {
		got := m.Cell(r291("99"), []auth.Coding{r85("313")}, d.Type, auth.Coding{}, matrixDay)
		if want := strictestOf(cells[cellKey{r291("99"), d.Type}], cells[cellKey{r85("313"), d.Type}]); got != want {
			t.Errorf("%s: %v, want %v", d.Type.Code, got, want)
		}
	}
}

// Students count as their profession in the sandbox, and read nothing elsewhere.
func TestStudentsReadInTheSandboxOnly(t *testing.T) {
	for _, students := range []bool{true, false} {
		e := sandboxEngine(t, func(s *Settings) { s.Students = students })
		d := castDossier(t, "alix")
		// medecin-durand of the cast, who may read there, as a student
		v := e.View(principal(t, auth.Coding{System: auth.SystemProfessionTraining, Code: "10"}), d.record(), noon)
		read := 0
		for i, s := range d.subjects {
			if s.Facts.typ == typeDocument && !v.mine(&s.Facts) && v.Read(i).Allowed() {
				read++
			}
		}
		if (read > 0) != students {
			t.Errorf("setting %v: %d documents are read", students, read)
		}
	}
}

func TestWriteAndReadTables(t *testing.T) {
	for _, fsys := range []struct {
		m    *Matrix
		name string
		n    int
	}{{loadMatrix(t, PublishedMatrix()), publishedTable, 26 * typeCount}, {loadMatrix(t, SandboxMatrix()), sandboxTable, 26 * typeCount}} {
		table := fsys.m.InForce(matrixDay)
		if table.Name() != fsys.name || table.From().Format("2006-01-02")+".csv" != fsys.name {
			t.Errorf("%s from %v", table.Name(), table.From())
		}
		var b bytes.Buffer
		if err := WriteMatrixTable(&b, table.Cells()); err != nil {
			t.Fatal(err)
		}
		again, err := ReadMatrixTable("prepared-2027-01-01.csv", &b)
		if err != nil {
			t.Fatal(err)
		}
		if again.From().Format("2006-01-02") != "2027-01-01" {
			t.Errorf("from %v", again.From())
		}
		if got := slices.Collect(again.Cells()); len(got) != fsys.n || !slices.Equal(got, slices.Collect(table.Cells())) {
			t.Errorf("%s: %d cells, which differ after writing and reading", fsys.name, len(got))
		}
		if c := CompareTables(table, again); c != nil {
			t.Errorf("%s differs from itself: %v", fsys.name, c)
		}
	}
}

func TestReadMatrixTableRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"table.csv":          "does not end with a day",
		"2027-02-30.csv":     "does not end with a day",
		"x.csv":              "does not end with a day",
		"2027-01-01.csv":     "2027-01-01.csv:1: the first line is not",
		"a/x-2027-01-01.csv": "a/x-2027-01-01.csv:1: the first line is not",
	} {
		if table, err := ReadMatrixTable(name, strings.NewReader("x")); err == nil || table != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestCompareTables(t *testing.T) {
	doc, other := loinc("11488-4"), loinc("11490-0")
	table := func(columns ...map[auth.Coding]Cell) *MatrixTable {
		t.Helper()
		var b bytes.Buffer
		err := WriteMatrixTable(&b, func(yield func(MatrixCell) bool) {
			for c := range MatrixColumns() {
				for _, own := range columns {
					said, has := own[c.Coding]
					if c.Coding.System != auth.SystemProfession && !has {
						continue
					}
					for d := range DocumentTypes() {
						decision := Deny
						if d.Type == doc && has {
							decision = said
						}
						if !yield(MatrixCell{c.Coding, d.Type, decision, "s"}) {
							return
						}
					}
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		read, err := ReadMatrixTable("2027-01-01.csv", &b)
		if err != nil {
			t.Fatal(err)
		}
		return read
	}
	before := table(map[auth.Coding]Cell{g15("10"): Allow, g15("21"): Deny, g15("60"): Unknown, r85("330"): Allow})
	after := table(map[auth.Coding]Cell{g15("10"): Deny, g15("21"): Allow, r85("317"): Allow})
	got := CompareTables(before, after)
	if len(got) != 5 {
		t.Fatalf("%d columns change: %v", len(got), got)
	}
	for i, want := range []struct {
		column         auth.Coding
		added, dropped bool
		cells          int
		from, to       Cell
		opens, closes  bool
	}{
		{g15("10"), false, false, 1, Allow, Deny, false, true},
		{g15("21"), false, false, 1, Deny, Allow, true, false},
		{g15("60"), false, false, 1, Unknown, Deny, false, false},
		{r85("330"), false, true, typeCount, Allow, Unknown, false, true},
		{r85("317"), true, false, typeCount, Unknown, Allow, true, false},
	} {
		c := got[i]
		if c.Column != want.column || c.Added != want.added || c.Dropped != want.dropped || len(c.Cells) != want.cells {
			t.Errorf("%d: %+v", i, c)
			continue
		}
		first := c.Cells[0]
		if first.Type.Type != doc || first.From != want.from || first.To != want.to || first.Opens() != want.opens || first.Closes() != want.closes {
			t.Errorf("%d: %+v", i, first)
		}
	}
	if c := got[4].Cells[1]; c.Type.Type != other || c.Opens() || c.Closes() {
		t.Errorf("unknown to deny: %+v", c)
	}
}
