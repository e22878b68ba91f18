package dossier

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// searchEvents answers a search of the history of a dossier, newest first (G09).
func (c *call) searchEvents(ctx context.Context) (Answer, error) {
	q := c.r.Query
	d, v, err := c.historyOf(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	dec, classes := v.History()
	if err := c.letIn(ctx, d, dec.Allowed()); err != nil {
		return Answer{}, err
	}
	if !dec.Allowed() {
		if c.ownNone(d, v, q) || c.absent(d, v) && !c.patientScoped() {
			return c.emptyPage(ctx, d, v, dec)
		}
		return c.refuse(ctx, d, v, dec, doExecute, ErrForbidden)
	}
	w, err := c.newWalk(d, v, classes, q)
	if err != nil {
		return Answer{}, err
	}
	if err := w.walk(ctx); err != nil {
		return Answer{}, err
	}
	return c.answerEvents(ctx, d, v, dec, w.found, w.total)
}

// historyOf loads the dossier whose history is asked for.
func (c *call) historyOf(ctx context.Context, q *fhir.Query) (*loaded, *policy.View, error) {
	var d *loaded
	var err error
	c.byPatient = true
	switch {
	case q.PatientID != "" && !q.PatientIdent.IsZero():
		var both []*loaded
		if both, err = c.bothPatients(ctx, q); err == nil && len(both) == 2 {
			return c.contradiction(ctx, q, both)
		} else if err == nil {
			d = both[0]
		}
	case q.PatientID != "":
		d, err = c.loadPatient(ctx, c.idToken("Patient", q.PatientID))
	case !q.PatientIdent.IsZero():
		d, err = c.loadPatient(ctx, c.insToken(q.PatientIdent))
	default:
		return nil, nil, invalid("required", "patient", "La recherche dans l’historique désigne un dossier : paramètre patient ou patient.identifier.", "A search of the history names a dossier: parameter patient or patient.identifier.")
	}
	if err != nil {
		return nil, nil, err
	}
	return c.look(ctx, d)
}

// contradiction is the place of a search that names two patients: the one that
// the caller may not search, or nowhere.
func (c *call) contradiction(ctx context.Context, q *fhir.Query, both []*loaded) (*loaded, *policy.View, error) {
	for _, d := range both {
		d, v, err := c.look(ctx, d)
		if err != nil {
			return nil, nil, err
		}
		if dec, _ := v.History(); !c.absent(d, v) && !dec.Allowed() {
			return d, v, nil
		}
	}
	return c.look(ctx, newLoaded(decoy(c.insToken(q.PatientIdent)), store.Header{}, nil, nil))
}

// emptyPage answers a search on a dossier that does not exist.
func (c *call) emptyPage(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision) (Answer, error) {
	return c.answerEvents(ctx, d, v, dec, nil, 0)
}

// auditEvent returns the FHIR view of an event.
func (s *Service) auditEvent(d *loaded, e audit.Event) (*fhir.Resource, error) {
	body, err := e.Resource(d.id, audit.Server{URL: s.base, Name: "OpenDMP"})
	if err != nil {
		return nil, internal(err, "event")
	}
	r, err := fhir.Scan(body)
	return r, internal(err, "event")
}

// answerEvents answers a page of the history; reading it is an event itself.
func (c *call) answerEvents(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision, found []shown, total int) (Answer, error) {
	q := c.r.Query
	more := len(found) > q.Count
	if more {
		found = found[:q.Count]
	}
	out := fhir.BundleOut{Type: "searchset", Links: []fhir.Link{{Relation: "self", URL: c.base + "/AuditEvent?" + q.String()}}}
	if q.SummaryCount || q.Total == "accurate" {
		out.Total = &total
	}
	if q.SummaryCount {
		found, more = nil, false
	}
	if more && len(found) > 0 {
		out.Links = append(out.Links, fhir.Link{Relation: "next", URL: c.eventLink(q, found[len(found)-1].event)})
	}
	var entries []fhir.EntryOut
	var resources []policy.Released[*fhir.Resource]
	for _, s := range found {
		entries = append(entries, fhir.EntryOut{FullURL: c.base + "/AuditEvent/" + s.event.FHIRID(d.id), Mode: "match"})
		resources = append(resources, s.released)
	}
	receipt, err := c.record(ctx, d, allowed(c.events(d, dec, doExecute, nil, v)))
	if err != nil {
		return Answer{}, err
	}
	return c.clinical(http.StatusOK, c.results(out, entries, resources), receipt), nil
}

// eventLink and eventCursor seal the place in the history, which is the event
// itself: rows have no part in it.
func (c *call) eventLink(q *fhir.Query, e audit.Event) string {
	return c.link(q, cursor{event: e.Cursor()})
}

func (c *call) eventCursor(q *fhir.Query) (store.Cursor, error) {
	if q.Page == "" {
		return store.Cursor{}, nil
	}
	k, err := c.cursorOf(q)
	return k.event, err
}

// readEvent answers one event. It is found by its id, which names its dossier
// and its place.
func (c *call) readEvent(ctx context.Context) (Answer, error) {
	ref := "AuditEvent/" + c.r.ID
	id, at, ok := audit.ParseFHIRID(c.r.ID)
	if !ok {
		id = decoy(c.idToken("AuditEvent", c.r.ID))
	}
	d, err := c.load(ctx, id)
	if err != nil {
		return Answer{}, err
	}
	d, v, err := c.look(ctx, d)
	if err != nil {
		return Answer{}, err
	}
	dec, classes := v.History()
	if !ok || d.ring == nil {
		if _, err := c.store.Events(ctx, d.id, at, 1); err != nil && !errors.Is(err, store.ErrNotFound) { // as for an event that is hidden
			return Answer{}, err
		}
		return c.hidden(ctx, d, v, dec, ref)
	}
	event, err := c.audit.Event(ctx, audit.Target{Dossier: d.id, Ring: d.ring}, at)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Answer{}, err
	}
	class := v.ClassNow(event.Class, event.Secret, event.Objects)
	readable := err == nil && dec.Allowed() && slices.Contains(classes, class)
	if readable || !c.holds() {
		// Who may not read the event does not read of its being read. Who asks for
		// one that is hidden from them is told as who asks for one that never was.
		c.floor = class
	}
	if !readable {
		return c.hidden(ctx, d, v, dec, ref)
	}
	r, err := c.auditEvent(d, event)
	if err != nil {
		return Answer{}, err
	}
	released, dec := policy.ReleaseEvent(v, class, r)
	if !dec.Allowed() {
		return c.hidden(ctx, d, v, dec, ref)
	}
	receipt, err := c.record(ctx, d, c.events(d, dec, doRead, []string{ref}, v))
	if err != nil {
		return Answer{}, err
	}
	return c.clinical(http.StatusOK, c.shown(released), receipt).version(1, event.Recorded), nil
}
