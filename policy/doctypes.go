package policy

import (
	"iter"

	"opendmp/auth"
)

//go:generate go run ./internal/genmatrix ../testdata/terminology .

const (
	systemASTM = "https://mos.esante.gouv.fr/NOS/TRE_A12-NomenclatureASTM/FHIR/TRE-A12-NomenclatureASTM"
	systemURN  = "https://mos.esante.gouv.fr/NOS/TRE_A10-NomenclatureURN/FHIR/TRE-A10-NomenclatureURN"
)

// Family sorts the document types by who writes them and what for (POLICY E04).
type Family uint8

// Families. FamilyNone is that of what is no document type of the DMP.
const (
	FamilyNone          Family = iota
	FamilyMedical              // by professionals and establishments, for care
	FamilyPatient              // by the patient: class 90, DOCPAT*, EXPPAT*
	FamilyReimbursement        // by the health insurance: class 60
	FamilyManagement           // attestations and other papers: class 95
	FamilyTechnical            // the signature of a submission set
)

// DocumentType is one type of document of the DMP.
type DocumentType struct {
	Type   auth.Coding
	Class  auth.Coding // the class that goes with the type (ASS_X16)
	Label  string      // in French
	Family Family
}

// DocumentTypes yields the document types of the DMP (ASS_X16 of 2024-02-23) in
// the order of the terminology.
func DocumentTypes() iter.Seq[DocumentType] {
	return func(yield func(DocumentType) bool) {
		for i := range typeCount {
			if !yield(documentType(i)) {
				return
			}
		}
	}
}

// TypeOf returns the document type of a coding in canonical form
// (fhir.CanonicalCoding); false if it is none of the DMP.
func TypeOf(t auth.Coding) (DocumentType, bool) {
	place := typePlace(t)
	if place < 0 {
		return DocumentType{}, false
	}
	return documentType(place), true
}

// ClassOf returns the class that goes with a type; false if the type is none of
// the DMP.
func ClassOf(t auth.Coding) (auth.Coding, bool) {
	d, ok := TypeOf(t)
	return d.Class, ok
}

func placeIf(ok bool, place int) int {
	if ok {
		return place
	}
	return -1
}
