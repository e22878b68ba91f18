package sandbox

import (
	"fmt"

	"opendmp/directory"
	"opendmp/fhir"
)

// Directory returns the professionals and the structures of the cast as the Annuaire
// Santé would hold them.
func Directory() *directory.Index {
	b := directory.NewBuilder()
	for _, p := range Personas() {
		if p.Profession.IsZero() {
			continue
		}
		if err := b.Add(p.record()); err != nil {
			panic(fmt.Sprintf("sandbox: the directory does not take %s: %v", p.Key, err)) // a mistake in the cast
		}
	}
	return b.Index()
}

// record is the one practice of a professional.
func (p Persona) record() directory.Record {
	r := directory.Record{
		National: p.ID.Value, Family: p.Family, Given: p.Given,
		Profession: fhir.Code{Code: p.Profession.Code, Display: professionName(p.Profession.Code)},
		Category:   "C",
		Skill:      fhir.Code{Code: p.Skill.Code},
	}
	if p.Title == "Dr" {
		r.Title = "DR"
	}
	if p.Student {
		r.Category = "E"
	}
	if s := structureOf(p.Structure); s.key != "" {
		r.Sector = fhir.Code{Code: s.sector.code, Display: s.sector.display}
		r.Structure = directory.Structure{
			Key: "F" + s.number[1:], Name: s.name, Sites: []fhir.Ident{s.ident()}, City: s.city, Postal: "75012",
		}
	}
	return r
}

// professionName is the label of a profession of the cast in TRE_G15.
func professionName(code string) string {
	return map[string]string{
		"10": "Médecin", "21": "Pharmacien", "28": "Opticien-Lunetier", "40": "Chirurgien-Dentiste",
		"50": "Sage-Femme", "60": "Infirmier", "95": "Diététicien",
	}[code]
}
