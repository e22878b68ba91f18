package policy

import (
	"flag"
	"math/rand/v2"
	"testing"

	"opendmp/auth"
)

var update = flag.Bool("update", false, "write the golden files anew")

// law is a sentence that holds on every case. It returns what is wrong, "" if
// nothing is. allowed is how much a case permits.
type law struct {
	name   string
	broken func(c Case, extent Extent, of func(Case) Extent) bool
}

// widens tells whether the case permits more than it would without a flag that it
// has.
func widens(c Case, flag func(*Case) *bool, e Extent, of func(Case) Extent) bool {
	return e != None && without(c, flag, e, of)
}

func without(c Case, flag func(*Case) *bool, e Extent, of func(Case) Extent) bool {
	if !*flag(&c) {
		return false
	}
	*flag(&c) = false
	return e > of(c)
}

// inTheMatrix tells whether the matrix allows the caller the type of the document.
func inTheMatrix(c Case) bool {
	return c.Cell == Allow && c.Group != UnknownType && (!c.Student || c.Options.Students)
}

var readingLaws = []law{
	{"masking never widens access", func(c Case, e Extent, of func(Case) Extent) bool {
		return widens(c, func(c *Case) *bool { return &c.Masked }, e, of)
	}},
	{"hiding everything never widens access", func(c Case, e Extent, of func(Case) Extent) bool {
		return widens(c, func(c *Case) *bool { return &c.MaskAll }, e, of)
	}},
	{"no flag, block, opposition or who vouches widens access", func(c Case, e Extent, of func(Case) Extent) bool {
		for _, flag := range []func(*Case) *bool{
			func(c *Case) *bool { return &c.Hidden }, func(c *Case) *bool { return &c.HiddenReps }, func(c *Case) *bool { return &c.Blocked },
			func(c *Case) *bool { return &c.OpposedBTG }, func(c *Case) *bool { return &c.OpposedC15 },
			func(c *Case) *bool { return &c.Vouched }, func(c *Case) *bool { return &c.Student }, func(c *Case) *bool { return &c.Occupational },
		} {
			if widens(c, flag, e, of) {
				return true
			}
		}
		return false
	}},
	{"a closed dossier lets no one in", func(c Case, e Extent, of func(Case) Extent) bool {
		return c.State != Active && e != None
	}},
	{"a blocked professional never reads", func(c Case, e Extent, of func(Case) Extent) bool {
		return c.Blocked && !c.patientKind() && e != None
	}},
	{"nobody and the operator see nothing", func(c Case, e Extent, of func(Case) Extent) bool {
		return (c.Kind == auth.Nobody || c.Kind >= auth.Operator) && e != None
	}},
	{"the patient never sees what is hidden from them before its end", func(c Case, e Extent, of func(Case) Extent) bool {
		return c.patientKind() && c.Hidden && e != None
	}},
	{"a representative never sees what is hidden from representatives", func(c Case, e Extent, of func(Case) Extent) bool {
		return c.Kind == auth.Representative && c.HiddenReps && e != None
	}},
	{"nobody reads as patient or representative who is not", func(c Case, e Extent, of func(Case) Extent) bool {
		return c.patientKind() && !c.Holder && e != None
	}},
	{"systems read metadata of their own, at most", func(c Case, e Extent, of func(Case) Extent) bool {
		return c.system() && (e == Full || e != None && !c.Mine)
	}},
	{"a deleted document is gone", func(c Case, e Extent, of func(Case) Extent) bool {
		return c.Status == Deleted && e != None
	}},
	{"the content of what the matrix does not allow needs authorship or a médecin traitant", func(c Case, e Extent, of func(Case) Extent) bool {
		return c.carer() && !inTheMatrix(c) && !c.Mine && !c.MT && e != None
	}},
	{"without authorisation, grant or centre 15 nobody reads the content", func(c Case, e Extent, of func(Case) Extent) bool {
		entitled := c.Authorisation == Valide || c.MT || c.Grant && c.Mode == auth.BrisDeGlace || c.Kind == auth.Regulator && c.Mode == auth.Centre15
		return c.carer() && e == Full && !entitled
	}},
	{"what is masked is read by author, depositor and médecin traitant only", func(c Case, e Extent, of func(Case) Extent) bool {
		return c.carer() && (c.Masked || c.MaskAll) && e != None && !c.Mine && !c.Deposited && !c.MT
	}},
	// An open grant does what VALIDE does, and nothing more: but for the author
	// whom the matrix refuses, who keeps the metadata that they have anyway.
	{"bris de glace changes only what L11 says", func(c Case, e Extent, of func(Case) Extent) bool {
		if c.Kind != auth.Professional || c.Mode != auth.BrisDeGlace {
			return false
		}
		if c.Vouched || c.Occupational {
			return e != None
		}
		n := c
		n.Mode = auth.Normal
		if !c.Grant || c.OpposedBTG { // no grant: what an author has, and no more
			n.Authorisation, n.MT = NonExiste, false
			return e > of(n)
		}
		n.Authorisation = Valide
		if c.Mine && !inTheMatrix(c) && !c.MT && c.Authorisation != Valide {
			return e != min(of(n), Metadata)
		}
		return e != of(n)
	}},
	{"centre 15 changes only what L12 says", func(c Case, e Extent, of func(Case) Extent) bool {
		if c.Kind != auth.Regulator || c.Mode != auth.Centre15 {
			return false
		}
		if c.OpposedC15 || c.Vouched || c.Occupational {
			return e != None
		}
		n := c
		n.Kind, n.Mode, n.Authorisation = auth.Professional, auth.Normal, Valide
		if c.Mine && !inTheMatrix(c) && !c.MT && c.Authorisation != Valide {
			return e != min(of(n), Metadata)
		}
		return e != of(n)
	}},
	{"the mode of another kind gives nothing", func(c Case, e Extent, of func(Case) Extent) bool {
		foreign := c.Kind == auth.Regulator && c.Mode == auth.BrisDeGlace || c.Kind == auth.Professional && c.Mode == auth.Centre15
		return foreign && e == Full
	}},
}

// randomCase is any case at all, values out of range among them.
func randomCase(r *rand.Rand) Case {
	b := func() bool { return r.IntN(2) == 0 }
	rare := func() bool { return r.IntN(8) == 0 }
	n := func(most int) uint8 { return uint8(r.IntN(most + 2)) }
	return Case{
		Act: Act(n(int(acts))), Kind: auth.Kind(n(int(auth.Operator))), Mode: auth.Mode(n(int(auth.Centre15))),
		Holder: b(), Vouched: rare(), Occupational: rare(), Student: rare(), Physician: b(), Secret: rare(), Fresh: b(), CMEDecided: b(),
		State: State(n(int(Destroyed))), Authorisation: Authorisation(n(int(Expire))), Personal: b(), Blocked: rare(),
		MT: b(), Grant: b(), FeedOpposed: rare(), OpposedBTG: rare(), OpposedC15: rare(), MaskAll: rare(), Minor: b(),
		Cell: Cell(n(int(Allow))), Group: Group(n(int(Reimbursement))), Insurance: b(), Fit: Fit(n(int(OwnClass))),
		Status: Status(n(int(Inactive))), Masked: b(), MaskedPatient: b(), Hidden: b(), HiddenReps: b(), Mine: b(), Foreign: rare(), Deposited: b(), Sees: b(),
		WillMask: b(), WillHide: b(), WillHideReps: b(), Late: rare(), Outside: rare(), TakesOver: rare(),
		ByIdentifier: b(), Consent: ConsentKind(n(int(AccesUrgence))), AboutMe: b(), ForMe: b(), ForPerson: b(), ForTeam: b(), NoTeam: rare(), ForMT: rare(),
		BadPeriod: rare(), BadChange: rare(), Qualified: b(), Informed: b(), Letter: rare(), OnlyMe: b(), Expired: rare(), Professions: b(), Justified: b(),
		Options: Options{AIR: b(), OccupationalByConsent: b(), Students: b(), FeedByAuthorisation: rare(), BlockForbidsFeeding: b(),
			BothFlags: b(), ClassMustFit: b(), MaskAllSparesMT: b(), OpenAutomatically: b()},
	}
}

// A regulator whom the patient opposed is answered as if there were no dossier
// (POLICY §7), to the class and the wording.
func TestOpposedRegulatorFindsNoDossier(t *testing.T) {
	asked := readings | additions | on(ActReadList, ActReadProvenance, ActReadStatus, ActHistory, ActEmergency, ActConsent, ActWithdraw, ActTeam, ActNarrowTeam)
	r := rand.New(rand.NewPCG(3, 3))
	for a := range acts {
		if !asked.has(a) {
			continue
		}
		for range 5_000 {
			c := anyCase(r, a)
			c.Kind, c.OpposedC15 = auth.Regulator, true
			none := c
			none.State, none.OpposedC15, none.Blocked, none.MT, none.Authorisation = NoDossier, false, false, false, NonExiste
			got, want := rulebook.decide(c), rulebook.decide(none)
			if got.Allowed() || got.Refusal() != want.Refusal() || got.Text() != want.Text() {
				t.Fatalf("%s: class %d by %q, without a dossier %d by %q", inWords(c), got.Refusal(), got.Rules(), want.Refusal(), want.Rules())
			}
		}
	}
}

// Laws that hold for every act, whatever else: on cases at random, always the
// same ones.
func TestLawsOfAllActs(t *testing.T) {
	laws := []struct {
		name   string
		broken func(c Case) bool // of a case that was allowed
	}{
		{"nobody may do anything", func(c Case) bool { return c.Kind == auth.Nobody }},
		{"nor may the operator, or who is of no kind", func(c Case) bool { return c.Kind >= auth.Operator }},
		{"no act, no permission", func(c Case) bool { return c.Act == NoAct || c.Act >= acts }},
		{"patient and representative act in their dossier only", func(c Case) bool {
			return c.patientKind() && !c.Holder && c.Act != ActPatch
		}},
		{"who is vouched for acts with AIR, in normal mode, and opens no emergency", func(c Case) bool {
			return c.Vouched && (!c.Options.AIR || c.Mode != auth.Normal || c.Act == ActEmergency)
		}},
		{"the blocked only feed, open another dossier, and learn that they are blocked", func(c Case) bool {
			free := on(ActReadStatus, ActAdd, ActAddList, ActOpen, ActPatch, ActSearchTraits)
			return c.Blocked && !c.patientKind() && !free.has(c.Act)
		}},
		{"a regulator in centre_15 alone searches by traits", func(c Case) bool {
			return c.Act == ActSearchTraits && (c.Kind != auth.Regulator || c.Mode != auth.Centre15)
		}},
		{"documents live in open dossiers", func(c Case) bool {
			documents := on(ActRead, ActReadList, ActReadProvenance, ActSearch, ActAdd, ActAddList, ActReplace, ActSupersede, ActDelete, ActStatus,
				ActMask, ActUnmask, ActHide, ActShow, ActHideReps, ActShowReps, ActArchive, ActArchiveList, ActTouch, ActEmergency)
			return documents.has(c.Act) && c.State != Active
		}},
		{"a closed dossier is seen by the patient, reopened, destroyed", func(c Case) bool {
			free := on(ActReadStatus, ActHistory, ActReopen, ActDestroy, ActOpen, ActPatch, ActSearchTraits)
			renewed := c.Act == ActConsent && c.Consent == Ouverture
			return c.State == Closed && !c.holder() && !free.has(c.Act) && !renewed
		}},
		{"a destroyed dossier is not there", func(c Case) bool {
			return c.State != Active && c.State != Closed && c.Act != ActOpen && c.Act != ActPatch && c.Act != ActSearchTraits && !(c.Act == ActAddRelated && c.State == NoDossier)
		}},
		{"labels change only for those who see the document", func(c Case) bool {
			return c.Act >= ActReplace && c.Act <= ActTouch && c.Act != ActStatus && !c.Sees
		}},
		{"nobody but the health insurance opens a dossier without the patient's consent", func(c Case) bool {
			automatic := c.Kind == auth.InsuranceFeeder && c.Options.OpenAutomatically && c.Informed
			return c.Act == ActOpen && c.Letter && !automatic
		}},
		{"administrative staff change no document", func(c Case) bool {
			return c.Kind == auth.Administrative && actSet(changes).has(c.Act)
		}},
		{"nobody is made an author by another", func(c Case) bool {
			return c.Foreign && (c.Act == ActAdd || c.Act == ActAddList)
		}},
		{"the patient never decides on what is hidden from them", func(c Case) bool {
			return c.patientKind() && (c.Act == ActHide || c.Act == ActShow || c.Act == ActAdd && c.WillHide)
		}},
		{"the emergency access is written by the door alone", func(c Case) bool {
			return c.Consent == AccesUrgence && (c.Act == ActConsent || c.Act == ActWithdraw)
		}},
		{"a professional gives a care team to nobody but other persons, at the patient's request", func(c Case) bool {
			carers := c.treating() && c.Mode == auth.Normal && !c.ForMe && c.ForPerson
			return c.Act == ActTeam && (c.Secret || !c.holder() && !carers)
		}},
		{"an establishment feeds by itself by decision of its CME", func(c Case) bool {
			return c.Kind == auth.Establishment && actSet(additions).has(c.Act) && !c.CMEDecided
		}},
		{"an occupational physician reads by personal consent only", func(c Case) bool {
			reading := on(ActRead, ActSearch, ActReadPatient, ActEmergency)
			express := c.Options.OccupationalByConsent && c.Personal && c.Authorisation == Valide && c.Mode == auth.Normal
			return c.Occupational && reading.has(c.Act) && (!express || c.Act == ActEmergency)
		}},
	}
	r := rand.New(rand.NewPCG(1, 2))
	allowed := 0
	for range 1_500_000 {
		c := randomCase(r)
		d := rulebook.decide(c)
		if !d.Allowed() {
			continue
		}
		allowed++
		for _, l := range laws {
			if l.broken(c) {
				t.Fatalf("%s: %+v: by %q", l.name, c, d.Rules())
			}
		}
	}
	if allowed < 50_000 {
		t.Errorf("only %d cases were allowed: the laws were hardly tried", allowed)
	}
}
