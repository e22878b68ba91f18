package audit

import (
	"encoding/base64"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"
)

// entities are the patient, the object that the profile is about, the query, the
// other objects, and the request.
func (e Event) entities(f form) []r4.AuditEventEntity {
	var out []r4.AuditEventEntity
	if e.Patient != "" {
		out = append(out, r4.AuditEventEntity{
			Type: new(coding(entityType, "1", "Person")),
			Role: new(coding(objectRole, "1", "Patient")),
			What: referenceTo("Patient/" + e.Patient),
		})
	}
	if e.Query != "" {
		out = append(out, e.queryEntity(f))
	}
	main := e.mainObject(f)
	for i, o := range e.Objects {
		entity := r4.AuditEventEntity{
			Type: new(objectType(o)),
			Role: new(roleOf(o)),
			What: referenceTo(o),
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

// referenceTo refers to a resource, or only names what is no reference.
func referenceTo(object string) *r4.Reference {
	if ref := uri(object); ref != nil && object[0] != '#' { // nothing is contained
		return &r4.Reference{Reference: ref}
	}
	return &r4.Reference{Display: &object}
}
