package directory

import (
	"strings"
	"unicode"

	"opendmp/fhir"
)

// key returns a name as it is compared: its words without case, accents and
// punctuation, with one space between: "meddah laid" for "MEDDAH-LAÏD".
func key(s string) string {
	folded := fhir.Fold(s)
	return strings.Join(strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}

// joined puts words together, without those that are empty.
func joined(words ...string) string {
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// beginsWord tells whether a word of name, or the name from that word on, begins
// with what is asked. Both are keys.
func beginsWord(name, asked string) bool {
	return strings.HasPrefix(name, asked) || strings.Contains(name, " "+asked)
}

// beginsEach tells whether each of the words begins one of the name.
func beginsEach(name string, words []string) bool {
	for _, w := range words {
		if !beginsWord(name, w) {
			return false
		}
	}
	return true
}

// SameName tells whether a name as somebody wrote it beside an identifier may be
// that of the directory: every word of the family name is in it, in whatever order,
// case or accent, and with whatever else.
func (p Professional) SameName(written string) bool {
	return holdsWords(key(written), key(p.Family))
}

// SameName tells whether a name as somebody wrote it may be that of the structure:
// it holds one of its names, or a part of at least one word of four letters.
func (s Structure) SameName(written string) bool {
	asked := key(written)
	for _, name := range []string{key(s.Name), key(s.Trade)} {
		if name == "" {
			continue
		}
		if holdsWords(asked, name) || longWord(asked) && holdsWords(name, asked) {
			return true
		}
	}
	return false
}

// holdsWords tells whether all words of a key are whole words of another.
func holdsWords(text, words string) bool {
	for w := range strings.FieldsSeq(words) {
		if !strings.Contains(" "+text+" ", " "+w+" ") {
			return false
		}
	}
	return words != ""
}

func longWord(text string) bool {
	for w := range strings.FieldsSeq(text) {
		if len(w) >= 4 {
			return true
		}
	}
	return false
}
