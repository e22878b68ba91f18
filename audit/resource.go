package audit

import (
	"fmt"
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
	e = e.cleaned()
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

// Dates returns an AuditEvent in JSON that has the dates of Resource and nothing
// else: what a search by date compares, without the work of the whole.
func (e Event) Dates() []byte {
	at := e.Recorded.UTC().Format(instant)
	return []byte(`{"resourceType":"AuditEvent","meta":{"lastUpdated":"` + at + `"},"recorded":"` + at + `"}`)
}

// cleaned returns the event with its texts as FHIR can show them.
func (e Event) cleaned() Event {
	query := e.Query // shown in base64, as received
	for _, s := range e.texts() {
		*s = clean(*s)
	}
	e.Query = query
	e.Authority = clean(e.Authority)
	for _, id := range []*fhir.Ident{&e.Actor, &e.Structure} {
		if uri(id.System) == nil {
			id.System = ""
		}
	}
	for _, list := range e.lists() {
		var kept []string
		for _, s := range *list {
			if s = clean(s); s != "" {
				kept = append(kept, s)
			}
		}
		*list = kept
	}
	return e
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

// outcomeText says the decision, the rules that made it and the authority under
// which an establishment feeds by itself, for the patient.
func (e Event) outcomeText() string {
	word := "Refusé"
	if e.Allowed {
		word = "Autorisé"
	}
	if len(e.Rules) > 0 {
		word += " (" + strings.Join(e.Rules, ", ") + ")"
	}
	if e.Authority != "" {
		word += ", décision de la CME : " + e.Authority
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
		codes = append(codes, coding(actReason, codeOf(e.Purpose), ""))
	}
	return []r4.CodeableConcept{{Coding: codes, Text: text(e.Reason)}}
}
