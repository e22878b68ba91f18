package fhir

import "strings"

// codesOf returns the codes of a value set that is known here, as the search values
// of a parameter have them: what R4 requires for the element of type code that it
// compares, the value sets of the profiles that Validate checks, and those of the ANS
// whose content is known. A version after "|" is not compared, for there is one of each.
func codesOf(typ string, p *Param, url string) (map[Ident]bool, bool) {
	url, _, _ = strings.Cut(url, "|")
	set := make(map[Ident]bool)
	if b := requiredOf(typ, p); b != nil && b.url == url {
		for _, code := range b.codes {
			set[Ident{"", code}] = true
		}
		return set, true
	}
	known := knownSet(url)
	if known == nil {
		return nil, false
	}
	for _, coding := range known.codes {
		system, code, _ := strings.Cut(coding, "|")
		for _, form := range systemForms(system) {
			form, code := canonicalToken(form, code)
			if form == p.implied {
				form = ""
			}
			set[Ident{form, code}] = true
		}
	}
	return set, true
}

// systemForms are the URLs that a code system goes by: a resource keeps the one it
// came with, and only some have one form in search values (CanonicalCoding).
func systemForms(url string) []string {
	if s := codeSystemOf(url); s != nil {
		return s.urls
	}
	return []string{url}
}

// wantCodes reads the value of :in and :not-in: one canonical URL.
func wantCodes(typ string, c *condition, value string) *refusal {
	set, ok := codesOf(typ, c.param, value)
	if !ok {
		return refused("not-found", "Jeu de valeurs inconnu de ce serveur.", "This server does not know the value set.")
	}
	c.set = set
	return nil
}

// requiredOf returns the value set that R4 requires of what a parameter compares,
// nil if it is no element of type code of the resource itself.
func requiredOf(typ string, p *Param) *binding {
	if p.implied == "" || len(p.paths) != 1 || len(p.paths[0]) != 1 {
		return nil
	}
	row := resourceNamed(typ).element(p.paths[0][0])
	if row == nil || row.binding == 0 {
		return nil
	}
	return &bindingTable[row.binding]
}
