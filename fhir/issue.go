package fhir

import "strings"

// Text is one sentence for a person, in French and in English.
type Text struct{ FR, EN string }

// In returns the sentence in lang ("fr" or "en"); anything else is French.
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.FR
}

// Severity of an issue: the codes of http://hl7.org/fhir/issue-severity.
type Severity string

// Severities.
const (
	Fatal       Severity = "fatal"
	Error       Severity = "error"
	Warning     Severity = "warning"
	Information Severity = "information"
)

// Issue is one finding, as OperationOutcome.issue shows it.
type Issue struct {
	Severity Severity
	// Code is of http://hl7.org/fhir/issue-type: structure, required, value,
	// invariant, code-invalid, not-supported, not-found, forbidden, conflict…
	Code string
	Text Text
	// Diagnostics is English, for developers. It never quotes a hidden thing nor
	// a value of a person.
	Diagnostics string
	// Expression is the FHIRPath of the element, "DocumentReference.status".
	Expression string
	// Rule and Profile are what Validate found broken: the key of an invariant
	// ("dom-6") or the kind of rule ("min"), and the URL of the profile that has it,
	// "" for R4. Other issues have neither.
	Rule, Profile string
}

// Invalid is the error of a resource, a bundle or a request that breaks a rule
// of FHIR. It holds at least one issue of severity error or fatal.
type Invalid struct{ Issues []Issue }

func (e *Invalid) Error() string {
	var b strings.Builder
	b.WriteString("fhir: invalid")
	for _, i := range e.Issues {
		b.WriteString("; ")
		b.WriteString(i.Expression)
		b.WriteString(": ")
		b.WriteString(i.Text.EN)
	}
	return b.String()
}

// invalid makes an Invalid of one error.
func invalid(code, expression, fr, en string) *Invalid {
	return &Invalid{Issues: []Issue{{Severity: Error, Code: code, Text: Text{FR: fr, EN: en}, Expression: expression}}}
}
