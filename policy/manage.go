package policy

import (
	"slices"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// anyKind stands in a case that concerns no caller: what a rule says of the
// request alone.
const anyKind = auth.Professional

// ChangeConsent decides on recording a Consent (before is nil) or on changing one
// (G03, G05, G06, G08, E02, L18). A change may withdraw it, or give it a new
// period; a Consent that is not in force is not brought back: record a new one.
// A Consent that the caller may not read is Hidden.
func (v *View) ChangeConsent(before *Facts, after Facts) Decision {
	if v.empty() || after.typ != typeConsent || before != nil && before.typ != typeConsent {
		return Decision{}
	}
	c := v.consent(after)
	if before == nil {
		c.Act = ActConsent
		c.BadChange = after.status != Current
	} else {
		if seen := v.read(before, -1); !seen.Allowed() {
			return seen
		}
		c.Act = ActConsent
		if after.status == Inactive || after.status == Deleted {
			c.Act = ActWithdraw
		}
		c.BadChange = before.status != Current || before.consent != after.consent || before.patient != after.patient
		c.BadPeriod = c.BadPeriod && before.period != after.period
	}
	if given, foreign := performed(after, v.rec.patientRef(), v.rec.patientFacts().ins); foreign {
		c.BadChange = true
	} else {
		c.Informed = given && after.sourced
	}
	if !v.owns(after) {
		c.State = NoDossier
	}
	return v.decide(c)
}

// consent makes the case of a Consent, without its act.
func (v *View) consent(f Facts) Case {
	c := v.base
	person := v.rec.patientFacts()
	c.Consent = f.consent.kind
	c.AboutMe = v.aboutMe(&f)
	c.ForMe, _ = v.caller.named(f.consent)
	c.ForPerson = f.consent.actorKind == aboutPerson
	c.ForTeam = f.consent.actorKind == aboutTeam
	c.NoTeam = c.ForTeam && !v.seesTeam(f.consent.actor.Value)
	c.ForMT = c.ForPerson && slices.Contains(person.gps, f.consent.actor)
	c.BadPeriod = v.engine.badPeriod(f, v.now, c.ForMe && !c.holder())
	c.Expired = v.retentionOver(person)
	return c
}

// performed tells whether a Consent names its patient as a performer, and whether
// it names another one. ref and ins are those of the patient.
func performed(f Facts, ref string, ins []fhir.Ident) (given, foreign bool) {
	for _, r := range f.refs {
		switch {
		case r.role != refPerformer:
		case r.ref != "" && r.ref == ref || r.ref == "" && slices.Contains(ins, r.id):
			given = true
		default:
			foreign = true
		}
	}
	return given, foreign
}

// badPeriod tells whether a Consent starts before today, or whether an
// authorisation holds for longer than it may: that which a professional recorded
// for themself, for the day of the consultation. One without a start starts now.
func (e *Engine) badPeriod(f Facts, now int64, ownRecord bool) bool {
	start := f.period.from
	if start == always.from {
		start = now
	}
	if start < frenchDay(now).from {
		return true
	}
	if f.consent.kind != Autorisation {
		return false
	}
	length := e.settings.StructureAuthorisation
	if f.consent.actorKind == aboutPerson {
		length = e.settings.PersonalAuthorisation
	}
	end := frenchDay(start).to
	if length != (Period{}) && !ownRecord {
		end = micros(length.After(time.UnixMicro(start)))
	}
	return f.period.to > end
}

// retentionOver tells whether the time in which a closed dossier is kept is over.
// Where the day of closing cannot be read, it is.
func (v *View) retentionOver(p patientFacts) bool {
	day, ok := fhir.ParseInterval(p.closedOn)
	return !ok || !v.at.Before(v.engine.settings.Retention.After(day.StartTime()))
}

// traits are the elements of a Patient that identify the person; contact those
// by which they are reached (G11). Urls are of extensions.
var traits = []string{
	"name", "gender", "birthDate", "deceasedBoolean", "deceasedDateTime", "multipleBirthBoolean", "multipleBirthInteger", "text",
	extReliability, extReliability20,
	"http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
	"https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-place",
}

var contact = []string{"telecom", "address", "contact", "communication"}

// ChangePatient decides on changing the Patient of the dossier, by element:
// changed holds the names of the top-level elements that differ, and the urls of
// the extensions that do. G07 for generalPractitioner, G02 and G03 for active
// and dmp-fermeture, G10 for the alerts, G12 for death, G11 for the rest. An
// element that none of them names is NotMethod, those of the server among them.
func (v *View) ChangePatient(before, after Facts, changed []string) Decision {
	if v.empty() || before.typ != typePatient || after.typ != typePatient {
		return Decision{}
	}
	var acts []Act
	for _, name := range changed {
		if a := patientAct(name, before, after); !slices.Contains(acts, a) {
			acts = append(acts, a)
		}
	}
	// What the policy reads is judged whether or not it was said to differ.
	for a, differs := range differences(before, after) {
		if differs && !slices.Contains(acts, a) {
			acts = append(acts, a)
		}
	}
	if len(acts) == 0 {
		return v.read(&before, -1)
	}
	parts := make([]Decision, len(acts))
	for i, a := range acts {
		parts[i] = v.decide(v.patient(a, before.person, after.person))
	}
	return And(parts...)
}

// patientActs are the acts that a change of a Patient may be.
var patientActs = []Act{ActNameMT, ActClose, ActReopen, ActTraits, ActContact, ActINS, ActAlerts, ActDeath}

// MayAim tells whether a request to change the i-th subject of the record may
// learn that it is there: the caller may read it, or it is the Patient and there
// is a change of it that is theirs to make, though they do not read it whole.
// That is administrative staff and the health insurance (G11) in an open dossier,
// a physician who names themself médecin traitant (G07), and in a closed dossier a
// professional who reactivates it (G03). Whether the change that they ask for is
// that one, ChangePatient says; what is answered is judged by Release.
func (v *View) MayAim(i int) bool {
	if v.Read(i).Allowed() {
		return true
	}
	if v.empty() || v.rec.Subject(i).Facts.typ != typePatient {
		return false
	}
	c := v.base
	c.Qualified, c.OnlyMe, c.Informed, c.Expired = true, true, true, v.retentionOver(v.rec.patientFacts())
	return slices.ContainsFunc(patientActs, func(a Act) bool {
		c.Act = a
		return v.decide(c).Allowed()
	})
}

// patientAct returns the act that a change of an element is.
func patientAct(name string, before, after Facts) Act {
	switch {
	case name == "generalPractitioner":
		return ActNameMT
	case name == "active" || name == extFermeture:
		return closingAct(before.person, after.person)
	case strings.HasPrefix(name, "deceased") && dies(before.person, after.person):
		return ActDeath
	case strings.HasPrefix(name, "deceased") && revives(before.person, after.person):
		return ActReopen
	case name == "identifier" && !sameINS(before.person, after.person):
		return ActINS
	case name == "identifier":
		return ActTraits // of another system
	case name == extAlertes:
		return ActAlerts
	case slices.Contains(traits, name):
		return ActTraits
	case slices.Contains(contact, name):
		return ActContact
	}
	return ActElement
}

// changeable tells whether a change may touch an element of a Patient at all.
func changeable(element string) bool { return patientAct(element, Facts{}, Facts{}) != ActElement }

// closingAct tells closing, by death or not, from reactivation. What is neither,
// such as another motive for a closing long done, no rule permits.
func closingAct(before, after patientFacts) Act {
	switch {
	case before.active && !after.active && dies(before, after):
		return ActDeath
	case before.active && !after.active:
		return ActClose
	case !before.active && after.active:
		return ActReopen
	}
	return NoAct
}

// dies tells whether a change says that the patient is dead, which was not said
// before.
func dies(before, after patientFacts) bool { return !before.deceased && after.deceased }

// revives tells whether a reactivation takes back that the patient was dead, as it
// must: G12 leaves no open dossier of a dead person.
func revives(before, after patientFacts) bool {
	return before.deceased && !after.deceased && closingAct(before, after) == ActReopen
}

// differences yields the acts that the facts of a Patient show.
func differences(before, after Facts) func(func(Act, bool) bool) {
	return func(yield func(Act, bool) bool) {
		was, is := before.person, after.person
		_ = yield(ActNameMT, !slices.Equal(was.gps, is.gps)) &&
			yield(closingAct(was, is), was.active != is.active) &&
			yield(ActDeath, dies(was, is)) &&
			yield(ActINS, !sameINS(was, is)) &&
			yield(ActTraits, was.birth != is.birth || was.qualified != is.qualified || was.deceased && !is.deceased && !revives(was, is) || !slices.Equal(before.local(), after.local()))
	}
}

// local returns the identifiers of a Patient that are no INS.
func (f Facts) local() []fhir.Ident {
	return slices.DeleteFunc(slices.Clone(f.idents), isINS)
}

func sameINS(before, after patientFacts) bool {
	return before.hasINS == after.hasINS && slices.Equal(before.ins, after.ins)
}

// patient makes the case of an act on the Patient.
func (v *View) patient(a Act, before, after patientFacts) Case {
	c := v.base
	c.Act = a
	c.Qualified = before.qualified && after.qualified && after.hasINS
	c.Expired = v.retentionOver(before)
	switch a {
	case ActNameMT:
		// What is said of others, or of nobody, is not of the caller alone.
		c.OnlyMe = !slices.Equal(before.gps, after.gps) && v.onlyMe(before.gps, after.gps)
		c.Informed = slices.Contains(before.gps, v.caller.id) || !slices.Contains(after.gps, v.caller.id) || slices.Contains(after.agreed, v.caller.id)
	case ActClose:
		c.BadChange = !after.motive
	case ActReopen:
		c.BadChange = c.professional() && !v.renewed() || after.deceased
	case ActDeath:
		c.BadChange = !before.active || after.active || !after.ofDeath
	case ActINS:
		c.BadChange = !newINS(before, after)
	}
	return c
}

// renewal is how long a renewed consent lets who recorded it reactivate the
// dossier.
const renewal = 24 * time.Hour

// renewed tells whether the caller has just recorded the patient's renewed
// consent to the dossier (G03): a Consent of kind ouverture, written while the
// dossier was closed.
func (v *View) renewed() bool {
	for _, i := range v.rec.consents {
		f := &v.rec.subjects[i].Facts
		if f.consent.kind != Ouverture || f.status != Current || f.origin.By != v.caller.id || v.caller.id.IsZero() {
			continue
		}
		if age := v.at.Sub(f.origin.Deposited); age >= 0 && age < renewal {
			return true
		}
	}
	return false
}

// newINS tells whether an INS that the dossier never had takes the place of the
// active one, which stays as a former one, and nothing else about its INS differs
// (G11). A former INS is found by search: one out of nothing would be that of
// another person.
func newINS(before, after patientFacts) bool {
	if !before.hasINS || !after.hasINS {
		return false
	}
	former := after.ins[1:] // each once, and none of them the active one
	return len(former) == len(before.ins) && !slices.ContainsFunc(before.ins, func(id fhir.Ident) bool { return !slices.Contains(former, id) })
}

// onlyMe tells whether two lists of médecins traitants differ by the caller
// alone.
func (v *View) onlyMe(before, after []fhir.Ident) bool {
	for _, id := range before {
		if id != v.caller.id && !slices.Contains(after, id) {
			return false
		}
	}
	for _, id := range after {
		if id != v.caller.id && !slices.Contains(before, id) {
			return false
		}
	}
	return true
}

// Destroy decides on destroying the dossier, or a document in it (G04).
func (v *View) Destroy() Decision {
	if v.empty() {
		return Decision{}
	}
	c := v.base
	c.Act = ActDestroy
	return v.decide(c)
}

// Open decides on opening a dossier: patient is the Patient that is to be in it,
// others the Consents and RelatedPersons that come with it (G01). Among them is
// one opening, and whoever opens may record the oppositions to the emergency
// modes and the authorisation of their structure or their own; the patient may
// record anything that is the patient's.
func (e *Engine) Open(p auth.Principal, patient Facts, others []Facts, at time.Time) Decision {
	return e.open(callerOf(p), patient, others, at)
}

// Opens tells whether the caller is of those who open dossiers (G01), whatever
// else their opening lacks: others do not learn by trying whether there is one.
func (e *Engine) Opens(p auth.Principal, at time.Time) bool {
	if e == nil || e.book == nil {
		return false
	}
	c := e.person(callerOf(p), at)
	c.Act, c.Holder = ActOpen, c.Kind == auth.Patient
	c.Secret, c.Qualified, c.Informed = false, true, true
	return e.book.decide(c).Allowed()
}

func (e *Engine) open(k caller, patient Facts, others []Facts, at time.Time) Decision {
	if e == nil || e.book == nil {
		return Decision{}
	}
	k = e.registry.placed(k)
	c := e.person(k, at)
	c.Holder = k.kind == auth.Patient && k.is(patient.person.ins)
	c.Act = ActOpen
	c.Qualified = patient.typ == typePatient && patient.person.qualified && patient.person.hasINS
	c.BadChange = !patient.person.active || patient.person.deceased
	openings := 0
	parts := make([]Decision, 1, 2)
	for i := range others {
		f := &others[i]
		switch {
		case f.typ == typeRelatedPerson:
			related := c
			related.Act = ActAddRelated
			parts = append(parts, e.book.decide(related))
		case f.typ != typeConsent || f.status != Current:
			c.BadChange = true
		case f.consent.kind == Ouverture:
			openings++
			c.Letter, c.Informed = e.informed(*f, patient, c.Holder, at)
		default:
			inPerson, _ := k.named(f.consent)
			ownRecord := inPerson && !c.Holder
			given, _ := performed(*f, f.patient, patient.person.ins)
			c.BadChange = c.BadChange || !opening(c, k, f.consent) || ownRecord && !(given && f.sourced)
			c.BadPeriod = c.BadPeriod || e.badPeriod(*f, at.UnixMicro(), ownRecord)
		}
		if _, foreign := performed(*f, f.patient, patient.person.ins); foreign {
			c.BadChange = true
		}
	}
	c.Informed = c.Informed && openings == 1
	parts[0] = e.book.decide(c)
	if len(patient.person.gps) > 0 {
		parts = append(parts, e.book.decide(namedAtOpening(c, k, patient.person)))
	}
	return And(parts...)
}

// namedAtOpening makes the case of the médecins traitants whom an opening names: as
// in a dossier that is open (G07).
func namedAtOpening(c Case, k caller, p patientFacts) Case {
	c.Act, c.State = ActNameMT, Active
	c.OnlyMe = !slices.ContainsFunc(p.gps, func(id fhir.Ident) bool { return id != k.id })
	c.Informed = k.is(p.agreed)
	return c
}

// informed tells whether a Consent of kind ouverture states that the patient was
// informed and consents: by whom (performer), which the patient who opens need not
// say, and with which leaflet (source). letter tells whether it is by a letter
// alone: it names no patient who consents and says when the letter was written. The
// time to object must then be over.
func (e *Engine) informed(f, patient Facts, byPatient bool, at time.Time) (letter, informed bool) {
	given, _ := performed(f, f.patient, patient.person.ins)
	if given || byPatient || f.letter == 0 {
		return false, (given || byPatient) && f.sourced
	}
	return true, !at.Before(e.settings.OpeningNotice.After(time.UnixMicro(f.letter)))
}

// opening tells whether a Consent may come with the opening by this caller.
func opening(c Case, k caller, f consentFacts) bool {
	switch f.kind {
	case OppositionBrisDeGlace, OppositionCentre15:
		return true
	case Autorisation:
		inPerson, byStructure := k.named(f)
		return (c.Holder || inPerson || byStructure) && f.actorKind != aboutTeam // there is none yet
	case Blocage, OppositionAlimentation, MasquageTotal:
		return c.Holder
	}
	return false
}

// SystemCircumstance is the code system of the circumstances of a bris de glace.
const SystemCircumstance = "urn:opendmp:circonstance-urgence"

// Emergency decides on opening a bris de glace (POLICY §5). circumstance and
// reason are as they were sent. That one of them is not in order is said before,
// and whatever, the dossier is.
func (v *View) Emergency(circumstance auth.Coding, reason string) Decision {
	if v.empty() {
		return Decision{}
	}
	c := v.base
	c.Act = ActEmergency
	known := circumstance == auth.Coding{System: SystemCircumstance, Code: "hors-etat-de-consentir"}
	c.Justified = known && auth.IsReason(reason)
	return v.decide(c)
}
