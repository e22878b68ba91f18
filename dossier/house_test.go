package dossier_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
	"opendmp/store/sqlite"
	"opendmp/vault"
)

const base = "http://127.0.0.1:8080/fhir"

// house is a door with all that stands behind it: real store, keys, log, rules
// and tokens. Its clock moves only when a test moves it.
type house struct {
	t        testing.TB
	door     *dossier.Service
	store    store.Store
	log      *audit.Log
	verifier *auth.Verifier
	signer   *auth.Signer
	now      time.Time
	ids      []string // of the next resources; random ones after them
}

var opened = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// decision is that of the CME of the one registered establishment.
const decision = "Délibération de la CME du 15 janvier 2025"

func newHouse(t testing.TB) *house {
	return newHouseOver(t, func(s store.Store) store.Store { return s })
}

// newHouseOver builds a house over a store that the test may wrap, with a door
// that it may set otherwise.
func newHouseOver(t testing.TB, wrap func(store.Store) store.Store, set ...func(*dossier.Config)) *house {
	t.Helper()
	h := &house{t: t, now: opened}
	dir := t.TempDir()
	clock := func() time.Time { return h.now }
	keys, err := vault.OpenDir(filepath.Join(dir, "keys"), true, rand.Reader)
	h.must(err)
	st, err := sqlite.Open(t.Context(), filepath.Join(dir, "store"), sqlite.Options{Now: clock})
	h.must(err)
	t.Cleanup(func() { st.Close() })
	h.store = wrap(st)
	log := audit.New(h.store, keys, clock, rand.Reader)
	h.must(log.OpenJournal(t.Context()))
	matrix, err := policy.LoadMatrix(policy.SandboxMatrix())
	h.must(err)
	settings := policy.DefaultSettings()
	settings.Students = true
	settings.Establishments = []policy.Establishment{{
		Identifiers: []fhir.Ident{{System: fhir.SystemStructure, Value: "1750000001"}},
		DecisionRef: decision, DecisionDate: opened.AddDate(-1, 0, 0),
	}}
	engine, err := policy.New(settings, matrix)
	h.must(err)
	h.log = log
	config := dossier.Config{
		Store: h.store, Vault: keys, Audit: log, Policy: engine, Base: base, Now: clock, INSKey: dossier.Warns, CDA: dossier.Warns, Profiles: dossier.Warns, Codes: dossier.Warns,
		NewID: func() string {
			if len(h.ids) > 0 {
				id := h.ids[0]
				h.ids = h.ids[1:]
				return id
			}
			return "t" + strings.ToLower(rand.Text())
		},
	}
	for _, s := range set {
		s(&config)
	}
	h.door, err = dossier.New(config)
	h.must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	h.must(err)
	h.signer, err = auth.NewSigner(key, "https://test.opendmp", base, clock, rand.Reader)
	h.must(err)
	h.verifier, err = auth.NewVerifier(auth.Config{Issuers: []auth.Issuer{h.signer.Trust()}, Now: clock})
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

const (
	systemPerson    = "urn:oid:1.2.250.1.71.4.2.1"
	systemStructure = "urn:oid:1.2.250.1.71.4.2.2"
	systemTestINS   = "urn:oid:1.2.250.1.213.1.4.10"
	systemG15       = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
	systemMode      = "https://mos.esante.gouv.fr/NOS/TRE_R248-ModeAcces/FHIR/TRE-R248-ModeAcces"
)

// actor is a caller of a house.
type actor struct {
	h *house
	p auth.Principal
}

func (h *house) as(c auth.Claims) actor {
	h.t.Helper()
	token, err := h.signer.Sign(c)
	h.must(err)
	p, err := h.verifier.Verify(h.t.Context(), token)
	h.must(err)
	return actor{h, p}
}

// professional makes the claims of a professional in a structure.
func professional(id, profession, structure string) auth.Claims {
	p := auth.Coding{System: systemG15, Code: profession}
	c := auth.Claims{Subject: id, Client: "test", DMP: auth.DMP{Kind: "professional", Profession: &p}}
	c.Extensions.IUA = auth.IUA{
		SubjectName: "Dr TEST", Provider: systemPerson + "|" + id,
		Organization: []string{"Structure"}, OrganizationID: []string{systemStructure + "|" + structure},
		Purpose: []auth.Coding{{System: systemMode, Code: "normal"}},
	}
	c.DMP.Structures = []string{systemStructure + "|" + structure}
	return c
}

func (h *house) doctor(id, structure string) actor { return h.as(professional(id, "10", structure)) }

func (h *house) patient(ins fhir.Ident) actor {
	c := auth.Claims{Subject: ins.Value, Client: "test", DMP: auth.DMP{Kind: "patient"}}
	c.Extensions.IUA = auth.IUA{
		SubjectName: "Patient", PersonID: ins.System + "|" + ins.Value,
		Purpose: []auth.Coding{{System: "http://terminology.hl7.org/CodeSystem/v3-ActReason", Code: "PATRQT"}},
	}
	return h.as(c)
}

// answer is an answer with its body read.
type answer struct {
	dossier.Answer
	t    testing.TB
	what string
	body []byte
}

// do sends a request as the server would.
func (a actor) do(method, path, mime, body string, more ...func(*dossier.Request)) answer {
	a.h.t.Helper()
	path, query, _ := strings.Cut(path, "?")
	line, err := fhir.Base(base).ParsePath(method, path, query)
	a.h.must(err)
	r := dossier.Request{Request: line, MediaType: mime, Lang: "fr", TraceID: "test"}
	if body != "" {
		r.Body = []byte(body)
	}
	for _, m := range more {
		m(&r)
	}
	got := answer{Answer: a.h.door.Do(a.h.t.Context(), a.p, r), t: a.h.t, what: method + " " + path}
	got.body = got.Body()
	if stream, _ := got.Stream(); stream != nil {
		got.body, err = io.ReadAll(stream)
		a.h.must(err)
		stream.Close()
	}
	return got
}

func (a actor) get(path string) answer { a.h.t.Helper(); return a.do("GET", path, "", "") }
func (a actor) post(path, body string) answer {
	a.h.t.Helper()
	return a.do("POST", path, "application/fhir+json", body)
}

func (a actor) patch(path, body string) answer {
	a.h.t.Helper()
	return a.do("PATCH", path, "application/json-patch+json", body)
}

func (a answer) is(status int) answer {
	a.t.Helper()
	if a.Status() != status {
		a.t.Fatalf("%s: %d, want %d\n%.2000s", a.what, a.Status(), status, a.body)
	}
	return a
}

// at returns the value at a path of the body, "" if absent, the length of an array.
func (a answer) at(path string) string {
	a.t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		a.t.Fatalf("%s: not JSON: %v\n%.500s", a.what, err, a.body)
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
	case []any:
		return strconv.Itoa(len(x))
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	}
	return "object"
}

func (a answer) has(path, want string) answer {
	a.t.Helper()
	if got := a.at(path); got != want {
		a.t.Errorf("%s: %s is %q, want %q\n%.2000s", a.what, path, got, want, a.body)
	}
	return a
}

// fixture reads a file of testdata/fixtures.
func fixture(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "fixtures", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
