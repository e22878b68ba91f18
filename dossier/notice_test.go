package dossier_test

import (
	"strings"
	"testing"
)

// told returns the occasions of the notices that wait, separated by spaces.
func (h *house) told() string {
	h.t.Helper()
	waiting, err := h.door.Notices(h.t.Context(), "", 100)
	h.must(err)
	var occasions []string
	for _, n := range waiting {
		occasions = append(occasions, n.Occasion)
	}
	return strings.Join(occasions, " ")
}

// The patient is told of each change of a care team by another, in its commit, and
// not of their own.
func TestTeamChangesAreTold(t *testing.T) {
	h := newHouse(t)
	s := &scene{house: h, patient: h.openFor(published)}
	team := s.me().post("CareTeam", s.team("", "", member1, member2)).is(201).at("id")
	s.me().post("Consent", s.teamConsent("CareTeam/"+team)).is(201)
	if told := s.told(); told != "" {
		t.Fatalf("told of their own doings: %q", told)
	}
	doctor := h.doctor(leroy, "1750000004")
	doctor.do("PUT", "CareTeam/"+team, "application/fhir+json", s.team(team, "", member1)).is(200)
	doctor.do("PUT", "CareTeam/"+team, "application/fhir+json", s.team(team, "", member1, member2)).is(200)
	if told := s.told(); told != "equipe-de-soins equipe-de-soins" {
		t.Errorf("told %q", told)
	}
}
