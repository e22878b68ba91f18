package fhir

import (
	"errors"
	"fmt"
)

// Systems of the INS, the national health identifier (DOMAIN.md §1.1). The same
// number under two systems is two identities: they are never merged.
const (
	SystemINSNIR  = "urn:oid:1.2.250.1.213.1.4.8"
	SystemINSNIA  = "urn:oid:1.2.250.1.213.1.4.9"
	SystemINSTest = "urn:oid:1.2.250.1.213.1.4.10"
	SystemINSDemo = "urn:oid:1.2.250.1.213.1.4.11"
)

// Errors of ParseINS.
var (
	ErrINSSystem = errors.New("fhir: not a system of the INS")
	ErrINSForm   = errors.New("fhir: an INS is 15 characters: sex, year, month, department, commune, order, key")
)

// INS is an identifier in the form of an INS.
type INS struct {
	Ident
	// KeyOK tells whether the last two digits are the control key of the others.
	// It is no error here: the published examples carry wrong keys, and how
	// strict to be is a setting.
	KeyOK bool
}

// Synthetic tells whether the INS is of a test or demonstration domain.
func (i INS) Synthetic() bool { return i.System == SystemINSTest || i.System == SystemINSDemo }

// ParseINS checks system and form. The month is not checked: besides 01 to 12
// there are codes for uncertain births. Errors: ErrINSSystem, ErrINSForm.
func ParseINS(id Ident) (INS, error) {
	switch id.System {
	case SystemINSNIR, SystemINSNIA, SystemINSTest, SystemINSDemo:
	default:
		return INS{}, ErrINSSystem
	}
	const length, keyed = 15, 13
	if len(id.Value) != length {
		return INS{}, ErrINSForm
	}
	key, err := NIRKey(id.Value[:keyed])
	if err != nil || !digits(id.Value[keyed:]) {
		return INS{}, ErrINSForm
	}
	return INS{Ident: id, KeyOK: id.Value[keyed:] == fmt.Sprintf("%02d", key)}, nil
}

// NIRKey returns the control key, 1 to 97, of the first 13 characters of a NIR:
// 97 less the remainder of the number divided by 97, where the Corsican
// departments 2A and 2B count as 19 and 18. Error: ErrINSForm.
func NIRKey(number string) (int, error) {
	const length, department = 13, 5
	if len(number) != length {
		return 0, ErrINSForm
	}
	rest := 0
	for i := 0; i < length; i++ {
		c := number[i]
		if i == department+1 && number[department] == '2' && (c == 'A' || c == 'B') {
			// "2A" is read as 19 and "2B" as 18: undo the 2, put 1 and 9 or 8.
			rest = (rest - 2 + 1 + 97) % 97
			c = '9' - (c - 'A')
		}
		if c < '0' || c > '9' {
			return 0, ErrINSForm
		}
		rest = (rest*10 + int(c-'0')) % 97
	}
	return 97 - rest, nil
}
