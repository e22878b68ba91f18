package sheet

import (
	"opendmp/auth"
	"opendmp/cmd/dmpd/internal/codes"
	"opendmp/policy"
)

const words = "x, oui, o, 1, allow or autorisé; non, n, 0 or deny"

// readWide reads a row for each document type.
func (r *reader) readWide(h header, rows []record) {
	lines := map[auth.Coding]int{}
	for _, row := range rows {
		if row.blank() {
			continue
		}
		r.extra(h, row)
		typ, ok := r.rowType(h, row)
		if !ok {
			continue
		}
		if first, twice := lines[typ]; twice {
			r.problem("line %d: %s stands on line %d already", row.line, r.typeName(typ), first)
			continue
		}
		lines[typ] = row.line
		for place, u := range h.uses {
			if u == cellOf {
				r.readCell(h, row, place, typ)
			}
		}
	}
	n := 0
	for _, columns := range h.columns {
		n += len(columns)
	}
	r.note("%d rows of document types, columns for %d professions, roles and titles", len(lines), n)
}

// extra names what stands beyond the headings.
func (r *reader) extra(h header, row record) {
	for place := range row.fields {
		if row.field(place) != "" && h.field(place) == "" {
			r.problem("line %d, column %s: %q stands under no heading", row.line, columnLetters(place), row.field(place))
		}
	}
}

// rowType returns the type of a row by its code, or its label where it has no code.
// A code and a label of two different types are a problem.
func (r *reader) rowType(h header, row record) (auth.Coding, bool) {
	code, label := row.field(h.place(typeCode)), row.field(h.place(typeLabel))
	name := code
	if code == "" {
		name = label
	} else if system := row.field(h.place(typeSystem)); system != "" {
		name = system + "|" + code
	}
	e, err := r.types.Find(name)
	if err != nil {
		r.problem("line %d: %v", row.line, err)
		return auth.Coding{}, false
	}
	if other, err := r.types.Find(label); code != "" && err == nil && other.Coding != e.Coding && codes.Fold(other.Label) != codes.Fold(e.Label) {
		r.problem("line %d: the code is that of %s, and the label that of %s", row.line, codes.Name(e), codes.Name(other))
		return auth.Coding{}, false
	}
	return e.Coding, true
}

// readCell reads one cell, for each column that its heading stands for.
func (r *reader) readCell(h header, row record, place int, typ auth.Coding) {
	written := row.field(place)
	for _, c := range h.columns[place] {
		k := key{c, typ}
		if written == "" {
			r.emptyCell(h, k, row.line, place)
			continue
		}
		d, ok := word(written)
		if !ok {
			r.problem("%s: %q is not a decision (%s)", h.where(row.line, place), written, words)
			r.lines[k] = row.line
			continue
		}
		r.put(k, row.line, d, r.source())
	}
}

func (r *reader) emptyCell(h header, k key, line, place int) {
	d, ok := r.options.Empty.cell()
	if !ok {
		r.lacks("%s: the cell of %s is empty", h.where(line, place), r.cellName(k))
		r.lines[k] = line
		return
	}
	r.put(k, line, d, r.source()+" (case vide)")
}

// readLong reads a line for each cell, in the format of the matrix files.
func (r *reader) readLong(h header, rows []record) {
	n := 0
	for _, row := range rows {
		if row.blank() {
			continue
		}
		n++
		r.extra(h, row)
		column, ok1 := r.longName(row, r.columns, h.place(professionSystem), h.place(professionCode))
		typ, ok2 := r.longName(row, r.types, h.place(typeSystem), h.place(typeCode))
		if !ok1 || !ok2 {
			continue
		}
		r.readDecision(h, row, key{column, typ})
	}
	r.note("%d lines, one for each cell", n)
}

// longName reads a coding: its system and its code, or its code alone.
func (r *reader) longName(row record, x *codes.Index, system, code int) (auth.Coding, bool) {
	name := row.field(code)
	if s := row.field(system); s != "" {
		name = s + "|" + name
	}
	e, err := x.Find(name)
	if err != nil {
		r.problem("line %d: %v", row.line, err)
	}
	return e.Coding, err == nil
}

func (r *reader) readDecision(h header, row record, k key) {
	place := h.place(decision)
	written := row.field(place)
	from := row.field(h.place(source))
	if from == "" {
		from = r.source()
	}
	d, ok := word(written)
	switch {
	case written == "":
		r.emptyCell(h, k, row.line, place)
	case ok:
		r.put(k, row.line, d, from)
	case written == policy.Unknown.String():
		r.put(k, row.line, policy.Unknown, from)
	default:
		r.problem("%s: %q is not a decision (%s; unknown)", h.where(row.line, place), written, words)
		r.lines[k] = row.line
	}
}
