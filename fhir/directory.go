package fhir

import "slices"

// OfDirectory tells whether resources of a type are of the directory of
// professionals and structures, and of no record: the door answers for them whole.
func OfDirectory(typ string) bool { return slices.Contains(directoryTypes[:], typ) }

// directoryTypes are served where a server has a directory.
var directoryTypes = [...]string{"Practitioner", "PractitionerRole", "Organization"}

// Sought returns the value of a parameter of the directory, which a query has once:
// of a token its system ("" for any) and its code, of a reference or a string the
// text as Value. False if it was not given.
func (q *Query) Sought(param string) (Ident, bool) {
	for i := range q.conditions {
		if c := &q.conditions[i]; c.param.Name == param && c.param.role == asksDirectory {
			return Ident{c.any[0].system, c.any[0].text}, true
		}
	}
	return Ident{}, false
}

// askOnce refuses a second value of a parameter of the directory.
func (q *Query) askOnce(c *condition) *refusal {
	if _, given := q.Sought(c.param.Name); given || len(splitEscaped(c.raw, ',')) > 1 {
		return refused("not-supported", "Une seule valeur attendue.", "One value is expected.")
	}
	return nil
}

// directoryParam is a parameter that the door answers for with the directory.
func directoryParam(name string, t ParamType, definition, doc string) Param {
	return Param{Name: name, Type: t, Definition: definition, Doc: doc, role: asksDirectory}
}

const (
	namesDoc    = "Words that begin those of the family and given names, in whatever order, without regard to case, accents and punctuation; two letters of the family name at least."
	postalDoc   = "The beginning of the postal code, beside a name."
	cityDoc     = "The beginning of the name of the commune, beside a name."
	personDoc   = "PS_IdNat, RPPS or ADELI, with or without its system."
	placeDoc    = "Struct_IdNat, FINESS or SIRET, of the structure or of the legal entity that it is part of."
	directoryOf = "Of the directory of professionals (Annuaire Santé), read-only, for whoever is authenticated. It holds no health data. " +
		"An answer shows 50 entries at most and has no further pages: Bundle.total counts all."
)

// directoryServices are the rows of the interaction table for the directory.
func directoryServices() []service {
	does := []Interaction{Read, Search}
	return []service{
		{
			name: "Practitioner", does: does, doc: directoryOf,
			params: []Param{
				directoryParam("identifier", TokenParam, r4Param+"Practitioner-identifier", personDoc),
				directoryParam("name", StringParam, r4Param+"Practitioner-name", namesDoc),
				directoryParam("family", StringParam, r4Param+"individual-family", "The beginning of the family name, two letters at least."),
				directoryParam("given", StringParam, r4Param+"individual-given", "Words that begin those of the given name, beside name or family."),
				identityParam(),
			},
		},
		{
			name: "PractitionerRole", does: does, doc: directoryOf + " The practices of who is searched by practitioner, practitioner.identifier or practitioner.name.",
			params: []Param{
				directoryParam("practitioner", ReferenceParam, r4Param+"PractitionerRole-practitioner", "A Practitioner of this server.").
					to("Practitioner").followed("Practitioner", "practitioner"),
				directoryParam("practitioner.identifier", TokenParam, "", personDoc),
				directoryParam("practitioner.name", StringParam, "", namesDoc),
				directoryParam("organization", ReferenceParam, r4Param+"PractitionerRole-organization", "An Organization of this server, beside who practises.").
					to("Organization").followed("Organization", "organization"),
				directoryParam("organization.identifier", TokenParam, "", placeDoc+" Beside who practises."),
				directoryParam("organization.address-postalcode", StringParam, "", postalDoc),
				directoryParam("organization.address-city", StringParam, "", cityDoc),
				directoryParam("role", TokenParam, r4Param+"PractitionerRole-role", "The profession (TRE_G15)."),
				directoryParam("specialty", TokenParam, r4Param+"PractitionerRole-specialty", "The savoir-faire (TRE_R01)."),
				identityParam(),
			},
		},
		{
			name: "Organization", does: does, doc: directoryOf,
			params: []Param{
				directoryParam("identifier", TokenParam, r4Param+"Organization-identifier", placeDoc),
				directoryParam("name", StringParam, r4Param+"Organization-name", "Words that begin those of the raison sociale and of the enseigne, two letters at least."),
				directoryParam("address-postalcode", StringParam, r4Param+"Organization-address-postalcode", postalDoc),
				directoryParam("address-city", StringParam, r4Param+"Organization-address-city", cityDoc),
				identityParam(),
			},
		},
	}
}

// followed makes a parameter one that _include follows, from an element to a type.
func (p Param) followed(typ, element string) Param {
	p.paths = [][]string{{element}}
	return p.following(typ)
}
