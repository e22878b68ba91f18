package sandbox

import (
	"time"

	"opendmp/fhir"
)

// coded is a code, its system and how it reads.
type coded struct{ system, code, display string }

func (c coded) coding() object { return obj("system", c.system, "code", c.code, "display", c.display) }

// concept is a CodeableConcept of one coding.
func concept(c coded) object { return obj("coding", list(c.coding())) }

func identifier(i fhir.Ident) object { return obj("system", i.System, "value", i.Value) }

func reference(to string) object { return obj("reference", to) }

// logical is a reference by identifier.
func logical(typ string, i fhir.Ident, display string) object {
	return obj("type", typ, "identifier", identifier(i), "display", display)
}

// instant writes a dateTime with its offset.
func instant(t time.Time) string { return t.In(fhir.Paris).Format(time.RFC3339) }

// day writes a date.
func day(t time.Time) string { return t.In(fhir.Paris).Format(time.DateOnly) }

// Addresses of profiles and extensions.
const (
	frCore   = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
	pdsm     = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"
	mhd      = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/"
	dmp      = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/"
	pcfBasic = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentBasic"

	extArchived = pdsm + "pdsm-ext-is-archived"
	extClosing  = dmp + "dmp-fermeture"
)

const (
	systemIdentifierType = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
	systemURI            = "urn:ietf:rfc:3986"
)

func profile(url string) object { return obj("profile", []string{url}) }
