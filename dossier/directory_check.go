package dossier

import (
	"context"
	"slices"

	"opendmp/auth"
	"opendmp/directory"
	"opendmp/fhir"
)

// arePhysicians refuses médecins traitants who were not named before and who are no
// physicians in the directory (CSS L.162-5-3: a médecin traitant is a physician). Who
// was named stays named: the directory forgets who retired. Without a directory
// nobody is refused.
func (c *call) arePhysicians(ctx context.Context, before, after []fhir.Ident) error {
	if c.directory == nil {
		return nil
	}
	for _, id := range after {
		if slices.Contains(before, id) {
			continue
		}
		f, err := c.directory.Professionals(ctx, directory.ProfessionalQuery{ID: id, Limit: 1})
		if err != nil {
			return asDirectory(err)
		}
		if !slices.ContainsFunc(f.Items, directory.Professional.Physician) {
			return unprocessable("Patient.generalPractitioner",
				"Le médecin traitant désigné n’est pas un médecin de l’annuaire : vérifier son identifiant (RPPS).",
				"The médecin traitant who is named is no physician of the directory: check the identifier (RPPS).")
		}
	}
	return nil
}

// opensWithPhysicians is arePhysicians of what opens a dossier.
func (c *call) opensWithPhysicians(ctx context.Context, ch *change) error {
	for _, r := range ch.rows {
		if err := c.arePhysicians(ctx, nil, r.facts.MedecinsTraitants()); err != nil {
			return err
		}
	}
	return nil
}

// namesDoubted tells where a Consent or a CareTeam names somebody by an identifier
// that is not in the directory, or under another name than theirs. They are warnings:
// the identifier counts, and the directory may be late.
func (c *call) namesDoubted(ctx context.Context, r *fhir.Resource) ([]fhir.Issue, error) {
	if c.directory == nil {
		return nil, nil
	}
	var doubts []fhir.Issue
	for ref, at := range namedIn(r) {
		doubt, err := c.nameDoubted(ctx, ref)
		if err != nil {
			return nil, err
		}
		if doubt != (fhir.Text{}) {
			doubts = append(doubts, fhir.Issue{Severity: fhir.Warning, Code: "business-rule", Text: doubt, Expression: at})
		}
	}
	return doubts, nil
}

// namedIn yields the references by which a Consent or a CareTeam names whom it is
// about, and where they are.
func namedIn(r *fhir.Resource) func(yield func(fhir.Node, string) bool) {
	return func(yield func(fhir.Node, string) bool) {
		for actor := range r.Root().All("provision", "actor") {
			if r.Type() == "Consent" && !yield(actor.Get("reference"), "Consent.provision.actor.reference") {
				return
			}
		}
		for p := range r.Get("participant").Items() {
			if r.Type() == "CareTeam" && !yield(p.Get("member"), "CareTeam.participant.member") {
				return
			}
		}
	}
}

// nameDoubted says what is to be doubted of one reference; nothing where it has no
// identifier of a national register.
func (c *call) nameDoubted(ctx context.Context, ref fhir.Node) (fhir.Text, error) {
	i := ref.Get("identifier")
	id := fhir.Ident{System: i.Get("system").Text(), Value: i.Get("value").Text()}
	written := ref.Get("display").Text()
	known, names, err := c.namesOf(ctx, id)
	switch {
	case err != nil || names == nil:
		return fhir.Text{}, err
	case !known:
		return fhir.Text{
			FR: "Cet identifiant n’est pas dans l’annuaire : vérifier qu’il est bien celui de la personne ou de la structure voulue.",
			EN: "This identifier is not in the directory: check that it is that of the person or structure meant.",
		}, nil
	case written == "" || names.same(written):
		return fhir.Text{}, nil
	}
	return fhir.Text{
		FR: "Le nom écrit n’est pas celui que l’annuaire donne à cet identifiant (" + names.label + "). L’identifiant seul compte.",
		EN: "The name that is written is not the one of the directory for this identifier (" + names.label + "). The identifier alone counts.",
	}, nil
}

// called are the names of the directory for an identifier.
type called struct {
	label string
	same  func(written string) bool
}

// namesOf returns the names of a person or of a structure, and whether there are any;
// nil for an identifier that is not of a national register.
func (c *call) namesOf(ctx context.Context, id fhir.Ident) (known bool, n *called, err error) {
	switch fhir.CanonicalIdent(id).System {
	case fhir.SystemRPPS, fhir.SystemADELI:
		f, err := c.directory.Professionals(ctx, directory.ProfessionalQuery{ID: id, Limit: 1})
		if err != nil || len(f.Items) == 0 {
			return false, &called{}, asDirectory(err)
		}
		return true, &called{f.Items[0].Name(), f.Items[0].SameName}, nil
	}
	if _, ok := auth.NationalStructure(id); !ok {
		return false, nil, nil
	}
	f, err := c.directory.Structures(ctx, directory.StructureQuery{ID: id, Limit: directory.MaxFound})
	if err != nil || len(f.Items) == 0 {
		return false, &called{}, asDirectory(err)
	}
	same := func(written string) bool {
		return slices.ContainsFunc(f.Items, func(s directory.Structure) bool { return s.SameName(written) })
	}
	return true, &called{f.Items[0].Label(), same}, nil
}
