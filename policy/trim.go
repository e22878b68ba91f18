package policy

import (
	"strings"

	"opendmp/fhir"
)

// trim cuts the references to what the caller may not see: entries of a List,
// relatesTo, context.related, targets and entities of a Provenance, the source of
// a Consent, and any other reference to a resource of a dossier, such as that of a
// Consent to a care team (L17). Where
// something goes, the narrative goes too: it may tell of it. All other bytes
// stay as they are.
func (v *View) trim(r *fhir.Resource) (*fhir.Resource, error) {
	t := trimmer{view: v}
	t.list(r, "relatesTo", "target")
	t.list(r, "entry", "item")
	t.list(r, "entity", "what")
	t.walk(r.Root(), "")
	if len(t.edits) == 0 {
		return r, nil
	}
	if text := r.Get("text"); text.Exists() {
		t.edits = append(t.edits, fhir.RemoveMember(text))
	}
	return r.Splice(t.edits)
}

// Trimmable tells whether what a caller is given of a resource depends on what else
// they see: whether it has a reference that is cut for who sees nothing. Its version
// does not tell then what a caller was given of it.
func Trimmable(r *fhir.Resource) bool {
	var nobody View
	trimmed, err := nobody.trim(r)
	return err != nil || trimmed != r
}

type trimmer struct {
	view  *View
	edits []fhir.Edit
}

// list cuts the elements of a top-level array of which the named member is a
// reference to cut.
func (t *trimmer) list(r *fhir.Resource, array, member string) {
	t.edits = append(t.edits, fhir.RemoveItems(r.Get(array), func(item fhir.Node) bool {
		return t.cuts(item.Get(member), array)
	})...)
}

// walk goes through all that is below a node and cuts the references that are to
// go. A context that would be left empty goes with what it held.
func (t *trimmer) walk(n fhir.Node, name string) {
	switch n.Kind() {
	case fhir.Array:
		t.edits = append(t.edits, fhir.RemoveItems(n, func(item fhir.Node) bool { return t.cuts(item, name) })...)
		for item := range n.Items() {
			t.walk(item, name)
		}
	case fhir.Object:
		for name, m := range n.Members() {
			switch {
			case m.Kind() == fhir.Object && t.cuts(m, name):
				t.edits = append(t.edits, fhir.RemoveMember(m))
			case name == "context" && t.onlyCut(m):
				t.edits = append(t.edits, fhir.RemoveMember(m))
			default:
				t.walk(m, name)
			}
		}
	}
}

// onlyCut tells whether a context holds nothing but related references, all of
// which go.
func (t *trimmer) onlyCut(context fhir.Node) bool {
	if context.Len() != 1 || !context.Get("related").Exists() {
		return false
	}
	for item := range context.Get("related").Items() {
		if !t.cuts(item, "related") {
			return false
		}
	}
	return true
}

// cuts tells whether a reference is to go. name is the element that it is in, or
// the array of top level that holds that.
//
// By its address a reference goes if it is to a resource of dossiers that the
// caller does not see, whether or not there is one. By an identifier alone it goes
// from where documents are named, unless it names one that the caller sees: so
// what is left does not tell a hidden document from one that never was. Of a type
// that no dossier holds, an identifier names no document and stays.
func (t *trimmer) cuts(ref fhir.Node, name string) bool {
	if ref.Kind() != fhir.Object {
		return false
	}
	literal := ref.Get("reference")
	if literal.Exists() {
		return t.cutsLiteral(literal.Text(), names(name))
	}
	id := identOf(ref.Get("identifier"))
	if id.IsZero() || !names(name) {
		return false
	}
	if name == "related" && ref.At("identifier", "type", "coding", "system").Is("urn:ietf:rfc:3986") {
		return false // an order, a study, an accession: no document (PDSm, referenceIdList)
	}
	if name == "related" && elsewhere(ref.Get("type").Text()) {
		return false
	}
	if t.view.empty() {
		return true
	}
	for i := range t.view.rec.named.of(id) {
		if t.view.Read(i).Allowed() {
			return false
		}
	}
	return true
}

func (t *trimmer) cutsLiteral(literal string, strict bool) bool {
	if literal == "" || literal[0] == '#' {
		return false
	}
	ref := relative(literal)
	typ, _, _ := strings.Cut(ref, "/")
	if governed(typ) || strict && !fhir.KnownResource(typ) {
		return !t.view.Sees(ref)
	}
	return false
}

// elsewhere tells whether resources of a type are known to FHIR and held by no
// dossier: an Encounter, a ServiceRequest.
func elsewhere(typ string) bool { return fhir.KnownResource(typ) && !governed(typ) }

// names tells whether documents are named in an element.
func names(element string) bool {
	switch element {
	case "relatesTo", "entry", "entity", "related", "target", "sourceReference":
		return true
	}
	return false
}

// governed tells whether resources of a type belong to a dossier and are seen by
// the rules.
func governed(typ string) bool {
	switch typ {
	case "DocumentReference", "List", "Binary", "Bundle", "Consent", "RelatedPerson", "Provenance", "AuditEvent", "CareTeam":
		return true
	}
	return false
}
