package fhir

import "strings"

// departure is a rule of a profile that is not held as it is written, because the
// published guides contradict each other or their own examples.
type departure struct {
	profile string // URL
	element string // the end of the path, without indices; any if empty
	rule    string // any if empty
	// severity is what is left of the error; "" drops it.
	severity Severity
	// reason is for docs/validation.md.
	reason string
}

const (
	mhdURL  = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/"
	pdsmURL = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"
)

// departures is every rule that is softened; it is never changed.
var departures = [...]departure{
	{pdsmURL + "pdsm-comprehensive-document-reference", "custodian", "min", Warning, "PDSm asks for a custodian since May 2026 only, after version 3.1.1; its own examples have none"},
	{pdsmURL + "pdsm-simplified-publish", "custodian", "min", Warning, "as above"},
	{pdsmURL + "pdsm-submissionset-comprehensive", "source", "target", Warning, "the PDSm4DMP examples name a Practitioner, where PDSm asks for a PractitionerRole"},
	{mhdURL + "IHE.MHD.UniqueIdIdentifier", "type", "min", Warning, "MHD 4.2.3 tells identifiers by use, later builds by type; the PDSm4DMP examples have neither"},
	{mhdURL + "IHE.MHD.SubmissionSetUniqueIdIdentifier", "type", "min", Warning, "as above"},
	{mhdURL + "IHE.MHD.EntryUUID.Identifier", "type", "min", Warning, "as above"},
}

// hasDepartures tells whether some rule of the profile is softened.
func (d *profileDef) hasDepartures() bool {
	if d == nil {
		return false
	}
	for i := range departures {
		if departures[i].profile == d.url {
			return true
		}
	}
	return false
}

// severity is what an error of a rule of the profile counts for at a path.
func (d *profileDef) severity(path, rule string) Severity {
	if d == nil {
		return Error
	}
	for i := range departures {
		if p := &departures[i]; p.profile == d.url && (p.rule == "" || p.rule == rule) && p.about(path) {
			return p.severity
		}
	}
	return Error
}

func (p *departure) about(path string) bool {
	return p.element == "" || strings.HasSuffix(withoutIndices(path), "."+p.element)
}

// withoutIndices removes "[0]" from a path.
func withoutIndices(path string) string {
	var b strings.Builder
	skip := false
	for i := range len(path) {
		switch c := path[i]; {
		case c == '[':
			skip = true
		case c == ']':
			skip = false
		case !skip:
			b.WriteByte(c)
		}
	}
	return b.String()
}
