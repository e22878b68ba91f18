package dossier

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// hit is a row that matched, in the dossier where it is.
type hit struct {
	d *loaded
	v *policy.View
	*row
}

// search answers a search in the dossiers that its parameters select: one by
// patient, those of a document by identifier or id. Filter first, then match,
// count and page.
func (c *call) search(ctx context.Context) (Answer, error) {
	switch c.r.Type {
	case "Patient":
		return c.searchPatient(ctx)
	case "AuditEvent":
		return c.searchEvents(ctx)
	}
	q := c.r.Query
	places, err := c.places(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	var hits []hit
	var views []*policy.View
	contradicts := q.PatientID != "" && len(places) > 1
	for i, d := range places {
		d, v, err := c.look(ctx, d)
		if err != nil {
			return Answer{}, err
		}
		places[i] = d
		views = append(views, v)
		if err := c.mayStay(ctx, d, v, q); err != nil {
			return Answer{}, err
		}
		if !contradicts {
			found, err := c.matches(ctx, d, v, q)
			if err != nil {
				return Answer{}, err
			}
			if len(found) == 0 && !c.byPatient {
				if err := c.even(ctx, d); err != nil {
					return Answer{}, err
				}
			}
			hits = append(hits, found...)
		}
	}
	sortHits(hits, q)
	return c.answerPage(ctx, q, places, views, hits)
}

// places loads the dossiers that a search selects.
func (c *call) places(ctx context.Context, q *fhir.Query) ([]*loaded, error) {
	c.byPatient = q.PatientID != "" || !q.PatientIdent.IsZero()
	switch {
	case q.PatientID != "" && !q.PatientIdent.IsZero():
		return c.bothPatients(ctx, q)
	case q.PatientID != "":
		return alone(c.loadPatient(ctx, c.idToken("Patient", q.PatientID)))
	case !q.PatientIdent.IsZero():
		return alone(c.loadPatient(ctx, c.insToken(q.PatientIdent)))
	case len(q.IDs) > 0:
		return c.loadByIDs(ctx, c.r.Type, q.IDs)
	case len(q.Idents) > 0:
		return c.loadByIdentifiers(ctx, q.Type, q.Idents)
	}
	return nil, &fhir.Invalid{Issues: []fhir.Issue{{
		Severity: fhir.Error, Code: "required", Expression: "patient",
		Text: fhir.Text{
			FR: "La recherche doit désigner un dossier : paramètre patient, patient.identifier, identifier ou _id.",
			EN: "The search must name a dossier: parameter patient, patient.identifier, identifier or _id.",
		},
	}}}
}

// bothPatients loads what the id and the INS name: one dossier, or two of which
// no resource can match.
func (c *call) bothPatients(ctx context.Context, q *fhir.Query) ([]*loaded, error) {
	byID, err := c.byToken(ctx, c.idToken("Patient", q.PatientID))
	if err != nil {
		return nil, err
	}
	byINS, err := c.byToken(ctx, c.insToken(q.PatientIdent))
	if err != nil {
		return nil, err
	}
	return c.loadEach(ctx, appendOnce([]store.Dossier{byID}, byINS))
}

// alone is a selection of one dossier.
func alone(d *loaded, err error) ([]*loaded, error) {
	if err != nil {
		return nil, err
	}
	return []*loaded{d}, nil
}

// mayStay applies POLICY §7, "by patient": a dossier that exists and that the
// caller may not search is a refusal; one that does not exist is empty. A
// search that names no patient says nothing about a dossier and never refuses.
func (c *call) mayStay(ctx context.Context, d *loaded, v *policy.View, q *fhir.Query) error {
	if q.PatientID == "" && q.PatientIdent.IsZero() {
		return nil
	}
	dec := v.Search(c.r.Type, len(q.Idents) > 0)
	if err := c.letIn(ctx, d, dec.Allowed()); err != nil {
		return err
	}
	if dec.Allowed() || c.ownNone(d, v, q) || !c.patientScoped() && (c.absent(d, v) || dec.Refusal() == policy.Hidden) {
		return nil
	}
	_, err := c.refuse(ctx, d, v, dec, doExecute, ErrForbidden)
	return err
}

// absent tells whether there is no dossier for the caller: none, none any more,
// or that of a patient who opposed the access of the SAMU.
func (c *call) absent(d *loaded, v *policy.View) bool {
	dec := v.Search("Patient", true)
	return !d.exists() || !dec.Allowed() && dec.Refusal() == policy.Hidden
}

// stranger tells whether the caller may name one dossier only, and not this one.
func (c *call) stranger(v *policy.View) bool {
	s := v.Situation()
	return c.patientScoped() && !s.Patient && !s.Representative
}

// ownNone tells whether a patient asks by their own INS for a dossier that they do
// not have: that is none, not another's (POLICY §7).
func (c *call) ownNone(d *loaded, v *policy.View, q *fhir.Query) bool {
	own := c.p.Kind() == auth.Patient && q.PatientID == "" && len(q.IDs) == 0 && q.PatientIdent == c.p.ID()
	return own && c.absent(d, v)
}

// patientScoped tells whether the caller may name one dossier only, or none at
// all, so that naming another is refused whether it exists or not.
func (c *call) patientScoped() bool { return c.holds() || c.p.Kind() == auth.Operator }

// holds tells whether the caller is of a kind that a dossier may be about.
func (c *call) holds() bool {
	k := c.p.Kind()
	return k == auth.Patient || k == auth.Representative
}

// matches returns the rows of the type that the caller sees and the query wants.
func (c *call) matches(ctx context.Context, d *loaded, v *policy.View, q *fhir.Query) ([]hit, error) {
	references := asksForReferences(q)
	var hits, again []hit
	for i, r := range d.rows {
		switch {
		case r.typ != q.Type || r.deleted || !v.Read(i).Allowed():
		case references && r.facts.Refers():
			again = append(again, hit{d, v, r})
		case q.Match(r.values):
			hits = append(hits, hit{d, v, r})
		}
	}
	matched, err := c.matchShown(ctx, q, again)
	return append(hits, matched...), err
}

// asksForReferences tells whether a query asks for what a resource refers to.
func asksForReferences(q *fhir.Query) bool {
	for _, p := range fhir.Params(q.Type) {
		name, chained := strings.CutSuffix(p.Name, ".identifier")
		names := (chained || p.Type == fhir.ReferenceParam) && name != "patient" && name != "subject"
		if (names || p.Name == "relation") && len(q.Names(p.Name)) > 0 {
			return true
		}
	}
	return false
}

// matchShown keeps what matches as the caller is shown it: a reference that is cut
// from what they read takes no part, nor does the kind of relation it was in.
func (c *call) matchShown(ctx context.Context, q *fhir.Query, hits []hit) ([]hit, error) {
	if len(hits) == 0 {
		return nil, nil
	}
	rows := make([]*row, len(hits))
	for i, h := range hits {
		rows[i] = h.row
	}
	recs, err := c.current(ctx, hits[0].d, rows...)
	if err != nil {
		return nil, err
	}
	var matched []hit
	for i, h := range hits {
		released, _ := h.v.Release(recs[i].resource, recs[i].origin)
		if shown, ok := released.Value(); ok && q.Match(fhir.ValuesOf(shown)) {
			matched = append(matched, h)
		}
	}
	return matched, nil
}

// sortHits orders by _sort, then newest deposit first, then by key: a total
// order that does not move while others write.
func sortHits(hits []hit, q *fhir.Query) {
	slices.SortFunc(hits, func(a, b hit) int { return compareHits(a.row, b.row, q) })
}

func compareHits(a, b *row, q *fhir.Query) int {
	return cmp.Or(
		q.Compare(a.values, b.values),
		b.origin.Deposited.Compare(a.origin.Deposited),
		bytes.Compare(a.key[:], b.key[:]),
	)
}

// answerPage answers one page of hits, after an event in each dossier.
func (c *call) answerPage(ctx context.Context, q *fhir.Query, places []*loaded, views []*policy.View, hits []hit) (Answer, error) {
	total, mode := len(hits), c.toldMode(views, hits)
	hits, err := c.after(ctx, q, hits)
	if err != nil {
		return Answer{}, err
	}
	more := len(hits) > q.Count
	if more {
		hits = hits[:q.Count]
	}
	if q.SummaryCount {
		hits, more = nil, false
	}
	out := c.searchset(q, total, hits, more)
	entries, resources, err := c.fetch(ctx, hits)
	if err != nil {
		return Answer{}, err
	}
	included, also, released, err := c.include(ctx, q, hits, resources)
	if err != nil {
		return Answer{}, err
	}
	receipt, err := c.recordSearch(ctx, places, views, slices.Concat(hits, included))
	if err != nil {
		return Answer{}, err
	}
	a := c.clinical(http.StatusOK, c.results(out, slices.Concat(entries, also), slices.Concat(resources, released)), receipt)
	a.mode = mode
	return a, nil
}

// toldMode is the mode that a search says is in force: that of the dossier that it
// names by its patient. Of a search by identifier or id it is that of what was
// found: the mode of a dossier in which nothing is shown would tell that what was
// asked for is there.
func (c *call) toldMode(views []*policy.View, hits []hit) string {
	if c.byPatient && len(views) == 1 {
		return modeCode(views[0].Situation().Mode)
	}
	mode := ""
	for i, h := range hits {
		m := modeCode(h.v.Situation().Mode)
		if i > 0 && m != mode {
			return ""
		}
		mode = m
	}
	return mode
}

// searchset makes the bundle without its entries.
func (c *call) searchset(q *fhir.Query, total int, hits []hit, more bool) fhir.BundleOut {
	self := c.base + "/" + c.r.Type
	if s := q.String(); s != "" {
		self += "?" + s
	}
	out := fhir.BundleOut{Type: "searchset", Links: []fhir.Link{{Relation: "self", URL: self}}}
	if q.Total != "none" {
		out.Total = &total
	}
	if more && len(hits) > 0 {
		out.Links = append(out.Links, fhir.Link{Relation: "next", URL: c.nextLink(q, hits[len(hits)-1])})
	}
	return out
}

// fetch opens the bodies of the page and lets each be judged again.
func (c *call) fetch(ctx context.Context, hits []hit) ([]fhir.EntryOut, []policy.Released[*fhir.Resource], error) {
	entries := make([]fhir.EntryOut, len(hits))
	resources := make([]policy.Released[*fhir.Resource], len(hits))
	for from := 0; from < len(hits); {
		to := from
		for to < len(hits) && hits[to].d == hits[from].d {
			to++
		}
		rows := make([]*row, 0, to-from)
		for _, h := range hits[from:to] {
			rows = append(rows, h.row)
		}
		recs, err := c.current(ctx, hits[from].d, rows...)
		if err != nil {
			return nil, nil, err
		}
		for i, rec := range recs {
			h := hits[from+i]
			resources[from+i], _ = h.v.Release(rec.resource, rec.origin)
			entries[from+i] = fhir.EntryOut{FullURL: c.base + "/" + h.ref(), Mode: "match"}
		}
		from = to
	}
	return entries, resources, nil
}

// recordSearch makes one event durable in each dossier searched, with what of
// it was shown; a decoy's goes to the system journal.
func (c *call) recordSearch(ctx context.Context, places []*loaded, views []*policy.View, hits []hit) (audit.Receipt, error) {
	var last audit.Receipt
	for i, d := range places {
		var objects []string
		for _, h := range hits {
			if h.d == d {
				objects = append(objects, versionRef(h.row))
			}
		}
		dec := views[i].Search(c.r.Type, len(c.r.Query.Idents) > 0)
		r, err := c.record(ctx, d, c.eventsOfSearch(d, dec, objects, views[i]))
		if err != nil {
			return audit.Receipt{}, err
		}
		last = r
	}
	return last, nil
}
