package policy

import (
	"opendmp/auth"
	"opendmp/fhir"
)

// Explanation tells who may read one document, and by which rules: what the
// rules say of everybody whom the dossier names, and of everybody else (G13).
//
// Each line is a decision of the rulebook on a supposed caller, never a second
// reading of the rules. A professional finds themself by the line of their person
// in their structure; without one, by the wider of the line of their person and
// that of their structure; without these, by that of any other professional.
type Explanation struct {
	Ref     string // "DocumentReference/<id>"
	Readers []Reader
}

// Reader is one line of an explanation: somebody, or a group, and what the rules
// say of their reading the document. The zero Reader reads nothing.
type Reader struct {
	Quality Quality
	// Person is whom the line is about and Structure where they act; zero for
	// whoever, wherever. A care team is its reference.
	Person, Structure fhir.Ident
	Team              string
	// Cell is Allow or Deny where the line holds for those professions only that
	// the matrix lets read this type, or does not; Unknown where it holds for all.
	Cell Cell
	// Professions are those that the line is about; nil for whatever profession.
	Professions []auth.Coding
	// Decision is what the rules say.
	Decision Decision

	matrix bool // the reader reads because, among others, the matrix allows it
}

// Quality is what makes somebody a line of an explanation.
type Quality uint8

// Qualities. The zero Quality is none.
const (
	NoQuality Quality = iota

	ThePatient
	TheRepresentative
	TreatingPhysician // a médecin traitant
	BlockedPerson
	AuthorPerson
	AuthorisedPerson
	EmergencyPerson // has an emergency grant open
	TeamPerson      // member of an authorised care team

	BlockedStructure
	AuthorisedStructure
	TeamStructure
	AuthorStructure    // professionals who act in a structure that is an author
	DepositorStructure // those who act in the structure that deposited the document

	AuthorEstablishment  // the system of a structure that is an author
	AuthorAdministration // its front-office staff
	AuthorFeeder         // the health insurance, of what it fed

	OtherProfessional
	AuthorisedProfession // any other professional, once authorised
	StudentProfessional  // the same, in training
	OccupationalPhysician
	EmergencyMode // bris de glace
	RegulatorMode // centre 15

	OtherSystem // any other establishment, administrative caller or feeder
	OtherPatient
	TheOperator

	qualities
)

var qualityCodes = [qualities]string{
	ThePatient:            "patient",
	TheRepresentative:     "representant",
	TreatingPhysician:     "medecin-traitant",
	BlockedPerson:         "professionnel-bloque",
	AuthorPerson:          "auteur",
	AuthorisedPerson:      "professionnel-autorise",
	EmergencyPerson:       "acces-urgence-ouvert",
	TeamPerson:            "membre-equipe",
	BlockedStructure:      "structure-bloquee",
	AuthorisedStructure:   "structure-autorisee",
	TeamStructure:         "structure-equipe",
	AuthorStructure:       "structure-auteur",
	DepositorStructure:    "structure-deposante",
	AuthorEstablishment:   "etablissement-auteur",
	AuthorAdministration:  "agent-administratif",
	AuthorFeeder:          "assurance-maladie",
	OtherProfessional:     "autre-professionnel",
	AuthorisedProfession:  "profession-si-autorisee",
	StudentProfessional:   "etudiant-si-autorise",
	OccupationalPhysician: "medecin-du-travail",
	EmergencyMode:         "bris-de-glace",
	RegulatorMode:         "centre-15",
	OtherSystem:           "autre-organisme",
	OtherPatient:          "autre-patient",
	TheOperator:           "operateur",
}

// String returns the code of the quality in an answer; "" for NoQuality.
func (q Quality) String() string {
	if q >= qualities {
		return ""
	}
	return qualityCodes[q]
}

// Explain tells who may read the i-th subject of the record, a document, to the
// patient and to a médecin traitant who may read it themself (G13). To anyone
// else, and of anything else, the answer is that of what does not exist; the
// rules of the decision are then those that keep the caller from reading, where
// there are any.
//
// Nobody is named but by what the caller may read: the Patient, the
// RelatedPersons, Consents and CareTeams of the dossier, and the document itself.
func (v *View) Explain(i int) (Released[Explanation], Decision) {
	if v.empty() || v.rec.Subject(i).Facts.typ != typeDocument {
		return Released[Explanation]{}, Decision{}
	}
	read := v.Read(i)
	c := v.base
	c.Act, c.Sees = ActExplain, read.Allowed()
	d := v.decide(c)
	if !read.Allowed() {
		d = And(read, d)
	}
	if !d.Allowed() {
		return Released[Explanation]{}, d
	}
	return release(d, v.explanation(i)), d
}

// Why decides on reading the i-th subject of the record, and says it in a
// sentence whose subject is who, in both languages: "Le Dr X" and "Dr X". It
// tells nothing of the document but whether it is read.
func (v *View) Why(i int, who fhir.Text) (Decision, fhir.Text) {
	d := v.Read(i)
	f := v.rec.Subject(i).Facts
	if v.empty() || f.typ != typeDocument {
		return d, Reader{Decision: d}.say(who)
	}
	return d, Reader{Decision: d, matrix: byMatrix(v.document(ActRead, &f, -1), d)}.say(who)
}

// byMatrix tells whether a reading that was decided needed the matrix, and had it
// (L07): the rule is silent where it does not refuse.
func byMatrix(c Case, d Decision) bool {
	return d.Extent() == Full && c.carer() && c.Cell == Allow && !c.MT && !c.Mine
}
