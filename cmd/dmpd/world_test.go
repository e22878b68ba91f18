package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/auth"
)

// world is a sandbox server on a real socket, to act in as several people. Its
// data are the cast of the sandbox, loaded through the server's own door.
type world struct {
	t      testing.TB
	base   string // URL of the FHIR base
	signer *auth.Signer
	people map[string]castIDs
	log    *lockedBuffer
}

// castIDs is what GET /sandbox/ids says of a patient.
type castIDs struct {
	Persona   string            `json:"persona"`
	INS       string            `json:"ins"`
	Patient   string            `json:"patient"`
	Documents map[string]string `json:"documents"`
}

// lockedBuffer is a log that a test reads while the server writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// person is somebody who calls the world; the answers are checked by the test
// that asked.
type person struct {
	w       *world
	t       testing.TB
	persona string
	purpose string
	reason  string
	header  http.Header
}

// reply is an answer, with its body read.
type reply struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   []byte
}

// shared is the world of the tests that leave it as they found it, or only add
// to it under identifiers of their own. It is opened once.
var shared struct {
	once sync.Once
	data string
	err  error
	w    *world
	stop func() error
}

// TestMain closes the shared world after the tests, and lets the test binary
// act as the program itself for the tests that kill it.
func TestMain(m *testing.M) {
	if args := os.Getenv("OPENDMP_TEST_RUN"); args != "" {
		os.Exit(run(context.Background(), strings.Fields(args)))
	}
	code := m.Run()
	if shared.stop != nil {
		if err := shared.stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if shared.data != "" {
		if err := drop(testStore(shared.data)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.RemoveAll(shared.data)
	}
	os.Exit(code)
}

// openWorld returns the shared world.
func openWorld(t testing.TB) *world {
	t.Helper()
	shared.once.Do(func() {
		if shared.data, shared.err = os.MkdirTemp("", "dmpd-world-"); shared.err == nil {
			shared.w, shared.stop, shared.err = startWorld(shared.data)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	w := *shared.w
	w.t = t
	return &w
}

// startWorld fills a folder with the cast and serves it.
func startWorld(data string, set ...func(*settings)) (*world, func() error, error) {
	w := &world{log: &lockedBuffer{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	w.base = "http://" + l.Addr().String() + "/fhir"
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		s := settings{Data: data, Store: testStore(data), Sandbox: true}
		for _, change := range set {
			change(&s)
		}
		done <- serveSandbox(ctx, s, l, slog.New(slog.NewJSONHandler(w.log, nil)), &readyWriter{ready: ready}, io.Discard)
	}()
	stop := func() error { cancel(); return <-done }
	select {
	case err := <-done:
		cancel()
		return nil, nil, err
	case <-ready:
	}
	return w, stop, w.meet(data)
}

// readyWriter closes ready at the first byte: the welcome of the server.
type readyWriter struct {
	once  sync.Once
	ready chan struct{}
}

func (r *readyWriter) Write(p []byte) (int, error) {
	r.once.Do(func() { close(r.ready) })
	return len(p), nil
}

// meet reads the ids of the cast and the key that signs its tokens.
func (w *world) meet(data string) error {
	b, err := os.ReadFile(idsFile(data))
	if err != nil {
		return err
	}
	var people []castIDs
	if err := json.Unmarshal(b, &people); err != nil {
		return err
	}
	w.people = make(map[string]castIDs)
	for _, p := range people {
		w.people[p.Persona] = p
	}
	w.signer, err = sandboxSigner(data, auth.LoadKey, &clock{})
	return err
}

// as returns a person of the cast.
func (w *world) as(persona string) *person { return &person{w: w, t: w.t, persona: persona} }

// withPurpose gives the person a token of that purpose and reason.
func (p *person) withPurpose(purpose, reason string) *person {
	c := *p
	c.purpose, c.reason = purpose, reason
	return &c
}

// with adds a header to what the person asks.
func (p *person) with(name, value string) *person {
	c := *p
	c.header = p.header.Clone()
	if c.header == nil {
		c.header = http.Header{}
	}
	c.header.Set(name, value)
	return &c
}

func (p *person) get(path string) *reply    { return p.do(http.MethodGet, path, "", nil) }
func (p *person) delete(path string) *reply { return p.do(http.MethodDelete, path, "", nil) }

func (p *person) post(path string, body []byte) *reply {
	return p.do(http.MethodPost, path, "application/fhir+json", body)
}

// do sends one request; path is relative to the FHIR base, or absolute.
func (p *person) do(method, path, mime string, body []byte) *reply {
	p.t.Helper()
	url := path
	if !strings.HasPrefix(path, "http") {
		url = p.w.base + "/" + path
	}
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.persona != "" {
		token, err := personaToken(p.w.signer, p.persona, p.purpose, p.reason)
		if err != nil {
			p.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if mime != "" {
		r.Header.Set("Content-Type", mime)
	}
	for name, values := range p.header {
		r.Header[name] = values
	}
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return &reply{t: p.t, what: p.persona + " " + method + " " + path, status: resp.StatusCode, header: resp.Header, body: got}
}

// is requires a status.
func (r *reply) is(status int) *reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: %d, want %d\n%.1500s", r.what, r.status, status, r.body)
	}
	return r
}

// has requires a value at a path of the JSON body: "entry.0.resource.status".
func (r *reply) has(path, want string) *reply {
	r.t.Helper()
	if got := r.at(path); got != want {
		r.t.Errorf("%s: %s is %q, want %q\n%.1500s", r.what, path, got, want, r.body)
	}
	return r
}

// at returns the value at a path of the JSON body as text, "" if absent; for an
// array or object its length.
func (r *reply) at(path string) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		r.t.Helper()
		r.t.Fatalf("%s: not JSON: %v\n%.500s", r.what, err, r.body)
	}
	for _, name := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(x) {
				return ""
			}
			v = x[i]
		default:
			return ""
		}
	}
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	case []any:
		return strconv.Itoa(len(x))
	case map[string]any:
		return strconv.Itoa(len(x))
	}
	return ""
}

// patient returns the id of the Patient of a persona.
func (w *world) patient(persona string) string {
	w.t.Helper()
	p := w.people[persona]
	if p.Patient == "" {
		w.t.Fatalf("no record of %q", persona)
	}
	return p.Patient
}

// doc returns the reference of a document of the cast: "DocumentReference/…".
func (w *world) doc(key string) string {
	w.t.Helper()
	for _, p := range w.people {
		if id, ok := p.Documents[key]; ok {
			return "DocumentReference/" + id
		}
	}
	w.t.Fatalf("no document %q", key)
	return ""
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
