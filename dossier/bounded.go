package dossier

import (
	"fmt"

	"opendmp/fhir"
)

// maxOfDocument is how many identifiers, and how many relations to others, a new
// document may have. Each identifier is kept apart to be found by, and each relation is
// looked up; no document of the guides has more than a few.
const maxOfDocument = 100

// bounded refuses a new document that has more than that of either. What stands at one
// time stays: a document is changed whatever it has.
func bounded(r *fhir.Resource, at string) error {
	for _, name := range [...]string{"identifier", "relatesTo"} {
		if n := r.Get(name).Len(); n > maxOfDocument {
			return unprocessable(at+"."+name,
				fmt.Sprintf("Un document a au plus %d %s ; celui-ci en a %d.", maxOfDocument, name, n),
				fmt.Sprintf("A document has at most %d %s; this one has %d.", maxOfDocument, name, n))
		}
	}
	return nil
}
