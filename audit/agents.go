package audit

import (
	"net/url"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"opendmp/auth"
	"opendmp/fhir"
)

// agents are the client, the server, who asked (the person, or else the structure),
// and the structure in which a person acts.
func (e Event) agents(f form, server Server) []r4.AuditEventAgent {
	client := r4.AuditEventAgent{
		Type:      concept(f.client),
		Who:       &r4.Reference{Display: new("logiciel non identifié")},
		Network:   unknownNetwork(),
		Requestor: e.Actor.IsZero(),
	}
	if e.Client != "" {
		client.Who = &r4.Reference{Identifier: &r4.Identifier{Value: &e.Client}}
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
