package fhir

import (
	"slices"
	"strings"
	"testing"
)

const jdv = "https://mos.esante.gouv.fr/NOS/"

// The value sets of the ANS are known to :in and :not-in by their URLs, in whatever form
// the resource has the code system.
func TestInValueSetsOfTheANS(t *testing.T) {
	const (
		j02 = jdv + "JDV_J02-XdsHealthcareFacilityTypeCode-CISIS/FHIR/JDV-J02-XdsHealthcareFacilityTypeCode-CISIS"
		j04 = jdv + "JDV_J04-XdsPracticeSettingCode-CISIS/FHIR/JDV-J04-XdsPracticeSettingCode-CISIS"
		j07 = jdv + "JDV_J07-XdsTypeCode-CISIS/FHIR/JDV-J07-XdsTypeCode-CISIS"
		j08 = jdv + "JDV_J08-XdsConfidentialityCode-CISIS/FHIR/JDV-J08-XdsConfidentialityCode-CISIS"
	)
	doc := func(typ, label, facility, practice string) Values {
		return searchValues(t, documentWith(`"type":`+conceptOf(typ)+`,"securityLabel":[`+conceptOf(label)+`],"context":{"facilityType":`+
			conceptOf(facility)+`,"practiceSetting":`+conceptOf(practice)+`}`))
	}
	french := doc("http://loinc.org|11488-4", "urn:oid:2.16.840.1.113883.5.25|N", r02OID+"|SA05", nosA01+"|SAD")
	foreign := doc("http://loinc.org|55107-7", "http://terminology.hl7.org/CodeSystem/v3-ActCode|ETH", snomed+"|22232009", snomed+"|394802001")
	for name, url := range map[string]string{"type": j07, "security-label": j08, "facility": j02, "setting": j04} {
		for _, form := range []string{url, url + "|20240927120000"} {
			if in := query(t, "DocumentReference", name+":in="+form); !in.Match(french) || in.Match(foreign) {
				t.Errorf("%s:in finds %v %v", name, in.Match(french), in.Match(foreign))
			}
			if out := query(t, "DocumentReference", name+":not-in="+form); out.Match(french) || !out.Match(foreign) {
				t.Errorf("%s:not-in finds %v %v", name, out.Match(french), out.Match(foreign))
			}
		}
	}
	// A set whose content is not known is not one that nothing is in.
	for _, url := range []string{jdv + "JDV_J10-XdsFormatCode-CISIS/FHIR/JDV-J10-XdsFormatCode-CISIS", "|1", "ASS_X16 (types)"} {
		if _, err := ParseQuery("DocumentReference", "format:in="+strings.ReplaceAll(url, " ", "%20")); err == nil {
			t.Errorf("format:in=%s is accepted", url)
		}
	}
}

// Every value set that the terminology capabilities name is one that :in takes, and the
// tables without a URL are not among them.
func TestKnownValueSetsAreTrue(t *testing.T) {
	urls := knownValueSets()
	for _, url := range urls {
		if set := knownSet(url); set == nil || len(set.codes) == 0 {
			t.Errorf("%q is named and not known", url)
		}
	}
	about := Terminology("https://dmp.test/fhir", Software{})
	for i := range listedSets {
		if url := listedSets[i].url; url != "" && !strings.Contains(string(about), url) {
			t.Errorf("%s is known and not named", url)
		}
	}
}

// The tables are searched by halves: they are in order, and each code is there once.
func TestCodeSetsAreSorted(t *testing.T) {
	check := func(s *codeSet) {
		if !slices.IsSorted(s.codes) || len(slices.Compact(slices.Clone(s.codes))) != len(s.codes) {
			t.Errorf("%s is not in order", s.url)
		}
	}
	for i := range profileCodes {
		check(&profileCodes[i])
	}
	for i := range listedSets {
		check(&listedSets[i].codeSet)
	}
	if !slices.IsSortedFunc(listedSets[:], func(a, b listedSet) int { return strings.Compare(a.name, b.name) }) ||
		!slices.IsSortedFunc(deprecatedCodes[:], func(a, b deprecatedCode) int { return strings.Compare(a.coding, b.coding) }) {
		t.Error("the tables are not in order")
	}
}
