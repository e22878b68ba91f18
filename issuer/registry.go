package issuer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"opendmp/auth"
	"opendmp/store"
)

const (
	kindClient = "oauth-client"
	// clientPage is how many clients are read from the store at once.
	clientPage = 100
)

// Registry is the clients of a file and of the store. One in the store hides one of
// the file that has the same identifier, so that a client can be revoked in one place.
// It is safe for concurrent use.
type Registry struct {
	file  map[string]Client
	store store.Store
	http  *http.Client
	now   func() time.Time

	mu   sync.Mutex
	sets map[string]*auth.KeySet // by URL
}

// NewRegistry returns the clients of a file, which were checked by ParseClients, and of
// the store. It refuses to start on a client in the store that does not pass Check. The
// HTTP client fetches key sets; nil means the roots of the system.
func NewRegistry(ctx context.Context, file []Client, st store.Store, hc *http.Client, now func() time.Time) (*Registry, error) {
	if st == nil || now == nil {
		return nil, errors.New("issuer: registry without store or clock")
	}
	r := &Registry{file: map[string]Client{}, store: st, http: hc, now: now, sets: map[string]*auth.KeySet{}}
	for _, c := range file {
		r.file[c.ID] = c
	}
	_, err := r.List(ctx)
	return r, err
}

// Client returns an active client; false for one that is not registered or revoked.
func (r *Registry) Client(ctx context.Context, id string) (Client, bool, error) {
	if !visible(id) {
		return Client{}, false, nil
	}
	kept, err := r.store.State(ctx, kindClient, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		c, ok := r.file[id]
		return c, ok && c.Status == Active, nil
	case err != nil:
		return Client{}, false, err
	}
	c, err := decodeClient(kept)
	return c, err == nil && c.Status == Active, err
}

func decodeClient(e store.StateEntry) (Client, error) {
	var c Client
	if err := strict(e.Value, &c); err != nil || c.ID != e.Key {
		return Client{}, fmt.Errorf("%w %q: not readable in the store", ErrClient, e.Key)
	}
	return c, c.Check()
}

// List returns all clients, the revoked ones too, by identifier.
func (r *Registry) List(ctx context.Context) ([]Client, error) {
	var all []Client
	hidden := map[string]bool{}
	after := ""
	for {
		page, err := r.store.StateList(ctx, kindClient, after, clientPage)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			c, err := decodeClient(e)
			if err != nil {
				return nil, err
			}
			all, after, hidden[c.ID] = append(all, c), e.Key, true
		}
		if len(page) < clientPage {
			break
		}
	}
	for id, c := range r.file {
		if !hidden[id] {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b Client) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// Add registers a client in the store. It refuses one that does not pass Check, and one
// whose identifier is taken, revoked ones included.
func (r *Registry) Add(ctx context.Context, c Client) error {
	if err := c.Check(); err != nil {
		return err
	}
	if _, taken := r.file[c.ID]; taken {
		return fmt.Errorf("%w %q: in the file already", ErrClient, c.ID)
	}
	err := r.put(ctx, c, 0)
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("%w %q: registered already", ErrClient, c.ID)
	}
	return err
}

// Covers tells whether a certificate is one of an active client, for auth.Config.
func (r *Registry) Covers(ctx context.Context, id string, from auth.Peer) (bool, error) {
	c, ok, err := r.Client(ctx, id)
	return ok && c.covers(Peer{Thumbprint: from.Thumbprint(), Subject: from.Subject()}), err
}

// Revoke revokes a client, and its tokens as soon as the servers look (Revocations).
func (r *Registry) Revoke(ctx context.Context, id string) error {
	c, ok := r.file[id]
	rev := int64(0)
	kept, err := r.store.State(ctx, kindClient, id)
	switch {
	case err == nil:
		if c, err = decodeClient(kept); err != nil {
			return err
		}
		rev = kept.Rev
	case !errors.Is(err, store.ErrNotFound):
		return err
	case !ok:
		return fmt.Errorf("%w %q: not registered", ErrClient, id)
	}
	c.Status = Revoked
	return r.put(ctx, c, rev, revocation(clientPrefix+id, r.now().Add(tokenLife+time.Minute)))
}

func (r *Registry) put(ctx context.Context, c Client, rev int64, also ...store.StateEntry) error {
	value, err := json.Marshal(c)
	if err != nil {
		return err
	}
	entry := store.StateEntry{Kind: kindClient, Key: c.ID, Value: value, Rev: rev}
	return r.store.Commit(ctx, store.Tx{Expect: store.Any, State: append(also, entry)})
}

// keys returns the registered keys of a client.
func (r *Registry) keys(c Client) (auth.ClientKeys, bool) {
	if c.KeySetURL == "" {
		keys, err := auth.ParseKeySet(c.KeySet)
		return auth.ClientKeys{Keys: keys.Key}, err == nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	set, ok := r.sets[c.KeySetURL]
	if !ok {
		var err error
		if set, err = auth.NewKeySet(auth.KeySetConfig{URL: c.KeySetURL, Client: r.http, Now: r.now}); err != nil {
			return auth.ClientKeys{}, false
		}
		r.sets[c.KeySetURL] = set
	}
	return auth.ClientKeys{Keys: set.Key, URL: c.KeySetURL}, true
}

// strict decodes one JSON value without unknown members and with nothing after it.
func strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("data after the value")
	}
	return nil
}
