package fhir

import "strings"

// splitEscaped splits s at each sep that has no backslash before it. The escapes
// stay.
func splitEscaped(s string, sep byte) []string {
	var parts []string
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

// unescapeValue resolves the escapes of R4 §3.1.1.4.5: \, \| \$ and \\. Another
// one is not FHIR and could be read in two ways.
func unescapeValue(s string) (string, bool) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
			if i == len(s) || strings.IndexByte(`,|$\`, s[i]) < 0 {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

func badEscape() *refusal {
	return refused("value", `Échappement inconnu ; sont permis \, \| \$ et \\.`, `Unknown escape; \, \| \$ and \\ are allowed.`)
}

func emptyValue() *refusal {
	return refused("value", "Une des valeurs est vide.", "One of the values is empty.")
}

// wantToken reads code, system|code, |code or system|; an id for _id.
func wantToken(p *Param, s string) ([]want, *refusal) {
	if p.role == findsID {
		if !validID(s) {
			return nil, refused("value", "Identifiant logique attendu.", "A logical id is expected.")
		}
		return []want{{anySystem: true, text: s}}, nil
	}
	parts := splitEscaped(s, '|')
	for i := range parts {
		var ok bool
		if parts[i], ok = unescapeValue(parts[i]); !ok {
			return nil, badEscape()
		}
	}
	var w want
	switch {
	case len(parts) > 2:
		return nil, refused("value", "Plus d’une barre ; forme attendue : système|code.", "More than one bar; system|code is expected.")
	case len(parts) == 1:
		w = want{anySystem: true, text: parts[0]}
	default:
		w = want{system: parts[0], text: parts[1], anyCode: parts[1] == ""}
	}
	if w.system == "" && w.text == "" {
		return nil, emptyValue()
	}
	if p.absent != "" && w.text != "true" && w.text != "false" {
		return nil, refused("value", "true ou false attendu.", "true or false is expected.")
	}
	given := w.text
	w.system, w.text = canonicalToken(w.system, w.text)
	if p.implied != "" && w.system == p.implied {
		w.system, w.anySystem = "", true
	}
	if !w.anySystem {
		return []want{w}, nil
	}
	return withBareNumber(w, given), nil
}

// withBareNumber adds, to a value without system, the professional that it would
// be with the PS_IdNat prefix: values are kept without it.
func withBareNumber(w want, given string) []want {
	i := CanonicalIdent(Ident{SystemIDNPS, given})
	if i.System == SystemIDNPS || i.Value == given {
		return []want{w}
	}
	return []want{w, {system: i.System, text: i.Value}}
}

// wantDate reads a date with or without prefix.
func wantDate(s string) ([]want, *refusal) {
	c, rest := cutComparison(s)
	// A plus that was not percent-encoded arrives as a space; nothing else in a
	// date is one.
	when, ok := ParseInterval(strings.Replace(rest, " ", "+", 1))
	if !ok {
		return nil, refused("value", "Date FHIR attendue, avec ou sans préfixe (eq ne gt lt ge le sa eb ap).",
			"A FHIR date is expected, with or without a prefix (eq ne gt lt ge le sa eb ap).")
	}
	return []want{{comparison: c, when: when}}, nil
}

// wantText reads a string: as written for :exact, folded otherwise.
func wantText(mod modifier, s string) ([]want, *refusal) {
	s, ok := unescapeValue(s)
	if !ok {
		return nil, badEscape()
	}
	if mod != modExact {
		s = fold(s)
	}
	if s == "" {
		return nil, emptyValue()
	}
	return []want{{text: s}}, nil
}

// wantReference reads id, Type/id, an absolute URL or a URN. A URL under the
// server's own base is Type/id.
func wantReference(b Base, p *Param, s string) ([]want, *refusal) {
	s, ok := unescapeValue(s)
	if !ok {
		return nil, badEscape()
	}
	if own, ok := b.Relative(s); ok {
		s = own
	}
	typ, id, typed := strings.Cut(s, "/")
	switch {
	case validID(s) && len(p.targets) == 1:
		return []want{{text: p.targets[0] + "/" + s}}, nil
	case validID(s):
		return []want{{text: "/" + s, suffix: true}}, nil
	case typed && validTypeName(typ) && validID(id):
		return []want{{text: s}}, nil
	case absolute(s):
		return []want{{text: s}}, nil
	}
	return nil, refused("value", "Référence attendue : id, Type/id, URL absolue ou URN.", "A reference is expected: id, Type/id, absolute URL or URN.")
}

// Relative returns the part of a URL after the base, whichever it is of several, and
// false where the URL is under none.
func (b Base) Relative(url string) (string, bool) {
	for one := range strings.FieldsSeq(string(b)) {
		if rest, ok := strings.CutPrefix(url, one); ok && strings.HasPrefix(rest, "/") {
			return rest[1:], true
		}
	}
	return "", false
}

func absolute(s string) bool {
	for _, scheme := range [...]string{"urn:uuid:", "urn:oid:", "https://", "http://"} {
		if rest, ok := strings.CutPrefix(s, scheme); ok && rest != "" {
			return !strings.ContainsAny(s, " ?#")
		}
	}
	return false
}

// validID tells whether s may be a logical id ([A-Za-z0-9\-\.]{1,64}). Dots alone
// are refused: a path would mean something else by them.
func validID(s string) bool {
	if s == "" || len(s) > 64 || strings.Trim(s, ".") == "" {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// validTypeName tells whether s has the form of a resource type.
func validTypeName(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
