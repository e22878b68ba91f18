package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"opendmp/auth"
	"opendmp/fhir"
)

// Establishment is one that is registered with this server (POLICY §1). Whoever
// acts under one of its identifiers acts in all of it: a block, an authorisation
// or an authorship that names one names them all.
type Establishment struct {
	// Identifiers are those of the legal entity and of its sites: Struct_IdNat,
	// FINESS, SIRET, SIREN. Each belongs to one establishment.
	Identifiers []fhir.Ident
	// DecisionRef names the decision of its CME (commission médicale
	// d'établissement) to feed the DMP by itself, as the history shows it; "" if
	// there is none. DecisionDate is its day, from which it holds (E01).
	DecisionRef  string
	DecisionDate time.Time
}

// maxDecisionRef is the length of the reference of a decision, in bytes: it stands
// in every event of the establishment.
const maxDecisionRef = 200

// check refuses an establishment that could not be told from another, and half a
// decision. The error wraps ErrSettings.
func (s Establishment) check() error {
	switch {
	case len(s.Identifiers) == 0:
		return fmt.Errorf("%w: an establishment without an identifier", ErrSettings)
	case slices.ContainsFunc(s.Identifiers, func(id fhir.Ident) bool { return id.System == "" || id.Value == "" }):
		return fmt.Errorf("%w: an identifier of an establishment has a system and a value", ErrSettings)
	case strings.TrimSpace(s.DecisionRef) != s.DecisionRef || len(s.DecisionRef) > maxDecisionRef || strings.ContainsFunc(s.DecisionRef, unicode.IsControl):
		return fmt.Errorf("%w: the reference of the decision of %s", ErrSettings, s.Identifiers[0].Value)
	case (s.DecisionRef == "") != s.DecisionDate.IsZero():
		return fmt.Errorf("%w: a decision of the CME has a reference and a date: %s", ErrSettings, s.Identifiers[0].Value)
	}
	return nil
}

// registry are the establishments by each of their identifiers.
type registry map[fhir.Ident]*Establishment

// register indexes establishments, each with all its identifiers in the form in
// which callers and documents have them. The error wraps ErrSettings.
func register(all []Establishment) (registry, error) {
	reg := registry{}
	for _, s := range all {
		if err := s.check(); err != nil {
			return nil, err
		}
		var ids []fhir.Ident
		for _, id := range s.Identifiers {
			ids = append(ids, id)
			if national, ok := auth.NationalStructure(id); ok && !slices.Contains(s.Identifiers, national) {
				ids = append(ids, national)
			}
		}
		s.Identifiers = ids
		for _, id := range ids {
			if reg[id] != nil {
				return nil, fmt.Errorf("%w: %s is an identifier of two establishments, or twice of one", ErrSettings, id.Value)
			}
			reg[id] = &s
		}
	}
	return reg, nil
}

// of returns the establishment in which a caller acts; nil if it is not
// registered.
func (reg registry) of(k caller) *Establishment {
	for _, id := range k.structures {
		if s := reg[id]; s != nil {
			return s
		}
	}
	return nil
}

// placed returns the caller with all the identifiers of the establishment in which
// they act.
func (reg registry) placed(k caller) caller {
	s := reg.of(k)
	if s == nil {
		return k
	}
	structures := slices.Clone(k.structures)
	for _, id := range s.Identifiers {
		if !slices.Contains(structures, id) {
			structures = append(structures, id)
		}
	}
	k.structures = structures
	return k
}

// decision returns the reference of the decision under which an establishment
// feeds by itself at an instant; "" if there is none, and of other callers.
func (reg registry) decision(k caller, at time.Time) string {
	s := reg.of(k)
	if k.kind != auth.Establishment || s == nil || s.DecisionRef == "" || at.UnixMicro() < frenchDay(s.DecisionDate.UnixMicro()).from {
		return ""
	}
	return s.DecisionRef
}
