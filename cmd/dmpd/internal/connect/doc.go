// Package connect tells in the terminal, in French, how software connects to a running
// sandbox: over TLS with client certificates, with an identity provider that plays Pro
// Santé Connect, and with every way to a token that the server has. It sends each
// request as the one who would, shows it and its answer in a line, and holds the answer
// against what the server promises.
//
// It promises to fail at the first step that is not as told. It refuses to know anything
// of the server and of the provider but their sockets; what a vendor could not do from
// outside (revoke a certificate, stop the provider) is given to it.
package connect
