package dossier_test

import (
	"context"
	"strings"
	"testing"

	"opendmp/store"
)

// outbox is a store that notes what is to be told.
type outbox struct {
	store.Store
	told []string
}

func (o *outbox) Commit(ctx context.Context, tx store.Tx) error {
	for _, s := range tx.State {
		if s.Kind == "outbox" {
			o.told = append(o.told, string(s.Value[len(tx.Dossier):]))
		}
	}
	return o.Store.Commit(ctx, tx)
}

// The patient is told of each change of a care team by another, in its commit, and
// not of their own.
func TestTeamChangesAreTold(t *testing.T) {
	box := &outbox{}
	h := newHouseOver(t, func(s store.Store) store.Store { box.Store = s; return box })
	s := &scene{house: h, patient: h.openFor(published)}
	team := s.me().post("CareTeam", s.team("", "", member1, member2)).is(201).at("id")
	s.me().post("Consent", s.teamConsent("CareTeam/"+team)).is(201)
	if len(box.told) != 0 {
		t.Fatalf("told of their own doings: %q", box.told)
	}
	doctor := h.doctor(leroy, "1750000004")
	doctor.do("PUT", "CareTeam/"+team, "application/fhir+json", s.team(team, "", member1)).is(200)
	doctor.do("PUT", "CareTeam/"+team, "application/fhir+json", s.team(team, "", member1, member2)).is(200)
	if got := strings.Join(box.told, " "); got != "equipe-de-soins equipe-de-soins" {
		t.Errorf("told %q", got)
	}
}
