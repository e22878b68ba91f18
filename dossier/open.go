package dossier

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
	"opendmp/vault"
)

// opening is the bundle that opens a dossier: a Patient, the Consent of kind
// ouverture and other decisions, and the representatives of a minor (G01).
type opening struct {
	patient *fhir.Entry
	others  []*fhir.Entry
	entries []fhir.Entry
	ins     []fhir.Ident
	digest  [32]byte
	// ifNone asks to open nothing, and to be told so, where there is a dossier of the
	// INS (If-None-Exist, R4 http.html#ccreate).
	ifNone bool
}

// isOpening tells an opening from a submission: it creates a Patient and no List.
func isOpening(b fhir.Bundle) bool {
	patient := false
	for _, e := range b.Entries {
		if e.Resource == nil {
			return false
		}
		switch e.Resource.Type() {
		case "Patient":
			patient = patient || e.Method == "POST"
		case "Consent", "RelatedPerson":
		default:
			return false
		}
	}
	return patient
}

// openDossier opens a dossier, once per INS.
func (c *call) openDossier(ctx context.Context, b fhir.Bundle) (Answer, error) {
	o, err := readOpening(b)
	if err != nil {
		return Answer{}, err
	}
	if err := c.checkINS(o.ins); err != nil {
		return Answer{}, err
	}
	return c.retry(ctx, func() (Answer, error) { return c.openOnce(ctx, o) })
}

func readOpening(b fhir.Bundle) (*opening, error) {
	o := &opening{entries: b.Entries}
	sum := sha256.New()
	for i := range o.entries {
		e := &o.entries[i]
		at := e.At()
		if e.Method != "POST" || e.URL != e.Resource.Type() {
			return nil, invalid("structure", at+".request", "Une ouverture ne contient que des créations.", "An opening holds creations only.")
		}
		if e.Resource.Type() != "Patient" {
			o.others = append(o.others, e)
		} else if o.patient != nil {
			return nil, invalid("structure", at, "Une ouverture concerne un seul patient.", "An opening concerns one patient.")
		} else {
			o.patient = e
		}
		one := sha256.Sum256(e.Resource.Bytes())
		sum.Write(one[:])
	}
	sum.Sum(o.digest[:0])
	if o.ins = insOf(o.patient.Resource); len(o.ins) == 0 {
		return nil, unprocessable(o.patient.At()+".resource.identifier", "Un dossier s’ouvre avec l’INS du patient.", "A dossier is opened with the INS of the patient.")
	}
	o.ifNone = o.patient.IfNoneExist != ""
	return o, checkCondition(o.patient, o.ins[:1])
}

// checkCondition refuses an If-None-Exist on a Patient that is not about one of the INS
// that it has: whether there is a dossier of somebody else is not for an opening to tell.
func checkCondition(e *fhir.Entry, ins []fhir.Ident) error {
	if e.IfNoneExist == "" {
		return nil
	}
	if i, ok := conditionalPatient("Patient?" + e.IfNoneExist); !ok || !slices.Contains(ins, i) {
		return invalid("value", e.At()+".request.ifNoneExist", "La condition est l’INS de ce patient : identifier=système|valeur, et rien d’autre.", "The condition is the INS of this patient: identifier=system|value, and nothing else.")
	}
	return nil
}

// onlyOpens tells whether the opening records nothing but that the dossier is opened.
func (o *opening) onlyOpens() bool {
	return !slices.ContainsFunc(o.others, func(e *fhir.Entry) bool {
		for c := range e.Resource.Root().All("category", "coding") {
			if c.Get("system").Is(systemConsentKind) && c.Get("code").Is("ouverture") {
				return false
			}
		}
		return true
	})
}

func (c *call) openOnce(ctx context.Context, o *opening) (Answer, error) {
	d, err := c.loadByINS(ctx, o.ins[0])
	if err != nil {
		return Answer{}, err
	}
	if own := func(i fhir.Ident) bool { return i == c.p.ID() }; c.patientScoped() && !slices.ContainsFunc(o.ins, own) || !c.policy.Opens(c.p, c.at) {
		// Whether there is one already is not for them to know.
		return c.undo(ctx, d, c.policy.View(c.p, d.record, c.at), policy.Decision{}, ErrForbidden, doCreate)
	}
	if d.patient() != nil {
		return c.openedBefore(ctx, d, o)
	}
	for _, former := range o.ins[1:] {
		other, err := c.byToken(ctx, c.insToken(former))
		if err != nil {
			return Answer{}, err
		}
		if other != (store.Dossier{}) {
			return c.undo(ctx, nil, nil, policy.Decision{}, unprocessable(o.patient.At()+".resource.identifier",
				"Un ancien INS est celui d’un autre dossier.", "A former INS is that of another record."), doCreate) // G11
		}
	}
	ch, keys, err := c.newDossier()
	if err != nil {
		return Answer{}, err
	}
	ids, dec, err := c.putOpening(ch, o)
	if err == nil {
		err = c.opensWithPhysicians(ctx, ch)
	}
	if err != nil {
		return c.undo(ctx, nil, nil, dec, err, doCreate)
	}
	ch.tx.Keys = keys
	ch.tellFeeder()
	e := c.event(nil, dec, doCreate)
	e.Patient = ids[o.patient.Index]
	for _, r := range ch.rows {
		e.Objects = append(e.Objects, versionRef(r))
	}
	ch.events = []audit.Event{e}
	receipt, err := ch.commit(ctx)
	if err != nil {
		return Answer{}, err
	}
	return c.clinical(http.StatusOK, own(openingResponse(o, ch.rows, "201 Created")), receipt), nil
}

// newDossier makes the change that creates a dossier, with its keys.
func (c *call) newDossier() (*change, []store.KeyRecord, error) {
	id := store.Dossier(c.random16())
	wrapped, ring, err := c.vault.NewDossier(id)
	if err != nil {
		return nil, nil, internal(err, "keys")
	}
	d := newLoaded(id, store.Header{}, ring, nil)
	ch := c.newChange(d, nil)
	ch.tx.Header = store.Header{State: store.Active, Key: 1}
	return ch, keyRecords(id, wrapped), nil
}

func keyRecords(id store.Dossier, wrapped []vault.Wrapped) []store.KeyRecord {
	out := make([]store.KeyRecord, len(wrapped))
	for i, w := range wrapped {
		out[i] = store.KeyRecord{Dossier: id, Kind: w.Kind, Number: w.Number, Epoch: w.Epoch, Wrapped: w.Bytes}
	}
	return out
}

// putOpening judges and builds the rows of an opening.
func (c *call) putOpening(ch *change, o *opening) (map[int]string, policy.Decision, error) {
	ids, refs := make(map[int]string), make(map[string]string)
	for _, e := range o.entries {
		ids[e.Index] = c.newID()
		if e.FullURL != "" {
			refs[e.FullURL] = e.Resource.Type() + "/" + ids[e.Index]
		}
	}
	for _, i := range o.ins {
		refs["Patient?identifier="+i.System+"|"+i.Value] = "Patient/" + ids[o.patient.Index]
	}
	recs := make(map[int]*record)
	var facts []policy.Facts
	var patient policy.Facts
	for i := range o.entries {
		rec, f, err := c.openingRecord(ch, &o.entries[i], fhir.Stamped{ID: ids[i], Version: 1, Updated: c.at, References: refs})
		if err != nil {
			return ids, policy.Decision{}, err
		}
		recs[i] = rec
		if i == o.patient.Index {
			rec.digest, patient = o.digest, f
		} else {
			facts = append(facts, f)
		}
	}
	dec := c.policy.Open(c.p, patient, facts, c.at)
	if !dec.Allowed() {
		return ids, dec, refusal(dec)
	}
	for i := range o.entries {
		row, err := ch.put(nil, recs[i])
		if err != nil {
			return ids, policy.Decision{}, asRule(err)
		}
		if i == o.patient.Index {
			for _, ins := range o.ins {
				ch.claim(c.insToken(ins), row.key)
			}
			ch.moveTraits(row.key, nil, recs[i].resource)
		}
	}
	return ids, dec, nil
}

func (c *call) openingRecord(ch *change, e *fhir.Entry, s fhir.Stamped) (*record, policy.Facts, error) {
	r := e.Resource
	var err error
	if r.Type() == "Consent" {
		if r, err = c.dated(r); err != nil {
			return nil, policy.Facts{}, err
		}
	}
	if r, err = c.stamp(r, s, e.Index); err != nil {
		return nil, policy.Facts{}, err
	}
	rec := &record{resource: r, origin: c.newOrigin(), push: ch.push, entry: e.Index}
	facts, err := policy.FactsOf(r, rec.origin)
	if err != nil {
		return nil, policy.Facts{}, asRule(err)
	}
	return rec, facts, c.notPast(facts)
}

// openedBefore answers the same opening again as the first time. Of another one of the
// same INS it says that there is a dossier: as a conflict, or as the success of one that
// was to open only where there is none. Decisions that would be lost by that are a
// conflict in any case.
func (c *call) openedBefore(ctx context.Context, d *loaded, o *opening) (Answer, error) {
	v := c.policy.View(c.p, d.record, c.at)
	patient := d.patient()
	again := patient.digest == o.digest && patient.origin.By == c.p.ID()
	if !again {
		if o.ifNone && o.onlyOpens() && v.Search("Patient", true).Allowed() {
			return c.openNothing(ctx, d, v, o)
		}
		return c.undo(ctx, d, v, policy.Decision{}, openBefore(o), doCreate)
	}
	var first []*row
	for _, r := range d.pushed(patient.push) {
		as := *r
		as.version, as.updated = 1, r.origin.Deposited
		first = append(first, &as)
	}
	receipt, err := c.record(ctx, d, allowed(c.events(d, policy.Decision{}, doCreate, []string{patient.ref()}, v)))
	if err != nil {
		return Answer{}, err
	}
	status := "201 Created"
	if o.ifNone {
		status = "200 OK"
	}
	return c.clinical(http.StatusOK, own(openingResponse(o, first, status)), receipt), nil
}

// openBefore is the conflict of an opening whose INS has a dossier.
func openBefore(o *opening) error {
	text := fhir.Text{
		FR: "Un dossier existe déjà pour cet INS : le rechercher par Patient?identifier=…",
		EN: "A record exists already for this INS: find it by Patient?identifier=…",
	}
	if o.ifNone && !o.onlyOpens() {
		text = fhir.Text{
			FR: "Un dossier existe déjà pour cet INS, et le lot contient d’autres décisions, qui n’y seraient pas enregistrées : les envoyer à part.",
			EN: "A record exists already for this INS, and the bundle holds other decisions, which would not be recorded there: send them apart.",
		}
	}
	return &refused{class: ErrConflict, text: text}
}

// openNothing answers a conditional opening of a dossier that is there: where it is,
// which the caller may look up as well (TD0.2), and as often.
func (c *call) openNothing(ctx context.Context, d *loaded, v *policy.View, o *opening) (Answer, error) {
	if !c.ins.take(c.caller(), c.at) {
		return Answer{}, ErrTooMany
	}
	patient := d.patient().ref()
	receipt, err := c.record(ctx, d, allowed(c.events(d, policy.Decision{}, doRead, []string{patient}, v)))
	if err != nil {
		return Answer{}, err
	}
	out := fhir.BundleOut{Type: "transaction-response"}
	for i := range o.entries {
		r := &fhir.ResponseOut{Status: "200 OK", Outcome: fhir.OutcomeJSON(c.r.Lang, notOpened)}
		if i == o.patient.Index {
			r.Location, r.Outcome = patient, nil
		}
		out.Entries = append(out.Entries, fhir.EntryOut{Response: r})
	}
	return c.clinical(http.StatusOK, own(fhir.WriteBundle(out)), receipt).in(v), nil
}

var notOpened = []fhir.Issue{{
	Severity: fhir.Information, Code: "informational",
	Text: fhir.Text{FR: "Rien n’est enregistré : le dossier existait déjà.", EN: "Nothing is recorded: the record was there already."},
}}

// openingResponse answers each entry in its place.
func openingResponse(o *opening, rows []*row, status string) []byte {
	out := fhir.BundleOut{Type: "transaction-response", Entries: make([]fhir.EntryOut, len(o.entries))}
	for _, r := range rows {
		if r.entry < len(out.Entries) {
			out.Entries[r.entry] = fhir.EntryOut{Response: &fhir.ResponseOut{
				Status: status, Location: versionRef(r), ETag: etag(r.version), LastModified: r.updated,
			}}
		}
	}
	return fhir.WriteBundle(out)
}
