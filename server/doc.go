// Package server is the HTTP face of the FHIR API: it reads requests, asks the
// door (package dossier) and hands its answer to package emit.
//
//	GET  {base}/metadata        public
//	any  {base}/…               the interactions of fhir's table, with a Bearer token
//	GET  /health                "ok" or "unavailable", and nothing else
//	     Config.Extra           routes of the program, as those of the sandbox
//
// It promises:
//   - nothing reaches the door that is not within the limits of Limits, of a
//     media type that is served, from a caller whose token was verified;
//   - memory is bounded by the limits whatever is sent: a body takes its bytes
//     from a common budget before they are read;
//   - every refusal is an OperationOutcome, in French or English, made by
//     dossier.Refuse; a panic is a 500 without a word about its cause;
//   - the log says method, route, status, duration, request id and kind of
//     caller, and never a path, a query, a header, a body or an identity;
//   - Serve ends cleanly: it stops accepting, finishes what runs, and returns.
//
// It refuses compressed bodies, tokens in a URL, methods in a header, paths that
// are not literal, a length stated twice (RFC 9112 §6.3), and to know stores or
// keys.
package server
