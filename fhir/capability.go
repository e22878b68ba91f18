package fhir

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/samply/golang-fhir-models/fhir-models/fhir"
)

// Software is the program that answers, for /metadata.
type Software struct {
	// Version is that of the program, "" if it has none.
	Version string
	// Date is when that version was released, as a FHIR date; it dates the
	// statement too. Without one the statement bears the date of its table.
	Date string
}

// tableDate is when the interaction table last changed.
const tableDate = "2026-11-22"

// instantiated are the statements of actors that the server plays.
var instantiated = [...]string{
	"https://interop.esante.gouv.fr/ig/fhir/pdsm/CapabilityStatement/PDSm-GestionnaireDePartageDeDocuments",
	"https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentResponder",
	"https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient",
	"https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.Generate",
}

const securityText = "TLS. Bearer tokens (OAuth 2.0, SMART App Launch, IHE IUA) that name a person or, behind an organisation certificate, " +
	"a system. Every answer but this one and errors is decided by the rules of the record and written to its history."

const restText = "Nothing is ignored: an unknown parameter, modifier, value or element is a 400. " +
	"Prefer: handling=lenient leaves out parameters, sort keys and inclusions that are not in this statement, and tells so in an OperationOutcome of the answer. " +
	"Of the result parameters _count (0 to 200), _sort (4 keys), _total, _summary, _elements, _format and _pretty are supported, each once, " +
	"and _include and _revinclude as listed (10 in all), also with :iterate from any type; a reading, a history and this statement take _summary and _elements, a history _since and _count too. " +
	"Of the date prefixes all; of the modifiers :not on tokens, :in and :not-in with the value sets of the profiles below and of R4 codes, " +
	":exact and :contains on strings, :missing, a type on references, and :identifier where a parameter has that chain. " +
	"A date or time without zone is taken in Europe/Paris. ap is that the two periods overlap."

// Capability returns the CapabilityStatement as JSON, from the interaction table
// alone: it lists what the server does, and nothing that a request could not ask
// for. It tells nothing of patients, and is the same for every caller. Types that the
// server does without are left out.
func Capability(base string, software Software, without ...string) []byte {
	statement := fhir.CapabilityStatement{
		Status:         fhir.PublicationStatusActive,
		Date:           cmp.Or(software.Date, tableDate),
		Kind:           fhir.CapabilityStatementKindInstance,
		Name:           new("OpenDMP"),
		Title:          new("OpenDMP, dossier médical partagé en HL7 FHIR"),
		Instantiates:   instantiated[:],
		Software:       &fhir.CapabilityStatementSoftware{Name: "OpenDMP", Version: optional(software.Version), ReleaseDate: optional(software.Date)},
		Implementation: &fhir.CapabilityStatementImplementation{Description: "OpenDMP", Url: optional(base)},
		FhirVersion:    fhir.FHIRVersion4_0_1,
		Format:         []string{"json", "xml", "application/fhir+json", "application/fhir+xml"},
		PatchFormat:    []string{"application/json-patch+json", "application/xml-patch+xml", "application/fhir+json", "application/fhir+xml"},
		Rest:           []fhir.CapabilityStatementRest{restCapability(base, without)},
	}
	b, err := json.Marshal(statement)
	if err != nil {
		panic(fmt.Sprintf("fhir: the capability statement cannot be written: %v", err)) // its types always can
	}
	return b
}

func restCapability(base string, without []string) fhir.CapabilityStatementRest {
	rest := fhir.CapabilityStatementRest{
		Mode:          fhir.RestfulCapabilityModeServer,
		Documentation: new(restText),
		Security: &fhir.CapabilityStatementRestSecurity{
			Cors:        new(false),
			Service:     []fhir.CodeableConcept{securityService("SMART-on-FHIR"), securityService("OAuth")},
			Description: new(securityText),
		},
		Interaction: []fhir.CapabilityStatementRestInteraction{
			{Code: fhir.SystemRestfulInteractionTransaction, Documentation: new(
				"IHE MHD ITI-65 (PDSm, UnContained, Comprehensive and Minimal); the opening of a record; or up to 100 acts: PATCH, PUT and DELETE of what is there, POST of Consent and CareTeam, GET. " +
					"All or nothing, in one record. No operations.")},
			{Code: fhir.SystemRestfulInteractionBatch, Documentation: new("Each entry, of up to 100, is answered as if it had come alone.")},
		},
	}
	for i := range services {
		if !slices.Contains(without, services[i].name) {
			rest.Resource = append(rest.Resource, services[i].capability(base))
		}
	}
	return rest
}

func securityService(code string) fhir.CodeableConcept {
	return fhir.CodeableConcept{Coding: []fhir.Coding{{
		System: new("http://terminology.hl7.org/CodeSystem/restful-security-service"), Code: new(code),
	}}}
}

func (t *service) capability(base string) fhir.CapabilityStatementRestResource {
	r := fhir.CapabilityStatementRestResource{
		Type:             modelCode[fhir.ResourceType](t.name),
		SupportedProfile: t.profiles,
		Documentation:    optional(t.documentation()),
	}
	for _, i := range t.does {
		if i != Operation {
			r.Interaction = append(r.Interaction, fhir.CapabilityStatementRestResourceInteraction{Code: modelCode[fhir.TypeRestfulInteraction](string(i))})
		}
	}
	for _, i := range t.inBundle {
		r.Interaction = append(r.Interaction, fhir.CapabilityStatementRestResourceInteraction{
			Code: modelCode[fhir.TypeRestfulInteraction](string(i)), Documentation: new("As an entry of a transaction only."),
		})
	}
	if t.supports(VRead) {
		r.Versioning, r.ReadHistory = new(fhir.ResourceVersionPolicyVersioned), new(true)
	}
	r.SearchInclude, r.SearchRevInclude = Includes(t.name, false), Includes(t.name, true)
	t.conditionalCapability(&r)
	for i := range t.params {
		p := &t.params[i]
		r.SearchParam = append(r.SearchParam, fhir.CapabilityStatementRestResourceSearchParam{
			Name: p.Name, Definition: optional(p.Definition), Type: modelCode[fhir.SearchParamType](string(p.Type)), Documentation: optional(p.Doc),
		})
	}
	for _, o := range t.operations {
		r.Operation = append(r.Operation, fhir.CapabilityStatementRestResourceOperation{
			Name: o.Name, Definition: o.Definition(base), Documentation: new(o.Title.EN),
		})
	}
	return r
}

// documentation is what the statement says of a type, with the keys of _sort, for
// which it has no element.
func (t *service) documentation() string {
	var keys []string
	for i := range t.params {
		if t.params[i].Sortable {
			keys = append(keys, t.params[i].Name)
		}
	}
	if len(keys) == 0 || !t.supports(Search) {
		return t.doc
	}
	return strings.TrimSpace(t.doc + " Keys of _sort: " + strings.Join(keys, ", ") + ".")
}

// conditionalCapability says which interactions may name their resource by a
// query. conditionalUpdate is about PUT; FHIR R4 has no element for PATCH, of which
// the documentation of the type tells.
func (t *service) conditionalCapability(r *fhir.CapabilityStatementRestResource) {
	has := func(i Interaction) bool { return slices.Contains(t.conditional, i) }
	if t.supportsEntry(Create) {
		r.ConditionalCreate = new(has(Create))
	}
	if t.supports(Update) || t.supports(Patch) {
		r.ConditionalUpdate = new(has(Update))
	}
	if t.supports(Update) {
		r.UpdateCreate = new(false)
	}
	if t.supports(Delete) {
		r.ConditionalDelete = new(fhir.ConditionalDeleteStatusNotSupported)
		if has(Delete) {
			r.ConditionalDelete = new(fhir.ConditionalDeleteStatusSingle)
		}
	}
}

// modelCode returns a code of the models by its text. A code of the table that
// the models do not have is a mistake in the table.
func modelCode[T any, P interface {
	*T
	json.Unmarshaler
}](code string) T {
	var v T
	if err := P(&v).UnmarshalJSON([]byte(`"` + code + `"`)); err != nil {
		panic("fhir: " + err.Error())
	}
	return v
}

// optional returns nil for the empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
