package dossier

import (
	"net/http"
	"time"

	"opendmp/fhir"
)

// requestOf makes of an entry of a bundle the request that it would be alone: same
// route, same body, same conditions. What can only come alone is refused: a bundle
// in a bundle, and a search whose parameters are in a form. The body is not read.
//
// The error is that of the interaction table, or an *fhir.Invalid.
func (c *call) requestOf(e *fhir.Entry) (Request, error) {
	line, err := c.lineOf(e)
	if err != nil {
		return Request{}, err
	}
	if line.Form {
		return Request{}, invalid("not-supported", e.At()+".request.url", "Dans un lot, une recherche se fait par GET.", "In a bundle a search is a GET.")
	}
	r := Request{
		Request: line,
		IfMatch: e.IfMatch, IfNoneMatch: e.IfNoneMatch, IfModifiedSince: httpDate(e.IfModifiedSince), IfNoneExist: e.IfNoneExist,
		Return: c.r.Return, Lang: c.r.Lang, Base: c.r.Base, TraceID: c.r.TraceID,
	}
	if isRead(line) || line.Interaction == fhir.Delete || line.Interaction == fhir.Capabilities {
		if e.Resource != nil {
			return Request{}, invalid("structure", e.At()+".resource", "Cette requête n’a pas de corps.", "This request has no body.")
		}
		return r, nil
	}
	r.Body, r.MediaType = e.Resource.Bytes(), "application/fhir+json"
	if line.Interaction == fhir.Patch && e.Resource.Type() == "Binary" {
		r.Body, r.MediaType, err = patchIn(e.Resource)
	}
	return r, err
}

// lineOf reads the line of an entry. In a batch that of a type which only a
// transaction creates is refused after its body was read, as if alone.
func (c *call) lineOf(e *fhir.Entry) (fhir.Request, error) {
	b := c.bases
	if c.r.Interaction != fhir.Batch {
		return b.ParseEntry(e.Method, e.URL)
	}
	line, err := b.ParseBatchEntry(e.Method, e.URL)
	if fhir.Misplaced(err) {
		if _, broken := fhir.Parse(e.Resource.Bytes()); broken != nil {
			err = broken
		}
	}
	return line, err
}

// patchIn is the patch that comes as a Binary, since it is no resource (R4
// §3.1.0.11.1).
func patchIn(binary *fhir.Resource) (body []byte, mime string, err error) {
	binary, err = fhir.Parse(binary.Bytes())
	if err != nil {
		return nil, "", err
	}
	if body, err = decodeBase64(binary.Get("data").Text()); err != nil {
		return nil, "", invalid("value", "Binary.data", "Le contenu n’est pas en base64.", "The data is not base64.")
	}
	return body, baseType(binary.Get("contentType").Text()), nil
}

// isRead tells whether a request changes nothing and has no body.
func isRead(line fhir.Request) bool {
	switch line.Interaction {
	case fhir.Read, fhir.VRead, fhir.History, fhir.Search:
		return true
	case fhir.Operation:
		return line.ByGet
	}
	return false
}

// httpDate returns ifModifiedSince, an instant in a bundle, as the header has it;
// "" when it is not one, which is no condition.
func httpDate(instant string) string {
	t, err := time.Parse(time.RFC3339Nano, instant)
	if err != nil {
		return ""
	}
	return t.UTC().Format(http.TimeFormat)
}
