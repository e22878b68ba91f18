package sandbox

import (
	"time"

	"opendmp/fhir"
)

// Establishment is a hospital of the cast as a server registers it: an invented
// decision of its CME lets it feed records by itself.
type Establishment struct {
	ID       fhir.Ident // Struct_IdNat
	Name     string
	Decision string    // reference of the decision
	Date     time.Time // its day
}

// Establishments returns the hospitals of the cast.
func Establishments() []Establishment {
	decided := time.Date(2020, time.January, 15, 0, 0, 0, 0, fhir.Paris)
	var all []Establishment
	for _, key := range []string{"hopital-nord", "hopital-sud"} {
		s := structureOf(key)
		all = append(all, Establishment{
			ID: s.ident(), Name: s.name, Decision: "Délibération fictive de la CME, " + s.name + ", 15 janvier 2020", Date: decided,
		})
	}
	return all
}
