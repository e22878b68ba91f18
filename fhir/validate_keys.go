package fhir

import "strings"

// invariantDef is an invariant that a profile adds to those of R4, written by hand.
type invariantDef struct {
	key string
	// holds is the rule; nil if the profile gives a sentence and no expression that
	// a resource alone could be held to.
	holds func(v *validator, n Node) bool
	text  Text
	// byCodes is said of those about terminologies, which CheckCodes holds.
	byCodes bool
}

// profileInvariants is every invariant of the profiles of the table.
var profileInvariants = [...]invariantDef{
	{
		// startsWith('urn:oid:')
		key:   "mhd-startswithoid",
		holds: func(_ *validator, n Node) bool { return strings.HasPrefix(n.Text(), "urn:oid:") },
		text:  Text{"L’identifiant unique d’un lot est un OID, sous la forme urn:oid:….", "The unique id of a submission set is an OID, as urn:oid:…."},
	},
	{
		// startsWith('urn:uuid:')
		key:   "mhd-startswithuuid",
		holds: func(_ *validator, n Node) bool { return strings.HasPrefix(n.Text(), "urn:uuid:") },
		text:  Text{"L’entryUUID est un UUID, sous la forme urn:uuid:….", "An entryUUID is a UUID, as urn:uuid:…."},
	},
	{
		// $this.who = %resource.source.observer
		key: "val-audit-source",
		holds: func(v *validator, n Node) bool {
			return sameValue(n.Get("who"), v.scope.container.Get("source").Get("observer"))
		},
		text: Text{"L’agent qui enregistre l’événement est source.observer.", "The agent that records the event is source.observer."},
	},
	{
		// identityStatus VALI implies an INS, official, or temporary for an NIA
		key: "fr-core-1",
		holds: func(_ *validator, n Node) bool {
			return !validated(n) || hasINS(n)
		},
		text: Text{"Une identité validée (VALI) porte un INS.", "A validated identity (VALI) has an INS."},
	},
	{
		// identityStatus VALI implies one identifier of use official, or an NIA
		key: "fr-core-2",
		holds: func(_ *validator, n Node) bool {
			return !validated(n) || officialIdentifiers(n) == 1 || hasIdentifier(n, SystemINSNIA, "temp")
		},
		text: Text{"Une identité validée (VALI) a un seul identifiant officiel, ou un NIA.", "A validated identity (VALI) has exactly one official identifier, or an NIA."},
	},
	// PDSm writes these as sentences about terminologies, without expression.
	{key: "constr-bind-ProducteurDoc", byCodes: true},
	{key: "constr-bind-ProducteurDoc-simplified", byCodes: true},
	{key: "constr-bind-category", byCodes: true},
	{key: "constr-bind-designationtype", byCodes: true},
	{key: "constr-bind-format", byCodes: true},
	{key: "constr-bind-type", byCodes: true},
	{key: "constr-bind-context-event"}, // "or another": any code keeps to it
	// And these as sentences about the exchange.
	{key: "constr-bind-attachmenturl"},
	{key: "constr-bind-relatesTo"},
	{key: "constr-bind-relatesToTarget"}, // held as a reference target
	{key: "constr-cdr-rempl"},
}

func invariantNamed(key string) *invariantDef {
	for i := range profileInvariants {
		if profileInvariants[i].key == key {
			return &profileInvariants[i]
		}
	}
	return nil
}

func (v *validator) invariant(n Node, key string, def *profileDef) {
	if d := invariantNamed(key); d != nil && d.holds != nil && !d.holds(v, n) {
		v.report(n, &finding{Error, "invariant", d.text.FR, d.text.EN}, "", key, def)
	}
}

// sameValue compares two values as FHIRPath does: members in any order, white space
// between them aside. A value that is not there makes no comparison, which holds.
func sameValue(a, b Node) bool {
	if !a.Exists() || !b.Exists() {
		return true
	}
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case Object:
		if a.Len() != b.Len() {
			return false
		}
		for name, m := range a.Members() {
			if other := b.Get(name); !other.Exists() || !sameValue(m, other) {
				return false
			}
		}
		return true
	case Array:
		if a.Len() != b.Len() {
			return false
		}
		j := b.i + 1
		for item := range a.Items() {
			other := Node{b.t, j}
			if !sameValue(item, other) {
				return false
			}
			j = other.n().next
		}
		return true
	}
	return a.Text() == b.Text()
}

// validated tells whether the identity reliability of a Patient has the status VALI.
func validated(n Node) bool {
	for x := range n.Get("extension").Items() {
		if !x.Get("url").Is("https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability") {
			continue
		}
		for part := range x.Get("extension").Items() {
			if part.Get("url").Is("identityStatus") && part.Get("valueCoding").Get("code").Is("VALI") {
				return true
			}
		}
	}
	return false
}

func hasINS(n Node) bool {
	return hasIdentifier(n, SystemINSNIR, "official") || hasIdentifier(n, SystemINSNIA, "temp") ||
		hasIdentifier(n, SystemINSTest, "official") || hasIdentifier(n, SystemINSDemo, "official")
}

func hasIdentifier(n Node, system, use string) bool {
	for i := range n.Get("identifier").Items() {
		if i.Get("system").Is(system) && i.Get("use").Is(use) {
			return true
		}
	}
	return false
}

func officialIdentifiers(n Node) int {
	count := 0
	for i := range n.Get("identifier").Items() {
		if i.Get("use").Is("official") {
			count++
		}
	}
	return count
}
