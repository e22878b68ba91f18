package fhir

import "strings"

// Ident is an identifier: a value and the system that gave it.
type Ident struct{ System, Value string }

// IsZero tells whether there is no identifier.
func (i Ident) IsZero() bool { return i == Ident{} }

// Systems that have aliases, in the form that search values, queries and the
// policy use. A resource keeps the form it came with.
const (
	SystemLOINC           = "http://loinc.org"
	SystemConfidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
	SystemVisibility      = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
	SystemDocumentClass   = "https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument"
	SystemDocumentType    = "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire"

	// SystemIDNPS is PS_IdNat: a prefix that says what kind of number follows,
	// then the number (8 RPPS, 0 ADELI, others internal to a structure).
	SystemIDNPS = "urn:oid:1.2.250.1.71.4.2.1"
	// SystemRPPS holds bare RPPS numbers, eleven digits.
	SystemRPPS = "https://rpps.esante.gouv.fr"
	// SystemADELI holds bare ADELI numbers, nine characters.
	SystemADELI = "https://adeli.esante.gouv.fr"
	// SystemStructure is Struct_IdNat; its prefix is part of the identifier.
	SystemStructure = "urn:oid:1.2.250.1.71.4.2.2"
)

const (
	rppsLength  = 11
	adeliLength = 9
)

// CanonicalCoding returns the one form of a coding that may be written in
// several ways: LOINC, v3-Confidentiality and the ANS tables under their NOS URL
// or their OID, TRE_A07 under its misspelt URL, the short HL7v2 code of
// INVISIBLE_REPRESENTANTS_LEGAUX, and a base level (N, R, V) that was put under
// TRE_A07, as a published example does. Either part may be empty. Anything else
// comes back as it is, and so does what is canonical already.
func CanonicalCoding(system, code string) (string, string) {
	system = canonicalCodeSystem(system)
	if code == "INVISIBLE_REP_LEGAUX" && (system == "" || system == SystemVisibility) {
		code = "INVISIBLE_REPRESENTANTS_LEGAUX"
	}
	if system == SystemVisibility && (code == "N" || code == "R" || code == "V") {
		system = SystemConfidentiality
	}
	return system, code
}

func canonicalCodeSystem(system string) string {
	switch system {
	case "https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc",
		"urn:oid:2.16.840.1.113883.6.1":
		return SystemLOINC
	case "https://mos.esante.gouv.fr/NOS/TRE_A08-HL7Confidentiality/FHIR/TRE-A08-HL7Confidentiality",
		"urn:oid:2.16.840.1.113883.5.25":
		return SystemConfidentiality
	case "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument",
		"urn:oid:1.2.250.1.213.1.1.4.13":
		return SystemVisibility
	case "urn:oid:1.2.250.1.213.1.1.4.1":
		return SystemDocumentClass
	case "urn:oid:1.2.250.1.213.1.1.4.12":
		return SystemDocumentType
	}
	return system
}

// CanonicalIdent returns the one form of an identifier of a professional: the
// bare RPPS or ADELI number under its own system, whichever of the three systems
// and with or without the PS_IdNat prefix it was written (POLICY, Identity).
// Other identifiers come back as they are: patients', structures' and internal
// ones. What is canonical already stays so.
func CanonicalIdent(i Ident) Ident {
	switch i.System {
	case SystemIDNPS:
		if v := bareRPPS(i.Value); len(v) == rppsLength && digits(v) {
			return Ident{SystemRPPS, v}
		}
		if v := bareADELI(i.Value); len(v) == adeliLength && digitsOrCapitals(v) {
			return Ident{SystemADELI, v}
		}
	case SystemRPPS:
		return Ident{SystemRPPS, bareRPPS(i.Value)}
	case SystemADELI:
		return Ident{SystemADELI, bareADELI(i.Value)}
	}
	return i
}

// bareRPPS drops the prefix 8. A synthetic number may be a digit longer than a
// real one; dropping until the length is that of a RPPS gives such numbers one
// form too, with and without prefix, under both systems.
func bareRPPS(v string) string {
	for len(v) > rppsLength && v[0] == '8' && digits(v) {
		v = v[1:]
	}
	return v
}

func bareADELI(v string) string {
	if len(v) == adeliLength+1 && v[0] == '0' {
		return v[1:]
	}
	return v
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// digitsOrCapitals accepts the letters of the Corsican departments, 2A and 2B.
func digitsOrCapitals(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) < 0
}
