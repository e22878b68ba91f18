// Package sandbox holds the invented people of OpenDMP and the story of their
// records: who they are, the claims of their tokens, and a script of requests
// that fills a server as its clients would.
//
// It promises that nobody in it is real (INS of the test domain, professionals'
// numbers that are never given), that every body of the script is FHIR that an
// honest client could send, and that the same Config gives the same bytes.
//
// It refuses to be a back door: the script writes through the server's own
// interface, with tokens of its personas, and knows no store. It takes no part in
// a start in production.
//
//	Personas, Lookup        the cast
//	Persona.Claims          what their token says
//	Script                  the requests, each at its instant, in order
//	Step.Fill, Step.Capture ids of earlier answers, put into later requests
package sandbox
