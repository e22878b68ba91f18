package server

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"opendmp/dossier"
	"opendmp/fhir"
)

// format is how an answer is to be written.
type format struct {
	// raw asks for a Binary in its own media type.
	raw bool
}

const (
	fhirJSON  = "application/fhir+json"
	jsonPatch = "application/json-patch+json"
	form      = "application/x-www-form-urlencoded"
)

// negotiate chooses the format of the answer by _format, which wins, or Accept
// (R4 §3.1.0.1.11).
func negotiate(r *http.Request, line fhir.Request) (format, error) {
	if line.Format != "" {
		if !isJSON(line.Format) {
			return format{}, dossier.ErrNotAcceptable
		}
		return format{}, nil
	}
	binary := line.Type == "Binary" && line.Interaction == fhir.Read
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return format{raw: binary}, nil
	}
	best, raw := 0.0, false
	for part := range strings.SplitSeq(accept, ",") {
		kind, q := acceptPart(part)
		switch {
		case q <= best:
		case isJSON(kind):
			best, raw = q, false
		case binary && kind != "":
			best, raw = q, true
		case kind == "*/*" || kind == "application/*":
			best = q
		}
	}
	if best == 0 {
		return format{}, dossier.ErrNotAcceptable
	}
	return format{raw: raw}, nil
}

// acceptPart splits one part of Accept into its media type and weight.
func acceptPart(part string) (string, float64) {
	kind, params, err := mime.ParseMediaType(part)
	if err != nil || params["fhirversion"] != "" && params["fhirversion"] != "4.0" {
		return "", 0
	}
	if params["q"] == "" {
		return kind, 1
	}
	_, q := weighted(";q=" + params["q"])
	return kind, q
}

// isJSON tells whether a value of Accept or _format means JSON.
func isJSON(kind string) bool {
	switch kind {
	case "json", "application/json", "text/json", fhirJSON:
		return true
	default:
		return false
	}
}

// bodyTypes returns the media types that an interaction takes; nil if it has no
// body.
func bodyTypes(r fhir.Request) []string {
	switch r.Interaction {
	case fhir.Search:
		if r.Form {
			return []string{form}
		}
		return nil
	case fhir.Transaction, fhir.Batch, fhir.Create, fhir.Update, fhir.Operation:
		return []string{fhirJSON, "application/json"}
	case fhir.Patch:
		// A JSON Patch, or a FHIRPath Patch as a Parameters.
		return []string{jsonPatch, fhirJSON, "application/json"}
	default:
		return nil
	}
}

// contentType returns the media type of the body without its parameters. Text is
// in UTF-8, which the parser checks.
func contentType(h http.Header, accepted []string) (string, error) {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || !slices.Contains(accepted, kind) {
		return "", dossier.ErrMediaType
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", dossier.ErrMediaType
	}
	if v := params["fhirversion"]; v != "" && v != "4.0" {
		return "", dossier.ErrMediaType
	}
	return kind, nil
}
