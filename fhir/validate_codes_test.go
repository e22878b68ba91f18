package fhir

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	nosA03 = "https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument"
	nosA05 = "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire"
	nosA10 = "https://mos.esante.gouv.fr/NOS/TRE_A10-NomenclatureURN/FHIR/TRE-A10-NomenclatureURN"
	nosA12 = "https://mos.esante.gouv.fr/NOS/TRE_A12-NomenclatureASTM/FHIR/TRE-A12-NomenclatureASTM"
	nosR02 = "https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite"
	nosA01 = "https://mos.esante.gouv.fr/NOS/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice"
	nosG15 = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
	snomed = "http://snomed.info/sct"
	a02OID = "urn:oid:1.2.250.1.213.1.1.4.5"
	r02OID = "urn:oid:1.2.250.1.71.4.2.4"
	a11OID = "urn:oid:1.3.6.1.4.1.19376.1.2.3"
	iheFmt = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
)

func conceptOf(codings ...string) string {
	var b strings.Builder
	for i, c := range codings {
		if i > 0 {
			b.WriteByte(',')
		}
		system, code, _ := strings.Cut(c, "|")
		fmt.Fprintf(&b, `{"system":%q,"code":%q}`, system, code)
	}
	return `{"coding":[` + b.String() + `]}`
}

func codingOf(coding string) string {
	system, code, _ := strings.Cut(coding, "|")
	return fmt.Sprintf(`{"system":%q,"code":%q}`, system, code)
}

// documentWith is a document with those members.
func documentWith(members string) string {
	return `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"url":"Binary/1"}}],` + members + `}`
}

func submissionSetWith(members string) string {
	return `{"resourceType":"List","status":"current","mode":"working","code":` + conceptOf(systemMHDLists+"|submissionset") + `,` + members + `}`
}

// codeFindings are the findings as "severity expression rule".
func codeFindings(t *testing.T, data string) []string {
	t.Helper()
	r, err := Parse([]byte(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	var found []string
	for _, i := range CheckCodes(r) {
		if i.Text.FR == "" || i.Text.EN == "" || strings.Contains(i.Text.FR+i.Text.EN, "%!") || i.Code != "code-invalid" {
			t.Errorf("%+v", i)
		}
		found = append(found, fmt.Sprint(i.Severity, " ", i.Expression, " ", i.Rule))
	}
	return found
}

func TestCheckCodes(t *testing.T) {
	const at = "error DocumentReference."
	format := func(coding string) string {
		return `"status":"current","content":[{"attachment":{"url":"Binary/1"},"format":` + codingOf(coding) + `}]`
	}
	author := func(members string) string {
		return `"author":[{"reference":"#a"}],"contained":[{"resourceType":"PractitionerRole","id":"a",` + members + `}]`
	}
	for name, c := range map[string]struct{ members, want string }{
		"nothing coded":                    {`"date":"2026-01-01T00:00:00Z"`, ""},
		"type of J07":                      {`"type":` + conceptOf("http://loinc.org|11488-4"), ""},
		"type of TRE_A05":                  {`"type":` + conceptOf(nosA05+"|BIL_AUTO"), ""},
		"type under the OID of LOINC":      {`"type":` + conceptOf("urn:oid:2.16.840.1.113883.6.1|11488-4"), ""},
		"signature":                        {`"type":` + conceptOf(nosA12+"|E1762") + `,"category":[` + conceptOf(nosA10+"|urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1") + `]`, ""},
		"LOINC that is no type":            {`"type":` + conceptOf("http://loinc.org|55107-7"), at + "type.coding[0] constr-bind-type"},
		"a type of another system":         {`"type":` + conceptOf(snomed+"|721912009"), at + "type.coding[0] constr-bind-type"},
		"a code of J07 under another":      {`"type":` + conceptOf(nosA05+"|11488-4"), at + "type.coding[0] constr-bind-type"},
		"one of two codings is enough":     {`"type":` + conceptOf(snomed+"|1", "http://loinc.org|11488-4"), ""},
		"wherever it stands":               {`"type":` + conceptOf("http://loinc.org|11488-4", snomed+"|1", "http://loinc.org|1-8"), ""},
		"the nearest of two is named":      {`"type":` + conceptOf(snomed+"|1", "http://loinc.org|1-8"), at + "type.coding[1] constr-bind-type"},
		"a text alone":                     {`"type":{"text":"compte rendu"}`, at + "type constr-bind-type"},
		"deprecated TRE_A05":               {`"type":` + conceptOf(nosA05+"|INSCR_RCP"), "warning DocumentReference.type.coding[0] constr-bind-type"},
		"deprecated LOINC":                 {`"type":` + conceptOf("http://loinc.org|11526-1"), "warning DocumentReference.type.coding[0] constr-bind-type"},
		"a code in force beside it":        {`"type":` + conceptOf("http://loinc.org|11526-1", "http://loinc.org|60568-3"), ""},
		"class":                            {`"category":[` + conceptOf(nosA03+"|10") + `]`, ""},
		"class that is none":               {`"category":[` + conceptOf(nosA03+"|03") + `]`, at + "category[0].coding[0] constr-bind-category"},
		"second class":                     {`"category":[` + conceptOf(nosA03+"|10") + `,` + conceptOf("http://loinc.org|11369-6") + `]`, at + "category[1].coding[0] constr-bind-category"},
		"labels":                           {`"securityLabel":[` + conceptOf(SystemConfidentiality+"|N") + `,` + conceptOf(SystemVisibility+"|MASQUE_PS") + `]`, ""},
		"the label of a published example": {`"securityLabel":[` + conceptOf("https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument|N") + `]`, ""},
		"label of social workers":          {`"securityLabel":[` + conceptOf(SystemVisibility+"|MASQUE_PSOCIAL") + `]`, at + "securityLabel[0].coding[0] binding"},
		"facility":                         {`"context":{"facilityType":` + conceptOf(nosR02+"|SA05") + `}`, ""},
		"facility under its OID":           {`"context":{"facilityType":` + conceptOf(r02OID+"|SA05") + `}`, ""},
		"facility that is none":            {`"context":{"facilityType":` + conceptOf(nosR02+"|SA11") + `}`, at + "context.facilityType.coding[0] constr-bind-ProducteurDoc"},
		"facility of SNOMED CT":            {`"context":{"facilityType":` + conceptOf(snomed+"|22232009") + `}`, at + "context.facilityType.coding[0] constr-bind-ProducteurDoc"},
		"practice":                         {`"context":{"practiceSetting":` + conceptOf(nosA01+"|SAD") + `}`, ""},
		"practice that is a facility":      {`"context":{"practiceSetting":` + conceptOf(nosR02+"|SA05") + `}`, at + "context.practiceSetting.coding[0] constr-bind-ProducteurDoc"},
		"an event of any system":           {`"context":{"event":[` + conceptOf("urn:oid:1.2.250.1.213.2.5|ZZZZ") + `]}`, ""},
		"author":                           {author(`"specialty":[` + conceptOf(a02OID+"|G15_10/SM54") + `]`), ""},
		"an author of no specialty":        {author(`"specialty":[` + conceptOf(a02OID+"|G15_10/SM99") + `]`), at + "contained[0].specialty[0].coding[0] binding"},
		"an author of the directory":       {author(`"specialty":[` + conceptOf("https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale|SM54") + `]`), ""},
		"a profession":                     {author(`"code":[` + conceptOf(nosG15+"|10") + `]`), ""},
		"a profession that is no more":     {author(`"code":[` + conceptOf(nosG15+"|35") + `]`), "warning DocumentReference.contained[0].code[0].coding[0] binding"},
		"a profession that is none":        {author(`"code":[` + conceptOf("urn:oid:1.2.250.1.71.1.2.7|11") + `]`), at + "contained[0].code[0].coding[0] binding"},
		"a function":                       {author(`"code":[` + conceptOf("https://mos.esante.gouv.fr/NOS/TRE_R21-Fonction/FHIR/TRE-R21-Fonction|FON-05") + `]`), ""},
		"a qualification":                  {strings.Replace(author(`"qualification":[{"code":`+conceptOf("urn:diploma|x", nosG15+"|99")+`}]`), "PractitionerRole", "Practitioner", 1), at + "contained[0].qualification[0].code.coding[1] binding"},
		"an author in words":               {author(`"specialty":[{"text":"cardiologue"}]`), ""},
	} {
		if got := strings.Join(codeFindings(t, documentWith(c.members)), "\n"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for coding, want := range map[string]string{
		iheFmt + "|urn:ihe:iti:xds-sd:pdf:2008": "", a11OID + "|urn:ihe:iti:xds-sd:pdf:2008": "", nosA10 + "|urn:x": "",
		"urn:zzz|x": at + "content[0].format constr-bind-format", "|x": at + "content[0].format constr-bind-format",
	} {
		data := `{"resourceType":"DocumentReference",` + format(coding) + `}`
		if coding[0] == '|' {
			data = strings.Replace(data, `"system":"",`, "", 1)
		}
		if got := strings.Join(codeFindings(t, data), "\n"); got != want {
			t.Errorf("format %s: %q, want %q", coding, got, want)
		}
	}
}

// What the simplified profile only recommends is a warning to those who claim it.
func TestCheckCodesOfSimplifiedPublish(t *testing.T) {
	foreign := `"context":{"facilityType":` + conceptOf(snomed+"|22232009") + `},"type":` + conceptOf("http://loinc.org|1-8")
	want := []string{"error DocumentReference.type.coding[0] constr-bind-type", "warning DocumentReference.context.facilityType.coding[0] constr-bind-ProducteurDoc-simplified"}
	if got := codeFindings(t, documentWith(`"meta":{"profile":["`+pdsmSimplified+`|3.1.1"]},`+foreign)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Of Lists only submission sets are held to their designation; a Bundle is looked
// into, other resources are not.
func TestCheckCodesOfListsAndBundles(t *testing.T) {
	designation := func(coding string) string {
		return `"extension":[{"url":"` + extDesignation + `","valueCodeableConcept":` + conceptOf(coding) + `},{"url":"urn:other","valueString":"x"}]`
	}
	const bad = "error List.extension[0].value.coding[0] constr-bind-designationtype"
	folder := strings.Replace(submissionSetWith(designation(nosA03+"|11")), "submissionset", "folder", 1)
	for data, want := range map[string]string{
		submissionSetWith(designation(nosR02 + "|SA05")): "",
		submissionSetWith(designation(nosA03 + "|11")):   bad,
		folder: "",
		`{"resourceType":"Patient","maritalStatus":` + conceptOf("urn:zzz|x") + `}`:                                                                                                       "",
		`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","active":true}},{"resource":` + submissionSetWith(designation(nosA03+"|11")) + `}]}`: "error Bundle.entry[1].resource.extension[0].value.coding[0] constr-bind-designationtype",
	} {
		if got := strings.Join(codeFindings(t, data), "\n"); got != want {
			t.Errorf("%q, want %q\n%s", got, want, data)
		}
	}
}

// The sentences name code, system and list, and cut what a client wrote at length.
func TestCheckCodesSentences(t *testing.T) {
	long := strings.Repeat("é", 200)
	for members, want := range map[string]Text{
		`"type":` + conceptOf("http://loinc.org|1-8"): {
			"Le code 1-8 de LOINC n’est pas dans la liste JDV_J07-XdsTypeCode-CISIS.", "The code 1-8 of LOINC is not in the list JDV_J07-XdsTypeCode-CISIS."},
		`"type":` + conceptOf("urn:zzz|1"): {
			"Le code 1 de urn:zzz n’a pas sa place dans « type » : un code de LOINC, TRE_A05 ou TRE_A12 est attendu.",
			"The code 1 of urn:zzz has no place in “type”: one of LOINC, TRE_A05 or TRE_A12 is expected."},
		`"type":{"text":"x"}`: {
			"« type » n’a pas de code : un code de LOINC, TRE_A05 ou TRE_A12 est attendu.", "“type” has no code: one of LOINC, TRE_A05 or TRE_A12 is expected."},
		`"type":` + conceptOf("http://loinc.org|11526-1"): {
			"Le code 11526-1 de LOINC est obsolète : il est remplacé par 60568-3.", "The code 11526-1 of LOINC is deprecated: it is replaced by 60568-3."},
		`"type":` + conceptOf(nosA05+"|DOCPAT10"): {"Le code DOCPAT10 de TRE_A05 est obsolète.", "The code DOCPAT10 of TRE_A05 is deprecated."},
		`"type":` + conceptOf("http://loinc.org|"+long): {
			"Le code " + strings.Repeat("é", maxShown/2) + "… de LOINC n’est pas dans la liste JDV_J07-XdsTypeCode-CISIS.",
			"The code " + strings.Repeat("é", maxShown/2) + "… of LOINC is not in the list JDV_J07-XdsTypeCode-CISIS."},
	} {
		r, err := Parse([]byte(documentWith(members)))
		if err != nil {
			t.Fatal(err)
		}
		if got := CheckCodes(r); len(got) != 1 || got[0].Text != want {
			t.Errorf("%+v\nwant %+v", got, want)
		}
	}
}

// What is said of the codes of the published examples, one by one: those of IHE speak
// SNOMED CT, and so do some of PDSm4DMP.
func TestCheckCodesOfFixtures(t *testing.T) {
	const golden = "testdata/golden/codes-fixtures.txt"
	var b strings.Builder
	for _, name := range fixtureNames(t) {
		r, err := Scan(readFixture(t, name))
		if err != nil {
			continue
		}
		for _, i := range CheckCodes(r) {
			fmt.Fprintf(&b, "%s: %s %s %s: %s\n", name, i.Severity, i.Expression, i.Rule, i.Text.EN)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || b.String() != string(want) {
		t.Errorf("the codes of the fixtures are judged otherwise than in %s (%v); see with -update && git diff", golden, err)
	}
}

// Each rule names code systems of the table, and the key of an invariant that is said
// to be held so, or "binding".
func TestCodedElements(t *testing.T) {
	held := map[string]bool{}
	for _, e := range slices.Concat(codedDocument[:], codedSubmissionSet[:], codedPeople[:]) {
		for _, name := range e.systems {
			if !slices.ContainsFunc(codeSystems[:], func(s codeSystem) bool { return s.name == name }) {
				t.Errorf("%v: no code system %s", e.path, name)
			}
		}
		if len(e.systems) == 0 || len(e.systems) < 2 && !e.othersToo || len(e.sets) == 0 {
			t.Errorf("%v: systems %v, sets %v", e.path, e.systems, e.sets)
		}
		held[e.rule], held[e.recommended] = true, true
	}
	for _, d := range profileInvariants {
		if d.byCodes != held[d.key] {
			t.Errorf("%s: held by CheckCodes %v, the table says %v", d.key, held[d.key], d.byCodes)
		}
	}
}

func BenchmarkCheckCodes(b *testing.B) {
	r, err := Parse(readFixture(b, "pdsm/DocumentReference-PDSmSimplifiedExample.json"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		CheckCodes(r)
	}
}
