package fhir

import "slices"

// Traits are the identity traits by which a search of patients names a person
// (POLICY §5, centre_15), as they were written; "" for one that was not given.
type Traits struct {
	Family, Given string
	// BirthDate is a whole date, without prefix: 1985-04-12.
	BirthDate string
	// Gender is a code of http://hl7.org/fhir/administrative-gender.
	Gender string
}

// Count returns how many of the four traits are given.
func (t Traits) Count() int {
	n := 0
	for _, trait := range [...]string{t.Family, t.Given, t.BirthDate, t.Gender} {
		if trait != "" {
			n++
		}
	}
	return n
}

// TraitsAlone tells whether the query holds identity traits and nothing beside
// them that an answer would have to follow: no other criterion, order, page or
// bare count.
func (q *Query) TraitsAlone() bool {
	other := func(c condition) bool { return c.param.role != tellsTrait }
	return q.Traits != Traits{} && !slices.ContainsFunc(q.conditions, other) && !q.sortGiven && !q.SummaryCount && q.Page == ""
}

const systemGender = "http://hl7.org/fhir/administrative-gender"

// traitParams are the identity traits of a person. They have no slot: what they
// are compared with is kept in the resource alone, and the door compares.
func traitParams() []Param {
	const doc = "For the physician of a regulation centre (centre_15) only: at least three of family, given, birthdate and gender, " +
		"alone in the query; 403 for others. "
	trait := func(name string, t ParamType, doc string) Param {
		return Param{Name: name, Type: t, Definition: r4Param + "individual-" + name, Doc: doc, role: tellsTrait}
	}
	gender := trait("gender", TokenParam, doc+"male, female, other or unknown.")
	gender.implied = systemGender
	return []Param{
		trait("family", StringParam, doc+"The whole name, of birth or of use, without regard to case, accents, hyphens, apostrophes and spaces."),
		trait("given", StringParam, doc+"One whole given name, compared like family; a compound one as one."),
		trait("birthdate", DateParam, doc+"The whole date, without prefix but eq."),
		gender,
	}
}

// tellTrait keeps a trait: one value of one person.
func (q *Query) tellTrait(c *condition) *refusal {
	to, value := &q.Traits.Family, c.raw
	switch c.param.Name {
	case "given":
		to = &q.Traits.Given
	case "birthdate":
		var prefix comparison
		to = &q.Traits.BirthDate
		if prefix, value = cutComparison(c.raw); prefix != cmpEq || len(value) != len("2006-01-02") {
			return refused("value", "Date de naissance entière attendue, sans préfixe : AAAA-MM-JJ.", "A whole birth date is expected, without a prefix: YYYY-MM-DD.")
		}
	case "gender":
		to, value = &q.Traits.Gender, c.any[0].text
		if !c.any[0].anySystem || !slices.Contains([]string{"male", "female", "other", "unknown"}, value) {
			return refused("value", "Sexe attendu : male, female, other ou unknown.", "A gender is expected: male, female, other or unknown.")
		}
	}
	if len(splitEscaped(c.raw, ',')) > 1 || *to != "" {
		return refused("invalid", "Une seule valeur par trait d’identité.", "One value for each identity trait.")
	}
	if c.param.Type == StringParam {
		value, _ = unescapeValue(value) // wantText has refused what cannot be
	}
	*to = value
	return nil
}
