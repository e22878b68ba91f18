package dossier

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
)

// systemMotive is the code system of the motives of closing, and systemMotiveOID
// the OID that connectors give it (DOMAIN §6).
const (
	systemMotive    = "https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture"
	systemMotiveOID = "urn:oid:1.2.250.1.213.4.1.2.4"
)

// Motives of closing.
const (
	motiveRequest   = "patient-demande"
	motiveDuplicate = "DOUBLON" // G11
	motiveDeath     = "DECES"   // G12
)

// motiveOf returns the motive that a coding means, "" for an unknown one.
func motiveOf(coding fhir.Node) string {
	if system := coding.Get("system"); !system.Is(systemMotive) && !system.Is(systemMotiveOID) {
		return ""
	}
	switch code := coding.Get("code").Text(); code {
	case motiveRequest, "FERMETURE_DEMANDE_PATIENT":
		return motiveRequest
	case motiveDuplicate, motiveDeath:
		return code
	}
	return ""
}

// closure is what $fermer is given.
type closure struct {
	subject subject
	motive  string
	reason  string
	death   string // FHIR dateTime, "" if none is given
}

func (c *call) readClosure() (closure, error) {
	args, err := c.readArguments()
	if err != nil {
		return closure{}, err
	}
	m := closure{motive: motiveOf(args["motif"].Get("valueCoding")), reason: args.text("raison"), death: args["date-deces"].Get("valueDateTime").Text()}
	if m.subject, err = c.subjectOfOperation(args); err != nil {
		return m, err
	}
	died, readable := fhir.ParseInterval(m.death)
	switch {
	case m.motive == "":
		return m, unprocessable("Parameters.parameter('motif')", "Motif de fermeture inconnu : patient-demande, DOUBLON ou DECES.", "Unknown motive of closing: patient-demande, DOUBLON or DECES.")
	case !auth.IsReason(m.reason):
		return m, unprocessable("Parameters.parameter('raison')", "La raison est un texte de 10 à 500 caractères, dont dix lettres ou chiffres.", "The reason is a text of 10 to 500 characters, ten of them letters or digits.")
	case m.death != "" && m.motive != motiveDeath:
		return m, unprocessable("Parameters.parameter('date-deces')", "La date du décès ne va qu’avec le motif DECES.", "A date of death goes with the motive DECES only.")
	case m.death != "" && (!readable || died.StartTime().After(c.at)):
		return m, unprocessable("Parameters.parameter('date-deces')", "La date du décès est dans l’avenir ou illisible.", "The date of death is in the future or cannot be read.")
	}
	return m, nil
}

// closeDossier carries out $fermer: what the PATCH of active and dmp-fermeture
// would do, judged as that is (G02, G12).
func (c *call) closeDossier(ctx context.Context) (Answer, error) {
	m, err := c.readClosure()
	if err != nil {
		return Answer{}, err
	}
	return c.changeDossier(ctx, m.subject, func(ch *change, before *fhir.Resource) (*fhir.Resource, error) {
		return c.closed(before, m)
	})
}

// reactivate carries out $reactiver: the renewed consent, if it comes along, and
// the Patient, in one commit (G03).
func (c *call) reactivate(ctx context.Context) (Answer, error) {
	args, err := c.readArguments()
	if err != nil {
		return Answer{}, err
	}
	s, err := c.subjectOfOperation(args)
	if err != nil {
		return Answer{}, err
	}
	consent := args["consentement"].Get("resource")
	return c.changeDossier(ctx, s, func(ch *change, before *fhir.Resource) (*fhir.Resource, error) {
		if before.Get("active").True() {
			return nil, unprocessable("Patient.active", "Le dossier n’est pas fermé.", "The record is not closed.")
		}
		if consent.Exists() {
			if err := c.renew(ctx, ch, consent.Resource()); err != nil {
				return nil, err
			}
		}
		return revived(before)
	})
}

// revived returns the Patient of a reactivated dossier: no more said to be dead,
// whatever closed it.
func revived(before *fhir.Resource) (*fhir.Resource, error) {
	after, err := setMember(before, "active", []byte("true"))
	for _, name := range [...]string{"deceasedBoolean", "deceasedDateTime"} {
		if n := after.Get(name); err == nil && n.Exists() {
			after, err = after.Splice([]fhir.Edit{fhir.RemoveMember(n)})
		}
	}
	return after, err
}

// changeDossier changes the Patient of a dossier by an operation. Who may not make
// the change is answered as by patient, whatever it would have been.
func (c *call) changeDossier(ctx context.Context, s subject, edit func(*change, *fhir.Resource) (*fhir.Resource, error)) (Answer, error) {
	if err := c.checkINS(s.idents); err != nil {
		return Answer{}, err
	}
	return c.onDossier(ctx, s, doUpdate, func(d *loaded, v *policy.View, patient *row) (Answer, error) {
		rec, err := c.body(ctx, d.id, d.ring, patient.key, patient.version)
		if err != nil {
			return Answer{}, err
		}
		ch := c.newChange(d, v)
		after, dec, err := c.edited(ch, patient, rec, edit)
		if err == nil {
			dec, err = c.changeTo(ctx, ch, patient, rec, after)
		}
		if err != nil {
			return c.undo(ctx, d, v, dec, err, doUpdate, versionRef(patient))
		}
		return c.operated(ctx, ch, dec)
	})
}

// edited makes the changed Patient. Whoever may do nothing with the dossier learns
// nothing of it from what is wrong with their request.
func (c *call) edited(ch *change, patient *row, rec *record, edit func(*change, *fhir.Resource) (*fhir.Resource, error)) (*fhir.Resource, policy.Decision, error) {
	after, err := edit(ch, rec.resource)
	if err != nil && !isUnavailable(err) && !isConflict(err) && !ch.v.MayAim(ch.d.byRef[patient.ref()]) {
		return nil, policy.Decision{}, ErrForbidden
	}
	return after, policy.Decision{}, err
}

// renew records the renewed consent of the patient into the change, and makes the
// view of the change that of the dossier with it.
func (c *call) renew(ctx context.Context, ch *change, consent *fhir.Resource) error {
	s, ok := c.subjectOf(consent, consent.Get("patient"), nil)
	if !ok {
		return unprocessable("Consent.patient", "Le patient n’est pas désigné par une référence ou un INS connus.", "The patient is not named by a reference or an INS that is known.")
	}
	if other, err := c.dossierOfOne(ctx, s); err != nil || other != ch.d.id {
		return unprocessable("Consent.patient", "Le consentement concerne un autre patient.", "The consent is about another patient.")
	}
	_, _, err := c.putConsent(ctx, ch, consent, fhir.Stamped{ID: c.newID(), Version: 1, Updated: c.at, References: patientRef(s, ch.d)}, 0)
	if err != nil {
		return err
	}
	ch.v = c.policy.View(c.p, ch.d.with(ch.tx.Header, ch.rows).record, c.at)
	return nil
}

// operated commits the change of a Patient and answers it as the caller may then
// read it, or that it was done.
func (c *call) operated(ctx context.Context, ch *change, dec policy.Decision) (Answer, error) {
	ch.note(dec, doUpdate)
	receipt, err := ch.commit(ctx)
	if err != nil {
		return Answer{}, err
	}
	now, released, dec := ch.released(len(ch.rows) - 1)
	if !dec.Allowed() || c.r.Return == "minimal" || c.r.Return == "OperationOutcome" {
		return c.acknowledged(done, receipt).in(ch.v), nil
	}
	return c.clinical(http.StatusOK, one(released), receipt).version(now.version, now.updated).in(ch.v), nil
}

// acknowledged answers an operation by an OperationOutcome.
func (c *call) acknowledged(issues []fhir.Issue, receipt audit.Receipt) Answer {
	return c.clinical(http.StatusOK, own(fhir.OutcomeJSON(c.r.Lang, issues)), receipt)
}

// closed returns the Patient of a closed dossier.
func (c *call) closed(before *fhir.Resource, m closure) (*fhir.Resource, error) {
	after, err := setMember(before, "active", []byte("false"))
	if err != nil {
		return nil, err
	}
	if m.motive == motiveDeath {
		if after, err = deceased(after, m.death); err != nil {
			return nil, err
		}
	}
	entry := closingJSON(c.today(), m)
	extensions := after.Get("extension")
	if !extensions.Exists() {
		return after.Splice([]fhir.Edit{fhir.InsertMember(after.Root(), "extension", slices.Concat([]byte("["), entry, []byte("]")))})
	}
	return after.Splice([]fhir.Edit{fhir.AppendItem(extensions, entry)})
}

// deceased records a death: the day, or that there was one.
func deceased(r *fhir.Resource, day string) (*fhir.Resource, error) {
	if r.Get("deceasedDateTime").Exists() {
		return r, nil // known before
	}
	if day == "" {
		return setMember(r, "deceasedBoolean", []byte("true"))
	}
	if b := r.Get("deceasedBoolean"); b.Exists() {
		var err error
		if r, err = r.Splice([]fhir.Edit{fhir.RemoveMember(b)}); err != nil {
			return nil, err
		}
	}
	return setMember(r, "deceasedDateTime", fhir.Quote(day))
}

// setMember sets a member of a resource, whether or not it has one of that name.
func setMember(r *fhir.Resource, name string, value []byte) (*fhir.Resource, error) {
	if n := r.Get(name); n.Exists() {
		return r.Splice([]fhir.Edit{fhir.Replace(n, value)})
	}
	return r.Splice([]fhir.Edit{fhir.InsertMember(r.Root(), name, value)})
}

// closingPart is a part of dmp-fermeture.
type closingPart struct {
	URL     string   `json:"url"`
	Date    string   `json:"valueDate,omitempty"`
	Concept *concept `json:"valueCodeableConcept,omitempty"`
	Text    string   `json:"valueString,omitempty"`
}

// closingJSON is the extension dmp-fermeture.
func closingJSON(day string, m closure) []byte {
	b, err := json.Marshal(struct {
		URL       string         `json:"url"`
		Extension [3]closingPart `json:"extension"`
	}{extClosing, [3]closingPart{
		{URL: "dateFermeture", Date: day},
		{URL: "motifFermeture", Concept: &concept{[]coding{{systemMotive, m.motive}}}},
		{URL: "raisonFermeture", Text: strings.TrimSpace(m.reason)},
	}})
	if err != nil {
		panic("dossier: a closing is always JSON")
	}
	return b
}

// today is the day in France.
func (c *call) today() string { return c.at.In(fhir.Paris).Format(time.DateOnly) }
