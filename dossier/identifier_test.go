package dossier_test

import (
	"fmt"
	"strings"
	"testing"

	"opendmp/fhir"
)

const setIdentifier = "urn:oid:1.2.250.1.213.1.4.8.77777.2"

// identified is a submission whose List has that identifier.
func identified(push string) string {
	return strings.Replace(push, `"resourceType": "List",`, `"resourceType": "List", "identifier": [{"system": "urn:ietf:rfc:3986", "value": "`+setIdentifier+`"}],`, 1)
}

// A business identifier without its system is that value in any system; with a bare
// bar it is one that has none (R4 §3.1.1.4.10). Nobody need name the patient, and
// nobody finds what they do not see.
func TestSearchByIdentifierWithoutSystem(t *testing.T) {
	s := newScene(t)
	const document = "urn:oid:1.2.250.1.213.1.4.8.99999.2"
	push := strings.ReplaceAll(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), "99999.2", "99999.7")
	s.author.post("", identified(push)).is(200)
	for _, c := range []struct{ typ, value string }{{"DocumentReference", document}, {"List", setIdentifier}} {
		for _, patient := range []string{"", "&patient=" + s.patient} {
			for identifier, total := range map[string]string{
				c.value:                                 "1",
				"urn:ietf:rfc:3986|" + c.value:          "1",
				"urn:none," + c.value:                   "1",
				"|" + c.value:                           "0",
				"urn:oid:1.2.3|" + c.value:              "0",
				strings.TrimSuffix(c.value, "2") + "99": "0",
			} {
				s.me().get(c.typ+"?identifier="+identifier+patient).is(200).has("total", total)
			}
		}
		s.doctor(leroy, "1750000004").get(c.typ+"?identifier="+c.value).is(200).has("total", "0")
	}
	archive := `[{"op":"replace","path":"/extension[url:'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived']/valueBoolean","value":true}]`
	s.author.patch("DocumentReference?identifier="+document, archive).is(200)
	s.me().get("DocumentReference?identifier="+document+"&isArchived=true").is(200).has("total", "1")
}

// A value that is in use in very many dossiers is not looked up in all of them.
func TestSearchByWidespreadValue(t *testing.T) {
	s := newScene(t)
	push := strings.ReplaceAll(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), published.System+"|", systemTestINS+"|")
	push = strings.ReplaceAll(push, `"`+published.System+`"`, `"`+systemTestINS+`"`)
	for n := range 50 {
		ins := fhir.Ident{System: systemTestINS, Value: insNumber(n + 1).Value}
		s.openFor(ins)
		s.author.post("", strings.ReplaceAll(push, published.Value, ins.Value)).is(200)
	}
	const value = "urn:oid:1.2.250.1.213.1.4.8.99999.2"
	s.reader().get("DocumentReference?identifier="+value).is(400).has("issue.0.code", "too-costly")
	s.reader().get(fmt.Sprintf("DocumentReference?identifier=%s&patient=%s", value, s.patient)).is(200).has("total", "1")
}
