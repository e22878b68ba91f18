// Package emit writes HTTP responses, and is the only code that does.
//
// It writes dossier.Answer and nothing else: a clinical answer carries content
// that the policy released and the receipt of a durable audit event, a public
// one holds nothing of a patient. The guarantee "nothing leaves a record unless
// the policy released it, and every look is in the history" therefore rests on
// the types of dossier, policy and audit, and on this package being the only
// place that touches an http.ResponseWriter; a test reads the sources of the
// module to keep it so (doors_test.go at the root of the module).
//
// It promises:
//   - an Answer that is not writable is never written, not even in part: the
//     caller gets an error to log and the client a 500 without detail;
//   - every response forbids storing (RFC 9111 §5.2.2.5), sniffing and framing;
//   - a document leaves as an attachment under a name that the server made, in a
//     sandbox, so that a browser never runs it;
//   - a stream is closed whatever happens;
//   - HEAD, 204 and 304 have no body.
//
// It refuses to encode anything, to decide anything and to know who asks.
package emit
