package dossier

import (
	"context"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
)

// explains is what the history calls an explanation to the operator.
const explains fhir.Interaction = "explain"

// Verdict is what the rules say of one caller and one document: how much they read
// and why, and nothing of what they would read.
type Verdict struct {
	Decision policy.Decision
	// Situation is that of the caller in the dossier.
	Situation policy.Situation
	// Sentence says the decision, with the name of the caller as their credential
	// has it.
	Sentence fhir.Text
}

// Verdict tells the operator what the rules say, now, of who reading a document by
// its id: for support, and for nothing else, since the operator sees no clinical
// content (POLICY §1). who is supposed; no emergency grant is opened for them.
//
// The event is in the history of the dossier before anything is told, as an act of
// the operator with the rules that decided. An operator who is none gets
// ErrForbidden, an id that is not there ErrNotFound; both leave an event too.
func (s *Service) Verdict(ctx context.Context, operator, who auth.Principal, id string) (Verdict, error) {
	ref := "DocumentReference/" + id
	c := &call{Service: s, base: s.base, p: operator, at: s.now(), r: Request{Request: fhir.Request{Interaction: explains, Type: "DocumentReference", ID: id}}}
	d, err := s.loadByID(ctx, "DocumentReference", id)
	if err != nil {
		return Verdict{}, err
	}
	v := s.policy.View(who, d.record, c.at)
	row := d.find(ref)
	switch {
	case operator.Kind() != auth.Operator:
		_, err = c.refuse(ctx, d, v, policy.Decision{}, doExecute, ErrForbidden, ref)
		return Verdict{}, err
	case row == nil || row.deleted:
		_, err = c.hidden(ctx, d, v, policy.Decision{}, ref)
		return Verdict{}, err
	}
	name := who.Name()
	if name == "" {
		name = who.ID().Value
	}
	dec, sentence := v.Why(d.byRef[ref], fhir.Text{FR: name, EN: name})
	events := allowed(c.events(d, dec, doExecute, []string{ref}, v))
	for i := range events {
		events[i].Mode = operator.Mode() // not that of the supposed caller
		events[i].Query = "as=" + who.ID().Value
	}
	if _, err := c.record(ctx, d, events); err != nil {
		return Verdict{}, err
	}
	return Verdict{dec, v.Situation(), sentence}, nil
}
