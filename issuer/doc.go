// Package issuer is the authorisation server: it registers clients and turns their
// proofs into access tokens that package auth reads.
//
// It promises:
//   - a token goes to a registered client that proved itself by each of its registered
//     means: a signed assertion (private_key_jwt), its certificate (tls_client_auth), or
//     both where both are registered;
//   - a token is bound to the certificate of its client, or to a DPoP key; there is no
//     bearer token;
//   - scopes are what was asked within what is registered, never more, and never empty;
//   - an assertion and a proof serve once, a refresh token once: its second use ends the
//     whole family;
//   - a professional is whom Pro Santé Connect says they are, in a practice that it
//     names: where there are several the client says which one, and no first is taken;
//   - what is issued, and what is refused to a client that proved itself, is in the
//     system journal before the answer.
//
// It refuses to write HTTP (requests and answers are values), to decide rights (package
// policy does, within the scopes), to keep a secret of a client, and to keep a refresh
// token or what it stands for in clear.
package issuer
