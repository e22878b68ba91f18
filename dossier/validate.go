package dossier

import (
	"context"
	"errors"
	"net/http"

	"opendmp/fhir"
	"opendmp/policy"
)

// validation is what $validate was asked.
type validation struct {
	resource fhir.Node // as received; absent with mode delete alone
	mode     string    // create, update, delete, or "" for the resource alone
	profile  string    // beside those that the resource claims
}

// validate carries out $validate: whether a resource keeps to FHIR and to its
// profiles. Nothing of the body is stored, nor kept in a history. On a type no
// patient is concerned, and the system journal tells that somebody asked; on an
// instance the caller must be allowed to read it, and the event is one of reading.
// A token that asks for bris_de_glace opens no grant by it.
func (c *call) validate(ctx context.Context) (Answer, error) {
	asked, err := c.readValidation()
	if err != nil {
		return Answer{}, err
	}
	if c.r.ID == "" {
		e := c.event(nil, policy.Decision{}, doExecute)
		e.Allowed, e.Status = true, http.StatusOK
		if _, err := c.audit.Record(ctx, c.audit.Journal(), e); err != nil {
			return Answer{}, err
		}
		return Public(http.StatusOK, fhirJSON, fhir.OutcomeJSON(c.r.Lang, c.findings(asked))), nil
	}
	return c.validateInstance(ctx, asked)
}

func (c *call) validateInstance(ctx context.Context, asked validation) (Answer, error) {
	d, err := c.loadByID(ctx, c.r.Type, c.r.ID)
	if err != nil {
		return Answer{}, err
	}
	v := c.policy.View(c.p, d.record, c.at)
	ref := c.r.Type + "/" + c.r.ID
	row := d.find(ref)
	if row == nil || row.deleted {
		return c.hidden(ctx, d, v, policy.Decision{}, ref)
	}
	if dec := v.Read(d.byRef[ref]); !dec.Allowed() {
		return c.hidden(ctx, d, v, dec, ref)
	}
	rec, err := c.body(ctx, d.id, d.ring, row.key, row.version)
	if err != nil {
		return Answer{}, err
	}
	_, dec := v.Release(rec.resource, rec.origin)
	if !dec.Allowed() {
		return c.hidden(ctx, d, v, dec, ref)
	}
	receipt, err := c.record(ctx, d, c.events(d, dec, doRead, []string{versionRef(row)}, v))
	if err != nil {
		return Answer{}, err
	}
	return c.acknowledged(c.findings(asked), receipt).in(v), nil
}

// readValidation reads the body: a resource, with the other arguments in the URL,
// or Parameters. What is not JSON is refused; what is not valid FHIR is what the
// operation is about.
func (c *call) readValidation() (validation, error) {
	asked := validation{mode: c.r.Mode, profile: c.r.Profile}
	if c.r.MediaType != "application/fhir+json" && c.r.MediaType != "application/json" {
		return asked, ErrMediaType
	}
	r, err := fhir.Scan(c.r.Body)
	if err != nil {
		return asked, err
	}
	if r.Type() != "Parameters" {
		asked.resource = r.Root()
	} else if err := asked.fromParameters(r); err != nil {
		return asked, err
	}
	switch asked.mode {
	case "", "create", "update", "profile":
		if !asked.resource.Exists() {
			return asked, invalid("required", "Parameters.parameter", "La ressource à vérifier manque (paramètre resource).", "The resource to validate is missing (parameter resource).")
		}
	case "delete":
		if c.r.ID == "" {
			return asked, invalid("invalid", "Parameters.parameter", "Le mode delete vérifie une ressource : l’appeler sur son adresse.", "Mode delete is about one resource: call it on its URL.")
		}
	default:
		return asked, invalid("value", "Parameters.parameter", "Le mode est create, update, delete ou profile.", "The mode is create, update, delete or profile.")
	}
	if name := asked.resource.Get("resourceType"); asked.resource.Exists() && !name.Is(c.r.Type) {
		return asked, invalid("structure", "resourceType", "Le type de la ressource n’est pas celui de l’adresse.", "The type of the resource is not that of the URL.")
	}
	return asked, nil
}

// fromParameters reads the arguments of a Parameters, each once.
func (asked *validation) fromParameters(r *fhir.Resource) error {
	for p := range r.Get("parameter").Items() {
		once := true
		switch name := p.Get("name"); {
		case name.Is("resource"):
			once = !asked.resource.Exists()
			asked.resource = p.Get("resource")
		case name.Is("mode"):
			once = asked.mode == ""
			asked.mode = p.Get("valueCode").Text()
		case name.Is("profile"):
			once = asked.profile == ""
			asked.profile = p.Get("valueUri").Text() + p.Get("valueCanonical").Text()
		default:
			return invalid("not-supported", "Parameters.parameter.name", "Paramètre inconnu ; ceux de l’opération : resource, mode, profile.", "Unknown parameter; those of the operation: resource, mode, profile.")
		}
		if !once {
			return invalid("invalid", "Parameters.parameter.name", "Paramètre donné deux fois.", "Parameter given twice.")
		}
	}
	return nil
}

// findings returns what is found.
func (c *call) findings(asked validation) []fhir.Issue {
	issues := c.offered(asked)
	if !asked.resource.Exists() {
		return issues
	}
	r, err := fhir.Parse(asked.resource.Raw())
	var broken *fhir.Invalid
	switch {
	case errors.As(err, &broken):
		return append(issues, broken.Issues...)
	case asked.profile != "":
		issues = append(issues, fhir.Validate(r, asked.profile)...)
	default:
		issues = append(issues, fhir.Validate(r)...)
	}
	return append(issues, c.codeFindings(r)...)
}

// offered tells where the server does not offer what the mode is about.
func (c *call) offered(asked validation) []fhir.Issue {
	wanted := map[string]fhir.Interaction{"create": fhir.Create, "update": fhir.Update, "delete": fhir.Delete}[asked.mode]
	if wanted == "" || fhir.SupportsEntry(c.r.Type, wanted) || wanted == fhir.Update && fhir.Supports(c.r.Type, fhir.Patch) {
		return c.sameID(asked)
	}
	return []fhir.Issue{{Severity: fhir.Error, Code: "not-supported", Text: fhir.Text{
		FR: "Ce serveur ne propose pas cette écriture pour ce type (voir /metadata).",
		EN: "This server does not offer that write for this type (see /metadata).",
	}}}
}

// sameID tells where an update of an instance has another id (R4 http.html#update).
func (c *call) sameID(asked validation) []fhir.Issue {
	if asked.mode != "update" || c.r.ID == "" || asked.resource.Get("id").Is(c.r.ID) {
		return nil
	}
	return []fhir.Issue{{Severity: fhir.Error, Code: "invalid", Expression: c.r.Type + ".id", Text: fhir.Text{
		FR: "L’identifiant de la ressource n’est pas celui de l’adresse.",
		EN: "The id of the resource is not that of the URL.",
	}}}
}
