package naive

// Acts on a document (§3). The flags of the State are those before the act, except
// in Add, where they are those that the sender states.

// Addition is what is known of a document that is sent.
type Addition struct {
	AuthorIsCaller    bool // or, for an establishment, a person or structure of it
	TypeKnown         bool // in the DMP value set of types
	ClassKnown        bool // in the DMP value set of classes
	ClassGoesWithType bool
	OfInsurance       bool // a type of setting types-assurance-maladie
	Automatic         bool // automatic feeding by an establishment
	CMEDecided        bool // the decision of its CME is recorded
}

// Add answers whether the caller adds the document.
func Add(s State, set Settings, a Addition) bool {
	// E16: "a document is added as current or superseded"
	if s.Status == Deleted {
		return false
	}
	if !mayFeed(s, set, a) {
		return false
	}
	// E09: "the author, a médecin traitant or a professional […] may hide it from the
	// patient […]; the patient can do neither."
	if s.HiddenFromPatient && thePatient(s) {
		return false
	}
	// E10: "Hidden from the patient and masked exclude each other (setting
	// cumul-invisible-masque, default off)."
	if s.HiddenFromPatient && s.Masked && !set.HiddenAndMaskedTogether {
		return false
	}
	// E11: "Hidden from representatives exists only for a minor;"
	if s.HiddenFromReps && !s.Minor {
		return false
	}
	// E11 names nobody. Read as: not a representative, who would hide from themselves.
	if s.HiddenFromReps && s.Kind == Representative {
		return false
	}
	// E11: "in a secret session it is the only possibility."
	// Read as: hidden from representatives, and no other flag.
	if s.Secret && (!s.HiddenFromReps || s.Masked || s.HiddenFromPatient) {
		return false
	}
	return true
}

// mayFeed: E01 to E05 and E14, which hold for a new document and for a replacement.
func mayFeed(s State, set Settings, a Addition) bool {
	// E14: "No document is written to a closed or destroyed dossier."
	if s.Dossier != DossierOpen {
		return false
	}
	// E03: "The author of the document is the caller, or for an establishment a
	// person or structure of that establishment; the health-insurance feeder is
	// author as ALIM_AM."
	if !a.AuthorIsCaller {
		return false
	}
	// E05: "Only types and classes of the DMP value sets;"
	if !a.TypeKnown || !a.ClassKnown {
		return false
	}
	// E05: "a class that does not go with its type is a warning (setting
	// classe-du-type: avertir, or refuser)"
	if !a.ClassGoesWithType && set.ClassMismatchRefused {
		return false
	}
	switch s.Kind {
	case Patient, Representative:
		// E04: "The patient (or representative) adds only patient documents"
		return s.Holder && s.Group == FromPatient
	case Professional:
		return vouchingHolds(s, set) && mayFeedAsCarer(s, set, a)
	case Establishment, Administrative:
		// §1: administrative callers "push for their establishment".
		return mayFeedAsCarer(s, set, a)
	case InsuranceFeeder:
		return mayFeedAsInsurance(s, set, a)
	default:
		// Silence refuses: E01 names neither regulator nor operator.
		return false
	}
}

func mayFeedAsCarer(s State, set Settings, a Addition) bool {
	// E01: "A professional or an establishment adds documents to an open dossier
	// whether or not they may read it (the 2012 texts asked for the authorisation
	// first: setting alimentation-sur-autorisation, default off)."
	if set.FeedingNeedsAuthorisation && !authorisedToFeed(s) {
		return false
	}
	// E01: "Automatic feeding by an establishment needs the recorded decision of its
	// CME"
	if s.Kind != Professional && a.Automatic && !a.CMEDecided {
		return false
	}
	// E02: "Not if the patient opposed feeding by them"
	if s.OpposedFeeding {
		return false
	}
	// E02: "Blocking closes reading; it closes writing only with setting
	// blocage-interdit-alimentation (default off), and never an establishment's push."
	if s.Kind == Professional && blocked(s) && set.BlockForbidsFeeding {
		return false
	}
	// E04: "professionals and establishments neither REMB nor patient documents."
	if s.Group == Reimbursement || s.Group == FromPatient {
		return false
	}
	return true
}

// authorisedToFeed: VALIDE, which "INTERDIT wins over" (§1); but blocking closes
// writing "never [for] an establishment's push" (E02), which leaves what it covers.
func authorisedToFeed(s State) bool {
	if s.Kind != Professional {
		return s.Authorisation == Valide
	}
	return valide(s)
}

func mayFeedAsInsurance(s State, set Settings, a Addition) bool {
	// E02: "Not if the patient opposed feeding by them"
	if s.OpposedFeeding {
		return false
	}
	// E02: blocking "closes writing only with setting blocage-interdit-alimentation"
	if blocked(s) && set.BlockForbidsFeeding {
		return false
	}
	// E04: "the feeder of the health insurance only the types of setting
	// types-assurance-maladie"
	return a.OfInsurance
}

// Replace answers whether the caller replaces the document by the one sent. E06: "The
// replacement takes over the visibility flags of the replaced one and has no others",
// so that there are none of its own to judge. asked are those that its sender states.
func Replace(s State, set Settings, a Addition, asked Labels) bool {
	// E06: "and has no others"
	if asked.Masked && !s.Masked || asked.HiddenFromPatient && !s.HiddenFromPatient || asked.HiddenFromReps && !s.HiddenFromReps {
		return false
	}
	// E06: "Replacing is for an author of the old document;"
	if !author(s, set) {
		return false
	}
	// E16: "current to superseded by an author […]; any other change 422."
	if s.Status != Current {
		return false
	}
	// E11: "in a secret session it is the only possibility."
	if s.Secret && (!s.HiddenFromReps || s.Masked || s.HiddenFromPatient) {
		return false
	}
	// Read as: a replacement is an addition too, E01 to E05 apply.
	return mayFeed(s, set, a)
}

// Supersede answers whether the caller sets the status to superseded.
func Supersede(s State, set Settings) bool {
	// E16: "current to superseded by an author […]; any other change 422." A secret
	// session (E11) is about flags.
	return author(s, set) && s.Status == Current
}

// Delete answers whether the caller deletes the document, logically.
func Delete(s State, set Settings) bool {
	// E07: "Deleting (logical) is for its author; the patient may delete their own
	// documents (of which they are an author)."
	return author(s, set)
}

// Labels are the flags that a document is to have.
type Labels struct{ Masked, HiddenFromPatient, HiddenFromReps bool }

func labels(s State) Labels { return Labels{s.Masked, s.HiddenFromPatient, s.HiddenFromReps} }

// Relabel answers whether the caller changes the flags to those. E15: "A label change
// is judged by the flags before and after, never by the operation: […] each
// difference must be allowed or nothing changes."
func Relabel(s State, set Settings, after Labels) bool {
	before := labels(s)
	// §7: "of one they cannot see: 404". E13: nothing is written to a closed dossier.
	if !sees(s, set) {
		return false
	}
	// §1: administrative callers "push for their establishment, read only what L13
	// says" and nothing else.
	if s.Kind == Administrative {
		return false
	}
	// E10: "Hidden from the patient and masked exclude each other (setting
	// cumul-invisible-masque, default off)." Read as: neither is set beside the other.
	sets := after.Masked && !before.Masked || after.HiddenFromPatient && !before.HiddenFromPatient
	if sets && after.Masked && after.HiddenFromPatient && !set.HiddenAndMaskedTogether {
		return false
	}
	// E11: "in a secret session it is the only possibility." Read as: nothing but
	// hiding from representatives is done in one.
	if s.Secret && (after.Masked != before.Masked || after.HiddenFromPatient != before.HiddenFromPatient || before.HiddenFromReps && !after.HiddenFromReps) {
		return false
	}
	if after.Masked && !before.Masked && !masks(s, set) {
		return false
	}
	if !after.Masked && before.Masked && !unmasks(s, set) {
		return false
	}
	if after.HiddenFromPatient != before.HiddenFromPatient && !announces(s, set) {
		return false
	}
	// E09: "A document that the patient deposited is not hidden from them."
	if after.HiddenFromPatient && !before.HiddenFromPatient && s.Group == FromPatient {
		return false
	}
	// E09: "one month after the deposit it is visible by itself". Read as: from then on
	// nobody hides it.
	if after.HiddenFromPatient && !before.HiddenFromPatient && s.TermOver {
		return false
	}
	// E11: "Hidden from representatives exists only for a minor;"
	if after.HiddenFromReps && !before.HiddenFromReps && !s.Minor {
		return false
	}
	return after.HiddenFromReps == before.HiddenFromReps || decidesForReps(s, set)
}

// Mask answers whether the caller sets MASQUE_PS where it was not.
func Mask(s State, set Settings) bool {
	return Relabel(s, set, Labels{true, s.HiddenFromPatient, s.HiddenFromReps})
}

// Unmask answers whether the caller lifts MASQUE_PS.
func Unmask(s State, set Settings) bool {
	s.Masked = true
	return Relabel(s, set, Labels{false, s.HiddenFromPatient, s.HiddenFromReps})
}

// Hide answers whether the caller hides the document from the patient.
func Hide(s State, set Settings) bool {
	return Relabel(s, set, Labels{s.Masked, true, s.HiddenFromReps})
}

// Show answers whether the caller makes the document visible to the patient, "after
// telling them", for which the caller answers.
func Show(s State, set Settings) bool {
	s.HiddenFromPatient = true
	return Relabel(s, set, Labels{s.Masked, false, s.HiddenFromReps})
}

// HideReps answers whether the caller hides the document from representatives.
func HideReps(s State, set Settings) bool {
	return Relabel(s, set, Labels{s.Masked, s.HiddenFromPatient, true})
}

// ShowReps answers whether the caller makes it visible to representatives again.
func ShowReps(s State, set Settings) bool {
	s.HiddenFromReps = true
	return Relabel(s, set, Labels{s.Masked, s.HiddenFromPatient, false})
}

func masks(s State, set Settings) bool { return author(s, set) || masksForThePatient(s, set) }

func unmasks(s State, set Settings) bool {
	// E08: "the author does not lift a mask that the patient set." Read as: unless
	// the author is the patient, or a médecin traitant.
	if author(s, set) && s.MaskedByPatient {
		return thePatient(s) || medecinTraitant(s, set)
	}
	return masks(s, set)
}

// masksForThePatient: those of E08, the author left out.
func masksForThePatient(s State, set Settings) bool {
	// E08: "Masking and unmasking: the patient, a médecin traitant, […]"
	if thePatient(s) || medecinTraitant(s, set) {
		return true
	}
	// E08: "or a professional with VALIDE acting at the patient's request;"
	return professionalWithVALIDE(s, set) && s.AtPatientsRequest
}

// announces: those of E09.
func announces(s State, set Settings) bool {
	// E09: "the patient can do neither."
	if thePatient(s) {
		return false
	}
	// E09: "the author, a médecin traitant or a professional with VALIDE who can see
	// the document may hide it from the patient, and make it visible"
	return author(s, set) || treatsAndSees(s, set)
}

// decidesForReps: E11 names nobody. "those of E09 and the minor, but no
// representative" (choice).
func decidesForReps(s State, set Settings) bool {
	if s.Kind == Representative {
		return false
	}
	return thePatient(s) || author(s, set) || treatsAndSees(s, set)
}

// Archive answers whether the caller archives the document, or brings it back.
func Archive(s State, set Settings) bool {
	// E12: "Archiving: author, médecin traitant, patient, or a professional with
	// VALIDE who can see it;"
	if author(s, set) || treatsAndSees(s, set) {
		return true
	}
	return thePatient(s) && sees(s, set)
}

// sees: §7, "not the author (delete, replace) of a document the caller can see: 403;
// of one they cannot see: 404". Metadata is enough to see it.
func sees(s State, set Settings) bool {
	return Read(s, set) != Nothing
}

// author: L09, an author "finds the metadata of their own documents (TD3.1b) and may
// replace, label, archive and delete them […]. Not if blocked."
func author(s State, set Settings) bool {
	// §1: "Mine: the caller is an author person of the document, or, for an
	// establishment, its structure is an author". Staff find the documents of their
	// establishment (L13) and are not its author.
	if s.Kind == Administrative {
		return false
	}
	return s.Mine && sees(s, set)
}

// treatsAndSees: "a médecin traitant or a professional with VALIDE who can see it".
func treatsAndSees(s State, set Settings) bool {
	return sees(s, set) && (medecinTraitant(s, set) || professionalWithVALIDE(s, set))
}

// Management of the dossier (§4). A caller blocked, or opposed in an emergency mode,
// is answered 403 by every operation (§7): see professional and medecinTraitant.

// Opening is what is known of a dossier to open.
type Opening struct {
	QualifiedIdentity bool // status VALI or QUAL, and the INS
	ConsentStated     bool // "the statement that the patient was informed and consents"
	SixWeeksOver      bool // since the letter that informs the patient, who did not object
}

// Open answers whether the caller opens a dossier, at the patient's demand. The two
// emergency boxes are part of it.
func Open(s State, set Settings, o Opening) bool {
	// G01: "One dossier per INS." §7 answers one destroyed as one that never was.
	if s.Dossier != DossierAbsent && s.Dossier != DossierDestroyed {
		return false
	}
	// G01: "only with a qualified identity (status VALI or QUAL), the INS,"
	if !o.QualifiedIdentity {
		return false
	}
	// G01: "never in a secret session"
	if s.Secret {
		return false
	}
	// G01: "and the statement that the patient was informed and consents"; or "Setting
	// ouverture: […] automatique (opened for all by the health insurance, six weeks to
	// object"
	forAll := set.OpenedForAll && s.Kind == InsuranceFeeder && o.SixWeeksOver
	if !o.ConsentStated && !forAll {
		return false
	}
	// G01: "Opening: a professional, an establishment by its certificate,
	// administrative staff, the health insurance, or the patient;"
	switch s.Kind {
	case Professional:
		return vouchingHolds(s, set)
	case Establishment, Administrative, InsuranceFeeder:
		return true
	case Patient:
		return s.Holder
	default:
		// A representative is one by a RelatedPerson of the dossier: where there is none
		// yet, nobody represents.
		return false
	}
}

// Close answers whether the caller closes the dossier.
func Close(s State, set Settings) bool {
	if s.Dossier != DossierOpen {
		return false
	}
	// G02: "Closing: the patient, or a professional (médecin traitant or VALIDE) at
	// the patient's request;"
	if thePatient(s) {
		return true
	}
	return s.AtPatientsRequest && (medecinTraitant(s, set) || professionalWithVALIDE(s, set))
}

// Reactivate answers whether the caller reopens a closed dossier.
func Reactivate(s State, set Settings) bool {
	// G03: "Kept ten years from closing; reactivation in that time"
	if s.Dossier != DossierClosed {
		return false
	}
	if s.TenYearsOver {
		return false
	}
	// G03: "In a closed dossier the patient still […] reopens"
	if thePatient(s) {
		return true
	}
	// G03: "by a professional with the patient's renewed consent"
	return professional(s, set) && s.AtPatientsRequest
}

// Destroy answers whether the caller destroys the dossier.
func Destroy(s State, _ Settings) bool {
	if s.Dossier != DossierOpen && s.Dossier != DossierClosed {
		return false
	}
	// G04: "confirmed by a fresh second factor;"
	if !s.SecondFactor {
		return false
	}
	// G04: "Destruction […]: the patient, or the representative of a minor,"
	if s.Kind == Representative && !s.Minor {
		return false
	}
	return thePatient(s)
}

// GiveAuthorisationToSelf answers whether the caller records their own authorisation.
func GiveAuthorisationToSelf(s State, set Settings) bool {
	// G05: "a professional may record their own when the patient consents on the spot
	// (never silently)"
	return s.Dossier == DossierOpen && outOfEmergency(s) && professional(s, set) && s.AtPatientsRequest
}

// GiveAuthorisationToOther answers whether the caller gives one to somebody else.
func GiveAuthorisationToOther(s State, set Settings) bool {
	if s.Dossier != DossierOpen {
		return false
	}
	// G05: "Authorisations: given and withdrawn by the patient;"
	if thePatient(s) {
		return true
	}
	// G05: "one with VALIDE may record the patient's consent for another named
	// professional"
	return outOfEmergency(s) && professionalWithVALIDE(s, set) && s.AtPatientsRequest
}

// GiveAuthorisationToStructure answers whether the caller gives one to a structure.
func GiveAuthorisationToStructure(s State, _ Settings) bool {
	// G05: "given and withdrawn by the patient;" the rest of it names professionals and
	// care teams only.
	return patientOfOpenDossier(s)
}

// GiveAuthorisationToTeam answers whether the caller gives one to a care team that
// they see.
func GiveAuthorisationToTeam(s State, set Settings) bool {
	if patientOfOpenDossier(s) {
		return true
	}
	// G05: "one with VALIDE may record […] for a care team that they see, with the
	// patient's agreement kept as for their own"
	return s.Dossier == DossierOpen && outOfEmergency(s) && professionalWithVALIDE(s, set) && s.AtPatientsRequest
}

// outOfEmergency: G05, "A professional does either in normal mode only: in an
// emergency the patient cannot express their will".
func outOfEmergency(s State) bool { return s.Mode == Normal }

// WithdrawAuthorisation answers whether the caller withdraws an authorisation.
func WithdrawAuthorisation(s State, set Settings) bool {
	if s.Dossier != DossierOpen {
		return false
	}
	// G05: "given and withdrawn by the patient;"
	if thePatient(s) {
		return true
	}
	// G05: "a médecin traitant or another professional may withdraw at the patient's
	// request." Read as: VALIDE is not asked for.
	return outOfEmergency(s) && s.AtPatientsRequest && (medecinTraitant(s, set) || professional(s, set))
}

// Block answers whether the caller blocks a person or structure.
func Block(s State, set Settings, targetIsMT bool) bool {
	// G06: "A médecin traitant cannot be blocked before losing that status."
	return !targetIsMT && patientOrMTAtRequest(s, set)
}

// Unblock: G06 names nobody. Read as: whoever may block.
func Unblock(s State, set Settings) bool {
	return patientOrMTAtRequest(s, set)
}

// NameMT answers whether the caller names médecins traitants, or drops some.
// onlyThemself: the caller is the only one named or dropped.
func NameMT(s State, set Settings, onlyThemself bool) bool {
	if s.Dossier != DossierOpen {
		return false
	}
	// G07: "named by the patient,"
	if thePatient(s) {
		return true
	}
	// G07: "or by the physician with the patient's agreement (themself only, in normal
	// mode; no student, no occupational physician acting as such)."
	if !onlyThemself || s.Student || s.Mode != Normal || s.Occupational {
		return false
	}
	return professional(s, set) && s.Physician && s.AtPatientsRequest
}

// Opposition is one of the three that a patient may state.
type Opposition uint8

const (
	ToBrisDeGlace Opposition = iota
	ToCentre15
	ToFeeding
)

// Oppose answers whether the caller records an opposition in an open dossier.
// "Whoever opens" (G08) does it by opening: see Open.
func Oppose(s State, set Settings, o Opposition) bool {
	// E02: "the patient opposed feeding by them". Read as: nobody in their place.
	if o == ToFeeding {
		return patientOfOpenDossier(s)
	}
	// G08: "set and lifted by the patient, by a médecin traitant at the patient's
	// request,"
	return patientOrMTAtRequest(s, set)
}

// LiftOpposition: G08, "set and lifted by" the same.
func LiftOpposition(s State, set Settings, o Opposition) bool {
	return Oppose(s, set, o)
}

// MaskEverything: L18, "If the patient hid everything". Read as: nobody in their place.
func MaskEverything(s State, _ Settings) bool {
	return patientOfOpenDossier(s)
}

// Alerts: G10, "Settings of alerts: the patient."
func Alerts(s State, _ Settings) bool {
	return patientOfOpenDossier(s)
}

// ChangeTraits answers whether the caller changes identity traits.
func ChangeTraits(s State, set Settings) bool {
	if s.Dossier != DossierOpen {
		return false
	}
	// G11: "traits by a professional with VALIDE, a médecin traitant or
	// administrative staff,"
	if s.Kind == Administrative {
		return !blocked(s)
	}
	return professionalWithVALIDE(s, set) || medecinTraitant(s, set)
}

// ChangeContact: G11, "contact data by the patient too."
func ChangeContact(s State, set Settings) bool {
	return patientOfOpenDossier(s) || ChangeTraits(s, set)
}

// NewINS is what is known of an INS to record.
type NewINS struct {
	QualifiedIdentity bool
	OfAnotherPerson   bool // it is, or was, that of another dossier
}

// ChangeINS answers whether the caller records a new INS.
func ChangeINS(s State, set Settings, n NewINS) bool {
	// G11: "A new one (NIA to NIR, correction) needs a qualified identity"
	if !n.QualifiedIdentity {
		return false
	}
	// G11: "No INS ever moves to another person;"
	if n.OfAnotherPerson {
		return false
	}
	if s.Dossier != DossierOpen || blocked(s) {
		return false
	}
	// G11: "recorded by a médecin traitant, administrative staff or the health
	// insurance"
	return medecinTraitant(s, set) || s.Kind == Administrative || s.Kind == InsuranceFeeder
}

// RecordDeath answers whether the caller records the death of the patient. G12: "Death
// closes the dossier (motive DECES, date kept); recorded by whoever changes the traits."
func RecordDeath(s State, set Settings) bool {
	return ChangeTraits(s, set)
}

// ComposeTeam answers whether the caller makes a care team, or widens it. persons:
// nobody but named professionals join, and the caller is not one of them.
func ComposeTeam(s State, set Settings, persons bool) bool {
	// §6: "never in a secret session"
	if s.Dossier != DossierOpen || s.Secret {
		return false
	}
	// §6: "made, or widened […], as an authorisation by G05: the patient;"
	if thePatient(s) {
		return true
	}
	// §6: "a médecin traitant or a professional with VALIDE, in normal mode […], who add
	// other named professionals only, neither themself nor a structure."
	return persons && outOfEmergency(s) && (medecinTraitant(s, set) || professionalWithVALIDE(s, set)) && s.AtPatientsRequest
}

// NarrowTeam: §6, "Narrowed or ended as G05 withdraws."
func NarrowTeam(s State, set Settings) bool {
	return !s.Secret && WithdrawAuthorisation(s, set)
}

// AddRelatedPerson answers whether the caller records a representative. opening: it
// comes with the opening of the dossier.
func AddRelatedPerson(s State, set Settings, opening bool) bool {
	// §6: "patient with a second factor, or G01 staff". Read as: staff, at opening.
	if !opening {
		return patientOfOpenDossier(s) && s.SecondFactor
	}
	switch s.Kind {
	case Professional:
		return vouchingHolds(s, set) && !blocked(s)
	case Establishment, Administrative, InsuranceFeeder:
		return !blocked(s)
	default:
		return false
	}
}

// Emergency is what is known of a request for a grant (§5).
type Emergency struct {
	CodedCircumstance bool
	WrittenReason     bool // 10 to 500 characters after trimming
	TokenUsed         bool // this token has opened a grant before
}

// EmergencyGrant answers whether a grant is opened for the caller.
func EmergencyGrant(s State, set Settings, e Emergency) bool {
	// §5: "with a coded circumstance […] and a written reason"
	if !e.CodedCircumstance || !e.WrittenReason {
		return false
	}
	// §5: "A token opens at most one grant"
	if e.TokenUsed {
		return false
	}
	// §5: "by a person authenticated in person, opens a grant: this professional".
	// §1: one vouched for is a professional "never in an emergency mode".
	if s.Kind != Professional || s.Vouched {
		return false
	}
	// L14: the occupational physician "never in an emergency mode"
	if s.Occupational {
		return false
	}
	// §2: "students count as their profession in the sandbox only"
	if s.Student && !set.StudentsCount {
		return false
	}
	// §5: "physicians by default (setting of professions)"
	if !s.Physician && !set.GrantToAnyProfession {
		return false
	}
	// §5: "Opposed, blocked, closed, unknown, no reason: refused"
	if s.OpposedBDG || blocked(s) || s.Dossier != DossierOpen {
		return false
	}
	return true
}

func patientOfOpenDossier(s State) bool {
	return s.Dossier == DossierOpen && thePatient(s)
}

// patientOrMTAtRequest: "the patient, or a médecin traitant at the patient's request".
func patientOrMTAtRequest(s State, set Settings) bool {
	if patientOfOpenDossier(s) {
		return true
	}
	return s.Dossier == DossierOpen && medecinTraitant(s, set) && s.AtPatientsRequest
}
