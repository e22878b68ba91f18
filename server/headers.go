package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"opendmp/fhir"
)

// language returns "en" if the client prefers English to French, and "fr"
// otherwise (RFC 9110 §12.5.4; POLICY.md §7).
func language(h http.Header) string {
	var fr, en float64
	for part := range strings.SplitSeq(h.Get("Accept-Language"), ",") {
		tag, q := weighted(part)
		switch primary, _, _ := strings.Cut(tag, "-"); strings.ToLower(primary) {
		case "fr":
			fr = max(fr, q)
		case "en":
			en = max(en, q)
		}
	}
	if en > fr {
		return "en"
	}
	return "fr"
}

// weighted splits "en-GB;q=0.8" into the value and its weight, 1 if there is
// none and 0 if it cannot be read.
func weighted(part string) (string, float64) {
	value, params, _ := strings.Cut(part, ";")
	weight, given := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !given {
		return strings.TrimSpace(value), 1
	}
	q, err := strconv.ParseFloat(weight, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return "", 0
	}
	return strings.TrimSpace(value), q
}

// preferredReturn returns the return preference (RFC 7240 §4.2, R4 §3.1.0.5.2),
// "" if there is none that we know. A preference may be ignored.
func preferredReturn(h http.Header) string {
	return preferred(h, "return", "minimal", "representation", "OperationOutcome")
}

// preferredHandling returns the handling of unknown parameters (R4 §3.1.1.4.17):
// lenient only where the client says so.
func preferredHandling(h http.Header) fhir.Handling {
	if preferred(h, "handling", "strict", "lenient") == "lenient" {
		return fhir.Lenient
	}
	return fhir.Strict
}

// preferred returns the first value of a preference that is one of known, "" if
// there is none.
func preferred(h http.Header, preference string, known ...string) string {
	for _, line := range h.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			part, _, _ = strings.Cut(part, ";")
			name, value, _ := strings.Cut(part, "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			if strings.EqualFold(strings.TrimSpace(name), preference) && slices.Contains(known, value) {
				return value
			}
		}
	}
	return ""
}

// saneID tells whether an id that a client gave may go into logs, headers and the
// history: short, and of characters that mean nothing anywhere.
func saneID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
