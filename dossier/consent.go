package dossier

import (
	"bytes"
	"context"
	"time"

	"opendmp/fhir"
	"opendmp/policy"
)

// putter judges a new resource and builds it into a change.
type putter func(ctx context.Context, ch *change, r *fhir.Resource, s fhir.Stamped, index int) (*row, policy.Decision, error)

// createManaged records a decision of the patient: a Consent, or a CareTeam that
// one may name (POLICY.md §6).
func (c *call) createManaged(ctx context.Context, r *fhir.Resource, put putter) (Answer, error) {
	s, ok := c.subjectOf(r, r.Get(patientElement(r.Type())), nil)
	if !ok {
		return Answer{}, unprocessable(r.Type()+"."+patientElement(r.Type()), "Le patient n’est pas désigné par une référence ou un INS connus.", "The patient is not named by a reference or an INS that is known.")
	}
	var err error
	if c.warnings, err = c.namesDoubted(ctx, r); err != nil {
		return Answer{}, err
	}
	return c.retry(ctx, func() (Answer, error) {
		d, v, err := c.managed(ctx, s)
		if err != nil {
			return Answer{}, err
		}
		if known, err := c.existing(ctx, d, v); err != nil || known != nil {
			return c.notCreated(ctx, d, v, known, err)
		}
		ch := c.newChange(d, v)
		row, dec, err := put(ctx, ch, r, fhir.Stamped{
			ID: c.newID(), Version: 1, Updated: c.at, References: patientRef(s, d),
		}, 0)
		if err != nil {
			return c.undo(ctx, d, v, dec, err, doCreate)
		}
		return c.created(ctx, ch, row, dec)
	})
}

// patientElement is the element by which a resource of a type names its patient.
func patientElement(typ string) string {
	if typ == "CareTeam" {
		return "subject"
	}
	return "patient"
}

// managed loads the dossier that an act of management names. One that does not
// exist, and one that the caller may not touch, are judged by the policy.
func (c *call) managed(ctx context.Context, s subject) (*loaded, *policy.View, error) {
	if err := c.checkINS(s.idents); err != nil {
		return nil, nil, err
	}
	id, err := c.dossierOfOne(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	d, err := c.load(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	d, v, err := c.look(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	if d.patient() == nil || c.absent(d, v) || c.stranger(v) {
		return nil, nil, c.noDossier(ctx, d, v)
	}
	return d, v, nil
}

// patientRef says what the reference to the patient becomes.
func patientRef(s subject, d *loaded) map[string]string {
	if s.reference == "" || s.reference[0] == '#' {
		return nil
	}
	return map[string]string{s.reference: "Patient/" + d.patient().id}
}

// putConsent judges and builds a new Consent. The active one of the same kind
// and actor is ended in the same commit: there is one at a time.
func (c *call) putConsent(ctx context.Context, ch *change, r *fhir.Resource, s fhir.Stamped, index int) (*row, policy.Decision, error) {
	r, err := c.dated(r)
	if err != nil {
		return nil, policy.Decision{}, err
	}
	rec, facts, err := c.newRecord(ch, r, s, index)
	if err != nil {
		return nil, policy.Decision{}, err
	}
	if err := c.notPast(facts); err != nil {
		return nil, policy.Decision{}, err
	}
	dec := ch.v.ChangeConsent(nil, facts)
	if !dec.Allowed() {
		return nil, dec, refusal(dec)
	}
	if err := c.endConsent(ctx, ch, facts); err != nil {
		return nil, policy.Decision{}, err
	}
	row, err := ch.put(nil, rec)
	return row, dec, err
}

// putTeam judges and builds a new CareTeam.
func (c *call) putTeam(_ context.Context, ch *change, r *fhir.Resource, s fhir.Stamped, index int) (*row, policy.Decision, error) {
	rec, facts, err := c.newRecord(ch, r, s, index)
	if err != nil {
		return nil, policy.Decision{}, err
	}
	dec := ch.v.ChangeTeam(nil, facts, nil)
	if !dec.Allowed() {
		return nil, dec, refusal(dec)
	}
	row, err := ch.put(nil, rec)
	return row, dec, err
}

// newRecord stamps a new resource and takes its facts.
func (c *call) newRecord(ch *change, r *fhir.Resource, s fhir.Stamped, index int) (*record, policy.Facts, error) {
	r, err := c.stamp(r, s, index)
	if err != nil {
		return nil, policy.Facts{}, err
	}
	rec := &record{resource: r, origin: c.newOrigin(), push: ch.push, entry: index}
	facts, err := policy.FactsOf(r, rec.origin)
	if err != nil {
		return nil, policy.Facts{}, asRule(err)
	}
	return rec, facts, nil
}

// dated sets Consent.dateTime to now: the server says when consent was given.
func (c *call) dated(r *fhir.Resource) (*fhir.Resource, error) {
	now := fhir.Quote(c.at.Format(time.RFC3339))
	if given := r.Get("dateTime"); given.Exists() {
		if bytes.Equal(given.Raw(), now) {
			return r, nil
		}
		return r.Splice([]fhir.Edit{fhir.Replace(given, now)})
	}
	return r.Splice([]fhir.Edit{fhir.InsertMember(r.Root(), "dateTime", now)})
}

// notPast refuses a consent that would begin before today (Europe/Paris).
func (c *call) notPast(f policy.Facts) error {
	start, _ := f.Period()
	if start.IsZero() {
		return nil
	}
	now := c.at.In(fhir.Paris)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, fhir.Paris)
	if start.Before(today) {
		return unprocessable("Consent.provision.period.start", "Un consentement ne commence pas dans le passé.", "A consent does not begin in the past.")
	}
	return nil
}

// endConsent makes the active Consent of the same kind and actor inactive.
func (c *call) endConsent(ctx context.Context, ch *change, facts policy.Facts) error {
	ref, ok := ch.d.record.ActiveConsent(facts.ConsentKind(), facts.ConsentActor())
	if !ok || !facts.ConsentActive() {
		return nil
	}
	old := ch.d.find(ref)
	if ch.changes(old) {
		return nil
	}
	rec, err := c.body(ctx, ch.d.id, ch.d.ring, old.key, old.version)
	if err != nil {
		return err
	}
	if rec.resource, err = c.next(old, rec.resource, "inactive"); err != nil {
		return err
	}
	_, err = ch.put(old, rec)
	return err
}

// updateManaged replaces a Consent, to withdraw it or to change its period, or a
// CareTeam.
func (c *call) updateManaged(ctx context.Context, r *fhir.Resource) (Answer, error) {
	var err error
	if c.warnings, err = c.namesDoubted(ctx, r); err != nil {
		return Answer{}, err
	}
	return c.onOne(ctx, func(d *loaded, v *policy.View, old *row) (Answer, error) {
		if err := c.precondition(v, old); err != nil {
			return c.refuse(ctx, d, v, policy.Decision{}, doUpdate, err, versionRef(old))
		}
		s, err := c.unmoved(ctx, d, old, r)
		if err != nil {
			return c.undo(ctx, d, v, policy.Decision{}, err, doUpdate, versionRef(old))
		}
		ch := c.newChange(d, v)
		dec, err := c.putReplacement(ctx, ch, old, r, patientRef(s, d))
		if err != nil {
			return c.undo(ctx, d, v, dec, err, doUpdate, versionRef(old))
		}
		return c.finish(ctx, ch, old, dec)
	})
}

// unmoved reads the patient of what shall replace old, and refuses another one.
func (c *call) unmoved(ctx context.Context, d *loaded, old *row, r *fhir.Resource) (subject, error) {
	element := patientElement(old.typ)
	s, ok := c.subjectOf(r, r.Get(element), nil)
	if other, err := c.dossierOfOne(ctx, s); !ok || err != nil || other != d.id {
		return s, unprocessable(old.typ+"."+element, "Cette ressource ne change pas de patient.", "This resource does not change its patient.")
	}
	return s, nil
}

// putReplacement judges and builds the version of old that a PUT sends.
func (c *call) putReplacement(ctx context.Context, ch *change, old *row, r *fhir.Resource, refs map[string]string) (policy.Decision, error) {
	rec, err := c.body(ctx, ch.d.id, ch.d.ring, old.key, old.version)
	if err != nil {
		return policy.Decision{}, err
	}
	if old.typ == "Consent" {
		if r, err = c.dated(r); err != nil {
			return policy.Decision{}, err
		}
	}
	if r, err = fhir.Stamp(r, fhir.Stamped{ID: old.id, Version: old.version + 1, Updated: c.at, References: refs}); err != nil {
		return policy.Decision{}, err
	}
	return c.changeTo(ctx, ch, old, rec, r)
}
