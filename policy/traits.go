package policy

import (
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// SearchTraits decides whether the caller may look for dossiers by identity
// traits at all (POLICY §5, centre_15). It concerns no dossier, so that its
// refusal, which is Forbidden, tells of none.
func (e *Engine) SearchTraits(p auth.Principal, at time.Time) Decision {
	return e.searchTraits(callerOf(p), at)
}

func (e *Engine) searchTraits(k caller, at time.Time) Decision {
	if e == nil || e.book == nil {
		return Decision{}
	}
	c := e.person(k, at)
	c.Act = ActSearchTraits
	return e.book.decide(c)
}

// ReleaseCandidate releases what a search by identity traits shows of this
// dossier: the answer of TD0.2, where the caller may search by traits and may
// search the documents of this very dossier. Traits of people are shown for the
// sake of reading, so that whoever opposed centre_15 or blocked the caller, and
// whoever's dossier is closed or destroyed, does not appear: every refusal is
// Hidden. patient is the current version of the Patient of the record.
func (v *View) ReleaseCandidate(patient *fhir.Resource, o Origin) (Released[*fhir.Resource], Decision) {
	if v.empty() {
		return Released[*fhir.Resource]{}, Decision{}
	}
	d := And(v.engine.searchTraits(v.caller, v.at), v.Search("DocumentReference", false))
	if !d.Allowed() {
		return Released[*fhir.Resource]{}, refused(d)
	}
	released, status := v.ReleaseStatus(patient, o)
	d = And(d, status)
	if !d.Allowed() {
		return Released[*fhir.Resource]{}, refused(d)
	}
	return released, d
}
