package dossier

import (
	"context"
	"net/http"
	"strings"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
)

// within tells whether the scopes of the caller's token reach as far as the request. It
// looks at what is asked, never at what is there, so that its refusal tells nothing. The
// entries of a bundle are asked about one by one: those of a batch when each is carried
// out, those of a transaction by entriesWithin.
func within(p auth.Principal, r fhir.Request) bool {
	if _, capped := p.Scopes(); !capped || r.Interaction == fhir.Transaction || r.Interaction == fhir.Batch {
		return true
	}
	return p.Within(r.Type, needs(r)) && (!adds(r.Query) || p.Within("*", auth.MayRead))
}

// beyond makes durable that a request went beyond the scopes of its token, and returns
// ErrScope: in the history of the dossier that it names by an id or a patient, in the
// system journal where it names none or one that does not exist. What it answers, and
// what it does before, is the same for all of these, as for what is hidden.
func (c *call) beyond(ctx context.Context) error {
	d, err := c.aimedAt(ctx)
	if err != nil {
		return err
	}
	if d == nil {
		return c.beyondAnyDossier(ctx)
	}
	if c.byPatient {
		err = c.letIn(ctx, d, false)
	} else {
		err = c.even(ctx, d)
	}
	if err != nil {
		return err
	}
	var objects []string
	if c.r.ID != "" {
		objects = []string{c.r.Type + "/" + c.r.ID}
	}
	// The view opens no grant: who may not ask has broken no glass.
	v := c.policy.View(c.p, d.record, c.at)
	_, err = c.refuse(ctx, d, v, policy.Decision{}, c.asks(), ErrScope, objects...)
	return err
}

// beyondAnyDossier is beyond for the system journal.
func (c *call) beyondAnyDossier(ctx context.Context) error {
	events := c.events(nil, policy.Decision{}, c.asks(), nil)
	for i := range events {
		events[i].Status = http.StatusForbidden
	}
	if _, err := c.record(ctx, nil, events); err != nil {
		return err
	}
	return ErrScope
}

// asks is what a request that is not carried out would do.
func (c *call) asks() audit.Action {
	switch c.r.Interaction {
	case fhir.Search:
		return doExecute
	case fhir.Create, fhir.Transaction:
		return doCreate
	}
	return c.action()
}

// aimedAt returns the dossier that a request names by an id in its path or by one
// patient, or a decoy for it; nil if it names none, or none without a look at more.
func (c *call) aimedAt(ctx context.Context) (*loaded, error) {
	q := c.r.Query
	switch {
	case c.r.Type == "AuditEvent" || fhir.OfDirectory(c.r.Type):
		return nil, nil
	case c.r.ID != "":
		return c.loadByID(ctx, c.r.Type, c.r.ID)
	case c.r.Interaction != fhir.Search || q == nil || q.PatientID != "" && !q.PatientIdent.IsZero():
		return nil, nil
	case q.PatientID != "":
		c.byPatient = true
		return c.loadPatient(ctx, c.idToken("Patient", q.PatientID))
	case q.PatientIdent.IsZero():
		return nil, nil
	case c.r.Type == "Patient" && !c.ins.take(c.caller(), c.at):
		return nil, ErrTooMany
	}
	c.byPatient = true
	return c.loadPatient(ctx, c.insToken(q.PatientIdent))
}

// adds tells whether a search brings resources of other types, which a scope of its own
// type does not reach.
func adds(q *fhir.Query) bool { return q != nil && len(q.Includes) > 0 }

// needs returns the permission that an interaction needs on its type; "", which no
// scope gives, for one that is not known here.
func needs(r fhir.Request) auth.Permission {
	switch r.Interaction {
	case fhir.Read, fhir.VRead, fhir.History:
		return auth.MayRead
	case fhir.Search:
		return auth.MaySearch
	case fhir.Create:
		return auth.MayCreate
	case fhir.Update, fhir.Patch:
		return auth.MayUpdate
	case fhir.Delete:
		return auth.MayDelete
	case fhir.Operation:
		if r.ByGet {
			return auth.MayRead
		}
		return auth.MayCreate
	}
	return ""
}

// entriesWithin tells it of every entry of a transaction.
func entriesWithin(p auth.Principal, entries []fhir.Entry) bool {
	if _, capped := p.Scopes(); !capped {
		return true
	}
	for _, e := range entries {
		typ, rest, _ := strings.Cut(e.URL, "/")
		typ, query, _ := strings.Cut(typ, "?")
		if !p.Within(typ, entryNeeds(e.Method, rest == "", query+rest)) {
			return false
		}
	}
	return true
}

// entryNeeds returns what an entry needs on the type that its URL begins with. One that
// includes other types, or asks for an operation, needs all.
func entryNeeds(method string, whole bool, rest string) auth.Permission {
	if strings.ContainsAny(rest, "$%") || strings.Contains(rest, "include") {
		return "cruds"
	}
	switch method {
	case http.MethodGet, http.MethodHead:
		if whole {
			return auth.MaySearch
		}
		return auth.MayRead
	case http.MethodPost:
		return auth.MayCreate
	case http.MethodPut, http.MethodPatch:
		return auth.MayUpdate
	case http.MethodDelete:
		return auth.MayDelete
	}
	return "cruds"
}
