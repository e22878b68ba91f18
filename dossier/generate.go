package dossier

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
)

// generateMetadata carries out ITI-106: it makes the metadata of a document from
// what the document says of itself, and publishes it as ITI-105 does.
func (c *call) generateMetadata(ctx context.Context) (Answer, error) {
	args, err := c.readArguments()
	if err != nil {
		return Answer{}, err
	}
	doc, err := c.readGenerated(args["document"].Get("resource"))
	if err != nil {
		return Answer{}, err
	}
	return c.retry(ctx, func() (Answer, error) { return c.publishOnce(ctx, doc) })
}

// readGenerated makes the publication of a document: of a Binary with a CDA, or of
// a Bundle.
func (c *call) readGenerated(document fhir.Node) (*published, error) {
	const at = "Parameters.parameter[0].resource"
	r := document.Resource()
	var header *fhir.DocumentHeader
	var plain []byte
	var err error
	mime := "application/fhir+json"
	switch r.Type() {
	case "Bundle":
		plain = r.Bytes()
		header, err = fhir.ReadFHIRDocument(r)
	case "Binary":
		if plain, err = decodeBase64(r.Get("data").Text()); err != nil {
			return nil, invalid("value", at+".data", "Le contenu n’est pas en base64.", "The data is not base64.")
		}
		mime = r.Get("contentType").Text()
		if header, err = recognise(mime, plain, at); err == nil && header == nil {
			err = unprocessable(at, "Les métadonnées se tirent d’un CDA ou d’un document FHIR, d’aucun autre contenu.", "Metadata are taken from a CDA or from a FHIR document, from no other content.")
		}
	default:
		err = invalid("value", at, "Le document est un Binary ou un Bundle.", "The document is a Binary or a Bundle.")
	}
	if err != nil {
		return nil, err
	}
	metadata, err := c.metadataOf(header, mime, plain)
	if err != nil {
		return nil, err
	}
	doc, err := c.readPublished(metadata, "date")
	if err != nil {
		return nil, err
	}
	for _, related := range header.Related {
		if related.Code == "RPLC" && !related.Target.IsZero() {
			doc.replaces = append(doc.replaces, related.Target)
		}
	}
	return doc, nil
}

// object is a JSON object on its way into a resource.
type object = map[string]any

// metadataOf makes the DocumentReference of a document, with its content inside as
// ITI-105 has it. What the document does not say is left out, but for what no
// document can do without.
func (c *call) metadataOf(h *fhir.DocumentHeader, mime string, plain []byte) (*fhir.Resource, error) {
	ins := h.Patient.INS()
	for _, needed := range []struct {
		missing bool
		fr, en  string
	}{
		{h.ID.IsZero(), "Le document n’a pas d’identifiant.", "The document has no identifier."},
		{h.Type.IsZero(), "Le document n’a pas de type.", "The document has no type."},
		{len(ins) == 0, "Le document ne donne pas l’INS du patient.", "The document does not give the INS of the patient."},
		{len(h.Authors) == 0, "Le document n’a pas d’auteur.", "The document has no author."},
	} {
		if needed.missing {
			return nil, unprocessable("Parameters.parameter[0].resource", needed.fr, needed.en)
		}
	}
	patient := sourcePatientOf(h.Patient)
	contained := []object{patient}
	var authors []object
	for i, a := range h.Authors {
		party := partyOf(a, fmt.Sprintf("author-%d", i+1))
		switch {
		case shares(a.Idents, ins):
			authors = append(authors, object{"reference": "#patient-source"})
		case party != nil:
			contained = append(contained, party)
			authors = append(authors, object{"reference": "#" + party["id"].(string)})
		}
	}
	attachment := object{"contentType": mime, "data": base64.StdEncoding.EncodeToString(plain)}
	setText(attachment, "language", h.Language)
	setText(attachment, "title", h.Title)
	if strings.Contains(h.Written, "T") || len(h.Written) <= len("2006-01-02") {
		setText(attachment, "creation", h.Written)
	}
	about := object{"sourcePatientInfo": object{"reference": "#patient-source"}}
	setConcept(about, "facilityType", h.Facility)
	setConcept(about, "practiceSetting", h.Setting)
	if period := (object{}); h.From != "" {
		setText(period, "start", h.From)
		setText(period, "end", h.To)
		about["period"] = period
	}
	r := object{
		"resourceType":     "DocumentReference",
		"contained":        contained,
		"masterIdentifier": identObject(h.ID),
		"status":           "current",
		"subject":          object{"reference": "Patient?identifier=" + ins[0].System + "|" + url.QueryEscape(ins[0].Value)},
		"date":             fhir.FormatInstant(c.at),
		"content":          []object{{"attachment": attachment}},
		"context":          about,
	}
	setConcept(r, "type", h.Type)
	if class, ok := policy.ClassOf(auth.Coding{System: h.Type.System, Code: h.Type.Code}); ok {
		r["category"] = []object{conceptObject(fhir.Code{System: class.System, Code: class.Code})}
	}
	if !h.Confidentiality.IsZero() {
		r["securityLabel"] = []object{conceptObject(h.Confidentiality)}
	}
	if len(authors) > 0 {
		r["author"] = authors
	}
	if len(h.Custodian.Structures) > 0 {
		r["custodian"] = logicalObject("Organization", h.Custodian.Structures[0], h.Custodian.Structure)
	}
	if len(h.Signer.Idents) > 0 {
		r["authenticator"] = logicalObject("Practitioner", h.Signer.Idents[0], strings.TrimSpace(h.Signer.Given+" "+h.Signer.Family))
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("%w: metadata: %w", ErrInternal, err)
	}
	return fhir.Parse(body)
}

// sourcePatientOf is the patient as the document knows them.
func sourcePatientOf(p fhir.HeaderPatient) object {
	var idents, names []object
	for _, i := range p.Idents {
		idents = append(idents, identObject(i))
	}
	for i, family := range p.Families {
		name := object{"family": family}
		if i == 0 && len(p.Givens) > 0 {
			name["given"] = p.Givens
		}
		names = append(names, name)
	}
	patient := object{"resourceType": "Patient", "id": "patient-source", "identifier": idents}
	if names != nil {
		patient["name"] = names
	}
	setText(patient, "birthDate", p.BirthDate)
	setText(patient, "gender", p.Gender)
	return patient
}

// partyOf is an author as a contained resource: a professional in their structure,
// or a structure alone; nil when nothing identifies them.
func partyOf(p fhir.HeaderParty, id string) object {
	if len(p.Idents) == 0 && len(p.Structures) == 0 {
		return nil
	}
	party := object{"id": id}
	own := p.Structures
	switch {
	case len(p.Idents) == 0 || slices.Equal(p.Idents, p.Structures):
		party["resourceType"] = "Organization"
		setText(party, "name", p.Structure)
	default:
		own = p.Idents
		party["resourceType"] = "PractitionerRole"
		if name := strings.TrimSpace(p.Given + " " + p.Family); name != "" {
			party["practitioner"] = object{"display": name}
		}
		if len(p.Structures) > 0 {
			party["organization"] = logicalObject("Organization", p.Structures[0], p.Structure)
		}
		if !p.Role.IsZero() {
			party["code"] = []object{conceptObject(p.Role)}
		}
	}
	var idents []object
	for _, i := range own {
		idents = append(idents, identObject(i))
	}
	party["identifier"] = idents
	return party
}

func identObject(i fhir.Ident) object { return object{"system": i.System, "value": i.Value} }

// logicalObject is a reference by identifier.
func logicalObject(typ string, i fhir.Ident, display string) object {
	o := object{"type": typ, "identifier": identObject(i)}
	setText(o, "display", display)
	return o
}

func conceptObject(code fhir.Code) object {
	coding := object{"code": code.Code}
	setText(coding, "system", code.System)
	setText(coding, "display", code.Display)
	return object{"coding": []object{coding}}
}

func setText(o object, name, value string) {
	if value != "" {
		o[name] = value
	}
}

func setConcept(o object, name string, code fhir.Code) {
	if !code.IsZero() {
		o[name] = conceptObject(code)
	}
}

// withReplaced adds what a document says that it replaces: those documents of the
// dossier that the caller sees and that have the identifier. Hidden and unknown are
// one refusal. The publication itself is not changed: it may be tried again.
func (c *call) withReplaced(d *loaded, v *policy.View, doc *published) (*published, error) {
	if len(doc.replaces) == 0 {
		return doc, nil
	}
	var relates []object
	for _, i := range doc.replaces {
		old := namedDocument(d, v, i)
		if old == nil {
			return nil, unknownTarget("DocumentReference.relatesTo")
		}
		relates = append(relates, object{"code": "replaces", "target": object{"reference": old.ref()}})
	}
	value, err := json.Marshal(relates)
	if err != nil {
		return nil, fmt.Errorf("%w: metadata: %w", ErrInternal, err)
	}
	with := *doc
	with.resource, err = doc.resource.Splice([]fhir.Edit{fhir.InsertMember(doc.resource.Root(), "relatesTo", value)})
	return &with, err
}

// namedDocument returns the document that has an identifier, one in force before
// others; nil if the caller sees none.
func namedDocument(d *loaded, v *policy.View, i fhir.Ident) *row {
	var found *row
	for _, r := range d.rows {
		if r.typ != "DocumentReference" || r.deleted || !sharesIdentifier(r, []fhir.Ident{i}) || !v.Sees(r.ref()) {
			continue
		}
		if found == nil || r.facts.Status() == policy.Current {
			found = r
		}
	}
	return found
}

// generated answers ITI-106: where the document is, whether it was just stored or
// was there before.
func (c *call) generated(v *policy.View, now *row, receipt audit.Receipt) Answer {
	body := []byte(`{"resourceType":"Parameters","parameter":[{"name":"DocumentReference","valueReference":{"reference":`)
	body = append(append(body, fhir.Quote(now.ref())...), `}}]}`...)
	return c.clinical(http.StatusOK, own(body), receipt).in(v)
}
