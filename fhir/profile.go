package fhir

import (
	"slices"
	"strings"
)

//go:generate go run ./internal/genprofiles -r4 $DEFINITIONS -out profiles_gen.go $PROFILES

// profileDef is a profile: a StructureDefinition that constrains a type of R4.
type profileDef struct {
	url   string
	typ   string // the type that it constrains, "Bundle" or "Identifier"
	shape shape
}

// shape is what a profile says of an element beyond the R4 definition of the same
// element, which Parse holds.
type shape struct {
	name    string // as in JSON; of a choice, without the type
	choice  bool
	bounded bool // max holds
	min     uint8
	max     uint8
	// types are the names that a choice may take ("valueCode"), or the types of a
	// resource; any if empty.
	types     []string
	value     *pattern
	fixed     bool // the value is value and nothing more
	codes     uint8
	targets   []string // resource types that a Reference may name; any if empty
	contained bool     // a Reference names a contained resource
	profiles  []uint16 // of its type, one of which holds; rows of profileTable
	keys      []string // invariants
	children  []shape
	closed    bool // each item is of a slice
	slices    []profileSlice
}

// profileSlice is a part of the items of an element that repeats, with rules of its
// own.
type profileSlice struct {
	name  string
	conds []sliceCond // what tells its items; all hold
	shape shape
}

// sliceCond is what a discriminator says of the items of a slice: the element at
// path has a value, a code of a value set, a type, a type and one of the profiles,
// or is there or not.
type sliceCond struct {
	path     []string
	value    *pattern
	codes    uint8
	types    []string
	profiles []uint16
	exists   existence
}

type existence uint8

const (
	mustExist existence = iota + 1
	mustNotExist
)

// pattern is a fixed or pattern value.
type pattern struct {
	name  string // of a member
	kind  Kind
	text  string // of a primitive
	parts []pattern
}

// codeSet is a value set that a profile requires; the codes are "system|code",
// sorted.
type codeSet struct {
	url   string
	codes []string
}

// targetRow is the resource types that a Reference of R4 may name.
type targetRow struct {
	element string // "DocumentReference.subject"
	types   []string
}

// Profiles returns the URLs of the profiles that Validate checks, sorted. The types
// of R4 are not among them: every resource is held to its own.
func Profiles() []string {
	urls := make([]string, len(profileTable))
	for i := range profileTable {
		urls[i] = profileTable[i].url
	}
	return urls
}

// KnownProfile tells whether Validate checks the profile of that URL: one of
// Profiles, or that of an R4 resource type. A version after "|" is not compared,
// for the table has one version of each.
func KnownProfile(url string) bool {
	return profileNamed(url) >= 0 || baseProfile(url) != noType
}

// profileNamed returns the row of a profile, -1 if there is none.
func profileNamed(url string) int {
	url, _, _ = strings.Cut(url, "|")
	i, found := slices.BinarySearchFunc(profileTable[:], url, func(p profileDef, url string) int { return strings.Compare(p.url, url) })
	if !found {
		return -1
	}
	return i
}

// baseProfile returns the resource type whose R4 definition the URL names.
func baseProfile(url string) typeID {
	url, _, _ = strings.Cut(url, "|")
	name, ok := strings.CutPrefix(url, "http://hl7.org/fhir/StructureDefinition/")
	if !ok {
		return noType
	}
	return resourceNamed(name)
}

// extensionNamed returns the row of the definition of an extension, -1 if it is
// not among the profiles.
func extensionNamed(url string) int {
	if i := profileNamed(url); i >= 0 && profileTable[i].typ == "Extension" {
		return i
	}
	return -1
}

// targetsOf returns the resource types that a Reference of R4 may name; nil if any.
func targetsOf(owner, name string) []string {
	i, found := slices.BinarySearchFunc(targetTable[:], owner, func(r targetRow, owner string) int {
		return compareElement(r.element, owner, name)
	})
	if !found {
		return nil
	}
	return targetTable[i].types
}

// compareElement compares element with owner.name, which it does not build.
func compareElement(element, owner, name string) int {
	if len(element) <= len(owner) || element[len(owner)] != '.' {
		return strings.Compare(element, owner+"."+name)
	}
	if c := strings.Compare(element[:len(owner)], owner); c != 0 {
		return c
	}
	return strings.Compare(element[len(owner)+1:], name)
}

// matches tells whether the node has the value: all of its parts, for a pattern
// (R4 elementdefinition-definitions.html#pattern_x_).
func (p *pattern) matches(n Node) bool {
	switch p.kind {
	case Object:
		if n.Kind() != Object {
			return false
		}
		for i := range p.parts {
			if !p.parts[i].matches(n.Get(p.parts[i].name)) {
				return false
			}
		}
		return true
	case Array:
		for i := range p.parts {
			if !p.parts[i].matchesSome(n) {
				return false
			}
		}
		return n.Kind() == Array
	case String:
		return n.Is(p.text)
	}
	return n.Kind() == p.kind && n.Text() == p.text
}

func (p *pattern) matchesSome(n Node) bool {
	for item := range n.Items() {
		if p.matches(item) {
			return true
		}
	}
	return false
}

// equals tells whether the node is the value and no more (fixed[x]).
func (p *pattern) equals(n Node) bool {
	if p.kind == Object || p.kind == Array {
		if n.Len() != len(p.parts) {
			return false
		}
		for i := range p.parts {
			if p.kind == Object && !p.parts[i].equals(n.Get(p.parts[i].name)) {
				return false
			}
		}
	}
	return p.matches(n)
}

// String shows the value as a developer writes it: "system|code", or its text.
func (p *pattern) String() string {
	if p.kind != Object && p.kind != Array {
		return p.text
	}
	var system, code string
	var inner []string
	for i := range p.parts {
		part := &p.parts[i]
		switch part.name {
		case "system":
			system = part.text
		case "code":
			code = part.text
		default:
			inner = append(inner, part.String())
		}
	}
	if system != "" || code != "" {
		return system + "|" + code
	}
	return strings.Join(inner, ", ")
}

// has tells whether the node is a code, a Coding or a CodeableConcept of the set.
func (s *codeSet) has(n Node) bool {
	if n.Kind() == String {
		code := n.Text()
		return slices.ContainsFunc(s.codes, func(c string) bool { return c[strings.LastIndexByte(c, '|')+1:] == code })
	}
	codings := n.Get("coding")
	if !codings.Exists() {
		codings = n
	}
	for c := range codings.Items() {
		if _, found := slices.BinarySearch(s.codes, c.Get("system").Text()+"|"+c.Get("code").Text()); found {
			return true
		}
	}
	return false
}
