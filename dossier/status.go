package dossier

import (
	"context"
	"net/http"

	"opendmp/fhir"
	"opendmp/policy"
)

// searchPatient answers TD0.2: does this INS have a dossier, in what state, and
// what is the caller's own authorisation. It answers open and closed dossiers;
// a destroyed one is absent.
func (c *call) searchPatient(ctx context.Context) (Answer, error) {
	q := c.r.Query
	var d *loaded
	var err error
	switch {
	case q.Traits != fhir.Traits{}:
		return c.searchTraits(ctx)
	case !c.ins.take(c.caller(), c.at):
		return Answer{}, ErrTooMany
	case !q.PatientIdent.IsZero():
		if err := c.checkINS([]fhir.Ident{q.PatientIdent}); err != nil {
			return Answer{}, err
		}
		d, err = c.loadPatient(ctx, c.insToken(q.PatientIdent))
	case len(q.IDs) == 1:
		d, err = c.loadPatient(ctx, c.idToken("Patient", q.IDs[0]))
	default:
		return Answer{}, invalid("required", "identifier", "La recherche de patient se fait par son INS exact (identifier).", "A patient is searched by the exact INS (identifier).")
	}
	if err != nil {
		return Answer{}, err
	}
	d, v, err := c.look(ctx, d)
	if err != nil {
		return Answer{}, err
	}
	dec := v.Search("Patient", true)
	if !dec.Allowed() && !c.ownNone(d, v, q) && (dec.Refusal() == policy.Forbidden || c.patientScoped()) {
		if err := c.letIn(ctx, d, false); err != nil {
			return Answer{}, err
		}
		return c.refuse(ctx, d, v, dec, doExecute, ErrForbidden)
	}
	return c.answerStatus(ctx, d, v, dec)
}

func (c *call) answerStatus(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision) (Answer, error) {
	entries, resources, objects, err := c.statusEntries(ctx, d, v, dec)
	if err != nil {
		return Answer{}, err
	}
	// Who is shown no Patient is told what they are told where there is none.
	if err := c.letIn(ctx, d, len(entries) > 0); err != nil {
		return Answer{}, err
	}
	receipt, err := c.record(ctx, d, allowed(c.events(d, dec, doExecute, objects, v)))
	if err != nil {
		return Answer{}, err
	}
	total := len(entries)
	if c.r.Query.SummaryCount {
		entries, resources = nil, nil
	}
	out := fhir.BundleOut{Type: "searchset", Total: &total, Links: []fhir.Link{{Relation: "self", URL: c.base + "/Patient?" + c.r.Query.String()}}}
	return c.clinical(http.StatusOK, c.results(out, entries, resources), receipt).in(v), nil
}

// statusEntries releases the Patient as TD0.2 shows it; nothing where there is
// no dossier, or none for this caller.
func (c *call) statusEntries(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision) ([]fhir.EntryOut, []policy.Released[*fhir.Resource], []string, error) {
	patient := d.patient()
	if patient == nil || !d.exists() || !dec.Allowed() {
		return nil, nil, nil, nil
	}
	recs, err := c.current(ctx, d, patient)
	if err != nil {
		return nil, nil, nil, err
	}
	released, statusDec := v.ReleaseStatus(recs[0].resource, recs[0].origin)
	// What is searched is what is shown: when the Patient last changed, and what
	// else the answer leaves out, is not.
	shown, ok := released.Value()
	if !statusDec.Allowed() || !ok || !c.r.Query.Match(fhir.ValuesOf(shown)) {
		return nil, nil, nil, nil
	}
	entry := fhir.EntryOut{FullURL: c.base + "/" + patient.ref(), Mode: "match"}
	return []fhir.EntryOut{entry}, []policy.Released[*fhir.Resource]{released}, []string{versionRef(patient)}, nil
}
