package demo

import (
	"encoding/json"
	"strings"
	"testing"
)

// A line of the history says who did what in French, and what was out of the
// ordinary.
func TestLinesOfTheHistory(t *testing.T) {
	for _, c := range []struct{ subtype, purpose, want string }{
		{`[{"code":"search"},{"code":"ITI-67"}]`, `[{"coding":[{"code":"normal"}]}]`, "Dr X  recherche  Autorisé"},
		{`[{"code":"search"},{"code":"110101"}]`, `[]`, "Dr X  consultation de l’historique  Autorisé"},
		{`[{"code":"AuthZ-Consent"}]`, `[{"coding":[{"code":"bris_de_glace"}],"text":"raison"}]`, "Dr X  bris de glace  Autorisé  mode bris de glace, motif « raison »"},
		{`[{"code":"new-one"}]`, `[{"coding":[{"code":"COC"}]}]`, "Dr X  new-one  Autorisé  COC"},
		{`[]`, `[{"coding":[{"code":"normal"}],"text":"raison"}]`, "Dr X  ?  Autorisé  motif « raison »"},
	} {
		var e event
		text := `{"recorded":"2026-01-02T10:00:00Z","outcomeDesc":"Autorisé","agent":[{"name":"Server"},{"name":"Dr X","requestor":true}],"subtype":` + c.subtype + `,"purposeOfEvent":` + c.purpose + `}`
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		_, line, _ := strings.Cut(e.String(), "  ") // after the time, which is local
		var words []string
		for _, w := range strings.Split(line, "  ") {
			if w = strings.TrimSpace(w); w != "" {
				words = append(words, w)
			}
		}
		if got := strings.Join(words, "  "); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
