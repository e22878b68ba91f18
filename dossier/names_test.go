package dossier

import (
	"crypto/rand"
	"testing"

	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
	"opendmp/vault"
)

// The memory of a caller leads to a dossier only by what its Patient goes by now: the
// id, the INS in force and the earlier ones.
func TestNames(t *testing.T) {
	keys, err := vault.OpenDir(t.TempDir()+"/keys", true, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{vault: keys}
	patient, err := fhir.Scan([]byte(`{"resourceType":"Patient","id":"alix","active":true,"identifier":[
		{"use":"official","system":"` + fhir.SystemINSTest + `","value":"285047511200116"},
		{"use":"old","system":"` + fhir.SystemINSTest + `","value":"285047511200999"},
		{"system":"urn:oid:1.2.3","value":"local"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	facts, err := policy.FactsOf(patient, policy.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	d := newLoaded(store.Dossier{1}, store.Header{Version: 1, State: store.Active}, nil, []*row{{typ: "Patient", id: "alix", facts: facts}})
	ins := func(system, value string) store.Token { return s.insToken(fhir.Ident{System: system, Value: value}) }
	for name, c := range map[string]struct {
		token store.Token
		want  bool
	}{
		"id":                {s.idToken("Patient", "alix"), true},
		"INS":               {ins(fhir.SystemINSTest, "285047511200116"), true},
		"INS before":        {ins(fhir.SystemINSTest, "285047511200999"), true},
		"another INS":       {ins(fhir.SystemINSTest, "285047511200117"), false},
		"another id":        {s.idToken("Patient", "emma"), false},
		"another type":      {s.idToken("DocumentReference", "alix"), false},
		"not a national id": {ins("urn:oid:1.2.3", "local"), false},
		"nothing":           {store.Token{}, false},
	} {
		if got := s.names(c.token, d); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if s.names(s.idToken("Patient", "alix"), newLoaded(store.Dossier{1}, store.Header{}, nil, nil)) {
		t.Error("a dossier without a Patient has a name")
	}
}
