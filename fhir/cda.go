package fhir

import "strings"

// DocumentHeader is what a document says of itself: the header of a CDA R2, or the
// Composition of a FHIR document. What a document does not say is empty. Codes and
// identifiers are in canonical form; object identifiers are written as URIs,
// "urn:oid:1.2.3".
type DocumentHeader struct {
	// ID is the identifier of the document: an OID as a URI of urn:ietf:rfc:3986,
	// or the value under its root where it has an extension.
	ID Ident
	// Type, Confidentiality, Facility and Setting are codes of the document.
	Type, Confidentiality, Facility, Setting Code
	Title                                    string
	// Language is that of the document, "fr-FR".
	Language string
	// Written is effectiveTime; From and To are the time of the act that the
	// document is about (documentationOf). All are FHIR dateTimes.
	Written, From, To string
	Patient           HeaderPatient
	// Authors in their order; a device counts with the structure that it acts for.
	Authors []HeaderParty
	// Custodian and Signer are who keeps the document and who answers for it.
	Custodian, Signer HeaderParty
	Related           []HeaderRelation
}

// Code is a code, its system and how it reads.
type Code struct{ System, Code, Display string }

// IsZero tells whether there is no code.
func (c Code) IsZero() bool { return c == Code{} }

// HeaderPatient is the patient in the header (recordTarget).
type HeaderPatient struct {
	// Idents are all identifiers of the patient, those of the INS among them.
	Idents []Ident
	// Family names and given names as they are written; BirthDate is a FHIR date,
	// and Gender a code of R4 administrative-gender, "" for codes that have none.
	Families, Givens  []string
	BirthDate, Gender string
}

// INS returns the identifiers that are of a domain of the INS.
func (p HeaderPatient) INS() []Ident {
	var out []Ident
	for _, i := range p.Idents {
		switch i.System {
		case SystemINSNIR, SystemINSNIA, SystemINSTest, SystemINSDemo:
			out = append(out, i)
		}
	}
	return out
}

// HeaderParty is an author, a signatory or a custodian: a person, their structure,
// or both.
type HeaderParty struct {
	Idents        []Ident // of the person or device
	Role          Code
	Family, Given string
	Structures    []Ident
	Structure     string // its name
}

// HeaderRelation is a document that this one replaces (RPLC), completes (APND) or is
// made from (XFRM).
type HeaderRelation struct {
	Code   string
	Target Ident
}

// ReadCDA reads a CDA R2 document: root ClinicalDocument in urn:hl7-org:v3. The
// whole text must be well-formed XML in UTF-8, without document type declaration
// and without entities of its own, and within the bounds of XML; processing
// instructions, which name style sheets, are passed over. Nothing is fetched and
// nothing expanded. Of the body only embedded contents are looked at: each must be
// one of those of RecogniseContent and of the type that it announces.
//
// The error is an *Invalid.
func ReadCDA(data []byte) (*DocumentHeader, error) {
	s, err := newXMLScanner(data)
	if err != nil {
		return nil, notCDA(err)
	}
	s.document = true
	r := cdaReader{s: s}
	if err := r.read(); err != nil {
		return nil, notCDA(err)
	}
	return &r.cda, nil
}

// notCDA says of an error of XML that it is one of a CDA.
func notCDA(err error) error {
	bad, ok := err.(*Invalid)
	if !ok || bad.Issues[0].Diagnostics == "" {
		return err
	}
	out := invalid("structure", "", "Le document n’est pas un CDA lisible.", "The document is not a readable CDA.")
	out.Issues[0].Diagnostics = bad.Issues[0].Diagnostics
	return out
}

// cdaIdent makes an identifier of root and extension. A document whose identifier
// is a bare OID is a URI; that of a person, a structure or a patient is a value
// under its OID.
func cdaIdent(root, extension string) Ident {
	switch {
	case root == "":
		return Ident{}
	case extension == "":
		return Ident{System: "urn:ietf:rfc:3986", Value: urnOf(root)}
	}
	return CanonicalIdent(Ident{System: urnOf(root), Value: extension})
}

// urnOf writes the root of an identifier of HL7 v3, an OID or a UUID, as a URN.
func urnOf(root string) string {
	if strings.Count(root, "-") == 4 {
		return "urn:uuid:" + strings.ToLower(root)
	}
	return "urn:oid:" + root
}

// cdaCode makes a code of a CDA one.
func cdaCode(system, code, display string) Code {
	if code == "" {
		return Code{}
	}
	if system != "" {
		system = urnOf(system)
	}
	system, code = CanonicalCoding(system, code)
	return Code{system, code, display}
}

// cdaTime turns a time stamp of HL7 v3, "20240305103000+0100", into a FHIR
// dateTime; "" if it is none. A time of day without offset loses it: FHIR wants
// both.
func cdaTime(s string) string {
	offset := ""
	if i := strings.IndexAny(s, "+-"); i >= 0 {
		s, offset = s[:i], s[i:]
	}
	s, _, _ = strings.Cut(s, ".")
	if len(s) > 14 || !digits(s) || offset != "" && (len(offset) != 5 || !digits(offset[1:])) {
		return ""
	}
	at := ""
	switch {
	case len(s) >= 12 && offset != "":
		seconds := "00"
		if len(s) == 14 {
			seconds = s[12:]
		}
		at = s[:4] + "-" + s[4:6] + "-" + s[6:8] + "T" + s[8:10] + ":" + s[10:12] + ":" + seconds + offset[:3] + ":" + offset[3:]
	case len(s) >= 8:
		at = s[:4] + "-" + s[4:6] + "-" + s[6:8]
	case len(s) == 6:
		at = s[:4] + "-" + s[4:]
	case len(s) == 4:
		at = s
	}
	if _, ok := ParseInterval(at); !ok {
		return ""
	}
	return at
}
