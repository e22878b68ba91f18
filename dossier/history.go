package dossier

import (
	"context"
	"net/http"
	"slices"

	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// history answers the versions of one resource, newest first, from _since and
// _count at a time (R4 http.html#history). They are governed by the current version.
func (c *call) history(ctx context.Context) (Answer, error) {
	d, v, err := c.open(ctx, c.r.Type, c.r.ID)
	if err != nil {
		return Answer{}, err
	}
	ref := c.r.Type + "/" + c.r.ID
	row := d.find(ref)
	if row == nil || row.deleted || !v.Read(d.byRef[ref]).Allowed() {
		return c.hidden(ctx, d, v, policy.Decision{}, ref)
	}
	numbers, total, next, err := c.window(ctx, d, row)
	if err != nil {
		return Answer{}, err
	}
	refs := []store.BodyRef{{Row: row.key, Version: row.version}}
	for _, n := range numbers {
		refs = append(refs, store.BodyRef{Row: row.key, Version: n})
	}
	recs, err := c.bodies(ctx, d.id, d.ring, refs)
	if err != nil {
		return Answer{}, err
	}
	_, dec := v.Release(recs[0].resource, recs[0].origin)
	if !dec.Allowed() {
		return c.hidden(ctx, d, v, dec, ref)
	}
	entries, resources, ok := c.versions(v, row, recs[0], numbers, recs[1:])
	if !ok {
		return c.hidden(ctx, d, v, dec, ref)
	}
	receipt, err := c.record(ctx, d, c.events(d, dec, doRead, []string{ref}, v))
	if err != nil {
		return Answer{}, err
	}
	out := fhir.BundleOut{Type: "history", Total: &total, Links: []fhir.Link{{Relation: "self", URL: c.historyURL()}}}
	if next != "" {
		out.Links = append(out.Links, fhir.Link{Relation: "next", URL: next})
	}
	return c.clinical(http.StatusOK, c.results(out, entries, resources), receipt).in(v), nil
}

// historyURL is the address of the history that was asked for.
func (c *call) historyURL() string {
	self := c.base + "/" + c.historyPath()
	if s := c.r.Query.String(); s != "" {
		self += "?" + s
	}
	return self
}

func (c *call) historyPath() string { return c.r.Type + "/" + c.r.ID + "/_history" }

// window returns the numbers of the versions of a page, newest first, how many
// there are since _since in all, and the link to the next page, "" for none.
// Versions that are written meanwhile are not of the pages that follow.
func (c *call) window(ctx context.Context, d *loaded, row *row) (numbers []int64, total int, next string, err error) {
	q := c.r.Query
	below := row.version + 1
	if q.Page != "" {
		k, err := c.cursorAt(c.historyPath(), q)
		if err != nil {
			return nil, 0, "", err
		}
		below = k.version
	}
	for version, err := range c.store.Versions(ctx, store.RowID{Dossier: d.id, Row: row.key}) {
		switch {
		case err != nil:
			return nil, 0, "", err
		case version.Version > row.version || version.Updated.Before(q.Since):
			continue
		case version.Version < below:
			numbers = append(numbers, version.Version)
		}
		total++
	}
	slices.SortFunc(numbers, func(a, b int64) int { return int(b - a) })
	if len(numbers) > q.Count {
		numbers = numbers[:q.Count]
		if q.Count > 0 {
			place := cursor{row: store.RowID{Dossier: d.id, Row: row.key}, version: numbers[q.Count-1]}
			next = c.linkAt(c.historyPath(), q, place)
		}
	}
	return numbers, total, next, nil
}

// versions releases each version under the current one; false if one may not be
// seen.
func (c *call) versions(v *policy.View, row *row, current *record, numbers []int64, recs []*record) ([]fhir.EntryOut, []policy.Released[*fhir.Resource], bool) {
	var entries []fhir.EntryOut
	var resources []policy.Released[*fhir.Resource]
	for i, rec := range recs {
		released, dec := v.ReleaseOld(current.resource, current.origin, rec.resource)
		if !dec.Allowed() {
			return nil, nil, false
		}
		method, url, status := "PUT", row.ref(), "200 OK"
		if numbers[i] == 1 {
			method, url, status = "POST", row.typ, "201 Created"
		}
		entries = append(entries, fhir.EntryOut{
			FullURL:  c.base + "/" + row.ref(),
			Request:  &fhir.RequestOut{Method: method, URL: url},
			Response: &fhir.ResponseOut{Status: status, ETag: etag(numbers[i]), LastModified: updatedOf(rec.resource)},
		})
		resources = append(resources, released)
	}
	return entries, resources, true
}
