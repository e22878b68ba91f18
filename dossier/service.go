package dossier

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/directory"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
	"opendmp/vault"
)

// Level says what a failed check does to a write.
type Level uint8

// Levels of a check. The zero value refuses.
const (
	Refuses Level = iota
	Warns
	Off
)

// Config is what the door needs. Store, Vault, Audit, Policy and Base are
// required; the rest has safe defaults.
type Config struct {
	Store  store.Store
	Vault  *vault.Vault
	Audit  *audit.Log
	Policy *policy.Engine
	// Base is the URL of the FHIR base, without a slash at its end. Others are further
	// ones of this same server: a reference under any of them is one to a resource of
	// ours.
	Base   string
	Others []string
	// Software is the version that /metadata shows.
	Software fhir.Software
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Rand gives the randomness of ids; crypto/rand if nil.
	Rand io.Reader
	// NewID makes the id of a resource; 128 random bits if nil.
	NewID func() string
	// INSKey is what a wrong control key of an INS does.
	INSKey Level
	// CDA is what a CDA does whose header says otherwise than the metadata that
	// announce it: type, patient, author (setting controle-cda).
	CDA Level
	// Profiles is what a write does that does not keep to a profile that it claims
	// (setting controle-profils).
	Profiles Level
	// Codes is what a write does whose codes are not those of the terminologies of the
	// DMP and of PDSm (setting controle-terminologie).
	Codes Level
	// INSPerMinute is how many patients one caller may look up by INS in a
	// minute (TD0.2); 120 if zero.
	INSPerMinute int
	// TraitsPerMinute is how many searches by identity traits one regulator may
	// make in a minute (centre_15); 30 if zero.
	TraitsPerMinute int
	// Directory is that of professionals and structures; nil for none.
	Directory directory.Directory
	// LookupsPerMinute is how many searches and readings of the directory one caller
	// may make in a minute; 60 if zero.
	LookupsPerMinute int
	// CacheRows bounds the summaries kept in memory; 200,000 if zero.
	CacheRows int
	// CacheBodies bounds the sealed bodies kept in memory, in bytes; 64 MiB if zero,
	// none if negative.
	CacheBodies int
	// Logger gets faults, without clinical data or identities; none if nil.
	Logger *slog.Logger
}

// moment is how finely time is told: as finely as it is stored. What was written a
// moment ago and is still in memory must compare as what is read back, or the page
// behind a cursor is not the one that follows.
const moment = time.Microsecond

// Service is the door. It is safe for concurrent use.
type Service struct {
	store  store.Store
	vault  *vault.Vault
	audit  *audit.Log
	policy *policy.Engine
	base   string
	bases  fhir.Base // all of them
	soft   fhir.Software
	now    func() time.Time
	newID  func() string
	insKey Level
	cda    Level
	// profiles and codes are the settings of these names.
	profiles Level
	codes    Level
	log      *slog.Logger
	rand     io.Reader
	cache    *cache
	memory   *memory
	ins      *limiter
	traits   *limiter
	// directory may be nil; lookups bounds how often one caller looks into it.
	directory directory.Directory
	lookups   *limiter
	turns     turns
}

// New makes a door. It fails when a required part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Vault == nil || c.Audit == nil || c.Policy == nil || c.Base == "" {
		return nil, errors.New("dossier: store, vault, audit, policy and base are required")
	}
	s := &Service{
		store: c.Store, vault: c.Vault, audit: c.Audit, policy: c.Policy,
		base: strings.TrimSuffix(c.Base, "/"), soft: c.Software, newID: c.NewID, insKey: c.INSKey, cda: c.CDA, profiles: c.Profiles, codes: c.Codes,
		log: c.Logger, rand: c.Rand,
	}
	s.bases = fhir.Base(s.base)
	for _, other := range c.Others {
		s.bases += " " + fhir.Base(strings.TrimSuffix(other, "/"))
	}
	clock := c.Now
	if clock == nil {
		clock = time.Now
	}
	s.now = func() time.Time { return clock().Truncate(moment) }
	if s.rand == nil {
		s.rand = rand.Reader
	}
	s.rand = &lockedReader{r: s.rand}
	if s.newID == nil {
		s.newID = s.randomID
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.cache = newCache(cmp.Or(c.CacheRows, 200_000), cmp.Or(c.CacheBodies, 64<<20))
	s.memory = newMemory()
	s.ins = newLimiter(cmp.Or(c.INSPerMinute, 120))
	s.traits = newLimiter(cmp.Or(c.TraitsPerMinute, 30))
	s.directory, s.lookups = c.Directory, newLimiter(cmp.Or(c.LookupsPerMinute, 60))
	return s, nil
}

// lockedReader makes a source of randomness safe for concurrent use.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.r, p)
}

// random16 returns 128 random bits. A machine without randomness cannot seal
// either, so failing is a panic, which the server answers with 500.
func (s *Service) random16() (b [16]byte) {
	if _, err := s.rand.Read(b[:]); err != nil {
		panic("dossier: no randomness")
	}
	return b
}

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// randomID makes a FHIR id of 128 random bits.
func (s *Service) randomID() string {
	b := s.random16()
	return idEncoding.EncodeToString(b[:])
}

// Do carries out one interaction for one caller. It never returns an answer
// that cannot be written.
func (s *Service) Do(ctx context.Context, p auth.Principal, r Request) Answer {
	a, err := s.do(ctx, p, r)
	if err != nil {
		s.report(r, err)
		refused := Refuse(err, r.Lang)
		if errors.Is(err, ErrElement) {
			refused.allow = strings.Join(r.Allowed(), ", ") // the method is not what is wrong
		}
		return refused
	}
	if !a.Writable() {
		s.log.Error("answer without content or receipt", "interaction", string(r.Interaction), "type", r.Type, "request", r.TraceID)
		return Refuse(ErrInternal, r.Lang)
	}
	return a
}

// report logs faults of the server; refusals of clients are in the history.
func (s *Service) report(r Request, err error) {
	if errors.Is(err, ErrInternal) || errors.Is(err, ErrUnavailable) || errors.Is(err, store.ErrUnavailable) || errors.Is(err, vault.ErrOpen) {
		s.log.Error("fault", "interaction", string(r.Interaction), "type", r.Type, "request", r.TraceID, "error", fmt.Sprintf("%.200s", err))
	}
}

func (s *Service) do(ctx context.Context, p auth.Principal, r Request) (Answer, error) {
	if r.Interaction == fhir.Capabilities || r.Type == "OperationDefinition" {
		return s.Published(r), nil
	}
	if p.Kind() == auth.Nobody {
		return Answer{}, ErrUnauthenticated
	}
	c := &call{Service: s, base: s.baseOf(r), p: p, r: r, at: s.now()}
	if !within(p, r.Request) {
		return Answer{}, c.beyond(ctx)
	}
	if fhir.OfDirectory(r.Type) {
		return c.ofDirectory(ctx)
	}
	switch r.Interaction {
	case fhir.Transaction, fhir.Batch: // the body tells which of the two it is
		return c.transaction(ctx)
	case fhir.Search:
		return c.search(ctx)
	case fhir.Read:
		return c.read(ctx)
	case fhir.VRead:
		return c.vread(ctx)
	case fhir.History:
		return c.history(ctx)
	case fhir.Create:
		return c.create(ctx)
	case fhir.Update:
		return c.update(ctx)
	case fhir.Patch:
		return c.patch(ctx)
	case fhir.Delete:
		return c.delete(ctx)
	case fhir.Operation:
		return c.operation(ctx)
	}
	return Answer{}, fmt.Errorf("%w: interaction %q is in the table and not here", ErrInternal, r.Interaction)
}

// call is one interaction of one caller at one instant.
type call struct {
	*Service
	// base is that under which the client called, for the links of the answer. What is
	// stored does not depend on it.
	base string
	p    auth.Principal
	r    Request
	at   time.Time
	// floor is the least class of the events of the call.
	floor policy.Class
	// byPatient tells that the request names its dossier by the patient, not by
	// something in it.
	byPatient bool
	// patient is the token of the patient who names the one dossier of a search, and
	// spared what memory spared the store on the way to it.
	patient store.Token
	spared  spared
	// warnings are told beside the answer to a write, where it has place for them.
	warnings []fhir.Issue
	// unkept are the claims of profiles that the body does not keep, and its codes that are
	// out of place, as warnings.
	unkept []fhir.Issue
	// writing is the dossier that the call last built a change of.
	writing store.Dossier
}

// baseOf returns the base under which a request came.
func (s *Service) baseOf(r Request) string { return cmp.Or(r.Base, s.base) }

func (s *Service) capability(base string) []byte {
	var without []string
	if s.directory == nil {
		without = directoryTypes
	}
	return fhir.Capability(base, s.soft, without...)
}

// Published answers what is no patient's and needs no caller: the capability
// statement, the terminology capabilities (mode=terminology), and the definition of
// an operation.
func (s *Service) Published(r Request) Answer {
	base := s.baseOf(r)
	switch {
	case r.Interaction == fhir.Capabilities && r.Mode == fhir.ModeTerminology:
		return Public(200, fhirJSON, r.Query.ShowJSON(fhir.Terminology(base, s.soft)))
	case r.Interaction == fhir.Capabilities:
		return Public(200, fhirJSON, r.Query.ShowJSON(s.capability(base)))
	}
	if b, ok := fhir.OperationDefinition(base, r.ID); ok && r.Interaction == fhir.Read {
		return Public(200, fhirJSON, b)
	}
	return Refuse(ErrNotFound, r.Lang)
}

const fhirJSON = "application/fhir+json; charset=utf-8"
