package issuer

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/store"
)

const (
	kindFamily    = "oauth-family"
	refreshPrefix = "rt."
)

// family is what the refresh tokens of one exchange have in common. It is kept sealed:
// it names the person.
type family struct {
	Claims    auth.Claims `json:"claims"`
	Exchanged string      `json:"exchanged"`
	Ends      int64       `json:"ends"`
	// Current is the hash of the one token that serves.
	Current string `json:"current"`
	// Issued are the access tokens that may still live, to take back with the family.
	Issued []issued `json:"issued"`
}

// issued is an access token of a family.
type issued struct {
	ID      string `json:"id"`
	Expires int64  `json:"expires"`
}

// newFamily returns the first refresh token of an exchange, and the entry to keep.
func (s *Server) newFamily(c auth.Claims, exchanged string) (string, store.StateEntry, error) {
	id, err := s.random()
	if err != nil {
		return "", store.StateEntry{}, err
	}
	return s.turn(id, family{Claims: c, Exchanged: exchanged, Ends: s.c.Now().Add(familyLife).Unix()}, 0)
}

// turn gives a family its next refresh token, rt.<family>.<secret>.
func (s *Server) turn(id string, f family, rev int64) (string, store.StateEntry, error) {
	secret, err := s.random()
	if err != nil {
		return "", store.StateEntry{}, err
	}
	token := refreshPrefix + id + "." + secret
	f.Current = hash(token)
	f.Issued = append(f.living(s.c.Now()), issued{f.Claims.ID, f.Claims.Expires})
	data, err := json.Marshal(f)
	if err != nil {
		return "", store.StateEntry{}, err
	}
	sealed := s.c.Vault.SealCursor(append([]byte(kindFamily+" "), data...))
	if sealed == "" {
		return "", store.StateEntry{}, unavailable(errors.New("no vault"))
	}
	return token, store.StateEntry{
		Kind: kindFamily, Key: hash(id), Value: []byte(sealed), Expires: time.Unix(f.Ends, 0), Rev: rev,
	}, nil
}

// living returns the access tokens of the family that have not ended.
func (f family) living(now time.Time) []issued {
	var living []issued
	for _, i := range f.Issued {
		if i.Expires >= now.Unix() {
			living = append(living, i)
		}
	}
	return living
}

// errNoFamily: a refresh token of no family, or of one that ended.
var errNoFamily = errors.New("issuer: no such refresh token")

// family returns the family of a refresh token, whether or not the token is its
// current one.
func (s *Server) family(ctx context.Context, token string) (string, family, int64, error) {
	rest, ok := strings.CutPrefix(token, refreshPrefix)
	id, _, dot := strings.Cut(rest, ".")
	if !ok || !dot || id == "" {
		return "", family{}, 0, errNoFamily
	}
	kept, err := s.c.Store.State(ctx, kindFamily, hash(id))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", family{}, 0, errNoFamily
	case err != nil:
		return "", family{}, 0, unavailable(err)
	}
	data, err := s.c.Vault.OpenCursor(string(kept.Value))
	if err != nil {
		return "", family{}, 0, unavailable(err)
	}
	var f family
	plain, ours := strings.CutPrefix(string(data), kindFamily+" ")
	if !ours || json.Unmarshal([]byte(plain), &f) != nil {
		return "", family{}, 0, unavailable(errors.New("family not readable"))
	}
	if f.Ends <= s.c.Now().Unix() {
		return "", family{}, 0, errNoFamily
	}
	return id, f, kept.Rev, nil
}

// refresh gives the next tokens of a family, to its client, bound as the first ones
// were. A token that is not the current one has been used before, by the client or by a
// thief: the family ends, with its access tokens.
func (s *Server) refresh(ctx context.Context, r Request, p proof) (TokenResponse, error) {
	if err := r.without("cannot change at a refresh: exchange another token of Pro Santé Connect", accessParameters[:]...); err != nil {
		return TokenResponse{}, err
	}
	token, err := r.one("refresh_token")
	if err != nil {
		return TokenResponse{}, err
	}
	id, f, rev, err := s.family(ctx, token)
	switch {
	case errors.Is(err, errNoFamily), err == nil && (f.Claims.Client != p.client.ID || *f.Claims.Confirmation != p.confirmation):
		return TokenResponse{}, refuse("invalid_grant", "the refresh token is not good", err)
	case err != nil:
		return TokenResponse{}, err
	case subtle.ConstantTimeCompare([]byte(f.Current), []byte(hash(token))) != 1:
		if err := s.end(ctx, id, f); err != nil {
			return TokenResponse{}, err
		}
		return TokenResponse{}, refuse("invalid_grant", "the refresh token is not good", errors.New("used before: the family ended"))
	}
	if !lasting(f.Claims) {
		return TokenResponse{}, refuse("invalid_grant", "a token of an emergency is not refreshed: exchange another token of Pro Santé Connect, with its own reason", nil)
	}
	scope, err := s.narrowed(r, p.client, *f.Claims.Scope)
	if err != nil {
		return TokenResponse{}, err
	}
	g := grant{claims: f.Claims, life: min(tokenLife, time.Unix(f.Ends, 0).Sub(s.c.Now()).Truncate(time.Second)), exchanged: f.Exchanged}
	g.claims.Scope, g.claims.NotBefore = &scope, 0
	g.next = func(c auth.Claims) (string, store.StateEntry, error) {
		had := f.Claims.Scope
		f.Claims = c
		f.Claims.Scope = had
		return s.turn(id, f, rev)
	}
	res, err := s.issue(ctx, r, p, g)
	if errors.Is(err, store.ErrConflict) { // used twice at the same time
		return res, errors.Join(err, s.endAgain(ctx, token))
	}
	return res, err
}

// endAgain ends the family of a token as it is now.
func (s *Server) endAgain(ctx context.Context, token string) error {
	id, f, _, err := s.family(ctx, token)
	if errors.Is(err, errNoFamily) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(ctx, id, f)
}

// narrowed returns the scopes asked for within those of the family and those that are
// registered now: a refresh narrows, and never widens.
func (s *Server) narrowed(r Request, c Client, had string) (string, error) {
	now, err := s.narrow(r, c)
	if err != nil {
		return "", err
	}
	before, errBefore := auth.ParseScopes(had)
	asked, errAsked := auth.ParseScopes(now)
	given := asked.Narrow(before)
	if errBefore != nil || errAsked != nil || len(given) == 0 {
		return "", refuse("invalid_scope", "none of the scopes is that of the refresh token", errors.Join(errBefore, errAsked))
	}
	return given.String(), nil
}

// end drops a family and takes back its access tokens.
func (s *Server) end(ctx context.Context, id string, f family) error {
	tx := store.Tx{Expect: store.Any, Unset: []store.StateEntry{{Kind: kindFamily, Key: hash(id)}}}
	for _, i := range f.living(s.c.Now()) {
		e, err := s.takeBack(ctx, i)
		if err != nil {
			return err
		}
		tx.State = append(tx.State, e...)
	}
	if err := s.c.Store.Commit(ctx, tx); err != nil {
		return unavailable(err)
	}
	return s.look(ctx)
}

// takeBack returns the entry that takes back an access token; none if it was before.
func (s *Server) takeBack(ctx context.Context, i issued) ([]store.StateEntry, error) {
	e := revocation(tokenPrefix+i.ID, time.Unix(i.Expires, 0).Add(time.Minute))
	switch _, err := s.c.Store.State(ctx, e.Kind, e.Key); {
	case errors.Is(err, store.ErrNotFound):
		return []store.StateEntry{e}, nil
	case err != nil:
		return nil, unavailable(err)
	}
	return nil, nil
}

// look reads the list of tokens taken back, so that this server refuses them at once.
func (s *Server) look(ctx context.Context) error {
	if err := s.c.Revocations.Refresh(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}
