package dossier_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A document has a hundred identifiers and a hundred relations at most, however it is
// published.
func TestDocumentIsBounded(t *testing.T) {
	s := newScene(t)
	single := fixture(t, "pdsm4dmp/DocumentReference-example-td2-iti105-publication-simplifiee.json")
	many := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	number := 0
	with := func(push, name string, n int) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(`{"system":"urn:oid:1.2.3","value":"%d-%d"}`, number, i)
			if name == "relatesTo" {
				items[i] = fmt.Sprintf(`{"code":"appends","target":{"identifier":{"value":"%d"}}}`, i)
			}
		}
		number++
		push = strings.ReplaceAll(push, "99999.", fmt.Sprintf("99999.7%d.", number))
		return strings.Replace(push, `"masterIdentifier"`, `"`+name+`":[`+strings.Join(items, ",")+`],"masterIdentifier"`, 1)
	}
	for _, name := range []string{"identifier", "relatesTo"} {
		for path, push := range map[string]string{"DocumentReference": single, "": many} {
			s.author.post(path, with(push, name, 101)).is(422)
			a := s.author.post(path, with(push, name, 100))
			if !slices.Contains([]int{200, 201}, a.Status()) {
				t.Errorf("%q with 100 %s: %d %.500s", path, name, a.Status(), a.body)
			}
		}
	}
}
