package sheet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"opendmp/auth"
	"opendmp/cmd/dmpd/internal/codes"
	"opendmp/policy"
)

// whole is a sheet as a spreadsheet has it, decided by a rule of its own: a title,
// the headings, a row for each type and a column for each profession.
func whole() [][]string {
	rows := [][]string{{"Matrice d’habilitation", "essai"}, {"code", "libellé"}}
	for c := range professions() {
		rows[1] = append(rows[1], c.Label)
	}
	for d := range policy.DocumentTypes() {
		row := []string{d.Type.Code, d.Label}
		for c := range professions() {
			row = append(row, map[bool]string{true: "X", false: "non"}[decided(c.Coding, d.Type)])
		}
		rows = append(rows, row)
	}
	return rows
}

func professions() func(func(policy.MatrixColumn) bool) {
	return func(yield func(policy.MatrixColumn) bool) {
		for c := range policy.MatrixColumns() {
			if c.Coding.System == auth.SystemProfession && !yield(c) {
				return
			}
		}
	}
}

func decided(column, typ auth.Coding) bool { return (len(typ.Code)+int(column.Code[0]))%2 == 0 }

// long is the same in the form of the matrix files.
func long() [][]string {
	rows := [][]string{{"profession_system", "profession_code", "type_system", "type_code", "decision", "source"}}
	for c := range professions() {
		for d := range policy.DocumentTypes() {
			decision := map[bool]string{true: "allow", false: "deny"}[decided(c.Coding, d.Type)]
			rows = append(rows, []string{c.Coding.System, c.Coding.Code, d.Type.System, d.Type.Code, decision, "tableau importé : t.csv"})
		}
	}
	return rows
}

// export writes rows as a spreadsheet does.
func export(rows [][]string, separator string) string {
	var b strings.Builder
	for _, row := range rows {
		fields := slices.Clone(row)
		for i, f := range fields {
			if strings.ContainsAny(f, separator+"\"\n") {
				fields[i] = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
			}
		}
		b.WriteString(strings.Join(fields, separator) + "\r\n")
	}
	return b.String()
}

func options() Options {
	return Options{Name: "t.csv", Empty: Refuse, Missing: Refuse, Columns: codes.Columns()}
}

func encoded(t *testing.T, name, text string) []byte {
	t.Helper()
	var b []byte
	var err error
	switch name {
	case "utf-8":
		return []byte(text)
	case "utf-8 with its mark":
		return []byte("\uFEFF" + text)
	case "utf-16":
		b, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text))
	default:
		b, err = charmap.Windows1252.NewEncoder().Bytes([]byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Whatever the form, the separator and the encoding, the cells are the same.
func TestEveryExportReadsTheSame(t *testing.T) {
	for form, rows := range map[string][][]string{"wide": whole(), "long": long()} {
		for _, separator := range []string{";", ",", "\t"} {
			for _, encoding := range []string{"utf-8", "utf-8 with its mark", "utf-16", "windows-1252"} {
				t.Run(fmt.Sprintf("%s %q %s", form, separator, encoding), func(t *testing.T) {
					r, err := Read(encoded(t, encoding, export(rows, separator)), options())
					if err != nil {
						t.Fatal(err)
					}
					n := 0
					for c := range r.Cells() {
						n++
						if (c.Decision == policy.Allow) != decided(c.Column, c.Type) || c.Decision == policy.Unknown || c.Source != "tableau importé : t.csv" {
							t.Fatalf("%+v", c)
						}
					}
					if n != 24*103 {
						t.Errorf("%d cells", n)
					}
				})
			}
		}
	}
}

// decisions counts the cells of a result by decision.
func decisions(r *Result) map[policy.Cell]int {
	n := map[policy.Cell]int{}
	for c := range r.Cells() {
		n[c.Decision]++
	}
	return n
}

func TestWords(t *testing.T) {
	for _, w := range []string{"X", "x", "oui", "Oui", "O", "o", "1", "allow", "autorisé", "autorise\u0301", "AUTORISÉE", " x "} {
		if d, ok := word(w); !ok || d != policy.Allow {
			t.Errorf("%q: %v %v", w, d, ok)
		}
	}
	for _, w := range []string{"non", "NON", "N", "n", "0", "deny"} {
		if d, ok := word(w); !ok || d != policy.Deny {
			t.Errorf("%q: %v %v", w, d, ok)
		}
	}
	for _, w := range []string{"", "?", "2", "peut-être", "unknown", "x*", "(non)", "oui (1)", "vrai", "-"} {
		if d, ok := word(w); ok || d != policy.Unknown {
			t.Errorf("%q: %v %v", w, d, ok)
		}
	}
}

func TestFills(t *testing.T) {
	for name, c := range map[string]struct {
		change func([][]string) [][]string
		set    func(*Options)
		want   map[policy.Cell]int // against the whole sheet: how many more
		source string
	}{
		"empty is deny": {
			func(r [][]string) [][]string { r[5][4] = ""; return r },
			func(o *Options) { o.Empty = Deny; o.Source = "arrêté" }, map[policy.Cell]int{policy.Deny: 1}, "arrêté (case vide)"},
		"empty is unknown": {
			func(r [][]string) [][]string { r[5][4] = ""; return r },
			func(o *Options) { o.Empty = Unknown }, map[policy.Cell]int{policy.Unknown: 1}, "tableau importé : t.csv (case vide)"},
		"a missing row is unknown": {
			func(r [][]string) [][]string { return slices.Delete(r, 5, 6) },
			func(o *Options) { o.Missing = Unknown }, map[policy.Cell]int{policy.Unknown: 24}, "absent de t.csv"},
		"a missing column is deny": {
			func(r [][]string) [][]string {
				for i := range r[1:] {
					r[i+1] = slices.Delete(r[i+1], 4, 5)
				}
				return r
			},
			func(o *Options) { o.Missing = Deny }, map[policy.Cell]int{policy.Deny: 103}, "absent de t.csv"},
	} {
		t.Run(name, func(t *testing.T) {
			rows := c.change(whole())
			o := options()
			c.set(&o)
			r, err := Read([]byte(export(rows, ";")), o)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for cell := range r.Cells() {
				if cell.Source == c.source {
					found++
					if c.want[cell.Decision] == 0 {
						t.Errorf("%+v", cell)
					}
				}
			}
			for _, want := range c.want {
				if found != want {
					t.Errorf("%d cells from %q, want %d", found, c.source, want)
				}
			}
			if n := decisions(r); n[policy.Allow]+n[policy.Deny]+n[policy.Unknown] != 24*103 {
				t.Errorf("%v", n)
			}
		})
	}
}

// One heading of the official table can stand for several professions, and a role can
// be a column.
func TestHeadings(t *testing.T) {
	rows := whole()
	infirmier := slices.Index(rows[1], "Infirmier")
	psychiatric := slices.Index(rows[1], "Infirmier psychiatrique")
	rows[1][infirmier] = "Infirmiers et\ninfirmières"
	rows[1][psychiatric] = "R85|330"
	o := options()
	o.Headings = map[string][]auth.Coding{"Infirmiers et infirmières": {
		{System: auth.SystemProfession, Code: "60"}, {System: auth.SystemProfession, Code: "69"},
	}}
	r, err := Read([]byte(export(rows, ";")), o)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[auth.Coding]int{}
	for c := range r.Cells() {
		seen[c.Column]++
		if c.Column == (auth.Coding{System: auth.SystemProfession, Code: "69"}) && (c.Decision == policy.Allow) != decided(auth.Coding{Code: "60"}, c.Type) {
			t.Errorf("%+v", c)
		}
	}
	if len(seen) != 25 || seen[auth.Coding{System: auth.SystemCareRole, Code: "330"}] != 103 {
		t.Errorf("%v", seen)
	}
}

func TestReadRefuses(t *testing.T) {
	set := func(row, column int, value string) func([][]string) [][]string {
		return func(r [][]string) [][]string { r[row][column] = value; return r }
	}
	for name, c := range map[string]struct {
		rows              [][]string
		change            func([][]string) [][]string
		problems, missing []string
	}{
		"unknown code":          {whole(), set(2, 0, "11488-5"), []string{`line 3: unknown document type "11488-5"; nearest: LOINC|11488-4`}, []string{"no row for LOINC|11488-4"}},
		"unknown label":         {whole(), func(r [][]string) [][]string { r[2][0], r[2][1] = "", "CR ou fiche de consultation"; return r }, []string{`line 3: unknown document type "CR ou fiche de consultation"`}, []string{"no row for LOINC|11488-4"}},
		"ambiguous label":       {whole(), set(7, 0, ""), []string{"line 8: \"CR d'anatomie et de cytologie pathologiques\" stands for LOINC|11526-1"}, []string{"no row for LOINC|11526-1"}},
		"code of another":       {whole(), set(2, 1, "Synthèse psychiatrique"), []string{"line 3: the code is that of LOINC|11488-4 CR ou fiche de consultation ou de visite, and the label that of LOINC|68599-0"}, []string{"no row for LOINC|11488-4"}},
		"unknown profession":    {whole(), set(1, 2, "Médecins"), []string{`line 2, column C: unknown profession, role or title "Médecins"; nearest: G15|10 Médecin`}, []string{"no column for the profession G15|10"}},
		"profession twice":      {whole(), set(1, 3, "G15|10"), []string{"line 2, column D (G15|10): G15|10 Médecin is column C already"}, []string{"no column for the profession G15|21"}},
		"row twice":             {whole(), func(r [][]string) [][]string { return append(r, r[2]) }, []string{"line 106: LOINC|11488-4 CR ou fiche de consultation ou de visite stands on line 3 already"}, nil},
		"unknown word":          {whole(), set(4, 5, "peut-être"), []string{`line 5, column F (Opticien-Lunetier): "peut-être" is not a decision`}, nil},
		"empty cell":            {whole(), set(4, 5, " "), nil, []string{"line 5, column F (Opticien-Lunetier): the cell of G15|28 Opticien-Lunetier × LOINC|11502-2"}},
		"a short row":           {whole(), func(r [][]string) [][]string { r[4] = r[4][:len(r[4])-1]; return r }, nil, []string{"line 5, column Z (Manipulateur ERM): the cell of G15|98"}},
		"beyond the headings":   {whole(), func(r [][]string) [][]string { r[4] = append(r[4], "x"); return r }, []string{`line 5, column AA: "x" stands under no heading`}, nil},
		"two columns of codes":  {whole(), func(r [][]string) [][]string { r[1][1] = "type_code"; return r }, []string{"line 2, column B (type_code): a second column of that use"}, nil},
		"long, unknown code":    {long(), set(1, 1, "93"), []string{`line 2: unknown profession, role or title "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante|93"`}, []string{"no cell for G15|10 Médecin × LOINC|11488-4"}},
		"long, unknown type":    {long(), set(1, 2, "http://loinc.com"), []string{`line 2: unknown document type "http://loinc.com|11488-4"`}, []string{"no cell for G15|10 Médecin × LOINC|11488-4"}},
		"long, unknown word":    {long(), set(1, 4, "ALLOWED"), []string{`line 2, column E (decision): "ALLOWED" is not a decision`}, nil},
		"long, empty":           {long(), set(1, 4, ""), nil, []string{"line 2, column E (decision): the cell of G15|10 Médecin × LOINC|11488-4"}},
		"long, a cell twice":    {long(), func(r [][]string) [][]string { return append(r, r[1]) }, []string{"line 2474: G15|10 Médecin × LOINC|11488-4 CR ou fiche de consultation ou de visite stands on line 2 already"}, nil},
		"long, a role half way": {long(), func(r [][]string) [][]string { return append(r, []string{"R85", "330", "", "11488-4", "allow", ""}) }, nil, slices.Repeat([]string{"no cell for R85|330 Coordonnateur de parcours × "}, 102)},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Read([]byte(export(c.change(c.rows), ";")), options())
			var refused *policy.MatrixError
			if !errors.As(err, &refused) || r != nil {
				t.Fatalf("%v, %v", r, err)
			}
			same(t, refused.Problems, c.problems)
			same(t, refused.Missing, c.missing)
		})
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d, want %d: %q", len(got), len(want), got[:min(5, len(got))])
		return
	}
	for i := range got {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

func TestReadRefusesWhatIsNoTable(t *testing.T) {
	for name, c := range map[string]struct{ data, encoding, want string }{
		"xlsx":             {"PK\x03\x04...", "", "export the sheet as CSV"},
		"xls":              {"\xD0\xCF\x11\xE0...", "", "export the sheet as CSV"},
		"binary":           {"code;\x00", "", "export the sheet as CSV"},
		"empty":            {"", "", "no line of headings"},
		"no headings":      {"a;b\n1;2\n", "", "no line of headings"},
		"one column":       {"code\n11488-4\n", "", "no line of headings"},
		"a bare quote":     {"code;libellé;10\n\"11488-4;x\n", "", "not CSV"},
		"not UTF-8":        {"code;libell\xe9\n", "utf-8", "not UTF-8"},
		"unknown encoding": {"code;10\n", "ebcdic", `encoding "ebcdic" is not`},
		"too large":        {strings.Repeat("x", maxSize+1), "", "not a matrix"},
	} {
		o := options()
		o.Encoding = c.encoding
		if r, err := Read([]byte(c.data), o); err == nil || r != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A role that is newer than the tables of the program is refused until a person
// says that it is one.
func TestAcceptedCodes(t *testing.T) {
	rows := whole()
	for i := range rows[1:] {
		rows[i+1] = append(rows[i+1], map[bool]string{true: "R85|378", false: "x"}[i == 0])
	}
	if _, err := Read([]byte(export(rows, ";")), options()); err == nil || !strings.Contains(err.Error(), `"R85|378"`) {
		t.Errorf("%v", err)
	}
	o := options()
	for _, bad := range []string{"378", "G15|378", "R85|", "R85|3 7", "R85|3'7", "R85|37\n", "X|1"} {
		if err := o.Columns.Accept(bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	if err := o.Columns.Accept("R85|378"); err != nil {
		t.Fatal(err)
	}
	r, err := Read([]byte(export(rows, ";")), o)
	if err != nil {
		t.Fatal(err)
	}
	if n := decisions(r); n[policy.Allow]+n[policy.Deny] != 25*103 {
		t.Errorf("%v", n)
	}
}

func TestColumnLetters(t *testing.T) {
	for place, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA"} {
		if got := columnLetters(place); got != want {
			t.Errorf("%d: %s", place, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("code;libellé;10\n11488-4;CR;x\n"), "")
	f.Add([]byte("\xFF\xFEc\x00"), "")
	f.Add([]byte("profession_code,type_code,decision\n10,11488-4,allow\n"), "latin-1")
	f.Fuzz(func(t *testing.T, data []byte, encoding string) {
		o := options()
		o.Encoding, o.Empty, o.Missing = encoding, Unknown, Unknown
		r, err := Read(data, o)
		if (r == nil) == (err == nil) {
			t.Fatal(r, err)
		}
	})
}
