package policy

import (
	"slices"

	"opendmp/auth"
	"opendmp/fhir"
)

// rule is one rule of POLICY.md. It has no error result: what it cannot read it
// refuses, or is silent about, which refuses too.
type rule struct {
	id       string // of POLICY.md; what has no id there is named by its section
	sentence fhir.Text
	source   string // article of law, or section of DOMAIN.md or POLICY.md
	on       actSet
	class    Refusal   // of its refusal, where the act does not hide it
	told     fhir.Text // to the caller, in the classes NotMethod and Unprocessable
	aside    bool      // the refusal depends on nothing of the dossier: told in the class Forbidden too
	judge    func(Case) Effect
}

// table is every rule, in the order in which their refusals count for class and
// text: what concerns the caller alone, then what concerns the dossier, then the
// document. Rows of one rule stand together.
var table = concat(rulesOfCallers, rulesOfReading, rulesOfWriting, rulesOfManaging, rulesOfTeams, rulesOfExplaining)

// rulebook is the table, by act.
var rulebook = newBook(table)

func concat(parts ...[]rule) []rule {
	var all []rule
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// book is a table of rules with, for each act, the places of its rules.
type book struct {
	rules []rule
	byAct [acts][]uint8
}

func newBook(rules []rule) *book {
	b := &book{rules: rules}
	for a := range acts {
		for i := range rules {
			if rules[i].on.has(a) {
				b.byAct[a] = append(b.byAct[a], uint8(i))
			}
		}
	}
	return b
}

func (b *book) of(a Act) []uint8 {
	if a >= acts {
		return nil
	}
	return b.byAct[a]
}

// Rule describes one rule, for the documentation and the history.
type Rule struct {
	ID       string
	Sentence fhir.Text
	Source   string
}

// Rules returns the rules, in their order, each once.
func Rules() []Rule {
	var rules []Rule
	for _, r := range table {
		if !slices.ContainsFunc(rules, func(known Rule) bool { return known.ID == r.id }) {
			rules = append(rules, Rule{ID: r.id, Sentence: r.sentence, Source: r.source})
		}
	}
	return rules
}

// actSet is a set of acts.
type actSet uint64

func on(as ...Act) actSet {
	var s actSet
	for _, a := range as {
		s |= 1 << a
	}
	return s
}

func (s actSet) has(a Act) bool { return s&(1<<a) != 0 }

// Sets of acts that rules share.
const (
	everything actSet = 1<<acts - 1

	readings = 1<<ActRead | 1<<ActReadPatient | 1<<ActReadConsent | 1<<ActReadRelated | 1<<ActReadTeam |
		1<<ActSearch | 1<<ActSearchConsent | 1<<ActSearchRelated | 1<<ActSearchTeam | 1<<ActExplain
	changes = 1<<ActReplace | 1<<ActSupersede | 1<<ActDelete | 1<<ActStatus |
		1<<ActMask | 1<<ActUnmask | 1<<ActHide | 1<<ActShow | 1<<ActHideReps | 1<<ActShowReps |
		1<<ActArchive | 1<<ActArchiveList | 1<<ActTouch
	additions = 1<<ActAdd | 1<<ActAddList
	keeping   = 1<<ActConsent | 1<<ActWithdraw | 1<<ActNameMT | 1<<ActClose |
		1<<ActTraits | 1<<ActContact | 1<<ActINS | 1<<ActAlerts | 1<<ActDeath |
		1<<ActTeam | 1<<ActNarrowTeam
)

// byID tells whether an act names one resource by its id. Whatever refuses it,
// the answer is that of an id that never existed (POLICY §7).
func byID(a Act) bool {
	switch a {
	case ActRead, ActReadList, ActReadProvenance, ActReadPatient, ActReadConsent, ActReadRelated, ActReadTeam, ActExplain:
		return true
	}
	return false
}

// silence is the class of a refusal by silence.
func silence(a Act) Refusal {
	switch {
	case byID(a):
		return Hidden
	case a >= ActMask && a <= ActTouch:
		return Unprocessable
	}
	return Forbidden
}

// holder tells whether the caller is the patient of the dossier, or represents
// them now: "the patient" of the rules (POLICY §1).
func (c Case) holder() bool { return c.patientKind() && c.Holder }

func (c Case) patientKind() bool { return c.Kind == auth.Patient || c.Kind == auth.Representative }

func (c Case) professional() bool { return c.Kind == auth.Professional }

// carer tells whether the caller is a professional or a regulator: a person with
// a column in the matrix.
func (c Case) carer() bool { return c.Kind == auth.Professional || c.Kind == auth.Regulator }

// system tells whether the caller reads nothing but metadata of own documents
// (L13).
func (c Case) system() bool {
	return c.Kind == auth.Establishment || c.Kind == auth.Administrative || c.Kind == auth.InsuranceFeeder
}

// treating tells whether the caller is a médecin traitant or a professional with
// VALIDE: those who act at the patient's request.
func (c Case) treating() bool {
	return c.professional() && (c.MT || c.Authorisation == Valide)
}

// permitIf and refuseIf make an effect of a condition.
func permitIf(ok bool) Effect {
	if ok {
		return Permit
	}
	return Silent
}

func refuseIf(no bool) Effect {
	if no {
		return Refuse
	}
	return Silent
}
