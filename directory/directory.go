package directory

import (
	"context"
	"errors"
	"slices"

	"opendmp/fhir"
)

// ErrUnavailable is that a driver cannot answer now.
var ErrUnavailable = errors.New("directory: unavailable")

// ErrBroad is that a query names nobody: neither an identifier nor two letters of a
// name.
var ErrBroad = errors.New("directory: the query names nobody")

// MaxFound is how many people or structures one query finds at most: a directory to
// find somebody in, not to copy.
const MaxFound = 50

// Directory finds professionals and structures. It is safe for concurrent use.
//
// Where several criteria are given all must hold. The errors are ErrBroad and
// ErrUnavailable; an identifier that nobody has is no error.
type Directory interface {
	// Professionals finds people, in the order of their names.
	Professionals(ctx context.Context, q ProfessionalQuery) (Found[Professional], error)
	// Structures finds structures, in the order of their names.
	Structures(ctx context.Context, q StructureQuery) (Found[Structure], error)
}

// Found is what a query found.
type Found[T any] struct {
	// Items are the first of all, as many as the limit of the query lets through.
	Items []T
	// Total counts all.
	Total int
}

// ProfessionalQuery asks for professionals. Names are compared without case, accents
// and punctuation; each word that is given begins one of the name.
type ProfessionalQuery struct {
	// ID is the identifier, in any of its forms; without a system, in whichever it is.
	ID fhir.Ident
	// Name holds words of the family or the given name, at least one of the family
	// name. Family begins the family name; Given holds words of the given name.
	Name, Family, Given string
	// Profession (TRE_G15) and Skill (TRE_R01) are codes, Structure the Struct_IdNat,
	// Postal the beginning of the postal code and City that of the commune of one and
	// the same practice.
	Profession, Skill string
	Structure         fhir.Ident
	// Key is the Structure.Key of that practice.
	Key          string
	Postal, City string
	// Matching leaves out of the items the practices that are not asked for.
	Matching bool
	// Limit bounds the items; MaxFound if it is more, none if zero.
	Limit int
}

// StructureQuery asks for structures.
type StructureQuery struct {
	// ID is an identifier of the structure, or of the legal entity that it is part of,
	// in any of its forms.
	ID fhir.Ident
	// Key is Structure.Key.
	Key string
	// Name holds words of the names, Postal and City as of a ProfessionalQuery.
	Name, Postal, City string
	Limit              int
}

// Professional is a person with a national identifier.
type Professional struct {
	// National is the PS_IdNat: 8 and a RPPS, 0 and an ADELI.
	National string
	// Title is that of their practice ("DR", "PR"), "" for none.
	Title         string
	Family, Given string
	Practices     []Practice
}

// Ident returns the canonical identifier, as the policy compares it.
func (p Professional) Ident() fhir.Ident {
	return fhir.CanonicalIdent(fhir.Ident{System: fhir.SystemIDNPS, Value: p.National})
}

// Name returns the name as it is shown: "DR Hélène MARTIN".
func (p Professional) Name() string { return joined(p.Title, p.Given, p.Family) }

// Professions of TRE_G15, and categories of TRE_R09, that mean something here.
const (
	physician = "10"
	student   = "E"
)

// Physician tells whether they practise as a physician; one in training does not.
func (p Professional) Physician() bool {
	return slices.ContainsFunc(p.Practices, func(r Practice) bool {
		return r.Profession.Code == physician && r.Category != student
	})
}

// Practice is one exercise of a profession.
type Practice struct {
	// Profession is of TRE_G15; its system is left to the caller, as of all codes
	// here. Category is a code of TRE_R09: C civilian, M military, E student.
	Profession fhir.Code
	Category   string
	// Skills are savoir-faire, Mode is liberal, salaried or voluntary (TRE_R23),
	// Sector that of the structure (TRE_R02), Role a function (TRE_R21).
	Skills             []fhir.Code
	Mode, Sector, Role fhir.Code
	// Structure is where; nil where the file names none.
	Structure *Structure
}

// Structure is a place where care is given.
type Structure struct {
	// Key identifies the structure in the directory: its technical identifier.
	Key string
	// Name is the raison sociale, Trade the enseigne commerciale; either may be "".
	Name, Trade string
	// Sites are its own Struct_IdNat, the best first; Legal are those of the entity
	// that it is part of (FINESS, SIREN).
	Sites, Legal []fhir.Ident
	Line         string
	Postal, City string
	// Commune is a code of INSEE.
	Commune string
}

// Label returns the name by which the structure is shown.
func (s Structure) Label() string {
	if s.Name == "" {
		return s.Trade
	}
	return s.Name
}
