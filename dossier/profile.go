package dossier

import (
	"fmt"
	"strings"

	"opendmp/fhir"
)

// claims holds a body to the profiles that it and the resources in it claim, and its
// references to the types that R4 allows (docs/validation.md). The setting
// controle-profils says whether what fails is refused (422) or told beside the
// answer. It looks at the body alone, so that it tells nothing of a dossier. Entries
// of a batch are held to theirs one by one.
func (c *call) claims(r *fhir.Resource) error {
	switch {
	case c.profiles == Off:
		return nil
	case c.r.Interaction != fhir.Create && c.r.Interaction != fhir.Update && c.r.Interaction != fhir.Transaction:
		return nil
	case fhir.IsBatch(r):
		return nil
	}
	var broken []fhir.Issue
	for _, i := range fhir.Validate(r) {
		if i.Severity == fhir.Error {
			broken = append(broken, i)
		}
	}
	if c.profiles == Refuses && len(broken) > 0 {
		return asRule(&fhir.Invalid{Issues: broken})
	}
	for i := range broken {
		broken[i].Severity = fhir.Warning
	}
	c.unkept = broken
	return nil
}

// unkeptAt are the claims that the entry of a bundle does not keep, as warnings.
func (c *call) unkeptAt(index int) []fhir.Issue {
	var at []fhir.Issue
	entry := fmt.Sprintf("Bundle.entry[%d]", index)
	for _, i := range c.unkept {
		if rest, ok := strings.CutPrefix(i.Expression, entry); ok && (rest == "" || rest[0] == '.') {
			at = append(at, i)
		}
	}
	return at
}
