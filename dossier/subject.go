package dossier

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// subject is a patient as a resource names them: by id, or by INS.
type subject struct {
	reference string // as written, "" for a logical reference
	id        string
	idents    []fhir.Ident
	traits    *fhir.Resource // a Patient that says more than its INS; nil if none
	at        string         // FHIRPath of where they are named
}

// subjectOf reads the subject of a resource. bundled finds the Patient entries
// of the bundle by their fullUrl; it may be nil.
func (s *Service) subjectOf(r *fhir.Resource, node fhir.Node, bundled map[string]*fhir.Resource) (subject, bool) {
	sub := subject{reference: node.Get("reference").Text()}
	if p := bundled[sub.reference]; p != nil {
		sub.idents, sub.traits = insOf(p), p
		return sub, len(sub.idents) > 0
	}
	if id, ok := strings.CutPrefix(sub.reference, "#"); ok {
		p := contained(r, id)
		sub.idents, sub.traits = insOf(p), p
		return sub, len(sub.idents) > 0
	}
	if ins, ok := conditionalPatient(sub.reference); ok {
		sub.idents = []fhir.Ident{ins}
		return sub, true
	}
	if typ, id, ok := s.localRef(sub.reference); ok && typ == "Patient" {
		sub.id = id
		return sub, true
	}
	if ident := node.Get("identifier"); ident.Exists() && sub.reference == "" {
		sub.idents = []fhir.Ident{{System: ident.Get("system").Text(), Value: ident.Get("value").Text()}}
		return sub, true
	}
	return sub, false
}

// conditionalPatient reads "Patient?identifier=system|value" (R4 http.html#trules).
func conditionalPatient(reference string) (fhir.Ident, bool) {
	query, ok := strings.CutPrefix(reference, "Patient?")
	if !ok {
		return fhir.Ident{}, false
	}
	values, err := url.ParseQuery(query)
	if err != nil || len(values) != 1 || len(values["identifier"]) != 1 {
		return fhir.Ident{}, false
	}
	system, value, ok := strings.Cut(values.Get("identifier"), "|")
	return fhir.Ident{System: system, Value: value}, ok && system != "" && value != ""
}

// contained returns a contained resource.
func contained(r *fhir.Resource, id string) *fhir.Resource {
	for c := range r.Get("contained").Items() {
		if c.Get("id").Is(id) {
			return c.Resource()
		}
	}
	return nil
}

// insOf returns the identifiers of a Patient that are of an INS domain.
func insOf(p *fhir.Resource) []fhir.Ident {
	var out []fhir.Ident
	for i := range p.Get("identifier").Items() {
		ident := fhir.Ident{System: i.Get("system").Text(), Value: i.Get("value").Text()}
		if isINS(ident.System) {
			out = append(out, ident)
		}
	}
	return out
}

// dossierOf loads the one dossier that all subjects name. Two of them are an
// error; none that exists is a decoy, which takes no writes.
func (c *call) dossierOf(ctx context.Context, subjects []subject) (*loaded, *policy.View, error) {
	var ids []store.Dossier
	c.byPatient = true
	for _, s := range subjects {
		if err := c.checkINS(s.idents); err != nil {
			return nil, nil, err
		}
		if s.id == "" && len(s.idents) == 0 && s.traits != nil {
			continue // says who, not which dossier
		}
		d, err := c.dossierOfOne(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		if ids = appendOnce(ids, d); len(ids) > 1 {
			return nil, nil, unprocessable(s.at, "Un envoi concerne un seul dossier : un autre patient est désigné ici.", "A submission concerns one dossier: another patient is named here.")
		}
	}
	if len(ids) == 0 {
		return nil, nil, unprocessable("Bundle.entry", "Aucune entrée ne désigne le patient.", "No entry names the patient.")
	}
	d, err := c.load(ctx, ids[0])
	if err != nil {
		return nil, nil, err
	}
	d, v, err := c.look(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	return d, v, c.checkDossier(ctx, d, v, subjects)
}

func (c *call) dossierOfOne(ctx context.Context, s subject) (store.Dossier, error) {
	if s.id != "" {
		return c.byToken(ctx, c.idToken("Patient", s.id))
	}
	if len(s.idents) == 0 {
		return store.Dossier{}, unprocessable("Bundle", "Le patient n’est pas désigné.", "The patient is not named.")
	}
	return c.byToken(ctx, c.insToken(s.idents[0]))
}

// checkDossier refuses, in one wording and after a durable event, a dossier
// that takes no writes and traits that are not the patient's.
func (c *call) checkDossier(ctx context.Context, d *loaded, v *policy.View, subjects []subject) error {
	patient := d.patient()
	if patient == nil || c.absent(d, v) || c.stranger(v) {
		return c.noDossier(ctx, d, v)
	}
	for _, s := range subjects {
		if s.traits == nil || !saysTraits(s.traits) {
			continue
		}
		rec, err := c.body(ctx, d.id, d.ring, patient.key, patient.version)
		if err != nil {
			return err
		}
		if !sameTraits(rec.resource, s.traits) {
			return c.noDossier(ctx, d, v)
		}
	}
	return nil
}

func (c *call) noDossier(ctx context.Context, d *loaded, v *policy.View) error {
	err := ErrNoDossier
	if c.patientScoped() {
		err = ErrForbidden
	}
	_, err = c.refuse(ctx, d, v, policy.Decision{}, doCreate, err)
	return err
}

// checkINS applies the setting of the INS key to identifiers of an INS domain.
func (c *call) checkINS(idents []fhir.Ident) error {
	for _, i := range idents {
		if c.insKey == Refuses && wrongKey(i) {
			return unprocessable("Patient.identifier", wrongINS.FR, wrongINS.EN)
		}
	}
	return nil
}

var wrongINS = fhir.Text{FR: "La clé de l’INS est fausse.", EN: "The control key of the INS is wrong."}

// wrongKey tells whether an identifier of an INS domain is not an INS.
func wrongKey(i fhir.Ident) bool {
	if !isINS(i.System) {
		return false
	}
	ins, err := fhir.ParseINS(i)
	return err != nil || !ins.KeyOK
}

// doubts returns what is accepted with a warning: a wrong key of the INS, where
// the setting says so, and what the policy finds doubtful in a document.
func (c *call) doubts(subjects []subject, facts policy.Facts) []fhir.Issue {
	issues := c.policy.Warnings(facts)
	if c.insKey != Warns {
		return issues
	}
	for _, s := range subjects {
		if slices.ContainsFunc(s.idents, wrongKey) {
			return append(issues, fhir.Issue{Severity: fhir.Warning, Code: "value", Text: wrongINS, Expression: facts.Type() + ".subject"})
		}
	}
	return issues
}

// isINS tells whether a system is a domain of the INS.
func isINS(system string) bool {
	switch system {
	case fhir.SystemINSNIR, fhir.SystemINSNIA, fhir.SystemINSTest, fhir.SystemINSDemo:
		return true
	}
	return false
}

func saysTraits(p *fhir.Resource) bool {
	return p.Get("birthDate").Exists() || p.Get("gender").Exists() || p.Get("name").Exists()
}

// sameTraits compares what two Patients both say of birth date, sex and names.
// A family name must be one of the others, usual or of birth (see normalName).
func sameTraits(known, said *fhir.Resource) bool {
	for _, trait := range []string{"birthDate", "gender"} {
		a, b := known.Get(trait).Text(), said.Get(trait).Text()
		if a != "" && b != "" && a != b {
			return false
		}
	}
	var families []string
	for f := range known.Root().All("name", "family") {
		families = append(families, normalName(f.Text()))
	}
	for f := range said.Root().All("name", "family") {
		if len(families) > 0 && !slices.Contains(families, normalName(f.Text())) {
			return false
		}
	}
	return true
}
