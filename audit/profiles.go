package audit

import r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

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
