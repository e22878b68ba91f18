package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"opendmp/auth"
)

// Matrix is the habilitation matrix: for each profession, role or title, the
// document types that it may read, by the date from which that holds
// (arrêté of 26 October 2023; POLICY L07). It is immutable and safe for
// concurrent use. The zero Matrix knows no cell.
type Matrix struct {
	tables []MatrixTable // by date in force, oldest first
}

// MatrixTable is one file: the cells of all its columns, in force from a date. It
// is immutable and safe for concurrent use; the zero MatrixTable has no column.
type MatrixTable struct {
	from    time.Time
	name    string
	columns map[string][]matrixColumn // by code: few systems share one
	cells   []Cell                    // column × document type, by place
	sources []string                  // idem
	classes map[string][]matrixClass  // by code
}

// matrixColumn is a profession, a role or a title.
type matrixColumn struct {
	coding auth.Coding
	place  int // of its first cell
}

// matrixClass is what a table says of a document of which only the class is known.
type matrixClass struct {
	coding auth.Coding
	types  []int // places of the document types of that class
}

// Cell returns what the matrix in force at an instant says of a document type for
// a profession with further roles. Unknown is the answer for all that it does not
// know: the profession, the type, an instant before the first table.
//
// The exercised profession is looked up first: a profession of TRE_G15, or the role
// or title under which the person works. One in training (TRE_G16) has the column
// of the profession: whether students read at all is for the rules to say
// (Settings.Students). Then come the roles. One that is a column too narrows what
// the profession may read and never widens it: Deny wins over Unknown, and Unknown
// over Allow. A profession of TRE_R291 says only that the person is known by their
// role (DOMAIN.md §5.4): without a column of its own it reads what every one of
// their roles of TRE_R85 may, and nothing without a role.
//
// Where there is no type, the class decides as its strictest type does. Cell does
// not allocate.
func (m *Matrix) Cell(profession auth.Coding, roles []auth.Coding, typ, class auth.Coding, at time.Time) Cell {
	t := m.InForce(at)
	if t == nil {
		return Unknown
	}
	place, ok := t.column(exercised(profession))
	if !ok {
		return t.byRole(profession, roles, typ, class)
	}
	c := t.cell(place, typ, class)
	for _, r := range roles {
		if place, ok := t.column(r); ok {
			c = stricter(c, t.cell(place, typ, class))
		}
	}
	return c
}

// exercised returns the profession that a profession in training trains for: both
// tables have the same codes. Others are returned as they are.
func exercised(profession auth.Coding) auth.Coding {
	if profession.System == auth.SystemProfessionTraining {
		profession.System = auth.SystemProfession
	}
	return profession
}

// byRole returns the strictest cell of the roles of a person who is known by their
// role, Unknown for anybody else. A role without a column is Unknown: nothing says
// what it may read, and no profession stands behind it.
func (t *MatrixTable) byRole(profession auth.Coding, roles []auth.Coding, typ, class auth.Coding) Cell {
	if profession.System != auth.SystemOtherProfession {
		return Unknown
	}
	c, found := Allow, false
	for _, r := range roles {
		if r.System != auth.SystemCareRole {
			continue // a skill, which no matrix has for a column
		}
		place, ok := t.column(r)
		if !ok {
			return Unknown
		}
		c, found = stricter(c, t.cell(place, typ, class)), true
	}
	if !found {
		return Unknown
	}
	return c
}

// InForce returns the last table whose date is not after at, nil if there is none.
func (m *Matrix) InForce(at time.Time) *MatrixTable {
	for i := len(m.tables) - 1; i >= 0; i-- {
		if !m.tables[i].from.After(at) {
			return &m.tables[i]
		}
	}
	return nil
}

func (t *MatrixTable) column(c auth.Coding) (place int, ok bool) {
	for _, col := range t.columns[c.Code] {
		if col.coding.System == c.System {
			return col.place, true
		}
	}
	return 0, false
}

func (t *MatrixTable) cell(column int, typ, class auth.Coding) Cell {
	if !typ.IsZero() {
		place := typePlace(typ)
		if place < 0 {
			return Unknown
		}
		return t.cells[column+place]
	}
	for _, k := range t.classes[class.Code] {
		if k.coding.System == class.System {
			return t.strictest(column, k.types)
		}
	}
	return Unknown
}

func (t *MatrixTable) strictest(column int, types []int) Cell {
	c := Allow
	for _, place := range types {
		c = stricter(c, t.cells[column+place])
	}
	return c
}

// stricter returns Deny if one of two is Deny, else Unknown if one is, else Allow.
func stricter(a, b Cell) Cell {
	if a == Deny || b == Deny {
		return Deny
	}
	return min(a, b)
}

// Source returns where a cell of the table in force comes from, as its file says;
// "" if there is no such cell.
func (m *Matrix) Source(profession, typ auth.Coding, at time.Time) string {
	t := m.InForce(at)
	if t == nil {
		return ""
	}
	column, ok := t.column(profession)
	place := typePlace(typ)
	if !ok || place < 0 {
		return ""
	}
	return t.sources[column+place]
}

// sourceSynthetic is the source of the cells that are invented for the sandbox.
const sourceSynthetic = "synthétique, bac à sable"

// Synthetic tells whether the table in force holds a cell that is invented: it
// must then be said wherever the matrix is shown, and is not for production.
func (m *Matrix) Synthetic(at time.Time) bool {
	t := m.InForce(at)
	return t != nil && slices.Contains(t.sources, sourceSynthetic)
}

// Unknown returns the cells that the files leave open, one line each, in their
// order: file, profession, type. A server in production does not start while
// there are any, unless its setting matrix-unknown is deny.
func (m *Matrix) Unknown() []string {
	var open []string
	for i := range m.tables {
		t := &m.tables[i]
		for _, c := range t.inOrder() {
			for place := range typeCount {
				if t.cells[c.place+place] == Unknown {
					open = append(open, fmt.Sprintf("%s: %s × %s", t.name, shortCoding(c.coding), typeName(documentType(place))))
				}
			}
		}
	}
	return open
}

// inOrder returns the columns as the file has them.
func (t *MatrixTable) inOrder() []matrixColumn {
	cs := make([]matrixColumn, len(t.cells)/typeCount)
	for _, same := range t.columns {
		for _, c := range same {
			cs[c.place/typeCount] = c
		}
	}
	return cs
}

// shortCoding names a coding by the table it is from: "TRE_G15-ProfessionSante|10".
func shortCoding(c auth.Coding) string {
	system := c.System
	if _, rest, ok := strings.Cut(system, "/NOS/"); ok {
		system, _, _ = strings.Cut(rest, "/")
	}
	return system + "|" + c.Code
}

func typeName(d DocumentType) string { return shortCoding(d.Type) + " " + d.Label }
