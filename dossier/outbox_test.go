package dossier_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"opendmp/dossier"
	"opendmp/store"
)

// waiting is a scene in which n notices wait.
func waiting(t *testing.T, n int) (*scene, []dossier.Notice) {
	t.Helper()
	s, _ := servers(t, 1, plain)
	team := s.me().post("CareTeam", s.team("", "", member1, member2)).is(201).at("id")
	s.me().post("Consent", s.teamConsent("CareTeam/"+team)).is(201)
	for i := range n {
		s.doctor(leroy, "1750000004").do("PUT", "CareTeam/"+team, "application/fhir+json", s.team(team, "", []string{member1, member2}[:1+i%2]...)).is(200)
	}
	notices, err := s.door.Notices(t.Context(), "", 100)
	if err != nil || len(notices) != n {
		t.Fatalf("%d notices, %v", len(notices), err)
	}
	return s, notices
}

// A notice is claimed by one, again when its term is over, and never once it was
// delivered.
func TestClaimNotice(t *testing.T) {
	s, notices := waiting(t, 2)
	n := notices[0]
	claim := func(want bool) {
		t.Helper()
		if ok, err := s.door.ClaimNotice(t.Context(), n, time.Minute); err != nil || ok != want {
			t.Fatalf("%v: claimed %v, %v", s.now, ok, err)
		}
	}
	claim(true)
	claim(false)
	s.at(opened.Add(time.Minute - time.Nanosecond))
	claim(false)
	s.at(opened.Add(time.Minute))
	claim(true)
	for range 2 {
		if err := s.door.NoticeDone(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		claim(false)
	}
	left, err := s.door.Notices(t.Context(), "", 100)
	if err != nil || len(left) != 1 || left[0] != notices[1] {
		t.Errorf("left %+v, %v", left, err)
	}
}

func TestClaimNoticeAtOnce(t *testing.T) {
	s, notices := waiting(t, 1)
	won := 0
	for _, ok := range together(8, func(int) bool {
		ok, err := s.door.ClaimNotice(context.Background(), notices[0], time.Minute)
		if err != nil {
			t.Error(err)
		}
		return ok
	}) {
		if ok {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d deliver it", won)
	}
}

func TestNoticesInParts(t *testing.T) {
	s, notices := waiting(t, 5)
	var got []dossier.Notice
	for after := ""; ; after = got[len(got)-1].Key {
		page, err := s.door.Notices(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
	}
	if len(got) != len(notices) {
		t.Errorf("%d of %d", len(got), len(notices))
	}
	n := notices[0]
	if n.Occasion != "equipe-de-soins" || n.Dossier == (store.Dossier{}) || !n.Expires.Equal(opened.AddDate(0, 0, 30)) {
		t.Errorf("%+v", n)
	}
}

// A notice that nobody delivered in a month is not delivered any more, and one that
// does not open is a fault that hides no other.
func TestNoticesExpire(t *testing.T) {
	s, notices := waiting(t, 1)
	bad := store.StateEntry{Kind: "outbox", Key: "0", Value: []byte("x"), Expires: opened.AddDate(1, 0, 0)}
	s.must(s.store.Commit(t.Context(), store.Tx{Expect: store.Any, State: []store.StateEntry{bad}}))
	left, err := s.door.Notices(t.Context(), "", 10)
	if !errors.Is(err, dossier.ErrInternal) || len(left) != 1 || left[0] != notices[0] {
		t.Errorf("%+v, %v", left, err)
	}
	s.at(opened.AddDate(0, 0, 30))
	if left, err := s.door.Notices(t.Context(), "", 10); len(left) != 0 || err == nil {
		t.Errorf("%+v, %v", left, err)
	}
	if ok, err := s.door.ClaimNotice(t.Context(), notices[0], time.Minute); ok || err != nil {
		t.Errorf("claimed %v, %v", ok, err)
	}
}
