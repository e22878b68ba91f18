package fhir

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/samply/golang-fhir-models/fhir-models/fhir"
)

// Modes of /metadata (R4 http.html#capabilities). ModeNormative is answered like
// ModeFull: the CapabilityStatement of R4 is normative.
const (
	ModeFull        = "full"
	ModeNormative   = "normative"
	ModeTerminology = "terminology"
)

// capabilityMode tells whether a mode of /metadata is known; "" is ModeFull.
func capabilityMode(mode string) bool {
	return slices.Contains([]string{"", ModeFull, ModeNormative, ModeTerminology}, mode)
}

// ownSystems are code systems that no value set of a profile holds: those that the
// policy and the codings in several forms (CanonicalCoding) know codes of.
var ownSystems = [...]string{
	SystemLOINC, SystemConfidentiality, SystemVisibility, SystemDocumentClass, SystemDocumentType,
	"urn:opendmp:consent-kind", "urn:opendmp:circonstance-urgence",
}

const terminologyText = "No terminology operation is served ($expand, $validate-code, $lookup, $translate, $subsumes): " +
	"this lists the code systems of which the server knows codes, to check what is written and to search it. " +
	"Value sets that :in and :not-in take, and that what is written is checked against: "

// Terminology returns the TerminologyCapabilities as JSON: the code systems of which
// the server knows codes. R4 requires of it neither $expand nor another operation,
// and it claims none.
func Terminology(base string, software Software) []byte {
	about := terminologyText + strings.Join(knownValueSets(), ", ") + "."
	statement := fhir.TerminologyCapabilities{
		Name: new("OpenDMPTerminology"), Title: new("OpenDMP, terminologies"), Description: &about,
		Status:         fhir.PublicationStatusActive,
		Date:           cmp.Or(software.Date, tableDate),
		Kind:           fhir.CapabilityStatementKindInstance,
		Software:       &fhir.TerminologyCapabilitiesSoftware{Name: "OpenDMP", Version: optional(software.Version)},
		Implementation: &fhir.TerminologyCapabilitiesImplementation{Description: "OpenDMP", Url: optional(base)},
	}
	for _, system := range terminologySystems() {
		statement.CodeSystem = append(statement.CodeSystem, fhir.TerminologyCapabilitiesCodeSystem{Uri: &system, Subsumption: new(false)})
	}
	b, err := json.Marshal(statement)
	if err != nil {
		panic(fmt.Sprintf("fhir: the terminology capabilities cannot be written: %v", err)) // its types always can
	}
	return b
}

func knownValueSets() []string {
	urls := make([]string, 0, len(profileCodes)+len(listedSets))
	for i := range profileCodes {
		urls = append(urls, profileCodes[i].url)
	}
	for i := range listedSets {
		if listedSets[i].url != "" {
			urls = append(urls, listedSets[i].url)
		}
	}
	return urls
}

// terminologySystems returns the code systems of the tables, sorted: of the value sets that
// are known, and of the elements of type code that are searched.
func terminologySystems() []string {
	systems := slices.Clone(ownSystems[:])
	of := func(set *codeSet) {
		for _, code := range set.codes {
			system, _, _ := strings.Cut(code, "|")
			systems = append(systems, system)
		}
	}
	for i := range profileCodes {
		of(&profileCodes[i])
	}
	for i := range listedSets {
		of(&listedSets[i].codeSet)
	}
	for i := range services {
		for _, p := range services[i].params {
			if p.implied != "" {
				systems = append(systems, p.implied)
			}
		}
	}
	slices.Sort(systems)
	return slices.Compact(systems)
}
