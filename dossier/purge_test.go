package dossier_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/store"
)

// purge runs one and requires its report.
func (h *house) purge(o dossier.PurgeOptions, want dossier.PurgeReport) {
	h.t.Helper()
	got, err := h.door.Purge(h.t.Context(), o)
	if err != nil || got != want {
		h.t.Fatalf("%v: %+v, %v, want %+v", h.now, got, err, want)
	}
}

// daily runs the purge every day until the day given, as a worker does.
func (h *house) daily(until time.Time) {
	h.t.Helper()
	for h.now.Before(until) {
		h.now = h.now.AddDate(0, 0, 1)
		if _, err := h.door.Purge(h.t.Context(), dossier.PurgeOptions{Act: true}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// Ten years after its closing a dossier is announced, and thirty days later it is
// destroyed (G03).
func TestPurge(t *testing.T) {
	s := newScene(t)
	s.close()
	act := dossier.PurgeOptions{Act: true, AfterGap: true}
	s.purge(act, dossier.PurgeReport{First: true})
	s.now = opened.AddDate(10, 0, -1)
	s.purge(act, dossier.PurgeReport{})
	s.now = s.now.AddDate(0, 0, 1)
	s.purge(dossier.PurgeOptions{}, dossier.PurgeReport{Due: 1, Announced: 1}) // only looks
	s.purge(act, dossier.PurgeReport{Due: 1, Announced: 1})
	history := s.me().get("AuditEvent?patient=" + s.patient).is(200)
	if !strings.Contains(string(history.body), "destruction-annoncee") {
		t.Error("the history does not announce it")
	}
	s.purge(act, dossier.PurgeReport{Due: 1, Waiting: 1})
	s.now = s.now.AddDate(0, 0, 29)
	s.purge(act, dossier.PurgeReport{Due: 1, Waiting: 1})
	s.me().get("Patient/" + s.patient).is(200)
	s.now = s.now.AddDate(0, 0, 1)
	s.purge(dossier.PurgeOptions{AfterGap: true}, dossier.PurgeReport{Due: 1, Destroyed: 1})
	s.me().get("Patient/" + s.patient).is(200)
	s.purge(act, dossier.PurgeReport{Due: 1, Destroyed: 1})
	s.me().get("Patient/" + s.patient).is(404)
	s.reader().get("Patient?identifier="+published.System+"|"+published.Value).is(200).has("total", "0")
	s.purge(act, dossier.PurgeReport{})
}

// The patient may still say no: what is reactivated is not due any more, closed
// again or not.
func TestPurgeSparesTheReactivated(t *testing.T) {
	s := newScene(t)
	s.close()
	s.now = opened.AddDate(9, 11, 20)
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(200)
	if left, err := s.store.StateList(t.Context(), "retention", "", 10); err != nil || len(left) > 0 {
		t.Errorf("a dossier that is open is kept among the closed: %+v, %v", left, err)
	}
	s.purge(dossier.PurgeOptions{Act: true}, dossier.PurgeReport{First: true})
	s.daily(opened.AddDate(10, 2, 0))
	s.close()
	s.daily(opened.AddDate(10, 6, 0))
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(200)
	s.me().get("DocumentReference/" + s.doc).is(200)
}

// CR11: a clock that jumps destroys nothing, nor announces anything.
func TestCR11(t *testing.T) {
	s := newScene(t)
	s.close()
	s.purge(dossier.PurgeOptions{Act: true}, dossier.PurgeReport{First: true})
	s.now = opened.AddDate(10, 0, 40)
	for _, o := range []dossier.PurgeOptions{{}, {Act: true}} {
		if _, err := s.door.Purge(t.Context(), o); !errors.Is(err, dossier.ErrClock) {
			t.Errorf("ten years ahead: %v", err)
		}
	}
	s.now = opened.AddDate(0, 0, -1)
	if _, err := s.door.Purge(t.Context(), dossier.PurgeOptions{Act: true, AfterGap: true}); !errors.Is(err, dossier.ErrClock) {
		t.Errorf("back: %v", err)
	}
	s.now = opened.AddDate(0, 0, 1)
	s.me().get("Patient/" + s.patient).is(200)
	s.purge(dossier.PurgeOptions{Act: true}, dossier.PurgeReport{})

	// A store that never purged meets the jumped clock first: it announces, and a
	// clock that is set right again stops there.
	fresh := newScene(t)
	fresh.close()
	fresh.now = opened.AddDate(10, 0, 0)
	fresh.purge(dossier.PurgeOptions{Act: true}, dossier.PurgeReport{First: true, Due: 1, Announced: 1})
	fresh.now = opened.AddDate(0, 0, 1)
	if _, err := fresh.door.Purge(t.Context(), dossier.PurgeOptions{Act: true, AfterGap: true}); !errors.Is(err, dossier.ErrClock) {
		t.Errorf("back: %v", err)
	}
}

// More dossiers than a run may touch: nothing is done, whatever the rest.
func TestPurgeTooMany(t *testing.T) {
	h := newHouse(t)

	for _, value := range []string{"155126748202370", "190073306320538", "247021305511770"} {
		i := fhir.Ident{System: systemTestINS, Value: value}
		id := h.openFor(i)
		h.patient(i).post("Patient/"+id+"/$fermer", parameters(motiveCoding, closingReason)).is(200)

	}
	h.purge(dossier.PurgeOptions{Act: true}, dossier.PurgeReport{First: true})
	h.now = opened.AddDate(10, 0, 0)
	r, err := h.door.Purge(t.Context(), dossier.PurgeOptions{Act: true, AfterGap: true, Most: 2})
	if !errors.Is(err, dossier.ErrTooManyDue) || r.Announced != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	h.purge(dossier.PurgeOptions{Act: true, AfterGap: true, Most: 3}, dossier.PurgeReport{Due: 3, Announced: 3})
}

// What a destruction leaves: a header, keys, events. No row, no state entry and no
// token leads to it.
func TestDestructionLeavesNothing(t *testing.T) {
	var tokens []store.Token
	s := &scene{house: newHouseOver(t, func(st store.Store) store.Store { return tokenRecorder{st, &tokens} })}
	s.patient = s.openFor(published)
	s.author = s.doctor("899700218896", "1750000003")
	s.author.post("", identified(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"))).is(200)
	s.me().post("Consent", consent(t, "Consent-blocage.json", s.patient)).is(201)
	if len(tokens) < 10 {
		t.Fatalf("only %d tokens were put", len(tokens))
	}
	refs, err := s.store.Lookup(t.Context(), tokens[0])
	s.must(err)
	id := refs[0].Dossier
	s.close()
	s.sure(published).post("Patient/"+s.patient+"/$detruire", parameters(confirmed(published.Value))).is(200)

	for _, token := range tokens {
		if refs, err := s.store.Lookup(t.Context(), token); err != nil || len(refs) > 0 {
			t.Errorf("a token leads to %x, %v", refs, err)
		}
	}
	for row, err := range s.store.Rows(t.Context(), id) {
		t.Errorf("row %s, %v", row.Type, err)
	}
	h, err := s.store.Header(t.Context(), id)
	if err != nil || h.State != store.Destroyed {
		t.Errorf("header %+v, %v", h, err)
	}
	if left, err := s.store.StateList(t.Context(), "retention", "", 10); err != nil || len(left) > 0 {
		t.Errorf("entries %+v, %v", left, err)
	}
	if events, err := s.store.Events(t.Context(), id, store.Cursor{}, 100); err != nil || len(events) < 5 {
		t.Errorf("%d events are left, %v", len(events), err)
	}
}

// tokenRecorder notes the tokens that are put.
type tokenRecorder struct {
	store.Store
	tokens *[]store.Token
}

func (r tokenRecorder) Commit(ctx context.Context, tx store.Tx) error {
	for _, puts := range [][]store.TokenPut{tx.Claims, tx.Finds} {
		for _, p := range puts {
			*r.tokens = append(*r.tokens, p.Token)
		}
	}
	return r.Store.Commit(ctx, tx)
}
