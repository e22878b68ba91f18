package policy

import (
	"math"
	"strings"
	"time"

	"opendmp/fhir"
)

// ConsentKind is the kind of a Consent (POLICY §6).
type ConsentKind uint8

// Kinds of Consent.
const (
	NoKind ConsentKind = iota
	Ouverture
	Autorisation
	Blocage
	OppositionBrisDeGlace
	OppositionCentre15
	OppositionAlimentation
	MasquageTotal
	AccesUrgence
)

// SystemConsentKind is the code system of the kinds, in Consent.category.
const SystemConsentKind = "urn:opendmp:consent-kind"

var kindNames = [...]string{
	Ouverture:              "ouverture",
	Autorisation:           "autorisation",
	Blocage:                "blocage",
	OppositionBrisDeGlace:  "opposition-bris-de-glace",
	OppositionCentre15:     "opposition-centre-15",
	OppositionAlimentation: "opposition-alimentation",
	MasquageTotal:          "masquage-total",
	AccesUrgence:           "acces-urgence",
}

// String returns the code of the kind, "" for NoKind.
func (k ConsentKind) String() string {
	if int(k) >= len(kindNames) {
		return ""
	}
	return kindNames[k]
}

func consentKindOf(code string) ConsentKind {
	for k, name := range kindNames {
		if name == code && name != "" {
			return ConsentKind(k)
		}
	}
	return NoKind
}

// actorKind is what a Consent is about.
type actorKind uint8

const (
	aboutNobody actorKind = iota
	aboutPerson
	aboutStructure
	aboutTeam
)

// consentFacts are those of a Consent.
type consentFacts struct {
	kind      ConsentKind
	actorKind actorKind
	actor     fhir.Ident
}

// consentShape is a row of the table of POLICY §6.
type consentShape struct {
	provision string      // provision.type
	actors    []actorKind // of which one; aboutNobody where none is needed
	purpose   string      // v3-ActReason; "" for none
	period    periodNeed
}

type periodNeed uint8

const (
	periodNone periodNeed = iota // none may be given
	periodEnd                    // an end must be given
	periodBoth                   // start and end
)

func shapeOf(k ConsentKind) consentShape {
	switch k {
	case Ouverture:
		return consentShape{provision: "permit", actors: []actorKind{aboutNobody}}
	case Autorisation:
		return consentShape{"permit", []actorKind{aboutPerson, aboutStructure, aboutTeam}, "TREAT", periodEnd}
	case Blocage:
		return consentShape{provision: "deny", actors: []actorKind{aboutPerson, aboutStructure}}
	case OppositionBrisDeGlace:
		return consentShape{provision: "deny", actors: []actorKind{aboutNobody}, purpose: "BTG"}
	case OppositionCentre15:
		return consentShape{provision: "deny", actors: []actorKind{aboutNobody}, purpose: "ETREAT"}
	case OppositionAlimentation:
		return consentShape{provision: "deny", actors: []actorKind{aboutPerson, aboutStructure, aboutNobody}}
	case MasquageTotal:
		return consentShape{provision: "deny", actors: []actorKind{aboutNobody}, purpose: "TREAT"}
	case AccesUrgence:
		return consentShape{"permit", []actorKind{aboutPerson}, "BTG", periodBoth}
	}
	return consentShape{}
}

const (
	systemConsentScope = "http://terminology.hl7.org/CodeSystem/consentscope"
	systemActReason    = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
	systemParticipant  = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
)

// narrowing are the elements of Consent.provision that would narrow it to what
// the rules do not look at: a Consent that says less than it is taken for is
// refused (POLICY §6; IHE PCF basic has none of them).
var narrowing = [...]string{"action", "securityLabel", "class", "code", "dataPeriod", "data", "provision", "modifierExtension"}

func (x *extraction) consent() {
	x.begin(typeConsent)
	x.consentStatus()
	x.subject("patient")
	scope := x.r.At("scope", "coding")
	if !scope.Get("system").Is(systemConsentScope) || !scope.Get("code").Is("patient-privacy") {
		x.refuse("value", "scope", "La portée du consentement n’est pas patient-privacy.", "The scope of the consent is not patient-privacy.")
	}
	if x.r.Get("verification").Exists() {
		x.refuse("not-supported", "verification", "Cet élément n’est pas admis.", "This element is not supported.")
	}
	x.source()
	for p := range x.r.Get("performer").Items() {
		x.performer(p)
	}
	kind := x.consentKind()
	x.facts.consent.kind = kind
	if kind != NoKind {
		x.provision(shapeOf(kind))
	}
}

// source notes where the agreement is recorded: a document, or words of whoever
// recorded it.
func (x *extraction) source() {
	ref, attachment := x.r.Get("sourceReference"), x.r.Get("sourceAttachment")
	x.reference(refSource, ref)
	if written, ok := fhir.ParseInterval(attachment.Get("creation").Text()); ok {
		x.facts.letter = written.From
	}
	words := strings.TrimSpace(attachment.Get("title").Text()) != ""
	x.facts.sourced = words || attachment.Get("url").Exists() || attachment.Get("data").Exists() ||
		ref.Get("reference").Exists() || ref.Get("identifier").Exists()
}

// performer notes who gives the consent, where that is a patient: by reference, by
// an INS, or by both, each of which must then be that of the subject.
func (x *extraction) performer(ref fhir.Node) {
	p := extraction{r: x.r}
	p.patientRef(ref)
	if literal := p.facts.patient; literal != "" && (literal == x.facts.patient || strings.HasPrefix(literal, "Patient/")) {
		x.facts.refs = append(x.facts.refs, reference{role: refPerformer, ref: literal})
	}
	for _, id := range p.facts.about {
		if isINS(id) {
			x.facts.refs = append(x.facts.refs, reference{role: refPerformer, id: id})
		}
	}
}

func (x *extraction) consentStatus() {
	switch x.r.Get("status").Text() {
	case "active":
		x.facts.status = Current
	case "inactive", "rejected", "draft", "proposed":
		x.facts.status = Inactive
	case "entered-in-error":
		x.facts.status = Deleted
	default:
		x.refuse("value", "status", "Ce statut n’est pas admis.", "This status is not supported.")
	}
}

// consentKind returns the one kind that the categories name.
func (x *extraction) consentKind() ConsentKind {
	kind, count := NoKind, 0
	for c := range x.r.Root().All("category", "coding") {
		if c.Get("system").Is(SystemConsentKind) {
			kind = consentKindOf(c.Get("code").Text())
			count++
		}
	}
	if kind == NoKind || count != 1 {
		x.refuse("business-rule", "category", "La sorte de consentement manque, est inconnue ou n’est pas unique.",
			"The kind of the consent is missing, unknown or not the only one.")
		return NoKind
	}
	return kind
}

// provision checks the provision against the table, and takes actor and period.
func (x *extraction) provision(shape consentShape) {
	p := x.r.Get("provision")
	if !p.Get("type").Is(shape.provision) {
		x.refuse("business-rule", "provision.type", "Le type de provision ne va pas avec la sorte de consentement.",
			"The type of provision does not go with the kind of consent.")
	}
	for _, name := range narrowing {
		if p.Get(name).Exists() {
			x.refuse("not-supported", "provision."+name, "Cet élément n’est pas admis.", "This element is not supported.")
		}
	}
	x.purpose(p.Get("purpose"), shape.purpose)
	x.actors(p.Get("actor"), shape.actors)
	x.facts.period = x.periodOf(p.Get("period"), "provision.period")
	x.needPeriod(p.Get("period"), shape.period)
}

func (x *extraction) purpose(purposes fhir.Node, wanted string) {
	count := 0
	for p := range purposes.Items() {
		count++
		if wanted == "" || !p.Get("system").Is(systemActReason) || !p.Get("code").Is(wanted) {
			count = -1
			break
		}
	}
	if (wanted == "") != (count == 0) || count < 0 {
		x.refuse("business-rule", "provision.purpose", "Le but ne va pas avec la sorte de consentement.",
			"The purpose does not go with the kind of consent.")
	}
}

func (x *extraction) actors(actors fhir.Node, allowed []actorKind) {
	count := 0
	for a := range actors.Items() {
		count++
		role := a.At("role", "coding")
		if !role.Get("system").Is(systemParticipant) || !role.Get("code").Is("IRCP") {
			x.refuse("business-rule", "provision.actor.role", "Le rôle de l’acteur n’est pas IRCP.", "The role of the actor is not IRCP.")
		}
		x.facts.consent.actorKind, x.facts.consent.actor = x.actor(a.Get("reference"))
		if x.facts.consent.actorKind == aboutNobody {
			x.refuse("business-rule", "provision.actor.reference", "L’acteur n’est pas identifié.", "The actor is not identified.")
		}
	}
	for _, k := range allowed {
		if k == x.facts.consent.actorKind && count <= 1 {
			return
		}
	}
	x.refuse("business-rule", "provision.actor", "L’acteur ne va pas avec la sorte de consentement.",
		"The actor does not go with the kind of consent.")
}

// actor reads whom a Consent is about. What the reference says of its type and
// the system of its identifier must agree.
func (x *extraction) actor(ref fhir.Node) (actorKind, fhir.Ident) {
	literal, typ, id := ref.Get("reference").Text(), ref.Get("type").Text(), identOf(ref.Get("identifier"))
	if local, ok := strings.CutPrefix(literal, "#"); ok {
		c := x.contained(local)
		typ = c.Get("resourceType").Text()
		for i := range c.Get("identifier").Items() {
			if n := identOf(i); id.IsZero() || isPerson(n) {
				id = n
			}
		}
		literal = ""
	}
	if typ == "" && literal != "" {
		typ, _, _ = strings.Cut(relative(literal), "/")
	}
	switch {
	case typ == "CareTeam" && literal != "":
		return aboutTeam, fhir.Ident{Value: relative(literal)}
	case id.IsZero():
		return aboutNobody, id
	case isPerson(id) && (typ == "" || typ == "Practitioner" || typ == "PractitionerRole"):
		return aboutPerson, id
	case !isPerson(id) && !isINS(id) && (typ == "Organization" || typ == "" && id.System == fhir.SystemStructure):
		return aboutStructure, id
	}
	return aboutNobody, fhir.Ident{}
}

func (x *extraction) needPeriod(n fhir.Node, need periodNeed) {
	start, end := n.Get("start").Exists(), n.Get("end").Exists()
	ok := true
	switch need {
	case periodNone:
		ok = !start && !end
	case periodEnd:
		ok = end
	case periodBoth:
		ok = start && end
	}
	if !ok {
		x.refuse("business-rule", "provision.period", "La période ne va pas avec la sorte de consentement.",
			"The period does not go with the kind of consent.")
	}
}

// period is a time from an instant to another, in microseconds since 1970: from
// is in it, to is not. Open ends are the extremes of int64; the zero period is
// not open but empty.
type period struct{ from, to int64 }

var always = period{math.MinInt64, math.MaxInt64}

func (p period) holds(at int64) bool { return p.from <= at && at < p.to }

func (p period) times() (start, end time.Time) {
	if p.from != math.MinInt64 && p != (period{}) {
		start = time.UnixMicro(p.from).UTC()
	}
	if p.to != math.MaxInt64 && p != (period{}) {
		end = time.UnixMicro(p.to).UTC()
	}
	return start, end
}

// periodOf reads a Period. A date stands for the whole of its day, in French
// time: one that ends on a day ends with it.
func (x *extraction) periodOf(n fhir.Node, name string) period {
	p := always
	if s := n.Get("start"); s.Exists() {
		i, ok := fhir.ParseInterval(s.Text())
		x.readDate(ok, name+".start")
		p.from = i.From
	}
	if e := n.Get("end"); e.Exists() {
		i, ok := fhir.ParseInterval(e.Text())
		x.readDate(ok, name+".end")
		p.to = i.To
	}
	if p.from >= p.to {
		x.refuse("business-rule", name, "La période finit avant de commencer.", "The period ends before it starts.")
	}
	return p
}

func (x *extraction) readDate(ok bool, name string) {
	if !ok {
		x.refuse("value", name, "Cette date n’est pas lisible.", "This date cannot be read.")
	}
}
