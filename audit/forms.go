package audit

import (
	"strings"
	"unicode"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"
)

// Code systems and profiles of AuditEvent.
const (
	dicom           = "http://dicom.nema.org/resources/ontology/DCM"
	eventType       = "http://terminology.hl7.org/CodeSystem/audit-event-type"
	restInteraction = "http://hl7.org/fhir/restful-interaction"
	iheEvent        = "urn:ihe:event-type-code"
	participation   = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	roleClass       = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
	actReason       = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
	custodian       = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
	securityRole    = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
	sourceType      = "http://terminology.hl7.org/CodeSystem/security-source-type"
	entityType      = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	objectRole      = "http://terminology.hl7.org/CodeSystem/object-role"
	resourceTypes   = "http://hl7.org/fhir/resource-types"
	authzSubtype    = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
	entityTypes     = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
	userAgents      = "https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes"
	ownEvents       = "urn:opendmp:evenement"

	balp = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
	mhd  = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD."
)

// kind groups the interactions whose AuditEvents are built alike.
type kind uint8

const (
	other kind = iota
	read
	write
	remove
	query
	imports
	authorization
	login
)

// form is what an interaction fixes of its AuditEvent.
type form struct {
	kind     kind
	typ      r4.Coding
	subtypes []r4.Coding
	action   Action
	client   r4.Coding // types of the agents
	server   r4.Coding
	user     r4.Coding
	profile  string // with a patient; "" if there is none
	plain    string // without
	about    string // the type that the profile's data must be of; "" any
}

// formOf is the table of DOMAIN §7.2.
func formOf(interaction string) form {
	switch interaction {
	case Read, VRead:
		return restForm(read, Reads, interaction).named("Read")
	case Search:
		return restForm(query, Executes, interaction).named("Query")
	case Create:
		return restForm(write, Creates, interaction).named("Create")
	case Update, Patch:
		return restForm(write, Updates, interaction).named("Update")
	case Delete:
		return restForm(remove, Deletes, interaction).named("Delete")
	case History:
		return restForm(read, Reads, interaction)
	case Transaction, "batch", "operation":
		return restForm(other, Executes, interaction)
	case ProvideDocumentBundle:
		f := restForm(imports, Creates, "").ihe(interaction, "Provide Document Bundle", "ProvideBundle.Audit.Recipient", "")
		f.typ = coding(dicom, "110107", "Import")
		return f
	case FindDocumentLists:
		return restForm(query, Executes, Search).ihe(interaction, "Find Document Lists", "FindDocumentLists.Audit.Responder", "")
	case FindDocumentReferences:
		return restForm(query, Executes, Search).ihe(interaction, "Find Document References", "FindDocumentReferences.Audit.Responder", "")
	case RetrieveDocument:
		return restForm(read, Reads, Read).ihe(interaction, "Retrieve Document", "RetrieveDocument.Audit.Responder", "")
	case SimplifiedPublish:
		return restForm(write, Creates, Create).ihe(interaction, "Simplified Publish", "SimplifiedPublish.Audit.Recipient", "DocumentReference")
	case GenerateMetadata:
		return restForm(write, Creates, Create).ihe(interaction, "Generate Metadata", "GenerateMetadata.Audit.Recipient", "DocumentReference")
	case BrisDeGlace:
		return authorizationForm()
	case Login:
		return loginForm(coding(dicom, "110122", "Login"))
	case Logout:
		return loginForm(coding(dicom, "110123", "Logout"))
	case Token:
		return loginForm(coding(iheEvent, "ITI-71", "Get Access Token"))
	}
	if strings.HasPrefix(interaction, "$") {
		f := restForm(other, Executes, "operation")
		f.subtypes = append(f.subtypes, coding(ownEvents, codeOf(interaction), ""))
		return f
	}
	f := restForm(other, Executes, "")
	f.typ = coding(dicom, "110100", "Application Activity")
	if c := codeOf(interaction); c != "" {
		f.subtypes = []r4.Coding{coding(ownEvents, c, "")}
	}
	return f
}

// restForm gives the agents their parts: who sends is the source, who receives the
// destination. subtype may be empty.
func restForm(k kind, a Action, subtype string) form {
	source := coding(dicom, "110153", "Source Role ID")
	destination := coding(dicom, "110152", "Destination Role ID")
	f := form{
		kind: k, action: a,
		typ:    coding(eventType, "rest", "RESTful Operation"),
		client: source, server: destination,
		user: coding(participation, "IRCP", "information recipient"),
	}
	if subtype != "" {
		f.subtypes = []r4.Coding{coding(restInteraction, subtype, "")}
	}
	switch k {
	case read:
		f.client, f.server = destination, source
	case write, imports:
		f.user = coding(participation, "AUT", "author (originator)")
	case remove:
		f.client = coding(dicom, "110150", "Application")
		f.server = coding(custodian, "custodian", "Custodian")
		f.user = coding(participation, "AUT", "author (originator)")
	}
	return f
}

// locates tells whether the structure is the location of the user. Elsewhere it is
// an agent of its own, which a search by agent finds; but the writing profiles of
// BALP tell their user by a value set alone, and validators take any further agent
// for a second one.
func (f form) locates() bool { return f.kind == write || f.kind == remove }

// named gives the form the BALP profiles of an operation.
func (f form) named(operation string) form {
	f.profile, f.plain = balp+"Patient"+operation, balp+operation
	return f
}

// ihe gives the form the code and the profile of an MHD transaction.
func (f form) ihe(code, display, profile, about string) form {
	f.subtypes = append(f.subtypes, coding(iheEvent, code, display))
	f.profile, f.about = mhd+profile, about
	return f
}

func authorizationForm() form {
	return form{
		kind:     authorization,
		typ:      coding(dicom, "110113", "Security Alert"),
		subtypes: []r4.Coding{coding(authzSubtype, "AuthZ-Consent", "")},
		action:   Executes,
		client:   coding(dicom, "110150", "Application"),
		server:   coding(securityRole, "authserver", "authorization server"),
		user:     coding(participation, "IRCP", "information recipient"),
		profile:  balp + "AuthZconsent",
	}
}

func loginForm(subtype r4.Coding) form {
	return form{
		kind:     login,
		typ:      coding(dicom, "110114", "User Authentication"),
		subtypes: []r4.Coding{subtype},
		action:   Executes,
		client:   coding(dicom, "110150", "Application"),
		server:   coding(userAgents, "AuthzOauthService", ""),
		user:     coding(participation, "IRCP", "information recipient"),
	}
}

// objectType is the coding of an object beside the main one.
func objectType(ref string) r4.Coding {
	if t := resourceType(ref); t != "" {
		return coding(resourceTypes, t, "")
	}
	return coding(entityType, "4", "Other")
}

// roleOf is the role of an object (http://terminology.hl7.org/CodeSystem/object-role).
func roleOf(ref string) r4.Coding {
	switch resourceType(ref) {
	case "DocumentReference", "Binary", "Bundle":
		return coding(objectRole, "3", "Report")
	case "List":
		return coding(objectRole, "20", "Job")
	}
	return coding(objectRole, "4", "Domain Resource")
}

// resourceType returns the type of a relative reference, "" for anything else.
func resourceType(ref string) string {
	typ, id, ok := strings.Cut(ref, "/")
	if !ok || id == "" || typ == "" || typ[0] < 'A' || typ[0] > 'Z' {
		return ""
	}
	for _, c := range typ {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return ""
		}
	}
	return typ
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func coding(system, code, display string) r4.Coding {
	return r4.Coding{System: uri(system), Code: text(code), Display: text(display)}
}

func concept(c r4.Coding) *r4.CodeableConcept {
	return &r4.CodeableConcept{Coding: []r4.Coding{c}}
}

// clean makes a FHIR string of s: without control characters, nor spaces around.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return ' '
		}
		return c
	}, s))
}

// text returns s, nil when it is empty: FHIR has no empty strings.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// uri returns a FHIR uri, nil for what cannot be one.
func uri(s string) *string {
	if strings.ContainsFunc(s, unicode.IsSpace) {
		return nil
	}
	return text(s)
}

// codeOf makes a FHIR code of s: no space but single ones inside.
func codeOf(s string) string { return strings.Join(strings.Fields(s), " ") }
