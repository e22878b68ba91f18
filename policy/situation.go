package policy

import (
	"slices"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// Situation is what is true of one caller and one dossier at one instant: what
// the answer header, a TD0.2 answer and the history tell of a View.
type Situation struct {
	State State
	// Authorisation is the caller's status; Interdit if the patient blocked them.
	Authorisation Authorisation
	// Mode is the mode in force: that of the credential, or bris_de_glace while a
	// grant is open.
	Mode auth.Mode
	// MedecinTraitant tells whether the caller is one.
	MedecinTraitant bool
	// Patient tells whether the caller is the patient, Representative whether they
	// represent the patient now.
	Patient, Representative bool
	// Minor tells whether the patient is one, at this instant.
	Minor bool
	// Secret tells whether the session is a secret one. There is none but of a
	// minor (E11): what is asked for of an adult hides nothing from who represents
	// them.
	Secret bool
	// Opposed tells whether the patient opposed the emergency mode in force or
	// asked for.
	Opposed bool
	// Grant is the reference of the Consent of an open emergency grant and
	// GrantEnds its end; "" and zero if none is open.
	Grant     string
	GrantEnds time.Time
	// Decision is the reference of the decision of its CME under which an
	// establishment feeds by itself; "" if there is none, and of other callers.
	Decision string
}

// caller is what the policy takes of a Principal.
type caller struct {
	kind                          auth.Kind
	mode                          auth.Mode
	id                            fhir.Ident
	structures                    []fhir.Ident
	profession                    auth.Coding
	roles                         []auth.Coding
	student, occupational, secret bool
	vouched                       bool
	confirmed                     time.Time
}

func callerOf(p auth.Principal) caller {
	return caller{
		kind:         p.Kind(),
		mode:         p.Mode(),
		id:           p.ID(),
		structures:   p.Structures(),
		profession:   p.Profession(),
		roles:        p.Roles(),
		student:      p.Student(),
		occupational: p.Occupational(),
		secret:       p.Secret(),
		vouched:      p.Vouched(),
		confirmed:    p.Confirmed(),
	}
}

func (k caller) is(ids []fhir.Ident) bool { return !k.id.IsZero() && slices.Contains(ids, k.id) }

// actsIn tells whether the structure in which the caller acts is one of those.
func (k caller) actsIn(structures []fhir.Ident) bool {
	for _, s := range k.structures {
		if slices.Contains(structures, s) {
			return true
		}
	}
	return false
}

// named tells whether a Consent is about the caller, or the structure in which
// they act. A person has no consent of their own but by their identifier; a
// system is its structure. Of a care team it tells nothing (View.authorised).
func (k caller) named(c consentFacts) (inPerson, byStructure bool) {
	switch c.actorKind {
	case aboutPerson:
		return k.id == c.actor, false
	case aboutStructure:
		return false, slices.Contains(k.structures, c.actor)
	}
	return false, false
}

// person makes the part of a Case that concerns the caller alone. Who has no
// identifier is nobody, of whatever kind.
func (e *Engine) person(k caller, at time.Time) Case {
	if k.id.IsZero() {
		k.kind = auth.Nobody
	}
	since := at.Sub(k.confirmed)
	return Case{
		Kind:         k.kind,
		Mode:         k.mode,
		Vouched:      k.vouched,
		Occupational: k.occupational,
		Student:      k.student,
		Physician:    k.profession == auth.Coding{System: auth.SystemProfession, Code: "10"},
		Secret:       k.secret,
		Fresh:        !k.confirmed.IsZero() && since >= 0 && since <= e.settings.SecondFactor,
		Professions:  slices.Contains(e.settings.GrantProfessions, k.profession),
		CMEDecided:   e.registry.decision(k, at) != "",
		Options:      e.options,
	}
}

// situate works out the situation of the caller in the dossier.
func (v *View) situate() {
	k, rec := v.caller, v.rec
	c := v.engine.person(k, v.at)
	s := &v.situation
	p := rec.patientFacts()
	c.State = rec.State()
	if rec.patientRef() == "" {
		c.State = NoDossier // a dossier without its patient cannot be read
	}
	majority, known := birthday(p.birth, v.engine.settings.Majority)
	c.Minor = known && v.at.Before(majority)
	c.MT = k.kind == auth.Professional && k.is(p.gps)
	v.consents(&c)
	switch k.kind {
	case auth.Patient:
		c.Holder = k.is(p.ins)
	case auth.Representative:
		c.Holder = known && v.represents(micros(majority))
	}
	if c.MT && !c.Occupational {
		c.Authorisation = Valide
	}
	if c.Grant {
		c.Mode = auth.BrisDeGlace
	}
	v.base = c

	s.Decision = v.engine.registry.decision(k, v.at)
	s.State, s.Authorisation, s.Mode, s.Minor, s.MedecinTraitant = c.State, c.Authorisation, c.Mode, c.Minor, c.MT
	s.Secret = c.Secret && c.Minor
	s.Patient, s.Representative = c.holder() && k.kind == auth.Patient, c.holder() && k.kind == auth.Representative
	s.Opposed = c.Mode == auth.BrisDeGlace && c.OpposedBTG || c.Mode == auth.Centre15 && c.OpposedC15
	if c.Blocked {
		s.Authorisation = Interdit
	}
}

// consents reads the Consents in force at the instant into the case. An emergency
// grant ends with an opposition that is recorded while it is open.
func (v *View) consents(c *Case) {
	var grant *Subject
	for _, i := range v.rec.consents {
		subject := &v.rec.subjects[i]
		f := &subject.Facts
		if f.status != Current {
			continue
		}
		inPerson, byStructure := v.caller.named(f.consent)
		inForce := f.period.holds(v.now)
		switch f.consent.kind {
		case Autorisation:
			if inPerson || byStructure {
				v.authorisation(c, f.period, inPerson)
			} else if f.consent.actorKind == aboutTeam {
				v.authorised(c, f)
			}
		case Blocage:
			// Who cannot be blocked in person is not by way of their structure (G06).
			c.Blocked = c.Blocked || inPerson || byStructure && !c.MT
		case OppositionBrisDeGlace:
			c.OpposedBTG = true
		case OppositionCentre15:
			c.OpposedC15 = true
		case OppositionAlimentation:
			c.FeedOpposed = c.FeedOpposed || inPerson || byStructure || f.consent.actorKind == aboutNobody
		case MasquageTotal:
			c.MaskAll = true
		case AccesUrgence:
			if inPerson && inForce && c.professional() {
				grant = subject
			}
		}
	}
	if grant != nil && !c.OpposedBTG {
		c.Grant = true
		v.situation.Grant = grant.Ref
		_, v.situation.GrantEnds = grant.Facts.period.times()
	}
}

// authorisation reads one authorisation of the caller into the case. Of an
// occupational physician acting as such only a personal one counts, where the
// settings let them read at all (L14).
func (v *View) authorisation(c *Case, held period, inPerson bool) {
	express := inPerson && c.Options.OccupationalByConsent
	switch {
	case c.Occupational && !express:
	case held.holds(v.now):
		c.Authorisation = Valide
		c.Personal = c.Personal || inPerson
	case held.to <= v.now && c.Authorisation == NonExiste:
		c.Authorisation = Expire
	}
}

// represents tells whether the caller represents the patient now. A
// representation that began before majority is that of a minor and ends with it,
// without an act; one that began later ends with its period (L05).
func (v *View) represents(majority int64) bool {
	for _, i := range v.rec.related {
		f := &v.rec.subjects[i].Facts
		appointed := f.period.from >= majority
		if f.status == Current && v.caller.is(f.persons) && f.period.holds(v.now) && (appointed || v.now < majority) {
			return true
		}
	}
	return false
}
