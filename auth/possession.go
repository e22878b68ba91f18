package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Presentation is a token as a request presents it.
type Presentation struct {
	// Scheme is that of the Authorization header, in any case: Bearer or DPoP.
	Scheme, Token string
	// From is the holder of the client certificate of the connection, as it is now.
	From Peer
	// Proof is the DPoP header, with the Method and the URL that it must be for.
	Proof, Method, URL string
}

// Replay remembers that an id was used, until a time. Its error wraps ErrProof the
// second time; another one means that it could not be asked.
type Replay func(ctx context.Context, id string, until time.Time) error

// possession holds a request to the proof that its token asks for: the certificate of
// the connection, or a DPoP proof that was not used before. A token that asks for none
// is for issuers with Bearer only.
func (v *Verifier) possession(ctx context.Context, c Claims, p Principal, bearer bool, pr Presentation) error {
	dpop := strings.EqualFold(pr.Scheme, "DPoP")
	switch {
	case c.Confirmation != nil && c.Confirmation.Key != "":
		if !dpop {
			return fmt.Errorf("%w: bound to a DPoP key, and sent as a bearer token", ErrProof)
		}
		return v.proved(ctx, c.Confirmation.Key, p, pr)
	case dpop || !strings.EqualFold(pr.Scheme, "Bearer"):
		return errors.New("not the scheme of the token")
	case c.Confirmation == nil && bearer:
		return nil
	}
	return c.bound(p, pr.From)
}

// proved checks a DPoP proof. A client that shows a certificate as well must not
// contradict itself; a regulator always calls from a SAMU, and a person vouched for from
// the structure that does.
func (v *Verifier) proved(ctx context.Context, key string, p Principal, pr Presentation) error {
	if v.replay == nil {
		return errors.New("DPoP is not served here")
	}
	proof, err := VerifyProof(pr.Proof, pr.Method, pr.URL, pr.Token, v.now())
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(key), []byte(proof.Key)) != 1 {
		return fmt.Errorf("%w: bound to another DPoP key", ErrProof) // RFC 9449 §4.3, 12
	}
	if !pr.From.IsZero() || p.kind == Regulator || p.vouched {
		if err := p.agrees(pr.From); err != nil {
			return err
		}
	}
	return v.replay(ctx, proof.Key+"."+proof.ID, proof.Expires)
}
