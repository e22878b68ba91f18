package vault

import (
	"crypto/cipher"
	"io"
)

// Kinds of the keys of a dossier.
const (
	// Data keys seal rows. Destroying a dossier drops them.
	Data uint8 = 1
	// Trace keys seal audit events. They outlive the data keys.
	Trace uint8 = 2
)

// Wrapped is a key of a dossier under the key of an epoch. It may be stored.
type Wrapped struct {
	Kind   uint8 // Data or Trace
	Number int32 // from 1; the highest one seals, all open
	Epoch  int32 // the epoch whose key wrapped it
	Bytes  []byte
}

// wrapKey seals key under wrapping, bound to ad.
func wrapKey(wrapping cipher.AEAD, key, ad []byte, rand io.Reader) ([]byte, error) {
	out := seal(wrapping, rand, []byte{formatKey}, key, append([]byte{formatKey}, ad...))
	if out == nil {
		return nil, errNoRandom
	}
	return out, nil
}

// unwrapKey undoes wrapKey.
func unwrapKey(wrapping cipher.AEAD, wrapped, ad []byte) ([]byte, error) {
	if len(wrapped) != plainHead+keySize+tagSize || wrapped[0] != formatKey {
		return nil, ErrOpen
	}
	return open(wrapping, 1, wrapped, append([]byte{formatKey}, ad...))
}

func dossierKeyAD(id ID, kind uint8, number, epoch int32) []byte {
	ad := append([]byte("dossier key"), id[:]...)
	ad = append(ad, kind)
	ad = appendNumber(ad, number)
	return appendNumber(ad, epoch)
}
