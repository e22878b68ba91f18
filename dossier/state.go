package dossier

import (
	"encoding/hex"
	"fmt"

	"opendmp/store"
	"opendmp/vault"
)

// A state entry is read without knowing whose dossier it is about, so that no key
// of a dossier can seal it; yet that something waits to be told, and when, tells of
// what is hidden. Such values are sealed under the key of the system journal, each
// to the kind and key of its entry.

// sealState returns the sealed value of a state entry. It panics where a row could
// not be sealed either.
func (s *Service) sealState(kind, key string, plain []byte) []byte {
	sealed := s.audit.Journal().Ring.Seal(s.statePlace(kind, key), plain)
	if !vault.IsSealed(sealed) {
		panic("dossier: a state entry cannot be sealed")
	}
	return sealed
}

// openState undoes sealState.
func (s *Service) openState(e store.StateEntry) ([]byte, error) {
	plain, err := s.audit.Journal().Ring.Open(s.statePlace(e.Kind, e.Key), e.Value)
	if err != nil {
		return nil, fmt.Errorf("%w: state %s: %w", ErrInternal, e.Kind, err)
	}
	return plain, nil
}

// statePlace is a place that no row of the journal has: it has none.
func (s *Service) statePlace(kind, key string) vault.Place {
	token := s.vault.Find("state", kind, key)
	return vault.Place{Row: vault.ID(token[:16]), Version: 1, Field: vault.Content}
}

// blindKey is a key of a state entry that only who has the vault can make again.
func (s *Service) blindKey(parts ...string) string {
	token := s.vault.Find(parts...)
	return hex.EncodeToString(token[:16])
}
