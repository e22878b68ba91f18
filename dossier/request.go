package dossier

import "opendmp/fhir"

// Request is one FHIR interaction as it was read from HTTP, without its caller.
type Request struct {
	fhir.Request
	// Body is the bytes of the body, nil if there is none.
	Body []byte
	// MediaType of the body, without parameters: application/fhir+json,
	// application/json-patch+json…
	MediaType string
	// Raw asks for a Binary in its own media type rather than as a resource.
	Raw bool

	IfMatch, IfNoneMatch, IfModifiedSince, IfNoneExist string
	// Return is the preference of RFC 7240: "minimal", "representation",
	// "OperationOutcome"; "" if none.
	Return string
	// Lang is "fr" or "en".
	Lang string
	// Base is the FHIR base under which the client called, one of those of Config, for
	// the links of the answer; Config.Base if "".
	Base string
	// TraceID is the request id, for the history and the logs.
	TraceID string
}
