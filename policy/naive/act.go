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
	// Read as: the document must be hidden from representatives, whatever else it is.
	if s.Secret && !s.HiddenFromReps {
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
	if set.FeedingNeedsAuthorisation && !valide(s) {
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

// Replace answers whether the caller replaces the document by the one sent. "The
// replacement takes over the visibility flags of the replaced one" (E06), so that
// there are none of its own to judge.
func Replace(s State, set Settings, a Addition) bool {
	// E06: "Replacing is for an author of the old document;"
	if !author(s, set) {
		return false
	}
	// E16: "current to superseded by an author […]; any other change 422."
	if s.Status != Current {
		return false
	}
	// E11: "in a secret session it is the only possibility."
	if s.Secret && !s.HiddenFromReps {
		return false
	}
	// Read as: a replacement is an addition too, E01 to E05 apply.
	return mayFeed(s, set, a)
}

// Delete answers whether the caller deletes the document, logically.
func Delete(s State, set Settings) bool {
	// E07: "Deleting (logical) is for its author;"
	if author(s, set) {
		return true
	}
	// E07: "the patient may delete their own documents."
	return thePatient(s) && sees(s, set) && s.Group == FromPatient
}

// Mask answers whether the caller sets MASQUE_PS where it was not.
func Mask(s State, set Settings) bool {
	// E10: "Hidden from the patient and masked exclude each other"
	if s.HiddenFromPatient && !set.HiddenAndMaskedTogether {
		return false
	}
	return author(s, set) || masksForThePatient(s, set)
}

// Unmask answers whether the caller lifts MASQUE_PS.
func Unmask(s State, set Settings) bool {
	// E08: "the author does not lift a mask that the patient set." Read as: unless
	// the author is also one of the others whom E08 names.
	if author(s, set) && !s.MaskedByPatient {
		return true
	}
	return masksForThePatient(s, set)
}

// masksForThePatient: those of E08, the author left out.
func masksForThePatient(s State, set Settings) bool {
	// E08: "nobody unmasks what they cannot see". §7: what one cannot see is 404, so
	// nobody masks it either.
	if !sees(s, set) {
		return false
	}
	// E08: "Masking and unmasking: the patient, a médecin traitant, […]"
	if thePatient(s) || medecinTraitant(s, set) {
		return true
	}
	// E08: "or a professional with VALIDE acting at the patient's request;"
	return professionalWithVALIDE(s, set) && s.AtPatientsRequest
}

// Hide answers whether the caller hides the document from the patient.
func Hide(s State, set Settings) bool {
	// E10: "Hidden from the patient and masked exclude each other"
	if s.Masked && !set.HiddenAndMaskedTogether {
		return false
	}
	return announces(s, set)
}

// Show answers whether the caller makes the document visible to the patient, "after
// telling them", for which the caller answers.
func Show(s State, set Settings) bool {
	return announces(s, set)
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

// HideReps answers whether the caller hides the document from representatives.
func HideReps(s State, set Settings) bool {
	// E11: "Hidden from representatives exists only for a minor;"
	return s.Minor && decidesForReps(s, set)
}

// ShowReps answers whether the caller makes it visible to representatives again.
func ShowReps(s State, set Settings) bool {
	// E11: "in a secret session it is the only possibility."
	return !s.Secret && decidesForReps(s, set)
}

// decidesForReps: E11 names nobody. Read as: those of E09, and the minor, but no
// representative.
func decidesForReps(s State, set Settings) bool {
	if s.Kind == Representative {
		return false
	}
	if thePatient(s) && sees(s, set) {
		return true
	}
	return author(s, set) || treatsAndSees(s, set)
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
}

// Open answers whether the caller opens a dossier, at the patient's demand. The two
// emergency boxes are part of it.
func Open(s State, set Settings, o Opening) bool {
	// G01: "One dossier per INS." §7 answers one destroyed as one that never was.
	if s.Dossier != DossierAbsent && s.Dossier != DossierDestroyed {
		return false
	}
	// G01: "only with a qualified identity (status VALI or QUAL), the INS, and the
	// statement that the patient was informed and consents"
	if !o.QualifiedIdentity || !o.ConsentStated {
		return false
	}
	// G01: "Opening: a professional, an establishment by its certificate,
	// administrative staff, the health insurance, or the patient;"
	switch s.Kind {
	case Professional:
		return vouchingHolds(s, set)
	case Establishment, Administrative, InsuranceFeeder:
		return true
	default:
		return thePatient(s)
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
	return s.Dossier == DossierOpen && professional(s, set) && s.AtPatientsRequest
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
	return professionalWithVALIDE(s, set) && s.AtPatientsRequest
}

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
	return s.AtPatientsRequest && (medecinTraitant(s, set) || professional(s, set))
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

// NameMT answers whether the caller names a médecin traitant.
func NameMT(s State, set Settings) bool {
	if s.Dossier != DossierOpen {
		return false
	}
	// G07: "named by the patient,"
	if thePatient(s) {
		return true
	}
	// G07: "or by the physician with the patient's agreement."
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
	// G11 names nobody. Read as: whoever may change the traits.
	return ChangeTraits(s, set)
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
