package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/lestrrat-go/jwx/v3/jwk"
)

// published are RFC 7638 thumbprints of keys whose private half anybody can read: what
// they sign is signed by nobody. They come into settings by way of a copied example.
var published = map[string]string{
	"cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s": "RFC 7517, appendix A.2",
	"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs": "RFC 7517, appendix A.2",
	"IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8": "RFC 7515, appendix A.2",
	"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": "RFC 8037, appendix A.1",
	"19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8": "the example of jwt.io for ES256",
	"oGDmHqCJ7yzMkWEkrlZVHkvrHIyQwtlDmeq5ForUHeY": "the example of jwt.io for RS256",
}

// CheckKey refuses a key that proves nothing, wherever it comes from: of an unknown
// type, an RSA key under 2048 bits, a point that is not on its curve, one whose private
// half is published as an example. The error wraps ErrKeySet.
func CheckKey(k crypto.PublicKey) error {
	if err := checkKey(k); err != nil {
		return fmt.Errorf("%w: %w", ErrKeySet, err)
	}
	return nil
}

func checkKey(k crypto.PublicKey) error {
	if err := checkStrength(k); err != nil {
		return err
	}
	key, err := jwk.Import(k)
	if err != nil {
		return errors.New("a key cannot be used")
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return errors.New("a key cannot be used")
	}
	if where, known := published[base64.RawURLEncoding.EncodeToString(sum)]; known {
		return fmt.Errorf("a key whose private half is published: %s", where)
	}
	return nil
}

func checkStrength(k crypto.PublicKey) error {
	switch k := k.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return fmt.Errorf("an RSA key under %d bits", minRSABits)
		}
		return nil
	case *ecdsa.PublicKey:
		if _, err := k.ECDH(); err != nil {
			return errors.New("a point that is not on its curve")
		}
		return nil
	case ed25519.PublicKey:
		return nil
	}
	return errors.New("a key of an unknown type")
}
