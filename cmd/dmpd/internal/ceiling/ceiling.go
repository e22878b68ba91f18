package ceiling

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"opendmp/store"
)

// Sizes are those of what ours answers and stores, in bytes.
type Sizes struct {
	Push, Search, Read, Raw int // of the bodies of the answers; Raw is that of a document
}

// Sizes of the sealed parts of a push, as the door makes them for the bundle of
// the bench: a submission set, a document and its Binary.
const (
	listBody, listSummary         = 2300, 500
	documentBody, documentSummary = 2500, 900
	binaryBody, binarySummary     = 300, 300
	eventSize                     = 500
	claims, finds                 = 3, 6
	sealing                       = 64 // what sealing adds to a document
)

// handler answers and commits.
type handler struct {
	store    store.Store
	content  []byte
	answers  map[string][]byte
	dossiers []*dossier
	turn     atomic.Uint64
}

// dossier counts the versions of one record, whose commits follow each other as
// those of a real one do.
type dossier struct {
	mu      sync.Mutex
	id      store.Dossier
	version int64
}

// Serve answers on l until ctx ends, with a store that nobody else uses.
func Serve(ctx context.Context, st store.Store, l net.Listener, n int, sizes Sizes) error {
	h := &handler{store: st, content: random(max(sizes.Raw, documentBody) + sealing), answers: map[string][]byte{
		"/push": random(sizes.Push), "/search": random(sizes.Search), "/read": random(sizes.Read), "/raw": random(sizes.Raw),
	}}
	for range n {
		d := &dossier{}
		rand.Read(d.id[:])
		h.dossiers = append(h.dossiers, d)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := h.answers[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	d := h.dossiers[h.turn.Add(1)%uint64(len(h.dossiers))]
	commit := h.look
	if r.URL.Path == "/push" {
		commit = h.push
	}
	if err := commit(r.Context(), d); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// push makes the commit of a document.
func (h *handler) push(ctx context.Context, d *dossier) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	put := func(typ string, body, summary int) store.Put {
		p := store.Put{Type: typ, Version: 1, Updated: time.Now(), Body: h.content[:body], Summary: h.content[:summary]}
		rand.Read(p.Row[:])
		return p
	}
	tx := store.Tx{
		Dossier: d.id, Expect: d.version, Header: store.Header{State: store.Active, Key: 1},
		Puts: []store.Put{
			put("List", listBody, listSummary), put("DocumentReference", documentBody, documentSummary), put("Binary", binaryBody, binarySummary),
		},
		Claims: tokens(claims), Finds: tokens(finds),
		Events: []store.Event{h.event(d)},
	}
	content := store.Content{Owner: tx.Puts[2].Row, Sealed: h.content}
	rand.Read(content.ID[:])
	tx.Contents = []store.Content{content}
	if err := h.store.Commit(ctx, tx); err != nil {
		return err
	}
	d.version++
	return nil
}

// look makes the commit of a read: its event.
func (h *handler) look(ctx context.Context, d *dossier) error {
	return h.store.Commit(ctx, store.Tx{Dossier: d.id, Expect: store.Any, Events: []store.Event{h.event(d)}})
}

func (h *handler) event(d *dossier) store.Event {
	e := store.Event{Dossier: d.id, Recorded: time.Now(), Sealed: h.content[:eventSize]}
	rand.Read(e.ID[:])
	return e
}

func tokens(n int) []store.TokenPut {
	all := make([]store.TokenPut, n)
	for i := range all {
		rand.Read(all[i].Token[:])
	}
	return all
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
