package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"opendmp/store"
)

// model is package store read a second time, as simply as can be: maps, one lock,
// and a copy of everything for each commit. Engines are compared with it, and it
// passes the suite itself, so that the suite asks for nothing impossible.
type model struct {
	mu     sync.Mutex
	closed bool
	facts  facts
}

// facts is all that a store knows.
type facts struct {
	headers  map[store.Dossier]store.Header
	rows     map[store.RowID][]store.Put // version n at n-1
	contents map[contentKey]kept
	uploads  map[contentKey]uploaded
	claims   map[store.Token]store.Ref
	finds    map[find]bool
	keys     map[keyName]store.KeyRecord
	events   map[store.EventID]store.Event
	state    map[entryName]store.StateEntry
}

type contentKey struct {
	dossier store.Dossier
	id      store.ContentID
}

type kept struct {
	data  []byte
	owner store.RowKey
}

type uploaded struct {
	data []byte
	at   time.Time
}

type find struct {
	token store.Token
	ref   store.Ref
}

type keyName struct {
	dossier store.Dossier
	kind    uint8
	number  int32
}

type entryName struct{ kind, key string }

var errModel = errors.New("storetest: invalid transaction")

func newModel() *model {
	return &model{facts: facts{
		headers:  map[store.Dossier]store.Header{},
		rows:     map[store.RowID][]store.Put{},
		contents: map[contentKey]kept{},
		uploads:  map[contentKey]uploaded{},
		claims:   map[store.Token]store.Ref{},
		finds:    map[find]bool{},
		keys:     map[keyName]store.KeyRecord{},
		events:   map[store.EventID]store.Event{},
		state:    map[entryName]store.StateEntry{},
	}}
}

func (f facts) clone() facts {
	f.headers = maps.Clone(f.headers)
	f.rows = maps.Clone(f.rows)
	f.contents = maps.Clone(f.contents)
	f.uploads = maps.Clone(f.uploads)
	f.claims = maps.Clone(f.claims)
	f.finds = maps.Clone(f.finds)
	f.keys = maps.Clone(f.keys)
	f.events = maps.Clone(f.events)
	f.state = maps.Clone(f.state)
	return f
}

// enter takes the lock; the caller calls leave, whatever enter says.
func (m *model) enter(ctx context.Context) (leave func(), err error) {
	m.mu.Lock()
	if err = ctx.Err(); err != nil {
		err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	if m.closed {
		err = store.ErrUnavailable
	}
	return m.mu.Unlock, err
}

func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func (m *model) Commit(ctx context.Context, tx store.Tx) error {
	leave, err := m.enter(ctx)
	defer leave()
	if err != nil {
		return err
	}
	next := m.facts.clone()
	if err := next.apply(tx, time.Now()); err != nil {
		return err
	}
	m.facts = next
	return nil
}

func (f facts) apply(tx store.Tx, now time.Time) error {
	if !valid(tx) {
		return errModel
	}
	return cmp.Or(
		f.applyHeader(tx),
		f.applyState(tx, now),
		f.applyErase(tx),
		f.applyPuts(tx),
		f.applyTokens(tx),
		f.applyContents(tx),
		f.applyKeys(tx),
		f.applyEvents(tx),
	)
}

func valid(tx store.Tx) bool {
	for _, e := range tx.Events {
		if e.Recorded.IsZero() || e.Recorded.Year() > 2262 {
			return false
		}
	}
	if tx.Expect == store.Any {
		return len(tx.Erase)+len(tx.Puts)+len(tx.Contents)+len(tx.Claims)+len(tx.Finds)+len(tx.Drops)+len(tx.Keys) == 0
	}
	for _, k := range tx.Keys {
		if k.Dossier != tx.Dossier {
			return false
		}
	}
	for _, c := range tx.Contents {
		if len(c.Sealed) > store.InlineMax {
			return false
		}
	}
	return tx.Expect >= 0 && tx.Header.State >= store.Active && tx.Header.State <= store.Destroyed && tx.Header.Key > 0
}

func (f facts) applyHeader(tx store.Tx) error {
	if tx.Expect == store.Any {
		return nil
	}
	h, exists := f.headers[tx.Dossier]
	if exists && tx.Expect == 0 {
		return store.ErrDuplicate
	}
	if h.Version != tx.Expect {
		return store.ErrConflict
	}
	f.headers[tx.Dossier] = store.Header{Version: tx.Expect + 1, State: tx.Header.State, Key: tx.Header.Key}
	return nil
}

func (f facts) applyState(tx store.Tx, now time.Time) error {
	for _, e := range tx.Unset {
		delete(f.state, entryName{e.Kind, e.Key})
	}
	for _, e := range tx.State {
		name := entryName{e.Kind, e.Key}
		old, exists := f.state[name]
		if e.Rev == 0 && exists && !old.Expires.IsZero() && !now.Before(old.Expires) {
			old = store.StateEntry{}
		}
		if old.Rev != e.Rev {
			return store.ErrConflict
		}
		e.Rev++
		e.Expires = e.Expires.UTC()
		f.state[name] = e
	}
	return nil
}

func (f facts) applyErase(tx store.Tx) error {
	for _, row := range tx.Erase {
		delete(f.rows, store.RowID{Dossier: tx.Dossier, Row: row})
		maps.DeleteFunc(f.contents, func(k contentKey, c kept) bool { return k.dossier == tx.Dossier && c.owner == row })
	}
	return nil
}

func (f facts) applyPuts(tx store.Tx) error {
	for _, p := range tx.Puts {
		id := store.RowID{Dossier: tx.Dossier, Row: p.Row}
		if p.Version != int64(len(f.rows[id]))+1 {
			return store.ErrConflict
		}
		p.Updated = p.Updated.UTC()
		f.rows[id] = append(slices.Clip(f.rows[id]), p)
	}
	return nil
}

func (f facts) applyTokens(tx store.Tx) error {
	for _, t := range tx.Drops {
		ref := store.Ref{Dossier: tx.Dossier, Row: t.Row}
		delete(f.finds, find{t.Token, ref})
		if f.claims[t.Token] == ref {
			delete(f.claims, t.Token)
		}
	}
	for _, t := range tx.Claims {
		if holder, held := f.claims[t.Token]; held {
			return &store.DuplicateError{Token: t.Token, Holder: holder}
		}
		f.claims[t.Token] = store.Ref{Dossier: tx.Dossier, Row: t.Row}
	}
	for _, t := range tx.Finds {
		f.finds[find{t.Token, store.Ref{Dossier: tx.Dossier, Row: t.Row}}] = true
	}
	return nil
}

func (f facts) applyContents(tx store.Tx) error {
	for _, c := range tx.Contents {
		k := contentKey{tx.Dossier, c.ID}
		if _, exists := f.contents[k]; exists {
			return store.ErrDuplicate
		}
		if c.Sealed == nil {
			u, exists := f.uploads[k]
			if !exists {
				return store.ErrNotFound
			}
			delete(f.uploads, k)
			c.Sealed = u.data
		}
		f.contents[k] = kept{c.Sealed, c.Owner}
	}
	return nil
}

func (f facts) applyKeys(tx store.Tx) error {
	for _, k := range tx.Keys {
		name := keyName{k.Dossier, k.Kind, k.Number}
		if _, exists := f.keys[name]; exists {
			return store.ErrDuplicate
		}
		f.keys[name] = k
	}
	return nil
}

func (f facts) applyEvents(tx store.Tx) error {
	for _, e := range tx.Events {
		if _, exists := f.events[e.ID]; exists {
			return store.ErrDuplicate
		}
		e.Recorded = e.Recorded.UTC()
		f.events[e.ID] = e
	}
	return nil
}

func (m *model) Header(ctx context.Context, d store.Dossier) (store.Header, error) {
	leave, err := m.enter(ctx)
	defer leave()
	h, exists := m.facts.headers[d]
	if err == nil && !exists {
		err = store.ErrNotFound
	}
	return h, err
}

func (m *model) Rows(ctx context.Context, d store.Dossier) iter.Seq2[store.Row, error] {
	return given(func() ([]store.Row, error) {
		leave, err := m.enter(ctx)
		defer leave()
		var rows []store.Row
		for id, versions := range m.facts.rows {
			if id.Dossier == d {
				p := versions[len(versions)-1]
				rows = append(rows, store.Row{ID: id, Type: p.Type, Version: p.Version, Updated: p.Updated, Deleted: p.Deleted, Summary: p.Summary})
			}
		}
		return rows, err
	})
}

func (m *model) Versions(ctx context.Context, id store.RowID) iter.Seq2[store.Version, error] {
	return given(func() ([]store.Version, error) {
		leave, err := m.enter(ctx)
		defer leave()
		var versions []store.Version
		for _, p := range slices.Backward(m.facts.rows[id]) {
			versions = append(versions, store.Version{Version: p.Version, Updated: p.Updated, Deleted: p.Deleted, Summary: p.Summary})
		}
		return versions, err
	})
}

// given yields a list, or one error.
func given[T any](list func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		values, err := list()
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func (m *model) Bodies(ctx context.Context, d store.Dossier, refs []store.BodyRef) ([][]byte, error) {
	leave, err := m.enter(ctx)
	defer leave()
	bodies := make([][]byte, len(refs))
	for i, r := range refs {
		versions := m.facts.rows[store.RowID{Dossier: d, Row: r.Row}]
		if r.Version >= 1 && r.Version <= int64(len(versions)) {
			bodies[i] = append([]byte{}, versions[r.Version-1].Body...)
		}
	}
	return bodies, err
}

func (m *model) Lookup(ctx context.Context, t store.Token) ([]store.Ref, error) {
	leave, err := m.enter(ctx)
	defer leave()
	refs := map[store.Ref]bool{}
	if ref, held := m.facts.claims[t]; held {
		refs[ref] = true
	}
	for f := range m.facts.finds {
		if f.token == t {
			refs[f.ref] = true
		}
	}
	return slices.Collect(maps.Keys(refs)), err
}

func (m *model) Keys(ctx context.Context, d store.Dossier) ([]store.KeyRecord, error) {
	leave, err := m.enter(ctx)
	defer leave()
	var keys []store.KeyRecord
	for _, k := range m.facts.keys {
		if k.Dossier == d {
			keys = append(keys, k)
		}
	}
	return keys, err
}

func (m *model) Events(ctx context.Context, d store.Dossier, before store.Cursor, limit int) ([]store.Event, error) {
	return m.history(ctx, before, limit, func(e store.Event) bool { return e.Dossier == d })
}

func (m *model) EventsOf(ctx context.Context, actor store.Token, before store.Cursor, limit int) ([]store.Event, error) {
	return m.history(ctx, before, limit, func(e store.Event) bool { return e.Actor == actor })
}

func (m *model) history(ctx context.Context, before store.Cursor, limit int, keep func(store.Event) bool) ([]store.Event, error) {
	at := store.Event{Recorded: before.Recorded, ID: before.ID}
	events, err := m.sorted(ctx, func(e store.Event) bool {
		return keep(e) && (before.Recorded.IsZero() || olderFirst(e, at) < 0)
	})
	slices.Reverse(events)
	return events[:min(max(limit, 0), len(events))], err
}

func (m *model) Pending(ctx context.Context, limit int) ([]store.Event, error) {
	events, err := m.sorted(ctx, func(store.Event) bool { return true })
	return events[:min(max(limit, 0), len(events))], err
}

// sorted gives the events to keep, oldest first.
func (m *model) sorted(ctx context.Context, keep func(store.Event) bool) ([]store.Event, error) {
	leave, err := m.enter(ctx)
	defer leave()
	var events []store.Event
	for _, e := range m.facts.events {
		if keep(e) {
			events = append(events, e)
		}
	}
	slices.SortFunc(events, olderFirst)
	return events, err
}

func (m *model) Upload(ctx context.Context, d store.Dossier, id store.ContentID, sealed io.Reader) error {
	data, err := io.ReadAll(attentive{ctx, sealed})
	if err != nil {
		return err
	}
	leave, err := m.enter(ctx)
	defer leave()
	if err != nil {
		return err
	}
	k := contentKey{d, id}
	_, adopted := m.facts.contents[k]
	if _, waiting := m.facts.uploads[k]; adopted || waiting {
		return store.ErrDuplicate
	}
	m.facts.uploads[k] = uploaded{data, time.Now()}
	return nil
}

// attentive reads until its context ends.
type attentive struct {
	ctx context.Context
	r   io.Reader
}

func (a attentive) Read(p []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return a.r.Read(p)
}

func (m *model) Content(ctx context.Context, d store.Dossier, id store.ContentID) (io.ReadCloser, error) {
	leave, err := m.enter(ctx)
	defer leave()
	if err != nil {
		return nil, err
	}
	c, exists := m.facts.contents[contentKey{d, id}]
	if !exists {
		return nil, store.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(c.data)), nil
}

func (m *model) Collect(ctx context.Context, now, before time.Time) (int, error) {
	leave, err := m.enter(ctx)
	defer leave()
	if err != nil {
		return 0, err
	}
	was := len(m.facts.state) + len(m.facts.uploads)
	maps.DeleteFunc(m.facts.state, func(_ entryName, e store.StateEntry) bool {
		return !e.Expires.IsZero() && !now.Before(e.Expires)
	})
	maps.DeleteFunc(m.facts.uploads, func(_ contentKey, u uploaded) bool { return u.at.Before(before) })
	return was - len(m.facts.state) - len(m.facts.uploads), nil
}

func (m *model) State(ctx context.Context, kind, key string) (store.StateEntry, error) {
	leave, err := m.enter(ctx)
	defer leave()
	e, exists := m.facts.state[entryName{kind, key}]
	if err == nil && !exists {
		err = store.ErrNotFound
	}
	return e, err
}

func (m *model) StateList(ctx context.Context, kind, after string, limit int) ([]store.StateEntry, error) {
	leave, err := m.enter(ctx)
	defer leave()
	var list []store.StateEntry
	for name, e := range m.facts.state {
		if name.kind == kind && name.key > after {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b store.StateEntry) int { return cmp.Compare(a.Key, b.Key) })
	return list[:min(max(limit, 0), len(list), math.MaxInt)], err
}
