package dossier_test

import (
	"context"
	"io"
	"iter"
	"maps"
	"strings"
	"sync"
	"testing"

	"opendmp/fhir"
	"opendmp/store"
)

// counted counts the calls of a store by method.
type counted struct {
	store.Store
	mu    sync.Mutex
	calls map[string]int
	// events are those that were made durable since the last reset.
	events int
}

func (c *counted) count(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[method]++
}

func (c *counted) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls, c.events = make(map[string]int), 0
}

func (c *counted) Commit(ctx context.Context, tx store.Tx) error {
	c.count("Commit")
	c.mu.Lock()
	c.events += len(tx.Events)
	c.mu.Unlock()
	return c.Store.Commit(ctx, tx)
}

func (c *counted) Header(ctx context.Context, d store.Dossier) (store.Header, error) {
	c.count("Header")
	return c.Store.Header(ctx, d)
}

func (c *counted) Rows(ctx context.Context, d store.Dossier) iter.Seq2[store.Row, error] {
	c.count("Rows")
	return c.Store.Rows(ctx, d)
}

func (c *counted) Bodies(ctx context.Context, d store.Dossier, refs []store.BodyRef) ([][]byte, error) {
	c.count("Bodies")
	return c.Store.Bodies(ctx, d, refs)
}

func (c *counted) Lookup(ctx context.Context, t store.Token) ([]store.Ref, error) {
	c.count("Lookup")
	return c.Store.Lookup(ctx, t)
}

func (c *counted) Keys(ctx context.Context, d store.Dossier) ([]store.KeyRecord, error) {
	c.count("Keys")
	return c.Store.Keys(ctx, d)
}

func (c *counted) Content(ctx context.Context, d store.Dossier, id store.ContentID) (io.ReadCloser, error) {
	c.count("Content")
	return c.Store.Content(ctx, d, id)
}

func (c *counted) Versions(ctx context.Context, id store.RowID) iter.Seq2[store.Version, error] {
	c.count("Versions")
	return c.Store.Versions(ctx, id)
}

func (c *counted) Events(ctx context.Context, d store.Dossier, before store.Cursor, limit int) ([]store.Event, error) {
	c.count("Events")
	return c.Store.Events(ctx, d, before, limit)
}

func (c *counted) State(ctx context.Context, kind, key string) (store.StateEntry, error) {
	c.count("State")
	return c.Store.State(ctx, kind, key)
}

// What was destroyed and what never existed make the same store calls, by whatever
// id or identifier they are asked for.
func TestDestroyedCostsWhatAbsentCosts(t *testing.T) {
	c := &counted{}
	c.reset()
	h := newHouseOver(t, func(s store.Store) store.Store { c.Store = s; return c })
	s := &scene{house: h, patient: h.openFor(published)}
	s.author = h.doctor("899700218896", "1750000003")
	pushDocX(h, s.author)
	event := s.me().get("AuditEvent?patient=" + s.patient + "&_count=1").at("entry.0.resource.id")
	s.sure(published).post("Patient/"+s.patient+"/$detruire", parameters(confirmed(published.Value))).is(200)
	never := "190073306320538"
	for name, pair := range map[string][2]string{
		"read":     {"DocumentReference/doc-x-id", "DocumentReference/nothing"},
		"patient":  {"Patient/" + s.patient, "Patient/nothing"},
		"event":    {"AuditEvent/" + event, "AuditEvent/" + event[:len(event)-6] + "aaaaaa"},
		"search":   {"DocumentReference?patient=" + s.patient, "DocumentReference?patient=nothing"},
		"by INS":   {"DocumentReference?patient.identifier=" + published.System + "|" + published.Value, "DocumentReference?patient.identifier=" + systemTestINS + "|" + never},
		"TD0.2":    {"Patient?identifier=" + published.System + "|" + published.Value, "Patient?identifier=" + systemTestINS + "|" + never},
		"consents": {"Consent?patient=" + s.patient, "Consent?patient=nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			doctor, patient := h.doctor("8899900000099", "1750000001"), h.patient(published)
			asker := patient // of what is absent: a patient who asks by their own INS
			if strings.Contains(pair[1], never) {
				asker = h.patient(fhir.Ident{System: systemTestINS, Value: never})
			}
			for _, who := range [][2]actor{{doctor, doctor}, {patient, asker}} {
				ask := func(who actor, path string) (map[string]int, int, int) {
					who.get(path) // known to the cache from here
					c.reset()
					a := who.get(path)
					return maps.Clone(c.calls), c.events, a.Status()
				}
				gone, goneEvents, goneStatus := ask(who[0], pair[0])
				absent, absentEvents, absentStatus := ask(who[1], pair[1])
				if !maps.Equal(gone, absent) || goneStatus != absentStatus || goneEvents != absentEvents {
					t.Errorf("destroyed %d %v, absent %d %v", goneStatus, gone, absentStatus, absent)
				}
			}
		})
	}
}
