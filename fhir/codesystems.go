package fhir

import (
	"slices"
	"strings"
)

//go:generate go run ./internal/genterminology -in ../testdata/terminology -out terminology_gen.go

// codeSystem is a code system and the URLs that it goes by. The first is the one in
// which the value sets have it.
type codeSystem struct {
	name string // as its publisher names it, "TRE_A05-TypeDocComplementaire"
	urls []string
}

// listedSet is a value set, or a table that serves as one, whose content is known.
// The URL of a table is empty.
type listedSet struct {
	name string // "JDV_J07-XdsTypeCode-CISIS"
	codeSet
}

// deprecatedCode is a "system|code" that is no longer given, and the code of the same
// system that stands for it, if one does.
type deprecatedCode struct{ coding, instead string }

// codeSystemOf returns the code system of a URL or OID, nil if it is none of the table.
func codeSystemOf(url string) *codeSystem {
	for i := range codeSystems {
		if slices.Contains(codeSystems[i].urls, url) {
			return &codeSystems[i]
		}
	}
	return nil
}

// shortName is what a sentence calls the system: "TRE_A05", "LOINC".
func (s *codeSystem) shortName() string {
	if strings.HasPrefix(s.name, "TRE_") {
		name, _, _ := strings.Cut(s.name, "-")
		return name
	}
	return s.name
}

// listedSetNamed returns a value set by its name, nil if its content is not known.
func listedSetNamed(name string) *listedSet {
	i, found := slices.BinarySearchFunc(listedSets[:], name, func(s listedSet, name string) int { return strings.Compare(s.name, name) })
	if !found {
		return nil
	}
	return &listedSets[i]
}

// knownSet returns the value set of a URL without a version: of a profile or of the
// ANS; nil if it is not known.
func knownSet(url string) *codeSet {
	if url == "" {
		return nil
	}
	for i := range profileCodes {
		if profileCodes[i].url == url {
			return &profileCodes[i]
		}
	}
	for i := range listedSets {
		if listedSets[i].url == url {
			return &listedSets[i].codeSet
		}
	}
	return nil
}

// deprecation returns what the table says of a coding that is no longer given, nil
// if it says nothing.
func deprecation(coding string) *deprecatedCode {
	i, found := slices.BinarySearchFunc(deprecatedCodes[:], coding, func(d deprecatedCode, coding string) int { return strings.Compare(d.coding, coding) })
	if !found {
		return nil
	}
	return &deprecatedCodes[i]
}
