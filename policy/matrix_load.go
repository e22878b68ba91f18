package policy

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"opendmp/auth"
)

// MatrixError is the error of a matrix that cannot be used. Each of its texts is one
// line: file, line where there is one, and what is wrong.
type MatrixError struct {
	Problems []string // what stands in the files and should not
	Missing  []string // professions and cells that should and do not
}

func (e *MatrixError) Error() string {
	all := slices.Concat(e.Problems, e.Missing)
	return fmt.Sprintf("policy: matrix: %d problem(s)\n%s", len(all), strings.Join(all, "\n"))
}

// LoadMatrix reads the tables of a folder: files named AAAA-MM-JJ.csv by the day
// from which they hold, 00:00 UTC, with the columns
//
//	profession_system,profession_code,type_system,type_code,decision,source
//
// A table holds every document type of the DMP for every profession of TRE_G15
// and for each further column that it begins (TRE_R85, R94, R95, R291). The
// decision is allow, deny or unknown; the source says where it comes from.
//
// LoadMatrix reads everything before it answers: its error, a *MatrixError, lists
// all that is wrong. Other files of the folder, and folders in it, are ignored.
func LoadMatrix(fsys fs.FS) (*Matrix, error) {
	names, err := fs.Glob(fsys, "*.csv")
	if err != nil {
		return nil, err
	}
	l := &matrixLoader{}
	if len(names) == 0 {
		l.problem("no file AAAA-MM-JJ.csv")
	}
	m := &Matrix{}
	for _, name := range names { // sorted, and so by date
		if t, ok := l.file(fsys, name); ok {
			m.tables = append(m.tables, t)
		}
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// ReadMatrixTable reads one table in the format of LoadMatrix. Its day is the end of
// its name, so that a table can be prepared beside those in force under a name like
// prepared-2027-01-01.csv. It checks all that LoadMatrix checks; the error is a
// *MatrixError.
func ReadMatrixTable(name string, r io.Reader) (*MatrixTable, error) {
	l := &matrixLoader{}
	stem := strings.TrimSuffix(path.Base(name), ".csv")
	from, err := time.Parse(dayLayout, stem[max(0, len(stem)-len(dayLayout)):])
	if err != nil {
		l.problem("%s: its name does not end with a day, AAAA-MM-JJ.csv", name)
		return nil, l.err()
	}
	t := l.table(name, from, r)
	if err := l.err(); err != nil {
		return nil, err
	}
	return &t, nil
}

// dayLayout is how the names of tables tell their day.
const dayLayout = "2006-01-02"

// matrixLoader collects what is wrong.
type matrixLoader struct{ problems, missing []string }

// err returns all that was collected, nil if that is nothing.
func (l *matrixLoader) err() error {
	if len(l.problems)+len(l.missing) == 0 {
		return nil
	}
	return &MatrixError{l.problems, l.missing}
}

func (l *matrixLoader) lacks(format string, args ...any) {
	l.missing = append(l.missing, fmt.Sprintf(format, args...))
}

func (l *matrixLoader) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Sprintf(format, args...))
}

// file reads one table of a folder; false if it could not be opened.
func (l *matrixLoader) file(fsys fs.FS, name string) (MatrixTable, bool) {
	from, err := time.Parse(dayLayout, strings.TrimSuffix(path.Base(name), ".csv"))
	if err != nil {
		l.problem("%s: its name is not a day, AAAA-MM-JJ.csv", name)
		return MatrixTable{}, false
	}
	f, err := fsys.Open(name)
	if err != nil {
		l.problem("%s: cannot be opened", name)
		return MatrixTable{}, false
	}
	defer f.Close()
	return l.table(name, from, f), true
}

// table reads one table; what is missing is told only of one that could be read to
// its end.
func (l *matrixLoader) table(name string, from time.Time, r io.Reader) MatrixTable {
	b := newTableBuilder(l, name, from)
	if b.read(r) {
		b.checkComplete()
	}
	return b.MatrixTable
}

// tableBuilder fills one table. seen holds the line of each cell, 0 for none.
type tableBuilder struct {
	*matrixLoader
	MatrixTable
	seen []int
}

func newTableBuilder(l *matrixLoader, name string, from time.Time) *tableBuilder {
	b := &tableBuilder{matrixLoader: l, MatrixTable: MatrixTable{
		from:    from,
		name:    name,
		columns: map[string][]matrixColumn{},
		classes: map[string][]matrixClass{},
	}}
	for place := range typeCount {
		b.addToClass(documentType(place).Class, place)
	}
	return b
}

func (b *tableBuilder) addToClass(c auth.Coding, place int) {
	same := b.classes[c.Code]
	i := slices.IndexFunc(same, func(k matrixClass) bool { return k.coding == c })
	if i < 0 {
		b.classes[c.Code] = append(same, matrixClass{c, []int{place}})
		return
	}
	same[i].types = append(same[i].types, place)
}

const (
	fieldProfessionSystem = iota
	fieldProfessionCode
	fieldTypeSystem
	fieldTypeCode
	fieldDecision
	fieldSource
	fieldCount
)

const matrixHeader = "profession_system,profession_code,type_system,type_code,decision,source"

// read reads the records; false if the file is no CSV of the right columns.
func (b *tableBuilder) read(f io.Reader) bool {
	r := csv.NewReader(f)
	r.FieldsPerRecord = fieldCount
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil || strings.Join(header, ",") != matrixHeader {
		b.problem("%s:1: the first line is not %s", b.name, matrixHeader)
		return false
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			b.problem("%s: %v", b.name, err)
			return false
		}
		line, _ := r.FieldPos(0)
		b.record(line, record)
	}
}

// record takes one cell, or says why not.
func (b *tableBuilder) record(line int, record []string) {
	profession := auth.Coding{System: record[fieldProfessionSystem], Code: record[fieldProfessionCode]}
	typ := auth.Coding{System: record[fieldTypeSystem], Code: record[fieldTypeCode]}
	decision, known := parseCell(record[fieldDecision])
	good := true
	refuse := func(format string, args ...any) {
		b.problem("%s:%d: %s", b.name, line, fmt.Sprintf(format, args...))
		good = false
	}
	if !canBeColumn(profession) {
		refuse("unknown profession %q of %q", profession.Code, profession.System)
	}
	place := typePlace(typ)
	if place < 0 {
		refuse("unknown document type %q of %q", typ.Code, typ.System)
	}
	if !known {
		refuse("decision %q is not allow, deny or unknown", record[fieldDecision])
	}
	if strings.TrimSpace(record[fieldSource]) == "" {
		refuse("no source")
	}
	if !good {
		return
	}
	at := b.place(profession) + place
	if first := b.seen[at]; first != 0 {
		what := "repeats"
		if b.cells[at] != decision {
			what = "contradicts"
		}
		refuse("%s × %s %s line %d", shortCoding(profession), shortCoding(typ), what, first)
		return
	}
	b.cells[at], b.sources[at], b.seen[at] = decision, record[fieldSource], line
}

// place returns the place of the first cell of a column, which it begins if it is
// not there yet.
func (b *tableBuilder) place(c auth.Coding) int {
	if place, ok := b.column(c); ok {
		return place
	}
	place := len(b.cells)
	b.columns[c.Code] = append(b.columns[c.Code], matrixColumn{c, place})
	b.cells = append(b.cells, make([]Cell, typeCount)...)
	b.sources = append(b.sources, make([]string, typeCount)...)
	b.seen = append(b.seen, make([]int, typeCount)...)
	return place
}

// checkComplete names every cell that is not there, and every profession.
func (b *tableBuilder) checkComplete() {
	for code := range auth.Professions() {
		c := auth.Coding{System: auth.SystemProfession, Code: code}
		if _, ok := b.column(c); !ok {
			b.lacks("%s: no line for the profession %s", b.name, shortCoding(c))
		}
	}
	for _, c := range b.inOrder() {
		for place := range typeCount {
			if b.seen[c.place+place] == 0 {
				b.lacks("%s: no cell %s × %s", b.name, shortCoding(c.coding), typeName(documentType(place)))
			}
		}
	}
}

// canBeColumn tells whether a coding can be a column: a profession in force, or a
// role or title. The tables of roles and titles change often and are not held
// here: of those the form is checked.
func canBeColumn(c auth.Coding) bool {
	switch c.System {
	case auth.SystemProfession:
		for code := range auth.Professions() {
			if code == c.Code {
				return true
			}
		}
	case auth.SystemCareRole, auth.SystemSocial, auth.SystemTitle, auth.SystemOtherProfession:
		return c.Code != "" && !strings.ContainsFunc(c.Code, func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
		})
	}
	return false
}

func parseCell(word string) (Cell, bool) {
	for _, c := range [...]Cell{Unknown, Deny, Allow} {
		if c.String() == word {
			return c, true
		}
	}
	return Unknown, false
}
