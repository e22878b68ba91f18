package dossier

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// change is what one request is about to commit to one dossier: rows, contents,
// tokens and events. Building one writes nothing, large contents apart.
type change struct {
	c    *call
	d    *loaded
	v    *policy.View
	push [16]byte
	rows []*row
	// records are those of rows, in their order.
	records []*record
	// result is the dossier as the commit will leave it, once it was asked for.
	result *loaded
	// sight is the view of the caller on result, likewise.
	sight *policy.View
	// planned are the references that the request creates, before their rows
	// are built.
	planned map[string]bool
	tx      store.Tx
	// events of the commit; at least one.
	events []audit.Event
}

func (c *call) newChange(d *loaded, v *policy.View) *change {
	c.writing = d.id
	return &change{
		c: c, d: d, v: v, push: c.random16(),
		tx: store.Tx{Dossier: d.id, Expect: d.header.Version, Header: d.header},
	}
}

// put adds the next version of a row: version 1 of a new one when old is nil.
func (ch *change) put(old *row, rec *record) (*row, error) {
	key, version := store.RowKey(ch.c.random16()), int64(1)
	if old != nil {
		key, version = old.key, old.version+1
	}
	r, err := summarise(key, version, ch.c.at, rec)
	if err != nil {
		return nil, err
	}
	r.deleted = rec.origin.Deleted || r.facts.Deleted()
	ring := ch.d.ring
	ch.tx.Puts = append(ch.tx.Puts, store.Put{
		Row: key, Type: r.typ, Version: version, Updated: r.updated, Deleted: r.deleted,
		Summary: ring.Seal(summaryPlace(key, version), appendSummary(nil, r)),
		Body:    ring.Seal(bodyPlace(key, version), rec.appendBody(nil)),
	})
	if old == nil {
		ch.find(ch.c.idToken(r.typ, r.id), key)
	}
	ch.rows, ch.records = append(ch.rows, r), append(ch.records, rec)
	ch.remind(old, r)
	return r, nil
}

// after returns the dossier as the commit will leave it. No row may be put
// after it was asked for.
func (ch *change) after() *loaded {
	if ch.result == nil {
		ch.result = ch.d.with(ch.tx.Header, ch.rows).without(ch.tx.Erase)
	}
	return ch.result
}

// viewAfter is the view of the caller on the dossier as it will be.
func (ch *change) viewAfter() *policy.View {
	if ch.sight == nil {
		ch.sight = ch.c.policy.View(ch.c.p, ch.after().record, ch.c.at)
	}
	return ch.sight
}

func (ch *change) find(t store.Token, key store.RowKey) {
	ch.tx.Finds = append(ch.tx.Finds, store.TokenPut{Token: t, Row: key})
}

// findBy makes a resource findable by its identifiers, with and without their systems.
func (ch *change) findBy(idents []fhir.Ident, typ string, key store.RowKey) {
	for _, t := range ch.c.identifierTokens(typ, idents) {
		ch.find(t, key)
	}
}

func (ch *change) claim(t store.Token, key store.RowKey) {
	ch.tx.Claims = append(ch.tx.Claims, store.TokenPut{Token: t, Row: key})
}

func (ch *change) keep(n newContent, owner store.RowKey) {
	ch.tx.Contents = append(ch.tx.Contents, store.Content{ID: n.ref.id, Owner: owner, Sealed: n.sealed})
}

// note adds the events of the change, classed by what was and by what will be.
func (ch *change) note(dec policy.Decision, action audit.Action) {
	var objects []string
	for _, r := range ch.rows {
		objects = append(objects, versionRef(r))
	}
	ch.events = append(ch.events, ch.c.events(ch.d, dec, action, objects, ch.v, ch.viewAfter())...)
}

// commit makes the change durable with its events, and keeps the dossier as it
// is then in memory.
func (ch *change) commit(ctx context.Context) (audit.Receipt, error) {
	r, err := ch.c.audit.Commit(ctx, ch.tx, audit.Target{Dossier: ch.d.id, Ring: ch.d.ring}, ch.events...)
	if err != nil {
		return audit.Receipt{}, err
	}
	ch.c.cache.put(ch.after())
	return r, nil
}

// released returns the i-th row of the change, with its resource as the caller may read
// it once the change is made.
func (ch *change) released(i int) (*row, policy.Released[*fhir.Resource], policy.Decision) {
	rec := ch.records[i]
	released, dec := ch.viewAfter().Release(rec.resource, rec.origin)
	return ch.rows[i], released, dec
}

// with returns d after a commit of rows.
func (d *loaded) with(h store.Header, changed []*row) *loaded {
	h.Version = d.header.Version + 1
	rows := make([]*row, len(d.rows), len(d.rows)+len(changed))
	copy(rows, d.rows)
	place := make(map[store.RowKey]int, len(changed))
	for i, r := range rows {
		place[r.key] = i
	}
	for _, r := range changed {
		if i, ok := place[r.key]; ok {
			rows[i] = r
			continue
		}
		place[r.key] = len(rows)
		rows = append(rows, r)
	}
	return newLoaded(d.id, h, d.ring, rows)
}

// attempts is how often a write is decided again after somebody else's.
const attempts = 10

// retry runs try until it does not lose a race. Each run loads and decides anew.
// Who lost once waits for the others of this process that lost on the same
// dossier, so that many writers take turns instead of wearing each other out. When
// the store does not answer the one whose turn it is, those that waited are refused
// with it: each would find out for itself, one after the other.
func (c *call) retry(ctx context.Context, try func() (Answer, error)) (Answer, error) {
	a, err := try()
	if !isConflict(err) {
		return a, err
	}
	turn := c.turns.of(c.writing)
	unanswered := turn.unanswered.Load()
	turn.Lock()
	defer turn.Unlock()
	if turn.unanswered.Load() != unanswered {
		return Answer{}, ErrUnavailable
	}
	for n := range attempts {
		if a, err = try(); isUnavailable(err) && ctx.Err() == nil {
			turn.unanswered.Add(1)
		}
		if !isConflict(err) {
			return a, err
		}
		select {
		case <-ctx.Done():
			return Answer{}, ErrUnavailable
		case <-time.After(rand.N(time.Duration(n+1) * 4 * time.Millisecond)):
		}
	}
	return Answer{}, ErrUnavailable
}

// turns are shared by the dossiers of this process.
type turns [256]turn

// turn is whose turn it is to write.
type turn struct {
	sync.Mutex
	unanswered atomic.Int64 // writes that the store did not answer
}

func (t *turns) of(d store.Dossier) *turn { return &t[d[0]] }

// refusal turns a refused decision into the error of its class.
func refusal(dec policy.Decision) error {
	switch dec.Refusal() {
	case policy.Forbidden:
		return ErrForbidden
	case policy.NotMethod:
		return &refused{class: ErrElement, text: dec.Text()}
	case policy.Unprocessable:
		return &refused{class: ErrRule, text: dec.Text()}
	}
	return ErrNotFound
}

// denyWrite makes a refused write durable in the history, then returns its error.
func (c *call) denyWrite(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision, action audit.Action, objects ...string) (Answer, error) {
	return c.refuse(ctx, d, v, dec, action, refusal(dec), objects...)
}

// newOrigin is the origin of what the caller writes now.
func (c *call) newOrigin() policy.Origin {
	return policy.Origin{Deposited: c.at, By: c.p.ID(), ByKind: c.p.Kind(), Structures: c.p.Structures()}
}

// invalid makes a refusal of one element (400, or 422 for a business rule).
func invalid(code, expression, fr, en string) error {
	return &fhir.Invalid{Issues: []fhir.Issue{{Severity: fhir.Error, Code: code, Expression: expression, Text: fhir.Text{FR: fr, EN: en}}}}
}

// unprocessable makes a refusal of 422.
func unprocessable(expression, fr, en string) error {
	return &refused{class: ErrRule, text: fhir.Text{FR: fr, EN: en}, expr: expression}
}

// isUnavailable tells whether the store or the audit did not answer.
func isUnavailable(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
