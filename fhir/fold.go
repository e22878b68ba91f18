package fhir

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns a name as searches on strings compare it.
func Fold(s string) string { return fold(s) }

// fold returns s as searches on strings compare it: without case, accents,
// ligatures, typographic apostrophes and superfluous spaces (R4 §3.1.1.4.6 leaves
// the choice). It gives "coeur d'helene" for "Cœur  d’Hélène".
func fold(s string) string {
	if !plain(s) {
		s = foldUnicode(s)
	}
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}

// plain tells whether s is ASCII.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func foldUnicode(s string) string {
	// Decomposing again splits what folding put together, and some letters have a
	// case only once decomposed.
	s = norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s)))
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'œ':
			b.WriteString("oe")
		case r == 'æ':
			b.WriteString("ae")
		case r == '’' || r == '‘':
			b.WriteByte('\'')
		case r == '‐' || r == '‑':
			b.WriteByte('-')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
