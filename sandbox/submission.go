package sandbox

import (
	"crypto/sha1" // DocumentReference.attachment.hash is SHA-1 in FHIR R4, an identification and no protection
	"encoding/base64"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// form is how a report is laid out.
type form uint8

const (
	formPDF      form = iota
	formCDA           // level 3
	formCDAOfPDF      // level 1
	formBytes         // given as they are
)

const systemIHEFormat = "https://mos.esante.gouv.fr/NOS/TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode"

// mime and format of the metadata.
func (f form) mime() string {
	if f == formPDF {
		return "application/pdf"
	}
	return "application/xml"
}

func (f form) format() coded {
	switch f {
	case formCDA:
		return coded{"https://mos.esante.gouv.fr/NOS/TRE_A06-FormatCodeComplementaire/FHIR/TRE-A06-FormatCodeComplementaire",
			"urn:asipSante:modelesHorsProfils:2011", "Document non référencé IHE ou CI-SIS"}
	case formCDAOfPDF:
		return coded{systemIHEFormat, "urn:ihe:iti:xds-sd:pdf:2008", "Document à corps non structuré en Pdf/A-1"}
	}
	return coded{"http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
		"urn:ihe:iti:xds:2017:mimeTypeSufficient", "mimeType Sufficient"}
}

// document is one document of the script, before it is pushed.
type document struct {
	key     string
	patient string // key of the persona
	// subjectOf is the patient where they are none of the cast; zero otherwise.
	subjectOf Persona
	author    string
	typ       coded
	class     coded
	form      form
	flag      string    // of TRE_A07, "" if none
	act       time.Time // when what it tells was done
	report    report
	// replaces is the key of the document that this one replaces, "" if none.
	replaces string
	// published says that metadata and content are those of the published example.
	published bool
}

// submission is a document at the moment of its push.
type submission struct {
	document
	at        time.Time
	oid       string // unique identifier
	listOID   string
	listUUID  string
	sourceOID string
	oldOID    string // unique identifier of what it replaces
	urls      [3]string
	content   []byte
}

// bundle makes the ITI-65 transaction: submission set, document, patch of the
// replaced one, content. Patients are named by a conditional reference, as a
// client does that knows no id.
func (s submission) bundle() object {
	entry := func(url string, resource any, method, target string) object {
		return obj("fullUrl", url, "resource", resource, "request", obj("method", method, "url", target))
	}
	var reference any = s.reference()
	if s.published {
		reference = publishedReference(s.urls[2])
	}
	entries := list(
		entry(s.urls[0], s.list(), "POST", "List"),
		entry(s.urls[1], reference, "POST", "DocumentReference"),
	)
	if s.replaces != "" {
		entries = append(entries, obj("resource", supersede(),
			"request", obj("method", "PATCH", "url", "DocumentReference/"+placeholder(s.replaces))))
	}
	entries = append(entries, entry(s.urls[2], obj(
		"resourceType", "Binary", "contentType", s.form.mime(), "data", base64.StdEncoding.EncodeToString(s.content),
	), "POST", "Binary"))
	return obj("resourceType", "Bundle",
		"meta", profile(pdsm+"pdsm-comprehensive-provide-document-bundle"),
		"type", "transaction", "entry", entries)
}

// supersede is the patch that MHD asks for beside relatesTo.
func supersede() object {
	part := func(name, kind, value string) object { return obj("name", name, kind, value) }
	return obj("resourceType", "Parameters", "parameter", list(obj("name", "operation", "part", list(
		part("type", "valueCode", "replace"),
		part("path", "valueString", "DocumentReference.status"),
		part("value", "valueCode", "superseded"),
	))))
}

func (s submission) subject() object {
	id := s.patientPersona().ID
	return reference("Patient?identifier=" + id.System + "|" + id.Value)
}

// list is the submission set (pdsm-submissionset-comprehensive).
func (s submission) list() object {
	a := s.contained()
	source := reference("#patient-source")
	if a.author != nil {
		// A submission set names its patient by its subject alone: nothing would refer
		// to a contained one (dom-3).
		a.patient = nil
		source = obj("extension", list(obj("url", mhd+"ihe-authorOrg", "valueReference", reference("#structure"))), "reference", "#auteur")
	}
	return obj(
		"resourceType", "List",
		"meta", profile(pdsm+"pdsm-submissionset-comprehensive"),
		"contained", a.all(),
		"extension", list(
			obj("url", mhd+"ihe-designationType", "valueCodeableConcept", concept(s.facility())),
			obj("url", mhd+"ihe-sourceId", "valueIdentifier", obj("system", systemURI, "value", "urn:oid:"+s.sourceOID)),
		),
		"identifier", list(
			obj("use", "usual", "system", systemURI, "value", "urn:oid:"+s.listOID),
			obj("use", "official", "system", systemURI, "value", "urn:uuid:"+s.listUUID),
		),
		"status", "current",
		"mode", "working",
		"title", s.report.title,
		"code", concept(coded{"https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes", "submissionset", ""}),
		"subject", s.subject(),
		"date", instant(s.at),
		"source", source,
		"entry", list(obj("item", reference(s.urls[1]))),
	)
}

// reference makes the DocumentReference (pdsm-comprehensive-document-reference).
func (s submission) reference() object {
	a := s.contained()
	author, authenticator, custodian := reference("#auteur"), reference("#auteur"), reference("#structure")
	switch {
	case a.author == nil:
		author, authenticator, custodian = reference("#patient-source"), nil, obj("display", "Espace du patient")
	case s.authorPersona().Kind != auth.Professional:
		authenticator = reference("#structure")
	}
	var relates []object
	if s.replaces != "" {
		relates = list(obj("code", "replaces", "target", reference("DocumentReference/"+placeholder(s.replaces))))
	}
	hash := sha1.Sum(s.content)
	return obj(
		"resourceType", "DocumentReference",
		"meta", profile(pdsm+"pdsm-comprehensive-document-reference"),
		"contained", a.all(),
		"masterIdentifier", obj("use", "usual", "system", systemURI, "value", "urn:oid:"+s.oid),
		"status", "current",
		"type", concept(s.typ),
		"category", list(concept(s.class)),
		"subject", s.subject(),
		"date", instant(s.at),
		"author", list(author),
		"authenticator", authenticator,
		"custodian", custodian,
		"relatesTo", relates,
		"securityLabel", s.labels(),
		"content", list(obj(
			"attachment", obj(
				"contentType", s.form.mime(),
				"language", "fr-FR",
				"url", s.urls[2],
				"size", len(s.content),
				"hash", base64.StdEncoding.EncodeToString(hash[:]),
				"title", s.report.title,
				"creation", instant(s.at),
			),
			"format", s.form.format().coding(),
		)),
		"context", obj(
			"period", obj("start", instant(s.act)),
			"facilityType", concept(s.facility()),
			"practiceSetting", concept(s.setting()),
			"sourcePatientInfo", reference("#patient-source"),
		),
	)
}

func (s submission) labels() []object {
	labels := list(concept(coded{fhir.SystemConfidentiality, "N", "normal"}))
	if s.flag != "" {
		labels = append(labels, concept(coded{fhir.SystemVisibility, s.flag, flagName(s.flag)}))
	}
	return labels
}

func flagName(flag string) string {
	switch flag {
	case flagMasked:
		return "Masqué aux professionnels de santé"
	case flagHidden:
		return "Non visible par le patient"
	}
	return "Non visible par les représentants légaux du patient"
}

// Visibility flags of TRE_A07.
const (
	flagMasked    = "MASQUE_PS"
	flagHidden    = "INVISIBLE_PATIENT"
	flagGuardians = "INVISIBLE_REPRESENTANTS_LEGAUX"
)

func (s submission) authorPersona() Persona { return persona(s.author) }

func (s submission) authorStructure() structure { return structureOf(s.authorPersona().Structure) }

func (s submission) facility() coded {
	if s.authorPersona().Kind == auth.Patient {
		return fromPatient()
	}
	return s.authorStructure().sector
}

func (s submission) setting() coded {
	if s.authorPersona().Kind == auth.Patient {
		return fromPatient()
	}
	return s.authorStructure().setting
}

// parties are the contained resources that say who a document is from and about.
type parties struct {
	patient, person, author, organization object
}

func (p parties) all() []object { return list(p.patient, p.person, p.author, p.organization) }

// patientPersona is the patient, with an identifier alone where they are none of
// the cast.
func (s submission) patientPersona() Persona {
	if s.subjectOf.Kind == auth.Patient {
		return s.subjectOf
	}
	return persona(s.patient)
}

// sourcePatient is the patient as the source knows them.
func (s submission) sourcePatient() object {
	patient := s.patientPersona()
	known := list(obj("use", "official", "type", concept(coded{systemIdentifierType, insType(patient.ID), ""}),
		"system", patient.ID.System, "value", patient.ID.Value))
	t := patient.Patient
	if t == nil {
		return obj("resourceType", "Patient", "id", "patient-source", "identifier", known)
	}
	return obj(
		"resourceType", "Patient", "id", "patient-source", "identifier", known,
		"name", list(obj("use", "official", "family", t.BirthName, "given", []string{t.Given})),
		"gender", t.Gender, "birthDate", t.BirthDate,
	)
}

func (s submission) contained() parties {
	p := parties{patient: s.sourcePatient()}
	a := s.authorPersona()
	if a.Kind == auth.Patient {
		return p
	}
	st := s.authorStructure()
	p.organization = obj(
		"resourceType", "Organization", "id", "structure",
		"identifier", list(obj("use", "official", "type", concept(coded{systemIdentifierType, "IDNST", ""}), "system", st.ident().System, "value", st.number)),
		"type", list(concept(st.sector)),
		"name", st.name,
	)
	if a.Kind != auth.Professional {
		p.author = device(a, st)
		return p
	}
	p.person = obj(
		"resourceType", "Practitioner", "id", "professionnel",
		"identifier", list(obj("use", "official", "type", concept(coded{systemIdentifierType, "IDNPS", ""}), "system", a.ID.System, "value", a.ID.Value)),
		"name", list(obj("family", a.Family, "given", []string{a.Given}, "prefix", prefix(a))),
	)
	p.author = obj(
		"resourceType", "PractitionerRole", "id", "auteur",
		"practitioner", reference("#professionnel"),
		"organization", reference("#structure"),
		"code", list(concept(coded{a.Profession.System, a.Profession.Code, ""})),
		"specialty", list(concept(specialtyOf(a))),
	)
	return p
}

func prefix(p Persona) any {
	if p.Title == "" {
		return nil
	}
	return []string{p.Title}
}

// device is the system that writes for an establishment or the health insurance.
func device(a Persona, st structure) object {
	kind := coded{systemProducer, "AUTOMATE", "Automate"}
	if a.Kind == auth.InsuranceFeeder {
		kind = coded{systemProducer, "ALIM_AM", "Alimentation automatique à partir du Système d'Information de l'Assurance Maladie"}
	}
	return obj(
		"resourceType", "Device", "id", "auteur",
		"deviceName", list(obj("name", "Système d’information, "+st.name, "type", "user-friendly-name")),
		"type", concept(kind),
		"owner", reference("#structure"),
	)
}

// persona returns one of the cast by its key, which the script spells right: a
// test holds every key against the cast.
func persona(key string) Persona {
	p, _ := Lookup(key)
	return p
}
