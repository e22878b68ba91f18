package server

import (
	"mime"
	"net/http"
	"strings"

	"opendmp/dossier"
	"opendmp/fhir"
)

// negotiate chooses the format of the answer by _format, which wins, or Accept.
// raw asks for a Binary in its own media type: R4 §2.24.4 gives that to everyone
// who does not name a FHIR type.
func negotiate(r *http.Request, line fhir.Request) (raw bool, err error) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if line.Type == "Binary" && line.Interaction == fhir.Read && line.Format == "" && !namesFHIR(accept) {
		return true, nil
	}
	if _, ok := fhir.NegotiateAccept(accept, line.Format); ok {
		return false, nil
	}
	if line.Type == "Binary" && line.Interaction == fhir.Read && strings.Contains(line.Format, "/") {
		return true, nil // _format=application/pdf, as Accept: application/pdf
	}
	return false, dossier.ErrNotAcceptable
}

// namesFHIR tells whether Accept names a FHIR type, and nothing else that is
// wanted more.
func namesFHIR(accept string) bool {
	best, named := 0.0, false
	for part := range strings.SplitSeq(accept, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		_, q := weighted(";q=" + params["q"])
		if params["q"] == "" {
			q = 1
		}
		if isFHIR := isFHIRType(kind); q > best || q == best && q > 0 && isFHIR {
			best, named = q, isFHIR
		}
	}
	return named
}

func isFHIRType(kind string) bool {
	switch kind {
	case "application/fhir+json", "application/json", "text/json", "application/fhir+xml":
		return true
	default:
		return false
	}
}

// bodyOf returns the media type of a body without its parameters, if the
// interaction takes it.
func bodyOf(h http.Header, r fhir.Request) (string, error) {
	header := h.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(header)
	if err != nil {
		return "", dossier.ErrMediaType
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", dossier.ErrMediaType
	}
	format, resource := fhir.ContentType(header)
	switch {
	case r.Form && kind == "application/x-www-form-urlencoded":
	case r.Interaction == fhir.Patch && (kind == "application/json-patch+json" || kind == "application/xml-patch+xml"):
	case !r.Form && format == fhir.FormatJSON:
		return "application/fhir+json", nil // by whatever name: text/json too, as Accept has it
	case !r.Form && resource:
	default:
		return "", dossier.ErrMediaType
	}
	return kind, nil
}

// hasBody tells whether an interaction has a body.
func hasBody(r fhir.Request) bool {
	switch r.Interaction {
	case fhir.Search:
		return r.Form
	case fhir.Operation:
		return !r.ByGet
	case fhir.Transaction, fhir.Batch, fhir.Create, fhir.Update, fhir.Patch:
		return true
	default:
		return false
	}
}
