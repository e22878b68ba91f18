package dossier

import (
	"context"
	"slices"

	"opendmp/fhir"
	"opendmp/policy"
)

// maxIncluded is how many resources may be included in one page. A submission set
// names at most as many documents as a transaction has entries; a page that would
// need more is refused rather than cut, since nobody would see what is missing.
const maxIncluded = fhir.MaxEntries

// include returns what _include and _revinclude add to a page: each resource that
// the caller reads, once, and none that is on the page. hits and resources go in
// pairs.
//
// References are followed from what the caller is shown, so those that are cut lead
// nowhere; each resource that they lead to is judged as if it were read alone. Back
// they are followed from what the caller may read, to what is on the page: both ends
// are visible, so that the reference is not one of those that are cut. What is hidden
// costs what is absent costs: nothing of it is opened.
func (c *call) include(ctx context.Context, q *fhir.Query, hits []hit, resources []policy.Released[*fhir.Resource]) ([]hit, []fhir.EntryOut, []policy.Released[*fhir.Resource], error) {
	s := inclusion{c: c, seen: make(map[string]bool)}
	for _, h := range hits {
		s.seen[h.ref()] = true
	}
	var entries []fhir.EntryOut
	var released []policy.Released[*fhir.Resource]
	var all []hit
	for round := 0; len(q.Includes) > 0 && len(hits) > 0; round++ {
		wanted := s.linked(q, round, hits, resources)
		if len(all)+len(wanted) > maxIncluded {
			return nil, nil, nil, errIncluded
		}
		found, more, err := c.fetch(ctx, wanted)
		if err != nil {
			return nil, nil, nil, err
		}
		hits, resources = nil, nil
		for i, r := range more {
			if r.Ok() {
				found[i].Mode = "include"
				hits, resources, entries = append(hits, wanted[i]), append(resources, r), append(entries, found[i])
			}
		}
		all, released = append(all, hits...), append(released, resources...)
	}
	return all, entries, released, nil
}

// errIncluded is that a page would include too much.
var errIncluded = &fhir.Invalid{Issues: []fhir.Issue{{
	Severity: fhir.Error, Code: "too-costly", Expression: "http._include",
	Text: fhir.Text{
		FR: "Trop de ressources incluses dans une page ; réduire _count ou le nombre d’inclusions.",
		EN: "Too many resources included in one page; reduce _count or the number of inclusions.",
	},
}}}

// inclusion is the work of finding what a page includes.
type inclusion struct {
	c    *call
	seen map[string]bool // on the page, included, or looked at already
}

// linked returns what the inclusions of a round lead to from the resources of the
// round before, dossier by dossier, newest deposit first among those that one
// inclusion finds backward. The first round starts from the matches; those after it
// are of :iterate alone.
func (s *inclusion) linked(q *fhir.Query, round int, hits []hit, resources []policy.Released[*fhir.Resource]) []hit {
	var found []hit
	for from := 0; from < len(hits); {
		to := from + 1
		for to < len(hits) && hits[to].d == hits[from].d {
			to++
		}
		for _, i := range q.Includes {
			switch {
			case round > 0 && !i.Iterate:
			case i.Reverse:
				found = append(found, s.backward(i, hits[from:to])...)
			default:
				found = append(found, s.forward(i, hits[from:to], resources[from:to])...)
			}
		}
		from = to
	}
	return found
}

// forward follows references of what was shown.
func (s *inclusion) forward(i fhir.Include, hits []hit, resources []policy.Released[*fhir.Resource]) []hit {
	var found []hit
	for n, h := range hits {
		shown, ok := resources[n].Value()
		if !ok {
			continue
		}
		for _, reference := range i.References(shown) {
			typ, id, local := s.c.localRef(reference)
			if at, known := h.d.byRef[typ+"/"+id]; local && known && i.LeadsTo(typ) {
				found = s.add(found, h, at)
			}
		}
	}
	return found
}

// backward finds what refers to one of the hits, which are of one dossier.
func (s *inclusion) backward(i fhir.Include, hits []hit) []hit {
	var found []hit
	d := hits[0].d
	for at, r := range d.rows {
		if !i.LeadsTo(r.typ) {
			continue
		}
		for reference := range i.Named(r.values) {
			typ, id, local := s.c.localRef(reference)
			if local && slices.ContainsFunc(hits, func(h hit) bool { return h.ref() == typ+"/"+id }) {
				found = s.add(found, hits[0], at)
			}
		}
	}
	slices.SortFunc(found, func(a, b hit) int { return compareHits(a.row, b.row, &fhir.Query{}) })
	return found
}

// add adds the row at a place of the dossier of from, if the caller may read it and
// it is not there yet.
func (s *inclusion) add(found []hit, from hit, at int) []hit {
	r := from.d.rows[at]
	if ref := r.ref(); !s.seen[ref] && !r.deleted && from.v.Read(at).Allowed() {
		s.seen[ref] = true
		found = append(found, hit{from.d, from.v, r})
	}
	return found
}
