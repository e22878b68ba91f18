package policy

import (
	"iter"

	"opendmp/auth"
	"opendmp/fhir"
)

// Subject is one resource of a dossier: its reference and its facts.
type Subject struct {
	Ref   string // "DocumentReference/<id>"
	Facts Facts
}

// Record is the facts of one version of a dossier, indexed. It holds facts and
// periods, never a situation or a decision, so that it may be kept for as long as
// the dossier does not change. It is immutable and safe for concurrent use. Nil
// is the record of no dossier.
type Record struct {
	state    State
	subjects []Subject
	place    map[string]int    // reference → subject; -1 if given twice
	named    index[fhir.Ident] // identifier of a resource → subjects
	content  index[string]     // attachment.url, relative → documents that name it
	consents []int
	related  []int
	teams    []int
	patients []int // one, or the record has none

	types  []typeClass // the distinct types of its documents
	typeOf []int       // subject → types
}

// typeClass is what the matrix looks at in a document.
type typeClass struct{ typ, class auth.Coding }

// NewRecord indexes the subjects of a dossier. It keeps the slice. A reference
// given twice, or a second Patient, leaves a record in which neither is found.
func NewRecord(state State, subjects []Subject) *Record {
	rec := &Record{
		state:    state,
		subjects: subjects,
		place:    make(map[string]int, len(subjects)),
		named:    newIndex[fhir.Ident](len(subjects)),
		content:  newIndex[string](len(subjects)),
		typeOf:   make([]int, len(subjects)),
	}
	types := make(map[typeClass]int)
	for i := range subjects {
		s := &subjects[i]
		if _, twice := rec.place[s.Ref]; twice {
			rec.place[s.Ref] = -1
		} else {
			rec.place[s.Ref] = i
		}
		switch s.Facts.typ {
		case typePatient:
			rec.patients = append(rec.patients, i)
		case typeConsent:
			rec.consents = append(rec.consents, i)
		case typeRelatedPerson:
			rec.related = append(rec.related, i)
		case typeCareTeam:
			rec.teams = append(rec.teams, i)
		case typeDocument, typeList:
			rec.indexDocument(i, types)
		}
	}
	return rec
}

// index is a map to one or more subjects. Most keys have one.
type index[K comparable] struct {
	first map[K]int
	more  map[K][]int
}

func newIndex[K comparable](size int) index[K] {
	return index[K]{make(map[K]int, size), make(map[K][]int)}
}

func (x index[K]) add(key K, i int) {
	if _, ok := x.first[key]; ok {
		x.more[key] = append(x.more[key], i)
		return
	}
	x.first[key] = i
}

// of yields the subjects of a key.
func (x index[K]) of(key K) iter.Seq[int] {
	return func(yield func(int) bool) {
		i, ok := x.first[key]
		if !ok || !yield(i) {
			return
		}
		for _, i := range x.more[key] {
			if !yield(i) {
				return
			}
		}
	}
}

func (rec *Record) indexDocument(i int, types map[typeClass]int) {
	f := &rec.subjects[i].Facts
	for _, id := range f.idents {
		rec.named.add(id, i)
	}
	if f.typ != typeDocument {
		return
	}
	for _, url := range f.contents {
		rec.content.add(relative(url), i)
	}
	t := typeClass{f.docType, f.class}
	n, ok := types[t]
	if !ok {
		n = len(rec.types)
		types[t] = n
		rec.types = append(rec.types, t)
	}
	rec.typeOf[i] = n
}

// State returns the state of the dossier.
func (rec *Record) State() State {
	if rec == nil {
		return NoDossier
	}
	return rec.state
}

// Len returns the number of subjects.
func (rec *Record) Len() int {
	if rec == nil {
		return 0
	}
	return len(rec.subjects)
}

// Subject returns the i-th subject; zero if there is none.
func (rec *Record) Subject(i int) Subject {
	if i < 0 || i >= rec.Len() {
		return Subject{}
	}
	return rec.subjects[i]
}

// Index returns the place of the subject with a reference.
func (rec *Record) Index(ref string) (int, bool) {
	if rec == nil {
		return 0, false
	}
	i, ok := rec.place[ref]
	return i, ok && i >= 0
}

// ActiveConsent returns the reference of the one Consent of a kind and actor that
// has the status active, whatever its period: one that follows takes its place
// (POLICY §6). actor is what ConsentActor returns, zero for none.
func (rec *Record) ActiveConsent(kind ConsentKind, actor fhir.Ident) (ref string, ok bool) {
	if rec == nil {
		return "", false
	}
	for _, i := range rec.consents {
		f := &rec.subjects[i].Facts
		if f.status == Current && f.consent.kind == kind && f.consent.actor == actor {
			return rec.subjects[i].Ref, true
		}
	}
	return "", false
}

// thePatient returns the Patient; zero if there is none, or several.
func (rec *Record) thePatient() Subject {
	if rec == nil || len(rec.patients) != 1 {
		return Subject{}
	}
	return rec.subjects[rec.patients[0]]
}

// patientFacts returns the facts of the Patient, zero if there is none.
func (rec *Record) patientFacts() patientFacts { return rec.thePatient().Facts.person }

// patientRef returns the reference of the Patient, "" if there is none.
func (rec *Record) patientRef() string { return rec.thePatient().Ref }
