package dossier

import (
	"io"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
)

// content is what a clinical answer holds: bytes or a stream that the policy
// released. The zero content cannot be answered.
type content struct {
	mime   string
	body   policy.Released[[]byte]
	stream policy.Released[document]
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

// page is a bundle of released resources: entries and resources go in pairs.
func page(b fhir.BundleOut, entries []fhir.EntryOut, resources []policy.Released[*fhir.Resource]) content {
	return bytesOf(func(rs []*fhir.Resource) []byte {
		for i := range rs {
			entries[i].Resource = rs[i].Bytes()
		}
		b.Entries = append(b.Entries, entries...)
		return fhir.WriteBundle(b)
	}, resources...)
}

func bytesOf(encode func([]*fhir.Resource) []byte, rs ...policy.Released[*fhir.Resource]) content {
	released, err := policy.Compose(func(rs []*fhir.Resource) ([]byte, error) { return encode(rs), nil }, rs...)
	if err != nil {
		return content{}
	}
	return content{mime: fhirJSON, body: released}
}

// clinical makes the answer of a content, given the receipt of its event. It
// is the zero Answer when one of the two is missing.
func (c *call) clinical(status int, body content, receipt audit.Receipt) Answer {
	if !receipt.Valid() {
		return Answer{}
	}
	a := Answer{kind: clinicalAnswer, receipt: receipt, status: status, mime: body.mime}
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
