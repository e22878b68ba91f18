package auth

import (
	"errors"
	"fmt"

	"opendmp/fhir"
)

// ErrStructure: an identifier that no national register of structures gives.
var ErrStructure = errors.New("auth: not an identifier of a structure")

// Systems of the registers of structures, in both spellings that are in use.
const (
	systemFINESS    = "https://finess.esante.gouv.fr"
	systemFINESSOld = "http://finess.sante.gouv.fr"
	systemSIRENE    = "https://sirene.fr"
	systemSIRENEOld = "http://sirene.fr"
)

// Lengths of the numbers of the registers.
const (
	finessLength = 9
	sirenLength  = 9
	siretLength  = 14
)

// NationalStructure returns the one form in which a structure is compared, its
// Struct_IdNat (DOMAIN §2.8): 1 and a FINESS, of the legal entity or of a site, 2
// and a SIREN, 3 and a SIRET. False for an identifier of another register.
//
// It names, and does not judge: a malformed number keeps the form of its register,
// and equals that of no structure that ParseStructure accepted.
func NationalStructure(id fhir.Ident) (fhir.Ident, bool) {
	switch id.System {
	case fhir.SystemStructure:
		return id, true
	case systemFINESS, systemFINESSOld:
		return structIdNat("1", id.Value), true
	case systemSIRENE, systemSIRENEOld:
		switch len(id.Value) {
		case siretLength:
			return structIdNat("3", id.Value), true
		case sirenLength:
			return structIdNat("2", id.Value), true
		}
	}
	return fhir.Ident{}, false
}

func structIdNat(prefix, number string) fhir.Ident {
	return fhir.Ident{System: fhir.SystemStructure, Value: prefix + number}
}

// ParseStructure returns the Struct_IdNat of a structure, and refuses what no
// register could have given: another system, another length, other characters. Use
// it for what is configured or certified. The error wraps ErrStructure.
func ParseStructure(id fhir.Ident) (fhir.Ident, error) {
	national, ok := NationalStructure(id)
	if !ok || !structureNumber(national.Value) {
		return fhir.Ident{}, fmt.Errorf("%w: %q", ErrStructure, FormatIdent(id))
	}
	return national, nil
}

// structureNumber tells whether a value is a Struct_IdNat: 0 ADELI of a practice, 1
// FINESS, 2 SIREN, 3 SIRET, 4 RPPS and rank (DOMAIN §2.8). A FINESS and an ADELI
// may hold the letters of the Corsican departments.
func structureNumber(v string) bool {
	if v == "" {
		return false
	}
	number := v[1:]
	switch v[0] {
	case '0', '1':
		return len(number) == finessLength && digitsOrCapitals(number)
	case '2':
		return len(number) == sirenLength && digits(number)
	case '3':
		return len(number) == siretLength && digits(number)
	case '4':
		return len(number) >= 12 && len(number) <= 14 && digitsOrCapitals(number)
	}
	return false
}

// FormatStructure returns the system|value, with a Struct_IdNat, of a structure that a
// text names by an identifier of any of the national registers, system|value too. The
// error wraps ErrStructure.
func FormatStructure(text string) (string, error) {
	id, ok := parseIdent(text)
	if !ok {
		return "", fmt.Errorf("%w: not system|value", ErrStructure)
	}
	national, err := ParseStructure(id)
	return FormatIdent(national), err
}

// IsStructure tells whether a text is what a token may name a structure by: system|value
// with a Struct_IdNat.
func IsStructure(s string) bool {
	_, ok := structure(s)
	return ok
}
