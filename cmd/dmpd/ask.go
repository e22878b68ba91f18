package main

import (
	"slices"
	"strings"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/sandbox"
)

// purposes are the codes that a token may be asked for, and who has them: modes of
// TRE_R248, then codes of v3-ActReason.
var purposes = []struct {
	code string
	of   []auth.Kind
}{
	{"normal", []auth.Kind{auth.Patient, auth.Representative, auth.Professional, auth.Regulator, auth.Establishment, auth.Administrative, auth.InsuranceFeeder}},
	{"bris_de_glace", []auth.Kind{auth.Professional}},
	{"centre_15", []auth.Kind{auth.Regulator}},
	{"TREAT", []auth.Kind{auth.Professional, auth.Regulator, auth.Establishment, auth.Administrative}},
	{"COC", []auth.Kind{auth.Professional, auth.Regulator, auth.Establishment}},
	{"BTG", []auth.Kind{auth.Professional}},
	{"ETREAT", []auth.Kind{auth.Regulator}},
	{"PATRQT", []auth.Kind{auth.Patient}},
	{"FAMRQT", []auth.Kind{auth.Representative}},
	{"PWATRNY", []auth.Kind{auth.Representative}},
	{"PATADMIN", []auth.Kind{auth.Administrative, auth.Establishment, auth.InsuranceFeeder}},
	{"HPAYMT", []auth.Kind{auth.InsuranceFeeder}},
	{"HSYSADMIN", []auth.Kind{auth.Operator}},
}

// badAsk says why a token is not given.
type badAsk struct{ text fhir.Text }

func (b *badAsk) Error() string { return b.text.EN }

func refuseAsk(fr, en string) error { return &badAsk{fhir.Text{FR: fr, EN: en}} }

// checkAsk refuses a token that the server would refuse, or that would not do
// what was meant: a purpose that is unknown or not the persona's, a bris de glace
// without a reason, a reason without one.
func checkAsk(p sandbox.Persona, purpose, reason string) error {
	if err := checkPurpose(p, purpose); err != nil {
		return err
	}
	emergency := purpose == "BTG" || purpose == "bris_de_glace"
	switch {
	case emergency && !isReason(reason):
		return refuseAsk("Un bris de glace demande un motif écrit de 10 à 500 caractères, dont dix lettres ou chiffres, sur une ligne (champ « reason »).",
			"break-glass needs a written reason of 10 to 500 characters, ten of them letters or digits, on one line (--reason)")
	case !emergency && reason != "":
		return refuseAsk("Un motif ne va qu’avec le but BTG ou bris_de_glace.", "a reason goes with purpose BTG or bris_de_glace only")
	}
	return nil
}

func checkPurpose(p sandbox.Persona, purpose string) error {
	if purpose == "" {
		return nil
	}
	var known, own []string
	for _, k := range purposes {
		known = append(known, k.code)
		if slices.Contains(k.of, p.Kind) {
			own = append(own, k.code)
		}
	}
	switch {
	case !slices.Contains(known, purpose):
		return refuseAsk("Champ « purpose » : un de "+strings.Join(known, ", ")+".",
			"no purpose \""+purpose+"\"; there are: "+strings.Join(known, ", "))
	case !slices.Contains(own, purpose):
		return refuseAsk("Le but "+purpose+" n’est pas de ceux de "+p.Key+" : "+strings.Join(own, ", ")+".",
			"purpose "+purpose+" is none of those of "+p.Key+": "+strings.Join(own, ", "))
	}
	return nil
}

// isReason tells whether a token, which is one line of a header, may carry a text that
// the policy then takes for a reason.
func isReason(text string) bool {
	text = strings.TrimSpace(text)
	return auth.IsReason(text) && !strings.Contains(text, "\n")
}
