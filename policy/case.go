package policy

import "opendmp/auth"

// Act is what is asked for.
type Act uint8

// Acts. The zero Act is none, and no rule permits it.
const (
	NoAct Act = iota

	// Reading.
	ActRead     // a document
	ActReadList // a submission set or folder
	ActReadProvenance
	ActReadPatient   // the Patient resource, whole
	ActReadStatus    // the answer of TD0.2
	ActReadConsent   // one Consent
	ActReadRelated   // one RelatedPerson
	ActReadTeam      // one CareTeam
	ActSearch        // documents of one dossier, by patient
	ActSearchConsent // Consents of one dossier, by patient
	ActSearchRelated // RelatedPersons of one dossier, by patient
	ActSearchTeam    // CareTeams of one dossier, by patient
	ActHistory       // the history of accesses
	ActSearchTraits  // dossiers, by identity traits
	ActExplain       // who may read a document, and why

	// Documents.
	ActAdd         // a document
	ActAddList     // a submission set, a folder, a Provenance
	ActReplace     // by another document
	ActSupersede   // status, by PATCH
	ActDelete      // logically
	ActStatus      // any other change of status
	ActMask        // the flag MASQUE_PS set
	ActUnmask      //   and lifted
	ActHide        // the flag INVISIBLE_PATIENT set
	ActShow        //   and lifted
	ActHideReps    // the flag INVISIBLE_REPRESENTANTS_LEGAUX set
	ActShowReps    //   and lifted
	ActArchive     // archived, or no more
	ActArchiveList // the same, of a List
	ActTouch       // a change that changes nothing
	ActPatch       // the elements that a PATCH names

	// The dossier.
	ActOpen
	ActClose
	ActReopen
	ActDestroy
	ActConsent    // a consent given
	ActWithdraw   // a consent withdrawn
	ActNameMT     // the médecins traitants
	ActTraits     // identity traits
	ActContact    // contact data
	ActINS        // the national identifier
	ActDeath      // the death of the patient, which closes the dossier
	ActElement    // an element of the Patient that no change may touch
	ActAlerts     // settings of alerts
	ActAddRelated // a representative
	ActTeam       // a care team made, or changed otherwise than by narrowing it
	ActNarrowTeam // a care team of which somebody is a member no more
	ActEmergency  // a bris de glace opened

	acts
)

// State is the state of a dossier.
type State uint8

// States. A dossier that never was and one that was destroyed answer alike.
const (
	NoDossier State = iota
	Active
	Closed
	Destroyed
)

// Authorisation is the status of a professional on a dossier (POLICY §1, DOMAIN
// §5.2).
type Authorisation uint8

// Statuses of an authorisation. Interdit wins over the others; rules see it as
// Case.Blocked, so that they do not forget the status that it covers.
const (
	NonExiste Authorisation = iota
	Valide
	Expire
	Interdit
)

// String returns the code that a TD0.2 answer holds.
func (a Authorisation) String() string {
	switch a {
	case Valide:
		return "VALIDE"
	case Expire:
		return "EXPIRE"
	case Interdit:
		return "INTERDIT"
	}
	return "NON_EXISTE"
}

// Status is the status of a document, a List, a Consent or a CareTeam.
type Status uint8

// Statuses. A resource of the zero Status cannot be read.
const (
	NoStatus   Status = iota
	Current           // current; of a Consent or a CareTeam: active
	Superseded        // superseded; of a List: retired
	Deleted           // entered-in-error, or deleted by the server
	Inactive          // of a Consent or a CareTeam: neither in force nor an error
)

// Group is a group of types of documents, as far as rules tell them apart.
type Group uint8

// Groups of documents. The zero Group is that of types which are not of the
// DMP's value set.
const (
	UnknownType   Group = iota
	Ordinary            // from care
	FromPatient         // class 90, DOCPAT*, EXPPAT*
	Reimbursement       // REMB
)

// Fit tells whether a document's class goes with its type.
type Fit uint8

// Fits of a class.
const (
	UnknownClass Fit = iota
	OtherClass       // a class of the DMP, but not that of the type
	OwnClass         // the class of the type, or none given
)

// Case is all that a rule sees: who asks for what, on which dossier, of what
// document, in enumerations and booleans only. It is comparable, holds no code,
// no identity and no time, and its zero value is permitted nothing.
type Case struct {
	Act  Act
	Kind auth.Kind
	Mode auth.Mode // in force, an open grant counted

	// The caller.
	Holder       bool // is the patient, or represents them now
	Vouched      bool // by an establishment (AIR)
	Occupational bool // acts as an occupational physician
	Student      bool
	Physician    bool
	Secret       bool // in a secret session
	Fresh        bool // has given a second factor just now
	CMEDecided   bool // an establishment whose CME decided that it feeds by itself

	// The caller and the dossier.
	State         State
	Authorisation Authorisation // never Interdit
	Personal      bool          // the authorisation is the caller's own, not the structure's
	Blocked       bool
	MT            bool // is a médecin traitant
	Grant         bool // has an emergency grant open
	FeedOpposed   bool // the patient opposed feeding by this caller

	// The dossier.
	OpposedBTG bool // to bris_de_glace
	OpposedC15 bool // to centre_15
	MaskAll    bool // everything hidden (masquage-total)
	Minor      bool

	// The document as it is, or as it comes when it is added.
	Cell          Cell
	Group         Group
	Insurance     bool // a type that the health insurance feeds
	Fit           Fit
	Status        Status
	Masked        bool
	MaskedPatient bool // masked by the patient
	Hidden        bool // from the patient, at this instant
	HiddenReps    bool // from representatives
	Mine          bool // the caller is an author; of administrative staff, their establishment is
	Foreign       bool // names another author, or custodian, beside the caller
	Deposited     bool // the structure in which the caller acts deposited it
	Sees          bool // the caller may read it, be it the metadata

	// The document as it is to be.
	WillMask     bool
	WillHide     bool
	WillHideReps bool
	Late         bool // the time of hiding from the patient is over
	Outside      bool // an element that no PATCH may change
	TakesOver    bool // it replaces another, whose flags it takes over: nobody sets them (E06)

	// What else is asked for.
	ByIdentifier bool        // a search that names the document (TD3.1b)
	Consent      ConsentKind // of the Consent
	AboutMe      bool        // the Consent or the CareTeam names the caller, their structure, or a team that does
	ForMe        bool        // the Consent names the caller in person; of a CareTeam, the caller or their structure joins
	ForPerson    bool        // the Consent names a person; of a CareTeam, nobody but persons joins
	ForTeam      bool        // the Consent names a care team
	NoTeam       bool        // and it is not one in use of this dossier that the caller sees
	ForMT        bool        // the Consent names a médecin traitant
	BadPeriod    bool        // starts in the past, or is too long
	BadChange    bool        // changes what may not change, or leaves out what must be there
	Qualified    bool        // the identity is VALI or QUAL and has its INS
	Informed     bool        // the statement that the patient was informed and consents; of a Consent, by whom and where; of a médecin traitant who names themself, where
	Letter       bool        // of an opening: rests on a letter of information, the patient gave no consent
	OnlyMe       bool        // of médecins traitants: names or drops the caller alone
	Expired      bool        // the ten years after closing are over
	Professions  bool        // the profession may break the glass (setting)
	Justified    bool        // circumstance and reason are in order

	Options Options
}

// Options are the settings that rules look at.
type Options struct {
	AIR                   bool
	OccupationalByConsent bool // occupational-physician: consentement-expres
	Students              bool // students count as their profession (sandbox)
	FeedByAuthorisation   bool // alimentation-sur-autorisation
	BlockForbidsFeeding   bool // blocage-interdit-alimentation
	BothFlags             bool // cumul-invisible-masque
	ClassMustFit          bool // classe-du-type: refuser
	MaskAllSparesMT       bool // masquage-total-mt
	OpenAutomatically     bool // ouverture: automatique
}
