package sandbox

import (
	"fmt"
	"time"

	"opendmp/fhir"
)

// consentKind is the code of urn:opendmp:consent-kind.
type consentKind string

// Kinds of consent that the script uses (POLICY §6).
const (
	kindOpening       consentKind = "ouverture"
	kindAuthorisation consentKind = "autorisation"
	kindBlock         consentKind = "blocage"
	kindNoBreakGlass  consentKind = "opposition-bris-de-glace"
	kindNoCentre15    consentKind = "opposition-centre-15"
)

// consent is what a Consent of the script says.
type consent struct {
	kind    consentKind
	patient object // reference to the Patient
	at      time.Time
	by      structure // where it was recorded; zero if by the patient alone
	actor   object    // whom it is about; nil if nobody
	from    time.Time // of an authorisation: first and last day
	until   time.Time
}

// resource makes the Consent, of the shape that POLICY §6 gives its kind.
func (c consent) resource() object {
	recorded := obj("display", "Espace du patient")
	how := "Décision de la patiente ou du patient, par son espace"
	if c.by.number != "" {
		recorded = obj("identifier", identifier(c.by.ident()), "display", c.by.name)
		how = "Patient informé (brochure 2026-01), accord recueilli par case cochée"
	}
	return obj(
		"resourceType", "Consent",
		"meta", profile(pcfBasic),
		"status", "active",
		"scope", concept(coded{"http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy", ""}),
		"category", list(obj("coding", list(
			coded{fhir.SystemLOINC, "59284-0", ""}.coding(),
			coded{"urn:opendmp:consent-kind", string(c.kind), ""}.coding(),
		))),
		"patient", c.patient,
		"dateTime", instant(c.at),
		"performer", list(c.patient),
		"organization", list(recorded),
		"sourceAttachment", obj("title", how),
		"policy", list(obj("uri", "urn:opendmp:politique:"+string(c.kind))),
		"provision", c.provision(),
	)
}

func (c consent) provision() object {
	reason := func(code string) []object {
		return list(coded{"http://terminology.hl7.org/CodeSystem/v3-ActReason", code, ""}.coding())
	}
	decision, purpose, period := "deny", []object(nil), object(nil)
	switch c.kind {
	case kindOpening:
		decision = "permit"
	case kindAuthorisation:
		decision, purpose = "permit", reason("TREAT")
		period = obj("start", day(c.from), "end", day(c.until))
	case kindNoBreakGlass:
		purpose = reason("BTG")
	case kindNoCentre15:
		purpose = reason("ETREAT")
	}
	var actor []object
	if len(c.actor) > 0 {
		role := concept(coded{"http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", ""})
		actor = list(obj("role", role, "reference", c.actor))
	}
	return obj("type", decision, "period", period, "actor", actor, "purpose", purpose)
}

// opening is the bundle that opens a dossier.
type opening struct {
	patient        Persona
	by             structure
	at             time.Time
	consents       []consent // besides the one of opening
	representative *Persona  // recorded with the dossier of a minor
}

// bundle makes the transaction; next gives new UUIDs.
func (o opening) bundle(next func() string) object {
	patientURL := "urn:uuid:" + next()
	entries := []object{obj(
		"fullUrl", patientURL,
		"resource", patientResource(o.patient),
		"request", obj("method", "POST", "url", "Patient",
			"ifNoneExist", "identifier="+o.patient.ID.System+"|"+o.patient.ID.Value),
	)}
	add := func(typ string, resource object) {
		entries = append(entries, obj("fullUrl", "urn:uuid:"+next(), "resource", resource,
			"request", obj("method", "POST", "url", typ)))
	}
	for _, c := range append([]consent{{kind: kindOpening}}, o.consents...) {
		c.patient, c.at, c.by = reference(patientURL), o.at, o.by
		add("Consent", c.resource())
	}
	if o.representative != nil {
		add("RelatedPerson", relatedPerson(*o.representative, reference(patientURL)))
	}
	return obj("resourceType", "Bundle", "type", "transaction", "entry", entries)
}

// patientResource is a Patient with a verified identity (fr-core-patient-ins).
func patientResource(p Persona) object {
	t := p.Patient
	reliability := obj(
		"url", frCore+"fr-core-identity-reliability",
		"extension", list(obj("url", "identityStatus", "valueCoding",
			coded{"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445", "VALI", ""}.coding())),
	)
	birthPlace := obj(
		"url", "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
		"valueAddress", obj(
			"extension", list(obj("url", frCore+"fr-core-address-insee-code", "valueCoding",
				coded{"https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM", t.BirthPlaceCode, ""}.coding())),
			"city", t.BirthPlace,
		),
	)
	allGiven := obj("url", frCore+"fr-core-patient-birth-list-given-name", "valueString", t.AllGiven)
	return obj(
		"resourceType", "Patient",
		"meta", profile(frCore+"fr-core-patient-ins"),
		"extension", list(reliability, birthPlace),
		"identifier", list(obj(
			"use", "official",
			"type", concept(coded{systemIdentifierType, insType(p.ID), ""}),
			"system", p.ID.System, "value", p.ID.Value,
		)),
		"active", true,
		"name", list(
			obj("extension", list(allGiven), "use", "official", "family", t.BirthName, "given", []string{t.Given}),
			obj("use", "usual", "family", t.UsualName, "given", []string{t.Given}),
		),
		"telecom", list(
			obj("system", "phone", "value", t.Phone, "use", "mobile"),
			obj("system", "email", "value", t.Email),
		),
		"gender", t.Gender,
		"birthDate", t.BirthDate,
	)
}

func insType(i fhir.Ident) string {
	if i.System == fhir.SystemINSTest {
		return "INS-NIR-TEST"
	}
	return "INS-NIR"
}

func relatedPerson(p Persona, patient object) object {
	return obj(
		"resourceType", "RelatedPerson",
		"identifier", list(identifier(p.ID)),
		"active", true,
		"patient", patient,
		"relationship", list(concept(coded{"http://terminology.hl7.org/CodeSystem/v3-RoleCode", "MTH", "mother"})),
		"name", list(obj("use", "usual", "family", p.Family, "given", []string{p.Given})),
	)
}

// practitionerActor is a professional as the actor of a consent.
func practitionerActor(p Persona) object { return logical("Practitioner", p.ID, p.Name()) }

func structureActor(s structure) object { return logical("Organization", s.ident(), s.name) }

// patchOperation is one operation of a JSON Patch (RFC 6902).
func patchOperation(op, path string, value any) object {
	return obj("op", op, "path", path, "value", value)
}

// closing are the operations that close a dossier at the patient's request.
func closing(at time.Time, reason string) []object {
	motive := concept(coded{"https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture", "patient-demande", ""})
	return list(
		patchOperation("replace", "/active", false),
		patchOperation("add", "/extension/-", obj("url", extClosing, "extension", list(
			obj("url", "dateFermeture", "valueDate", day(at)),
			obj("url", "motifFermeture", "valueCodeableConcept", motive),
			obj("url", "raisonFermeture", "valueString", reason),
		))),
	)
}

// mustEncode encodes what this package made itself; a failure is a slip of its
// code, never of input.
func mustEncode(v any) []byte {
	data, err := encode(v)
	if err != nil {
		panic(fmt.Sprintf("sandbox: %v", err))
	}
	return data
}
