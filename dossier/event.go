package dossier

import (
	"context"
	"slices"

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

// events describes this call on d: who, why and what. What was touched is told
// in one event for each class of the history; nothing of a withheld one shows in
// another. A query that names a hidden document is told apart as a whole. Views
// are those of the caller before and, of a write, after it.
func (c *call) events(d *loaded, dec policy.Decision, action audit.Action, objects []string, views ...*policy.View) []audit.Event {
	return c.eventsNaming(c.named(d, views), d, dec, action, objects, views...)
}

// eventsNaming is events for who knows what the query names in d.
func (c *call) eventsNaming(named []string, d *loaded, dec policy.Decision, action audit.Action, objects []string, views ...*policy.View) []audit.Event {
	floor := stricter(c.floor, classOf(views, c.known(named, views)))
	byClass := make(map[policy.Class][]string)
	for _, o := range objects {
		class := stricter(floor, classOf(views, c.known([]string{o}, views)))
		byClass[class] = append(byClass[class], o)
	}
	if len(objects) == 0 {
		byClass[floor] = nil
	}
	var out []audit.Event
	for _, class := range [...]policy.Class{policy.Open, policy.Secret, policy.Withheld} {
		touched, ok := byClass[class]
		if !ok {
			continue
		}
		e := c.event(d, dec, action, views...)
		e.Class, e.Objects = class, touched
		if class == floor {
			e.Objects = appendMissing(touched, named)
		}
		out = append(out, e)
	}
	return out
}

// eventsOfSearch are the events of a search: besides what it found, the looking
// itself is told, as it would be had it found nothing, so that the patient sees
// it even when all that was found is hidden from them.
func (c *call) eventsOfSearch(d *loaded, dec policy.Decision, objects []string, v *policy.View) []audit.Event {
	named := c.named(d, []*policy.View{v})
	events := c.eventsNaming(named, d, dec, doExecute, objects, v)
	looking := c.eventsNaming(named, d, dec, doExecute, nil, v)[0]
	if events[0].Class != looking.Class {
		events = append(events, looking)
	}
	return allowed(events)
}

// event is the part that all events of the call share.
func (c *call) event(d *loaded, dec policy.Decision, action audit.Action, views ...*policy.View) audit.Event {
	e := audit.About(c.p)
	e.Interaction = c.transactionCode()
	e.Action = action
	e.Query = c.asked()
	e.Allowed = dec.Allowed()
	e.Rules = dec.Rules()
	e.RequestID = c.r.TraceID
	e.Secret = c.p.Secret()
	if d != nil {
		if p := d.patient(); p != nil {
			e.Patient = p.id
		}
	}
	if len(views) > 0 {
		e.Mode = views[0].Situation().Mode
		e.Secret = views[0].Situation().Secret
		if action == doCreate {
			e.Authority = views[0].Situation().Decision
		}
	}
	return e
}

// asked is the query as the history keeps it, with the type that was searched.
func (c *call) asked() string {
	if c.r.Interaction != fhir.Search && !c.r.Conditional {
		return ""
	}
	return c.r.Type + "?" + c.r.RawQuery
}

// classOf is the strictest class that the views give to references. Without a
// view nothing of a dossier is concerned.
func classOf(views []*policy.View, refs []string) policy.Class {
	class := policy.Open
	for _, v := range views {
		if v != nil {
			class = stricter(class, v.ClassOf(refs, nil))
		}
	}
	return class
}

// stricter orders the classes: withheld is the narrowest.
func stricter(a, b policy.Class) policy.Class {
	if a == policy.Withheld || b == policy.Withheld {
		return policy.Withheld
	}
	return max(a, b)
}

func appendMissing(refs, more []string) []string {
	for _, r := range more {
		if !slices.Contains(refs, r) {
			refs = append(refs, r)
		}
	}
	return refs
}

// named returns what the query names in d, found or not, visible to the caller
// or not: a search is classed by what it asked for as well as by what it found.
func (c *call) named(d *loaded, views []*policy.View) []string {
	q := c.r.Query
	if q == nil || d == nil {
		return nil
	}
	ids, references, idents := q.Mentions()
	var refs []string
	for _, r := range d.rows {
		if slices.Contains(ids, r.id) || identifiedBy(r, idents) {
			refs = append(refs, r.ref())
		}
	}
	refs = c.known(refs, views)
	for _, value := range references {
		if typ, id, ok := c.localRef(value); ok {
			refs = append(refs, typ+"/"+id)
		}
	}
	return refs
}

// known leaves out the references to what the caller does not see, where a patient
// or representative looks into a dossier that they named by its patient. They
// read of it in the history, and a line that is missing there would tell them
// that what they asked for exists: their own asking is told as if it did not.
// Of other callers, and where hidden things alone led to the dossier, the whole
// is withheld.
func (c *call) known(refs []string, views []*policy.View) []string {
	if !c.holds() {
		return refs
	}
	var seen []string
	for _, ref := range refs {
		if slices.ContainsFunc(views, func(v *policy.View) bool { return v.Sees(ref) }) {
			seen = append(seen, ref)
		}
	}
	if len(seen) == 0 && !c.byPatient {
		return refs
	}
	return seen
}

// identifiedBy tells whether a row has one of the identifiers; a Patient does not
// count.
func identifiedBy(r *row, idents []fhir.Ident) bool {
	if len(idents) == 0 || r.typ == "Patient" {
		return false
	}
	for have := range r.values.Tokens("identifier") {
		for _, want := range idents {
			if have.Value == want.Value && (want.System == "" || have.System == want.System) {
				return true
			}
		}
	}
	return false
}

// record makes the events of a call on d durable.
func (c *call) record(ctx context.Context, d *loaded, events []audit.Event) (audit.Receipt, error) {
	return c.audit.Record(ctx, c.target(d), events...)
}

// allowed marks the events of what was carried out although no rule of its own
// was asked: an empty search, an answer that was given before.
func allowed(events []audit.Event) []audit.Event {
	for i := range events {
		events[i].Allowed = true
	}
	return events
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
	events := c.events(d, dec, action, objects, v)
	for i := range events {
		events[i].Status = outcomeOf(err).status
	}
	if _, auditErr := c.record(ctx, d, events); auditErr != nil {
		return Answer{}, auditErr
	}
	return Answer{}, err
}
