package fhir

import (
	"mime"
	"strconv"
	"strings"
)

// Format is how resources are written on the wire. The zero Format is none.
type Format uint8

// Formats.
const (
	FormatJSON Format = iota + 1
	FormatXML
)

// MediaType returns the media type of resources in the format, with its charset.
func (f Format) MediaType() string {
	switch f {
	case FormatJSON:
		return "application/fhir+json; charset=utf-8"
	case FormatXML:
		return "application/fhir+xml; charset=utf-8"
	}
	return ""
}

// NegotiateAccept returns the format of an answer by _format, which wins, or by
// Accept (R4 §3.1.0.1.11, RFC 9110 §12.5.1): of what the client takes, the
// format with the highest weight, and JSON among equals. It is false when the
// client takes neither JSON nor XML.
func NegotiateAccept(accept, formatParam string) (Format, bool) {
	if formatParam = strings.TrimSpace(formatParam); formatParam != "" {
		// A '+' that was not escaped in the query has become a space.
		f := mediaFormat(strings.Replace(formatParam, "fhir ", "fhir+", 1))
		return f, f != 0
	}
	if strings.TrimSpace(accept) == "" {
		return FormatJSON, true
	}
	weights := [...]acceptWeight{FormatJSON: {}, FormatXML: {}}
	for part := range strings.SplitSeq(accept, ",") {
		kind, q, ok := acceptRange(part)
		if !ok {
			continue
		}
		for f := FormatJSON; f <= FormatXML; f++ {
			weights[f].apply(f.matches(kind), q)
		}
	}
	best := Format(0)
	for f := FormatJSON; f <= FormatXML; f++ {
		if weights[f].q > 0 && (best == 0 || weights[f].q > weights[best].q) {
			best = f
		}
	}
	return best, best != 0
}

// acceptWeight is the weight of a format: that of the most exact range.
type acceptWeight struct {
	exact int
	q     float64
}

func (w *acceptWeight) apply(exact int, q float64) {
	if exact > w.exact || exact == w.exact && exact > 0 && q > w.q {
		w.exact, w.q = exact, q
	}
}

// matches tells how exactly a media range names the format: 0 not at all, 1 */*,
// 2 application/*, 3 the media type.
func (f Format) matches(kind string) int {
	switch {
	case kind == "*/*":
		return 1
	case kind == "application/*":
		return 2
	case mediaFormat(kind) == f:
		return 3
	}
	return 0
}

// acceptRange reads one part of Accept. A range for another version of FHIR or
// with a weight that is none is not ok.
func acceptRange(part string) (kind string, q float64, ok bool) {
	kind, params, err := mime.ParseMediaType(part)
	if err != nil || !ourVersion(params) {
		return "", 0, false
	}
	weight, weighted := params["q"]
	if !weighted {
		return kind, 1, true
	}
	q, err = strconv.ParseFloat(weight, 64)
	return kind, q, err == nil && q >= 0 && q <= 1
}

// ContentType returns the format of a body by its Content-Type. It is false for
// anything but FHIR JSON and XML, with no charset or UTF-8 and no version of FHIR or 4.0.
func ContentType(header string) (Format, bool) {
	kind, params, err := mime.ParseMediaType(header)
	if err != nil || !ourVersion(params) {
		return 0, false
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return 0, false
	}
	if !strings.Contains(kind, "/") {
		return 0, false
	}
	f := mediaFormat(kind)
	return f, f != 0
}

func ourVersion(params map[string]string) bool {
	v, ok := params["fhirversion"]
	return !ok || v == "4.0"
}

// mediaFormat returns the format that a media type, or a short name of _format,
// means (R4 §3.1.0.1.11).
func mediaFormat(name string) Format {
	kind, params, err := mime.ParseMediaType(name)
	if err != nil || !ourVersion(params) {
		return 0
	}
	switch kind {
	case "json", "application/json", "text/json", "application/fhir+json", "application/json+fhir":
		return FormatJSON
	case "xml", "application/xml", "text/xml", "application/fhir+xml", "application/xml+fhir":
		return FormatXML
	}
	return 0
}
