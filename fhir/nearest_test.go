package fhir

import (
	"errors"
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"patient", "patient.identifier", "date", "status", "_count"}
	for wrong, want := range map[string]string{
		"patient.identifer": "patient.identifier",
		"pateint":           "patient",
		"_cuont":            "_count",
		"statut":            "status",
		"dat":               "date",
		"at":                "",
		"birthdate":         "",
		"":                  "",
	} {
		if got := nearest(wrong, known); got != want {
			t.Errorf("%q: %q, want %q", wrong, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "ac", 1}, {"ab", "ba", 2}, {"abcd", "a", maxTypos + 1}} {
		if got := typos(c.a, c.b); got != c.want {
			t.Errorf("%q %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// An unknown parameter is refused by its name, with the one that was meant; what
// cannot be shown is not.
func TestUnknownParameterSaysWhichWasMeant(t *testing.T) {
	for query, want := range map[string]string{
		"patient.identifer=x|1": "Paramètre « patient.identifer » inconnu (« patient.identifier » ?) ; aucun paramètre n’est ignoré, la liste est dans /metadata.",
		"statut=current":        "Paramètre « statut » inconnu (« status » ?) ; aucun paramètre n’est ignoré, la liste est dans /metadata.",
		"favourite=1":           "Paramètre « favourite » inconnu ; aucun paramètre n’est ignoré, la liste est dans /metadata.",
		"%22=1":                 "Paramètre inconnu ; aucun paramètre n’est ignoré, la liste est dans /metadata.",
	} {
		_, err := Base("http://x/fhir").ParseQuery("DocumentReference", query)
		var bad *Invalid
		if !errors.As(err, &bad) || bad.Issues[0].Text.FR != want {
			t.Errorf("%s: %+v", query, err)
			continue
		}
		if en := bad.Issues[0].Text.EN; !strings.Contains(en, "nknown parameter") && !strings.Contains(en, "no parameter") {
			t.Errorf("%s: %s", query, en)
		}
	}
}
