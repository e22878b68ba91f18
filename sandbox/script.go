package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// ErrTooEarly is the error of a script whose now is before its last fixed date.
var ErrTooEarly = errors.New("sandbox: the story needs a now after 2025-07-31")

// Config says when the story ends and which random numbers it draws.
type Config struct {
	// Now is the present of the story: authorisations that are VALIDE are given
	// then, other dates count back from it.
	Now time.Time
	// Seed seeds identifiers. The same Now and Seed give the same script.
	Seed uint64
	// AuthorisedDays is how many days the authorisations that patients give to
	// single professionals last; 1 if zero, the day of the consultation, as POLICY
	// has it. A server whose setting allows more can be given more.
	AuthorisedDays int
}

// Document names a document of the script.
type Document struct {
	Key     string // "alix-ordonnance"
	Patient string // key of the persona
}

// Documents returns the documents that the script pushes, in the order of the
// records. Those that are replaced later are among them.
func Documents() []Document {
	var ds []Document
	for _, d := range documents(time.Unix(0, 0)) {
		ds = append(ds, Document{d.key, d.patient})
	}
	return ds
}

// Script returns the requests that open the dossiers and fill them, in the order
// of their instants. It fails if Now is too early, or if a document cannot be
// laid out.
func Script(c Config) ([]Step, error) {
	if c.Now.Before(time.Date(2025, time.August, 1, 0, 0, 0, 0, fhir.Paris)) {
		return nil, ErrTooEarly
	}
	w := &writer{
		now:  c.Now,
		days: max(c.AuthorisedDays, 1),
		rand: rand.New(rand.NewPCG(c.Seed, 0x6f70656e646d70)),
		oids: map[string]string{},
	}
	w.openings()
	w.consents()
	w.managing()
	for _, d := range documents(c.Now) {
		w.push(d)
	}
	w.labels()
	if w.err != nil {
		return nil, w.err
	}
	slices.SortStableFunc(w.steps, func(a, b Step) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return w.steps, nil
}

// writer writes the steps. The first error stays.
type writer struct {
	now   time.Time
	days  int
	rand  *rand.Rand
	oids  map[string]string // unique identifier of each document
	steps []Step
	err   error
}

// ago is an hour of a day so many days before a now, in Paris.
func ago(now time.Time, days, hour, minute int) time.Time {
	n := now.In(fhir.Paris)
	return time.Date(n.Year(), n.Month(), n.Day()-days, hour, minute, 0, 0, fhir.Paris)
}

func (w *writer) ago(days, hour, minute int) time.Time { return ago(w.now, days, hour, minute) }

// uuid draws a UUID of version 4 (RFC 9562).
func (w *writer) uuid() string {
	b := w.random()
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// oid draws an OID under 2.25 (ITU-T X.667).
func (w *writer) oid() string {
	b := w.random()
	return "2.25." + new(big.Int).SetBytes(b[:]).String()
}

func (w *writer) random() (b [16]byte) {
	for i := range b {
		b[i] = byte(w.rand.UintN(256))
	}
	return b
}

func (w *writer) add(s Step) {
	s.At = s.At.UTC()
	w.steps = append(w.steps, s)
}

// open adds the step that opens a dossier.
func (w *writer) open(as, patient string, at time.Time, representative string, consents ...consent) {
	o := opening{patient: persona(patient), by: structureOf(persona(as).Structure), at: at, consents: consents}
	saves := []Save{{patient, "Patient"}}
	if representative != "" {
		r := persona(representative)
		o.representative = &r
		saves = append(saves, Save{representative, "RelatedPerson"})
	}
	w.add(Step{
		At: at, As: as, Note: "ouvre le dossier de " + patient,
		Method: "POST", Path: "", ContentType: mediaFHIR, Body: mustEncode(o.bundle(w.uuid)),
		Expect: 200, Saves: saves,
	})
}

// openings opens every dossier but that of patient-farid.
func (w *writer) openings() {
	w.open("hopital-sud", "patient-claire", time.Date(2024, time.February, 5, 9, 10, 0, 0, fhir.Paris), "")
	w.open("medecin-martin", "patient-alix", w.ago(400, 10, 0), "")
	w.open("hopital-sud", "patient-basile", w.ago(200, 14, 20), "", consent{kind: kindNoBreakGlass}, consent{kind: kindNoCentre15})
	w.open("hopital-nord", "patient-emma", w.ago(150, 16, 40), "representative-lambert")
	opened := w.ago(60, 11, 5)
	w.open("secretariat-nord", "patient-david", opened, "", consent{
		kind: kindAuthorisation, actor: structureActor(structureOf("hopital-nord")),
		from: opened, until: opened.In(fhir.Paris).AddDate(1, 0, -1),
	})
	w.open("medecin-exemple", "patient-exemple", w.ago(5, 9, 0), "")
}

// decide adds the step by which a patient records a consent.
func (w *writer) decide(patient, note string, c consent) {
	c.patient = reference("Patient/" + placeholder(patient))
	w.add(Step{
		At: c.at, As: patient, Note: note,
		Method: "POST", Path: "/Consent", ContentType: mediaFHIR, Body: mustEncode(c.resource()),
		Expect: 201,
	})
}

// authorise records the authorisation of a professional for some days.
func (w *writer) authorise(patient, professional string, at time.Time, days int) {
	w.decide(patient, "autorise "+professional, consent{
		kind: kindAuthorisation, at: at, actor: practitionerActor(persona(professional)),
		from: at, until: at.In(fhir.Paris).AddDate(0, 0, days-1),
	})
}

func (w *writer) consents() {
	// Ended the evening of its day, more than a year ago: EXPIRE.
	w.authorise("patient-alix", "medecin-petit", w.ago(372, 14, 0), 1)
	w.decide("patient-david", "bloque medecin-durand", consent{
		kind: kindBlock, at: w.ago(55, 20, 15), actor: practitionerActor(persona("medecin-durand")),
	})
	for _, p := range []string{
		"medecin-durand", "pharmacien-dubois", "infirmier-moreau", "sage-femme-roux",
		"dentiste-faure", "opticien-blanc", "dieteticien-noel",
	} {
		w.authorise("patient-alix", p, w.now, w.days)
	}
	w.authorise("patient-exemple", "medecin-exemple", w.now, w.days)
}

// patch adds a JSON Patch of a resource.
func (w *writer) patch(at time.Time, as, note, path string, operations ...object) {
	w.add(Step{
		At: at, As: as, Note: note, Method: "PATCH", Path: path,
		ContentType: mediaPatch, Body: mustEncode(operations), Expect: 200,
	})
}

// managing names the médecin traitant of Alix, and closes Claire's dossier.
func (w *writer) managing() {
	martin := practitionerActor(persona("medecin-martin"))
	w.patch(w.ago(400, 10, 10), "patient-alix", "désigne medecin-martin médecin traitant", "/Patient/"+placeholder("patient-alix"),
		patchOperation("add", "/generalPractitioner", list(martin)))

	closed := time.Date(2025, time.June, 30, 17, 10, 0, 0, fhir.Paris)
	w.patch(closed, "patient-claire", "ferme son dossier", "/Patient/"+placeholder("patient-claire"),
		closing(closed, "Demande de la patiente")...)
}

// labels masks and archives what was deposited before.
func (w *writer) labels() {
	masked := concept(coded{fhir.SystemVisibility, flagMasked, flagName(flagMasked)})
	w.patch(w.ago(44, 21, 30), "patient-alix", "masque alix-masque", "/DocumentReference/"+placeholder("alix-masque"),
		patchOperation("add", "/securityLabel/-", masked))
	w.patch(w.ago(10, 9, 45), "pharmacien-dubois", "archive alix-vaccins", "/DocumentReference/"+placeholder("alix-vaccins"),
		patchOperation("add", "/extension", list(obj("url", extArchived, "valueBoolean", true))))
}

// push adds the step that deposits a document.
func (w *writer) push(d timedDocument) {
	s := submission{
		document: d.document, at: d.at,
		oid: w.oid(), listOID: w.oid(), listUUID: w.uuid(), sourceOID: sourceOID(persona(d.author)),
		urls: [3]string{"urn:uuid:" + w.uuid(), "urn:uuid:" + w.uuid(), "urn:uuid:" + w.uuid()},
	}
	w.oids[d.key] = s.oid
	s.oldOID = w.oids[d.replaces]
	var err error
	if s.content, err = s.render(); err != nil {
		w.err = errors.Join(w.err, fmt.Errorf("%s: %w", d.key, err))
		return
	}
	step := Step{
		At: d.at, As: d.author, Note: "dépose " + d.key,
		Method: "POST", Path: "", ContentType: mediaFHIR, Body: mustEncode(s.bundle()),
		Expect: 200, Saves: []Save{{d.key, "DocumentReference"}},
	}
	if d.published {
		step.ID = publishedID
	}
	w.add(step)
}

// render makes the content.
func (s submission) render() ([]byte, error) {
	h := heading{
		patient: s.patientPersona(), author: s.authorPersona(), structure: s.authorStructure(),
		act: s.act, written: s.at, oid: s.oid, replaces: s.oldOID, version: 1, typ: s.typ,
	}
	if s.replaces != "" {
		h.version = 2
	}
	switch s.form {
	case formCDA:
		return renderCDA(h, s.report)
	case formCDAOfPDF:
		return renderCDAOfPDF(h, s.report)
	case formBytes:
		return []byte(publishedContent), nil
	}
	return renderPDF(h, s.report)
}

// sourceOID is the identifier of the system that pushes, one for each structure
// and for the space of patients.
func sourceOID(author Persona) string {
	if author.Kind == auth.Patient {
		return "2.25.1750000000"
	}
	return "2.25." + structureOf(author.Structure).number
}
