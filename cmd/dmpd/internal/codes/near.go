package codes

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns what two spellings of a name share: letters without accents and
// case, digits, and one space for all the rest.
func Fold(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(cases.Fold().String(name)) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case !unicode.Is(unicode.Mn, r):
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// maxNear is how many names are suggested at most.
const maxNear = 2

// nearest returns the entries whose code or label is a few letters away from a name,
// the nearest first; none if nothing is like it.
func (x *Index) nearest(name string) []Entry {
	type candidate struct {
		Entry
		distance int
	}
	folded := []rune(Fold(name))
	limit := max(1, len(folded)/3)
	var near []candidate
	for _, e := range x.entries {
		d := min(distance(folded, []rune(Fold(e.Coding.Code))), distance(folded, []rune(Fold(e.Label))))
		if d <= limit {
			near = append(near, candidate{e, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var entries []Entry
	for _, c := range near[:min(maxNear, len(near))] {
		entries = append(entries, c.Entry)
	}
	return entries
}

// distance is that of Levenshtein: the letters to add, drop or change.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			change := diagonal
			if x != y {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
