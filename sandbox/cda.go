package sandbox

import (
	"bytes"
	_ "embed" // the template
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"
	"text/template"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

//go:embed templates/cda.xml.tmpl
var cdaTemplate string

// Code systems of types, as CDA names them.
const (
	oidLOINC = "2.16.840.1.113883.6.1"
	oidA05   = "1.2.250.1.213.1.1.4.12"
)

// cdaDocument is what the template reads. All texts are escaped there, by x.
type cdaDocument struct {
	Disclaimer, OID, SetOID, ReplacesOID, Title string
	Act, Written                                string
	Version                                     int
	Type                                        cdaCode
	Patient                                     cdaPatient
	Author                                      cdaAuthor
	Structure                                   cdaStructure
	Sections                                    []cdaSection
	PDF                                         string // base64; then there are no sections
}

type cdaCode struct{ Code, System, Name, Display string }

type cdaPatient struct {
	PatientTraits
	INS, INSRoot, Gender, GenderName, BirthTime string
}

type cdaAuthor struct {
	IDRoot, ID, Code, CodeName, Prefix, Given, Family, Software, StructureNumber, StructureName string
}

type cdaStructure struct{ Number, Name, City, Sector, SectorName string }

type cdaSection struct {
	OID, LOINC, Heading string
	Paragraphs          []string
	Tables              []cdaTable
	Observations        []cdaObservation
}

type cdaTable struct {
	Header []string
	Rows   [][]string
}

type cdaObservation struct{ OID, LOINC, Label, At, Value, Unit, Low, High string }

// renderCDA makes a CDA R2 document of a report (body of level 3), with the
// French header of CI-SIS. It is well-formed and reads well; it claims no profile
// of content.
func renderCDA(h heading, r report) ([]byte, error) {
	d := newCDA(h, r)
	for i, s := range r.sections {
		d.Sections = append(d.Sections, cdaSectionOf(h, i+1, s))
	}
	return d.write()
}

// renderCDAOfPDF makes a CDA R2 document of level 1 around a PDF (IHE XDS-SD).
func renderCDAOfPDF(h heading, r report) ([]byte, error) {
	data, err := renderPDF(h, r)
	if err != nil {
		return nil, err
	}
	d := newCDA(h, r)
	d.PDF = base64.StdEncoding.EncodeToString(data)
	return d.write()
}

func newCDA(h heading, r report) cdaDocument {
	d := cdaDocument{
		Disclaimer: disclaimer, OID: h.oid, SetOID: h.oid, ReplacesOID: h.replaces, Title: r.title,
		Act: cdaTime(h.act), Written: cdaTime(h.written), Version: h.version,
		Type:      cdaCode{h.typ.code, oidLOINC, "LOINC", h.typ.display},
		Patient:   cdaPatientOf(h.patient),
		Author:    cdaAuthorOf(h),
		Structure: cdaStructure{h.structure.number, h.structure.name, h.structure.city, h.structure.sector.code, h.structure.sector.display},
	}
	if h.typ.system == fhir.SystemDocumentType {
		d.Type.System, d.Type.Name = oidA05, "TRE_A05-TypeDocComplementaire"
	}
	if h.replaces != "" {
		d.SetOID = h.replaces
	}
	return d
}

func cdaPatientOf(p Persona) cdaPatient {
	c := cdaPatient{
		PatientTraits: *p.Patient, INS: p.ID.Value, INSRoot: strings.TrimPrefix(p.ID.System, "urn:oid:"),
		Gender: "F", GenderName: "Féminin", BirthTime: strings.ReplaceAll(p.Patient.BirthDate, "-", ""),
	}
	if p.Patient.Gender == "male" {
		c.Gender, c.GenderName = "M", "Masculin"
	}
	return c
}

func cdaAuthorOf(h heading) cdaAuthor {
	a := cdaAuthor{
		IDRoot: strings.TrimPrefix(h.author.ID.System, "urn:oid:"), ID: h.author.ID.Value,
		StructureNumber: h.structure.number, StructureName: h.structure.name,
	}
	if h.author.Kind != auth.Professional {
		a.Software = "Système d’information, " + h.structure.name
		return a
	}
	a.Prefix, a.Given, a.Family = h.author.Title, h.author.Given, h.author.Family
	specialty := specialtyOf(h.author)
	a.Code, a.CodeName = specialty.code, specialty.display
	return a
}

func cdaSectionOf(h heading, number int, s section) cdaSection {
	c := cdaSection{OID: fmt.Sprintf("%s.%d", h.oid, number), LOINC: s.loinc, Heading: s.heading, Paragraphs: s.paragraphs}
	for _, t := range s.allTables() {
		c.Tables = append(c.Tables, cdaTable{t.header, t.rows})
	}
	for i, r := range s.results {
		c.Observations = append(c.Observations, cdaObservation{
			OID: fmt.Sprintf("%s.%d", c.OID, i+1), LOINC: r.loinc, Label: r.label, At: cdaTime(h.act),
			Value: decimal(r.value), Unit: r.unit, Low: decimal(r.low), High: decimal(r.high),
		})
	}
	return c
}

func (d cdaDocument) write() ([]byte, error) {
	t, err := template.New("cda").Funcs(template.FuncMap{"x": escapeXML}).Parse(cdaTemplate)
	if err != nil {
		return nil, fmt.Errorf("sandbox: CDA template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("sandbox: CDA: %w", err)
	}
	return b.Bytes(), nil
}

// escapeXML escapes text for an element or an attribute.
func escapeXML(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// cdaTime writes an HL7 v3 time stamp.
func cdaTime(t time.Time) string { return t.In(fhir.Paris).Format("20060102150405-0700") }

// decimal turns a French decimal comma into a point.
func decimal(s string) string { return strings.ReplaceAll(s, ",", ".") }

// specialtyOf returns the specialty of an author in JDV_J01: profession and, for
// a physician, the skill.
func specialtyOf(p Persona) coded {
	const system = "urn:oid:1.2.250.1.213.1.1.4.5"
	names := map[string]string{
		"G15_10":      "Médecin",
		"G15_10/SM26": "Médecin - Qualifié en Médecine Générale (SM)",
		"G15_10/SM42": "Médecin - Psychiatrie (SM)",
		"G15_10/SM54": "Médecin - Médecine Générale (SM)",
		"G15_21":      "Pharmacien",
	}
	code := "G15_" + p.Profession.Code
	if !p.Skill.IsZero() {
		code += "/" + p.Skill.Code
	}
	return coded{system, code, names[code]}
}
