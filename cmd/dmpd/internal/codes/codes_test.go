package codes

import (
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"10":                             "G15|10 Médecin",
		" Médecin ":                      "G15|10 Médecin",
		"MEDECIN":                        "G15|10 Médecin",
		"10 - Médecin":                   "G15|10 Médecin",
		"Médecin (10)":                   "G15|10 Médecin",
		"G15|10":                         "G15|10 Médecin",
		"TRE_G15|10":                     "G15|10 Médecin",
		"TRE_G15-ProfessionSante|10":     "G15|10 Médecin",
		"Chirurgien dentiste":            "G15|40 Chirurgien-Dentiste",
		"93":                             "R95|93 Psychologue",
		"R85|330":                        "R85|330 Coordonnateur de parcours",
		"Membre de l’équipe de soins":    "R85|353 Membre de l'équipe de soins",
		"99":                             "R291|99 Acteur participant au système de santé caractérisé par rôle",
		"Assistant de service\n  social": "R94|41 Assistant de service social",
	} {
		e, err := Columns().Find(name)
		if err != nil || Name(e) != want {
			t.Errorf("%q: %s, %v, want %s", name, Name(e), err, want)
		}
	}
	for name, want := range map[string]string{
		"11488-4":                  "LOINC|11488-4 CR ou fiche de consultation ou de visite",
		"LOINC|11488-4":            "LOINC|11488-4 CR ou fiche de consultation ou de visite",
		"cr d’examens biologiques": "LOINC|11502-2 CR d'examens biologiques",
		"EXPPAT_3":                 "A05|EXPPAT_3 Directives anticipées",
		"A05|EXPPAT_3":             "A05|EXPPAT_3 Directives anticipées",
		"60568-3 CR d'anatomie et de cytologie pathologiques": "LOINC|60568-3 CR d'anatomie et de cytologie pathologiques",
	} {
		e, err := Types().Find(name)
		if err != nil || Name(e) != want {
			t.Errorf("%q: %s, %v, want %s", name, Name(e), err, want)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	for _, c := range []struct {
		x          *Index
		name, want string
	}{
		{Columns(), "Médecins", `unknown profession, role or title "Médecins"; nearest: G15|10 Médecin`},
		{Columns(), "Infirmierr", "G15|60 Infirmier"},
		{Columns(), "35", "nearest: G15|31 Assistant dentaire, G15|32 Physicien médical"},
		{Columns(), "R85|10", `unknown profession, role or title "R85|10"`},
		{Columns(), "", `unknown profession, role or title ""`},
		{Columns(), "Astronaute", `unknown profession, role or title "Astronaute"`},
		{Types(), "11488-5", `unknown document type "11488-5"; nearest: LOINC|11488-4`},
		{Types(), "exppat_4", "A05|EXPPAT_1"},
		{Types(), "A05|11488-4", "unknown document type"},
		{Types(), "CR d'anatomie et de cytologie pathologiques", "stands for LOINC|11526-1 CR d'anatomie et de cytologie pathologiques and LOINC|60568-3"},
	} {
		e, err := c.x.Find(c.name)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %s, %v, want %q", c.name, Name(e), err, c.want)
		}
	}
}

// A code alone is enough: no two tables share one.
func TestCodesAreUnique(t *testing.T) {
	for _, x := range []*Index{Columns(), Types()} {
		seen := map[string]bool{}
		for _, e := range x.All() {
			if seen[e.Coding.Code] {
				t.Errorf("%s stands in two tables", e.Coding.Code)
			}
			seen[e.Coding.Code] = true
			if again, ok := x.Of(e.Coding); !ok || again != e {
				t.Errorf("%v is %v", e, again)
			}
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abd", 1}, {"abc", "xabc", 1}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		if got := distance([]rune(c.a), []rune(c.b)); got != c.want {
			t.Errorf("%q, %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
