package server

import (
	"net/http"
	"strings"
	"testing"
)

func TestLanguageOfAHeader(t *testing.T) {
	for header, want := range map[string]string{
		"":                              "fr",
		"fr":                            "fr",
		"en":                            "en",
		"EN-gb":                         "en",
		"fr, en":                        "fr",
		"en, fr":                        "fr",
		"en;q=0.9, fr;q=0.8":            "en",
		"en;q=0.2, fr;q=0.8":            "fr",
		"de, en;q=0.1":                  "en",
		"*":                             "fr",
		"english":                       "fr",
		"en;q=0":                        "fr",
		"en;q=nan":                      "fr",
		"en;q=2":                        "fr",
		"en;q=-1":                       "fr",
		strings.Repeat("en;q=0.1,", 99): "en",
	} {
		if got := language(http.Header{"Accept-Language": {header}}); got != want {
			t.Errorf("%.40q: %s, want %s", header, got, want)
		}
	}
}

func TestPreferredReturn(t *testing.T) {
	for header, want := range map[string]string{
		"":                                       "",
		"return=minimal":                         "minimal",
		"return=representation":                  "representation",
		"return=OperationOutcome":                "OperationOutcome",
		`return="minimal"`:                       "minimal",
		"handling=strict, return=minimal":        "minimal",
		"return=minimal; foo=bar":                "minimal",
		"Return = representation":                "representation",
		"return=everything":                      "",
		"return":                                 "",
		"respond-async":                          "",
		"return=minimal,return=OperationOutcome": "minimal",
	} {
		if got := preferredReturn(http.Header{"Prefer": {header}}); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
	if got := preferredReturn(http.Header{"Prefer": {"handling=strict", "return=minimal"}}); got != "minimal" {
		t.Errorf("on two lines: %q", got)
	}
}

func TestNamesFHIR(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                      false,
		"*/*":                   false,
		"application/pdf":       false,
		"application/fhir+json": true,
		"application/json":      true,
		"application/fhir+xml":  true,
		"application/pdf, application/fhir+json;q=0.5": false,
		"application/fhir+json, */*;q=0.1":             true,
		"*/*, application/fhir+json":                   true,
		"application/fhir+json;q=0":                    false,
		"nonsense, application/fhir+json":              true,
	} {
		if got := namesFHIR(accept); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
}

func TestTokenInQuery(t *testing.T) {
	for query, want := range map[string]bool{
		"":                          false,
		"patient=Patient/1":         false,
		"access_token=x":            true,
		"a=b&ACCESS_TOKEN=x":        true,
		"acc%65ss_token":            true,
		"identifier=access_token=x": false,
		"authorization=Bearer+x":    true,
		"token=x":                   true,
		"%zz=1&access_token=x":      true,
	} {
		if got := tokenInQuery(query); got != want {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
}
