package policy

import (
	"math/bits"
	"slices"

	"opendmp/fhir"
)

// Extent is how much of a resource may be read.
type Extent uint8

// Extents. Metadata is a DocumentReference without its content (POLICY L09).
const (
	None Extent = iota
	Metadata
	Full
)

// Refusal is the class of a refusal: what its answer may give away (POLICY §7).
type Refusal uint8

// Classes of refusals. The zero Refusal gives nothing away.
const (
	Hidden        Refusal = iota // 404, as if it had never existed; a search finds nothing
	Forbidden                    // 403, one wording
	NotMethod                    // 405
	Unprocessable                // 422
)

// Effect is what one rule says of one case.
type Effect uint8

// Effects. A rule that has nothing to say of a case is Silent.
const (
	Silent Effect = iota
	Refuse
	Limit       // whatever is permitted, no more than the metadata
	PermitBrief // permits the metadata
	Permit      // permits the act, or the whole
)

// Decision is what all the rules together say of one case. It is a value and
// holds no pointer. The zero Decision refuses, in the class Hidden.
type Decision struct {
	rules   ruleSet
	extent  Extent
	refusal Refusal
	text    uint8 // the rule whose sentence the caller is told, by its place in the table + 1
}

// Allowed tells whether the act may be done.
func (d Decision) Allowed() bool { return d.extent != None }

// Extent tells how much may be read. Of an act that is no reading it is Full or
// None.
func (d Decision) Extent() Extent { return d.extent }

// Refusal returns the class of the refusal; it means nothing if Allowed.
func (d Decision) Refusal() Refusal { return d.refusal }

// Rules returns the ids of the rules that decided, in the order of the table:
// those that refused; if none did, those that permitted and limited. It is empty
// where every rule kept silent, which refuses.
func (d Decision) Rules() []string {
	var ids []string
	for i := range d.rules.each {
		if id := table[i].id; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Text returns the sentence that the caller of a refused act is told. It is that
// of the rule only in the class Unprocessable and NotMethod, and where the rule
// looks at the caller alone: there it says nothing that the caller does not know;
// else it is one wording per class.
func (d Decision) Text() fhir.Text {
	if d.Allowed() {
		return fhir.Text{}
	}
	switch d.refusal {
	case Forbidden:
		if d.text > 0 && table[d.text-1].aside {
			return table[d.text-1].told
		}
		return fhir.Text{FR: "Accès refusé.", EN: "Access denied."}
	case NotMethod, Unprocessable:
		if d.text > 0 && table[d.text-1].told != (fhir.Text{}) {
			return table[d.text-1].told
		}
		return fhir.Text{FR: "Cette opération n’est pas permise.", EN: "This operation is not permitted."}
	}
	return fhir.Text{FR: "Ressource introuvable.", EN: "Resource not found."}
}

// And joins the decisions on the parts of one act: it is allowed if each part
// is, to the least extent. Of several refusals the first gives class and text.
// And of nothing refuses.
func And(parts ...Decision) Decision {
	if len(parts) == 0 {
		return Decision{}
	}
	all := parts[0]
	for _, d := range parts[1:] {
		switch {
		case all.Allowed() && !d.Allowed():
			all = d
		case all.Allowed() == d.Allowed():
			all.rules = all.rules.union(d.rules)
			all.extent = min(all.extent, d.extent)
		}
	}
	return all
}

// ruleSet is a set of places in the table of rules.
type ruleSet [2]uint64

func (s *ruleSet) add(i uint8)            { s[i>>6] |= 1 << (i & 63) }
func (s ruleSet) empty() bool             { return s == ruleSet{} }
func (s ruleSet) union(t ruleSet) ruleSet { return ruleSet{s[0] | t[0], s[1] | t[1]} }

// each yields the places in the set, in order.
func (s ruleSet) each(yield func(int) bool) {
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			if !yield(w*64 + bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}

// decide runs every rule of the act, without a short cut: a later rule may
// refuse what an earlier one permits, and the history names all that decided.
func (b *book) decide(c Case) Decision {
	var refused, permitted, limited ruleSet
	d := Decision{refusal: silence(c.Act)}
	var extent Extent
	for _, i := range b.of(c.Act) {
		switch b.rules[i].judge(c) {
		case Silent:
		case Permit:
			permitted.add(i)
			extent = Full
		case PermitBrief:
			permitted.add(i)
			extent = max(extent, Metadata)
		case Limit:
			limited.add(i)
		default: // Refuse, and whatever is no effect
			if refused.empty() && !byID(c.Act) {
				d.refusal, d.text = b.rules[i].class, i+1
			}
			refused.add(i)
		}
	}
	if !refused.empty() {
		d.rules = refused
		return d
	}
	if !limited.empty() {
		extent = min(extent, Metadata)
	}
	d.extent, d.rules = extent, permitted.union(limited)
	return d
}
