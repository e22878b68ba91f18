package fhir

import (
	"slices"
	"strings"
	"testing"
)

func typeOf(t *testing.T, name string) typeID {
	t.Helper()
	i := slices.IndexFunc(typeTable[:], func(d typeDef) bool { return d.name == name })
	if i < 0 {
		t.Fatalf("no type %s", name)
	}
	return typeID(i)
}

func TestTableHoldsTogether(t *testing.T) {
	next := 0
	for i := range typeTable {
		id, d := typeID(i), &typeTable[i]
		kind := kindBackbone
		switch {
		case id < firstComplex:
			kind = kindPrimitive
		case id < firstResource:
			kind = kindComplex
		case id < firstBackbone:
			kind = kindResource
		case id >= firstForeign:
			kind = kindForeign
		}
		if d.kind != kind || int(d.first) != next || d.kind == kindPrimitive != (d.count == 0) {
			t.Errorf("%s: %+v", d.name, d)
		}
		next += int(d.count)
		var all uint64
		last := -1
		for _, e := range id.elements() {
			if int(e.bit) < last || int(e.bit) > last+1 || int(e.typ) >= len(typeTable) || int(e.binding) >= len(bindingTable) || int(e.choice) >= len(e.name) {
				t.Errorf("%s.%s: %+v", d.name, e.name, e)
			}
			last = int(e.bit)
			all |= 1 << e.bit
			if strings.ContainsAny(e.name, "[.") {
				t.Errorf("%s.%s: name", d.name, e.name)
			}
		}
		if d.required&^all != 0 {
			t.Errorf("%s: requires what it does not have", d.name)
		}
	}
	if next != len(elementTable) {
		t.Errorf("%d elements of %d belong to a type", next, len(elementTable))
	}
	for _, b := range bindingTable[1:] {
		if len(b.codes) == 0 || !slices.IsSorted(b.codes) {
			t.Errorf("%s: %q", b.url, b.codes)
		}
	}
}

// Samples that a person checked against the specification.
func TestTableSaysWhatR4Says(t *testing.T) {
	for _, c := range []struct {
		typ, element, want string
		flags              elementFlags
		required           bool
		codes              string
	}{
		{"Patient", "birthDate", "date", flagSummary, false, ""},
		{"Patient", "deceasedDateTime", "dateTime", flagSummary | flagModifier, false, ""},
		{"Patient", "gender", "code", flagSummary, false, "female male other unknown"},
		{"Patient", "id", "id", flagSummary, false, ""},
		{"Patient", "contact", "Patient.contact", flagMany, false, ""},
		{"Patient.contact", "name", "HumanName", 0, false, ""},
		{"DocumentReference", "status", "code", flagSummary | flagModifier, true, "current entered-in-error superseded"},
		{"DocumentReference", "content", "DocumentReference.content", flagMany | flagSummary, true, ""},
		{"DocumentReference", "contained", "Resource", flagMany, false, ""},
		{"DocumentReference.content", "attachment", "Attachment", flagSummary, true, ""},
		{"Attachment", "contentType", "code", flagSummary, false, ""}, // any media type
		{"Bundle.entry", "link", "Bundle.link", flagMany | flagSummary, false, ""},
		{"Bundle.entry", "resource", "Resource", flagSummary, false, ""},
		{"Consent.provision", "provision", "Consent.provision", flagMany, false, ""},
		{"Extension", "url", "uri", flagAttribute, true, ""},
		{"Extension", "valueBase64Binary", "base64Binary", 0, false, ""},
		{"HumanName", "id", "string", flagAttribute, false, ""},
		{"HumanName", "use", "code", flagSummary | flagModifier, false, "anonymous maiden nickname official old temp usual"},
		{"Narrative", "div", "xhtml", 0, true, ""},
	} {
		typ := typeOf(t, c.typ)
		e := typ.element(c.element)
		if e == nil {
			t.Errorf("%s.%s: none", c.typ, c.element)
			continue
		}
		required := typ.def().required&(1<<e.bit) != 0
		codes := strings.Join(bindingTable[e.binding].codes, " ")
		if e.typ.def().name != c.want || e.flags != c.flags || required != c.required || codes != c.codes {
			t.Errorf("%s.%s: %s %b %t %s", c.typ, c.element, e.typ.def().name, e.flags, required, codes)
		}
	}
	if typeOf(t, "Patient").element("deceased") != nil || typeOf(t, "Patient").element("deceasedString") != nil {
		t.Error("a choice without its type")
	}
	if e := typeOf(t, "Extension").element("valueString"); e.pathName() != "value" {
		t.Errorf("path name %s", e.pathName())
	}
}

// XML knows each resource type of R4, with its id in the first place.
func TestForeignResources(t *testing.T) {
	for _, name := range bindingTable[bindingResourceTypes].codes {
		id := xmlResourceNamed(name)
		if !KnownResource(name) {
			if id != noType {
				t.Errorf("%s: a type that no resource has", name)
			}
			continue
		}
		if id == noType || id.def().name != name || !id.resource() || id.elements()[0].name != "id" {
			t.Errorf("%s: %d", name, id)
		}
	}
	for _, name := range []string{"AllergyIntolerance.reaction", "Patient.contact", "HumanName", ""} {
		if id := xmlResourceNamed(name); id != noType {
			t.Errorf("%q: %d", name, id)
		}
	}
}

func TestResourceNames(t *testing.T) {
	for name, want := range map[string]struct{ handled, known bool }{
		"Patient": {true, true}, "Medication": {false, true}, "Dossier": {false, false}, "Resource": {false, false},
		"DomainResource": {false, false}, "HumanName": {false, false}, "code": {false, false}, "": {false, false}, "patient": {false, false},
	} {
		if handled, known := resourceNamed(name) != noType, KnownResource(name); handled != want.handled || known != want.known {
			t.Errorf("%s: %t, %t", name, handled, known)
		}
	}
}
