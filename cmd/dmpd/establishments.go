package main

import (
	"fmt"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/sandbox"
)

// establishment is one of the setting etablissements, as the settings file has it.
type establishment struct {
	// Identifiers are written system|value, as in a search.
	Identifiers []string `koanf:"identifiants"`
	// Decision is the reference of the decision of its CME, Date its day as
	// AAAA-MM-JJ; both or neither.
	Decision string `koanf:"decision-cme"`
	Date     string `koanf:"date-decision"`
}

// establishments reads the setting; what is well written but contradicts itself,
// package policy refuses.
func (s settings) establishments() ([]policy.Establishment, error) {
	var all []policy.Establishment
	for i, e := range s.Establishments {
		at := fmt.Sprintf("etablissements[%d]", i)
		var out policy.Establishment
		for _, id := range e.Identifiers {
			system, value, ok := strings.Cut(id, "|")
			if !ok || system == "" || value == "" {
				return nil, fmt.Errorf("%s: identifiants: %q is not system|value", at, id)
			}
			given := fhir.Ident{System: system, Value: value}
			if _, err := auth.ParseStructure(given); err != nil {
				return nil, fmt.Errorf("%s: identifiants: %w", at, err)
			}
			out.Identifiers = append(out.Identifiers, given)
		}
		out.DecisionRef = e.Decision
		if e.Date != "" {
			day, err := time.ParseInLocation(time.DateOnly, e.Date, fhir.Paris)
			if err != nil {
				return nil, fmt.Errorf("%s: date-decision: %q is not a day, AAAA-MM-JJ", at, e.Date)
			}
			out.DecisionDate = day
		}
		all = append(all, out)
	}
	return all, nil
}

// sandboxRules are the settings of the policy in a sandbox. They differ from those
// of a real service where the cast needs it: an authorisation that was given
// yesterday still holds today, and its hospitals are registered.
func sandboxRules() policy.Settings {
	rules := policy.DefaultSettings()
	rules.Students = true
	rules.PersonalAuthorisation = policy.Period{Years: 1}
	for _, e := range sandbox.Establishments() {
		rules.Establishments = append(rules.Establishments, policy.Establishment{
			Identifiers: []fhir.Ident{e.ID}, DecisionRef: e.Decision, DecisionDate: e.Date,
		})
	}
	return rules
}
