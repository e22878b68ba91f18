package policy

import (
	"errors"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// ErrNotReleased is the error of composing with something that was not released.
var ErrNotReleased = errors.New("policy: a part was not released")

// State is the state of a dossier.
type State uint8

// States. A dossier that never existed and one that was destroyed answer alike.
const (
	NoDossier State = iota
	Active
	Closed
	Destroyed
)

// Extent is how much of a resource may be read.
type Extent uint8

// Extents. Metadata is the DocumentReference without its content.
const (
	None Extent = iota
	Metadata
	Full
)

// Refusal is the class of a refusal (POLICY §7).
type Refusal uint8

// Classes of refusals. The zero Refusal is Hidden: 404, as if it never existed.
const (
	Hidden        Refusal = iota // 404
	Forbidden                    // 403
	NotMethod                    // 405
	Unprocessable                // 422
)

// Class is the class of an event of the history (POLICY G09).
type Class uint8

// Classes of events.
const (
	Open     Class = iota // everyone who may read the history
	Withheld              // not the patient, until the document is made visible
	Secret                // not the representatives
)

// Decision is the outcome of all the rules. The zero Decision refuses.
type Decision struct {
	extent  Extent
	refusal Refusal
}

// Allowed tells whether the act may be done.
func (d Decision) Allowed() bool { return d.extent != None }

// Extent tells how much may be read; Full for an act that is allowed and no read.
func (d Decision) Extent() Extent { return d.extent }

// Rules returns the ids of the rules that decided, in the order of the table.
func (d Decision) Rules() []string { return nil }

// Refusal returns the class of the refusal; meaningless if allowed.
func (d Decision) Refusal() Refusal { return d.refusal }

// Text returns the sentence of a refusal for the caller. It reveals nothing.
func (d Decision) Text() fhir.Text { return fhir.Text{} }

// ConsentKind is the kind of a Consent (POLICY §6).
type ConsentKind uint8

// Kinds of Consent.
const (
	NoKind ConsentKind = iota
	Ouverture
	Autorisation
	Blocage
	OppositionBrisDeGlace
	OppositionCentre15
	OppositionAlimentation
	MasquageTotal
	AccesUrgence
)

// Authorisation is the status of a professional on a dossier (POLICY §1).
type Authorisation uint8

// Statuses.
const (
	NonExiste Authorisation = iota
	Valide
	Expire
	Interdit
)

// Status is the status of a resource, as far as the rules see it.
type Status uint8

// Statuses of resources.
const (
	NoStatus   Status = iota
	Current           // DocumentReference, List: current; Consent: active
	Superseded        // DocumentReference: superseded; List: retired
	Deleted           // entered-in-error, or deleted by the server
	Inactive          // Consent: inactive, rejected, draft, proposed
)

// Flags are the visibility flags of a document (TRE_A07).
type Flags struct{ Masque, InvisiblePatient, InvisibleRepresentants bool }

// Origin is what the server knows of a row beside the bytes of its resource.
type Origin struct {
	Deposited       time.Time    // of the first version
	By              fhir.Ident   // canonical identifier of the depositor
	ByKind          auth.Kind    // what the depositor was
	Structures      []fhir.Ident // identifiers of the structure they acted in
	MaskedByPatient bool         // the mask in force was set by the patient
	Deleted         bool         // deleted by the server (DELETE), whatever the bytes say
}

func (o Origin) AppendBinary(b []byte) []byte { return b }
func DecodeOrigin(b []byte) (Origin, []byte, error) {
	return Origin{}, nil, errors.New("policy: not written yet")
}

// Facts are what the policy needs of one resource.
type Facts struct{}

func FactsOf(r *fhir.Resource, o Origin) (Facts, error) {
	return Facts{}, errors.New("policy: not written yet")
}
func (f Facts) AppendBinary(b []byte) []byte { return b }
func DecodeFacts(b []byte) (Facts, []byte, error) {
	return Facts{}, nil, errors.New("policy: not written yet")
}
func (f Facts) Type() string                       { return "" }
func (f Facts) Patient() string                    { return "" } // "Patient/<id>"; of a Patient ""
func (f Facts) PatientIdent() fhir.Ident           { return fhir.Ident{} }
func (f Facts) Status() Status                     { return 0 }
func (f Facts) Deleted() bool                      { return false }
func (f Facts) Archived() bool                     { return false }
func (f Facts) Flags() Flags                       { return Flags{} }
func (f Facts) ConsentKind() ConsentKind           { return 0 }
func (f Facts) ConsentActor() fhir.Ident           { return fhir.Ident{} }
func (f Facts) ConsentActive() bool                { return false }
func (f Facts) Period() (start, end time.Time)     { return }
func (f Facts) Refs() []string                     { return nil } // relative references it names, contents apart
func (f Facts) Contents() []string                 { return nil } // attachment.url
func (f Facts) Replaces() []string                 { return nil } // relatesTo.target with code replaces
func (f Facts) INS() []fhir.Ident                  { return nil } // active one first
func (f Facts) BirthDate() (time.Time, bool)       { return time.Time{}, false }
func (f Facts) Origin() Origin                     { return Origin{} }
func (f Facts) Attributed() (authors []fhir.Ident) { return nil } // persons, then structures

// Subject is one resource of a dossier: its reference and its facts.
type Subject struct {
	Ref   string // "DocumentReference/<id>"
	Facts Facts
}

// Record is the facts of one version of a dossier.
type Record struct{}

func NewRecord(state State, subjects []Subject) *Record { return &Record{} }
func (rec *Record) State() State                        { return 0 }
func (rec *Record) Len() int                            { return 0 }
func (rec *Record) Subject(i int) Subject               { return Subject{} }
func (rec *Record) Index(ref string) (int, bool)        { return 0, false }
func (rec *Record) ActiveConsent(kind ConsentKind, actor fhir.Ident) (ref string, ok bool) {
	return "", false
}

type cells interface {
	Cell(profession auth.Coding, roles []auth.Coding, typ, class auth.Coding, at time.Time) Cell
}

// Settings are the named settings of POLICY.md.
type Settings struct{}

func DefaultSettings() Settings { return Settings{} }

// Engine is the settings and the matrix.
type Engine struct{}

func New(s Settings, m cells) (*Engine, error) { return &Engine{}, nil }

func (e *Engine) View(p auth.Principal, rec *Record, at time.Time) *View { return &View{} }
func (e *Engine) Open(p auth.Principal, patient Facts, consents []Facts, at time.Time) Decision {
	return Decision{}
}

// Warnings returns what is doubtful but not refused (E05).
func (e *Engine) Warnings(f Facts) []fhir.Issue { return nil }

func PatchElements(typ string, elements []string) Decision { return Decision{} }

// Situation is what the answer header, TD0.2 and the history say of a View.
type Situation struct {
	State           State
	Authorisation   Authorisation
	Mode            auth.Mode // in force, with an open grant counted
	MedecinTraitant bool
	Patient         bool // the caller is the patient
	Representative  bool // the caller represents the patient, now
	Minor           bool
	Opposed         bool      // to the emergency mode in force or asked for
	GrantEnds       time.Time // zero without an open grant
}

// View is the situation of one caller on one dossier at one instant.
type View struct{}

func (v *View) Situation() Situation                          { return Situation{} }
func (v *View) Read(i int) Decision                           { return Decision{} }
func (v *View) Sees(ref string) bool                          { return false }
func (v *View) Search(typ string, byIdentifier bool) Decision { return Decision{} }
func (v *View) Release(r *fhir.Resource, o Origin) (Released[*fhir.Resource], Decision) {
	return Released[*fhir.Resource]{}, Decision{}
}
func (v *View) ReleaseOld(current *fhir.Resource, o Origin, old *fhir.Resource) (Released[*fhir.Resource], Decision) {
	return Released[*fhir.Resource]{}, Decision{}
}
func (v *View) ReleaseStatus(patient *fhir.Resource, o Origin) (Released[*fhir.Resource], Decision) {
	return Released[*fhir.Resource]{}, Decision{}
}
func (v *View) Add(f Facts) Decision                                         { return Decision{} }
func (v *View) Replace(old, new Facts) Decision                              { return Decision{} }
func (v *View) Change(before, after Facts) Decision                          { return Decision{} }
func (v *View) Delete(f Facts) Decision                                      { return Decision{} }
func (v *View) ChangeConsent(before *Facts, after Facts) Decision            { return Decision{} }
func (v *View) ChangePatient(before, after Facts, changed []string) Decision { return Decision{} }
func (v *View) ChangeList(before, after Facts) Decision                      { return Decision{} }
func (v *View) Emergency(circumstance auth.Coding, reason string) Decision   { return Decision{} }
func (v *View) History() (Decision, []Class)                                 { return Decision{}, nil }
func (v *View) ClassOf(touched, named []string) Class                        { return Secret }
func (v *View) NextOrigin(prev Origin, before, after Facts) Origin           { return prev }

func ReleaseContent[T any](v *View, governor *fhir.Resource, o Origin, ref string, content T) (Released[T], Decision) {
	return Released[T]{}, Decision{}
}
func ReleaseEvent[T any](v *View, class Class, content T) (Released[T], Decision) {
	return Released[T]{}, Decision{}
}
