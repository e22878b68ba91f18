package dossier

import (
	"context"
	"maps"
	"net/http"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// act is one entry of a transaction of acts.
type act struct {
	*fhir.Entry
	// call is the request that the entry would be alone.
	call    *call
	patch   fhir.PatchSet // of a PATCH
	subject subject       // of a POST

	// placed tells that place is the dossier that the act is about; a search that
	// names no patient is about none.
	placed bool
	place  store.Dossier
	d      *loaded
	v      *policy.View
	row    *row    // what it changes
	id     string  // of what it creates
	known  *row    // what it would have created, by If-None-Exist
	same   *record // what a PATCH left as it was, nil if it changed something

	// What was done: the rows of the change from first to last, the decision, and
	// the answer.
	dec         policy.Decision
	first, last int
	part        part
}

// readAct reads an entry and refuses what cannot be undone with the others: an
// operation, which commits by itself.
func (c *call) readAct(e *fhir.Entry) (*act, error) {
	r, err := c.requestOf(e)
	if err != nil {
		return nil, err
	}
	own := *c
	own.r = r
	a := &act{Entry: e, call: &own}
	switch r.Interaction {
	case fhir.Create:
		return a, a.readSubject()
	case fhir.Update:
		if e.Resource.ID() != r.ID {
			return nil, invalid("value", a.At()+".resource.id", "L’identifiant de la ressource n’est pas celui de l’adresse.", "The id of the resource is not that of the URL.")
		}
	case fhir.Patch:
		a.patch, err = own.readPatch()
		return a, err
	case fhir.Operation:
		return nil, invalid("not-supported", a.At()+".request.url", "Une opération s’envoie seule, ou dans un lot batch.", "An operation is sent alone, or in a batch.")
	}
	return a, nil
}

func (a *act) readSubject() error {
	element := patientElement(a.Resource.Type())
	var ok bool
	if a.subject, ok = a.call.subjectOf(a.Resource, a.Resource.Get(element), nil); !ok {
		return unprocessable(a.At()+".resource."+element, "Le patient n’est pas désigné par une référence ou un INS connus.", "The patient is not named by a reference or an INS that is known.")
	}
	return nil
}

// writes tells whether the act may change something.
func (a *act) writes() bool { return !isRead(a.call.r.Request) }

// turn is when the act is carried out (R4 §3.1.0.11.2). A care team comes before the
// Consent that may name it.
func (a *act) turn() int {
	switch a.call.r.Interaction {
	case fhir.Delete:
		return 0
	case fhir.Create:
		if a.call.r.Type == "CareTeam" {
			return 1
		}
		return 2
	case fhir.Update, fhir.Patch:
		return 3
	}
	return 4
}

// locate finds the dossier of the act, and in it what it names. What the caller does
// not see is refused here, by the one answer for hidden and absent.
func (a *act) locate(ctx context.Context) (err error) {
	c := a.call
	a.d, a.v, a.row, a.known, a.same, a.placed = nil, nil, nil, nil, nil, true
	switch {
	case c.r.Interaction == fhir.Create:
		a.place, err = c.dossierOfOne(ctx, a.subject)
		return err
	case a.writes():
		a.d, a.v, a.row, err = c.aim(ctx)
	case c.r.Type == "AuditEvent" || c.r.Type == "OperationDefinition" || fhir.OfDirectory(c.r.Type):
		a.placed = false
		return nil
	case c.r.Interaction == fhir.Search:
		return a.locateSearch(ctx)
	default:
		a.d, a.v, err = c.open(ctx, c.r.Type, c.r.ID)
		if err == nil {
			a.row = a.seen(a.d, a.v)
		}
	}
	if err != nil {
		return err
	}
	if a.row == nil {
		_, err = c.hidden(ctx, a.d, a.v, policy.Decision{}, c.r.Type+"/"+c.r.ID)
		return err
	}
	a.place = a.d.id
	return nil
}

// locateSearch finds the dossier of the patient that a search names.
func (a *act) locateSearch(ctx context.Context) (err error) {
	switch q := a.call.r.Query; {
	case q.PatientID != "":
		a.place, err = a.call.byToken(ctx, a.call.idToken("Patient", q.PatientID))
	case !q.PatientIdent.IsZero():
		a.place, err = a.call.byToken(ctx, a.call.insToken(q.PatientIdent))
	default:
		a.placed = false
	}
	return err
}

// seen returns the row that a read names, nil where the caller sees none. A content is
// seen by the document that names it.
func (a *act) seen(d *loaded, v *policy.View) *row {
	ref := a.call.r.Type + "/" + a.call.r.ID
	r := d.find(ref)
	if r == nil || r.deleted {
		return nil
	}
	if place, governed := d.governs[ref]; governed && v.Read(place).Extent() == policy.Full || !governed && v.Read(d.byRef[ref]).Allowed() {
		return r
	}
	return nil
}

// name finds in the dossier of ch what the act names, or gives its id to what it
// creates.
func (a *act) name(ctx context.Context, ch *change) (err error) {
	switch {
	case !a.writes():
	case a.call.r.Interaction == fhir.Create:
		if a.known, err = a.call.existing(ctx, ch.d, ch.v); err != nil {
			_, err = a.call.undo(ctx, ch.d, ch.v, policy.Decision{}, err, doCreate)
			return err
		}
		a.id = a.call.newID()
	default:
		// The dossier may have been loaded for another act, before a change.
		if a.row = ch.d.find(a.row.ref()); a.row == nil || a.row.deleted {
			return store.ErrConflict
		}
	}
	return nil
}

// ref names what the act writes, "" for a read.
func (a *act) ref() string {
	switch {
	case !a.writes():
		return ""
	case a.known != nil:
		return a.known.ref()
	case a.row != nil:
		return a.row.ref()
	}
	return a.call.r.Type + "/" + a.id
}

func (a *act) action() audit.Action {
	switch a.call.r.Interaction {
	case fhir.Create:
		return doCreate
	case fhir.Delete:
		return doDelete
	}
	return doUpdate
}

// carryOut judges the act and builds it into ch. What it changes about the situation
// of the caller holds for the acts after it. before is the view of the events.
func (a *act) carryOut(ctx context.Context, ch *change, before *policy.View, refs map[string]string) error {
	if !a.writes() || a.known != nil {
		return nil
	}
	c := a.call
	var objects []string
	if a.row != nil {
		objects = []string{versionRef(a.row)}
		if err := c.precondition(ch.v, a.row); err != nil {
			_, err = c.refuse(ctx, ch.d, before, policy.Decision{}, a.action(), err, objects...)
			return err
		}
	}
	a.first = len(ch.rows)
	var err error
	if a.dec, err = a.put(ctx, ch, refs); err != nil {
		_, err = c.undo(ctx, ch.d, before, a.dec, err, a.action(), objects...)
		return err
	}
	if a.last = len(ch.rows); a.first == a.last {
		a.same, err = c.body(ctx, ch.d.id, ch.d.ring, a.row.key, a.row.version)
		return err
	}
	if c.r.Type != "DocumentReference" && c.r.Type != "List" {
		ch.v = c.policy.View(c.p, ch.d.with(ch.tx.Header, ch.rows).record, c.at)
	}
	return nil
}

// put judges and builds what the act writes.
func (a *act) put(ctx context.Context, ch *change, refs map[string]string) (policy.Decision, error) {
	c := a.call
	if a.row != nil && ch.changes(a.row) {
		return policy.Decision{}, invalid("duplicate", a.At(), "La transaction agit deux fois sur la même ressource.", "The transaction acts twice on the same resource.")
	}
	switch c.r.Interaction {
	case fhir.Create:
		return a.putNew(ctx, ch, refs)
	case fhir.Update:
		s, err := c.unmoved(ctx, ch.d, a.row, a.Resource)
		if err != nil {
			return policy.Decision{}, err
		}
		return c.putReplacement(ctx, ch, a.row, a.Resource, merged(refs, patientRef(s, ch.d)))
	case fhir.Patch:
		return c.patchRow(ctx, ch, a.row, a.patch)
	case fhir.Delete:
		dec := ch.v.Delete(a.row.facts)
		if !dec.Allowed() {
			return dec, refusal(dec)
		}
		return dec, c.putDeleted(ctx, ch, a.row)
	}
	return policy.Decision{}, ErrInternal
}

// putNew judges and builds a new Consent or CareTeam.
func (a *act) putNew(ctx context.Context, ch *change, refs map[string]string) (policy.Decision, error) {
	c := a.call
	put := c.putConsent
	if c.r.Type == "CareTeam" {
		put = c.putTeam
	}
	stamped := fhir.Stamped{ID: a.id, Version: 1, Updated: c.at, References: merged(refs, patientRef(a.subject, ch.d))}
	now, dec, err := put(ctx, ch, a.Resource, stamped, a.Index)
	if err == nil && ch.decidesTwice(now) {
		err = invalid("duplicate", a.At(), "La transaction a deux consentements de même sorte pour la même personne.", "The transaction has two consents of one kind about one person.")
	}
	return dec, err
}

// decidesTwice tells whether the change adds, besides now, another active Consent of
// its kind and actor: there is one at a time, and neither ends the other.
func (ch *change) decidesTwice(now *row) bool {
	for _, r := range ch.rows {
		if r != now && r.facts.ConsentActive() && now.facts.ConsentActive() &&
			r.facts.ConsentKind() == now.facts.ConsentKind() && r.facts.ConsentActor() == now.facts.ConsentActor() {
			return true
		}
	}
	return false
}

func merged(a, b map[string]string) map[string]string {
	m := maps.Clone(a)
	maps.Copy(m, b)
	return m
}

// readable refuses the whole when an act that reads would find nothing once the
// others are done.
func (a *act) readable(ctx context.Context, ch *change) error {
	c := a.call
	switch {
	case a.row != nil:
		if a.seen(ch.after(), ch.viewAfter()) == nil {
			_, err := c.refuse(ctx, ch.d, a.v, policy.Decision{}, doRead, ErrNotFound, a.row.ref())
			return err
		}
	case a.placed:
		dec := ch.viewAfter().Search(c.r.Type, !c.r.Query.PatientIdent.IsZero())
		if !dec.Allowed() && dec.Refusal() == policy.Forbidden {
			_, err := c.refuse(ctx, ch.d, ch.viewAfter(), dec, doExecute, ErrForbidden)
			return err
		}
	}
	return nil
}

// events tell of the act as if it had come alone.
func (a *act) events(ch *change, before *policy.View) []audit.Event {
	if a.known != nil {
		return allowed(a.call.events(ch.d, policy.Decision{}, doCreate, []string{versionRef(a.known)}, before))
	}
	if a.same != nil {
		return a.call.events(ch.d, a.dec, doRead, []string{versionRef(a.row)}, before)
	}
	var objects []string
	for _, r := range ch.rows[a.first:a.last] {
		objects = append(objects, versionRef(r))
	}
	return a.call.events(ch.d, a.dec, a.action(), objects, before, ch.viewAfter())
}

// answer is what the act answers. A transaction answers no bodies of what it wrote
// unless they are asked for (Prefer: return=representation).
func (a *act) answer(ch *change, receipt audit.Receipt) Answer {
	c := a.call
	switch {
	case a.known != nil:
		out := c.clinical(http.StatusOK, nothing(), receipt).version(a.known.version, a.known.updated).in(ch.v)
		out.location = c.base + "/" + versionRef(a.known)
		return out
	case c.r.Interaction == fhir.Delete:
		return c.clinical(http.StatusNoContent, nothing(), receipt).in(ch.v)
	}
	now, rec := a.row, a.same
	if rec == nil {
		now, rec = ch.rows[a.last-1], ch.records[a.last-1]
	}
	status := http.StatusOK
	if c.r.Interaction == fhir.Create {
		status = http.StatusCreated
	}
	released, dec := ch.viewAfter().Release(rec.resource, rec.origin)
	out := c.written(ch.v, now, status, released, dec, receipt)
	if c.r.Return != "representation" {
		out.body, out.mime = nil, ""
	}
	return out
}
