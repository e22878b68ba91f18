package server

import (
	"net/http"
	"net/url"
	"strings"

	"opendmp/auth"
	"opendmp/dossier"
)

// authenticate returns the caller whom the token of the request proves, sent by the
// holder of the certificate that came with it. The error is
// dossier.ErrUnauthenticated where no token came, and ErrBadToken for every cause for
// which one is refused; the cause itself is not told, not even to the log, which a
// token would then reach by way of a parser's message.
func (x *exchange) authenticate() (auth.Principal, error) {
	token, ok := bearer(x.r.Header)
	if !ok {
		return auth.Principal{}, dossier.ErrUnauthenticated
	}
	p, err := x.s.verifier.VerifyFrom(x.r.Context(), token, x.peer)
	if err != nil {
		return auth.Principal{}, dossier.ErrBadToken
	}
	x.kind = p.Kind()
	return p, nil
}

// bearer returns the token of the one Authorization header (RFC 6750 §2.1).
func bearer(h http.Header) (string, bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
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
