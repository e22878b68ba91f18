package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
)

// ErrOpen: the bytes were not sealed at this place with this key, or were
// changed since. Which of these it is cannot be told.
var ErrOpen = errors.New("vault: cannot open")

var errNoRandom = errors.New("vault: no source of randomness")

// Format bytes. A sealed form begins with one; a new layout takes a new one.
const (
	formatRow     byte = 0x01 // format ‖ key number (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
	formatEvent   byte = 0x02 // as formatRow, under the trace key
	formatContent byte = 0x03 // format ‖ chunks (stream.go)
	formatKey     byte = 0x04 // format ‖ nonce (12) ‖ ciphertext ‖ tag (16)
	formatCursor  byte = 0x05 // as formatKey
)

const (
	keySize   = 32
	nonceSize = 12
	tagSize   = 16

	numberedHead = 1 + 4 + nonceSize
	plainHead    = 1 + nonceSize

	// Overhead is what Ring.Seal and Ring.SealEvent add to the length of a plain text.
	Overhead = numberedHead + tagSize
)

// IsSealed tells whether b has the outer form of something sealed by this
// package. It guards against storing a plain text by mistake; it proves nothing
// about who sealed it.
func IsSealed(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] {
	case formatRow, formatEvent:
		return len(b) >= Overhead
	case formatContent:
		return len(b) >= 1+tagSize
	}
	return false
}

// newAEAD panics on a key of another length than 32 bytes, which no caller of
// this package can cause.
func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("vault: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("vault: " + err.Error())
	}
	return aead
}

// subkey derives a 32-byte key from a uniformly random one. info separates the
// uses; salt binds the place (RFC 5869 §3.1).
func subkey(key, salt []byte, info string) []byte {
	out, err := hkdf.Key(sha256.New, key, salt, "opendmp "+info, keySize)
	if err != nil {
		panic("vault: " + err.Error())
	}
	return out
}

func subAEAD(key, salt []byte, info string) cipher.AEAD {
	k := subkey(key, salt, info)
	defer clear(k)
	return newAEAD(k)
}

// seal appends head, a fresh nonce and the sealed plain text. ad must hold head.
// It returns nil when there is no randomness left: nothing sealed is better
// than a nonce used twice.
func seal(aead cipher.AEAD, rand io.Reader, head, plain, ad []byte) []byte {
	out := make([]byte, len(head)+nonceSize, len(head)+nonceSize+len(plain)+tagSize)
	nonce := out[copy(out, head):]
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil
	}
	return aead.Seal(out, nonce, plain, ad)
}

// open undoes seal, for a head of the given length that the caller has judged.
func open(aead cipher.AEAD, head int, sealed, ad []byte) ([]byte, error) {
	if len(sealed) < head+nonceSize+tagSize {
		return nil, ErrOpen
	}
	nonce := sealed[head : head+nonceSize]
	rest := sealed[head+nonceSize:]
	plain, err := aead.Open(make([]byte, 0, len(rest)-tagSize), nonce, rest, ad)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

func newKey(rand io.Reader) ([]byte, error) {
	if rand == nil {
		return nil, errNoRandom
	}
	key := make([]byte, keySize)
	if _, err := io.ReadFull(rand, key); err != nil {
		return nil, errNoRandom
	}
	return key, nil
}

func appendNumber(b []byte, n int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }
