package directory_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"opendmp/directory"
	"opendmp/fhir"
)

const invented = "testdata/PS_LibreAcces_Personne_activite_invente.txt"

func text(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(invented)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func read(t testing.TB) *directory.Index {
	t.Helper()
	x, err := directory.ReadExtract(strings.NewReader(text(t)))
	if err != nil {
		t.Fatal(err)
	}
	return x.Index
}

func TestSize(t *testing.T) {
	p, r, s := read(t).Size()
	if p != 7 || r != 9 || s != 3 {
		t.Errorf("%d professionals, %d practices, %d structures", p, r, s)
	}
}

func ps(value string) fhir.Ident { return fhir.Ident{System: fhir.SystemIDNPS, Value: value} }

func TestProfessionals(t *testing.T) {
	x := read(t)
	type query = directory.ProfessionalQuery
	for _, c := range []struct {
		name string
		q    query
		want string
	}{
		{"family name, in order", query{Name: "martin"}, "MARTIN Albert, MARTIN Hélène, MARTIN Zoé, MARTINEZ Paul"},
		{"either order of the words", query{Name: "hélène martin"}, "MARTIN Hélène"},
		{"and accents", query{Name: "MARTIN HELENE"}, "MARTIN Hélène"},
		{"the beginning of a given name", query{Name: "martin z"}, "MARTIN Zoé"},
		{"a given name alone finds nobody", query{Name: "hélène"}, ""},
		{"martin is also a given name", query{Name: "lefevre martin"}, "LEFÈVRE Martin"},
		{"a word of a compound name", query{Name: "laid"}, "MEDDAH-LAÏD Leïla"},
		{"a compound name", query{Name: "meddah laïd"}, "MEDDAH-LAÏD Leïla"},
		{"with an apostrophe", query{Name: "d’avril jean marc"}, "D'AVRIL Jean-Marc"},
		{"family", query{Family: "Martin"}, "MARTIN Albert, MARTIN Hélène, MARTIN Zoé, MARTINEZ Paul"},
		{"family from its beginning", query{Family: "laid"}, ""},
		{"family and given", query{Family: "martin", Given: "al"}, "MARTIN Albert"},
		{"family and a wrong given", query{Family: "martin", Given: "bert"}, ""},
		{"profession", query{Name: "martin", Profession: "10"}, "MARTIN Hélène, MARTIN Zoé, MARTINEZ Paul"},
		{"savoir-faire", query{Name: "martin", Skill: "SM18"}, "MARTINEZ Paul"},
		{"postal code", query{Name: "martin", Postal: "75"}, "MARTIN Hélène, MARTIN Zoé, MARTINEZ Paul"},
		{"postal code of one of two", query{Name: "martin", Postal: "69003"}, "MARTIN Hélène"},
		{"commune", query{Name: "martin", City: "lyon"}, "MARTIN Hélène"},
		{"commune out of the office", query{Name: "meddah", City: "doubs"}, "MEDDAH-LAÏD Leïla"},
		{"of one and the same practice", query{Name: "martinez", Skill: "SM04", Postal: "69"}, ""},
		{"structure", query{Name: "martin", Structure: fhir.Ident{System: "https://finess.esante.gouv.fr", Value: "750000001"}}, "MARTIN Hélène, MARTIN Zoé, MARTINEZ Paul"},
		{"of the legal entity", query{Name: "zo martin", Structure: fhir.Ident{System: fhir.SystemStructure, Value: "1750000101"}}, "MARTIN Zoé"},
		{"structure of another register", query{Name: "martin", Structure: fhir.Ident{System: "urn:rien", Value: "1750000001"}}, ""},
		{"PS_IdNat", query{ID: ps("899900001001")}, "MARTIN Hélène"},
		{"RPPS", query{ID: fhir.Ident{System: fhir.SystemRPPS, Value: "99900001001"}}, "MARTIN Hélène"},
		{"RPPS without a system", query{ID: fhir.Ident{Value: "99900001001"}}, "MARTIN Hélène"},
		{"PS_IdNat without a system", query{ID: fhir.Ident{Value: "899900001001"}}, "MARTIN Hélène"},
		{"ADELI", query{ID: fhir.Ident{System: fhir.SystemADELI, Value: "999000042"}}, "D'AVRIL Jean-Marc"},
		{"nobody’s", query{ID: ps("899900001999")}, ""},
		{"identifier and another name", query{ID: ps("899900001001"), Name: "durand"}, ""},
		{"identifier of another system", query{ID: fhir.Ident{System: "urn:rien", Value: "899900001001"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.Limit = directory.MaxFound
			f, err := x.Professionals(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range f.Items {
				got = append(got, p.Family+" "+p.Given)
			}
			if s := strings.Join(got, ", "); s != c.want || f.Total != len(got) {
				t.Errorf("%s (%d in all)", s, f.Total)
			}
		})
	}
}

func TestBroad(t *testing.T) {
	x := read(t)
	for _, q := range []directory.ProfessionalQuery{{}, {Name: "m"}, {Name: "- '"}, {Family: "m"}, {Given: "hélène"}, {Profession: "10"}, {Postal: "75"}} {
		if _, err := x.Professionals(t.Context(), q); !errors.Is(err, directory.ErrBroad) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for _, q := range []directory.StructureQuery{{}, {Name: "h"}, {City: "paris"}} {
		if _, err := x.Structures(t.Context(), q); !errors.Is(err, directory.ErrBroad) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// A query shows as many as its limit, never more than MaxFound, and counts all.
func TestLimit(t *testing.T) {
	b := directory.NewBuilder()
	for i := range 3 * directory.MaxFound {
		r := directory.Record{National: fmt.Sprintf("8999%08d", i), Family: "NOMBREUX", Given: fmt.Sprint("n", i), Profession: fhir.Code{Code: "60"}}
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	x := b.Index()
	for limit, want := range map[int]int{0: 0, 1: 1, directory.MaxFound: directory.MaxFound, 1000: directory.MaxFound} {
		f, err := x.Professionals(t.Context(), directory.ProfessionalQuery{Name: "nombreux", Limit: limit})
		if err != nil || len(f.Items) != want || f.Total != 3*directory.MaxFound {
			t.Errorf("limit %d: %d of %d, %v", limit, len(f.Items), f.Total, err)
		}
	}
}

func TestPractices(t *testing.T) {
	x := read(t)
	f, err := x.Professionals(t.Context(), directory.ProfessionalQuery{Name: "martinez", Limit: 1})
	if err != nil || len(f.Items) != 1 {
		t.Fatal(f, err)
	}
	p := f.Items[0]
	if len(p.Practices) != 1 {
		t.Fatalf("two savoir-faire of one practice make %d", len(p.Practices))
	}
	r := p.Practices[0]
	want := []fhir.Code{{Code: "SM04", Display: "Cardiologie et maladies vasculaires"}, {Code: "SM18", Display: "Gériatrie"}}
	if !slices.Equal(r.Skills, want) || r.Profession != (fhir.Code{Code: "10", Display: "Médecin"}) || r.Category != "C" || r.Mode.Code != "S" {
		t.Errorf("%+v", r)
	}
	s := r.Structure
	if s == nil || s.Key != "F750000001" || s.Label() != "HÔPITAL NORD" || s.Line != "1 Avenue DES ESSAIS" || s.Postal != "75012" || s.Commune != "75112" {
		t.Fatalf("%+v", s)
	}
	site := []fhir.Ident{{System: fhir.SystemStructure, Value: "1750000001"}, {System: fhir.SystemStructure, Value: "399990000100017"}}
	legal := []fhir.Ident{{System: fhir.SystemStructure, Value: "1750000101"}, {System: fhir.SystemStructure, Value: "2999900001"}}
	if !slices.Equal(s.Sites, site) || !slices.Equal(s.Legal, legal) {
		t.Errorf("%v, %v", s.Sites, s.Legal)
	}
	if p.Name() != "DR Paul MARTINEZ" || p.Ident() != (fhir.Ident{System: fhir.SystemRPPS, Value: "99900001002"}) {
		t.Errorf("%s, %v", p.Name(), p.Ident())
	}
}

// Matching shows the practices that are asked for, each with all of its savoir-faire.
func TestMatching(t *testing.T) {
	x := read(t)
	for _, c := range []struct {
		q    directory.ProfessionalQuery
		want string
	}{
		{directory.ProfessionalQuery{Name: "hélène martin"}, "R10000000001 [SM54] F750000001 [SM54]"},
		{directory.ProfessionalQuery{Name: "hélène martin", Postal: "75"}, "F750000001 [SM54]"},
		{directory.ProfessionalQuery{Name: "martinez", Skill: "SM18"}, "F750000001 [SM04 SM18]"},
	} {
		c.q.Limit, c.q.Matching = 1, true
		f, err := x.Professionals(t.Context(), c.q)
		if err != nil || len(f.Items) != 1 {
			t.Fatal(f, err)
		}
		var got []string
		for _, r := range f.Items[0].Practices {
			var skills []string
			for _, s := range r.Skills {
				skills = append(skills, s.Code)
			}
			got = append(got, r.Structure.Key, fmt.Sprint(skills))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v: %s", c.q, s)
		}
	}
}

func TestPhysician(t *testing.T) {
	x := read(t)
	for id, want := range map[string]bool{"899900001001": true, "899900001003": false, "899900001006": false /* student */, "0999000042": false} {
		f, err := x.Professionals(t.Context(), directory.ProfessionalQuery{ID: ps(id), Limit: 1})
		if err != nil || len(f.Items) != 1 || f.Items[0].Physician() != want {
			t.Errorf("%s: %+v, %v", id, f, err)
		}
	}
}

func TestStructures(t *testing.T) {
	x := read(t)
	type query = directory.StructureQuery
	for _, c := range []struct {
		name string
		q    query
		want string
	}{
		{"name", query{Name: "hopital"}, "F750000001"},
		{"a word of it", query{Name: "centre"}, "R10000000001"},
		{"trade name", query{Name: "œil neuf"}, "C99990000200025"},
		{"one of two words is wrong", query{Name: "hôpital sud"}, ""},
		{"elsewhere", query{Name: "hôpital", City: "lyon"}, ""},
		{"here", query{Name: "hôpital", City: "paris", Postal: "75012"}, "F750000001"},
		{"Struct_IdNat", query{ID: fhir.Ident{System: fhir.SystemStructure, Value: "1750000001"}}, "F750000001"},
		{"FINESS", query{ID: fhir.Ident{System: "https://finess.esante.gouv.fr", Value: "750000001"}}, "F750000001"},
		{"SIRET", query{ID: fhir.Ident{System: "https://sirene.fr", Value: "99990000200025"}}, "C99990000200025"},
		{"legal entity", query{ID: fhir.Ident{System: fhir.SystemStructure, Value: "1750000101"}}, "F750000001"},
		{"key", query{Key: "R10000000001"}, "R10000000001"},
		{"a number is no key", query{Key: "1750000001"}, ""},
		{"a key is no number", query{ID: fhir.Ident{System: fhir.SystemStructure, Value: "1F750000001"}}, ""},
		{"nobody’s", query{ID: fhir.Ident{System: fhir.SystemStructure, Value: "1750000999"}}, ""},
		{"another register", query{ID: fhir.Ident{System: "urn:rien", Value: "750000001"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.Limit = directory.MaxFound
			f, err := x.Structures(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range f.Items {
				got = append(got, s.Key)
			}
			if s := strings.Join(got, ", "); s != c.want || f.Total != len(got) {
				t.Errorf("%s (%d in all)", s, f.Total)
			}
		})
	}
}

func TestSameName(t *testing.T) {
	p := directory.Professional{Family: "MEDDAH-LAÏD", Given: "Leïla"}
	for written, want := range map[string]bool{
		"Leïla Meddah-Laïd": true, "Dr MEDDAH LAID": true, "Mme Laïd Meddah, opticienne": true,
		"Leïla Meddah": false, "Dr Martin": false, "": false, "MEDDAHLAID": false,
	} {
		if got := p.SameName(written); got != want {
			t.Errorf("%q: %v", written, got)
		}
	}
	s := directory.Structure{Name: "CENTRE HOSPITALIER DES ESSAIS", Trade: "HÔPITAL NORD"}
	for written, want := range map[string]bool{
		"Hôpital Nord": true, "Hopital nord, service de cardiologie": true, "Centre hospitalier": true,
		"Hôpital Sud": false, "": false, "CH": false,
	} {
		if got := s.SameName(written); got != want {
			t.Errorf("%q: %v", written, got)
		}
	}
}

// The zero Index is empty and finds nobody.
func TestZeroIndex(t *testing.T) {
	var x directory.Index
	if f, err := x.Professionals(t.Context(), directory.ProfessionalQuery{Name: "martin", Limit: 1}); err != nil || f.Total != 0 {
		t.Error(f, err)
	}
	if f, err := x.Structures(t.Context(), directory.StructureQuery{ID: fhir.Ident{System: fhir.SystemStructure, Value: "1750000001"}, Limit: 1}); err != nil || f.Total != 0 {
		t.Error(f, err)
	}
}
