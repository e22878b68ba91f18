package dossier

import (
	"context"
	"net/http"
	"strconv"

	"opendmp/auth"
	"opendmp/fhir"
)

// transaction answers POST to the base: an opening, a submission (ITI-65), or a
// batch.
func (c *call) transaction(ctx context.Context) (Answer, error) {
	r, err := c.parseBody("Bundle")
	if err != nil {
		return Answer{}, err
	}
	b, err := fhir.ReadBundle(r)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case b.Type == "batch":
		c.r.Interaction = fhir.Batch
		return c.batchOf(ctx, b)
	case len(b.Entries) == 0:
		return Answer{}, invalid("required", "Bundle.entry", "La transaction est vide.", "The transaction is empty.")
	case isOpening(b):
		return c.openDossier(ctx, b)
	}
	return c.provide(ctx, b)
}

// maxBatch bounds the entries of a batch.
const maxBatch = 100

// batchOf answers each entry as if it had come alone, in its place: reads and
// searches, to fetch N documents at once (DOMAIN.md §2.4).
func (c *call) batchOf(ctx context.Context, b fhir.Bundle) (Answer, error) {
	if len(b.Entries) > maxBatch {
		return Answer{}, ErrTooLarge
	}
	var parts []part
	for i := range b.Entries {
		parts = append(parts, c.batchEntry(ctx, &b.Entries[i]))
	}
	return c.batchAnswer(parts), nil
}

// part is the answer to one entry.
type part struct {
	answer Answer
	out    fhir.EntryOut
}

// batchEntry carries out one entry through the same door.
func (c *call) batchEntry(ctx context.Context, e *fhir.Entry) part {
	a := c.entryAnswer(ctx, e)
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

func (c *call) entryAnswer(ctx context.Context, e *fhir.Entry) Answer {
	if e.Method != http.MethodGet {
		return Refuse(invalid("not-supported", "Bundle.entry.request.method", "Un lot batch ne contient que des lectures.", "A batch holds reads only."), c.r.Lang)
	}
	request, err := fhir.Base(c.base).ParseEntry(e.Method, e.URL)
	if err != nil {
		return Refuse(err, c.r.Lang)
	}
	return c.Do(ctx, c.p, Request{
		Request: request, IfNoneMatch: e.IfNoneMatch, IfModifiedSince: e.IfModifiedSince,
		Lang: c.r.Lang, TraceID: c.r.TraceID,
	})
}

// batchAnswer joins the answers: it is clinical when one of them is, and every
// clinical part brings its own receipt.
func (c *call) batchAnswer(parts []part) Answer {
	out := fhir.BundleOut{Type: "batch-response"}
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
