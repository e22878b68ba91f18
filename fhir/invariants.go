package fhir

import (
	"strings"
	"time"
)

// The invariants of R4 that concern what we handle, as rules. Their keys are
// those of the StructureDefinitions.
var (
	ext1 = invariant("ext-1", "Une extension a soit une valeur, soit des extensions", "An extension has either a value or extensions")
	att1 = invariant("att-1", "Une pièce jointe qui a des données a un contentType", "An attachment with data has a contentType")
	cpt2 = invariant("cpt-2", "Un contact qui a une valeur a un système", "A contact point with a value has a system")
	per1 = invariant("per-1", "Le début d’une période précède sa fin", "The start of a period is before its end")
	qty3 = invariant("qty-3", "Une unité codée a un système", "A coded unit has a system")
	rat1 = invariant("rat-1", "Un rapport a un numérateur et un dénominateur, ou aucun des deux et une extension", "A ratio has both numerator and denominator, or neither and an extension")
	pat1 = invariant("pat-1", "Un contact du patient a un nom, des coordonnées ou une organisation", "A contact of the patient has a name, details or an organization")
	org1 = invariant("org-1", "Une organisation a un nom ou un identifiant", "An organization has a name or an identifier")
	org2 = invariant("org-2", "L’adresse d’une organisation n’est pas un domicile", "An address of an organization is never of use home")
	org3 = invariant("org-3", "Les coordonnées d’une organisation ne sont pas personnelles", "A telecom of an organization is never of use home")
	ppc1 = invariant("ppc-1", "Un consentement a une politique ou une règle", "A consent has a policy or a policyRule")
	lst1 = invariant("lst-1", "Une liste n’a un motif de vacuité que si elle est vide", "A list has an emptyReason only if it is empty")
	lst2 = invariant("lst-2", "Une entrée supprimée suppose une liste de modifications", "The deleted flag needs a list of mode changes")
	lst3 = invariant("lst-3", "La date d’une entrée suppose une liste de travail", "The date of an entry needs a list of mode working")
	sev1 = invariant("sev-1", "Une entité d’audit a un nom ou une requête, pas les deux", "An audit entity has a name or a query, not both")
	cmp1 = invariant("cmp-1", "Une section a un texte, des entrées ou des sections", "A section has text, entries or sections")
	cmp2 = invariant("cmp-2", "Une section n’a un motif de vacuité que si elle est vide", "A section has an emptyReason only if it is empty")
	obs3 = invariant("obs-3", "Une plage de référence a une borne ou un texte", "A reference range has a low, a high or a text")
	obs6 = invariant("obs-6", "Un motif d’absence suppose l’absence de valeur", "A dataAbsentReason needs the absence of a value")
	inv1 = invariant("inv-1", "Un paramètre a soit une valeur, soit une ressource, soit des parties", "A parameter has exactly one of value, resource and parts")
	grp1 = invariant("grp-1", "Seul un groupe réel a des membres", "Only an actual group has members")

	bdl1  = invariant("bdl-1", "Seul le résultat d’une recherche ou un historique a un total", "Only a search or a history has a total")
	bdl2  = invariant("bdl-2", "Seul le résultat d’une recherche a entry.search", "Only a search has entry.search")
	bdl3  = invariant("bdl-3", "Chaque entrée d’un lot, d’une transaction ou d’un historique a une requête, et elle seule", "Each entry of a batch, transaction or history has a request, and no other has")
	bdl4  = invariant("bdl-4", "Chaque entrée d’une réponse ou d’un historique a une réponse, et elle seule", "Each entry of a response or history has a response, and no other has")
	bdl5  = invariant("bdl-5", "Une entrée a une ressource, une requête ou une réponse", "An entry has a resource, a request or a response")
	bdl7  = invariant("bdl-7", "Les fullUrl d’un Bundle sont uniques, à la version près", "The fullUrls of a Bundle are unique, unless their versions differ")
	bdl8  = invariant("bdl-8", "Un fullUrl ne désigne pas une version", "A fullUrl does not name a version")
	bdl9  = invariant("bdl-9", "Un document a un identifiant avec système et valeur", "A document has an identifier with system and value")
	bdl10 = invariant("bdl-10", "Un document a une date", "A document has a timestamp")
	bdl11 = invariant("bdl-11", "Un document commence par une Composition", "A document begins with a Composition")
	bdl12 = invariant("bdl-12", "Un message commence par un MessageHeader", "A message begins with a MessageHeader")
)

func invariant(key, fr, en string) *rule {
	return &rule{code: "invariant", fr: fr + " (« %s », " + key + ").", en: en + " (“%s”, " + key + ").", note: key}
}

// invariants checks the rules of the type on the object at i.
func (c *checker) invariants(i uint32, t typeID) {
	n := c.at(i)
	has := func(name string) bool { return c.member(i, "", name) != 0 }
	// hasPrimitive counts a primitive that has only extensions.
	hasPrimitive := func(name string) bool { return has(name) || c.member(i, "_", name) != 0 }
	demand := func(ok bool, r *rule) {
		if !ok {
			c.report(i, r, "")
		}
	}
	switch t {
	case extensionType:
		demand(has("extension") != c.hasChoice(i, t, "value"), ext1)
	case attachmentType:
		demand(!hasPrimitive("data") || hasPrimitive("contentType"), att1)
	case contactPointType:
		demand(!hasPrimitive("value") || hasPrimitive("system"), cpt2)
	case periodType:
		demand(inOrder(n.Get("start"), n.Get("end")), per1)
	case quantityType, ageType, countType, distanceType, durationType:
		demand(!hasPrimitive("code") || hasPrimitive("system"), qty3)
	case ratioType:
		demand(has("numerator") == has("denominator") && (has("numerator") || has("extension")), rat1)
	case organizationType:
		demand(has("identifier") || hasPrimitive("name"), org1)
		c.never(n, "address", "use", "home", org2)
		c.never(n, "telecom", "use", "home", org3)
	case consentType:
		demand(has("policy") || has("policyRule"), ppc1)
	case listType:
		c.list(n)
	case observationType:
		demand(!has("dataAbsentReason") || !c.hasChoice(i, t, "value"), obs6)
	case groupType:
		demand(!has("member") || n.Get("actual").True(), grp1)
	case bundleType:
		c.bundle(n)
	default:
		if t >= firstBackbone {
			c.backbone(i, t, demand, has, hasPrimitive)
		}
	}
}

// backbone checks the rules of elements that have elements, which have no
// constant: their name tells.
func (c *checker) backbone(i uint32, t typeID, demand func(bool, *rule), has, hasPrimitive func(string) bool) {
	switch t.def().name {
	case "Patient.contact":
		demand(has("name") || has("telecom") || has("address") || has("organization"), pat1)
	case "AuditEvent.entity":
		demand(!hasPrimitive("name") || !hasPrimitive("query"), sev1)
	case "Composition.section":
		demand(has("text") || has("entry") || has("section"), cmp1)
		demand(!has("emptyReason") || !has("entry"), cmp2)
	case "Observation.referenceRange":
		demand(has("low") || has("high") || hasPrimitive("text"), obs3)
	case "Parameters.parameter":
		count := 0
		for _, present := range [...]bool{has("part"), has("resource"), c.hasChoice(i, t, "value")} {
			if present {
				count++
			}
		}
		demand(count == 1, inv1)
	case "Bundle.entry":
		demand(has("resource") || has("request") || has("response"), bdl5)
		if m := c.member(i, "", "fullUrl"); m != 0 && strings.Contains(c.at(m).Text(), "/_history/") {
			c.report(m, bdl8, "")
		}
	}
}

// hasChoice tells whether the object has name[x], in whatever type.
func (c *checker) hasChoice(i uint32, t typeID, name string) bool {
	rows, hint := t.elements(), 0
	for m := i + 1; m < c.t.nodes[i].next; m = c.t.nodes[m].next {
		member := c.name(m)
		if len(member) > 0 && member[0] == '_' {
			member = member[1:]
		}
		if len(member) <= len(name) || string(member[:len(name)]) != name {
			continue
		}
		if at := lookup(rows, member, hint); at >= 0 && int(rows[at].choice) == len(name) {
			return true
		}
	}
	return false
}

// never reports each item of a list whose element has a value it may not have.
func (c *checker) never(n Node, list, name, value string, r *rule) {
	for item := range n.Get(list).Items() {
		if item.Get(name).Is(value) {
			c.report(item.i, r, "")
		}
	}
}

func (c *checker) list(n Node) {
	if n.Get("emptyReason").Exists() && n.Get("entry").Exists() {
		c.report(n.i, lst1, "")
	}
	mode := n.Get("mode")
	for entry := range n.Get("entry").Items() {
		if m := entry.Get("deleted"); m.Exists() && !mode.Is("changes") {
			c.report(m.i, lst2, "")
		}
		if m := entry.Get("date"); m.Exists() && !mode.Is("working") {
			c.report(m.i, lst3, "")
		}
	}
}

// bundle checks Bundle.type against what the entries hold.
func (c *checker) bundle(n Node) {
	kind := n.Get("type").Text()
	if m := n.Get("total"); m.Exists() && kind != "searchset" && kind != "history" {
		c.report(m.i, bdl1, "")
	}
	if list := n.Get("entry"); list.i == 0 || list.i != c.apart {
		c.entries(list, kind)
	}
	first := n.Get("entry").Get("resource").Get("resourceType")
	switch kind {
	case "document":
		if id := n.Get("identifier"); !id.Get("system").Exists() || !id.Get("value").Exists() {
			c.report(n.i, bdl9, "")
		}
		if !n.Get("timestamp").Exists() {
			c.report(n.i, bdl10, "")
		}
		if !first.Is("Composition") {
			c.report(n.i, bdl11, "")
		}
	case "message":
		if !first.Is("MessageHeader") {
			c.report(n.i, bdl12, "")
		}
	}
}

// entries checks the entries of a Bundle of that type against it and each other.
func (c *checker) entries(list Node, kind string) {
	seen := make(map[string]bool)
	for entry := range list.Items() {
		if entry.Kind() != Object {
			continue
		}
		c.entryOf(entry, kind)
		if url := entry.Get("fullUrl"); url.Exists() && kind != "history" {
			key := url.Text() + "\n" + entry.Get("resource").Get("meta").Get("versionId").Text()
			if seen[key] {
				c.report(url.i, bdl7, "")
			}
			seen[key] = true
		}
	}
}

// entryOf checks one entry against the type of its Bundle.
func (c *checker) entryOf(entry Node, kind string) {
	history := kind == "history"
	request := kind == "batch" || kind == "transaction" || history
	response := kind == "batch-response" || kind == "transaction-response" || history
	if m := entry.Get("search"); m.Exists() && kind != "searchset" {
		c.report(m.i, bdl2, "")
	}
	if entry.Get("request").Exists() != request {
		c.report(entry.i, bdl3, "")
	}
	if entry.Get("response").Exists() != response {
		c.report(entry.i, bdl4, "")
	}
}

// inOrder tells whether two dateTimes are in order: by instant when both have a
// time, by the shorter one when both are dates. A date against a time is always
// in order, for the date has no zone.
func inOrder(start, end Node) bool {
	a, b := start.Text(), end.Text()
	if a == "" || b == "" {
		return true
	}
	if len(a) > 10 && len(b) > 10 {
		from, errFrom := parseTime(a)
		to, errTo := parseTime(b)
		return errFrom != nil || errTo != nil || !from.After(to)
	}
	short := min(len(a), len(b))
	return len(a) > 10 || len(b) > 10 || a[:short] <= b[:short]
}

// parseTime reads a dateTime that has a time; a leap second is an error.
func parseTime(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }
