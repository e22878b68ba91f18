package audit

import (
	"time"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// What was done: the FHIR interaction (http://hl7.org/fhir/restful-interaction),
// an IHE transaction, an operation with its dollar, or one of the words below.
// Other words are recorded as they are.
const (
	Read    = "read"
	VRead   = "vread"
	History = "history-instance"
	Search  = "search-type"
	Create  = "create"
	Update  = "update"
	Patch   = "patch"
	Delete  = "delete"

	ProvideDocumentBundle  = "ITI-65"
	FindDocumentLists      = "ITI-66"
	FindDocumentReferences = "ITI-67"
	RetrieveDocument       = "ITI-68"
	SimplifiedPublish      = "ITI-105"
	GenerateMetadata       = "ITI-106"
	BrisDeGlace            = "$bris-de-glace"
	Login                  = "login"
	Logout                 = "logout"
	Token                  = "token" // a token was issued, or refused
	Transaction            = "transaction"
	JournalOpened          = "journal-opened"
)

// Action is the kind of an act (http://hl7.org/fhir/audit-event-action).
type Action byte

// Actions. The zero Action is that of the interaction (Event.Action).
const (
	Creates  Action = 'C'
	Reads    Action = 'R'
	Updates  Action = 'U'
	Deletes  Action = 'D'
	Executes Action = 'E'
)

// Event is one line of the history: who did what, to whom, when, why, and what
// was decided. It holds no content of documents. It is kept sealed.
type Event struct {
	ID       store.EventID // random; Log fills it when zero
	Recorded time.Time     // Log fills it when zero; nanoseconds are kept
	Class    policy.Class  // who may see the event (POLICY G09); clear in the store
	Secret   bool          // of a secret session: never for representatives (POLICY G09)

	// Who. About fills these.
	Kind          auth.Kind
	Actor         fhir.Ident // canonical identifier of the person, or of the system
	ActorName     string
	Profession    auth.Coding // TRE_G15, or the role or title of another person
	Structure     fhir.Ident
	StructureName string
	Client        string // identifier of the software or certificate
	TokenID       string // jti

	// What.
	Interaction string   // see the constants
	Action      Action   // zero: the one that goes with Interaction
	Patient     string   // FHIR id of the Patient; "" in the system journal
	Objects     []string // "DocumentReference/x/_history/2"; of a search, what it names
	Query       string   // of a search, with its type: "DocumentReference?patient=…"

	// Why. About fills Mode and Reason as the credential has them; an open emergency
	// grant changes Mode.
	Mode    auth.Mode
	Purpose string // http://terminology.hl7.org/CodeSystem/v3-ActReason; Log fills it from Kind and Mode when ""
	Reason  string // written reason of an emergency

	// Outcome.
	Allowed   bool
	Rules     []string // that decided (POLICY.md)
	Status    int      // HTTP status answered; 0 if not known
	RequestID string
	// Authority is the reference of the decision under which an establishment feeds
	// by itself (POLICY E01); "" of every other event.
	Authority string
}

// About returns an Event of what p does: who and why are filled, as the credential
// has them.
func About(p auth.Principal) Event {
	return Event{
		Secret:        p.Secret(),
		Kind:          p.Kind(),
		Actor:         p.ID(),
		ActorName:     p.Name(),
		Profession:    p.Profession(),
		Structure:     p.Structure(),
		StructureName: p.StructureName(),
		Client:        p.Client(),
		TokenID:       p.TokenID(),
		Mode:          p.Mode(),
		Reason:        p.Reason(),
	}
}

// purpose maps mode and kind of caller to v3-ActReason (DOMAIN §5.6).
func purpose(k auth.Kind, m auth.Mode) string {
	switch m {
	case auth.BrisDeGlace:
		return "BTG"
	case auth.Centre15:
		return "ETREAT"
	}
	switch k {
	case auth.Patient:
		return "PATRQT"
	case auth.Representative:
		return "FAMRQT"
	case auth.Administrative:
		return "PATADMIN"
	case auth.InsuranceFeeder:
		return "HPAYMT"
	case auth.Operator:
		return "HSYSADMIN"
	case auth.Professional, auth.Regulator, auth.Establishment:
		return "TREAT"
	}
	return ""
}
