package dossier

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// patch changes elements of one resource, by id or by a query that must match
// exactly one of what the caller sees (PDSm flux 03 and 04).
func (c *call) patch(ctx context.Context) (Answer, error) {
	patch, err := c.readPatch()
	if err != nil {
		return Answer{}, err
	}
	return c.onOne(ctx, func(d *loaded, v *policy.View, row *row) (Answer, error) {
		if err := c.precondition(v, row); err != nil {
			return c.refuse(ctx, d, v, policy.Decision{}, doUpdate, err, versionRef(row))
		}
		ch := c.newChange(d, v)
		dec, err := c.patchRow(ctx, ch, row, patch)
		if err != nil {
			return c.undo(ctx, d, v, dec, err, doUpdate, versionRef(row))
		}
		if len(ch.rows) == 0 {
			return c.untouched(ctx, d, v, row, dec)
		}
		return c.finish(ctx, ch, row, dec)
	})
}

// untouched answers a PATCH that changed nothing: the version in force, of which no
// other is made. The history tells that it was read.
func (c *call) untouched(ctx context.Context, d *loaded, v *policy.View, row *row, dec policy.Decision) (Answer, error) {
	rec, err := c.body(ctx, d.id, d.ring, row.key, row.version)
	if err != nil {
		return Answer{}, err
	}
	receipt, err := c.record(ctx, d, c.events(d, dec, doRead, []string{versionRef(row)}, v))
	if err != nil {
		return Answer{}, err
	}
	released, dec := v.Release(rec.resource, rec.origin)
	return c.written(v, row, http.StatusOK, released, dec, receipt), nil
}

func (c *call) readPatch() (fhir.PatchSet, error) {
	switch c.r.MediaType {
	case "application/json-patch+json":
		return fhir.ParsePatch(c.r.Body)
	case "application/xml-patch+xml":
		return fhir.ParsePatchXML(c.r.Body)
	case "application/fhir+json", "application/json":
		r, err := fhir.Parse(c.r.Body)
		if err != nil {
			return fhir.PatchSet{}, err
		}
		if r.Type() != "Parameters" {
			return fhir.PatchSet{}, invalid("structure", "resourceType", "Un PATCH en application/fhir+json est un Parameters.", "A PATCH as application/fhir+json is Parameters.")
		}
		return fhir.ParsePatchParameters(r)
	}
	return fhir.PatchSet{}, ErrMediaType
}

// onOne runs change, as often as retry does, on the one resource that the request names.
// Where the caller sees none it is answered as what never was.
func (c *call) onOne(ctx context.Context, change func(*loaded, *policy.View, *row) (Answer, error)) (Answer, error) {
	return c.retry(ctx, func() (Answer, error) {
		d, v, row, err := c.aim(ctx)
		if err != nil {
			return Answer{}, err
		}
		if row == nil {
			return c.hidden(ctx, d, v, policy.Decision{}, c.r.Type+"/"+c.r.ID)
		}
		return change(d, v, row)
	})
}

// aim finds the one resource that the request names and that the caller sees, or may
// change without reading it whole (policy.View.MayAim); row is nil when there is none.
// The dossier is that of the match, or the last one looked at.
func (c *call) aim(ctx context.Context) (*loaded, *policy.View, *row, error) {
	if c.r.ID != "" {
		d, v, err := c.open(ctx, c.r.Type, c.r.ID)
		if err != nil {
			return nil, nil, nil, err
		}
		ref := c.r.Type + "/" + c.r.ID
		if r := d.find(ref); r != nil && !r.deleted && v.MayAim(d.byRef[ref]) {
			return d, v, r, nil
		}
		return d, v, nil, nil
	}
	if c.r.Query == nil {
		return nil, nil, nil, ErrNotFound
	}
	return c.aimByQuery(ctx)
}

func (c *call) aimByQuery(ctx context.Context) (*loaded, *policy.View, *row, error) {
	places, err := c.places(ctx, c.r.Query)
	if err != nil {
		return nil, nil, nil, err
	}
	var found []hit
	var v *policy.View
	for i := range places {
		if places[i], v, err = c.look(ctx, places[i]); err != nil {
			return nil, nil, nil, err
		}
		hits, err := c.matches(ctx, places[i], v, c.r.Query)
		if err != nil {
			return nil, nil, nil, err
		}
		found = append(found, hits...)
	}
	switch len(found) {
	case 0:
		return places[len(places)-1], v, nil, nil
	case 1:
		return found[0].d, found[0].v, found[0].row, nil
	}
	return nil, nil, nil, c.several(ctx, places, found)
}

// several tells each dossier concerned that a condition matched more than one.
func (c *call) several(ctx context.Context, places []*loaded, found []hit) error {
	for _, d := range places {
		var v *policy.View
		var objects []string
		for _, h := range found {
			if h.d == d {
				v, objects = h.v, append(objects, versionRef(h.row))
			}
		}
		if len(objects) == 0 {
			continue
		}
		if _, err := c.refuse(ctx, d, v, policy.Decision{}, doUpdate, ErrSeveral, objects...); err != ErrSeveral {
			return err
		}
	}
	return ErrSeveral
}

// patchRow judges a patch of a row and builds the version that it makes into ch; none
// where nothing changes.
func (c *call) patchRow(ctx context.Context, ch *change, old *row, patch fhir.PatchSet) (policy.Decision, error) {
	if dec := policy.PatchElements(old.typ, elementsOf(patch)); !dec.Allowed() {
		return dec, refusal(dec)
	}
	if patch.Tests() && !ch.v.Sees(old.ref()) {
		return policy.Decision{}, unprocessable("", "L’opération test suppose de pouvoir lire la ressource.", "The operation test is for who may read the resource.")
	}
	rec, err := c.body(ctx, ch.d.id, ch.d.ring, old.key, old.version)
	if err != nil {
		return policy.Decision{}, err
	}
	before := rec.resource
	after, err := fhir.Apply(before, patch)
	if err != nil {
		return policy.Decision{}, asRule(err)
	}
	// The paths say what is meant, the result what is done: an extension by its index,
	// or another URL for it, shows only there.
	if dec := policy.PatchElements(old.typ, changedElements(before, after)); !dec.Allowed() {
		return dec, refusal(dec)
	}
	if fhir.Same(before, after) {
		dec := c.judge(ch.v, old, old.facts, before, before)
		if !dec.Allowed() {
			return dec, refusal(dec)
		}
		return dec, nil
	}
	dec, err := c.changeTo(ctx, ch, old, rec, after)
	if err != nil {
		return dec, err
	}
	if err := c.patched(before, after); err != nil {
		return policy.Decision{}, err
	}
	return dec, nil
}

// elementsOf names what a patch touches as the policy does: an extension by its
// URL, and not at all where only the result shows which.
func elementsOf(p fhir.PatchSet) []string {
	var named []string
	for _, e := range p.Elements() {
		url, pseudo := strings.CutPrefix(e, "extension[")
		switch {
		case pseudo:
			named = append(named, strings.TrimSuffix(url, "]"))
		case e != "extension":
			named = append(named, e)
		}
	}
	return named
}

// changeTo judges the change of a row to another content and builds it into ch.
func (c *call) changeTo(ctx context.Context, ch *change, old *row, rec *record, after *fhir.Resource) (policy.Decision, error) {
	before := rec.resource
	var err error
	if old.typ == "Patient" {
		if after, err = c.closing(before, after); err != nil {
			return policy.Decision{}, err
		}
	}
	if rec.resource, err = c.next(old, after, ""); err != nil {
		return policy.Decision{}, err
	}
	facts, err := policy.FactsOf(rec.resource, rec.origin)
	if err != nil {
		return policy.Decision{}, asRule(err)
	}
	dec := c.judge(ch.v, old, facts, before, after)
	if !dec.Allowed() {
		return dec, refusal(dec)
	}
	rec.origin = ch.v.NextOrigin(rec.origin, old.facts, facts)
	if old.typ == "Patient" {
		if err := c.arePhysicians(ctx, old.facts.MedecinsTraitants(), facts.MedecinsTraitants()); err != nil {
			return policy.Decision{}, err
		}
		if err := c.patientChanged(ctx, ch, old, before, after); err != nil {
			return policy.Decision{}, err
		}
		if !c.patientScoped() && !slices.Equal(old.facts.MedecinsTraitants(), facts.MedecinsTraitants()) {
			ch.notice("medecin-traitant") // G07: never silently
		}
	}
	if _, err := ch.put(old, rec); err != nil {
		return policy.Decision{}, asRule(err)
	}
	return dec, nil
}

func (c *call) judge(v *policy.View, old *row, facts policy.Facts, before, after *fhir.Resource) policy.Decision {
	switch old.typ {
	case "DocumentReference":
		return v.Change(old.facts, facts)
	case "List":
		return v.ChangeList(old.facts, facts)
	case "Patient":
		return v.ChangePatient(old.facts, facts, changedElements(before, after))
	case "Consent":
		return v.ChangeConsent(&old.facts, facts)
	case "CareTeam":
		return v.ChangeTeam(&old.facts, facts, changedElements(before, after))
	}
	return policy.Decision{}
}

// extClosing tells when and why a dossier was closed (TD0.2).
const extClosing = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-fermeture"

// closing checks and completes a change of Patient.active. The ten years run
// from the closing, so its date is today's; a dossier that is opened again keeps
// nothing of its closing, and the next one says its own motive.
func (c *call) closing(before, after *fhir.Resource) (*fhir.Resource, error) {
	if !slices.Contains(changedElements(before, after), "active") {
		return after, nil
	}
	ext := func(x fhir.Node) bool { return x.Get("url").Is(extClosing) }
	if after.Get("active").True() {
		return after.Splice(fhir.RemoveItems(after.Get("extension"), ext))
	}
	var edits []fhir.Edit
	for x := range after.Get("extension").Items() {
		if !ext(x) {
			continue
		}
		day := closingDay(x)
		switch {
		case !day.Exists():
			date := slices.Concat([]byte(`{"url":"dateFermeture","valueDate":`), fhir.Quote(c.today()), []byte("}"))
			edits = append(edits, fhir.AppendItem(x.Get("extension"), date))
		case !day.Is(c.today()):
			return nil, unprocessable("Patient.extension('"+extClosing+"')", "La date de fermeture est celle du jour.", "The date of closing is today's.")
		}
	}
	return after.Splice(edits)
}

// closingDay returns the date in an extension dmp-fermeture.
func closingDay(x fhir.Node) fhir.Node {
	for part := range x.Get("extension").Items() {
		if part.Get("url").Is("dateFermeture") {
			return part.Get("valueDate")
		}
	}
	return fhir.Node{}
}

// patientChanged moves the state of the dossier with Patient.active, the tokens
// of identity traits with the traits, and claims an INS that is new (G02, G03,
// G11).
func (c *call) patientChanged(ctx context.Context, ch *change, old *row, before, after *fhir.Resource) error {
	if slices.Contains(changedElements(before, after), "active") {
		ch.tx.Header.State = store.Closed
		if after.Get("active").True() {
			ch.tx.Header.State = store.Active
		}
		ch.retain(before, after)
	}
	ch.moveTraits(old.key, before, after)
	had := insOf(before)
	for _, i := range insOf(after) {
		if slices.Contains(had, i) {
			continue
		}
		holders, err := c.store.Lookup(ctx, c.insToken(i))
		if err != nil {
			return err
		}
		if len(holders) > 0 {
			return unprocessable("Patient.identifier", "Cet INS ne peut pas être ajouté à ce dossier.", "This INS cannot be added to this record.")
		}
		ch.claim(c.insToken(i), old.key)
	}
	return nil
}

// changedElements returns the top-level elements that differ, and the URLs of
// the extensions that do.
func changedElements(before, after *fhir.Resource) []string {
	a, b := topLevel(before), topLevel(after)
	var out []string
	for name, was := range a {
		if !bytes.Equal(was, b[name]) {
			out = append(out, name)
		}
	}
	for name := range b {
		if _, had := a[name]; !had {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func topLevel(r *fhir.Resource) map[string][]byte {
	m := make(map[string][]byte)
	for name, value := range r.Root().Members() {
		switch name {
		case "meta", "id", "resourceType":
		case "extension":
			for x := range value.Items() {
				key := x.Get("url").Text()
				m[key] = append(m[key], x.Raw()...)
			}
		default:
			m[name] = value.Raw()
		}
	}
	return m
}

// finish commits the change of one resource and answers it as its writer may
// read it afterwards.
func (c *call) finish(ctx context.Context, ch *change, old *row, dec policy.Decision) (Answer, error) {
	ch.note(dec, doUpdate)
	c.tell(ch)
	receipt, err := ch.commit(ctx)
	if err != nil {
		return Answer{}, err
	}
	now, released, dec := ch.released(len(ch.rows) - 1)
	if now.deleted {
		released, dec = c.lastSight(ctx, ch, old, ch.records[len(ch.rows)-1])
	}
	return c.written(ch.v, now, http.StatusOK, released, dec, receipt), nil
}

// written answers the version just written, status 200 or 201: without a body
// when the client wants none or its writer may no longer see it (then 204 for
// 200).
func (c *call) written(v *policy.View, now *row, status int, released policy.Released[*fhir.Resource], dec policy.Decision, receipt audit.Receipt) Answer {
	if c.r.Operation == "generate-metadata" {
		return c.generated(v, now, receipt)
	}
	body := one(released)
	if c.r.Return == "OperationOutcome" && dec.Allowed() {
		body = own(fhir.OutcomeJSON(c.r.Lang, slices.Concat(done, c.warnings, c.unkept)))
	}
	if c.r.Return == "minimal" || !dec.Allowed() {
		body = nothing()
		if status == http.StatusOK {
			status = http.StatusNoContent
		}
	}
	a := c.clinical(status, body, receipt).version(now.version, now.updated).in(v)
	if status == http.StatusCreated {
		a.location = c.base + "/" + versionRef(now)
	}
	return a
}

// done is what a client that prefers an OperationOutcome gets.
var done = []fhir.Issue{{
	Severity: fhir.Information, Code: "informational",
	Text: fhir.Text{FR: "Écriture enregistrée.", EN: "The write is recorded."},
}}

// lastSight releases a document that its author just marked as entered in
// error, once, under what it was before (E16).
func (c *call) lastSight(ctx context.Context, ch *change, old *row, rec *record) (policy.Released[*fhir.Resource], policy.Decision) {
	before, err := c.body(ctx, ch.d.id, ch.d.ring, old.key, old.version)
	if err != nil {
		return policy.Released[*fhir.Resource]{}, policy.Decision{}
	}
	return ch.v.ReleaseOld(before.resource, before.origin, rec.resource)
}

// created commits the change that created now and answers it.
func (c *call) created(ctx context.Context, ch *change, now *row, dec policy.Decision) (Answer, error) {
	ch.note(dec, doCreate)
	c.tell(ch)
	receipt, err := ch.commit(ctx)
	if err != nil {
		return Answer{}, err
	}
	_, released, dec := ch.released(slices.Index(ch.rows, now))
	return c.written(ch.v, now, http.StatusCreated, released, dec, receipt), nil
}

// delete removes a document for everyone; its author may, or the patient their
// own (E07). The versions stay under seal.
func (c *call) delete(ctx context.Context) (Answer, error) {
	return c.onOne(ctx, func(d *loaded, v *policy.View, row *row) (Answer, error) {
		if err := c.precondition(v, row); err != nil {
			return c.refuse(ctx, d, v, policy.Decision{}, doDelete, err, versionRef(row))
		}
		dec := v.Delete(row.facts)
		if !dec.Allowed() {
			return c.denyWrite(ctx, d, v, dec, doDelete, versionRef(row))
		}
		return c.deleteRow(ctx, c.newChange(d, v), row, dec)
	})
}

func (c *call) deleteRow(ctx context.Context, ch *change, old *row, dec policy.Decision) (Answer, error) {
	if err := c.putDeleted(ctx, ch, old); err != nil {
		return Answer{}, err
	}
	ch.note(dec, doDelete)
	receipt, err := ch.commit(ctx)
	if err != nil {
		return Answer{}, err
	}
	return c.clinical(http.StatusNoContent, nothing(), receipt).in(ch.v), nil
}

// putDeleted builds the version that ends a document.
func (c *call) putDeleted(ctx context.Context, ch *change, old *row) error {
	rec, err := c.body(ctx, ch.d.id, ch.d.ring, old.key, old.version)
	if err != nil {
		return err
	}
	rec.origin.Deleted = true
	if rec.resource, err = c.next(old, rec.resource, ""); err != nil {
		return err
	}
	if _, err := ch.put(old, rec); err != nil {
		return asRule(err)
	}
	return nil
}
