package policy

import (
	"slices"
	"strings"

	"opendmp/fhir"
)

// maxPartyDepth bounds references between contained resources, which may go
// round in circles: role, person or organization, owner.
const maxPartyDepth = 4

// alimAM is how the health insurance signs what it feeds (TRE_A00).
const alimAM = "ALIM_AM"

// party notes an author: the persons and structures that a reference names, by
// its identifier or by a contained resource. A reference to a resource elsewhere,
// without an identifier, names nobody: it cannot be checked.
func (x *extraction) party(ref fhir.Node, depth int) {
	literal := ref.Get("reference").Text()
	if local, ok := strings.CutPrefix(literal, "#"); ok {
		if depth < maxPartyDepth {
			x.containedParty(x.contained(local), depth+1)
		}
		return
	}
	kind := ref.Get("type").Text()
	if kind == "" {
		kind, _, _ = strings.Cut(relative(literal), "/")
	}
	x.partyOfType(kind, identOf(ref.Get("identifier")))
}

// partyOfType notes an author whose type a reference says, or whose identifier
// says it.
func (x *extraction) partyOfType(kind string, id fhir.Ident) {
	switch kind {
	case "Patient", "RelatedPerson":
		x.facts.byPatient = true
		x.person(id)
	case "Practitioner", "PractitionerRole":
		x.person(id)
	case "Organization":
		x.structure(id)
	case "":
		if id.System == fhir.SystemStructure {
			x.structure(id)
		} else if isPerson(id) {
			x.person(id)
		}
	}
}

func (x *extraction) containedParty(c fhir.Node, depth int) {
	kind := c.Get("resourceType").Text()
	for i := range c.Get("identifier").Items() {
		x.partyOfType(kind, identOf(i))
	}
	switch kind {
	case "Patient", "RelatedPerson":
		x.facts.byPatient = true
	case "PractitionerRole":
		x.party(c.Get("practitioner"), depth)
		x.party(c.Get("organization"), depth)
		x.feeder(c.Get("code"))
	case "Organization":
		x.feeder(c.Get("type"))
	case "Device":
		x.party(c.Get("owner"), depth)
		x.feeder(c.Get("type"))
	}
}

func (x *extraction) feeder(concepts fhir.Node) {
	for c := range concepts.All("coding") {
		x.facts.byFeeder = x.facts.byFeeder || c.Get("code").Is(alimAM)
	}
}

func (x *extraction) custodian(ref fhir.Node) {
	local, ok := strings.CutPrefix(ref.Get("reference").Text(), "#")
	if !ok {
		x.structure(identOf(ref.Get("identifier")))
		return
	}
	c := x.contained(local)
	if c.Get("resourceType").Is("Organization") {
		for i := range c.Get("identifier").Items() {
			x.structure(identOf(i))
		}
	}
}

func (x *extraction) person(id fhir.Ident) {
	if !id.IsZero() && !slices.Contains(x.facts.persons, id) {
		x.facts.persons = append(x.facts.persons, id)
	}
}

func (x *extraction) structure(id fhir.Ident) {
	if !id.IsZero() && !slices.Contains(x.facts.structures, id) {
		x.facts.structures = append(x.facts.structures, id)
	}
}

// isPerson tells whether a canonical identifier is one of professionals.
func isPerson(id fhir.Ident) bool {
	switch id.System {
	case fhir.SystemRPPS, fhir.SystemADELI, fhir.SystemIDNPS:
		return true
	}
	return false
}

// isINS tells whether an identifier is of one of the systems of the INS.
func isINS(id fhir.Ident) bool {
	switch id.System {
	case fhir.SystemINSNIR, fhir.SystemINSNIA, fhir.SystemINSTest, fhir.SystemINSDemo:
		return true
	}
	return false
}
