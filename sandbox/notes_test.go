package sandbox

import (
	"regexp"
	"strings"
	"testing"

	"opendmp/auth"
)

// Every persona is told about in one sentence, and a name in it is one of the cast.
func TestNotes(t *testing.T) {
	names := regexp.MustCompile(`\b[a-z]+(-[a-z]+)?-(martin|durand|leroy|petit|roche|dubois|moreau|roux|faure|blanc|noel|colin|simon|garnier|exemple|nord|sud|lambert)\b`)
	for _, p := range Personas() {
		note := p.Note()
		if !strings.HasSuffix(note, ".") || strings.Contains(note, "\n") || strings.Count(note, ". ") > 0 {
			t.Errorf("%s: note %q", p.Key, note)
		}
		for _, name := range names.FindAllString(note, -1) {
			if _, ok := Lookup(name); !ok {
				t.Errorf("%s: the note names %q, who is not of the cast", p.Key, name)
			}
		}
		if p.KindFR() == "" {
			t.Errorf("%s: kind %v has no French name", p.Key, p.Kind)
		}
	}
	if (Persona{Key: "nobody"}).Note() != "" {
		t.Error("a note on nobody")
	}
}

// The authorisations that the note on Alix tells of are those of the script.
func TestNoteOfAlixIsTrue(t *testing.T) {
	note := persona("patient-alix").Note()
	count := 0
	for _, s := range script(t, Config{Now: present}) {
		if who, ok := strings.CutPrefix(s.Note, "autorise "); ok && s.As == "patient-alix" && s.At.Equal(present.UTC()) {
			count++
			if !strings.Contains(note, who) {
				t.Errorf("the note does not name %s", who)
			}
		}
	}
	if count != 7 {
		t.Errorf("%d authorisations", count)
	}
}

func TestWorkplace(t *testing.T) {
	ids, name := persona("medecin-durand").Workplace()
	if len(ids) != 2 || name != "Hôpital Nord" ||
		auth.FormatIdent(ids[0]) != "urn:oid:1.2.250.1.71.4.2.2|1750000001" || auth.FormatIdent(ids[1]) != systemFINESS+"|750000001" {
		t.Errorf("%v %q", ids, name)
	}
	if ids, name := persona("patient-alix").Workplace(); ids != nil || name != "" {
		t.Errorf("%v %q", ids, name)
	}
}
