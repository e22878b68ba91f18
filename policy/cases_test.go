package policy

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"opendmp/auth"
)

// ruleCase is one line of testdata/regles: what the rules say of one case.
type ruleCase struct {
	where string // file:line
	rule  string // that the line is about
	c     Case
	want  string
	rules []string
}

var actWords = map[string]Act{
	"lire": ActRead, "lire la liste": ActReadList, "lire la provenance": ActReadProvenance,
	"lire le patient": ActReadPatient, "état": ActReadStatus, "lire le consentement": ActReadConsent,
	"lire le représentant": ActReadRelated, "chercher": ActSearch,
	"lire l'équipe": ActReadTeam, "chercher les équipes": ActSearchTeam,
	"composer une équipe": ActTeam, "réduire une équipe": ActNarrowTeam,
	"chercher les consentements": ActSearchConsent, "chercher les représentants": ActSearchRelated, "chercher par traits": ActSearchTraits,
	"historique": ActHistory, "expliquer": ActExplain,
	"ajouter": ActAdd, "ajouter une liste": ActAddList, "remplacer": ActReplace,
	"passer à remplacé": ActSupersede, "supprimer": ActDelete, "changer le statut": ActStatus,
	"masquer": ActMask, "démasquer": ActUnmask, "cacher": ActHide, "montrer": ActShow,
	"cacher aux représentants": ActHideReps, "montrer aux représentants": ActShowReps,
	"archiver": ActArchive, "archiver une liste": ActArchiveList, "ne rien changer": ActTouch, "modifier": ActPatch,
	"ouvrir": ActOpen, "fermer": ActClose, "rouvrir": ActReopen, "détruire": ActDestroy,
	"consentir": ActConsent, "retirer": ActWithdraw, "désigner un traitant": ActNameMT,
	"traits": ActTraits, "coordonnées": ActContact, "changer l'INS": ActINS, "décès": ActDeath, "autre élément": ActElement, "alertes": ActAlerts,
	"inscrire un représentant": ActAddRelated, "urgence": ActEmergency,
}

var kindWords = map[string]auth.Kind{
	"personne": auth.Nobody, "patient": auth.Patient, "représentant": auth.Representative,
	"professionnel": auth.Professional, "régulateur": auth.Regulator, "établissement": auth.Establishment,
	"administratif": auth.Administrative, "assurance": auth.InsuranceFeeder, "opérateur": auth.Operator,
	"inconnu": auth.Operator + 1,
}

var conditionWords = map[string]func(*Case){
	"titulaire":          func(c *Case) { c.Holder = true },
	"AIR":                func(c *Case) { c.Vouched = true },
	"médecin du travail": func(c *Case) { c.Occupational = true },
	"étudiant":           func(c *Case) { c.Student = true },
	"médecin":            func(c *Case) { c.Physician = true },
	"secrète":            func(c *Case) { c.Secret = true },
	"second facteur":     func(c *Case) { c.Fresh = true },
	"sans décision CME":  func(c *Case) { c.CMEDecided = false },
	"bris de glace":      func(c *Case) { c.Mode = auth.BrisDeGlace },
	"centre 15":          func(c *Case) { c.Mode = auth.Centre15 },

	"sans dossier":                 func(c *Case) { c.State = NoDossier },
	"fermé":                        func(c *Case) { c.State = Closed },
	"détruit":                      func(c *Case) { c.State = Destroyed },
	"VALIDE":                       func(c *Case) { c.Authorisation = Valide },
	"EXPIRE":                       func(c *Case) { c.Authorisation = Expire },
	"personnelle":                  func(c *Case) { c.Personal = true },
	"bloqué":                       func(c *Case) { c.Blocked = true },
	"traitant":                     func(c *Case) { c.MT = true },
	"accès ouvert":                 func(c *Case) { c.Grant = true },
	"opposé alimentation":          func(c *Case) { c.FeedOpposed = true },
	"opposé bris":                  func(c *Case) { c.OpposedBTG = true },
	"opposé 15":                    func(c *Case) { c.OpposedC15 = true },
	"tout masqué":                  func(c *Case) { c.MaskAll = true },
	"mineur":                       func(c *Case) { c.Minor = true },
	"cellule oui":                  func(c *Case) { c.Cell = Allow },
	"cellule non":                  func(c *Case) { c.Cell = Deny },
	"type inconnu":                 func(c *Case) { c.Group = UnknownType },
	"document de patient":          func(c *Case) { c.Group = FromPatient },
	"REMB":                         func(c *Case) { c.Group = Reimbursement },
	"type AM":                      func(c *Case) { c.Insurance = true },
	"classe inconnue":              func(c *Case) { c.Fit = UnknownClass },
	"classe autre":                 func(c *Case) { c.Fit = OtherClass },
	"remplacé":                     func(c *Case) { c.Status = Superseded },
	"supprimé":                     func(c *Case) { c.Status = Deleted },
	"statut inconnu":               func(c *Case) { c.Status = NoStatus },
	"masqué":                       func(c *Case) { c.Masked = true },
	"masqué par le patient":        func(c *Case) { c.MaskedPatient = true },
	"invisible patient":            func(c *Case) { c.Hidden = true },
	"invisible représentants":      func(c *Case) { c.HiddenReps = true },
	"auteur":                       func(c *Case) { c.Mine = true },
	"autre auteur":                 func(c *Case) { c.Foreign = true },
	"déposé par sa structure":      func(c *Case) { c.Deposited = true },
	"ne voit pas":                  func(c *Case) { c.Sees = false },
	"sera masqué":                  func(c *Case) { c.WillMask = true },
	"sera invisible patient":       func(c *Case) { c.WillHide = true },
	"sera invisible représentants": func(c *Case) { c.WillHideReps = true },
	"délai passé":                  func(c *Case) { c.Late = true },
	"hors liste":                   func(c *Case) { c.Outside = true },
	"remplaçant":                   func(c *Case) { c.TakesOver = true },

	"par identifiant":    func(c *Case) { c.ByIdentifier = true },
	"le concerne":        func(c *Case) { c.AboutMe = true },
	"pour lui":           func(c *Case) { c.ForMe = true },
	"pour une personne":  func(c *Case) { c.ForPerson = true },
	"pour une équipe":    func(c *Case) { c.ForTeam = true },
	"équipe inconnue":    func(c *Case) { c.NoTeam = true },
	"pour un traitant":   func(c *Case) { c.ForMT = true },
	"période mauvaise":   func(c *Case) { c.BadPeriod = true },
	"changement mauvais": func(c *Case) { c.BadChange = true },
	"identité qualifiée": func(c *Case) { c.Qualified = true },
	"informé":            func(c *Case) { c.Informed = true },
	"par lettre":         func(c *Case) { c.Letter = true },
	"lui seul":           func(c *Case) { c.OnlyMe = true },
	"dix ans passés":     func(c *Case) { c.Expired = true },
	"profession admise":  func(c *Case) { c.Professions = true },
	"justifié":           func(c *Case) { c.Justified = true },

	"sans sorte":              func(c *Case) { c.Consent = NoKind },
	"ouverture":               func(c *Case) { c.Consent = Ouverture },
	"autorisation":            func(c *Case) { c.Consent = Autorisation },
	"blocage":                 func(c *Case) { c.Consent = Blocage },
	"opposition bris":         func(c *Case) { c.Consent = OppositionBrisDeGlace },
	"opposition 15":           func(c *Case) { c.Consent = OppositionCentre15 },
	"opposition alimentation": func(c *Case) { c.Consent = OppositionAlimentation },
	"masquage total":          func(c *Case) { c.Consent = MasquageTotal },
	"accès d'urgence":         func(c *Case) { c.Consent = AccesUrgence },

	"réglage air":                func(c *Case) { c.Options.AIR = true },
	"réglage médecin du travail": func(c *Case) { c.Options.OccupationalByConsent = true },
	"réglage étudiants":          func(c *Case) { c.Options.Students = true },
	"réglage alimentation":       func(c *Case) { c.Options.FeedByAuthorisation = true },
	"réglage blocage":            func(c *Case) { c.Options.BlockForbidsFeeding = true },
	"réglage cumul":              func(c *Case) { c.Options.BothFlags = true },
	"réglage classe":             func(c *Case) { c.Options.ClassMustFit = true },
	"réglage masquage-mt non":    func(c *Case) { c.Options.MaskAllSparesMT = false },
	"réglage ouverture":          func(c *Case) { c.Options.OpenAutomatically = true },
}

// usual is the case that the lines of the tables start from.
func usual() Case {
	return Case{
		State: Active, Group: Ordinary, Fit: OwnClass, Status: Current, Sees: true, CMEDecided: true,
		Options: DefaultSettings().options(),
	}
}

// answer is the outcome of a decision in the words of the tables.
func answer(a Act, d Decision) string {
	switch {
	case d.Extent() == Metadata:
		return "métadonnées"
	case d.Extent() == Full && a <= ActHistory:
		return "entier"
	case d.Extent() == Full:
		return "oui"
	}
	return [...]string{Hidden: "404", Forbidden: "403", NotMethod: "405", Unprocessable: "422"}[d.Refusal()]
}

// columns cuts a line of a table; nil for comments and empty lines.
func columns(t *testing.T, where, line string, n int) []string {
	t.Helper()
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return nil
	}
	cols := strings.Split(line, "|")
	if len(cols) != n {
		t.Fatalf("%s: %d columns, not %d", where, len(cols), n)
	}
	for i := range cols {
		cols[i] = strings.TrimSpace(cols[i])
	}
	return cols
}

func listed(s string) []string {
	if s == "-" {
		return nil
	}
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// lines yields the lines of the files that match, with where they are.
func lines(t *testing.T, pattern string, yield func(where, line string)) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		s := bufio.NewScanner(f)
		for n := 1; s.Scan(); n++ {
			yield(fmt.Sprintf("%s:%d", filepath.Base(name), n), s.Text())
		}
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func ruleCases(t *testing.T) []ruleCase {
	t.Helper()
	var cases []ruleCase
	lines(t, "testdata/regles/*.txt", func(where, line string) {
		cols := columns(t, where, line, 6)
		if cols == nil {
			return
		}
		k := ruleCase{where: where, rule: cols[0], c: usual(), want: cols[4], rules: listed(cols[5])}
		var ok bool
		if k.c.Act, ok = actWords[cols[1]]; !ok {
			t.Fatalf("%s: act %q", where, cols[1])
		}
		if k.c.Kind, ok = kindWords[cols[2]]; !ok {
			t.Fatalf("%s: caller %q", where, cols[2])
		}
		for _, word := range listed(cols[3]) {
			apply, ok := conditionWords[word]
			if !ok {
				t.Fatalf("%s: condition %q", where, word)
			}
			apply(&k.c)
		}
		cases = append(cases, k)
	})
	return cases
}

// check returns what is wrong with a book's answer, "" if nothing is.
func (k ruleCase) check(b *book) string {
	d := b.decide(k.c)
	if got := answer(k.c.Act, d); got != k.want || !slices.Equal(d.Rules(), k.rules) {
		return fmt.Sprintf("%s: %s by %q, want %s by %q", k.where, got, d.Rules(), k.want, k.rules)
	}
	return ""
}

func TestRules(t *testing.T) {
	for _, k := range ruleCases(t) {
		if wrong := k.check(rulebook); wrong != "" {
			t.Error(wrong)
		}
	}
}

// Every rule has a case that it decides, and cases for and against: among those
// about it some are allowed and some refused.
func TestEveryRuleHasCases(t *testing.T) {
	type cases struct{ decided, allowed, refused bool }
	about := map[string]cases{}
	for _, k := range ruleCases(t) {
		a := about[k.rule]
		a.decided = a.decided || slices.Contains(k.rules, k.rule)
		refused := k.want[0] == '4'
		a.refused, a.allowed = a.refused || refused, a.allowed || !refused
		about[k.rule] = a
	}
	for _, r := range Rules() {
		if a := about[r.ID]; !a.decided || !a.allowed || !a.refused {
			t.Errorf("%s: cases decided by it %v, allowed %v, refused %v", r.ID, a.decided, a.allowed, a.refused)
		}
		if r.Sentence.FR == "" || r.Sentence.EN == "" || r.Source == "" {
			t.Errorf("%s: sentence or source missing", r.ID)
		}
	}
}

// A rule that is dropped, inverted or always refuses makes a case fail: no row of
// the table is there for nothing.
func TestEveryRowMatters(t *testing.T) {
	cases := ruleCases(t)
	for i := range table {
		for name, change := range map[string]func(Effect) Effect{
			"dropped":  func(Effect) Effect { return Silent },
			"inverted": inverted,
		} {
			rules := slices.Clone(table)
			judge := rules[i].judge
			rules[i].judge = func(c Case) Effect { return change(judge(c)) }
			b := newBook(rules)
			if !slices.ContainsFunc(cases, func(k ruleCase) bool { return k.check(b) != "" }) {
				t.Errorf("row %d (%s) %s: no case fails", i, rules[i].id, name)
			}
		}
	}
}

func inverted(e Effect) Effect {
	switch e {
	case Refuse, Limit:
		return Permit
	case Permit, PermitBrief:
		return Refuse
	}
	return e
}
