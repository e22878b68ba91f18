package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The length of a written reason, in characters (POLICY §5), and how many of them are
// letters or digits, so that there is something to read.
const (
	minReason = 10
	maxReason = 500
	minWords  = 10
)

// IsReason tells whether a text can be kept and shown as a written reason, of a bris de
// glace (POLICY §5) or of a closing (G02): 10 to 500 characters after trimming, ten of
// them letters or digits, and nothing in it, but line feeds, that is not shown as it is
// (control and format characters, Cc and Cf).
func IsReason(reason string) bool {
	length := utf8.RuneCountInString(strings.TrimSpace(reason))
	if !utf8.ValidString(reason) || length < minReason || length > maxReason {
		return false
	}
	words := 0
	for _, r := range reason {
		switch {
		case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			return false // letters by their category that show nothing
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			words++
		case r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf):
			return false
		}
	}
	return words >= minWords
}

// IsTokenReason tells whether a text can be the reason that a token carries: an
// IsReason of one line.
func IsTokenReason(reason string) bool {
	return IsReason(reason) && !strings.Contains(reason, "\n")
}
