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
	return o, nil
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
	return c.clinical(http.StatusOK, own(openingResponse(o, ch.rows)), receipt), nil
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

// openedBefore answers the same opening again as the first time; another one of
// the same INS is a conflict.
func (c *call) openedBefore(ctx context.Context, d *loaded, o *opening) (Answer, error) {
	v := c.policy.View(c.p, d.record, c.at)
	patient := d.patient()
	if patient.digest != o.digest || patient.origin.By != c.p.ID() {
		return c.undo(ctx, d, v, policy.Decision{}, &refused{class: ErrConflict, text: fhir.Text{
			FR: "Un dossier existe déjà pour cet INS : le rechercher par Patient?identifier=…",
			EN: "A record exists already for this INS: find it by Patient?identifier=…",
		}}, doCreate)
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
	return c.clinical(http.StatusOK, own(openingResponse(o, first)), receipt), nil
}

// openingResponse answers each entry in its place.
func openingResponse(o *opening, rows []*row) []byte {
	out := fhir.BundleOut{Type: "transaction-response", Entries: make([]fhir.EntryOut, len(o.entries))}
	for _, r := range rows {
		if r.entry < len(out.Entries) {
			out.Entries[r.entry] = fhir.EntryOut{Response: &fhir.ResponseOut{
				Status: "201 Created", Location: versionRef(r), ETag: etag(r.version), LastModified: r.updated,
			}}
		}
	}
	return fhir.WriteBundle(out)
}
