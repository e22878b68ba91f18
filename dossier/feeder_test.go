package dossier_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"opendmp/dossier"
)

// An opening is handed to the health insurance until it was taken, and is then in
// the history; it is not handed over twice.
func TestTellOpenings(t *testing.T) {
	h := newHouse(t)
	patient := h.openFor(published)
	busy := errors.New("busy")
	var got []dossier.Opened
	take := func(err error) func(context.Context, dossier.Opened) error {
		return func(_ context.Context, o dossier.Opened) error {
			got = append(got, o)
			return err
		}
	}
	if n, err := h.door.TellOpenings(t.Context(), take(busy)); n != 0 || !errors.Is(err, busy) {
		t.Fatalf("told %d, %v", n, err)
	}
	if n, err := h.door.TellOpenings(t.Context(), take(nil)); n != 1 || err != nil {
		t.Fatalf("told %d, %v", n, err)
	}
	if n, err := h.door.TellOpenings(t.Context(), take(nil)); n != 0 || err != nil {
		t.Fatalf("again: told %d, %v", n, err)
	}
	if len(got) != 2 || got[0] != got[1] || got[0].INS.Value != published.Value || !got[0].At.Equal(opened) {
		t.Errorf("handed over %+v", got)
	}
	history := h.patient(published).get("AuditEvent?patient=" + patient).is(200)
	if !strings.Contains(string(history.body), "ouverture-annoncee") {
		t.Error("the history does not say so")
	}
}

// A dossier that was closed or destroyed meanwhile is not told of.
func TestTellOpeningsOfTheOpenOnly(t *testing.T) {
	s := newScene(t)
	s.close()
	none := func(context.Context, dossier.Opened) error { t.Error("told"); return nil }
	if n, err := s.door.TellOpenings(t.Context(), none); n != 0 || err != nil {
		t.Fatalf("told %d, %v", n, err)
	}
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(200)
	s.sure(published).post("Patient/"+s.patient+"/$detruire", parameters(confirmed(published.Value))).is(200)
	if n, err := s.door.TellOpenings(t.Context(), none); n != 0 || err != nil {
		t.Fatalf("told %d, %v", n, err)
	}
}
