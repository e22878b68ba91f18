package sandbox

import (
	"opendmp/auth"
	"opendmp/fhir"
)

// Exercise is one situation d’exercice of a professional, as the national directory
// and Pro Santé Connect know it (DOMAIN §5.5).
type Exercise struct {
	// Profession is of TRE_G15; Category is C (civil), M (military) or E (student).
	Profession, Category string
	// Skill is of TRE_R01, "" if there is none.
	Skill  string
	Places []Place
}

// Place is where an exercise takes place.
type Place struct {
	ID     fhir.Ident // Struct_IdNat
	Name   string
	Sector string // JDV_J02
	Mode   string // L (libéral) or S (salarié)
}

// Exercises returns the situations of a professional, the one of the cast first; nil
// for anybody else. Dr Durand works in two places, and Dr Roche is both a civil and a
// military physician, so that a client has to choose.
func (p Persona) Exercises() []Exercise {
	if p.Kind != auth.Professional && p.Kind != auth.Regulator {
		return nil
	}
	category := "C"
	if p.Student {
		category = "E"
	}
	own := Exercise{Profession: p.Profession.Code, Category: category, Skill: p.Skill.Code, Places: []Place{placeOf(p.Structure)}}
	switch p.Key {
	case "medecin-durand":
		own.Places = append(own.Places, placeOf("cabinet-sud"))
	case "urgentiste-roche":
		military := own
		military.Category, military.Places = "M", []Place{placeOf("hopital-nord")}
		return []Exercise{own, military}
	}
	return []Exercise{own}
}

// placeOf returns a structure of the cast as a place: who works in a hospital or in a
// service is employed there.
func placeOf(key string) Place {
	s := structureOf(key)
	mode := "S"
	switch s.sector.code {
	case "SA08", "SA33", "SA42":
		mode = "L"
	}
	return Place{ID: s.ident(), Name: s.name, Sector: s.sector.code, Mode: mode}
}
