package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/policy"
	"opendmp/sandbox"
	"opendmp/store"
	"opendmp/vault"
)

// siege is a world of its own to attack: a real server on a real socket, whose
// clock the test holds and whose store it watches.
type siege struct {
	*world
	clock *clock
	store *watched
	log   *audit.Log
	keys  *vault.Vault
	inst  *instance
}

// watched is a store that keeps what is committed, and that can be made to fail
// and to tell lies about the history.
type watched struct {
	store.Store
	mu    sync.Mutex
	txs   []store.Tx
	fails bool
	lie   func([]store.Event)
	read  int // events that were read
}

func (s *watched) Commit(ctx context.Context, tx store.Tx) error {
	s.mu.Lock()
	fails := s.fails
	s.mu.Unlock()
	if fails {
		return store.ErrUnavailable
	}
	err := s.Store.Commit(ctx, tx)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.txs = append(s.txs, tx)
	}
	return err
}

func (s *watched) Events(ctx context.Context, d store.Dossier, before store.Cursor, limit int) ([]store.Event, error) {
	events, err := s.Store.Events(ctx, d, before, limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read += len(events)
	if s.lie != nil && err == nil {
		s.lie(events)
	}
	return events, err
}

// during returns what is committed while do runs.
func (s *watched) during(do func()) []store.Tx {
	s.mu.Lock()
	n := len(s.txs)
	s.mu.Unlock()
	do()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.txs[n:])
}

// set changes how the store behaves.
func (s *watched) set(change func(*watched)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// besiege fills a sandbox and serves it, with the rules changed by set.
func besiege(t *testing.T, set ...func(*policy.Settings)) *siege {
	t.Helper()
	data, out := t.TempDir(), &lockedBuffer{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	log := slog.New(slog.NewJSONHandler(out, nil))
	p, signer, err := sandboxPlan(settings{Data: data, Store: testStore(data), Sandbox: true}, "http://"+l.Addr().String()+"/fhir", log)
	check(t, err)
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	check(t, load(t.Context(), p, signer, io.Discard))
	for _, change := range set {
		change(&p.settings)
	}
	s := &siege{clock: p.clock}
	s.open(t, p)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.inst.serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	s.world = &world{t: t, base: p.base, log: out}
	check(t, s.meet(data))
	s.signer = signer
	return s
}

// open puts the parts together as assemble does, around the watched store and
// without the work that falls due by itself.
func (s *siege) open(t *testing.T, p plan) {
	t.Helper()
	var err error
	s.keys, err = vault.OpenDir(vaultDir(p.data), false, rand.Reader)
	check(t, err)
	st, err := p.engine.open(t.Context())
	check(t, err)
	s.store = &watched{Store: st}
	door, err := newDoor(t.Context(), p, s.keys, s.store)
	check(t, err)
	srv, err := newServer(p, door, s.store)
	check(t, err)
	s.inst = &instance{server: srv, door: door, store: s.store, collector: newCollector(s.store, p.clock.Now, p.log)}
	s.log = audit.New(s.store, s.keys, p.clock.Now, rand.Reader)
	check(t, s.log.OpenJournal(t.Context()))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// in gives the world to a subtest.
func (s *siege) in(t *testing.T) *siege {
	c, w := *s, *s.world
	w.t, c.world = t, &w
	return &c
}

// bearer is a caller with a token of those claims.
func (s *siege) bearer(c auth.Claims) *person {
	s.t.Helper()
	token, err := s.signer.Sign(c)
	check(s.t, err)
	return s.as("").with("Authorization", "Bearer "+token)
}

// holding is a persona who uses one token again and again.
func (s *siege) holding(persona, purpose, reason string) *person {
	s.t.Helper()
	token, err := personaToken(s.signer, persona, purpose, reason)
	check(s.t, err)
	return s.as("").with("Authorization", "Bearer "+token)
}

func (p *person) patch(path string, operations string) *reply {
	p.t.Helper()
	return p.do(http.MethodPatch, path, "application/json-patch+json", []byte(operations))
}

// identJSON is the identifier of a persona as a reference holds it.
func identJSON(persona string) string {
	p, _ := sandbox.Lookup(persona)
	typ := "Practitioner"
	if p.Kind == auth.Establishment || p.Kind == auth.InsuranceFeeder {
		typ = "Organization"
	}
	return fmt.Sprintf(`{"type":%q,"identifier":{"system":%q,"value":%q}}`, typ, p.ID.System, p.ID.Value)
}

// sending is a document to push: a persona is its author, and the rest may be
// empty.
type sending struct {
	author, patient string
	flag            string // of TRE_A07
	typ             string // LOINC
	content         string
	oid             string // masterIdentifier
	more            string // members of the DocumentReference, with a comma behind
}

// sent is what a push made.
type sent struct{ list, doc, binary, oid string }

func (w *world) bundle(d sending) (body []byte, oid string) {
	w.t.Helper()
	if d.content == "" {
		d.content = "a document"
	}
	text := strings.Replace(hospitalPush(w.people[d.patient].INS, d.content), `{"type":"Organization","identifier":{"system":"urn:oid:1.2.250.1.71.4.2.2","value":"1750000001"}}`, identJSON(d.author), 1)
	if d.flag != "" {
		d.more += `"securityLabel":[` + labelJSON(d.flag) + `],`
	}
	text = strings.Replace(text, `"resourceType":"DocumentReference",`, `"resourceType":"DocumentReference",`+d.more, 1)
	if d.typ != "" {
		text = strings.Replace(text, `"code":"11502-2"`, `"code":"`+d.typ+`"`, 1)
	}
	_, rest, _ := strings.Cut(text, `"masterIdentifier":{"system":"urn:ietf:rfc:3986","value":"`)
	oid, _, _ = strings.Cut(rest, `"`)
	if d.oid != "" {
		text, oid = strings.Replace(text, oid, d.oid, 1), d.oid
	}
	return []byte(text), oid
}

// push pushes a document as its author and returns what it made.
func (w *world) push(d sending) sent {
	w.t.Helper()
	body, oid := w.bundle(d)
	got := w.as(d.author).post("", body).is(200)
	at := func(i int) string { return refOf(got.at(fmt.Sprintf("entry.%d.response.location", i))) }
	return sent{at(0), at(1), at(2), oid}
}

func labelJSON(flag string) string {
	system := "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
	if len(flag) == 1 {
		system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
	}
	return fmt.Sprintf(`{"coding":[{"system":%q,"code":%q}]}`, system, flag)
}

// relabel is the JSON Patch that replaces the first label.
func relabel(flag string) string {
	return `[{"op":"replace","path":"/securityLabel/0","value":` + labelJSON(flag) + `}]`
}

// addLabel is the JSON Patch that adds a label.
func addLabel(flag string) string {
	return `[{"op":"add","path":"/securityLabel/-","value":` + labelJSON(flag) + `}]`
}

const (
	toSuperseded = `[{"op":"replace","path":"/status","value":"superseded"}]`
	toError      = `[{"op":"replace","path":"/status","value":"entered-in-error"}]`
)

// never returns an id like the given one that no resource has.
func never(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r < 'z' {
			return r + 1
		}
		return r
	}, id)
}

// idOf takes the type off a reference.
func idOf(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// plain is an answer without what differs between any two, and with names in the
// place of the given words (pairs of a word and its name).
func (r *reply) plain(names ...string) string {
	var b bytes.Buffer
	h := r.header.Clone()
	for _, name := range []string{"Date", "X-Request-Id"} {
		h.Del(name)
	}
	fmt.Fprintln(&b, r.status)
	if err := h.Write(&b); err != nil {
		r.t.Fatal(err)
	}
	b.Write(r.body)
	return strings.NewReplacer(names...).Replace(b.String())
}

// alike fails the test where two answers differ but for the given words: pairs of
// one of the first answer and what the second has instead.
func alike(t *testing.T, a, b *reply, pairs ...string) {
	t.Helper()
	var left, right []string
	for pair := range slices.Chunk(pairs, 2) {
		name := fmt.Sprintf("«%d»", len(left))
		left, right = append(left, pair[0], name), append(right, pair[1], name)
	}
	if got, want := a.plain(left...), b.plain(right...); got != want {
		t.Errorf("%s\n%s\n--- and %s\n%s", a.what, got, b.what, want)
	}
}

// way is one way to ask for a document by its id.
type way struct {
	name string
	ask  func(p *person, at sent) *reply
}

func get1(path func(sent) string, headers ...string) func(*person, sent) *reply {
	return func(p *person, at sent) *reply {
		for pair := range slices.Chunk(headers, 2) {
			p = p.with(pair[0], pair[1])
		}
		return p.get(path(at))
	}
}

func sends(method, mime, body string, path func(sent) string) func(*person, sent) *reply {
	return func(p *person, at sent) *reply { return p.do(method, path(at), mime, []byte(body)) }
}

func theDoc(at sent) string { return at.doc }

func docAnd(suffix string) func(sent) string { return func(at sent) string { return at.doc + suffix } }

// ways are the ways to ask for a document by its id, or by that of its content or
// of its submission set.
var ways = []way{
	{"read", get1(theDoc)},
	{"HEAD", sends(http.MethodHead, "", "", theDoc)},
	{"OPTIONS", sends(http.MethodOptions, "", "", theDoc)},
	{"vread", get1(docAnd("/_history/1"))},
	{"vread of what never was", get1(docAnd("/_history/99"))},
	{"history", get1(docAnd("/_history"))},
	{"_format=xml", get1(docAnd("?_format=xml"))},
	{"_pretty", get1(docAnd("?_pretty=true"))},
	{"Accept XML", get1(theDoc, "Accept", "application/fhir+xml")},
	{"Accept PDF", get1(theDoc, "Accept", "application/pdf")},
	{"Accept junk", get1(theDoc, "Accept", "n/importe; q=quoi")},
	{"English", get1(theDoc, "Accept-Language", "en")},
	{"If-None-Match its version", get1(theDoc, "If-None-Match", `W/"1"`)},
	{"If-None-Match any", get1(theDoc, "If-None-Match", `*`)},
	{"If-Modified-Since", get1(theDoc, "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")},
	{"If-Match", get1(theDoc, "If-Match", `W/"1"`)},
	{"Prefer minimal", get1(theDoc, "Prefer", "return=minimal")},
	{"Range", get1(theDoc, "Range", "bytes=0-9")},
	{"_elements", get1(docAnd("?_elements=id"))},
	{"search by _id", get1(func(at sent) string { return "DocumentReference?_id=" + idOf(at.doc) })},
	{"count by _id", get1(func(at sent) string { return "DocumentReference?_summary=count&_id=" + idOf(at.doc) })},
	{"search by POST", func(p *person, at sent) *reply {
		return p.do(http.MethodPost, "DocumentReference/_search", "application/x-www-form-urlencoded", []byte("_id="+idOf(at.doc)))
	}},
	{"search by identifier", get1(func(at sent) string { return "DocumentReference?" + byOID + at.oid })},
	{"search by identifier alone", get1(func(at sent) string { return "DocumentReference?identifier=" + at.oid })},
	{"content", get1(func(at sent) string { return at.binary })},
	{"raw content", get1(func(at sent) string { return at.binary }, "Accept", "*/*;q=0.1")},
	{"range of the content", get1(func(at sent) string { return at.binary }, "Range", "bytes=0-3", "Accept", "text/plain")},
	{"HEAD of the content", sends(http.MethodHead, "", "", func(at sent) string { return at.binary })},
	{"submission set", get1(func(at sent) string { return at.list })},
	{"history of the set", get1(func(at sent) string { return at.list + "/_history" })},
	{"sets by _id", get1(func(at sent) string { return "List?_id=" + idOf(at.list) })},
	{"mask", sends(http.MethodPatch, "application/json-patch+json", addLabel("MASQUE_PS"), theDoc)},
	{"unmask", sends(http.MethodPatch, "application/json-patch+json", relabel("N"), theDoc)},
	{"unmask by index", sends(http.MethodPatch, "application/json-patch+json", `[{"op":"remove","path":"/securityLabel/0"}]`, theDoc)},
	{"test of a hidden value", sends(http.MethodPatch, "application/json-patch+json", `[{"op":"test","path":"/status","value":"current"}]`, theDoc)},
	{"PATCH of another element", sends(http.MethodPatch, "application/json-patch+json", `[{"op":"replace","path":"/type","value":{"text":"x"}}]`, theDoc)},
	{"PATCH with If-Match", func(p *person, at sent) *reply { return p.with("If-Match", `W/"99"`).patch(at.doc, toSuperseded) }},
	{"superseded", sends(http.MethodPatch, "application/json-patch+json", toSuperseded, theDoc)},
	{"entered in error", sends(http.MethodPatch, "application/json-patch+json", toError, theDoc)},
	{"conditional PATCH", func(p *person, at sent) *reply {
		return p.patch("DocumentReference?"+byOID+at.oid, toSuperseded)
	}},
	{"archived set", sends(http.MethodPatch, "application/json-patch+json",
		`[{"op":"add","path":"/extension","value":[{"url":"https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived","valueBoolean":true}]}]`,
		func(at sent) string { return at.list })},
	{"DELETE", sends(http.MethodDelete, "", "", theDoc)},
	{"PUT", sends(http.MethodPut, "application/fhir+json", `{"resourceType":"DocumentReference"}`, theDoc)},
	{"conditional DELETE", sends(http.MethodDelete, "", "", func(at sent) string { return "DocumentReference?identifier=" + at.oid })},
	{"explained", sends(http.MethodPost, "application/fhir+json", `{"resourceType":"Parameters"}`, docAnd("/$expliquer"))},
	{"destroyed", func(p *person, at sent) *reply {
		return p.post(at.doc+"/$detruire", operationBody(`"name":"confirmation","valueString":"`+idOf(at.doc)+`"`))
	}},
	{"batch", func(p *person, at sent) *reply {
		return p.post("", []byte(`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"`+at.doc+`"}},{"request":{"method":"GET","url":"`+
			at.binary+`"}},{"request":{"method":"DELETE","url":"`+at.doc+`"}}]}`))
	}},
}

// unseen asks for a document in every way, and for one that never was. It fails
// where an answer tells them apart, or gives either.
func (s *siege) unseen(t *testing.T, p *person, at sent) {
	t.Helper()
	not := sent{list: "List/" + never(idOf(at.list)), doc: "DocumentReference/" + never(idOf(at.doc)), binary: "Binary/" + never(idOf(at.binary)), oid: at.oid[:len(at.oid)-1]}
	not.oid += string('0' + (at.oid[len(at.oid)-1]-'0'+1)%10)
	for _, w := range ways {
		hidden, absent := w.ask(p, at), w.ask(p, not)
		alike(t, hidden, absent, idOf(at.list), idOf(not.list), idOf(at.doc), idOf(not.doc), idOf(at.binary), idOf(not.binary), at.oid, not.oid)
		found := hidden.status == 200 && bytes.Contains(hidden.body, []byte(`"match"`))
		if found || hidden.status == 304 || w.name == "read" && hidden.status != 404 {
			t.Errorf("%s: %d\n%.600s", w.name, hidden.status, hidden.body)
		}
	}
}

// parts returns the content, the submission set and the identifier of a document
// of the cast, as somebody who sees them tells.
func (w *world) parts(key, seenBy string) sent {
	w.t.Helper()
	p := w.as(seenBy)
	doc := p.get(w.doc(key)).is(200)
	lists := p.get("List?_count=200&" + strings.Replace(doc.at("subject.reference"), "Patient/", "patient=", 1)).is(200)
	for i := 0; ; i++ {
		id := lists.at(fmt.Sprintf("entry.%d.resource.id", i))
		if id == "" {
			w.t.Fatalf("no submission set of %s", key)
		}
		for j := 0; ; j++ {
			switch lists.at(fmt.Sprintf("entry.%d.resource.entry.%d.item.reference", i, j)) {
			case w.doc(key):
				return sent{"List/" + id, w.doc(key), doc.at("content.0.attachment.url"), doc.at("masterIdentifier.value")}
			case "":
			default:
				continue
			}
			break
		}
	}
}

// denied is the answer of 403-fn: what somebody without any right is told.
func (s *siege) denied() *reply {
	s.t.Helper()
	return s.as("medecin-petit").get("DocumentReference?patient=" + s.patient("patient-basile")).is(403)
}
