package dossier

import (
	"io"
	"slices"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
)

// content is what a clinical answer holds: bytes or a stream that the policy
// released. The zero content cannot be answered.
type content struct {
	mime string
	// resources is how many the body is made of.
	resources int
	body      policy.Released[[]byte]
	stream    policy.Released[document]
}

// document is what a released content is read from.
type document struct {
	mime   string
	size   int64
	stream io.ReadCloser
}

// nothing is the content of an answer without a body.
func nothing() content { return composed("", nil) }

// own is a body that the server made itself about a write or an operation: a
// transaction response, Parameters. It holds nothing but what the caller sent
// and the ids that it got.
func own(body []byte) content { return composed(fhirJSON, body) }

func composed(mime string, body []byte) content {
	released, err := policy.Compose(func([]*fhir.Resource) ([]byte, error) { return body, nil })
	if err != nil {
		return content{}
	}
	return content{mime: mime, body: released}
}

// one is the content of one released resource.
func one(r policy.Released[*fhir.Resource]) content {
	return bytesOf(func(rs []*fhir.Resource) []byte { return rs[0].Bytes() }, r)
}

// raw is a released document in its own media type.
func raw(r policy.Released[document]) content {
	doc, ok := r.Value()
	if !ok {
		return content{}
	}
	return content{mime: doc.mime, stream: r}
}

// results is a page of a search or a history, whose entries and resources go in pairs:
// as much of each resource as _summary and _elements ask for, then what lenient handling left out of the search.
func (c *call) results(b fhir.BundleOut, entries []fhir.EntryOut, resources []policy.Released[*fhir.Resource]) content {
	q := c.r.Query
	if len(q.Ignored) > 0 {
		outcome := fhir.EntryOut{Resource: fhir.OutcomeJSON(c.r.Lang, q.Ignored), Mode: "outcome"}
		entries = append(slices.Clip(entries), outcome)
	}
	return composedOf(func(rs []*fhir.Resource) ([]byte, error) {
		for i, r := range rs {
			shown, err := q.Show(r)
			if err != nil {
				return nil, err
			}
			entries[i].Resource = shown.Bytes()
		}
		b.Entries = append(b.Entries, entries...)
		return fhir.WriteBundle(b), nil
	}, resources...)
}

// shown is the content of one released resource, as much of it as was asked for.
func (c *call) shown(r policy.Released[*fhir.Resource]) content {
	return composedOf(func(rs []*fhir.Resource) ([]byte, error) {
		shown, err := c.r.Query.Show(rs[0])
		if err != nil {
			return nil, err
		}
		return shown.Bytes(), nil
	}, r)
}

func bytesOf(encode func([]*fhir.Resource) []byte, rs ...policy.Released[*fhir.Resource]) content {
	return composedOf(func(rs []*fhir.Resource) ([]byte, error) { return encode(rs), nil }, rs...)
}

// composedOf is FHIR made of released resources and nothing else; no content where
// one was not released or encode fails.
func composedOf(encode func([]*fhir.Resource) ([]byte, error), rs ...policy.Released[*fhir.Resource]) content {
	released, err := policy.Compose(encode, rs...)
	if err != nil {
		return content{}
	}
	return content{mime: fhirJSON, body: released, resources: len(rs)}
}

// clinical makes the answer of a content, given the receipt of its event. It
// is the zero Answer when one of the two is missing.
func (c *call) clinical(status int, body content, receipt audit.Receipt) Answer {
	if !receipt.Valid() {
		return Answer{}
	}
	a := Answer{kind: clinicalAnswer, receipt: receipt, status: status, mime: body.mime, resources: body.resources}
	if doc, ok := body.stream.Value(); ok {
		a.stream, a.size = doc.stream, doc.size
		return a
	}
	b, ok := body.body.Value()
	if !ok {
		return Answer{}
	}
	if c.pretty() && body.mime == fhirJSON {
		b = fhir.Pretty(b)
	}
	a.body = b
	return a
}
