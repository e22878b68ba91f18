package dossier

import (
	"fmt"
	"slices"
	"strings"

	"opendmp/fhir"
)

// claims holds a body to the profiles that it and the resources in it claim, its
// references to the types that R4 allows, and its codes to the terminologies of the
// DMP (docs/validation.md). The settings controle-profils and controle-terminologie say
// whether what fails is refused (422) or told beside the answer. It looks at the body
// alone, so that it tells nothing of a dossier. Entries of a batch are held to theirs
// one by one.
func (c *call) claims(r *fhir.Resource) error {
	switch {
	case c.r.Interaction != fhir.Create && c.r.Interaction != fhir.Update && c.r.Interaction != fhir.Transaction:
		return nil
	case fhir.IsBatch(r):
		return nil
	}
	return c.hold(c.claimFindings(r))
}

// patched holds what a PATCH changed to the same. The rest stays as it was filed: it may
// be older than the lists and the profiles, and nobody is kept from masking a document by
// what its author left out.
func (c *call) patched(before, after *fhir.Resource) error {
	found := c.claimFindings(after)
	if len(found) == 0 {
		return nil
	}
	had, changed := c.claimFindings(before), changedElements(before, after)
	return c.hold(slices.DeleteFunc(found, func(i fhir.Issue) bool {
		return slices.Contains(had, i) && !touches(changed, topElement(i.Expression))
	}))
}

// touches tells whether changes, as changedElements names them, are of an element.
func touches(changed []string, element string) bool {
	if element == "extension" {
		return slices.ContainsFunc(changed, func(name string) bool { return strings.Contains(name, ":") })
	}
	return slices.Contains(changed, element)
}

// topElement returns the element of the resource that a path goes through:
// "context" of "DocumentReference.context.facilityType.coding[0]".
func topElement(path string) string {
	_, rest, _ := strings.Cut(path, ".")
	if end := strings.IndexAny(rest, ".["); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// claimFindings are the claims that a resource does not keep and its codes that are out
// of place, as the settings count them.
func (c *call) claimFindings(r *fhir.Resource) []fhir.Issue {
	var found []fhir.Issue
	if c.profiles != Off {
		found = atLevel(c.profiles, errorsOf(fhir.Validate(r)))
	}
	return append(found, c.codeFindings(r)...)
}

// codeFindings are the codes of a resource that are out of place, as the setting
// controle-terminologie counts them. Deprecated codes are warnings always.
func (c *call) codeFindings(r *fhir.Resource) []fhir.Issue {
	if c.codes == Off {
		return nil
	}
	return atLevel(c.codes, fhir.CheckCodes(r))
}

// hold refuses a body of which one finding is an error, and keeps warnings to tell.
func (c *call) hold(found []fhir.Issue) error {
	if fhir.Failed(found) {
		return asRule(&fhir.Invalid{Issues: found})
	}
	c.unkept = found
	return nil
}

// atLevel counts errors as the level of a check says: as warnings unless it refuses.
func atLevel(level Level, found []fhir.Issue) []fhir.Issue {
	if level == Refuses {
		return found
	}
	for i := range found {
		if found[i].Severity == fhir.Error {
			found[i].Severity = fhir.Warning
		}
	}
	return found
}

func errorsOf(found []fhir.Issue) []fhir.Issue {
	return slices.DeleteFunc(found, func(i fhir.Issue) bool { return i.Severity != fhir.Error })
}

// unkeptAt are the claims that the entry of a bundle does not keep, and its codes that
// are out of place, as warnings.
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
