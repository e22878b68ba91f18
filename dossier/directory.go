package dossier

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/directory"
	"opendmp/fhir"
	"opendmp/policy"
)

// ofDirectory answers for Practitioner, PractitionerRole and Organization: they are
// of the directory and of no record, so that no rule of a record is asked. Whoever is
// authenticated may look, at a rate, and the system journal keeps that they did.
func (c *call) ofDirectory(ctx context.Context) (Answer, error) {
	switch {
	case c.directory == nil:
		return Answer{}, errNoDirectory
	case !c.lookups.take(c.caller(), c.at):
		return Answer{}, ErrTooMany
	}
	if c.r.Interaction == fhir.Read {
		return c.readDirectory(ctx)
	}
	return c.searchDirectory(ctx)
}

// errNoDirectory is what a server without a directory answers, as one where the type
// does not exist.
var errNoDirectory = &refused{class: fhir.ErrUnknownRoute, text: fhir.Text{
	FR: "Ce serveur n’a pas d’annuaire des professionnels.",
	EN: "This server has no directory of professionals.",
}}

// directoryTypes are the types of which a server without a directory has none.
var directoryTypes = []string{"Practitioner", "PractitionerRole", "Organization"}

// noteLookup keeps in the system journal that the caller looked.
func (c *call) noteLookup(ctx context.Context, action audit.Action) error {
	e := c.event(nil, policy.Decision{}, action)
	e.Allowed, e.Status = true, http.StatusOK
	_, err := c.audit.Record(ctx, c.audit.Journal(), e)
	return err
}

// readDirectory answers one resource of the directory.
func (c *call) readDirectory(ctx context.Context) (Answer, error) {
	found, err := c.byDirectoryID(ctx, c.r.Type, c.r.ID)
	if err != nil {
		return Answer{}, asDirectory(err)
	}
	if err := c.noteLookup(ctx, doRead); err != nil {
		return Answer{}, err
	}
	if found == nil {
		return Answer{}, ErrNotFound
	}
	shown, err := c.r.Query.Show(found)
	if err != nil {
		return Answer{}, internal(err, "directory")
	}
	return c.public(shown.Bytes()), nil
}

// public is an answer of the directory, which holds nothing of a patient.
func (c *call) public(body []byte) Answer {
	if c.pretty() {
		body = fhir.Pretty(body)
	}
	return Public(http.StatusOK, fhirJSON, body)
}

// asDirectory is what an error of the directory is for who asks; nil for none.
func asDirectory(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, directory.ErrBroad):
		return invalid("required", "name",
			"Désigner qui est cherché : un identifiant, ou deux lettres au moins du nom.",
			"Name who is searched: an identifier, or two letters of the name at least.")
	case errors.Is(err, directory.ErrUnavailable), isUnavailable(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// byDirectoryID returns the resource of an id; nil if there is none.
func (c *call) byDirectoryID(ctx context.Context, typ, id string) (*fhir.Resource, error) {
	if typ == "Organization" {
		key, ok := strings.CutPrefix(id, organizationPrefix)
		if !ok || key == "" {
			return nil, nil
		}
		f, err := c.directory.Structures(ctx, directory.StructureQuery{Key: key, Limit: 1})
		if err != nil || len(f.Items) == 0 {
			return nil, err
		}
		return organization(f.Items[0])
	}
	national, role, ok := splitPractitionerID(id)
	if !ok {
		return nil, nil
	}
	f, err := c.directory.Professionals(ctx, directory.ProfessionalQuery{ID: fhir.Ident{System: fhir.SystemIDNPS, Value: national}, Limit: 1})
	if err != nil || len(f.Items) == 0 {
		return nil, err
	}
	p := f.Items[0]
	if typ == "Practitioner" {
		if practitionerID(p) != id {
			return nil, nil
		}
		return practitioner(p)
	}
	for _, r := range p.Practices {
		if role != "" && roleID(p, r) == id {
			return practitionerRole(p, r)
		}
	}
	return nil, nil
}

// searchDirectory answers a search. It shows MaxFound entries at most, of no further
// page: who is not among them is found by a narrower search.
func (c *call) searchDirectory(ctx context.Context) (Answer, error) {
	q := c.r.Query
	if q.Page != "" {
		return Answer{}, ErrCursor
	}
	found, err := c.found(ctx, q)
	if err != nil {
		return Answer{}, asDirectory(err)
	}
	if err := c.noteLookup(ctx, doExecute); err != nil {
		return Answer{}, err
	}
	return c.answerFound(q, found)
}

// found is what a search of the directory finds.
type found struct {
	matches, included []*fhir.Resource
	// total counts all; -1 where nobody knows.
	total int
	// more is that not all are shown.
	more bool
}

func (c *call) found(ctx context.Context, q *fhir.Query) (found, error) {
	switch {
	case len(q.IDs) > 0:
		return c.foundByID(ctx, q)
	case q.Type == "Organization":
		return c.foundStructures(ctx, q)
	}
	return c.foundProfessionals(ctx, q)
}

// foundByID is what _id names. Beside it no other criterion is taken.
func (c *call) foundByID(ctx context.Context, q *fhir.Query) (out found, err error) {
	for _, p := range fhir.Params(q.Type) {
		if _, given := q.Sought(p.Name); given {
			return out, invalid("not-supported", p.Name, "Ce critère ne va pas avec _id.", "This criterion does not go with _id.")
		}
	}
	if len(q.Names("_id")) > 1 || len(q.IDs) > 1 || len(q.Includes) > 0 {
		return out, invalid("not-supported", "_id", "Un seul _id, sans _include.", "One _id, without _include.")
	}
	r, err := c.byDirectoryID(ctx, q.Type, q.IDs[0])
	if r != nil {
		out.matches, out.total = []*fhir.Resource{r}, 1
	}
	return out, err
}

func (c *call) foundStructures(ctx context.Context, q *fhir.Query) (out found, err error) {
	ask := directory.StructureQuery{Limit: c.shownAtMost(q)}
	ask.ID, _ = q.Sought("identifier")
	ask.Name, ask.Postal, ask.City = text(q, "name"), text(q, "address-postalcode"), text(q, "address-city")
	f, err := c.directory.Structures(ctx, ask)
	if err != nil {
		return out, err
	}
	out.total, out.more = f.Total, f.Total > len(f.Items)
	out.matches, err = resources(f.Items, organization)
	return out, err
}

// foundProfessionals is what a search of Practitioner or PractitionerRole finds.
func (c *call) foundProfessionals(ctx context.Context, q *fhir.Query) (out found, err error) {
	ask, possible := askOf(q)
	if !possible {
		return out, nil
	}
	ask.Limit = c.shownAtMost(q)
	f, err := c.directory.Professionals(ctx, ask)
	if err != nil {
		return out, err
	}
	out.total, out.more = f.Total, f.Total > len(f.Items)
	if q.Type == "Practitioner" {
		out.matches, err = resources(f.Items, practitioner)
		return out, err
	}
	out.total = 0
	for _, p := range f.Items {
		out.total += len(p.Practices)
		if err := out.addRoles(q, p, ask.Limit); err != nil {
			return out, err
		}
	}
	if f.Total > len(f.Items) {
		out.total = -1 // the practices of those who are not shown were not counted
	}
	return out, nil
}

// addRoles adds the practices of a professional, as far as the page goes, and what
// they are asked to bring with them.
func (f *found) addRoles(q *fhir.Query, p directory.Professional, limit int) error {
	for _, own := range p.Practices {
		if len(f.matches) >= limit {
			f.more = true
			return nil
		}
		r, err := practitionerRole(p, own)
		if err != nil {
			return err
		}
		f.matches = append(f.matches, r)
		for _, i := range q.Includes {
			if err := f.include(i, p, own); err != nil {
				return err
			}
		}
	}
	return nil
}

// include adds what an inclusion follows a practice to, once.
func (f *found) include(i fhir.Include, p directory.Professional, own directory.Practice) error {
	var r *fhir.Resource
	var err error
	switch {
	case i.LeadsTo("Practitioner"):
		r, err = practitioner(p)
	case i.LeadsTo("Organization") && own.Structure != nil:
		r, err = organization(*own.Structure)
	}
	have := func(other *fhir.Resource) bool { return other.Type() == r.Type() && other.ID() == r.ID() }
	if err != nil || r == nil || slices.ContainsFunc(f.included, have) {
		return err
	}
	f.included = append(f.included, r)
	return nil
}

// resources makes resources of what was found.
func resources[T any](items []T, of func(T) (*fhir.Resource, error)) ([]*fhir.Resource, error) {
	out := make([]*fhir.Resource, len(items))
	for i, item := range items {
		var err error
		if out[i], err = of(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// askOf reads the criteria of a search for professionals. False where no professional
// of the directory can match: a code or an identifier of another system.
func askOf(q *fhir.Query) (ask directory.ProfessionalQuery, possible bool) {
	ask.Matching = q.Type == "PractitionerRole"
	identifier, named := "identifier", "name"
	if ask.Matching {
		identifier, named = "practitioner.identifier", "practitioner.name"
	}
	ask.ID, _ = q.Sought(identifier)
	ask.Name, ask.Family, ask.Given = text(q, named), text(q, "family"), text(q, "given")
	ask.Postal, ask.City = text(q, "organization.address-postalcode"), text(q, "organization.address-city")
	ask.Structure, _ = q.Sought("organization.identifier")
	possible = code(q, "role", auth.SystemProfession, &ask.Profession) && code(q, "specialty", auth.SystemSkill, &ask.Skill)
	if ref, ok := q.Sought("practitioner"); ok {
		national, role, isID := splitPractitionerID(strings.TrimPrefix(ref.Value, "Practitioner/"))
		id := fhir.CanonicalIdent(fhir.Ident{System: fhir.SystemIDNPS, Value: national})
		possible = possible && isID && role == "" && (ask.ID.IsZero() || ask.ID == id || ask.ID == fhir.Ident{Value: national})
		ask.ID = id
	}
	if ref, ok := q.Sought("organization"); ok {
		key, isID := strings.CutPrefix(ref.Value, "Organization/"+organizationPrefix)
		possible, ask.Key = possible && isID, key
	}
	return ask, possible
}

// text is the value of a parameter of type string; "" if it was not given.
func text(q *fhir.Query, param string) string {
	v, _ := q.Sought(param)
	return v.Value
}

// code sets to to the code that a token asks for; false for one of another system.
func code(q *fhir.Query, param, system string, to *string) bool {
	v, given := q.Sought(param)
	*to = v.Value
	return !given || v.Value != "" && (v.System == "" || v.System == system)
}

// shownAtMost is how many matches a search shows.
func (c *call) shownAtMost(q *fhir.Query) int {
	if q.SummaryCount {
		return 0
	}
	return min(q.Count, directory.MaxFound)
}

// answerFound makes the bundle.
func (c *call) answerFound(q *fhir.Query, f found) (Answer, error) {
	out := c.searchset(q, f.total, nil, false)
	if f.total < 0 {
		out.Total = nil
	}
	for i, r := range slices.Concat(f.matches, f.included) {
		shown, err := q.Show(r)
		if err != nil {
			return Answer{}, internal(err, "directory")
		}
		e := fhir.EntryOut{FullURL: c.base + "/" + r.Type() + "/" + r.ID(), Resource: shown.Bytes(), Mode: "match"}
		if i >= len(f.matches) {
			e.Mode = "include"
		}
		out.Entries = append(out.Entries, e)
	}
	if told := c.toldOf(q, f); len(told) > 0 {
		out.Entries = append(out.Entries, fhir.EntryOut{Resource: fhir.OutcomeJSON(c.r.Lang, told), Mode: "outcome"})
	}
	return c.public(fhir.WriteBundle(out)), nil
}

// toldOf are the words beside an answer.
func (c *call) toldOf(q *fhir.Query, f found) []fhir.Issue {
	told := slices.Clone(q.Ignored)
	if f.more && c.shownAtMost(q) > 0 {
		told = append(told, fhir.Issue{Severity: fhir.Information, Code: "incomplete", Text: fhir.Text{
			FR: "Tous ne sont pas montrés : préciser la recherche par un prénom, une profession ou une commune.",
			EN: "Not all are shown: narrow the search by a given name, a profession or a commune.",
		}})
	}
	return told
}
