package idp

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"sync"
)

// keyBits is the size of an RSA key.
const keyBits = 2048

// signingKey is a key under its kid.
type signingKey struct {
	kid string
	key *rsa.PrivateKey
}

// keyRing signs with its first key; the second one, if there is one, is that of before,
// which stays in the key set until the next rotation.
type keyRing struct {
	mu   sync.RWMutex
	keys []signingKey
	rand io.Reader
}

// rotate puts a new key before the one in use, and drops older ones.
func (r *keyRing) rotate() (kid string, err error) {
	key, err := rsa.GenerateKey(r.rand, keyBits)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(key.N.Bytes())
	kid = encode(sum[:16])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = append([]signingKey{{kid, key}}, r.keys[:min(1, len(r.keys))]...)
	return kid, nil
}

// sign returns a JWT of some claims, signed with RS256 as those of Pro Santé Connect.
func (r *keyRing) sign(claims object) (string, error) {
	r.mu.RLock()
	current := r.keys[0]
	r.mu.RUnlock()
	header, err := json.Marshal(object{"alg": "RS256", "typ": "JWT", "kid": current.kid})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := encode(header) + "." + encode(payload)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(r.rand, current.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + encode(signature), nil
}

// set returns the public keys as a JWK set (RFC 7517).
func (r *keyRing) set() object {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var keys []object
	for _, k := range r.keys {
		keys = append(keys, object{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.kid,
			"n": encode(k.key.N.Bytes()), "e": encode(big.NewInt(int64(k.key.E)).Bytes()),
		})
	}
	return object{"keys": keys}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
