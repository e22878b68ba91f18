package dossier

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// Limits of the search by identity traits (POLICY §5).
const (
	// minTraits of the four are asked for.
	minTraits = 3
	// maxCandidates are shown. Where more people match, none is: twenty of many
	// namesakes mislead in an emergency, and the traits of strangers are theirs.
	maxCandidates = 20
	// candidateRound is how many dossiers are looked at together; it is more than
	// maxCandidates, so that those who do not appear have room in the first round.
	candidateRound = 32
)

// candidate is a dossier that a search by traits found and may show.
type candidate struct {
	d        *loaded
	v        *policy.View
	dec      policy.Decision
	row      *row
	born     string
	released policy.Released[*fhir.Resource]
}

// searchTraits answers a regulator in centre_15 who knows a person by their
// traits alone: the only search over all dossiers. Anybody else is refused, in
// one wording, whatever they ask for.
//
// Who opposed centre_15, blocked the caller, or has a closed or destroyed dossier
// does not appear, and changes neither the bytes, nor the count, nor the events,
// nor, short of a full round, the calls of the store: one look-up, then for each
// place of the round header, keys and rows (from memory if they were read before)
// and the Patient, a decoy's where the round is not full. What remains for an
// observer of time is the work on sealed bytes, some tens of microseconds for
// each dossier that is there, and that a dossier which somebody else has just read
// is in memory; each more round tells that another 32 people match, most of whom
// do not appear.
//
// The search is one event in the system journal, and each candidate shown one in
// their own history, all durable before the first byte.
func (c *call) searchTraits(ctx context.Context) (Answer, error) {
	dec := c.policy.SearchTraits(c.p, c.at)
	if !dec.Allowed() {
		return c.refuseTraits(ctx, dec, ErrForbidden)
	}
	if err := checkTraits(c.r.Query); err != nil {
		return Answer{}, err
	}
	if !c.traits.take(c.caller(), c.at) {
		return Answer{}, ErrTooMany
	}
	found, err := c.candidates(ctx, c.r.Query.Traits)
	if err != nil {
		return Answer{}, err
	}
	if len(found) > maxCandidates {
		return c.refuseTraits(ctx, dec, ErrTooCostly)
	}
	receipt, err := c.recordCandidates(ctx, dec, found)
	if err != nil {
		return Answer{}, err
	}
	a := c.clinical(http.StatusOK, c.candidatePage(found), receipt)
	a.mode = modeCode(c.p.Mode())
	return a, nil
}

// checkTraits refuses a query that names nobody well enough, or asks for what
// this search does not do.
func checkTraits(q *fhir.Query) error {
	t := q.Traits
	switch {
	case t.Count() < minTraits:
		return invalid("required", "http.family", "La recherche par traits demande au moins trois des quatre : family, given, birthdate, gender.", "A search by traits asks for at least three of the four: family, given, birthdate, gender.")
	case t.Family != "" && normalName(t.Family) == "":
		return invalid("value", "http.family", "Ce nom n’a ni lettre ni chiffre.", "This name has no letter or digit.")
	case t.Given != "" && normalName(t.Given) == "":
		return invalid("value", "http.given", "Ce prénom n’a ni lettre ni chiffre.", "This given name has no letter or digit.")
	case !q.TraitsAlone():
		return invalid("not-supported", "", "La recherche par traits ne se combine avec aucun autre critère ; elle n’a ni tri, ni page, ni simple compte.", "A search by traits goes with no other criterion; it has no order, no page and no bare count.")
	case q.CountGiven && q.Count < maxCandidates:
		return invalid("value", "http._count", "La recherche par traits ne se pagine pas : _count vaut 20 ou plus, ou ne se donne pas.", "A search by traits has no pages: _count is 20 or more, or is not given.")
	}
	return nil
}

// candidates returns those that match and may be shown; more than maxCandidates
// tell that there are too many. Dossiers are looked at by full rounds, filled
// with decoys.
func (c *call) candidates(ctx context.Context, asked fhir.Traits) ([]candidate, error) {
	token, _ := c.traitToken(normalName(asked.Family), normalName(asked.Given), asked.BirthDate, asked.Gender)
	refs, err := c.store.Lookup(ctx, token)
	if err != nil {
		return nil, err
	}
	ids := dossiersOf(refs)
	var found []candidate
	for from := 0; ; from += candidateRound {
		for i := from; i < from+candidateRound; i++ {
			x, ok, err := c.candidate(ctx, place(c.Service, ids, i, token), asked)
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, x)
			}
		}
		if len(found) > maxCandidates || from+candidateRound >= len(ids) {
			return found, nil
		}
	}
}

// dossiersOf returns the dossiers of references, each once.
func dossiersOf(refs []store.Ref) []store.Dossier {
	ids := make([]store.Dossier, len(refs))
	for i, r := range refs {
		ids[i] = r.Dossier
	}
	slices.SortFunc(ids, func(a, b store.Dossier) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// place returns the i-th dossier to look at: a decoy of the same search beyond
// the last one.
func place(s *Service, ids []store.Dossier, i int, token store.Token) store.Dossier {
	if i < len(ids) {
		return ids[i]
	}
	return decoy(s.vault.Find("traits decoy", string(token[:]), strconv.Itoa(i)))
}

// candidate looks at one dossier, or decoy, by the same calls of the store. The
// traits are compared in clear: a token only led here, perhaps of a Patient that
// has changed since.
func (c *call) candidate(ctx context.Context, id store.Dossier, asked fhir.Traits) (candidate, bool, error) {
	d, err := c.load(ctx, id)
	if err != nil {
		return candidate{}, false, err
	}
	if err := c.even(ctx, d); err != nil {
		return candidate{}, false, err
	}
	rec, err := c.patientBody(ctx, d)
	if err != nil || rec == nil {
		return candidate{}, false, err
	}
	v := c.policy.View(c.p, d.record, c.at)
	released, dec := v.ReleaseCandidate(rec.resource, rec.origin)
	t := traitsOf(rec.resource)
	return candidate{d, v, dec, d.patient(), t.birthDate, released}, dec.Allowed() && t.are(asked), nil
}

// patientBody opens the Patient of a dossier. Where there is none it asks the
// store all the same, and returns nil.
func (c *call) patientBody(ctx context.Context, d *loaded) (*record, error) {
	if patient := d.patient(); patient != nil && d.ring != nil {
		return c.body(ctx, d.id, d.ring, patient.key, patient.version)
	}
	_, err := c.store.Bodies(ctx, d.id, []store.BodyRef{{Version: 1}})
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return nil, err
}

// recordCandidates makes durable that the search was made, and in the history of
// each candidate that it showed them.
func (c *call) recordCandidates(ctx context.Context, dec policy.Decision, found []candidate) (audit.Receipt, error) {
	receipt, err := c.recordLooking(ctx, dec, http.StatusOK)
	if err != nil {
		return audit.Receipt{}, err
	}
	for _, x := range found {
		events := c.events(x.d, x.dec, doExecute, []string{versionRef(x.row)}, x.v)
		if receipt, err = c.record(ctx, x.d, events); err != nil {
			return audit.Receipt{}, err
		}
	}
	return receipt, nil
}

// recordLooking tells the system journal of the search itself, which is of no
// dossier.
func (c *call) recordLooking(ctx context.Context, dec policy.Decision, status int) (audit.Receipt, error) {
	e := c.event(nil, dec, doExecute)
	e.Allowed, e.Status = status < http.StatusBadRequest, status
	return c.audit.Record(ctx, c.audit.Journal(), e)
}

func (c *call) refuseTraits(ctx context.Context, dec policy.Decision, err error) (Answer, error) {
	if _, auditErr := c.recordLooking(ctx, dec, outcomeOf(err).status); auditErr != nil {
		return Answer{}, auditErr
	}
	return Answer{}, err
}

// candidatePage is the whole answer, the eldest first.
func (c *call) candidatePage(found []candidate) content {
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.born, b.born), cmp.Compare(a.row.id, b.row.id))
	})
	q := c.r.Query
	out := fhir.BundleOut{Type: "searchset", Links: []fhir.Link{{Relation: "self", URL: c.base + "/Patient?" + q.String()}}}
	if total := len(found); q.Total != "none" {
		out.Total = &total
	}
	entries := make([]fhir.EntryOut, len(found))
	resources := make([]policy.Released[*fhir.Resource], len(found))
	for i, x := range found {
		entries[i] = fhir.EntryOut{FullURL: c.base + "/" + x.row.ref(), Mode: "match"}
		resources[i] = x.released
	}
	return c.results(out, entries, resources)
}
