package fhir

// slot is the number of a parameter in the binary form of search values. Numbers
// are never used again for something else: sealed summaries keep them.
type slot uint8

const (
	slotNone          slot = 0 // selects a dossier; not among the values
	slotID            slot = 1
	slotLastUpdated   slot = 2
	slotIdentifier    slot = 3
	slotStatus        slot = 4
	slotType          slot = 5
	slotCategory      slot = 6
	slotDate          slot = 7
	slotPeriod        slot = 8
	slotPeriodStart   slot = 9
	slotPeriodEnd     slot = 10
	slotCreation      slot = 11
	slotAuthorIdent   slot = 12
	slotAuthorGiven   slot = 13
	slotAuthorFamily  slot = 14
	slotSecurityLabel slot = 15
	slotFormat        slot = 16
	slotFacility      slot = 17
	slotSetting       slot = 18
	slotEvent         slot = 19
	slotRelated       slot = 20
	slotRelatedIdent  slot = 21
	slotRelatesTo     slot = 22
	slotRelation      slot = 23
	slotIsArchived    slot = 24
	slotCode          slot = 25
	slotTitle         slot = 26
	slotDesignation   slot = 27
	slotSourceID      slot = 28
	slotSourceIdent   slot = 29
	slotSourceGiven   slot = 30
	slotSourceFamily  slot = 31
	slotActor         slot = 32
	slotActorIdent    slot = 33
	slotPurpose       slot = 34
	slotEntity        slot = 35
	slotAgent         slot = 36
	slotAgentIdent    slot = 37
	slotAction        slot = 38
	slotSubtype       slot = 39
	slotOutcome       slot = 40
	slotTarget        slot = 41
	slotAuthor        slot = 42
	slotSource        slot = 43
	slotAuthorOrg     slot = 44
	slotMember        slot = 45
	slotMemberIdent   slot = 46
	slotItem          slot = 47
	slotItemIdent     slot = 48
	slotRelatesIdent  slot = 49
	slotTargetIdent   slot = 50
	slotContentType   slot = 51
	slotDescription   slot = 52
	slotLanguage      slot = 53
	slotCustodian     slot = 54
	slotAuthenticator slot = 55
	slotConsentSource slot = 56
)

// Steps of a path that are not names of elements. A step that begins with "http"
// is the value of the extension of that URL.
const follow = "->" // to the contained resource that the reference names

// Extensions that have search parameters.
const (
	extIsArchived      = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
	extDesignationType = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType"
	extSourceID        = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId"
	extAuthorOrg       = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-authorOrg"
)

const (
	r4Param   = "http://hl7.org/fhir/SearchParameter/"
	mhdParam  = "https://profiles.ihe.net/ITI/MHD/SearchParameter/"
	pdsmParam = "https://interop.esante.gouv.fr/ig/fhir/pdsm/SearchParameter/"

	mhdProfile    = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/"
	pdsmProfile   = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"
	frCoreProfile = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
	balpProfile   = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
	pcfProfile    = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/"
)

// via is one way from a resource to the values of a parameter.
func via(steps ...string) []string { return steps }

func tokenOn(name string, s slot, definition string, paths ...[]string) Param {
	return Param{Name: name, Type: TokenParam, Definition: definition, slot: s, mods: modNot | modMissing | modIn | modNotIn, paths: paths}
}

func dateOn(name string, s slot, definition string, paths ...[]string) Param {
	return Param{Name: name, Type: DateParam, Definition: definition, slot: s, mods: modMissing, Sortable: true, paths: paths}
}

func textOn(name string, s slot, definition string, paths ...[]string) Param {
	return Param{Name: name, Type: StringParam, Definition: definition, slot: s, mods: modExact | modContains | modMissing, Sortable: true, paths: paths}
}

func referenceOn(name string, s slot, definition string, paths ...[]string) Param {
	return Param{Name: name, Type: ReferenceParam, Definition: definition, slot: s, mods: modMissing, paths: paths}
}

// codeOn is a token on an element of type code, whose system is implied by its
// required binding.
func codeOn(name string, s slot, definition, system string, paths ...[]string) Param {
	p := tokenOn(name, s, definition, paths...)
	p.implied, p.Sortable = system, true
	return p
}

// sortable makes a token one that _sort takes.
func sortable(p Param) Param {
	p.Sortable = true
	return p
}

// to names the types that a bare id may mean.
func (p Param) to(types ...string) Param {
	p.targets = types
	return p
}

// following names the types served that _include follows a parameter to.
func (p Param) following(types ...string) Param {
	p.leads = types
	return p
}

// identifierOf is the chain to the identifier of a logical reference.
func identifierOf(name string, s slot, steps ...string) Param {
	return documented("Logical references. Also written "+name+":identifier.",
		tokenOn(name+".identifier", s, "", append(steps, "identifier")))
}

// patientParams are the parameters that name the dossier: by reference and by
// identifier. _include follows the reference in element.
func patientParams(name, definition, element string) []Param {
	return []Param{
		{
			Name: name, Type: ReferenceParam, Definition: definition, role: choosesPatient, targets: []string{"Patient"},
			leads: []string{"Patient"}, paths: [][]string{{element}},
			Doc: "Names the one record that is searched; a second patient is an error.",
		},
		{
			Name: name + ".identifier", Type: TokenParam, role: choosesPatientIdent,
			Doc: "The INS as system|value, both parts. Also written " + name + ":identifier.",
		},
	}
}

// commonParams are those of every type.
func commonParams() []Param {
	updated := dateOn("_lastUpdated", slotLastUpdated, r4Param+"Resource-lastUpdated", via("meta", "lastUpdated"))
	return []Param{identityParam(), updated}
}

func identityParam() Param {
	id := tokenOn("_id", slotID, r4Param+"Resource-id", via("id"))
	id.role, id.mods = findsID, 0 // its values lead to dossiers; a negation would lead to all
	return id
}

func identifierOn(definition string, paths ...[]string) Param {
	p := tokenOn("identifier", slotIdentifier, definition, paths...)
	p.role, p.mods = findsIdent, modNot|modMissing
	return p
}

// archived has no missing value: what does not say so is not archived.
func archived() Param {
	p := tokenOn("isArchived", slotIsArchived, pdsmParam+"PDSm-isArchived", via("extension", extIsArchived))
	p.mods, p.absent = modNot, "false"
	p.Doc = "true or false; a resource without the extension counts as false."
	return p
}

// personPaths are the ways to an element of a contained person, through a role
// too.
func personPaths(from string, steps ...string) [][]string {
	return [][]string{
		append([]string{from, follow}, steps...),
		append([]string{from, follow, "practitioner", follow}, steps...),
	}
}

// identPaths are the ways to an identifier of who is referred to, logical or
// contained.
func identPaths(from string) [][]string {
	return append(personPaths(from, "identifier"), via(from, "identifier"), via(from, follow, "practitioner", "identifier"))
}

// joined puts lists of parameters together.
func joined(lists ...[]Param) []Param {
	var all []Param
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// searchedHere is the documentation of a chain.
const searchedHere = "Searched within the resource: contained resources and logical references."

func documented(doc string, p Param) Param {
	p.Doc = doc
	return p
}

// services is the interaction table: the only source of routes, search parameters,
// search values and /metadata. It is never changed.
var services = append([]service{
	{
		name:        "Patient",
		lone:        true,
		does:        []Interaction{Read, VRead, History, Search, Patch, Operation},
		inBundle:    []Interaction{Create},
		conditional: []Interaction{Create},
		doc:         "A record is opened by a transaction that holds its Patient and the Consent of kind ouverture.",
		operations:  operationsOn("Patient"),
		profiles:    []string{frCoreProfile + "fr-core-patient", frCoreProfile + "fr-core-patient-ins"},
		params: joined([]Param{{
			Name: "identifier", Type: TokenParam, Definition: r4Param + "Patient-identifier", slot: slotIdentifier,
			role: choosesPatientIdent, paths: [][]string{{"identifier"}}, Doc: "The INS as system|value, both parts.",
		}}, traitParams(), commonParams()),
	},
	{
		name:        "DocumentReference",
		does:        []Interaction{Read, VRead, History, Search, Create, Patch, Delete, Operation},
		conditional: []Interaction{Create, Patch},
		operations:  operationsOn("DocumentReference"),
		doc:         "Conditional patch: PATCH also takes a query instead of an id. It changes status, securityLabel and the extension pdsm-ext-is-archived.",
		profiles: []string{
			pdsmProfile + "pdsm-comprehensive-document-reference",
			pdsmProfile + "pdsm-simplified-publish",
			mhdProfile + "IHE.MHD.Minimal.DocumentReference",
			mhdProfile + "IHE.MHD.UnContained.Comprehensive.DocumentReference",
			mhdProfile + "IHE.MHD.Comprehensive.DocumentReference",
			mhdProfile + "IHE.MHD.SimplifiedPublish.DocumentReference",
		},
		params: joined(
			patientParams("patient", r4Param+"clinical-patient", "subject"),
			patientParams("subject", r4Param+"DocumentReference-subject", "subject"),
			[]Param{
				codeOn("status", slotStatus, r4Param+"DocumentReference-status", "http://hl7.org/fhir/document-reference-status", via("status")),
				sortable(tokenOn("type", slotType, r4Param+"clinical-type", via("type"))),
				sortable(tokenOn("category", slotCategory, r4Param+"DocumentReference-category", via("category"))),
				dateOn("date", slotDate, r4Param+"DocumentReference-date", via("date")),
				dateOn("period", slotPeriod, r4Param+"DocumentReference-period", via("context", "period")),
				dateOn("period-start", slotPeriodStart, pdsmParam+"PDSm-DocumentReference-period-start", via("context", "period", "start")),
				dateOn("period-end", slotPeriodEnd, pdsmParam+"PDSm-DocumentReference-period-end", via("context", "period", "end")),
				dateOn("creation", slotCreation, mhdParam+"DocumentReference-Creation", via("content", "attachment", "creation")),
				referenceOn("author", slotAuthor, r4Param+"DocumentReference-author", via("author")).following("Patient", "RelatedPerson"),
				documented(searchedHere, tokenOn("author.identifier", slotAuthorIdent, "", identPaths("author")...)),
				documented(searchedHere, textOn("author.given", slotAuthorGiven, "", personPaths("author", "name", "given")...)),
				documented(searchedHere, textOn("author.family", slotAuthorFamily, "", personPaths("author", "name", "family")...)),
				documented("The identifiers and the masterIdentifier.",
					identifierOn(r4Param+"clinical-identifier", via("masterIdentifier"), via("identifier"))),
				tokenOn("security-label", slotSecurityLabel, r4Param+"DocumentReference-security-label", via("securityLabel")),
				tokenOn("format", slotFormat, r4Param+"DocumentReference-format", via("content", "format")),
				tokenOn("facility", slotFacility, r4Param+"DocumentReference-facility", via("context", "facilityType")),
				tokenOn("setting", slotSetting, r4Param+"DocumentReference-setting", via("context", "practiceSetting")),
				tokenOn("event", slotEvent, r4Param+"DocumentReference-event", via("context", "event")),
				referenceOn("related", slotRelated, r4Param+"DocumentReference-related", via("context", "related")).following("DocumentReference", "List"),
				identifierOf("related", slotRelatedIdent, "context", "related"),
				referenceOn("relatesto", slotRelatesTo, r4Param+"DocumentReference-relatesto", via("relatesTo", "target")).to("DocumentReference").following("DocumentReference"),
				identifierOf("relatesto", slotRelatesIdent, "relatesTo", "target"),
				tokenOn("contenttype", slotContentType, r4Param+"DocumentReference-contenttype", via("content", "attachment", "contentType")),
				tokenOn("language", slotLanguage, r4Param+"DocumentReference-language", via("content", "attachment", "language")),
				textOn("description", slotDescription, r4Param+"DocumentReference-description", via("description")),
				referenceOn("custodian", slotCustodian, r4Param+"DocumentReference-custodian", via("custodian")).to("Organization"),
				referenceOn("authenticator", slotAuthenticator, r4Param+"DocumentReference-authenticator", via("authenticator")),
				tokenOn("relation", slotRelation, r4Param+"DocumentReference-relation", via("relatesTo", "code")),
				archived(),
			}, commonParams()),
	},
	{
		name:       "List",
		does:       []Interaction{Read, VRead, History, Search, Patch, Operation},
		inBundle:   []Interaction{Create},
		operations: operationsOn("List"),
		doc:        "Submission sets and folders come with a transaction. PATCH changes the extension pdsm-ext-is-archived.",
		profiles: []string{
			pdsmProfile + "pdsm-submissionset-comprehensive",
			pdsmProfile + "pdsm-folder-comprehensive",
			mhdProfile + "IHE.MHD.Minimal.SubmissionSet",
			mhdProfile + "IHE.MHD.UnContained.Comprehensive.SubmissionSet",
			mhdProfile + "IHE.MHD.Comprehensive.SubmissionSet",
			mhdProfile + "IHE.MHD.Minimal.Folder",
			mhdProfile + "IHE.MHD.Comprehensive.Folder",
		},
		params: joined(
			patientParams("patient", r4Param+"clinical-patient", "subject"),
			patientParams("subject", r4Param+"List-subject", "subject"),
			[]Param{
				tokenOn("code", slotCode, r4Param+"clinical-code", via("code")),
				codeOn("status", slotStatus, r4Param+"List-status", "http://hl7.org/fhir/list-status", via("status")),
				dateOn("date", slotDate, r4Param+"clinical-date", via("date")),
				tokenOn("designationType", slotDesignation, mhdParam+"List-DesignationType", via("extension", extDesignationType)),
				tokenOn("sourceId", slotSourceID, mhdParam+"List-SourceId", via("extension", extSourceID)),
				identifierOn(r4Param+"clinical-identifier", via("identifier")),
				referenceOn("source", slotSource, r4Param+"List-source", via("source")).following("Patient", "RelatedPerson"),
				referenceOn("item", slotItem, r4Param+"List-item", via("entry", "item")).following("DocumentReference", "List"),
				identifierOf("item", slotItemIdent, "entry", "item"),
				documented(searchedHere, textOn("source.given", slotSourceGiven, "", personPaths("source", "name", "given")...)),
				documented(searchedHere, textOn("source.family", slotSourceFamily, "", personPaths("source", "name", "family")...)),
				documented(searchedHere, tokenOn("source.identifier", slotSourceIdent, "", identPaths("source")...)),
				referenceOn("authorOrg", slotAuthorOrg, pdsmParam+"PDSm-List-authorOrg",
					via("extension", extAuthorOrg), via("source", "extension", extAuthorOrg)).to("Organization"),
				textOn("title", slotTitle, r4Param+"List-title", via("title")),
				archived(),
			}, commonParams()),
	},
	{
		name:        "Consent",
		does:        []Interaction{Read, VRead, History, Search, Create, Update, Operation},
		conditional: []Interaction{Create},
		operations:  operationsOn("Consent"),
		doc:         "The kind is a coding of urn:opendmp:consent-kind in category.",
		profiles:    []string{pcfProfile + "IHE.PCF.consentBasic"},
		params: joined(
			patientParams("patient", r4Param+"clinical-patient", "patient"),
			[]Param{
				codeOn("status", slotStatus, r4Param+"Consent-status", "http://hl7.org/fhir/consent-state-codes", via("status")),
				tokenOn("category", slotCategory, r4Param+"Consent-category", via("category")),
				referenceOn("actor", slotActor, r4Param+"Consent-actor", via("provision", "actor", "reference")).following("CareTeam", "RelatedPerson"),
				identifierOf("actor", slotActorIdent, "provision", "actor", "reference"),
				referenceOn("source-reference", slotConsentSource, r4Param+"Consent-source-reference", via("sourceReference")).following("DocumentReference"),
				dateOn("date", slotDate, r4Param+"clinical-date", via("dateTime")),
				dateOn("period", slotPeriod, r4Param+"Consent-period", via("provision", "period")),
				tokenOn("purpose", slotPurpose, r4Param+"Consent-purpose", via("provision", "purpose")),
			}, commonParams()),
	},
	{
		name:        "CareTeam",
		does:        []Interaction{Read, VRead, History, Search, Create, Update, Operation},
		conditional: []Interaction{Create},
		operations:  operationsOn("CareTeam"),
		doc:         "Participants are professionals or structures by identifier. A Consent of kind autorisation that names the CareTeam holds for all of them.",
		params: joined(
			patientParams("patient", r4Param+"clinical-patient", "subject"),
			[]Param{
				codeOn("status", slotStatus, r4Param+"CareTeam-status", "http://hl7.org/fhir/care-team-status", via("status")),
				tokenOn("category", slotCategory, r4Param+"CareTeam-category", via("category")),
				documented("Beside a parameter that names the record.",
					tokenOn("identifier", slotIdentifier, r4Param+"clinical-identifier", via("identifier"))),
				referenceOn("participant", slotMember, r4Param+"CareTeam-participant", via("participant", "member")).following("Patient", "RelatedPerson"),
				identifierOf("participant", slotMemberIdent, "participant", "member"),
				dateOn("date", slotDate, r4Param+"clinical-date", via("period")),
			}, commonParams()),
	},
	{
		name:       "AuditEvent",
		does:       []Interaction{Read, Search, Operation},
		operations: operationsOn("AuditEvent"),
		lone:       true,
		doc:        "Newest first without _sort.",
		sort:       []SortKey{{Param: "date", Desc: true}},
		profiles: []string{
			balpProfile + "IHE.BasicAudit.PatientCreate",
			balpProfile + "IHE.BasicAudit.PatientRead",
			balpProfile + "IHE.BasicAudit.PatientUpdate",
			balpProfile + "IHE.BasicAudit.PatientDelete",
			balpProfile + "IHE.BasicAudit.PatientQuery",
			balpProfile + "IHE.BasicAudit.AuthZconsent",
		},
		params: joined(
			patientParams("patient", r4Param+"AuditEvent-patient", ""),
			[]Param{
				referenceOn("entity", slotEntity, r4Param+"AuditEvent-entity", via("entity", "what")),
				dateOn("date", slotDate, r4Param+"AuditEvent-date", via("recorded")),
				referenceOn("agent", slotAgent, r4Param+"AuditEvent-agent", via("agent", "who")),
				identifierOf("agent", slotAgentIdent, "agent", "who"),
				codeOn("action", slotAction, r4Param+"AuditEvent-action", "http://hl7.org/fhir/audit-event-action", via("action")),
				tokenOn("type", slotType, r4Param+"AuditEvent-type", via("type")),
				tokenOn("subtype", slotSubtype, r4Param+"AuditEvent-subtype", via("subtype")),
				codeOn("outcome", slotOutcome, r4Param+"AuditEvent-outcome", "http://hl7.org/fhir/audit-event-outcome", via("outcome")),
			}, commonParams()),
	},
	{
		name:       "Binary",
		does:       []Interaction{Read, Operation},
		inBundle:   []Interaction{Create},
		operations: operationsOn("Binary"),
		doc:        "The content of a document, released by the DocumentReference that names it.",
	},
	{
		name:       "Bundle",
		does:       []Interaction{Read, Operation},
		inBundle:   []Interaction{Create},
		operations: operationsOn("Bundle"),
		doc:        "FHIR documents, released by the DocumentReference that names them.",
	},
	{
		name:       "RelatedPerson",
		does:       []Interaction{Read, Search, Operation},
		operations: operationsOn("RelatedPerson"),
		profiles:   []string{frCoreProfile + "fr-core-related-person"},
		params:     joined(patientParams("patient", r4Param+"RelatedPerson-patient", "patient"), commonParams()),
	},
	{
		name:       "Provenance",
		does:       []Interaction{Read, Search, Operation},
		operations: operationsOn("Provenance"),
		params: joined(
			patientParams("patient", r4Param+"Provenance-patient", "target"),
			[]Param{
				referenceOn("target", slotTarget, r4Param+"Provenance-target", via("target")).
					following("DocumentReference", "List", "Consent", "CareTeam", "Patient", "RelatedPerson"),
				identifierOf("target", slotTargetIdent, "target"),
			},
			commonParams()),
	},
	{
		name: "OperationDefinition",
		does: []Interaction{Read},
		doc:  "The operations of this server, by the id that ends their definition. Public, like this statement.",
	},
}, directoryServices()...)
