package audit

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/store"
)

// Server is who records: the source of the AuditEvent and one of its agents. The
// zero Server is shown by its name, "OpenDMP", only.
type Server struct {
	URL  string // base URL of the FHIR API
	Name string
}

// instant is the form of a FHIR instant that keeps the nanoseconds of an event.
const instant = "2006-01-02T15:04:05.999999999Z07:00"

// Resource returns the event as a FHIR AuditEvent in JSON, with FHIRID as its id.
// It has the form of IHE BALP and, for the transactions of IHE MHD, of their
// Responder or Recipient audit (DOMAIN §7.2). meta.profile names a profile only
// where the event has all that it asks for: most of them are for successes, so
// that a refusal has the form and not the name.
func (e Event) Resource(d store.Dossier, server Server) ([]byte, error) {
	f := formOf(e.Interaction)
	at := e.Recorded.UTC().Format(instant)
	outcome := e.outcome()
	profiles := e.profiles(f)
	out := r4.AuditEvent{
		Id:             new(e.FHIRID(d)),
		Meta:           &r4.Meta{VersionId: new("1"), LastUpdated: &at, Profile: profiles},
		Type:           f.typ,
		Subtype:        e.subtypes(f),
		Action:         e.action(f),
		Period:         &r4.Period{Start: &at, End: &at},
		Recorded:       at,
		Outcome:        &outcome,
		OutcomeDesc:    text(e.outcomeText()),
		PurposeOfEvent: e.purposes(),
		Agent:          e.agents(f, server),
		Source:         server.source(),
		Entity:         e.entities(f),
	}
	b, err := out.MarshalJSON() // json.Marshal would check and copy its result again
	if err != nil {
		return nil, fmt.Errorf("audit: writing an AuditEvent: %w", err)
	}
	return b, nil
}

// subtypes adds that the history itself was looked at (DICOM "Audit Log Used").
func (e Event) subtypes(f form) []r4.Coding {
	codes := f.subtypes
	if f.kind == query && strings.HasPrefix(e.Query, "AuditEvent") || f.kind == read && resourceType(first(e.Objects)) == "AuditEvent" {
		codes = append(codes, coding(dicom, "110101", "Audit Log Used"))
	}
	return codes
}

// action returns the action of the event, or else that of its interaction.
func (e Event) action(f form) *r4.AuditEventAction {
	a := f.action
	if e.Action != 0 {
		a = e.Action
	}
	switch a {
	case Creates:
		return new(r4.AuditEventActionC)
	case Reads:
		return new(r4.AuditEventActionR)
	case Updates:
		return new(r4.AuditEventActionU)
	case Deletes:
		return new(r4.AuditEventActionD)
	}
	return new(r4.AuditEventActionE)
}

// outcome is success, a failure of the server, or any other failure.
func (e Event) outcome() r4.AuditEventOutcome {
	switch {
	case e.Status >= 500:
		return r4.AuditEventOutcome8
	case !e.Allowed || e.Status >= 400:
		return r4.AuditEventOutcome4
	}
	return r4.AuditEventOutcome0
}

// outcomeText says the decision and the rules that made it, for the patient.
func (e Event) outcomeText() string {
	word := "Refusé"
	if e.Allowed {
		word = "Autorisé"
	}
	if len(e.Rules) > 0 {
		word += " (" + strings.Join(e.Rules, ", ") + ")"
	}
	if e.Status >= 400 {
		word += fmt.Sprintf(", réponse HTTP %d", e.Status)
	}
	return word
}

// purposes has the French mode of access first, then its international code. The
// written reason of an emergency is its text.
func (e Event) purposes() []r4.CodeableConcept {
	if e.Kind == auth.Nobody {
		return nil
	}
	mode := coding(auth.SystemAccessMode, "normal", "Accès normal")
	switch e.Mode {
	case auth.BrisDeGlace:
		mode = coding(auth.SystemAccessMode, "bris_de_glace", "Accès bris de glace")
	case auth.Centre15:
		mode = coding(auth.SystemAccessMode, "centre_15", "Accès Centre 15")
	}
	codes := []r4.Coding{mode}
	if e.Purpose != "" {
		codes = append(codes, coding(actReason, e.Purpose, ""))
	}
	return []r4.CodeableConcept{{Coding: codes, Text: text(e.Reason)}}
}

// agents are the client, the server, who asked (the person, or else the structure),
// and the structure in which a person acts.
func (e Event) agents(f form, server Server) []r4.AuditEventAgent {
	client := r4.AuditEventAgent{
		Type:      concept(f.client),
		Who:       &r4.Reference{Display: new("logiciel non identifié")},
		Network:   unknownNetwork(),
		Requestor: e.Actor.IsZero(),
	}
	if c := text(e.Client); c != nil {
		client.Who = &r4.Reference{Identifier: &r4.Identifier{Value: c}}
	}
	agents := []r4.AuditEventAgent{client, server.agent(f)}
	if !e.Actor.IsZero() {
		agents = append(agents, e.user(f))
	}
	if e.inStructure() && !f.locates() {
		agents = append(agents, r4.AuditEventAgent{
			Type: concept(coding(roleClass, "PROV", "healthcare provider")),
			Who:  logical("Organization", e.Structure, e.StructureName),
		})
	}
	return agents
}

// inStructure tells whether a person acts in a structure; a structure that acts
// for itself is the user.
func (e Event) inStructure() bool {
	return e.Structure != e.Actor && !e.Structure.IsZero()
}

func (e Event) user(f form) r4.AuditEventAgent {
	name := e.ActorName
	if name == "" && e.Structure == e.Actor {
		name = e.StructureName
	}
	a := r4.AuditEventAgent{
		Type:         concept(f.user),
		Who:          logical(actorType(e.Kind), e.Actor, name),
		Name:         text(name),
		Requestor:    true,
		Policy:       e.token(),
		PurposeOfUse: e.purposes(),
	}
	if e.TokenID != "" {
		a.Type.Coding = append(a.Type.Coding, coding(userAgents, "UserOauthAgent", "User OAuth Agent participant"))
	}
	if c := codeOf(e.Profession.Code); c != "" {
		a.Role = []r4.CodeableConcept{*concept(coding(e.Profession.System, c, ""))}
	}
	if e.inStructure() && f.locates() {
		a.Location = logical("", e.Structure, e.StructureName)
	}
	return a
}

// token names the token used, as BALP OAUTHaccessTokenUse.Minimal does.
func (e Event) token() []string {
	if e.TokenID == "" {
		return nil
	}
	return []string{"urn:ietf:params:oauth:jti:" + url.PathEscape(e.TokenID)}
}

func (s Server) reference() r4.Reference {
	name := s.Name
	if name == "" {
		name = "OpenDMP"
	}
	r := r4.Reference{Display: &name}
	if s.URL != "" {
		r.Identifier = &r4.Identifier{System: new("urn:ietf:rfc:3986"), Value: new(s.URL)}
	}
	return r
}

func (s Server) agent(f form) r4.AuditEventAgent {
	a := r4.AuditEventAgent{Type: concept(f.server), Who: new(s.reference())}
	switch {
	case f.kind == authorization: // BALP gives the authorizer none
	case s.URL == "":
		a.Network = unknownNetwork()
	default:
		a.Network = &r4.AuditEventAgentNetwork{Address: new(s.URL), Type: new(r4.AuditEventAgentNetworkType5)}
	}
	return a
}

func (s Server) source() r4.AuditEventSource {
	typ := coding(sourceType, "4", "Application Server")
	return r4.AuditEventSource{Observer: s.reference(), Type: []r4.Coding{typ}}
}

// unknownNetwork stands where BALP wants an address and the event holds none: the
// history does not tell a patient from which address a professional connected.
func unknownNetwork() *r4.AuditEventAgentNetwork {
	return &r4.AuditEventAgentNetwork{Extension: []r4.Extension{{
		Url:       "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
		ValueCode: new("unknown"),
	}}}
}

// entities are the patient, the object that the profile is about, the query, the
// other objects, and the request.
func (e Event) entities(f form) []r4.AuditEventEntity {
	var out []r4.AuditEventEntity
	if e.Patient != "" {
		out = append(out, r4.AuditEventEntity{
			Type: new(coding(entityType, "1", "Person")),
			Role: new(coding(objectRole, "1", "Patient")),
			What: &r4.Reference{Reference: new("Patient/" + e.Patient)},
		})
	}
	if e.Query != "" {
		out = append(out, e.queryEntity(f))
	}
	main := e.mainObject(f)
	for i, o := range e.Objects {
		if text(o) == nil {
			continue
		}
		entity := r4.AuditEventEntity{
			Type: new(objectType(o)),
			Role: new(roleOf(o)),
			What: &r4.Reference{Reference: text(o)},
		}
		if i == main {
			entity.Type = new(coding(entityType, "2", "System Object"))
		}
		if f.kind == authorization && resourceType(o) == "Consent" {
			entity.Role = nil
		}
		out = append(out, entity)
	}
	if e.RequestID != "" && f.kind != authorization { // a closed list there
		out = append(out, r4.AuditEventEntity{
			Type: new(coding(entityTypes, "XrequestId", "X-Request-Id")),
			What: &r4.Reference{Identifier: &r4.Identifier{Value: text(e.RequestID)}},
		})
	}
	return out
}

// queryEntity is the query. Beside another interaction (a _format, say) it is none
// of the System Objects, of which the profiles count one.
func (e Event) queryEntity(f form) r4.AuditEventEntity {
	typ := coding(entityType, "4", "Other")
	if f.kind == query {
		typ = coding(entityType, "2", "System Object")
	}
	return r4.AuditEventEntity{
		Type:  &typ,
		Role:  new(coding(objectRole, "24", "Query")),
		Query: new(base64.StdEncoding.EncodeToString([]byte(e.Query))),
	}
}

// mainObject returns the index of the one object that the profiles call data, or
// submissionSet; -1 if there is none.
func (e Event) mainObject(f form) int {
	for i, o := range e.Objects {
		switch f.kind {
		case read, write, remove:
			return i
		case imports:
			if resourceType(o) == "List" {
				return i
			}
		}
	}
	return -1
}

// profiles returns the profiles that the resource satisfies.
func (e Event) profiles(f form) []string {
	var out []string
	if p := e.profile(f); p != "" {
		out = append(out, p)
	}
	if e.TokenID != "" && !e.Actor.IsZero() {
		out = append(out, balp+"OAUTHaccessTokenUse.Minimal")
	}
	return out
}

func (e Event) profile(f form) string {
	if e.action(f).Code() != string(f.action) {
		return ""
	}
	switch f.kind {
	case imports: // also for a failure
		if e.Patient != "" && e.mainObject(f) >= 0 {
			return f.profile
		}
		return ""
	case authorization:
		if e.Patient != "" && !e.Actor.IsZero() && e.inStructure() && e.onlyConsents() && e.Query == "" {
			return f.profile
		}
		return ""
	}
	complete := e.outcome() == r4.AuditEventOutcome0 && (f.kind == query && e.Query != "" || e.mainObject(f) >= 0)
	switch {
	case !complete, f.about != "" && resourceType(first(e.Objects)) != f.about:
		return ""
	case e.Patient != "":
		return f.profile
	}
	return f.plain
}

// onlyConsents tells whether there is an object and all are Consents.
func (e Event) onlyConsents() bool {
	for _, o := range e.Objects {
		if resourceType(o) != "Consent" {
			return false
		}
	}
	return len(e.Objects) > 0
}

// logical refers to someone by identifier and name.
func logical(typ string, id fhir.Ident, name string) *r4.Reference {
	r := &r4.Reference{Type: text(typ), Display: text(name)}
	if !id.IsZero() {
		r.Identifier = &r4.Identifier{System: text(id.System), Value: text(id.Value)}
	}
	return r
}

func actorType(k auth.Kind) string {
	switch k {
	case auth.Patient:
		return "Patient"
	case auth.Representative:
		return "RelatedPerson"
	case auth.Establishment, auth.InsuranceFeeder:
		return "Organization"
	}
	return "Practitioner"
}
