package dossier

import (
	"context"
	"fmt"
	"strings"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// operation answers the operations of fhir's table.
func (c *call) operation(ctx context.Context) (Answer, error) {
	if c.r.Operation == "validate" {
		return c.validate(ctx)
	}
	switch c.r.Type + "/$" + c.r.Operation {
	case "DocumentReference/$generate-metadata":
		return c.generateMetadata(ctx)
	case "Patient/$bris-de-glace":
		return c.brisDeGlace(ctx)
	case "Patient/$fermer":
		return c.closeDossier(ctx)
	case "Patient/$reactiver":
		return c.reactivate(ctx)
	case "Patient/$detruire":
		return c.destroyDossier(ctx)
	case "DocumentReference/$detruire":
		return c.destroyDocument(ctx)
	case "DocumentReference/$expliquer":
		return c.explain(ctx)
	}
	return Answer{}, fmt.Errorf("%w: operation %q of %s", ErrInternal, c.r.Operation, c.r.Type)
}

// arguments are what an operation was given, by name, each as the element
// parameter that holds it. What the table of fhir does not have is not among them.
type arguments map[string]fhir.Node

// readArguments reads the body of an operation: each parameter once, of the type
// that the table says, none unknown, none missing.
func (c *call) readArguments() (arguments, error) {
	def, ok := fhir.OperationOn(c.r.Type, c.r.Operation)
	if !ok {
		return nil, fmt.Errorf("%w: operation %q is not in the table", ErrInternal, c.r.Operation)
	}
	r, err := c.parseBody("Parameters")
	if err != nil {
		return nil, err
	}
	args := make(arguments)
	for p := range r.Get("parameter").Items() {
		name := p.Get("name").Text()
		known := def.Takes(name)
		switch {
		case known == nil:
			return nil, invalid("not-supported", "Parameters.parameter.name", "Paramètre inconnu ; ceux de l’opération : "+namesOf(def)+".", "Unknown parameter; those of the operation: "+namesOf(def)+".")
		case args[name].Exists():
			return nil, invalid("invalid", "Parameters.parameter.name", "Paramètre donné deux fois.", "Parameter given twice.")
		case !isArgument(p, known.Type):
			return nil, invalid("value", "Parameters.parameter", "Le paramètre « "+name+" » est de type "+known.Type+".", "The parameter \""+name+"\" is of type "+known.Type+".")
		}
		args[name] = p
	}
	for _, p := range def.Params {
		if !p.Out && p.Min > 0 && !args[p.Name].Exists() {
			return nil, invalid("required", "Parameters.parameter", "Le paramètre « "+p.Name+" » manque.", "The parameter \""+p.Name+"\" is missing.")
		}
	}
	return args, nil
}

// isArgument tells whether a parameter is of a type, that of a resource or any.
func isArgument(p fhir.Node, typ string) bool {
	resource := p.Get("resource")
	return p.Get(valueMember(typ)).Exists() || resource.Get("resourceType").Is(typ) || typ == "Resource" && resource.Exists()
}

// valueMember is the member of Parameters.parameter for a data type.
func valueMember(typ string) string { return "value" + strings.ToUpper(typ[:1]) + typ[1:] }

func namesOf(def fhir.OperationDef) string {
	var names []string
	for _, p := range def.Params {
		if !p.Out {
			names = append(names, p.Name)
		}
	}
	return strings.Join(names, ", ")
}

// text is the value of a string parameter, without white space around it.
func (a arguments) text(name string) string {
	return strings.TrimSpace(a[name].Get("valueString").Text())
}

// subjectOfOperation is the patient whom an operation on a Patient names: by the
// id of the URL, by the INS in identifier, or by both.
func (c *call) subjectOfOperation(args arguments) (subject, error) {
	s := subject{id: c.r.ID, at: "Parameters.parameter"}
	if i := args["identifier"].Get("valueIdentifier"); i.Exists() {
		s.idents = []fhir.Ident{{System: i.Get("system").Text(), Value: i.Get("value").Text()}}
	}
	if s.id == "" && len(s.idents) == 0 {
		return s, invalid("required", "Parameters.parameter", "L’INS du patient manque (paramètre identifier).", "The INS of the patient is missing (parameter identifier).")
	}
	return s, nil
}

// onDossier runs act, as often as retry does, on the dossier that an operation names.
// Where there is none for the caller that is refused and recorded.
func (c *call) onDossier(ctx context.Context, s subject, action audit.Action, act func(*loaded, *policy.View, *row) (Answer, error)) (Answer, error) {
	return c.retry(ctx, func() (Answer, error) {
		d, v, err := c.placeOf(ctx, s)
		if err != nil {
			return Answer{}, err
		}
		patient := d.patient()
		if patient == nil || c.absent(d, v) {
			return c.refuse(ctx, d, v, policy.Decision{}, action, c.noPatient(v))
		}
		return act(d, v, patient)
	})
}

// placeOf loads the dossier that an operation names; none where its id and its INS
// disagree, so that nobody confirms a pair of them. A token that asks for
// bris_de_glace opens no grant by it: no operation needs one, but the one that
// opens it.
func (c *call) placeOf(ctx context.Context, s subject) (*loaded, *policy.View, error) {
	id, err := c.dossierOfOne(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	if s.id != "" && len(s.idents) > 0 {
		byINS, err := c.byToken(ctx, c.insToken(s.idents[0]))
		if err != nil {
			return nil, nil, err
		}
		if byINS != id {
			id = store.Dossier{} // an id and an INS that are not of one patient are nobody's
		}
	}
	d, err := c.load(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return d, c.policy.View(c.p, d.record, c.at), nil
}

// noPatient is the answer of an operation on a dossier that does not exist, or no
// more: 404 to those who may ask whether there is one, 403 to others (POLICY §7).
func (c *call) noPatient(v *policy.View) error {
	if c.patientScoped() || v.Search("Patient", true).Refusal() == policy.Forbidden {
		return ErrForbidden
	}
	return ErrNotFound
}
