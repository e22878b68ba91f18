package dossier

import (
	"context"
	"net/http"
	"slices"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// isSubmission tells a submission of documents from a transaction of acts on what
// is there: it says so, or holds what only a submission creates.
func isSubmission(b fhir.Bundle) bool {
	return claimsProfile(b.Resource) == nil || slices.ContainsFunc(b.Entries, func(e fhir.Entry) bool {
		if e.Resource == nil || e.Method == http.MethodPatch {
			return false
		}
		switch e.Resource.Type() {
		case "DocumentReference", "List", "Binary", "Bundle", "Patient":
			return true
		}
		return false
	})
}

// transact carries out a transaction that is neither an opening nor a submission:
// changes of documents, submission sets, Consents, care teams and the Patient, new
// Consents and care teams, deletions, and reads, in one dossier, all or nothing
// (R4 §3.1.0.11.2). Each act is judged by the rules as if it had come alone, after
// those before it: DELETE, POST, PUT and PATCH, GET.
//
// The commit is one; each act is told in the history as it would be alone. What is
// read is read after the commit, each by its own event.
func (c *call) transact(ctx context.Context, b fhir.Bundle) (Answer, error) {
	if len(b.Entries) > maxBatch {
		return Answer{}, ErrTooLarge
	}
	acts := make([]*act, 0, len(b.Entries))
	for i := range b.Entries {
		a, err := c.readAct(&b.Entries[i])
		if err != nil {
			return Answer{}, err
		}
		acts = append(acts, a)
	}
	t := &transaction{call: c, acts: acts, ordered: slices.Clone(acts)}
	slices.SortStableFunc(t.ordered, func(a, b *act) int { return a.turn() - b.turn() })
	return c.retry(ctx, func() (Answer, error) { return t.once(ctx) })
}

// transaction is what transact does, in one try.
type transaction struct {
	*call
	acts    []*act // as in the bundle
	ordered []*act // as they are carried out
	// refs become what the references of the bundle point to.
	refs map[string]string
}

func (t *transaction) once(ctx context.Context) (Answer, error) {
	d, v, err := t.locate(ctx)
	if err != nil {
		return Answer{}, err
	}
	if !slices.ContainsFunc(t.acts, (*act).writes) {
		return t.read(ctx, nil)
	}
	ch := t.newChange(d, v)
	if err := t.name(ctx, ch); err != nil {
		return Answer{}, err
	}
	for _, a := range t.ordered {
		if err := a.carryOut(ctx, ch, v, t.refs); err != nil {
			return Answer{}, err
		}
	}
	receipt, err := t.commit(ctx, ch, v)
	if err != nil {
		return Answer{}, err
	}
	for _, a := range t.acts {
		if a.writes() {
			a.part = partOf(a.answer(ch, receipt))
		}
	}
	return t.read(ctx, ch)
}

// locate finds what each act is about. What a caller does not see is not found,
// whatever else the bundle holds; only then is it asked whether all that they do see
// is in one dossier.
func (t *transaction) locate(ctx context.Context) (d *loaded, v *policy.View, err error) {
	var place store.Dossier
	var placed *act
	for _, a := range t.ordered {
		if err := a.locate(ctx); err != nil {
			return nil, nil, err
		}
	}
	for _, a := range t.ordered {
		if !a.placed {
			continue
		}
		if placed != nil && a.place != place {
			return nil, nil, unprocessable(a.At(), "Une transaction concerne un seul dossier : un autre patient est désigné ici.", "A transaction concerns one dossier: another patient is named here.")
		}
		place = a.place
		if placed == nil || placed.d == nil {
			placed = a
		}
	}
	for _, a := range t.ordered {
		if a.call.r.Interaction == fhir.Create {
			// Who adds to a dossier is told whether it takes anything as if alone.
			return a.call.managed(ctx, a.subject)
		}
	}
	if placed == nil {
		return nil, nil, nil
	}
	return placed.d, placed.v, nil
}

// name gives an id to every act that creates, and says what each reference of the
// bundle becomes. It refuses two acts on one resource.
func (t *transaction) name(ctx context.Context, ch *change) error {
	t.refs = make(map[string]string)
	touched := make(map[string]bool)
	for _, a := range t.ordered {
		if err := a.name(ctx, ch); err != nil {
			return err
		}
		ref := a.ref()
		switch {
		case ref == "":
			continue
		case touched[ref] && a.known == nil:
			return invalid("duplicate", a.At(), "La transaction agit deux fois sur la même ressource.", "The transaction acts twice on the same resource.")
		}
		touched[ref] = true
		if _, own := t.bases.Relative(a.FullURL); a.FullURL != "" && !own {
			t.refs[a.FullURL] = ref
		}
	}
	return nil
}

// commit makes the acts durable with their events. Acts that all found what they
// would have created change nothing, and are told all the same.
func (t *transaction) commit(ctx context.Context, ch *change, before *policy.View) (audit.Receipt, error) {
	for _, a := range t.ordered {
		if !a.writes() {
			if err := a.readable(ctx, ch); err != nil {
				return audit.Receipt{}, err
			}
			continue
		}
		ch.events = append(ch.events, a.events(ch, before)...)
	}
	if len(ch.rows) == 0 {
		return t.record(ctx, ch.d, ch.events)
	}
	t.tell(ch)
	return ch.commit(ctx)
}

// read answers the acts that read, and then the whole. Where nothing was written the
// first that is refused refuses the whole, for want of room too.
func (t *transaction) read(ctx context.Context, ch *change) (Answer, error) {
	var left room
	parts := make([]part, 0, len(t.acts))
	for _, a := range t.acts {
		if !a.writes() {
			a.part = t.alone(ctx, a.Entry, &left)
			if ch == nil && a.part.answer.status >= http.StatusBadRequest {
				return a.part.answer, nil
			}
		}
		parts = append(parts, a.part)
	}
	return t.joined("transaction-response", parts), nil
}
