package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
)

// scene is the state of a table of testdata/scenes at one line.
type scene struct {
	t       *testing.T
	where   string
	dossier *dossier
	record  *Record
	at      time.Time
	change  []func(*Settings)
	engine  *Engine
	build   func(func(*Settings)) *Engine
	callers map[string]func(*caller)
}

func TestScenes(t *testing.T) {
	for _, wrong := range playScenes(t, func(change func(*Settings)) *Engine { return sandboxEngine(t, change) }) {
		t.Error(wrong)
	}
}

// playScenes plays every scene with engines of one's own, and returns the lines that
// end otherwise than they say.
func playScenes(t *testing.T, build func(func(*Settings)) *Engine) (wrong []string) {
	t.Helper()
	var s *scene
	lines(t, "testdata/scenes/*.txt", func(where, line string) {
		line = strings.TrimSpace(line)
		if directive, ok := strings.CutPrefix(line, "@ "); ok {
			if name, ok := strings.CutPrefix(directive, "dossier "); ok {
				s = &scene{t: t, dossier: castDossier(t, name), at: noon, build: build, callers: map[string]func(*caller){}}
				s.record, s.engine = s.dossier.record(), build(nil)
				return
			}
			s.where = where
			s.direct(strings.Fields(directive))
			return
		}
		cols := columns(t, where, line, 5)
		if cols == nil {
			return
		}
		s.where = where
		a, d := s.play(cols[0], cols[1], cols[2])
		if got := answer(a, d); got != cols[3] || !slices.Equal(d.Rules(), listed(cols[4])) {
			wrong = append(wrong, fmt.Sprintf("%s: %s %s %s: %s by %q", where, cols[0], cols[1], cols[2], got, d.Rules()))
		}
	})
	return wrong
}

func (s *scene) direct(words []string) {
	switch words[0] {
	case "à":
		at, err := time.Parse(time.RFC3339, words[1])
		if err != nil {
			s.t.Fatalf("%s: %v", s.where, err)
		}
		s.at = at
	case "consentement":
		words = append(words, "", "", "")
		s.dossier.consent(s.t, consentKindOf(words[1]), words[2], words[3], words[4])
		s.record = s.dossier.record()
	case "mode":
		mode := map[string]auth.Mode{"bris_de_glace": auth.BrisDeGlace, "centre_15": auth.Centre15}[words[2]]
		s.callers[words[1]] = func(k *caller) { k.mode = mode }
	case "secrète":
		s.callers[words[1]] = func(k *caller) { k.secret = true }
	case "réglage":
		s.set(strings.Join(words[1:], " "))
	default:
		s.t.Fatalf("%s: directive %q", s.where, words)
	}
}

func (s *scene) set(name string) {
	changes := map[string]func(*Settings){
		"masquage-total-mt non":         func(s *Settings) { s.MaskAllSparesMT = false },
		"occupational-physician":        func(s *Settings) { s.Occupational = OccupationalByConsent },
		"étudiants non":                 func(s *Settings) { s.Students = false },
		"blocage-interdit-alimentation": func(s *Settings) { s.BlockForbidsFeeding = true },
		"alimentation-sur-autorisation": func(s *Settings) { s.FeedByAuthorisation = true },
		"cumul-invisible-masque":        func(s *Settings) { s.BothFlags = true },
	}
	change, ok := changes[name]
	if !ok {
		s.t.Fatalf("%s: setting %q", s.where, name)
	}
	s.change = append(s.change, change)
	s.engine = s.build(func(st *Settings) {
		for _, c := range s.change {
			c(st)
		}
	})
}

// view is the situation of someone of the cast.
func (s *scene) view(who string) *View {
	k := cast(s.t, who)
	if change := s.callers[who]; change != nil {
		change(&k)
	}
	return s.engine.view(k, s.record, s.at)
}

// play returns the decision on what a line says, and an act of its sort.
func (s *scene) play(who, what, on string) (Act, Decision) {
	v := s.view(who)
	verb, more, _ := strings.Cut(what, " ")
	author := who
	if name, ok := strings.CutPrefix(more, "pour "); ok {
		author = name
	}
	switch verb {
	case "lit":
		return ActRead, v.Read(s.index(on))
	case "cherche":
		return ActSearch, v.Search(on, more == "par identifiant")
	case "état":
		return ActReadStatus, v.Search("Patient", false)
	case "historique":
		d, _ := v.History()
		return ActHistory, d
	case "statut":
		if got := v.Situation().Authorisation.String(); got != on {
			s.t.Errorf("%s: status %s", s.where, got)
		}
		return ActTouch, Decision{extent: Full}
	case "urgence":
		return ActEmergency, v.Emergency(auth.Coding{System: SystemCircumstance, Code: "hors-etat-de-consentir"}, "Patiente inconsciente.")
	case "ajoute":
		words := strings.Fields(on)
		return ActAdd, v.Add(s.facts(docSpec{id: "nouveau", typ: words[0], author: author, labels: words[1:]}))
	case "remplace":
		old := s.record.Subject(s.index(on)).Facts
		return ActReplace, v.Replace(old, s.facts(docSpec{id: "nouveau", typ: old.docType.Code, author: author}))
	case "rouvre":
		before := s.record.Subject(s.index("Patient/" + s.dossier.name)).Facts
		after := before
		after.person.active = true
		return ActReopen, v.ChangePatient(before, after, []string{"active"})
	}
	return ActTouch, s.change1(v, verb, more, on)
}

// change1 plays what changes one document or list.
func (s *scene) change1(v *View, verb, more, on string) Decision {
	before := s.record.Subject(s.index(on)).Facts
	after := before
	switch verb {
	case "supprime":
		return v.Delete(before)
	case "archive":
		after.archived = !after.archived
	case "passe":
		after.status = map[string]Status{"à remplacé": Superseded, "à courant": Current}[more]
	case "marque":
		after.flags = Flags{strings.Contains(more, "MASQUE_PS"), strings.Contains(more, "INVISIBLE_PATIENT"), strings.Contains(more, "INVISIBLE_REP")}
	default:
		s.t.Fatalf("%s: verb %q", s.where, verb)
	}
	return v.Change(before, after)
}

func (s *scene) facts(d docSpec) Facts {
	return facts(s.t, d.json(s.dossier.name), Origin{Deposited: s.at})
}

func (s *scene) index(on string) int {
	if !strings.Contains(on, "/") {
		on = "DocumentReference/" + on
	}
	i, ok := s.record.Index(on)
	if !ok {
		s.t.Fatalf("%s: no %s in the dossier", s.where, on)
	}
	return i
}
