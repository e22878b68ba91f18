package naive

// Kind is the kind of the caller (§1).
type Kind uint8

const (
	None Kind = iota // not identified
	Patient
	Representative
	Professional
	Regulator
	Establishment
	Administrative
	InsuranceFeeder
	Operator
)

// Mode is the mode of access (§1).
type Mode uint8

const (
	Normal Mode = iota
	BrisDeGlace
	Centre15
)

// Authorisation is the status of the caller on the dossier (§1).
type Authorisation uint8

const (
	NonExiste Authorisation = iota
	Valide
	Expire
	Interdit
)

// Dossier is the state of the dossier.
type Dossier uint8

const (
	DossierAbsent Dossier = iota
	DossierOpen
	DossierClosed
	DossierDestroyed
)

// Cell is what the matrix says of the caller's profession and the document's type.
type Cell uint8

const (
	Deny Cell = iota
	Unknown
	Allow
)

// Group is what a rule may know of the document's type beside its cell.
type Group uint8

const (
	Ordinary      Group = iota
	Reimbursement       // REMB
	FromPatient         // class 90, DOCPAT*, EXPPAT*
	UnknownType         // a type that the matrix does not know
)

// Status is the status of the document (§1).
type Status uint8

const (
	Current Status = iota
	Superseded
	Deleted
)

// State is one situation: a caller, a dossier and one document of it. What depends
// on a clock (a term, an eighteenth birthday, ten years) is already computed.
type State struct {
	Kind   Kind
	Mode   Mode
	Holder bool // the patient of this dossier, or one who represents them at this instant

	Physician      bool // the profession of the caller is physician
	Student        bool // and they are a student of it
	Occupational   bool // an occupational physician acting as such
	ExpressConsent bool // the personal, express authorisation of L14
	Vouched        bool // vouched for by an establishment (AIR)

	Authorisation Authorisation
	Blocked       bool // the caller, or the structure in which they act
	MT            bool // médecin traitant of this dossier
	Grant         bool // an emergency grant is open for this caller and this dossier

	OpposedBDG     bool // the patient opposed bris_de_glace
	OpposedC15     bool // the patient opposed centre_15
	OpposedFeeding bool // the patient opposed feeding by this caller, or by all

	Dossier Dossier
	Minor   bool // the patient is one
	Secret  bool // the session is a secret one, of a minor
	MaskAll bool // the patient hid everything (masquage-total)

	AtPatientsRequest bool // the patient asks for this act, or consents to it on the spot
	SecondFactor      bool // the act is confirmed by a fresh second factor
	TenYearsOver      bool // since the dossier was closed

	Cell              Cell
	Group             Group
	Masked            bool // MASQUE_PS
	MaskedByPatient   bool // that mask was set by the patient
	HiddenFromPatient bool // INVISIBLE_PATIENT, still in its term
	HiddenFromReps    bool // INVISIBLE_REPRESENTANTS_LEGAUX
	TermOver          bool // one month after the deposit (E09)
	Status            Status
	Archived          bool
	Mine              bool // the caller is an author person; of an establishment, its structure is author or custodian
	Deposited         bool // the caller acts in the structure that deposited the document
}

// Settings are the choices that POLICY.md names.
type Settings struct {
	AIR                       bool // air
	OccupationalExpress       bool // occupational-physician: consentement-expres
	StudentsCount             bool // §2: "students count as their profession in the sandbox only"
	MaskAllSparesMT           bool // masquage-total-mt
	FeedingNeedsAuthorisation bool // alimentation-sur-autorisation
	BlockForbidsFeeding       bool // blocage-interdit-alimentation
	HiddenAndMaskedTogether   bool // cumul-invisible-masque
	ClassMismatchRefused      bool // classe-du-type: refuser
	GrantToAnyProfession      bool // §5: "physicians by default (setting of professions)"
	OpenedForAll              bool // ouverture: automatique
}

// Defaults are the settings as POLICY.md gives them.
func Defaults() Settings { return Settings{MaskAllSparesMT: true} }

// Extent is how much of a document the caller reads.
type Extent uint8

const (
	Nothing Extent = iota
	MetadataOnly
	Everything
)

// Read answers how much of the document the caller reads: L01 to L16, and L18.
func Read(s State, set Settings) Extent {
	// L01: "An unidentified caller reads nothing."
	if s.Kind == None {
		return Nothing
	}
	// L02: "In a closed dossier nobody reads documents […]; in a destroyed one
	// nothing exists."
	if s.Dossier != DossierOpen {
		return Nothing
	}
	// L15: "A deleted document is gone for everyone. A superseded or archived one
	// follows the same rules as a current one"
	if s.Status == Deleted {
		return Nothing
	}
	switch s.Kind {
	case Patient, Representative:
		return readAsPatient(s)
	case Professional, Regulator:
		return readAsProfessional(s, set)
	case Establishment, Administrative, InsuranceFeeder:
		return readOwnMetadata(s)
	default:
		// §1: the operator "sees no clinical content".
		return Nothing
	}
}

func readAsPatient(s State) Extent {
	// L03: "The patient reads every document of their dossier,"
	if !s.Holder {
		return Nothing
	}
	// L04: "except those hidden from the patient."
	if s.HiddenFromPatient {
		return Nothing
	}
	// L05: "A representative reads what the patient reads, except what is hidden
	// from representatives"
	if s.Kind == Representative && s.HiddenFromReps {
		return Nothing
	}
	return Everything
}

func readOwnMetadata(s State) Extent {
	// L09: "Not if blocked."
	if blocked(s) {
		return Nothing
	}
	// L13: "Establishment, administrative and insurance-feeder callers read only the
	// metadata of their own documents […], never contents, never others'."
	if s.Mine {
		return MetadataOnly
	}
	return Nothing
}

func readAsProfessional(s State, set Settings) Extent {
	if barred(s, set) {
		return Nothing
	}
	if authorised(s) && typeAllowed(s, set) && unmaskedFor(s, set) {
		return Everything
	}
	// L09: "Without VALIDE an author (person, establishment, feeder) finds the
	// metadata of their own documents (TD3.1b) […]; the content needs VALIDE."
	// Read as: in every mode, and also with VALIDE where the mode closes the content.
	if s.Mine {
		return MetadataOnly
	}
	return Nothing
}

// barred: rules that refuse a professional or a regulator every document.
func barred(s State, set Settings) bool {
	// §1: "A professional vouched for by an establishment (AIR, setting air, default
	// off) is a professional, never in an emergency mode."
	if !vouchingHolds(s, set) {
		return true
	}
	// L10: "A professional whom the patient blocked reads nothing, in any mode."
	// L12: "L10 still appl[ies]" to a regulator. L09: "Not if blocked."
	if blocked(s) {
		return true
	}
	// §7: "regulator on a patient who opposed: as if there were none"
	if s.Kind == Regulator && s.OpposedC15 {
		return true
	}
	// L14: "an occupational physician acting as such […] does not either: setting
	// occupational-physician: off (default […]) or consentement-expres"
	// Read as: not even the metadata of their own documents.
	if s.Occupational && !set.OccupationalExpress {
		return true
	}
	// L14: "a personal, express authorisation; never by structure or team,"
	if s.Occupational && !s.ExpressConsent {
		return true
	}
	// L14: "never in an emergency mode"
	if s.Occupational && s.Mode != Normal {
		return true
	}
	return false
}

// authorised: the dossier is open to this professional or regulator.
func authorised(s State) bool {
	// L06: "A professional in normal mode reads if their authorisation is VALIDE,"
	if s.Kind == Professional && s.Mode == Normal && valide(s) {
		return true
	}
	// L11: "In bris_de_glace no authorisation is needed, if an emergency grant is
	// open for this caller and this dossier"
	// Read as: without a grant nothing is read in this mode, VALIDE or not; and an
	// opposition stated after the grant was opened refuses (§7 "opposed").
	if s.Kind == Professional && s.Mode == BrisDeGlace && s.Grant && !s.OpposedBDG {
		return true
	}
	// L12: "In centre_15 a regulator needs no authorisation, unless the patient
	// opposed". Read as: in no other mode does a regulator read.
	if s.Kind == Regulator && s.Mode == Centre15 && !s.OpposedC15 {
		return true
	}
	return false
}

// typeAllowed: the matrix and its exceptions.
func typeAllowed(s State, set Settings) bool {
	// L09: "With VALIDE an author reads own documents whatever the matrix says."
	// Read as: an open grant is not VALIDE.
	if s.Mine && valide(s) {
		return true
	}
	// L16: "A document whose type the matrix does not know is read by its author and
	// the patient only." Read as: not by a médecin traitant.
	if s.Group == UnknownType {
		return false
	}
	// L06a: "A médecin traitant needs no other authorisation, and the matrix does not
	// narrow what they read."
	if s.MT {
		return true
	}
	// §2: "students count as their profession in the sandbox only". Read as: elsewhere
	// no cell of the matrix is theirs, and the other rules hold.
	if s.Student && !set.StudentsCount {
		return false
	}
	// L07: "and the matrix allows their profession that document type,"
	return s.Cell == Allow
}

// unmaskedFor: no mask stands between this professional and the document.
func unmaskedFor(s State, set Settings) bool {
	// L18: "If the patient hid everything (Consent kind masquage-total), every
	// document counts as masked, in every mode;"
	if !s.Masked && !s.MaskAll {
		return true
	}
	// L08: "and the document is not masked, unless they are its author, act in the
	// structure that deposited it,"
	if s.Mine || s.Deposited {
		return true
	}
	// L18: "médecins traitants keep access (setting masquage-total-mt)."
	if s.MaskAll && !set.MaskAllSparesMT {
		return false
	}
	// L08: "or are a médecin traitant of the dossier."
	return s.MT
}

// SearchAnswer is what a search naming one patient is answered.
type SearchAnswer uint8

const (
	Refused403      SearchAnswer = iota
	Refused401                   // "no or bad credentials"
	RefusedAsAbsent              // as if there were no dossier: 200 with no entry
	OwnOnly                      // the metadata of the caller's own documents
	All                          // each document as Read says
)

// SearchDocuments answers a search of documents by patient (§7, rows "by patient").
// byIdentifier: the search names the identifier of a document (TD3.1b).
func SearchDocuments(s State, set Settings, byIdentifier bool) SearchAnswer {
	// "no or bad credentials: 401"
	if s.Kind == None {
		return Refused401
	}
	// Silence refuses: no row names the operator.
	if s.Kind == Operator {
		return Refused403
	}
	// "patient or representative naming another dossier: 403, whether it exists or not"
	if (s.Kind == Patient || s.Kind == Representative) && !s.Holder {
		return Refused403
	}
	// §1, AIR. Read as: refused before the dossier is looked at.
	if !vouchingHolds(s, set) {
		return Refused403
	}
	// "by patient: no dossier, or destroyed: 200 with no entry (search)"
	if s.Dossier == DossierAbsent || s.Dossier == DossierDestroyed {
		return RefusedAsAbsent
	}
	// "regulator on a patient who opposed: as if there were none"
	if s.Kind == Regulator && s.OpposedC15 {
		return RefusedAsAbsent
	}
	// "the dossier exists but no right, blocked, opposed or closed: 403"
	// Read as: 403 for the patient of a closed dossier too; no row names them.
	if s.Dossier == DossierClosed {
		return Refused403
	}
	if s.Kind == Patient || s.Kind == Representative {
		return All
	}
	// The same row: "blocked".
	if blocked(s) {
		return Refused403
	}
	// "any search by an establishment, administrative or feeder caller, answers the
	// metadata of their own documents only (200, perhaps empty), unless blocked or
	// closed"
	if s.Kind == Establishment || s.Kind == Administrative || s.Kind == InsuranceFeeder {
		return OwnOnly
	}
	// The same row: "no right" (L14).
	if barred(s, set) {
		return Refused403
	}
	if authorised(s) {
		return All
	}
	// "but a search with identifier (TD3.1b) by a professional without VALIDE […]
	// answers the metadata of their own documents only"
	// Read as: by whoever is not let in to the whole, so that it agrees with L09; "a
	// regulator searches in centre_15 only".
	if byIdentifier && s.Kind == Professional {
		return OwnOnly
	}
	return Refused403
}

// ReadStatus answers whether the exact INS search (TD0.2) tells the caller that the
// dossier exists, its state, and their own status.
func ReadStatus(s State, set Settings) bool {
	if s.Dossier != DossierOpen && s.Dossier != DossierClosed {
		return false
	}
	// §6: "answers, to any identified professional, establishment or administrative
	// caller, open or closed". Read as: to a blocked one too, whose status it tells.
	if s.Kind == Professional && vouchingHolds(s, set) {
		return true
	}
	if s.Kind == Establishment || s.Kind == Administrative {
		return true
	}
	// §6: "a regulator is a professional here, and the health insurance is answered
	// too". §7: "regulator on a patient who opposed: as if there were none".
	if s.Kind == Regulator {
		return vouchingHolds(s, set) && !s.OpposedC15
	}
	if s.Kind == InsuranceFeeder {
		return true
	}
	// Whoever reads the full resource reads this part of it.
	return ReadPatient(s, set)
}

// ReadPatient answers whether the caller reads the full Patient resource.
func ReadPatient(s State, set Settings) bool {
	// §6: "the full resource to those who may read the dossier […]"
	if s.Dossier == DossierOpen && (s.Kind == Professional || s.Kind == Regulator) {
		return !barred(s, set) && authorised(s)
	}
	// "[…] and to the patient". G03: "In a closed dossier the patient still logs in,
	// sees state and history"
	return thePatient(s) && (s.Dossier == DossierOpen || s.Dossier == DossierClosed)
}

// ReadConsent answers whether the caller reads a Consent of the dossier.
// aboutMe: its actor is the caller or their structure.
func ReadConsent(s State, set Settings, aboutMe bool) bool {
	// §6: "patient, representative, médecin traitant: all;"
	if thePatient(s) && (s.Dossier == DossierOpen || s.Dossier == DossierClosed) {
		return true
	}
	// §7: "by patient (search, operation, Consent) […] blocked, opposed or closed: 403"
	if s.Dossier != DossierOpen {
		return false
	}
	if medecinTraitant(s, set) {
		return true
	}
	// "a professional: those about themselves or their structure"
	return professional(s, set) && aboutMe
}

// EventClass is how an event of the history was classed when it was written (G09).
type EventClass uint8

const (
	EventOpen EventClass = iota
	EventWithheld
	EventSecret
)

// ReadHistory answers whether the caller reads an event of that class (G09).
func ReadHistory(s State, set Settings, class EventClass) bool {
	// L02: in a closed dossier "history, existence, reactivation and destruction
	// still answer"; in a destroyed one "nothing exists".
	if s.Dossier != DossierOpen && s.Dossier != DossierClosed {
		return false
	}
	// "History of accesses: the patient, the médecins traitants;" L14: an occupational
	// physician "acting as such" does not read, the history either.
	if medecinTraitant(s, set) {
		return !barred(s, set)
	}
	if !thePatient(s) {
		return false
	}
	// "withheld from the patient"; and L05: "A representative reads what the patient
	// reads".
	if class == EventWithheld {
		return false
	}
	// "a representative, except events of secret sessions"
	if s.Kind == Representative && class == EventSecret {
		return false
	}
	return true
}

// ReadRelatedPerson: §6, "patient, representative, médecin traitant".
func ReadRelatedPerson(s State, set Settings) bool {
	if thePatient(s) {
		return s.Dossier == DossierOpen || s.Dossier == DossierClosed
	}
	// §7: closed is 403 for a professional.
	return s.Dossier == DossierOpen && medecinTraitant(s, set)
}

// The words of §1.

// thePatient: "The patient in a rule means the patient, or a representative acting
// for them, unless the rule says otherwise."
func thePatient(s State) bool {
	return (s.Kind == Patient || s.Kind == Representative) && s.Holder
}

// blocked: "INTERDIT wins over all." Read as: INTERDIT is the status of whom the
// patient blocked, so that either says it.
func blocked(s State) bool {
	return s.Blocked || s.Authorisation == Interdit
}

// valide: "VALIDE comes from (a) being a médecin traitant, as long as one is; […]
// INTERDIT wins over all."
func valide(s State) bool {
	if blocked(s) {
		return false
	}
	return s.Authorisation == Valide || s.MT
}

// vouchingHolds: "A professional vouched for by an establishment (AIR, setting air,
// default off) is a professional, never in an emergency mode."
func vouchingHolds(s State, set Settings) bool {
	if !s.Vouched || (s.Kind != Professional && s.Kind != Regulator) {
		return true
	}
	return set.AIR && s.Mode == Normal
}

// professional: one to whom §7 does not answer 403 for being "blocked" or "opposed".
// Read as: a regulator is a kind of its own, and is not meant by "a professional".
func professional(s State, set Settings) bool {
	if s.Kind != Professional || !vouchingHolds(s, set) || blocked(s) {
		return false
	}
	return s.Mode != BrisDeGlace || !s.OpposedBDG
}

// professionalWithVALIDE is a professional whose status on the dossier is VALIDE.
func professionalWithVALIDE(s State, set Settings) bool {
	return professional(s, set) && valide(s)
}

// medecinTraitant: §1, "a regulator acts as such alone, médecin traitant of the dossier
// or not".
func medecinTraitant(s State, set Settings) bool {
	return s.MT && professional(s, set)
}

// SearchConsents answers whether the caller searches the Consents of the dossier.
// aboutMe: one of them is about the caller or their structure.
func SearchConsents(s State, set Settings, aboutMe bool) bool {
	// §7: "no right: 403". §6: "a professional with VALIDE has a right to search, and
	// finds what is theirs".
	return ReadConsent(s, set, aboutMe) || s.Dossier == DossierOpen && professional(s, set) && s.Authorisation == Valide
}

// ReadTeam answers whether the caller reads a care team. member: they or their
// structure are one. §6 says the same of it as of Consents.
func ReadTeam(s State, set Settings, member bool) bool { return ReadConsent(s, set, member) }

// SearchTeams answers whether the caller searches the care teams of the dossier.
func SearchTeams(s State, set Settings, member bool) bool { return SearchConsents(s, set, member) }

// Explain answers whether the caller is told who can read the document, and by which
// rule. G13: "the patient and a médecin traitant may ask, of a document that they can
// read […]; for anyone else there is no such document."
func Explain(s State, set Settings) bool {
	return sees(s, set) && (thePatient(s) || medecinTraitant(s, set))
}

// SearchTraits answers whether the caller searches dossiers by identity traits.
func SearchTraits(s State, set Settings) bool {
	// L14: an occupational physician acting as such "never in an emergency mode".
	if s.Occupational || !vouchingHolds(s, set) {
		return false
	}
	// §5: "centre_15: registered certificate and the physician's own identity; may
	// search dossiers by traits". §6: nobody else but by "exact INS search".
	return s.Kind == Regulator && s.Mode == Centre15
}
