package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/auth"
)

// worldsBase is the FHIR base of both servers of a pair: what they answer may
// not differ by where they listen.
const worldsBase = "http://127.0.0.1:8080/fhir"

// side is one of the two servers of a pair: a real one, over HTTP, whose clock
// and randomness the test holds, so that two of them that are asked the same
// answer the same.
type side struct {
	name   string
	clock  *clock
	draws  *draws
	tokens *draws // of the tokens
	signer *auth.Signer
	client *http.Client
	names  aliases
	stop   func() error
}

// openSide starts an empty server.
func openSide(name, data string) (*side, error) {
	s := &side{name: name, clock: &clock{}, draws: &draws{}, tokens: &draws{kind: 1}, names: newAliases()}
	s.clock.set(worldsNow.AddDate(-3, 0, 0))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if s.signer, err = auth.NewSigner(key, sandboxName, sandboxName, s.clock.Now, s.tokens); err != nil {
		return nil, err
	}
	i, err := s.assemble(data)
	if err != nil {
		return nil, err
	}
	l := newInproc()
	s.client = l.client()
	s.client.Transport.(*http.Transport).DisableCompression = true
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.serve(ctx, l) }()
	s.stop = func() error {
		s.client.CloseIdleConnections()
		cancel()
		return <-ended
	}
	return s, nil
}

// assemble opens a sandbox server without its cast.
func (s *side) assemble(data string) (*instance, error) {
	p, _, err := sandboxPlan(settings{Data: data}, worldsBase, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if p.engine, err = engineOf("", data, s.clock); err != nil {
		return nil, err
	}
	p.clock, p.issuers, p.newID, p.rand = s.clock, []auth.Issuer{s.signer.Trust()}, s.draws.id, s.draws
	if err := prepare(context.Background(), data, p.engine); err != nil {
		return nil, err
	}
	return assemble(context.Background(), p)
}

// draws gives ids and randomness that depend on the step and on how many of the
// step were drawn before, on nothing else: what world B does between two steps
// changes nothing of the next one. Later ones are greater.
type draws struct {
	mu   sync.Mutex
	kind byte
	step uint32
	n    uint32
}

// begin starts a step.
func (d *draws) begin(step int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.step, d.n = uint32(step), 0
}

func (d *draws) next() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	b := binary.BigEndian.AppendUint32(nil, d.step)
	b = binary.BigEndian.AppendUint32(b, d.n)
	return append(b, d.kind)
}

// Read implements io.Reader.
func (d *draws) Read(p []byte) (int, error) {
	clear(p)
	copy(p, d.next())
	return len(p), nil
}

// idLength is how long every id of a resource is, so that they are found in
// answers.
const idLength = 26

var idLetters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// id makes the id of a resource: "q", and 25 letters.
func (d *draws) id() string {
	sum := sha256.Sum256(append(d.next(), 'i'))
	return "q" + idLetters.EncodeToString(sum[:])[:idLength-1]
}

// ask is one request, in the names that both worlds share (names).
type ask struct {
	method, path string
	mime, body   string
	header       [][2]string
}

func (a ask) with(name, value string) ask {
	a.header = append(a.header[:len(a.header):len(a.header)], [2]string{name, value})
	return a
}

// raw is an answer as it came.
type raw struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request at an instant, as a caller; nil claims are nobody.
func (s *side) send(step int, at time.Time, claims *auth.Claims, a ask) (raw, error) {
	s.draws.begin(step)
	s.tokens.begin(step)
	s.clock.set(at)
	path := s.names.expand(a.path)
	if !strings.HasPrefix(path, "http") {
		path = worldsBase + "/" + path
	}
	r, err := http.NewRequest(a.method, strings.TrimSuffix(path, "/"), strings.NewReader(s.names.expand(a.body)))
	if err != nil {
		return raw{}, err
	}
	if claims != nil {
		token, err := s.signer.Sign(*claims)
		if err != nil {
			return raw{}, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if a.mime != "" {
		r.Header.Set("Content-Type", a.mime)
	}
	r.Header.Set("X-Request-Id", fmt.Sprintf("demande-%d", step))
	for _, h := range a.header {
		r.Header.Set(h[0], s.names.expand(h[1]))
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return raw{}, err
	}
	body, err := io.ReadAll(resp.Body)
	err = errors.Join(err, resp.Body.Close())
	resp.Header.Del("Date")
	return raw{resp.StatusCode, resp.Header, body}, err
}

// worldsNow is when the scripts begin.
var worldsNow = time.Date(2026, time.March, 10, 10, 0, 0, 0, time.UTC)

func closeSides(t testing.TB, sides ...*side) {
	for _, s := range sides {
		if s != nil {
			if err := s.stop(); err != nil {
				t.Error(err)
			}
		}
	}
}
