package dossier

import (
	"net/http"
	"time"

	"opendmp/fhir"
)

// requestOf makes of an entry of a bundle the request that it would be alone: same
// route, same body, same conditions. What can only come alone is refused: a bundle
// in a bundle, and a search whose parameters are in a form.
//
// The error is that of the interaction table, or an *fhir.Invalid.
func (c *call) requestOf(e *fhir.Entry) (Request, error) {
	line, err := fhir.Base(c.base).ParseEntry(e.Method, e.URL)
	if err != nil {
		return Request{}, err
	}
	if line.Form {
		return Request{}, invalid("not-supported", "Bundle.entry.request.url", "Dans un lot, une recherche se fait par GET.", "In a bundle a search is a GET.")
	}
	r := Request{
		Request: line,
		IfMatch: e.IfMatch, IfNoneMatch: e.IfNoneMatch, IfModifiedSince: httpDate(e.IfModifiedSince), IfNoneExist: e.IfNoneExist,
		Return: c.r.Return, Lang: c.r.Lang, TraceID: c.r.TraceID,
	}
	if e.Resource == nil || isRead(line) {
		return r, nil
	}
	r.Body, r.MediaType = e.Resource.Bytes(), "application/fhir+json"
	if line.Interaction == fhir.Patch && e.Resource.Type() == "Binary" {
		// R4 §3.1.0.11.1: a patch that is no resource comes as a Binary.
		if r.Body, err = decodeBase64(e.Resource.Get("data").Text()); err != nil {
			return Request{}, invalid("value", "Binary.data", "Le contenu n’est pas en base64.", "The data is not base64.")
		}
		r.MediaType = baseType(e.Resource.Get("contentType").Text())
	}
	return r, nil
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
