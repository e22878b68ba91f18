package dossier

import (
	"context"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
)

// Actions of an event.
const (
	doCreate  = audit.Creates
	doRead    = audit.Reads
	doUpdate  = audit.Updates
	doDelete  = audit.Deletes
	doExecute = audit.Executes
)

// target is where events on d go: into its own history, or into the system
// journal when it does not exist.
func (s *Service) target(d *loaded) audit.Target {
	if d == nil || d.ring == nil {
		return s.audit.Journal()
	}
	return audit.Target{Dossier: d.id, Ring: d.ring}
}

// event describes this call on d: who, why and what; the class follows from
// what was touched.
func (c *call) event(d *loaded, v *policy.View, dec policy.Decision, action audit.Action, objects ...string) audit.Event {
	e := audit.About(c.p)
	e.Interaction = c.transactionCode()
	e.Action = action
	e.Objects = objects
	e.Query = c.r.RawQuery
	e.Allowed = dec.Allowed()
	e.Rules = dec.Rules()
	e.RequestID = c.r.TraceID
	if d != nil {
		if p := d.patient(); p != nil {
			e.Patient = p.id
		}
	}
	if v != nil {
		e.Mode = v.Situation().Mode
		e.Class = v.ClassOf(objects, c.named())
	}
	return e
}

// named returns the references that the query names, so that a search is
// classed by what was asked for as well as by what it found.
func (c *call) named() []string {
	if c.r.Query == nil {
		return nil
	}
	var refs []string
	for _, id := range c.r.Query.IDs {
		refs = append(refs, c.r.Type+"/"+id)
	}
	return refs
}

// transactionCode names the interaction in the history: the IHE transaction
// where there is one, the FHIR interaction otherwise.
func (c *call) transactionCode() string {
	switch {
	case c.r.Interaction == fhir.Transaction:
		return "ITI-65"
	case c.r.Interaction == fhir.Search && c.r.Type == "List":
		return "ITI-66"
	case c.r.Interaction == fhir.Search && c.r.Type == "DocumentReference":
		return "ITI-67"
	case c.r.Interaction == fhir.Read && (c.r.Type == "Binary" || c.r.Type == "Bundle"):
		return "ITI-68"
	case c.r.Interaction == fhir.Create && c.r.Type == "DocumentReference":
		return "ITI-105"
	case c.r.Interaction == fhir.Operation:
		return "$" + c.r.Operation
	}
	return string(c.r.Interaction)
}

// refuse makes the refusal durable, then returns it.
func (c *call) refuse(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision, action audit.Action, err error, objects ...string) (Answer, error) {
	if _, auditErr := c.audit.Record(ctx, c.target(d), c.event(d, v, dec, action, objects...)); auditErr != nil {
		return Answer{}, auditErr
	}
	return Answer{}, err
}
