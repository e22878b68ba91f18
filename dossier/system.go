package dossier

import (
	"context"
	"net/http"
	"strconv"

	"opendmp/auth"
	"opendmp/fhir"
)

// transaction answers POST to the base: an opening, a submission (ITI-65), acts on
// what is there, or a batch.
func (c *call) transaction(ctx context.Context) (Answer, error) {
	r, err := c.parseAs("Bundle", fhir.ParseBundle)
	if err != nil {
		return Answer{}, err
	}
	if r.Get("entry").Len() > fhir.MaxEntries {
		return Answer{}, ErrTooLarge
	}
	if fhir.IsBatch(r) {
		c.r.Interaction = fhir.Batch
		return c.batchOf(ctx, r)
	}
	b, err := c.bases.ReadBundle(r)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case !entriesWithin(c.p, b.Entries):
		return Answer{}, c.beyond(ctx)
	case len(b.Entries) == 0:
		return Answer{}, invalid("required", "Bundle.entry", "La transaction est vide.", "The transaction is empty.")
	case isOpening(b):
		return c.openDossier(ctx, b)
	case isSubmission(b):
		return c.provide(ctx, b)
	}
	return c.transact(ctx, b)
}

// maxBatch bounds the entries of a batch, and of a transaction that is neither an
// opening nor a submission: each costs what a request of its own costs.
const maxBatch = 100

// batchOf answers each entry as if it had come alone, in its place and in the order
// of the bundle: to fetch N documents at once (DOMAIN.md §2.4), or to write what need
// not be written together. One that cannot be read is refused by itself, and so is one
// for which those before it left no room.
func (c *call) batchOf(ctx context.Context, r *fhir.Resource) (Answer, error) {
	count := r.Get("entry").Len()
	if count > maxBatch {
		return Answer{}, ErrTooLarge
	}
	var left room
	parts := make([]part, 0, count)
	for e, err := range c.bases.ReadBatch(r) {
		if err != nil {
			parts = append(parts, partOf(Refuse(err, c.r.Lang)))
			continue
		}
		parts = append(parts, c.alone(ctx, &e, &left))
	}
	return c.joined("batch-response", parts), nil
}

// part is the answer to one entry.
type part struct {
	answer Answer
	out    fhir.EntryOut
}

// alone carries out one entry through the same door, while there is room for what it
// brings.
func (c *call) alone(ctx context.Context, e *fhir.Entry, left *room) part {
	r, err := c.requestOf(e)
	if err != nil {
		return partOf(Refuse(err, c.r.Lang))
	}
	if !left.admits(r.Request) {
		return partOf(Refuse(ErrTogether, c.r.Lang))
	}
	p := partOf(c.Do(ctx, c.p, r))
	left.take(p.answer)
	if e.Method == http.MethodHead {
		p.out.Resource = nil
	}
	return p
}

// partOf puts an answer into its entry.
func partOf(a Answer) part {
	out := fhir.EntryOut{Response: &fhir.ResponseOut{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), Location: a.location, ETag: a.etag, LastModified: a.modified,
	}}
	switch {
	case a.status >= http.StatusBadRequest:
		out.Response.Outcome = a.body
	case len(a.body) > 0:
		out.Resource = a.body
	}
	return part{a, out}
}

// joined makes one answer of the answers to the entries: it is clinical when one of
// them is, and every clinical part brings its own receipt.
func (c *call) joined(typ string, parts []part) Answer {
	out := fhir.BundleOut{Type: typ}
	a := Public(http.StatusOK, fhirJSON, nil)
	for _, p := range parts {
		if !p.answer.Writable() {
			return Answer{}
		}
		if p.answer.Clinical() {
			a.kind, a.receipt = clinicalAnswer, p.answer.receipt
		}
		if p.answer.mode != "" {
			a.mode = p.answer.mode
		}
		out.Entries = append(out.Entries, p.out)
	}
	a.body = fhir.WriteBundle(out)
	if c.pretty() {
		a.body = fhir.Pretty(a.body)
	}
	return a
}

// pretty tells whether the client asked for white space.
func (c *call) pretty() bool { return c.r.Query != nil && c.r.Query.Pretty }

// modeCode returns the code of TRE_R248-ModeAcces for the answer header; "" for
// the normal mode.
func modeCode(m auth.Mode) string {
	switch m {
	case auth.BrisDeGlace:
		return "bris_de_glace"
	case auth.Centre15:
		return "centre_15"
	}
	return ""
}
