package auth

import (
	"time"

	"opendmp/fhir"
)

// Kind is the kind of a caller (POLICY.md §1).
type Kind uint8

// Kinds of callers. Nobody is the zero value.
const (
	Nobody Kind = iota
	Patient
	Representative
	Professional
	Regulator
	Establishment
	Administrative
	InsuranceFeeder
	Operator
)

// Mode is the mode of access (TRE_R248-ModeAcces).
type Mode uint8

// Modes of access.
const (
	Normal Mode = iota
	BrisDeGlace
	Centre15
)

// Coding is a code and the system it is from.
type Coding struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

// IsZero tells whether there is no code.
func (c Coding) IsZero() bool { return c == Coding{} }

// Principal is a proved caller. It is a value; the zero Principal is nobody.
type Principal struct {
	kind       Kind
	mode       Mode
	student    bool
	occupation bool
	secret     bool
	vouched    bool
	id         fhir.Ident
	profession Coding
	roles      []Coding
	structure  fhir.Ident
	structures []fhir.Ident
	name       string
	orgName    string
	reason     string
	tokenID    string
	client     string
	expires    time.Time
	confirmed  time.Time
	scopes     Scopes
	scoped     bool
}

// Kind returns the kind of caller; Nobody for the zero Principal.
func (p Principal) Kind() Kind { return p.kind }

// Mode returns the mode that the credential asks for.
func (p Principal) Mode() Mode { return p.mode }

// ID returns the canonical identifier of the person (fhir.CanonicalIdent); for
// a patient their INS; for a caller that is no person, that of the structure.
func (p Principal) ID() fhir.Ident { return p.id }

// Profession returns the exercised profession (TRE_G15), or the role or title
// of a person of another kind; zero if there is none.
func (p Principal) Profession() Coding { return p.profession }

// Roles returns further roles and skills: savoir-faire (TRE_R01), TRE_R85.
// The slice must not be changed.
func (p Principal) Roles() []Coding { return p.roles }

// Student tells whether the person is in training.
func (p Principal) Student() bool { return p.student }

// Occupational tells whether the person acts as an occupational physician.
func (p Principal) Occupational() bool { return p.occupation }

// Secret tells whether the session is a secret one: hidden from the
// representatives of a minor.
func (p Principal) Secret() bool { return p.secret }

// Vouched tells whether an establishment vouches for the person (AIR).
func (p Principal) Vouched() bool { return p.vouched }

// Structure returns the canonical identifier of the structure in which the
// caller acts; zero if none.
func (p Principal) Structure() fhir.Ident { return p.structure }

// Structures returns all registered identifiers of that structure, Structure
// among them. The slice must not be changed.
func (p Principal) Structures() []fhir.Ident { return p.structures }

// Name returns the name of the person or system, for the history.
func (p Principal) Name() string { return p.name }

// StructureName returns the name of the structure, for the history.
func (p Principal) StructureName() string { return p.orgName }

// Reason returns the written reason that the credential carries, for
// bris_de_glace; "" if none.
func (p Principal) Reason() string { return p.reason }

// TokenID returns the jti of the token.
func (p Principal) TokenID() string { return p.tokenID }

// Client returns the identifier of the client software or certificate.
func (p Principal) Client() string { return p.client }

// Expires returns when the credential ends.
func (p Principal) Expires() time.Time { return p.expires }

// Confirmed returns when the person last gave a second factor; zero if never.
func (p Principal) Confirmed() time.Time { return p.confirmed }
