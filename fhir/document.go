package fhir

import "strings"

// ReadFHIRDocument returns what a Bundle of type document says of itself, by its
// identifier and its Composition (R4 §3.3). Persons and structures are found among
// the entries of the Bundle, by fullUrl or by type and id.
//
// The error is an *Invalid: the Bundle is no document, or has no Composition first.
func ReadFHIRDocument(b *Resource) (*DocumentHeader, error) {
	if b.Type() != "Bundle" || !b.Get("type").Is("document") {
		return nil, invalid("value", "Bundle.type", "Le Bundle n’est pas un document.", "The Bundle is not a document.")
	}
	d := fhirDocument{bundle: b}
	composition := b.At("entry", "resource")
	if !composition.Get("resourceType").Is("Composition") {
		return nil, invalid("structure", "Bundle.entry[0]", "La première entrée d’un document est une Composition.", "The first entry of a document is a Composition.")
	}
	h := &DocumentHeader{
		ID:       identAt(b.Get("identifier")),
		Type:     codeAt(composition.Get("type")),
		Title:    composition.Get("title").Text(),
		Language: composition.Get("language").Text(),
		Written:  composition.Get("date").Text(),
		From:     composition.At("event", "period", "start").Text(),
		To:       composition.At("event", "period", "end").Text(),
		Patient:  patientAt(d.resolve(composition.Get("subject"))),
	}
	if code := composition.Get("confidentiality").Text(); code != "" {
		h.Confidentiality = Code{System: SystemConfidentiality, Code: code}
	}
	for a := range composition.Get("author").Items() {
		h.Authors = append(h.Authors, d.party(a))
	}
	h.Custodian = d.party(composition.Get("custodian"))
	for a := range composition.Get("attester").Items() {
		if a.Get("mode").Is("legal") {
			h.Signer = d.party(a.Get("party"))
		}
	}
	for r := range composition.Get("relatesTo").Items() {
		if target := identAt(r.Get("targetIdentifier")); r.Get("code").Is("replaces") && !target.IsZero() {
			h.Related = append(h.Related, HeaderRelation{Code: "RPLC", Target: target})
		}
	}
	return h, nil
}

// fhirDocument finds the entries of a document.
type fhirDocument struct{ bundle *Resource }

// resolve returns the entry that a reference names, absent if none is.
func (d fhirDocument) resolve(reference Node) Node {
	ref := reference.Get("reference").Text()
	if ref == "" {
		return Node{}
	}
	for e := range d.bundle.Get("entry").Items() {
		r := e.Get("resource")
		if e.Get("fullUrl").Is(ref) || ref == r.Get("resourceType").Text()+"/"+r.Get("id").Text() {
			return r
		}
	}
	return Node{}
}

// party reads who a reference names: from the entry, or from the reference itself
// where it is logical.
func (d fhirDocument) party(reference Node) HeaderParty {
	var p HeaderParty
	r := d.resolve(reference)
	kind := r.Get("resourceType").Text()
	if kind == "" {
		kind = reference.Get("type").Text()
		p.note(kind, identAt(reference.Get("identifier")))
	}
	for i := range r.Get("identifier").Items() {
		p.note(kind, identAt(i))
	}
	switch kind {
	case "Organization":
		p.Structure = r.Get("name").Text()
	case "PractitionerRole":
		p.Role = codeAt(r.Get("code"))
		inner, organization := d.party(r.Get("practitioner")), d.party(r.Get("organization"))
		p.Family, p.Given = inner.Family, inner.Given
		p.Idents = append(p.Idents, inner.Idents...)
		p.Structures, p.Structure = organization.Structures, organization.Structure
	default:
		p.Family, p.Given = r.At("name", "family").Text(), r.At("name", "given").Text()
	}
	return p
}

// note keeps an identifier of a party by the type of what has it.
func (p *HeaderParty) note(kind string, i Ident) {
	switch {
	case i.IsZero():
	case kind == "Organization":
		p.Structures = append(p.Structures, i)
	default:
		p.Idents = append(p.Idents, i)
	}
}

func patientAt(r Node) HeaderPatient {
	p := HeaderPatient{BirthDate: r.Get("birthDate").Text(), Gender: r.Get("gender").Text()}
	for i := range r.Get("identifier").Items() {
		p.Idents = append(p.Idents, identAt(i))
	}
	for f := range r.All("name", "family") {
		p.Families = append(p.Families, f.Text())
	}
	for g := range r.At("name").All("given") {
		p.Givens = append(p.Givens, g.Text())
	}
	return p
}

func identAt(n Node) Ident {
	return CanonicalIdent(Ident{System: n.Get("system").Text(), Value: n.Get("value").Text()})
}

// codeAt is the first coding of a concept, or of the first of several.
func codeAt(concept Node) Code {
	c := concept.At("coding")
	system, code := CanonicalCoding(c.Get("system").Text(), c.Get("code").Text())
	return Code{system, code, strings.TrimSpace(c.Get("display").Text())}
}
