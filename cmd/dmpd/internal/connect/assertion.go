package connect

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"time"
)

// assertion returns a new client assertion of hopital-nord (RFC 7523, SMART Backend
// Services), signed with ES256 as software of a hospital would.
func (s *stage) assertion() string {
	if s.err != nil {
		return ""
	}
	key, err := readKey(s.HospitalKey)
	if err != nil {
		s.fail(err)
		return ""
	}
	token, err := signed(key, map[string]any{"alg": "ES256", "typ": "JWT", "kid": s.HospitalKID}, map[string]any{
		"iss": hospital, "sub": hospital, "aud": s.Pro + "/oauth2/token", "jti": rand.Text(), "exp": time.Now().Add(time.Minute).Unix(),
	})
	if err != nil {
		s.fail(err)
	}
	return token
}

func readKey(file string) (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("connect: no PEM in " + file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	own, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("connect: no ECDSA key in " + file)
	}
	return own, nil
}

// signed returns a JWS (RFC 7515), whose ES256 signature is the two numbers side by
// side, 32 bytes each (RFC 7518 §3.4).
func signed(key *ecdsa.PrivateKey, header, claims map[string]any) (string, error) {
	head, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64(head) + "." + b64(payload)
	sum := sha256.Sum256([]byte(text))
	r, q, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	q.FillBytes(signature[32:])
	return text + "." + b64(signature), nil
}
