package dossier

import (
	"slices"
	"strings"
	"unicode"

	"opendmp/fhir"
	"opendmp/store"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// normalName is how names are compared, whoever wrote them: two names are the
// same if this gives the same for both. It keeps letters and digits alone,
// decomposed (NFKD), without case and accents, ligatures and barred letters
// taken apart as the civil registry writes them without; so hyphens, apostrophes
// of any shape, full stops and spaces have no part in it. "LE GOFF", "Le Goff"
// and "LEGOFF" are one name, so are "Jean-Pierre", "Jean Pierre" and
// "jean‑pierre", and so are "D’Œuvre" and "d'oeuvre". A part of a name is another
// name: "Jean" is not "Jean-Pierre". Without a letter or digit it gives "".
//
// Find tokens are made of it: who changes it makes the tokens of all dossiers
// anew, or nobody is found by traits (see traitToken).
func normalName(name string) string {
	// Decomposing again splits what folding put together.
	name = norm.NFKD.String(cases.Fold().String(norm.NFKD.String(name)))
	var b strings.Builder
	for _, r := range name {
		switch {
		case r == 'œ':
			b.WriteString("oe")
		case r == 'æ':
			b.WriteString("ae")
		case r == 'ø':
			b.WriteByte('o')
		case r == 'ł':
			b.WriteByte('l')
		case r == 'đ' || r == 'ð':
			b.WriteByte('d')
		case r == 'ı':
			b.WriteByte('i')
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Bounds of the names of one person that are found by: with them a dossier has
// 94 tokens of traits at most. Names beyond them are not found by.
const (
	maxFamilies = 4
	maxGivens   = 10
)

// extGivenNames lists the given names of the birth certificate (FR Core).
const extGivenNames = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name"

// traits are the identity traits of one person, names normalised. Of a person
// there may be several families and given names, each of which is theirs; a
// trait that is not known, or not asked for, is empty.
type traits struct {
	families, givens []string
	birthDate        string // whole, 1985-04-12
	gender           string
}

// traitsOf reads the traits of a Patient: family names of birth and of use; each
// given name, those of the birth certificate too, and the first two as one, for a
// compound name that was written in two. Former names and nicknames do not count.
func traitsOf(p *fhir.Resource) traits {
	t := traits{gender: p.Get("gender").Text()}
	if date := p.Get("birthDate").Text(); len(date) == len("2006-01-02") {
		t.birthDate = date
	}
	for n := range p.Get("name").Items() {
		if !slices.Contains([]string{"", "official", "usual", "maiden"}, n.Get("use").Text()) {
			continue
		}
		t.families = appendName(t.families, maxFamilies, n.Get("family").Text())
		t.givens = appendName(t.givens, maxGivens, givenNames(n)...)
	}
	return t
}

// givenNames returns the given names of a HumanName, the first one first.
func givenNames(n fhir.Node) []string {
	var names []string
	for g := range n.Get("given").Items() {
		names = append(names, g.Text())
	}
	if len(names) > 1 {
		names = append(names, names[0]+" "+names[1])
	}
	for x := range n.Get("extension").Items() {
		if x.Get("url").Is(extGivenNames) {
			list := x.Get("valueString").Text()
			names = append(names, strings.FieldsFunc(list, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })...)
		}
	}
	return names
}

// appendName adds normalised names that are not there yet, up to limit.
func appendName(names []string, limit int, more ...string) []string {
	for _, name := range more {
		if name = normalName(name); name != "" && len(names) < limit && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// are tells whether a person of these traits is the one that asked names.
func (t traits) are(asked fhir.Traits) bool {
	return (asked.Family == "" || slices.Contains(t.families, normalName(asked.Family))) &&
		(asked.Given == "" || slices.Contains(t.givens, normalName(asked.Given))) &&
		(asked.BirthDate == "" || asked.BirthDate == t.birthDate) &&
		(asked.Gender == "" || asked.Gender == t.gender)
}

// traitToken is the blind find token of three of the four traits, names
// normalised; the one left out is empty. Three are always enough for a search,
// so that one look-up finds whom any of them names. ok is false where fewer are
// given; the fourth is left out.
func (s *Service) traitToken(family, given, birthDate, gender string) (t store.Token, ok bool) {
	count := fhir.Traits{Family: family, Given: given, BirthDate: birthDate, Gender: gender}.Count()
	if count < minTraits {
		return store.Token{}, false
	}
	if count > minTraits {
		gender = ""
	}
	return s.vault.Find("traits", family, given, birthDate, gender), true
}

// traitTokens returns the tokens by which a person is found: one for each choice
// of three traits and each name of theirs.
func (s *Service) traitTokens(t traits) []store.Token {
	var tokens []store.Token
	add := func(family, given, birthDate, gender string) {
		if token, ok := s.traitToken(family, given, birthDate, gender); ok {
			tokens = append(tokens, token)
		}
	}
	for _, family := range t.families {
		for _, given := range t.givens {
			add(family, given, t.birthDate, "")
			add(family, given, "", t.gender)
		}
		add(family, "", t.birthDate, t.gender)
	}
	for _, given := range t.givens {
		add("", given, t.birthDate, t.gender)
	}
	return tokens
}

// moveTraits makes the Patient of a row found by the traits that it has after
// the change and by no others. before is nil when the dossier is opened, after
// when it is destroyed. Every write of a Patient calls it, in the same commit:
// tokens are written here alone, and a store filled without them finds nobody by
// traits until its Patients are written again.
func (ch *change) moveTraits(key store.RowKey, before, after *fhir.Resource) {
	had, has := ch.c.tokensOfTraits(before), ch.c.tokensOfTraits(after)
	for _, t := range had {
		if !slices.Contains(has, t) {
			ch.drop(t, key)
		}
	}
	for _, t := range has {
		if !slices.Contains(had, t) {
			ch.find(t, key)
		}
	}
}

// tokensOfTraits returns the tokens of a Patient, none of nil.
func (s *Service) tokensOfTraits(p *fhir.Resource) []store.Token {
	if p == nil {
		return nil
	}
	return s.traitTokens(traitsOf(p))
}
