package server

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"opendmp/auth"
	"opendmp/dossier"
)

// authenticate returns the caller whom the token of the request proves, sent by the
// holder of the certificate that came with it. The error is
// dossier.ErrUnauthenticated where no token came, ErrBadProof where a token that is good
// came without a good DPoP proof, ErrPatientsOnly where it came from someone who has to
// show a certificate, to a listener that asks for none, and ErrBadToken for every other cause for which one is
// refused; the cause itself is not told, not even to the log, which a
// token would then reach by way of a parser's message.
func (x *exchange) authenticate() (auth.Principal, error) {
	scheme, token, ok := credential(x.r.Header)
	if !ok {
		return auth.Principal{}, dossier.ErrUnauthenticated
	}
	proof, _ := one(x.r.Header, "DPoP")
	p, err := x.s.verifier.Present(x.r.Context(), auth.Presentation{
		Scheme: scheme, Token: token, From: x.peer, Proof: proof, Method: x.r.Method, URL: x.from().Origin() + x.r.URL.EscapedPath(),
	})
	switch {
	case errors.Is(err, auth.ErrUndecided):
		return auth.Principal{}, dossier.ErrUnavailable
	case errors.Is(err, auth.ErrProof):
		return auth.Principal{}, dossier.ErrBadProof
	case err != nil:
		return auth.Principal{}, dossier.ErrBadToken
	}
	x.kind = p.Kind()
	if x.patients() && p.Kind() != auth.Patient && p.Kind() != auth.Representative {
		return auth.Principal{}, dossier.ErrPatientsOnly
	}
	return p, nil
}

// credential returns the scheme and the token of the one Authorization header: Bearer
// (RFC 6750 §2.1), or DPoP (RFC 9449 §7.1).
func credential(h http.Header) (scheme, token string, ok bool) {
	value, ok := one(h, "Authorization")
	scheme, token, found := strings.Cut(value, " ")
	if !ok || !found || !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "DPoP") {
		return "", "", false
	}
	return scheme, strings.TrimSpace(token), true
}

// one returns the value of a header that is there once.
func one(h http.Header, name string) (string, bool) {
	values := h.Values(name)
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// tokenInQuery tells whether a URL or a form carries a token (RFC 6750 §2.2 and
// §2.3): it would be in the logs of every proxy on the way.
func tokenInQuery(rawQuery string) bool {
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		switch strings.ToLower(name) {
		case "access_token", "token", "authorization", "bearer_token":
			return true
		}
	}
	return false
}
