package policy

import (
	"io/fs"
	"slices"
	"testing"

	"opendmp/auth"
)

// flips are the ways in which a cell may be taken for another.
var flips = []struct {
	from, to Cell
	alike    bool // no rule tells them apart: what the matrix does not know it does not allow
}{
	{Allow, Deny, false}, {Allow, Unknown, false}, {Deny, Allow, false}, {Unknown, Allow, false},
	{Deny, Unknown, true}, {Unknown, Deny, true},
}

// A cell that is taken for another makes a case fail.
func TestEveryClassOfCellMatters(t *testing.T) {
	cases := ruleCases(t)
	for _, f := range flips {
		red := slices.ContainsFunc(cases, func(k ruleCase) bool {
			if k.c.Cell == f.from {
				k.c.Cell = f.to
			}
			return k.check(rulebook) != ""
		})
		if red == f.alike {
			t.Errorf("%v taken for %v: a case fails: %v", f.from, f.to, red)
		}
	}
}

// cloned is a matrix whose cells may be changed.
func cloned(m *Matrix) *Matrix {
	c := &Matrix{slices.Clone(m.tables)}
	for i := range c.tables {
		c.tables[i].cells = slices.Clone(c.tables[i].cells)
	}
	return c
}

// flipped is an engine whose matrix has cells of one class taken for another.
func flipped(e *Engine, from, to Cell) *Engine {
	e.matrix = cloned(e.matrix)
	for _, table := range e.matrix.tables {
		for i, c := range table.cells {
			if c == from {
				table.cells[i] = to
			}
		}
	}
	return e
}

// A lookup that takes all cells of a class for another makes a scene end otherwise.
// Of the sandbox's table no cell is unknown: see TestUnknownCellsAreNotRead.
func TestEveryClassOfLookupMatters(t *testing.T) {
	for _, f := range flips {
		if f.from == Unknown || f.alike {
			continue
		}
		wrong := playScenes(t, func(change func(*Settings)) *Engine {
			return flipped(sandboxEngine(t, change), f.from, f.to)
		})
		if len(wrong) == 0 {
			t.Errorf("%v looked up as %v: no scene ends otherwise", f.from, f.to)
		}
	}
}

// What the published table leaves open nobody reads by it; taken for allowed, it
// would be read.
func TestUnknownCellsAreNotRead(t *testing.T) {
	published := func() *Engine {
		e := sandboxEngine(t, nil)
		e.matrix = loadMatrix(t, PublishedMatrix())
		return e
	}
	reads := func(e *Engine) (n int) {
		rec, cells := castDossier(t, "alix").record(), published().matrix
		for _, who := range []string{"pharmacien-dubois", "infirmier-moreau", "sage-femme-roux", "opticien-blanc"} {
			v := e.view(cast(t, who), rec, noon)
			for i := range rec.Len() {
				f := rec.Subject(i).Facts
				unknown := f.typ == typeDocument && cells.Cell(v.caller.profession, nil, f.docType, f.class, noon) == Unknown
				if unknown && v.Read(i).Extent() == Full && !v.mine(&f) {
					n++
				}
			}
		}
		return n
	}
	if n := reads(published()); n != 0 {
		t.Errorf("%d documents are read by cells that are unknown", n)
	}
	if n := reads(flipped(published(), Unknown, Allow)); n < 10 {
		t.Errorf("only %d documents would be read by those cells: the test tells nothing", n)
	}
}

// Each cell of each table in use is looked up in its own place: changed alone, it is
// seen in its row of the file, and in no other of its column.
func TestEveryCellMatters(t *testing.T) {
	for _, c := range []struct {
		fsys fs.FS
		name string
	}{{PublishedMatrix(), publishedTable}, {SandboxMatrix(), sandboxTable}} {
		file := naive(t, c.fsys, c.name)
		m := cloned(loadMatrix(t, c.fsys))
		var keys []cellKey
		for k := range file {
			keys = append(keys, k)
		}
		cells, columns := m.InForce(matrixDay).cells, m.InForce(matrixDay).inOrder()
		if len(keys) != len(cells) {
			t.Fatalf("%s: %d cells in the file, %d in the table", c.name, len(keys), len(cells))
		}
		seen := map[cellKey]int{}
		for i, was := range cells {
			cells[i] = (was + 1) % 3
			column := i / typeCount * typeCount
			coding := columns[i/typeCount].coding
			for place := range typeCount {
				k := cellKey{coding, documentType(place).Type}
				if got := m.Cell(k[0], nil, k[1], auth.Coding{}, matrixDay); got.String() != file[k] {
					seen[k]++
					if column+place != i {
						t.Errorf("%s: the flip of cell %d shows at %v", c.name, i, k)
					}
				}
			}
			cells[i] = was
		}
		for _, k := range keys {
			if seen[k] != 1 {
				t.Errorf("%s: %v is seen flipped %d times", c.name, k, seen[k])
			}
		}
	}
}
