package fhir

import (
	"encoding/json"

	models "github.com/samply/golang-fhir-models/fhir-models/fhir"
)

// OutcomeJSON returns the OperationOutcome of the issues, with their sentences in
// lang ("fr" or "en", anything else is French). Without issues it says that all
// is well, for an OperationOutcome has at least one. A code or severity that FHIR
// does not have becomes processing and error.
func OutcomeJSON(lang string, issues []Issue) []byte {
	if len(issues) == 0 {
		issues = []Issue{{Severity: Information, Code: "informational", Text: Text{FR: "Aucune anomalie.", EN: "No issue."}}}
	}
	var o models.OperationOutcome
	for _, i := range issues {
		o.Issue = append(o.Issue, outcomeIssue(lang, i))
	}
	data, err := json.Marshal(o)
	if err != nil {
		// Strings always encode; this keeps the answer a resource all the same.
		return []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"exception"}]}`)
	}
	return data
}

func outcomeIssue(lang string, i Issue) models.OperationOutcomeIssue {
	out := models.OperationOutcomeIssue{Severity: models.IssueSeverityError, Code: models.IssueTypeProcessing}
	if bindingNamed("issue-severity").has(string(i.Severity)) {
		_ = out.Severity.UnmarshalJSON(Quote(string(i.Severity))) // of the value set, so it is known
	}
	if bindingNamed("issue-type").has(i.Code) {
		_ = out.Code.UnmarshalJSON(Quote(i.Code))
	}
	if text := i.Text.In(lang); text != "" {
		out.Details = &models.CodeableConcept{Text: &text}
	}
	if i.Diagnostics != "" {
		out.Diagnostics = &i.Diagnostics
	}
	if i.Expression != "" {
		out.Expression = []string{i.Expression}
	}
	return out
}

// bindingNamed returns a value set of HL7 by the end of its URL; an empty one if
// no element requires it.
func bindingNamed(name string) *binding {
	for i := range bindingTable {
		if bindingTable[i].url == "http://hl7.org/fhir/ValueSet/"+name {
			return &bindingTable[i]
		}
	}
	return &bindingTable[0]
}
