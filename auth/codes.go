package auth

import (
	"iter"
	"strconv"
)

// Code systems of the claims (DOMAIN.md §4.5, §5.1, §5.6).
const (
	SystemProfession         = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
	SystemProfessionTraining = "https://mos.esante.gouv.fr/NOS/TRE_G16-ProfessionFormation/FHIR/TRE-G16-ProfessionFormation"
	SystemTitle              = "https://mos.esante.gouv.fr/NOS/TRE_R95-UsagerTitre/FHIR/TRE-R95-UsagerTitre"
	SystemSocial             = "https://mos.esante.gouv.fr/NOS/TRE_R94-ProfessionSocial/FHIR/TRE-R94-ProfessionSocial"
	SystemOtherProfession    = "https://mos.esante.gouv.fr/NOS/TRE_R291-AutreProfession/FHIR/TRE-R291-AutreProfession"
	SystemCareRole           = "https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge"
	SystemSkill              = "https://mos.esante.gouv.fr/NOS/TRE_R01-EnsembleSavoirFaire-CISIS/FHIR/TRE-R01-EnsembleSavoirFaire-CISIS"
	SystemAccessMode         = "https://mos.esante.gouv.fr/NOS/TRE_R248-ModeAcces/FHIR/TRE-R248-ModeAcces"
	SystemActReason          = "http://terminology.hl7.org/CodeSystem/v3-ActReason"

	// SystemAccount holds the identifiers of accounts, for persons who have no
	// national identifier: representatives and operators.
	SystemAccount = "urn:opendmp:compte"
)

// The two published OIDs of TRE_R248: clients send either (DOMAIN.md §11.8).
const (
	oidAccessMode    = "urn:oid:1.2.250.1.213.1.1.4.336"
	oidAccessModeOld = "urn:oid:1.2.250.1.213.1.1.4.248"
)

const (
	codePhysician             = "10"   // TRE_G15
	codeOccupationalPhysician = "SM25" // TRE_R01
	codeSecret                = "INVISIBLE_REPRESENTANTS_LEGAUX"
)

// currentProfession tells whether code is a profession of TRE_G15 in force
// (v20250328). The deprecated ones (35 to 39, 93) are no longer exercised under
// that code: who carries one has a role of TRE_R85 or a title of TRE_R95.
func currentProfession(code string) bool {
	switch code {
	case "10", "21", "26", "28", "31", "32", "40", "50", "60", "69", "70", "80",
		"81", "82", "83", "84", "85", "86", "91", "92", "94", "95", "96", "98":
		return true
	}
	return false
}

// professionInTraining tells whether code is one of TRE_G16.
func professionInTraining(code string) bool {
	switch code {
	case "10", "21", "40", "50":
		return true
	}
	return false
}

// kinds is a set of kinds of callers.
type kinds uint16

func setOf(ks ...Kind) kinds {
	var s kinds
	for _, k := range ks {
		s |= 1 << k
	}
	return s
}

func (s kinds) has(k Kind) bool { return s&(1<<k) != 0 }

// purpose returns the mode that a purpose of use stands for and the kinds of
// callers who may have it; false for a purpose that is not known here.
func purpose(c Coding) (Mode, kinds, bool) {
	switch c.System {
	case SystemAccessMode, oidAccessMode, oidAccessModeOld:
		return accessMode(c.Code)
	case SystemActReason:
		return actReason(c.Code)
	}
	return 0, 0, false
}

func accessMode(code string) (Mode, kinds, bool) {
	switch code {
	case "normal":
		return Normal, ^setOf(Nobody, Operator), true
	case "bris_de_glace":
		return BrisDeGlace, setOf(Professional), true
	case "centre_15":
		return Centre15, setOf(Regulator), true
	}
	return 0, 0, false
}

func actReason(code string) (Mode, kinds, bool) {
	switch code {
	case "TREAT":
		return Normal, setOf(Professional, Regulator, Establishment, Administrative), true
	case "COC":
		return Normal, setOf(Professional, Regulator, Establishment), true
	case "BTG":
		return BrisDeGlace, setOf(Professional), true
	case "ETREAT":
		return Centre15, setOf(Regulator), true
	case "PATRQT":
		return Normal, setOf(Patient), true
	case "FAMRQT", "PWATRNY":
		return Normal, setOf(Representative), true
	case "PATADMIN":
		return Normal, setOf(Administrative, Establishment, InsuranceFeeder), true
	case "HPAYMT":
		return Normal, setOf(InsuranceFeeder), true
	case "HSYSADMIN":
		return Normal, setOf(Operator), true
	}
	return 0, 0, false
}

// Professions yields the codes of TRE_G15 in force, in ascending order.
func Professions() iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := range 100 {
			if code := strconv.Itoa(n); currentProfession(code) && !yield(code) {
				return
			}
		}
	}
}
