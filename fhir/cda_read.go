package fhir

import (
	"bytes"
	"encoding/base64"
	"strings"
)

const cdaNamespace = "urn:hl7-org:v3"

// maxCDAList bounds what a header repeats: authors, identifiers, names.
const maxCDAList = 64

// cdaReader reads the header while the scanner goes through the document. It
// holds the path to the element at hand, below the root, and the text of that
// element where it is wanted.
type cdaReader struct {
	s    *xmlScanner
	cda  DocumentHeader
	path []byte // "/recordTarget/patientRole/id"
	ends []int  // how long the path was before each open element

	text   []byte // of the element at hand
	keep   bool   // its text is wanted
	inside string // the mediaType of an embedded content, "" outside of one
	depth  int    // of the element that holds it
	root   bool   // the root was read
}

func (r *cdaReader) read() error {
	for {
		token, err := r.s.next()
		if err != nil {
			return err
		}
		switch token {
		case xmlEOF:
			return nil
		case xmlStart:
			err = r.start()
		case xmlText:
			if r.keep {
				r.text = appendCDAText(r.text, r.s.raw[r.s.start:r.s.at])
			}
		case xmlEnd:
			err = r.end()
		}
		if err != nil {
			return err
		}
	}
}

// appendCDAText appends a run of text, or a CDATA section.
func appendCDAText(b, raw []byte) []byte {
	if plain, ok := bytes.CutPrefix(raw, []byte(cdataStart)); ok {
		return append(b, bytes.TrimSuffix(plain, []byte(cdataEnd))...)
	}
	return appendXMLValue(b, raw)
}

func (r *cdaReader) start() error {
	tag := &r.s.tag
	v3 := string(tag.space) == cdaNamespace
	if !r.root {
		if !v3 || string(tag.local) != "ClinicalDocument" {
			return xmlSyntax(r.s.start, "the root is not ClinicalDocument of "+cdaNamespace)
		}
		r.root = true
		r.ends = append(r.ends, 0)
		return nil
	}
	r.ends = append(r.ends, len(r.path))
	r.path = append(r.path, '/')
	if !v3 {
		r.path = append(r.path, '!') // no element of ours, whatever its name
	}
	r.path = append(r.path, tag.local...)
	if r.inside != "" || !v3 {
		return nil
	}
	r.text, r.keep = r.text[:0], false
	if r.attr("representation") == "B64" && r.attr("mediaType") != "" {
		r.inside, r.keep, r.depth = r.attr("mediaType"), true, len(r.ends)
		return nil
	}
	return r.element(string(r.path))
}

func (r *cdaReader) end() error {
	last := len(r.ends) - 1
	path := r.path
	r.path, r.ends = r.path[:r.ends[last]], r.ends[:last]
	if !r.keep || r.inside != "" && r.depth != last+1 {
		return nil
	}
	r.keep = false
	if r.inside != "" {
		mime := r.inside
		r.inside = ""
		return embedded(mime, r.text)
	}
	r.value(string(path), strings.Join(strings.Fields(string(r.text)), " "))
	return nil
}

// attr returns an attribute of the tag at hand, "" if there is none.
func (r *cdaReader) attr(name string) string {
	for _, a := range r.s.tag.attrs {
		if a.prefix == nil && string(a.local) == name {
			return strings.TrimSpace(string(appendXMLValue(nil, a.raw)))
		}
	}
	return ""
}

func (r *cdaReader) ident() Ident { return cdaIdent(r.attr("root"), r.attr("extension")) }

func (r *cdaReader) code() Code {
	return cdaCode(r.attr("codeSystem"), r.attr("code"), r.attr("displayName"))
}

// embedded checks a content inside the document.
func embedded(mime string, text []byte) error {
	plain, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(text), nil)))
	if err != nil {
		return invalid("value", "", "Un contenu inclus dans le CDA n’est pas en base64.", "A content inside the CDA is not base64.")
	}
	kind, _, err := RecogniseContent(plain)
	if err != nil {
		return err
	}
	if !kind.Fits(mime) {
		return invalid("value", "", "Un contenu inclus dans le CDA n’est pas du type qu’il annonce.", "A content inside the CDA is not of the type that it announces.")
	}
	return nil
}

// add appends to a list of the header, which is bounded.
func add[T any](list *[]T, item T) error {
	if len(*list) == maxCDAList {
		return invalid("too-long", "", "L’en-tête du CDA répète trop d’éléments.", "The header of the CDA repeats too many elements.")
	}
	*list = append(*list, item)
	return nil
}

// addIdent is add for an identifier, unless it has only a null flavour.
func addIdent(list *[]Ident, i Ident) error {
	if i.IsZero() {
		return nil
	}
	return add(list, i)
}

// element reads an element of the header by its path.
func (r *cdaReader) element(path string) error {
	c := &r.cda
	first, rest, _ := strings.Cut(path[1:], "/")
	switch first {
	case "author":
		return r.author(rest)
	case "recordTarget":
		return r.patient(rest)
	case "legalAuthenticator":
		if entity, ok := strings.CutPrefix(rest, "assignedEntity/"); ok {
			return r.party(&c.Signer, entity, "representedOrganization/")
		}
	case "custodian":
		if organization, ok := strings.CutPrefix(rest, "assignedCustodian/"); ok {
			return r.party(&c.Custodian, organization, "representedCustodianOrganization/")
		}
	case "relatedDocument":
		return r.related(rest)
	}
	switch path {
	case "/id":
		c.ID = r.ident()
	case "/code":
		c.Type = r.code()
	case "/confidentialityCode":
		c.Confidentiality = r.code()
	case "/effectiveTime":
		c.Written = cdaTime(r.attr("value"))
	case "/languageCode":
		c.Language = r.attr("code")
	case "/title":
		r.keep = true
	case "/documentationOf/serviceEvent/effectiveTime/low":
		setOnce(&c.From, cdaTime(r.attr("value")))
	case "/documentationOf/serviceEvent/effectiveTime/high":
		setOnce(&c.To, cdaTime(r.attr("value")))
	case "/componentOf/encompassingEncounter/location/healthCareFacility/code":
		c.Facility = r.code()
	case "/documentationOf/serviceEvent/performer/assignedEntity/representedOrganization/standardIndustryClassCode":
		if c.Setting.IsZero() {
			c.Setting = r.code()
		}
	}
	return nil
}

func setOnce(to *string, value string) {
	if *to == "" {
		*to = value
	}
}

func (r *cdaReader) author(rest string) error {
	authors := &r.cda.Authors
	if rest == "" {
		return add(authors, HeaderParty{})
	}
	inner, ok := strings.CutPrefix(rest, "assignedAuthor/")
	if !ok || len(*authors) == 0 {
		return nil
	}
	return r.party(&(*authors)[len(*authors)-1], inner, "representedOrganization/")
}

// party reads an element below a role; organization is where that of its
// structure begins.
func (r *cdaReader) party(p *HeaderParty, path, organization string) error {
	if inner, ok := strings.CutPrefix(path, organization); ok {
		switch inner {
		case "id":
			return addIdent(&p.Structures, r.ident())
		case "name":
			r.keep = true
		}
		return nil
	}
	switch path {
	case "id":
		return addIdent(&p.Idents, r.ident())
	case "code":
		p.Role = r.code()
	case "assignedPerson/name/family", "assignedPerson/name/given":
		r.keep = true
	}
	return nil
}

func (r *cdaReader) patient(rest string) error {
	p := &r.cda.Patient
	switch rest {
	case "patientRole/id":
		return addIdent(&p.Idents, r.ident())
	case "patientRole/patient/name/family", "patientRole/patient/name/given":
		r.keep = true
	case "patientRole/patient/birthTime":
		p.BirthDate, _, _ = strings.Cut(cdaTime(r.attr("value")), "T")
	case "patientRole/patient/administrativeGenderCode":
		p.Gender = map[string]string{"F": "female", "M": "male"}[r.attr("code")]
	}
	return nil
}

func (r *cdaReader) related(rest string) error {
	related := &r.cda.Related
	switch rest {
	case "":
		return add(related, HeaderRelation{Code: r.attr("typeCode")})
	case "parentDocument/id":
		if last := len(*related) - 1; last >= 0 && (*related)[last].Target.IsZero() {
			(*related)[last].Target = r.ident()
		}
	}
	return nil
}

// value keeps the text of an element that was wanted.
func (r *cdaReader) value(path, text string) {
	c := &r.cda
	if text == "" {
		return
	}
	switch path {
	case "/title":
		c.Title = text
	case "/recordTarget/patientRole/patient/name/family":
		_ = add(&c.Patient.Families, text) // more of them than the bound say nothing more
	case "/recordTarget/patientRole/patient/name/given":
		_ = add(&c.Patient.Givens, text)
	case "/custodian/assignedCustodian/representedCustodianOrganization/name":
		c.Custodian.Structure = text
	default:
		entity, inAuthor := strings.CutPrefix(path, "/author/assignedAuthor/")
		if inAuthor && len(c.Authors) > 0 {
			c.Authors[len(c.Authors)-1].name(entity, text)
		} else if entity, ok := strings.CutPrefix(path, "/legalAuthenticator/assignedEntity/"); ok {
			c.Signer.name(entity, text)
		}
	}
}

// name keeps a name of a person or a structure; the first one counts.
func (p *HeaderParty) name(path, text string) {
	switch path {
	case "assignedPerson/name/family":
		setOnce(&p.Family, text)
	case "assignedPerson/name/given":
		setOnce(&p.Given, text)
	case "representedOrganization/name":
		setOnce(&p.Structure, text)
	}
}
