package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/directory"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/issuer"
	"opendmp/policy"
	"opendmp/server"
	"opendmp/store"
	"opendmp/vault"
)

// plan is what a server is made from.
type plan struct {
	data     string // folder
	engine   engine
	base     string // URL of the FHIR base
	bases    server.Bases
	clear    bool // the API answers in clear: a sandbox
	clock    *clock
	issuers  []auth.Issuer
	settings policy.Settings
	matrix   fs.FS
	whole    bool // refuse a matrix with open cells
	insKey   dossier.Level
	cda      dossier.Level
	profiles dossier.Level
	codes    dossier.Level
	// directory is that of professionals and structures, nil for none.
	directory directory.Directory
	newID     func() string // nil: random
	rand      io.Reader     // of rows, events and new dossiers; nil: crypto/rand
	due       time.Duration // how often to look for what falls due; 0: the default
	limits    server.Limits
	extra     []server.Route
	work      []func(context.Context) // beside the server, each until its context ends
	// oauth is the authorisation server, nil for none; revoked and registered are what it
	// tells a Verifier. replay remembers DPoP proofs, whoever issued the tokens.
	oauth      *authority
	replay     auth.Replay
	revoked    func(tokenID, client string) error
	registered auth.Registered
	log        *slog.Logger
}

// instance is a server and what it holds open.
type instance struct {
	server    *server.Server
	door      *dossier.Service
	store     store.Store
	collector collector
	faces     []face // beside the one in clear
	// more is work that runs beside the server, each until its context ends.
	more []func(context.Context)
}

// close closes the store. It is called when no request runs any more.
func (i *instance) close() error { return i.store.Close() }

// vaultDir and storeDir are kept apart so that they can be copied apart.
func vaultDir(data string) string { return filepath.Join(data, "keys") }
func storeDir(data string) string { return filepath.Join(data, "store") }

// prepare makes the keys in a folder where there are none, and the store.
func prepare(ctx context.Context, data string, e engine) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if _, err := vault.OpenDir(vaultDir(data), true, rand.Reader); err != nil {
		return err
	}
	return e.make(ctx)
}

// assemble opens the parts, and leaves nothing open when one of them refuses.
// Keys and store must exist.
func assemble(ctx context.Context, p plan) (_ *instance, err error) {
	keys, err := vault.OpenDir(vaultDir(p.data), false, rand.Reader)
	if err != nil {
		return nil, err
	}
	st, err := p.engine.open(ctx)
	if err != nil {
		return nil, err
	}
	door, err := newDoor(ctx, p, keys, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	more := append(slices.Clone(p.work), newDueWorker(door, st, p.due, p.clock.Now, p.log).run)
	p.replay = issuer.Replay(st)
	if p.oauth != nil {
		revocations, err := p.oauth.open(ctx, &p, keys, st)
		if err != nil {
			return nil, errors.Join(err, st.Close())
		}
		more = append(more, revocations.Run)
	}
	s, err := newServer(p, door, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return &instance{
		server: s, door: door, store: st, collector: newCollector(st, p.clock.Now, p.log),
		more: more,
	}, nil
}

// throughDoor opens the parts behind the door for a command that is no server, and
// closes the store after it. Keys and store must exist.
func (p plan) throughDoor(ctx context.Context, do func(*dossier.Service) error) (err error) {
	keys, err := vault.OpenDir(vaultDir(p.data), false, rand.Reader)
	if err != nil {
		return err
	}
	st, err := p.engine.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	door, err := newDoor(ctx, p, keys, st)
	if err != nil {
		return err
	}
	return do(door)
}

// newDoor joins the parts behind the door in the order in which they need each
// other.
func newDoor(ctx context.Context, p plan, keys *vault.Vault, st store.Store) (*dossier.Service, error) {
	random := p.rand
	if random == nil {
		random = rand.Reader
	}
	log := audit.New(st, keys, p.clock.Now, random)
	if err := log.OpenJournal(ctx); err != nil {
		return nil, err
	}
	if err := p.register(ctx, st); err != nil {
		return nil, err
	}
	engine, err := newEngine(p)
	if err != nil {
		return nil, err
	}
	return dossier.New(dossier.Config{
		Store: st, Vault: keys, Audit: log, Policy: engine, Base: p.base, Others: p.bases.Others(),
		Software: software(), Now: p.clock.Now, Rand: random, NewID: p.newID, INSKey: p.insKey, CDA: p.cda, Profiles: p.profiles, Codes: p.codes, Directory: p.directory, Logger: p.log,
	})
}

// newServer puts HTTP before the door.
func newServer(p plan, door *dossier.Service, st store.Store) (*server.Server, error) {
	verifier, err := auth.NewVerifier(auth.Config{Issuers: p.issuers, Now: p.clock.Now, Replay: p.replay, Revoked: p.revoked, Registered: p.registered})
	if err != nil {
		return nil, err
	}
	smart, err := smartRoutes(p)
	if err != nil {
		return nil, err
	}
	return server.New(server.Config{
		Service: door, Verifier: verifier, Base: p.base, Bases: p.bases, Clear: p.clear, Extra: slices.Concat(p.extra, smart), Limits: p.limits, Logger: p.log,
		Healthy: func(ctx context.Context) bool { return healthy(ctx, st) },
	})
}

// healthy tells whether the store answers in a second.
func healthy(ctx context.Context, st store.Store) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := st.State(ctx, "health", "")
	return err == nil || errors.Is(err, store.ErrNotFound)
}

func newEngine(p plan) (*policy.Engine, error) {
	matrix, err := policy.LoadMatrix(p.matrix)
	if err != nil {
		return nil, err
	}
	if err := openCells(matrix, p.whole); err != nil {
		return nil, err
	}
	return policy.New(p.settings, matrix)
}

// software is what /metadata and `dmpd version` say.
func software() fhir.Software {
	return fhir.Software{Version: version()}
}

// version returns the version of the module, or the commit that the program was built
// from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return fmt.Sprintf("0.0.0-%s", s.Value[:12])
		}
	}
	return "0.0.0"
}
