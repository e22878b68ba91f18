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

// Registered tells whether a certificate is one of a registered client. An error means
// that the registry does not answer.
type Registered func(ctx context.Context, client string, from Peer) (bool, error)

// proved checks a DPoP proof, and that what the client shows as well does not contradict
// it.
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
	if err := v.accompanied(ctx, p, pr.From); err != nil {
		return err
	}
	return v.replay(ctx, proof.Key+"."+proof.ID, proof.Expires)
}

// accompanied checks the certificate that comes with a proof. A regulator always calls
// from a SAMU, and a person vouched for from the structure that does. A token that is
// bound to a certificate came from it; one that is bound to a key says nothing of where it
// was issued, so that the certificate of a structure must be that of the caller's, or one
// of the client that the token was issued to.
func (v *Verifier) accompanied(ctx context.Context, p Principal, from Peer) error {
	if from.IsZero() && p.kind != Regulator && !p.vouched {
		return nil
	}
	if err := p.agrees(from); err != nil {
		return err
	}
	if !from.organisation() || p.of(from) {
		return nil
	}
	ours, err := v.isRegistered(ctx, p.client, from)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUndecided, err)
	case !ours:
		return errors.New("the certificate is neither of the structure of the token nor of its client")
	}
	return nil
}

func (v *Verifier) isRegistered(ctx context.Context, client string, from Peer) (bool, error) {
	if v.registered == nil || client == "" {
		return false, nil
	}
	return v.registered(ctx, client, from)
}
