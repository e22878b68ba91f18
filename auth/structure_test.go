package auth

import (
	"errors"
	"testing"

	"opendmp/fhir"
)

func TestStructuresHaveOneForm(t *testing.T) {
	for _, c := range []struct{ system, value, want string }{
		{fhir.SystemStructure, "1750000001", "1750000001"},
		{systemFINESS, "750000001", "1750000001"},
		{systemFINESSOld, "2A0000001", "12A0000001"},
		{systemSIRENE, "267500452", "2267500452"},
		{systemSIRENEOld, "26750045200011", "326750045200011"},
		{fhir.SystemStructure, "0751234567", "0751234567"},
		{fhir.SystemStructure, "41000000000100", "41000000000100"},
	} {
		got, err := ParseStructure(fhir.Ident{System: c.system, Value: c.value})
		if err != nil || got != (fhir.Ident{System: fhir.SystemStructure, Value: c.want}) {
			t.Errorf("%s|%s: %v, %v", c.system, c.value, got, err)
		}
	}
}

func TestStructuresThatNoRegisterGives(t *testing.T) {
	for _, c := range []fhir.Ident{
		{},
		{System: fhir.SystemStructure},
		{System: fhir.SystemStructure, Value: "175000000"},
		{System: fhir.SystemStructure, Value: "17500000012"},
		{System: fhir.SystemStructure, Value: "1750000001 "},
		{System: fhir.SystemStructure, Value: "1750000001\x00"},
		{System: fhir.SystemStructure, Value: "17500000О1"}, // a Cyrillic О
		{System: fhir.SystemStructure, Value: "5750000001"},
		{System: fhir.SystemStructure, Value: "22A0000001"}, // no letter in a SIREN
		{System: systemFINESS, Value: "2a0000001"},
		{System: systemSIRENE, Value: "2675004520001"},
		{System: "urn:oid:1.2.3", Value: "750000001"},
		{System: systemFINESS + "/", Value: "750000001"},
	} {
		if id, err := ParseStructure(c); !errors.Is(err, ErrStructure) {
			t.Errorf("%q is taken for %v", c, id)
		}
	}
}
