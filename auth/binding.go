package auth

import (
	"crypto/subtle"
	"errors"
	"slices"
)

// bound checks that a token came from the holder of its certificate (RFC 8705 §3),
// and that the certificate is of someone who may send the token of such a caller.
func (c Claims) bound(p Principal, from Peer) error {
	switch {
	case c.Confirmation == nil:
		return errors.New("bound to no certificate")
	case from.IsZero():
		return errors.New("bound to a certificate, and sent without one")
	case subtle.ConstantTimeCompare([]byte(c.Confirmation.Certificate), []byte(from.thumbprint)) != 1:
		return errors.New("bound to another certificate")
	}
	return p.agrees(from)
}

// agrees checks that the certificate and the token do not speak of two: a card carries
// the tokens of its holder, a regulator calls from a registered SAMU and from there no other
// person does (POLICY §1; SECURITY §0, rule 5), a system is that of its structure, which
// may be a hospital that is a SAMU too, and so is
// what a person whom a structure vouches for calls from (AIR, EX_AIR-080). A patient has
// no certificate: with one, somebody else sends their token.
func (p Principal) agrees(from Peer) error {
	system := setOf(Establishment, InsuranceFeeder).has(p.kind)
	switch {
	case p.kind == Regulator && from.class != SAMUClass:
		return errors.New("a regulator without the certificate of a SAMU")
	case from.class == SAMUClass && !system && (p.kind != Regulator || p.mode != Centre15):
		return errors.New("a person with the certificate of a SAMU, and no regulation")
	case setOf(Patient, Representative).has(p.kind) && !from.IsZero():
		return errors.New("the token of a patient, with a professional certificate")
	case p.vouched && !p.of(from):
		return errors.New("a person vouched for by a structure, without its certificate")
	case from.class == PersonClass && p.id != from.id:
		return errors.New("the token is not of the holder of the card")
	case system && !p.of(from):
		return errors.New("the token is not of the structure of the certificate")
	}
	return nil
}

// of tells whether the certificate is that of the structure in which the caller acts.
func (p Principal) of(from Peer) bool {
	return from.organisation() && slices.Contains(p.structures, from.id)
}
