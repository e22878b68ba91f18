package fhir

import "slices"

// Interaction is what a request asks for: the codes of
// http://hl7.org/fhir/restful-interaction. The zero Interaction is none.
type Interaction string

// Interactions.
const (
	Read         Interaction = "read"
	VRead        Interaction = "vread"
	History      Interaction = "history-instance"
	Search       Interaction = "search-type"
	Create       Interaction = "create"
	Update       Interaction = "update"
	Patch        Interaction = "patch"
	Delete       Interaction = "delete"
	Operation    Interaction = "operation"
	Transaction  Interaction = "transaction"
	Batch        Interaction = "batch"
	Capabilities Interaction = "capabilities"
)

// ParamType is the type of a search parameter (R4 §3.1.1.4).
type ParamType string

// Types of search parameters that the server has.
const (
	TokenParam     ParamType = "token"
	DateParam      ParamType = "date"
	StringParam    ParamType = "string"
	ReferenceParam ParamType = "reference"
)

// Param is a search parameter of a type, as the table has it.
type Param struct {
	// Name is as in a query: "type", "author.family".
	Name string
	Type ParamType
	// Definition is the canonical URL of the SearchParameter; empty for a chain.
	Definition string
	// Doc says what a client must know, in English, for /metadata.
	Doc string
	// Sortable tells whether _sort takes it.
	Sortable bool

	slot    slot
	role    role
	mods    modifier
	implied string // the system of an element of type code
	absent  string // the code that stands for an element that is not there
	paths   [][]string
	targets []string // the types that a bare id may mean
	leads   []string // the types served that _include follows it to
}

// role is what a parameter does besides, or instead of, comparing values.
type role uint8

const (
	// choosesPatient and choosesPatientIdent name the dossier. The door answers
	// for them: Match does not look at them again.
	choosesPatient role = iota + 1
	choosesPatientIdent
	// findsID and findsIdent are compared, and may find a dossier when no patient
	// is named.
	findsID
	findsIdent
	// tellsTrait gives an identity trait of a patient. The door compares it, over
	// the dossiers that it leads to, and Match does not look at it.
	tellsTrait
	// asksDirectory is compared by the directory, which the door asks.
	asksDirectory
)

// ofDoor tells whether the door answers for a parameter, rather than Match.
func (r role) ofDoor() bool {
	return r == choosesPatient || r == choosesPatientIdent || r == tellsTrait || r == asksDirectory
}

// ofDirectory tells whether the directory answers for a parameter, which then takes no
// modifier.
func (r role) ofDirectory() bool { return r == asksDirectory }

// modifier is a set of search modifiers.
type modifier uint8

const (
	modNot modifier = 1 << iota
	modMissing
	modExact
	modContains
	modIn
	modNotIn
)

// modifierNames are in the order of their bits.
var modifierNames = [...]string{"not", "missing", "exact", "contains", "in", "not-in"}

// service is what the server does with one resource type.
type service struct {
	name     string
	does     []Interaction
	inBundle []Interaction // only as an entry of a transaction
	// conditional are the interactions that may depend on a query.
	conditional []Interaction
	operations  []OperationDef
	profiles    []string
	params      []Param
	sort        []SortKey // without _sort
	lone        bool      // its searches bring nothing else: no _include, no _revinclude
	doc         string
}

func (t *service) supports(i Interaction) bool { return slices.Contains(t.does, i) }

// supportsEntry tells whether an entry of a bundle may ask for i.
func (t *service) supportsEntry(i Interaction) bool {
	return t.supports(i) || slices.Contains(t.inBundle, i)
}

// param returns the parameter of that name, nil if there is none.
func (t *service) param(name string) *Param {
	for i := range t.params {
		if t.params[i].Name == name {
			return &t.params[i]
		}
	}
	return nil
}

// operation returns the operation of that name, nil if there is none.
func (t *service) operation(name string) *OperationDef {
	for i := range t.operations {
		if t.operations[i].Name == name {
			return &t.operations[i]
		}
	}
	return nil
}

// systemInteractions are those of the server as a whole.
var systemInteractions = [...]Interaction{Transaction, Batch, Capabilities}

// serviceOf returns the table of a type, nil for one that is not served.
func serviceOf(typ string) *service {
	for i := range services {
		if services[i].name == typ {
			return &services[i]
		}
	}
	return nil
}

// Supports tells whether a request of its own may ask for the interaction on the
// type; the type is empty for transaction, batch and capabilities.
func Supports(typ string, i Interaction) bool {
	if typ == "" {
		return slices.Contains(systemInteractions[:], i)
	}
	t := serviceOf(typ)
	return t != nil && t.supports(i)
}

// SupportsEntry tells whether an entry of a transaction may ask for the
// interaction on the type: what Supports allows, and what exists only there.
func SupportsEntry(typ string, i Interaction) bool {
	t := serviceOf(typ)
	return t != nil && t.supportsEntry(i)
}

// SupportsConditional tells whether the interaction on the type may depend on a
// query: the resource that Patch, Update or Delete names, or what Create must not
// find (If-None-Exist).
func SupportsConditional(typ string, i Interaction) bool {
	t := serviceOf(typ)
	return t != nil && slices.Contains(t.conditional, i)
}

// Types returns the resource types served, in the order of the table.
func Types() []string {
	names := make([]string, len(services))
	for i := range services {
		names[i] = services[i].name
	}
	return names
}

// Params returns the search parameters of a type, nil for one that is not
// served. They must not be changed.
func Params(typ string) []Param {
	if t := serviceOf(typ); t != nil {
		return slices.Clone(t.params)
	}
	return nil
}

// Operations returns the operations of a type.
func Operations(typ string) []OperationDef {
	if t := serviceOf(typ); t != nil {
		return slices.Clone(t.operations)
	}
	return nil
}
