package policy

import (
	"slices"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// Flags are the visibility flags of a document (TRE_A07).
type Flags struct{ Masque, InvisiblePatient, InvisibleRepresentants bool }

// resourceType is a type of resource that the policy takes facts of.
type resourceType uint8

const (
	noType resourceType = iota
	typePatient
	typeConsent
	typeRelatedPerson
	typeDocument
	typeList
	typeProvenance
	typeContent // Binary, Bundle: governed, without facts of their own
	typeCareTeam
)

var typeNames = [...]string{"", "Patient", "Consent", "RelatedPerson", "DocumentReference", "List", "Provenance", "", "CareTeam"}

// Facts are what the policy needs to know of one resource: codes and identities
// in canonical form, flags, periods and references. They say nothing of any
// caller. The zero Facts are of no type, and nothing is permitted of them.
//
// Facts share memory with what they were made of and must not be changed.
type Facts struct {
	typ        resourceType
	status     Status
	flags      Flags
	archived   bool
	byPatient  bool  // an author is the patient or a representative
	byFeeder   bool  // an author acts as ALIM_AM
	inline     bool  // holds content itself (attachment.data)
	sourced    bool  // of a Consent: says where the agreement is recorded (source[x])
	letter     int64 // of a Consent: when what it rests on was written (sourceAttachment.creation), 0 if that is not said; read when it is given, and not kept
	patient    string
	about      []fhir.Ident // the patient by identifier, where the reference has one
	docType    auth.Coding
	class      auth.Coding
	persons    []fhir.Ident // authors; of a RelatedPerson, the person
	structures []fhir.Ident // author structures and custodian
	idents     []fhir.Ident // of the resource itself
	refs       []reference
	contents   []string // attachment.url
	origin     Origin
	consent    consentFacts
	period     period   // of a Consent, a RelatedPerson or a CareTeam
	members    []member // of a CareTeam
	person     patientFacts
}

// reference is a reference that a resource holds, by its role.
type reference struct {
	role refRole
	ref  string     // "DocumentReference/<id>", "" if by identifier only
	id   fhir.Ident // where it names an identifier
}

type refRole uint8

const (
	refEntry     refRole = iota // List.entry.item
	refReplaces                 // DocumentReference.relatesTo with code replaces
	refRelates                  // the other codes
	refRelated                  // DocumentReference.context.related
	refTarget                   // Provenance.target
	refEntity                   // Provenance.entity.what
	refSource                   // Consent.sourceReference
	refPerformer                // Consent.performer, where it names a patient
	refRoles
)

// patientFacts are those of a Patient.
type patientFacts struct {
	ins       []fhir.Ident // the active one first, then earlier ones
	active    bool         // Patient.active is true
	hasINS    bool         // the first of ins is active
	qualified bool         // identity status VALI or QUAL
	birth     string       // birthDate as it is written
	gps       []fhir.Ident // médecins traitants
	agreed    []fhir.Ident // those of them with whom the patient agreed, as it is recorded (G07)
	closedOn  string       // dmp-fermeture, dateFermeture
	motive    bool         // and it has a motifFermeture
	ofDeath   bool         // which is DECES
	deceased  bool         // deceased[x] says so
}

// Type returns the resource type, "DocumentReference"; "" for the zero Facts and
// for what has no facts of its own.
func (f Facts) Type() string {
	if int(f.typ) >= len(typeNames) {
		return ""
	}
	return typeNames[f.typ]
}

// Patient returns the literal reference to the patient, "Patient/<id>"; "" if
// there is none, as for a Patient.
func (f Facts) Patient() string { return f.patient }

// PatientIdents returns the identifiers by which the resource names its patient,
// beside or instead of Patient.
func (f Facts) PatientIdents() []fhir.Ident { return f.about }

// PatientIdent returns the first of PatientIdents, zero if there is none.
func (f Facts) PatientIdent() fhir.Ident {
	if len(f.about) == 0 {
		return fhir.Ident{}
	}
	return f.about[0]
}

// Status returns the status; NoStatus of a type that has none.
func (f Facts) Status() Status { return f.status }

// Deleted tells whether the resource was entered in error, or deleted.
func (f Facts) Deleted() bool { return f.status == Deleted }

// Archived tells whether the resource carries the extension pdsm-ext-is-archived
// with the value true.
func (f Facts) Archived() bool { return f.archived }

// Flags returns the visibility flags that the resource carries, whether or not
// their time is over (View.Flags).
func (f Facts) Flags() Flags { return f.flags }

// DocumentType returns the type of a document in canonical form, zero if it has
// none.
func (f Facts) DocumentType() auth.Coding { return f.docType }

// DocumentClass returns the class of a document in canonical form, zero if it
// has none.
func (f Facts) DocumentClass() auth.Coding { return f.class }

// ConsentKind returns the kind of a Consent; NoKind of another resource.
func (f Facts) ConsentKind() ConsentKind { return f.consent.kind }

// ConsentActor returns whom a Consent is about: the identifier of a person or
// structure; of a care team its reference as the value, without system; zero if
// it is about nobody.
func (f Facts) ConsentActor() fhir.Ident { return f.consent.actor }

// ConsentActive tells whether a Consent has the status active. Its period is
// another matter.
func (f Facts) ConsentActive() bool { return f.typ == typeConsent && f.status == Current }

// Period returns the period of a Consent, a RelatedPerson or a CareTeam: start is in it, end
// is the first instant that is not. Either is zero where it is open.
func (f Facts) Period() (start, end time.Time) { return f.period.times() }

// Refers tells whether the resource names others of a dossier, by reference or by
// identifier, or says who is a party to it.
func (f Facts) Refers() bool { return len(f.refs) > 0 }

// Refs returns the literal references to resources of the dossier: entries of a
// List, relatesTo and context.related, targets and entities of a Provenance, the
// source of a Consent. Contents are apart.
func (f Facts) Refs() []string {
	var refs []string
	for _, r := range f.refs {
		if r.ref != "" && r.role != refPerformer {
			refs = append(refs, r.ref)
		}
	}
	return refs
}

// Replaces returns the literal references of relatesTo with code replaces.
func (f Facts) Replaces() []string {
	var refs []string
	for _, r := range f.refs {
		if r.role == refReplaces && r.ref != "" {
			refs = append(refs, r.ref)
		}
	}
	return refs
}

// Contents returns the attachment.url of a document, as they stand.
func (f Facts) Contents() []string { return slices.Clone(f.contents) }

// INS returns the national identifiers of a Patient: the active one first, then
// the earlier ones.
func (f Facts) INS() []fhir.Ident { return slices.Clone(f.person.ins) }

// MedecinsTraitants returns the identifiers of Patient.generalPractitioner.
func (f Facts) MedecinsTraitants() []fhir.Ident { return slices.Clone(f.person.gps) }

// Open tells whether a Patient is active: the dossier is open.
func (f Facts) Open() bool { return f.person.active }

// BirthDate returns the first day that a Patient's birthDate may be.
func (f Facts) BirthDate() (time.Time, bool) {
	i, ok := fhir.ParseInterval(f.person.birth)
	return i.StartTime(), ok
}

// Origin returns what was given to FactsOf.
func (f Facts) Origin() Origin { return f.origin }

// Attributed returns the authors: persons, then structures and the custodian.
func (f Facts) Attributed() []fhir.Ident { return slices.Concat(f.persons, f.structures) }

// FactsOf takes the facts of a resource. o is what the server knows of it beside
// its bytes. A Binary or a Bundle is governed by the document that names it and
// gives Facts without a type.
//
// The error is a *fhir.Invalid that says what the policy cannot read: labels,
// statuses or references that it does not know, several patients, a Consent of
// no known kind or out of the table of POLICY §6. Its codes are value, required,
// business-rule, too-long and not-supported.
func FactsOf(r *fhir.Resource, o Origin) (Facts, error) {
	x := extraction{r: r, facts: Facts{origin: o}}
	switch r.Type() {
	case "DocumentReference":
		x.document()
	case "List":
		x.list()
	case "Consent":
		x.consent()
	case "Patient":
		x.patient()
	case "RelatedPerson":
		x.related()
	case "Provenance":
		x.provenance()
	case "CareTeam":
		x.careTeam()
	case "Binary", "Bundle":
		x.facts.typ = typeContent
	default:
		x.refuse("not-supported", "resourceType", "Ce type de ressource n’est pas de ceux d’un dossier.",
			"Resources of this type are not part of a dossier.")
	}
	if len(x.issues) > 0 {
		return Facts{}, &fhir.Invalid{Issues: x.issues}
	}
	if o.Deleted {
		x.facts.status = Deleted
	}
	return x.facts, nil
}

// extraction is the taking of facts of one resource.
type extraction struct {
	r      *fhir.Resource
	facts  Facts
	issues []fhir.Issue
}

func (x *extraction) refuse(code, expression, fr, en string) {
	if x.facts.typ != noType {
		expression = x.facts.Type() + "." + expression
	}
	x.issues = append(x.issues, fhir.Issue{
		Severity: fhir.Error, Code: code, Text: fhir.Text{FR: fr, EN: en}, Expression: expression,
	})
}

// begin sets the type. Modifier extensions may turn the meaning of what the
// policy reads: it knows none, and refuses them.
func (x *extraction) begin(t resourceType) {
	x.facts.typ = t
	if x.r.Get("modifierExtension").Exists() {
		x.refuse("not-supported", "modifierExtension", "Aucune extension de modification n’est admise.", "No modifier extension is supported.")
	}
}

func (x *extraction) document() {
	x.begin(typeDocument)
	x.status(documentStatus)
	x.subject("subject")
	x.labels()
	x.metaLabels()
	x.facts.docType = x.coding(x.r.Get("type"), "type", isDocumentType)
	x.facts.class = x.coding(x.r.Get("category"), "category", isDocumentClass)
	x.archived()
	x.identifiers(x.r.Get("masterIdentifier"))
	x.identifiers(x.r.Get("identifier"))
	for a := range x.r.Get("author").Items() {
		x.party(a, 0)
	}
	x.custodian(x.r.Get("custodian"))
	for rel := range x.r.Get("relatesTo").Items() {
		role := refRelates
		if rel.Get("code").Is("replaces") {
			role = refReplaces
		}
		x.reference(role, rel.Get("target"))
	}
	for rel := range x.r.Root().All("context", "related") {
		x.reference(refRelated, rel)
	}
	for a := range x.r.Root().All("content", "attachment") {
		if url := a.Get("url").Text(); url != "" {
			x.facts.contents = append(x.facts.contents, url)
		}
		x.facts.inline = x.facts.inline || a.Get("data").Exists()
	}
	x.sourcePatient()
}

func (x *extraction) list() {
	x.begin(typeList)
	x.status(listStatus)
	x.subject("subject")
	x.metaLabels()
	x.archived()
	x.identifiers(x.r.Get("identifier"))
	source := x.r.Get("source")
	x.party(source, 0)
	for e := range source.Get("extension").Items() {
		if e.Get("url").Is(extAuthorOrg) {
			x.party(e.Get("valueReference"), 0)
		}
	}
	for e := range x.r.Get("entry").Items() {
		x.reference(refEntry, e.Get("item"))
	}
}

func (x *extraction) provenance() {
	x.begin(typeProvenance)
	x.facts.status = Current
	for t := range x.r.Get("target").Items() {
		x.reference(refTarget, t)
	}
	for e := range x.r.Get("entity").Items() {
		x.reference(refEntity, e.Get("what"))
	}
	for a := range x.r.Get("agent").Items() {
		x.party(a.Get("who"), 0)
	}
}

func (x *extraction) related() {
	x.begin(typeRelatedPerson)
	x.facts.status = Current
	if a := x.r.Get("active"); a.Exists() && !a.True() {
		x.facts.status = Inactive
	}
	x.subject("patient")
	for i := range x.r.Get("identifier").Items() {
		if id := identOf(i); !id.IsZero() {
			x.facts.persons = append(x.facts.persons, id)
		}
	}
	x.facts.period = x.periodOf(x.r.Get("period"), "period")
}

// status reads the status by a table.
func (x *extraction) status(of func(string) Status) {
	x.facts.status = of(x.r.Get("status").Text())
	if x.facts.status == NoStatus {
		x.refuse("value", "status", "Ce statut n’est pas admis.", "This status is not supported.")
	}
}

func documentStatus(code string) Status {
	switch code {
	case "current":
		return Current
	case "superseded":
		return Superseded
	case "entered-in-error":
		return Deleted
	}
	return NoStatus
}

func listStatus(code string) Status {
	if code == "retired" {
		return Superseded
	}
	return documentStatus(code)
}

// labels reads the visibility flags. Every label must be known: one that is not
// could be a restriction.
func (x *extraction) labels() {
	base := ""
	for c := range x.r.Root().All("securityLabel", "coding") {
		system, code := fhir.CanonicalCoding(c.Get("system").Text(), c.Get("code").Text())
		switch {
		case system == fhir.SystemVisibility && code == "MASQUE_PS":
			x.facts.flags.Masque = true
		case system == fhir.SystemVisibility && code == "INVISIBLE_PATIENT":
			x.facts.flags.InvisiblePatient = true
		case system == fhir.SystemVisibility && code == "INVISIBLE_REPRESENTANTS_LEGAUX":
			x.facts.flags.InvisibleRepresentants = true
		case system == fhir.SystemConfidentiality && (code == "N" || code == "R" || code == "V"):
			if base != "" && base != code {
				x.refuse("business-rule", "securityLabel", "Deux niveaux de confidentialité se contredisent.", "Two levels of confidentiality contradict each other.")
			}
			base = code
		default:
			x.refuse("value", "securityLabel", "Cette étiquette de confidentialité est inconnue.", "This security label is unknown.")
		}
	}
	for l := range x.r.Get("securityLabel").Items() {
		if !l.Get("coding").Exists() {
			x.refuse("value", "securityLabel", "Une étiquette de confidentialité n’a pas de code.", "A security label has no code.")
		}
	}
}

// metaLabels refuses what meta.security says beyond a level of confidentiality and
// that the resource is a test: the flags of a document stand in securityLabel, and
// one that is written here would be taken for kept.
func (x *extraction) metaLabels() {
	for c := range x.r.Root().All("meta", "security") {
		system, code := fhir.CanonicalCoding(c.Get("system").Text(), c.Get("code").Text())
		level := system == fhir.SystemConfidentiality && (code == "N" || code == "R" || code == "V")
		if test := system == systemActReason && code == "HTEST"; !level && !test {
			x.refuse("value", "meta.security", "Cette étiquette de confidentialité n’est pas admise ici : celles d’un document vont dans securityLabel.",
				"This security label is not supported here: those of a document go into securityLabel.")
		}
	}
}

// coding reads the one coding of a CodeableConcept, or of an array of them, that
// belongs to the value sets of the DMP; without one, the first; zero if there is
// none at all. Two different ones would leave open which rules hold.
func (x *extraction) coding(concepts fhir.Node, name string, known func(auth.Coding) bool) auth.Coding {
	var first, found auth.Coding
	for c := range concepts.All("coding") {
		system, code := fhir.CanonicalCoding(c.Get("system").Text(), c.Get("code").Text())
		k := auth.Coding{System: system, Code: code}
		if first.IsZero() {
			first = k
		}
		if !known(k) || k == found {
			continue
		}
		if !found.IsZero() {
			x.refuse("business-rule", name, "Deux codes du DMP se contredisent.", "Two codes of the DMP contradict each other.")
		}
		found = k
	}
	switch {
	case !found.IsZero():
		return found
	case first.IsZero() && concepts.Exists():
		return unread // text without a code: there is something, and it is unknown
	}
	return first
}

// unread is a coding that no table holds.
var unread = auth.Coding{Code: "?"}

func isDocumentType(c auth.Coding) bool { _, ok := TypeOf(c); return ok }

// isDocumentClass tells whether a coding is a class of the DMP (TRE_A03), or that
// of the signature of a submission set.
func isDocumentClass(c auth.Coding) bool {
	switch c.System {
	case fhir.SystemDocumentClass:
		switch c.Code {
		case "10", "11", "31", "42", "43", "44", "45", "52", "60", "90", "95", "99":
			return true
		}
	case systemURN:
		return c.Code == "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1"
	}
	return false
}

const (
	extArchived  = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
	extAuthorOrg = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-authorOrg"
)

func (x *extraction) archived() {
	for e := range x.r.Get("extension").Items() {
		if e.Get("url").Is(extArchived) {
			x.facts.archived = x.facts.archived || e.Get("valueBoolean").True()
		}
	}
}

func (x *extraction) identifiers(n fhir.Node) {
	for i := range n.Items() {
		if id := identOf(i); !id.IsZero() {
			x.facts.idents = append(x.facts.idents, id)
		}
	}
}

// subject reads the reference to the patient: literal, by identifier, or as the
// search that a transaction resolves (Patient?identifier=system|value).
func (x *extraction) subject(name string) {
	ref := x.r.Get(name)
	x.patientRef(ref)
	if x.facts.patient == "" && len(x.facts.about) == 0 {
		x.refuse("required", name, "Le patient manque ou n’est pas identifié.", "The patient is missing or not identified.")
	}
}

// patientRef notes the patient whom a reference names.
func (x *extraction) patientRef(ref fhir.Node) {
	literal := ref.Get("reference").Text()
	if query, ok := strings.CutPrefix(literal, "Patient?identifier="); ok {
		system, value, _ := strings.Cut(query, "|")
		x.about(fhir.Ident{System: system, Value: value})
	} else if local, ok := strings.CutPrefix(literal, "#"); ok {
		for i := range x.contained(local).Get("identifier").Items() {
			x.about(identOf(i))
		}
	} else if literal != "" {
		x.facts.patient = relative(literal)
	}
	x.about(identOf(ref.Get("identifier")))
}

func (x *extraction) about(id fhir.Ident) {
	if id.Value != "" && !slices.Contains(x.facts.about, id) {
		x.facts.about = append(x.facts.about, id)
	}
}

// sourcePatient checks that the patient as the source knows them is the subject:
// another literal patient, or another INS, would be a second one.
func (x *extraction) sourcePatient() {
	source := extraction{r: x.r}
	source.patientRef(x.r.At("context", "sourcePatientInfo"))
	other := source.facts.patient != "" && x.facts.patient != "" && source.facts.patient != x.facts.patient
	for _, id := range source.facts.about {
		for _, known := range x.facts.about {
			other = other || isINS(id) && known.System == id.System && known.Value != id.Value
		}
	}
	if other {
		x.refuse("business-rule", "context.sourcePatientInfo", "Une ressource concerne un seul patient.", "A resource concerns one patient only.")
	}
}

// reference notes a reference by its role. One that names nothing is left out.
func (x *extraction) reference(role refRole, ref fhir.Node) {
	r := reference{role: role, id: identOf(ref.Get("identifier"))}
	if literal := ref.Get("reference").Text(); literal != "" && literal[0] != '#' {
		r.ref = relative(literal)
	}
	if r.ref != "" || !r.id.IsZero() {
		x.facts.refs = append(x.facts.refs, r)
	}
}

// relative returns a literal reference as Type/id where it has that form: without
// a server before it, nor a version after it. A server's name proves nothing, and
// a version is governed by the current one.
func relative(literal string) string {
	ref, _, _ := strings.Cut(literal, "/_history/")
	ref, _, _ = strings.Cut(ref, "#")
	slash := strings.LastIndexByte(ref, '/')
	if slash <= 0 || slash == len(ref)-1 {
		return literal
	}
	start := strings.LastIndexByte(ref[:slash], '/') + 1
	if typ := ref[start:slash]; !fhir.KnownResource(typ) {
		return literal
	}
	return ref[start:]
}

// identOf reads an Identifier in canonical form; zero without a value.
func identOf(n fhir.Node) fhir.Ident {
	value := n.Get("value").Text()
	if value == "" {
		return fhir.Ident{}
	}
	return fhir.CanonicalIdent(fhir.Ident{System: n.Get("system").Text(), Value: value})
}

func (x *extraction) contained(id string) fhir.Node {
	for c := range x.r.Get("contained").Items() {
		if id != "" && c.Get("id").Is(id) {
			return c
		}
	}
	return fhir.Node{}
}
