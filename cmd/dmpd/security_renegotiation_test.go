package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Types of TLS records (RFC 5246 §6.2.1), and alerts (§7.2).
const (
	recordAlert       = 21
	recordHandshake   = 22
	recordApplication = 23

	unexpectedMessage = 10
	noRenegotiation   = 100
)

// tap keeps what goes over a connection.
type tap struct {
	net.Conn
	sent, got bytes.Buffer
}

func (c *tap) Write(b []byte) (int, error) {
	c.sent.Write(b)
	return c.Conn.Write(b)
}

func (c *tap) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.got.Write(b[:n])
	return n, err
}

// records writes and reads the records of a TLS 1.2 connection whose handshake is done,
// under AES_128_GCM_SHA256, so that a test can send what crypto/tls does not.
type records struct {
	t             *testing.T
	raw           net.Conn
	out, in       cipher.AEAD
	outSalt       []byte
	inSalt        []byte
	outSeq, inSeq uint64
	hello         []byte // the ClientHello that was sent
}

// handshake opens a connection to a face by crypto/tls, and takes it over.
func (f *fort) handshake(face string, certs ...tls.Certificate) *records {
	f.t.Helper()
	raw, err := net.DialTimeout("tcp", f.address(face), 10*time.Second)
	check(f.t, err)
	f.t.Cleanup(func() { raw.Close() })
	check(f.t, raw.SetDeadline(time.Now().Add(10*time.Second)))
	tapped, keys := &tap{Conn: raw}, &bytes.Buffer{}
	check(f.t, tls.Client(tapped, &tls.Config{
		RootCAs: f.pki.roots(), ServerName: "127.0.0.1", Certificates: certs, MaxVersion: tls.VersionTLS12, KeyLogWriter: keys,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	}).Handshake())
	fields := strings.Fields(keys.String()) // CLIENT_RANDOM random secret
	clientRandom, err := hex.DecodeString(fields[1])
	check(f.t, err)
	secret, err := hex.DecodeString(fields[2])
	check(f.t, err)
	serverRandom := tapped.got.Bytes()[11:43] // behind the headers of record and message, and the version
	block := prf(secret, "key expansion", append(bytes.Clone(serverRandom), clientRandom...), 40)
	first := tapped.sent.Bytes()
	return &records{
		t: f.t, raw: raw, out: gcm(f.t, block[:16]), in: gcm(f.t, block[16:32]), outSalt: block[32:36], inSalt: block[36:40],
		outSeq: 1, inSeq: 1, // behind Finished
		hello: first[5 : 5+binary.BigEndian.Uint16(first[3:])],
	}
}

func gcm(t *testing.T, key []byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(key)
	check(t, err)
	aead, err := cipher.NewGCM(block)
	check(t, err)
	return aead
}

// prf is P_SHA256 (RFC 5246 §5).
func prf(secret []byte, label string, seed []byte, n int) []byte {
	sum := func(data []byte) []byte {
		h := hmac.New(sha256.New, secret)
		h.Write(data)
		return h.Sum(nil)
	}
	seed = append([]byte(label), seed...)
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(append(bytes.Clone(a), seed...))...)
	}
	return out[:n]
}

// header is what a record's protection covers beside its content (RFC 5246 §6.2.3.3).
func header(seq uint64, kind byte, n int) []byte {
	return binary.BigEndian.AppendUint16(append(binary.BigEndian.AppendUint64(nil, seq), kind, 3, 3), uint16(n))
}

func (r *records) send(kind byte, content []byte) error {
	explicit := binary.BigEndian.AppendUint64(nil, r.outSeq)
	sealed := r.out.Seal(explicit, append(bytes.Clone(r.outSalt), explicit...), content, header(r.outSeq, kind, len(content)))
	r.outSeq++
	_, err := r.raw.Write(append(binary.BigEndian.AppendUint16([]byte{kind, 3, 3}, uint16(len(sealed))), sealed...))
	return err
}

// receive returns the next record; its error is that of the connection.
func (r *records) receive() (kind byte, content []byte, err error) {
	r.t.Helper()
	var h [5]byte
	if _, err := io.ReadFull(r.raw, h[:]); err != nil {
		return 0, nil, err
	}
	sealed := make([]byte, binary.BigEndian.Uint16(h[3:]))
	if _, err := io.ReadFull(r.raw, sealed); err != nil {
		return 0, nil, err
	}
	nonce := append(bytes.Clone(r.inSalt), sealed[:8]...)
	content, err = r.in.Open(nil, nonce, sealed[8:], header(r.inSeq, h[0], len(sealed)-8-r.in.Overhead()))
	check(r.t, err)
	r.inSeq++
	return h[0], content, nil
}

const healthRequest = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"

// TC14: a client of TLS 1.2 that asks to renegotiate is told no, and gets no further
// answer: nobody becomes somebody else on a connection.
func TestTC14Renegotiation(t *testing.T) {
	f := fortify(t, nil)
	for face, certs := range map[string][]tls.Certificate{"tls-pro": {f.pki.holder("cps-medecin-martin")}, "tls-patient": nil} {
		t.Run(face, func(t *testing.T) {
			r := f.handshake(face, certs...)
			check(t, r.send(recordApplication, []byte(healthRequest)))
			kind, content, err := r.receive()
			if err != nil || kind != recordApplication || !bytes.HasPrefix(content, []byte("HTTP/1.1 200 ")) {
				t.Fatalf("before: record %d %q, %v", kind, content, err)
			}
			check(t, r.send(recordHandshake, r.hello))
			for { // the rest of the answer, then the alert
				if kind, content, err = r.receive(); err != nil || kind != recordApplication {
					break
				}
			}
			if err != nil || kind != recordAlert || content[1] != noRenegotiation && content[1] != unexpectedMessage {
				t.Fatalf("after a ClientHello: record %d %x, %v", kind, content, err)
			}
			_ = r.send(recordApplication, []byte(healthRequest)) // if it is open still
			for err = nil; err == nil; {
				if kind, content, err = r.receive(); err == nil && kind != recordAlert {
					t.Fatalf("a request after it: record %d %q", kind, content)
				}
			}
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				t.Error("the connection stays open")
			}
		})
	}
}
