package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"opendmp/auth"
	second "opendmp/policy/naive"
)

// question is an act that both readings are asked about.
type question struct {
	act    Act
	engine func(Case) Decision                             // the engine's answer, with what a View asks before
	second func(*Case, second.State, second.Settings) bool // that of the second reading
	space  []axis                                          // on the usual case, every combination
}

// callerAxes are what most rules of managing look at, whatever the act.
func callerAxes(more ...axis) []axis {
	return append([]axis{field("Kind"), field("State"), field("Mode"), field("Authorisation"), append(vouching[:], working[1:]...),
		field("Holder"), field("Blocked"), field("MT"), field("OpposedBTG")}, more...)
}

// consentAxes are the same of a Consent.
func consentAxes(more ...axis) []axis {
	return append([]axis{field("Kind"), field("State"), field("Mode"), field("Authorisation"), actors, field("Consent"), forms,
		field("Holder"), field("Blocked"), field("MT"), field("OpposedBTG")}, more...)
}

// writerAxes are what the rules of writing look at of the caller: who sees the document
// is worked out.
func writerAxes(more ...axis) []axis {
	return append([]axis{field("Kind"), some("State", Active, Closed), field("Mode"), some("Authorisation", NonExiste, Valide), some("Cell", Deny, Allow),
		field("Holder"), field("Blocked"), field("MT"), field("Mine")}, more...)
}

// plainly asks the rules about the case as it is.
func plainly(c Case) Decision { return rulebook.decide(c) }

// adding asks about a document that is in the place of no other.
func adding(c Case) Decision {
	c.TakesOver = false
	return rulebook.decide(c)
}

// onDocument asks the rules about an act on a document as View.Change does: of what
// the caller does not see there is nothing to ask.
func onDocument(c Case) Decision {
	read := c
	read.Act = ActRead
	seen := rulebook.decide(read)
	if !seen.Allowed() {
		return seen
	}
	c.Sees = true
	return rulebook.decide(c)
}

// replacing asks as View.Replace does, of a replacement that was given the flags of
// the old document (View.TakeOver).
func replacing(c Case) Decision {
	c.WillMask, c.WillHide, c.WillHideReps = c.WillMask || c.Masked, c.WillHide || c.Hidden, c.WillHideReps || c.HiddenReps
	add := c
	add.Act, add.Status, add.Mine, add.TakesOver = ActAdd, Current, true, true
	return And(rulebook.decide(add), onDocument(c))
}

// relabelling asks as View.Change does, of each flag that differs.
func relabelling(c Case) Decision {
	c.WillHide, c.TakesOver = c.WillHide && !c.Late, false
	var parts []Decision
	for _, flag := range []struct {
		was, will bool
		set, lift Act
	}{
		{c.Masked, c.WillMask, ActMask, ActUnmask},
		{c.Hidden, c.WillHide, ActHide, ActShow},
		{c.HiddenReps, c.WillHideReps, ActHideReps, ActShowReps},
	} {
		if flag.was == flag.will {
			continue
		}
		part := c
		part.Act = flag.set
		if flag.was {
			part.Act = flag.lift
		}
		parts = append(parts, onDocument(part))
	}
	if len(parts) == 0 {
		c.Act = ActTouch
		return onDocument(c)
	}
	return And(parts...)
}

func addition(c *Case) second.Addition {
	return second.Addition{
		AuthorIsCaller: c.Mine && !c.Foreign,
		TypeKnown:      c.Group != UnknownType, ClassKnown: c.Fit != UnknownClass, ClassGoesWithType: c.Fit == OwnClass,
		OfInsurance: c.Insurance, Automatic: c.Kind == auth.Establishment, CMEDecided: c.CMEDecided,
	}
}

// right is an act that the second reading knows by the state alone.
func right(may func(second.State, second.Settings) bool) func(*Case, second.State, second.Settings) bool {
	return func(_ *Case, s second.State, set second.Settings) bool { return may(s, set) }
}

// inOrder is a right, if the request is: that is a formality, of which the second
// reading says nothing.
func inOrder(may func(second.State, second.Settings) bool) func(*Case, second.State, second.Settings) bool {
	return func(c *Case, s second.State, set second.Settings) bool { return !c.BadChange && may(s, set) }
}

var questions = []question{
	{ActReadPatient, plainly, right(second.ReadPatient), callerAxes(field("Grant"), field("OpposedC15"))},
	{ActReadStatus, plainly, right(second.ReadStatus), callerAxes(field("Grant"), field("OpposedC15"))},
	{ActReadConsent, plainly, func(c *Case, s second.State, set second.Settings) bool { return second.ReadConsent(s, set, c.AboutMe) }, callerAxes(field("AboutMe"))},
	{ActReadRelated, plainly, right(second.ReadRelatedPerson), callerAxes()},
	{ActSearchRelated, plainly, right(second.ReadRelatedPerson), callerAxes()},
	{ActHistory, plainly, func(_ *Case, s second.State, set second.Settings) bool {
		return second.ReadHistory(s, set, second.EventOpen)
	}, callerAxes()},

	{ActExplain, onDocument, right(second.Explain), writerAxes(field("Hidden"), field("Grant"), field("OpposedBTG"))},

	{ActAdd, adding, func(c *Case, s second.State, set second.Settings) bool {
		s.Masked, s.HiddenFromPatient, s.HiddenFromReps = c.WillMask, c.WillHide, c.WillHideReps
		return second.Add(s, set, addition(c))
	}, append(fields("Group", "Fit", "Holder", "Mine", "Insurance", "WillMask", "WillHide", "WillHideReps", "Minor", "Secret"),
		field("Kind"), some("Authorisation", NonExiste, Valide), field("FeedOpposed"), field("Blocked"), feeding)},
	{ActReplace, replacing, func(c *Case, s second.State, set second.Settings) bool {
		a := addition(c)
		a.AuthorIsCaller = !c.Foreign
		return second.Replace(s, set, a, second.Labels{Masked: c.WillMask, HiddenFromPatient: c.WillHide, HiddenFromReps: c.WillHideReps})
	}, writerAxes(taking, field("Minor"), field("Secret"), field("Group"))},
	{ActSupersede, onDocument, right(second.Supersede), writerAxes(field("Group"), field("Status"))},
	{ActDelete, onDocument, right(second.Delete), writerAxes(field("Group"), field("Status"))},
	{ActMask, relabelling, func(c *Case, s second.State, set second.Settings) bool { return second.Relabel(s, set, labelsOf(c)) },
		append(fields("Masked", "Hidden", "HiddenReps", "WillMask", "WillHide", "WillHideReps", "MaskedPatient", "Late", "Secret", "Minor", "Options.BothFlags", "MT", "Holder", "Mine"),
			some("Group", Ordinary, FromPatient), field("Kind"), some("Mode", auth.Normal, auth.BrisDeGlace), some("Authorisation", NonExiste, Valide), some("Cell", Deny, Allow))},
	{ActArchive, onDocument, right(second.Archive), writerAxes(field("Group"), field("Status"), field("Hidden"), field("HiddenReps"))},

	{ActOpen, plainly, func(c *Case, s second.State, set second.Settings) bool {
		s.Dossier = second.DossierAbsent // an opening looks at none: the INS is claimed
		return !c.BadChange && !c.BadPeriod && second.Open(s, set, second.Opening{
			QualifiedIdentity: c.Qualified, ConsentStated: c.Informed && !c.Letter, SixWeeksOver: c.Informed && c.Letter,
		})
	}, append(fields("Kind", "Mode", "Authorisation", "Holder", "Blocked", "Secret", "Qualified", "Informed", "Letter", "BadChange", "BadPeriod", "Options.OpenAutomatically"), vouching, working)},
	{ActClose, plainly, inOrder(second.Close), callerAxes(field("Grant"), field("BadChange"))},
	{ActReopen, plainly, func(c *Case, s second.State, set second.Settings) bool {
		return !c.BadChange && second.Reactivate(s, set)
	}, callerAxes(field("Grant"), field("Expired"), field("BadChange"))},
	{ActDestroy, plainly, right(second.Destroy), callerAxes(field("Fresh"), field("Minor"))},
	{ActConsent, plainly, consents, consentAxes(field("Informed"))},
	{ActTeam, plainly, func(c *Case, s second.State, set second.Settings) bool {
		return !c.BadChange && second.ComposeTeam(s, set, c.ForPerson && !c.ForMe)
	}, callerAxes(fields("ForMe", "ForPerson", "Secret", "BadChange")...)},
	{ActNarrowTeam, plainly, inOrder(second.NarrowTeam), callerAxes(fields("Secret", "BadChange", "ForMe")...)},
	{ActReadTeam, plainly, func(c *Case, s second.State, set second.Settings) bool { return second.ReadTeam(s, set, c.AboutMe) }, callerAxes(field("AboutMe"))},
	{ActSearchTeam, plainly, func(c *Case, s second.State, set second.Settings) bool { return second.SearchTeams(s, set, c.AboutMe) }, callerAxes(field("AboutMe"))},
	{ActSearchConsent, plainly, func(c *Case, s second.State, set second.Settings) bool {
		return second.SearchConsents(s, set, c.AboutMe)
	}, callerAxes(field("AboutMe"))},
	{ActSearchTraits, plainly, right(second.SearchTraits), callerAxes()},
	{ActDeath, plainly, inOrder(second.RecordDeath), callerAxes(field("BadChange"))},
	{ActAddRelated, plainly, func(c *Case, s second.State, set second.Settings) bool {
		return second.AddRelatedPerson(s, set, c.State == NoDossier)
	}, callerAxes(field("Fresh"))},
	{ActWithdraw, plainly, withdraws, consentAxes()},
	{ActNameMT, plainly, func(c *Case, s second.State, set second.Settings) bool {
		s.AtPatientsRequest = c.Informed
		return second.NameMT(s, set, c.OnlyMe)
	}, callerAxes(field("Physician"), field("Student"), field("OnlyMe"), field("Informed"))},
	{ActTraits, plainly, right(second.ChangeTraits), callerAxes(field("Grant"))},
	{ActContact, plainly, right(second.ChangeContact), callerAxes(field("Grant"))},
	{ActINS, plainly, func(c *Case, s second.State, set second.Settings) bool {
		return second.ChangeINS(s, set, second.NewINS{QualifiedIdentity: c.Qualified, OfAnotherPerson: c.BadChange})
	}, callerAxes(field("Qualified"), field("BadChange"))},
	{ActAlerts, plainly, right(second.Alerts), callerAxes()},
	{ActEmergency, plainly, func(c *Case, s second.State, set second.Settings) bool {
		s.Physician = c.Professions
		return second.EmergencyGrant(s, set, second.Emergency{CodedCircumstance: c.Justified, WrittenReason: c.Justified})
	}, callerAxes(field("Professions"), field("Justified"), studying)},
}

var (
	feeding = axis{
		func(c *Case) { c.Options = DefaultSettings().options(); c.CMEDecided = true },
		func(c *Case) { c.Options = DefaultSettings().options(); c.CMEDecided = false },
		func(c *Case) { c.Options = DefaultSettings().options(); c.Options.FeedByAuthorisation = true },
		func(c *Case) { c.Options = DefaultSettings().options(); c.Options.BlockForbidsFeeding = true },
		func(c *Case) { c.Options = DefaultSettings().options(); c.Options.BothFlags = true },
		func(c *Case) { c.Options = DefaultSettings().options(); c.Options.ClassMustFit = true },
	}
	taking = axis{
		func(c *Case) {
			c.Masked, c.Hidden, c.HiddenReps, c.WillMask, c.WillHide, c.WillHideReps = false, false, false, false, false, false
		},
		func(c *Case) {
			c.Masked, c.Hidden, c.HiddenReps, c.WillMask, c.WillHide, c.WillHideReps = true, false, false, true, false, false
		},
		func(c *Case) {
			c.Masked, c.Hidden, c.HiddenReps, c.WillMask, c.WillHide, c.WillHideReps = false, true, false, false, true, false
		},
		func(c *Case) {
			c.Masked, c.Hidden, c.HiddenReps, c.WillMask, c.WillHide, c.WillHideReps = false, false, true, false, false, true
		},
		func(c *Case) {
			c.Masked, c.Hidden, c.HiddenReps, c.WillMask, c.WillHide, c.WillHideReps = true, false, true, true, false, true
		},
		func(c *Case) {
			c.Masked, c.Hidden, c.HiddenReps, c.WillMask, c.WillHide, c.WillHideReps = true, true, false, true, true, false
		},
		func(c *Case) {
			c.Masked, c.Hidden, c.HiddenReps, c.WillMask, c.WillHide, c.WillHideReps = false, false, false, true, false, false
		},
	}
	forms = axis{ // what is wrong with the form of a Consent
		func(c *Case) { c.Expired, c.BadPeriod, c.BadChange = false, false, false },
		func(c *Case) { c.Expired, c.BadPeriod, c.BadChange = true, false, false },
		func(c *Case) { c.Expired, c.BadPeriod, c.BadChange = false, true, false },
		func(c *Case) { c.Expired, c.BadPeriod, c.BadChange = false, false, true },
	}
	actors = axis{ // whom a Consent names
		func(c *Case) { naming(c, false, false, false, false, false) },
		func(c *Case) { naming(c, true, false, false, false, false) },
		func(c *Case) { naming(c, true, true, false, false, false) },
		func(c *Case) { naming(c, true, false, true, false, false) },
		func(c *Case) { naming(c, true, true, true, false, false) },
		func(c *Case) { naming(c, false, false, false, true, false) },
		func(c *Case) { naming(c, false, false, false, true, true) },
	}
)

func naming(c *Case, person, me, mt, team, unknown bool) {
	c.ForPerson, c.ForMe, c.ForMT, c.ForTeam, c.NoTeam = person, me, mt, team, unknown
}

func labelsOf(c *Case) second.Labels {
	return second.Labels{Masked: c.WillMask, HiddenFromPatient: c.WillHide && !c.Late, HiddenFromReps: c.WillHideReps}
}

func consents(c *Case, s second.State, set second.Settings) bool {
	if c.BadChange || c.BadPeriod || c.NoTeam {
		return false
	}
	switch c.Consent {
	case Ouverture:
		s.AtPatientsRequest = c.Informed
		return second.Reactivate(s, set)
	case Autorisation:
		switch {
		case c.ForTeam:
			s.AtPatientsRequest = c.Informed
			return second.GiveAuthorisationToTeam(s, set)
		case c.ForMe && !c.patientKind():
			s.AtPatientsRequest = c.Informed
			return second.GiveAuthorisationToSelf(s, set)
		case c.ForPerson:
			return second.GiveAuthorisationToOther(s, set)
		}
		return second.GiveAuthorisationToStructure(s, set)
	case Blocage:
		return second.Block(s, set, c.ForMT)
	case OppositionBrisDeGlace:
		return second.Oppose(s, set, second.ToBrisDeGlace)
	case OppositionCentre15:
		return second.Oppose(s, set, second.ToCentre15)
	case OppositionAlimentation:
		return second.Oppose(s, set, second.ToFeeding)
	case MasquageTotal:
		return second.MaskEverything(s, set)
	}
	return false
}

func withdraws(c *Case, s second.State, set second.Settings) bool {
	if c.BadChange {
		return false
	}
	switch c.Consent {
	case Autorisation:
		return second.WithdrawAuthorisation(s, set)
	case Blocage:
		return second.Unblock(s, set)
	case OppositionBrisDeGlace:
		return second.LiftOpposition(s, set, second.ToBrisDeGlace)
	case OppositionCentre15:
		return second.LiftOpposition(s, set, second.ToCentre15)
	case OppositionAlimentation:
		return second.LiftOpposition(s, set, second.ToFeeding)
	case MasquageTotal:
		return second.MaskEverything(s, set)
	}
	return false
}

func (q *question) alike(c Case) bool {
	return !sayable(&c) || q.engine(c).Allowed() == q.second(&c, stateOf(&c), settingsOf(&c))
}

// complain tells of the cases of which the readings disagree.
func (q *question) complain(t *testing.T) *complaints {
	return &complaints{t: t, seen: map[string]bool{},
		wrong: func(c Case) bool { return !q.alike(c) },
		say: func(c Case) string {
			d := q.engine(c)
			return fmt.Sprintf("allowed %v by %q, the second reading says %v", d.Allowed(), d.Rules(), !d.Allowed())
		}}
}

func (q *question) prove(part space) finding {
	f := finding{table: newGolden()}
	for c := range part.each {
		d := q.engine(c)
		f.table.add(&c, d)
		if sayable(&c) && d.Allowed() != q.second(&c, stateOf(&c), settingsOf(&c)) && len(f.disagree) < fewest {
			f.disagree = append(f.disagree, c)
		}
	}
	return f
}

// Every act that the second reading knows: both agree on every combination of what
// it depends on, and the table is golden.
func TestProofOfActs(t *testing.T) {
	var b strings.Builder
	for i := range questions {
		q := &questions[i]
		s := space{usual(), q.space}
		s.base.Act = q.act
		parts := s.split(1 << 15)
		table, complain := newGolden(), q.complain(t)
		for _, f := range spread(len(parts), func(i int) finding { return q.prove(parts[i]) }) {
			table.join(f.table)
			complain.about(f.disagree)
		}
		fmt.Fprintf(&b, "\n%s : %d cas, sha256 %s\n%s", wordOf(q.act), table.n, table.sum(),
			table.summary([3]string{Full: "oui", None: "non"}, func(c [3]int) bool { return c[Full] > 0 }))
	}
	sameAsGolden(t, "testdata/golden/actes.txt", "# Les décisions, acte par acte ; qui n’y est pas est refusé dans tous les cas.\n"+b.String())
}

// searchSaid is the answer to a search, in the words of the second reading.
func searchSaid(c *Case, d Decision) second.SearchAnswer {
	switch {
	case d.Extent() == Full:
		return second.All
	case d.Extent() == Metadata:
		return second.OwnOnly
	case d.Refusal() == Hidden:
		return second.RefusedAsAbsent
	case kindsSaid[c.Kind] == second.None:
		return second.Refused401 // before anybody asks the policy
	}
	return second.Refused403
}

// A search of documents by patient is answered alike by both, to the class of its
// refusal (POLICY §7).
func TestProofOfSearch(t *testing.T) {
	s := space{usual(), callerAxes(fields("Grant", "OpposedC15", "ByIdentifier")...)}
	s.base.Act = ActSearch
	complain := complaints{t: t, seen: map[string]bool{},
		wrong: func(c Case) bool {
			said := second.SearchDocuments(stateOf(&c), settingsOf(&c), c.ByIdentifier)
			return sayable(&c) && said != second.Refused401 && said != searchSaid(&c, rulebook.decide(c))
		},
		say: func(c Case) string {
			d := rulebook.decide(c)
			return fmt.Sprintf("extent %d, class %d by %q, the second reading says %d", d.Extent(), d.Refusal(), d.Rules(), second.SearchDocuments(stateOf(&c), settingsOf(&c), c.ByIdentifier))
		}}
	for c := range s.each {
		if complain.wrong(c) {
			complain.about([]Case{c})
		}
	}
}

// The history is one of each class of event to both (G09).
func TestProofOfHistory(t *testing.T) {
	e := sandboxEngine(t, nil)
	for _, dossier := range []string{"alix", "claire", "emma"} {
		for _, who := range []string{"patient-alix", "patient-claire", "patient-emma", "representative-lambert", "medecin-martin", "medecin-durand", "hopital-nord", "operateur"} {
			v := e.view(cast(t, who), castDossier(t, dossier).record(), noon)
			_, classes := v.History()
			state := stateOf(&v.base)
			for class, said := range map[Class]second.EventClass{Open: second.EventOpen, Withheld: second.EventWithheld, Secret: second.EventSecret} {
				if got, want := slices.Contains(classes, class), second.ReadHistory(state, settingsOf(&v.base), said); got != want {
					t.Errorf("%s, %s, events of class %d: %v, the second reading says %v", who, dossier, class, got, want)
				}
			}
		}
	}
}

// anyCase is a case of an act in which about a third of the fields have any value.
func anyCase(r *rand.Rand, a Act) Case {
	c := usual()
	c.Act = a
	for _, values := range everyField() {
		if r.IntN(3) == 0 {
			values[r.IntN(len(values))](&c)
		}
	}
	return c
}

// The same where anything else differs too: all pairs of fields around the cases of
// the tables, and cases at random, always the same ones.
func TestBothReadingsElsewhere(t *testing.T) {
	cases := ruleCases(t)
	found := spread(len(questions), func(i int) []Case {
		q := &questions[i]
		var disagree []Case
		look := func(c Case) {
			if len(disagree) < 20 && !q.alike(c) {
				disagree = append(disagree, c)
			}
		}
		around := 0
		for _, k := range cases {
			if k.c.Act == q.act && around < 8 {
				around++
				for c := range near(k.c) {
					look(c)
				}
			}
		}
		r := rand.New(rand.NewPCG(5, uint64(q.act)))
		for range 30_000 {
			look(anyCase(r, q.act))
		}
		return disagree
	})
	for i, disagree := range found {
		questions[i].complain(t).about(disagree)
	}
}
