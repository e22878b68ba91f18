package dossier

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"opendmp/fhir"
	"opendmp/vault"
)

func TestNormalName(t *testing.T) {
	for _, same := range [][]string{
		{"benali", "BENALI", " Benali ", "Bénali", "Be\u0301nali", "ＢＥＮＡＬＩ"},
		{"jeanpierre", "Jean-Pierre", "JEAN PIERRE", "jean‑pierre", "Jean–Pierre", "Jean  Pierre", "JeanPierre", "Jean\u00a0Pierre"},
		{"legoff", "LE GOFF", "Le Goff", "LEGOFF"},
		{"doeuvre", "D’Œuvre", "d'oeuvre", "D‘ŒUVRE", "D ŒUVRE"},
		{"strasse", "Straße", "STRASSE"},
		{"lodzbjorn", "Łódź-Bjørn"},
		{"aicha", "Aïcha", "AÏCHA", "AICHA"},
		{"stexupery", "St. Exupéry"},
		{"isik", "Işık", "ISIK"},
		{"", "", " ", "-", "’", "…", "\u0301"},
	} {
		for _, name := range same[1:] {
			if got := normalName(name); got != same[0] {
				t.Errorf("%q: %q, want %q", name, got, same[0])
			}
		}
	}
	for _, other := range [][2]string{{"Jean", "Jean-Pierre"}, {"Martin", "Martine"}, {"Le Goff", "Goff"}, {"Louis 1", "Louis 2"}} {
		if normalName(other[0]) == normalName(other[1]) {
			t.Errorf("%q is %q", other[0], other[1])
		}
	}
}

func patientOf(t *testing.T, json string) *fhir.Resource {
	t.Helper()
	r, err := fhir.Scan([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const manyNames = `{"resourceType":"Patient","id":"x","gender":"female","birthDate":"1985-04-12","name":[
	{"use":"official","family":"DE L’ÎLE","given":["Marie-Ève"],"extension":[{"url":"https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name","valueString":"Marie-Ève Louise, Zoé"}]},
	{"use":"usual","family":"Martin","given":["Marie","Ève"]},
	{"family":"DE L'ILE"},
	{"use":"old","family":"Durand","given":["Paul"]},{"use":"nickname","given":["Mimi"]}]}`

func TestTraitsOf(t *testing.T) {
	got := traitsOf(patientOf(t, manyNames))
	want := traits{
		families:  []string{"delile", "martin"},
		givens:    []string{"marieeve", "louise", "zoe", "marie", "eve"},
		birthDate: "1985-04-12", gender: "female",
	}
	if !slices.Equal(got.families, want.families) || !slices.Equal(got.givens, want.givens) || got.birthDate != want.birthDate || got.gender != want.gender {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		asked fhir.Traits
		want  bool
	}{
		{fhir.Traits{Family: "Martin", Given: "marie ève", BirthDate: "1985-04-12", Gender: "female"}, true},
		{fhir.Traits{Family: "de l'île", Given: "ZOE", BirthDate: "1985-04-12"}, true},
		{fhir.Traits{Given: "Eve", BirthDate: "1985-04-12", Gender: "female"}, true},
		{fhir.Traits{Family: "Durand", BirthDate: "1985-04-12", Gender: "female"}, false},
		{fhir.Traits{Family: "Martin", Given: "Mimi", Gender: "female"}, false},
		{fhir.Traits{Family: "Martin", Given: "Marie", BirthDate: "1985-04-13", Gender: "female"}, false},
		{fhir.Traits{Family: "Martin", Given: "Marie", BirthDate: "1985-04-12", Gender: "male"}, false},
	} {
		if got.are(c.asked) != c.want {
			t.Errorf("%+v: %v", c.asked, !c.want)
		}
	}
	if d := traitsOf(patientOf(t, `{"resourceType":"Patient","birthDate":"1985"}`)).birthDate; d != "" {
		t.Errorf("a year is the birth date %q", d)
	}
}

// Every three traits of a person lead to them by one token, and their number is
// bounded.
func TestTraitTokens(t *testing.T) {
	keys, err := vault.OpenDir(filepath.Join(t.TempDir(), "keys"), true, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{vault: keys}
	who := traitsOf(patientOf(t, manyNames))
	tokens := s.traitTokens(who)
	if want := 2*5*2 + 2 + 5; len(tokens) != want || len(slices.Compact(slices.Sorted(stringsOf(tokens)))) != want {
		t.Errorf("%d tokens, want %d", len(tokens), want)
	}
	for _, family := range append(who.families, "") {
		for _, given := range append(who.givens, "") {
			for _, date := range []string{who.birthDate, ""} {
				for _, gender := range []string{who.gender, ""} {
					token, ok := s.traitToken(family, given, date, gender)
					enough := fhir.Traits{Family: family, Given: given, BirthDate: date, Gender: gender}.Count() >= 3
					if ok != enough || ok && !slices.Contains(tokens, token) {
						t.Errorf("%q %q %q %q: %v", family, given, date, gender, ok)
					}
				}
			}
		}
	}
	if token, _ := s.traitToken("marie", "martin", who.birthDate, ""); slices.Contains(tokens, token) {
		t.Error("a given name is taken for a family name")
	}
	names := []map[string]any{}
	for i := range 50 {
		names = append(names, map[string]any{"family": fmt.Sprint("f", i), "given": []string{fmt.Sprint("g", i)}})
	}
	b, err := json.Marshal(map[string]any{"resourceType": "Patient", "gender": "male", "birthDate": "1985-04-12", "name": names})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.traitTokens(traitsOf(patientOf(t, string(b))))); n != 94 {
		t.Errorf("%d tokens of one person", n)
	}
	if s.traitTokens(traits{}) != nil || s.tokensOfTraits(nil) != nil {
		t.Error("nobody has a token")
	}
}

func stringsOf[T ~[32]byte](tokens []T) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, t := range tokens {
			if !yield(string(t[:])) {
				return
			}
		}
	}
}
