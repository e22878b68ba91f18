package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Claim returns the blind token of parts for a claim, unique over all dossiers.
// The parts are framed, so that ("ab", "c") and ("a", "bc") differ. The first
// one should name the use. A zero Vault returns the zero token, which
// audit.Log.Commit refuses.
func (v *Vault) Claim(parts ...string) [32]byte {
	if v == nil {
		return [32]byte{}
	}
	return token(v.claim, parts)
}

// Find returns the blind token of parts for a find; it never equals a claim.
func (v *Vault) Find(parts ...string) [32]byte {
	if v == nil {
		return [32]byte{}
	}
	return token(v.find, parts)
}

// token is HMAC-SHA-256 over the number of parts and, for each, its length and
// its bytes; numbers are 64-bit big-endian.
func token(key []byte, parts []string) (t [32]byte) {
	if len(key) == 0 {
		return t
	}
	n := 8
	for _, p := range parts {
		n += 8 + len(p)
	}
	msg := binary.BigEndian.AppendUint64(make([]byte, 0, n), uint64(len(parts)))
	for _, p := range parts {
		msg = binary.BigEndian.AppendUint64(msg, uint64(len(p)))
		msg = append(msg, p...)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(msg)
	mac.Sum(t[:0])
	return t
}
