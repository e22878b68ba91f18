package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// The flags and levels count under every system that is published for them (DOMAIN
// §3.1), and under no other.
func TestLabelsUnderEveryAlias(t *testing.T) {
	const (
		misspelt = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument"
		oidA07   = "urn:oid:1.2.250.1.213.1.1.4.13"
		a08      = "https://mos.esante.gouv.fr/NOS/TRE_A08-HL7Confidentiality/FHIR/TRE-A08-HL7Confidentiality"
		oidA08   = "urn:oid:2.16.840.1.113883.5.25"
	)
	flags := map[string]Flags{
		"MASQUE_PS": {Masque: true}, "INVISIBLE_PATIENT": {InvisiblePatient: true},
		"INVISIBLE_REPRESENTANTS_LEGAUX": {InvisibleRepresentants: true}, "INVISIBLE_REP_LEGAUX": {InvisibleRepresentants: true},
		"N": {}, "R": {}, "V": {},
	}
	for _, system := range []string{fhir.SystemVisibility, misspelt, oidA07} {
		for code, want := range flags {
			f, err := FactsOf(parse(t, document(label(system, code))), Origin{})
			if err != nil || f.Flags() != want {
				t.Errorf("%s|%s: %+v, %v", system, code, f.Flags(), err)
			}
		}
	}
	for _, system := range []string{fhir.SystemConfidentiality, a08, oidA08} {
		for code, want := range flags {
			f, err := FactsOf(parse(t, document(label(system, code))), Origin{})
			if base := len(code) == 1; (err == nil) != base || err == nil && f.Flags() != want {
				t.Errorf("%s|%s: %+v, %v", system, code, f.Flags(), err)
			}
		}
	}
}

// A label that is not known could be a restriction: it is refused, wherever it
// stands and however it is written.
func TestUnknownLabels(t *testing.T) {
	of := func(system, code string) string { return fmt.Sprintf(`{"system":%q,"code":%q}`, system, code) }
	const act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	for _, coding := range []string{
		of(fhir.SystemVisibility, "MASQUE_PSOCIAL"), of(fhir.SystemVisibility, "MASQUE_PT"), of(fhir.SystemVisibility, "masque_ps"),
		of(fhir.SystemVisibility, " MASQUE_PS"), of(fhir.SystemVisibility, "CONNEXION_SECRETE"), of(fhir.SystemConfidentiality, "U"),
		of(fhir.SystemConfidentiality, "L"), of(fhir.SystemConfidentiality, "n"), of(act, "PSY"), of(act, "HIV"), of("urn:x", "N"),
		of("https://mos.esante.gouv.fr/NOS/JDV_J08-XdsConfidentialityCode-CISIS/FHIR/JDV-J08-XdsConfidentialityCode-CISIS", "MASQUE_PS"),
		of("https://mos.esante.gouv.fr/NOS/JDV_J58-ConfidentialityCode-DMP/FHIR/JDV-J58-ConfidentialityCode-DMP", "MASQUE_PS"),
		of("1.2.250.1.213.1.1.4.13", "MASQUE_PS"), `{"code":"MASQUE_PS"}`, `{"system":"` + fhir.SystemVisibility + `"}`, `{"display":"masqué"}`,
	} {
		good := of(fhir.SystemConfidentiality, "N")
		for place, labels := range map[string]string{
			"alone":               `"securityLabel":[{"coding":[` + coding + `]}]`,
			"after a good one":    `"securityLabel":[{"coding":[` + good + `]},{"coding":[` + coding + `]}]`,
			"beside a good one":   `"securityLabel":[{"coding":[` + good + `,` + coding + `]}]`,
			"in meta of document": `"meta":{"security":[` + coding + `]}`,
		} {
			refusesLabel(t, place+" "+coding, document(labels))
		}
		refusesLabel(t, "in meta of List "+coding, `{"resourceType":"List","status":"current","subject":{"reference":"Patient/alix"},"meta":{"security":[`+coding+`]}}`)
	}
	// Flags in meta would be lost: they are for securityLabel.
	refusesLabel(t, "a flag in meta", document(`"meta":{"security":[`+of(fhir.SystemVisibility, "MASQUE_PS")+`]}`))
	for _, kept := range []string{of(fhir.SystemConfidentiality, "R"), of(systemActReason, "HTEST")} {
		if _, err := FactsOf(parse(t, document(`"meta":{"security":[`+kept+`]}`)), Origin{}); err != nil {
			t.Errorf("meta.security %s: %v", kept, err)
		}
	}
}

func refusesLabel(t *testing.T, name, json string) {
	t.Helper()
	_, err := FactsOf(parse(t, json), Origin{})
	var invalid *fhir.Invalid
	if !errors.As(err, &invalid) || invalid.Issues[0].Code != "value" || !strings.HasSuffix(strings.ToLower(invalid.Issues[0].Expression), "security") &&
		!strings.HasSuffix(invalid.Issues[0].Expression, "securityLabel") {
		t.Errorf("%s: %v", name, err)
	}
}

// A professional is one person under every system and prefix of their number.
func TestPersonsUnderEveryAlias(t *testing.T) {
	want := fhir.Ident{System: fhir.SystemRPPS, Value: "99900000012"}
	for _, i := range []fhir.Ident{
		{System: oidPerson, Value: "899900000012"}, {System: oidPerson, Value: "99900000012"}, {System: fhir.SystemRPPS, Value: "99900000012"}, {System: fhir.SystemRPPS, Value: "899900000012"},
	} {
		f, err := FactsOf(parse(t, document(fmt.Sprintf(`"author":[{"identifier":{"system":%q,"value":%q}}]`, i.System, i.Value))), Origin{})
		if err != nil || len(f.persons) != 1 || f.persons[0] != want {
			t.Errorf("%v: %v, %v", i, f.persons, err)
		}
	}
}

// Whoever has no column of the matrix, or a profession that it does not know, reads
// no document, however authorised; types that it does not know are nobody's.
func TestUnknownProfessionReadsNothing(t *testing.T) {
	matrix, err := LoadMatrix(SandboxMatrix())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	physician := auth.Coding{System: auth.SystemProfession, Code: "10"}
	if matrix.Cell(physician, nil, auth.Coding{System: fhir.SystemLOINC, Code: "11488-4"}, auth.Coding{}, now) != Allow {
		t.Fatal("a physician reads nothing either")
	}
	if matrix.Cell(physician, nil, auth.Coding{System: fhir.SystemLOINC, Code: "0-0"}, auth.Coding{}, now) == Allow {
		t.Error("a type that is unknown may be read")
	}
	for _, profession := range []auth.Coding{
		{}, {System: auth.SystemProfession, Code: "99"}, {System: auth.SystemProfession, Code: "93"}, {System: auth.SystemTitle, Code: "zz"},
		{System: "urn:oid:1.2.250.1.71.1.2.7", Code: "10"},
	} {
		for _, typ := range []string{"11488-4", "68599-0", "11502-2"} {
			if cell := matrix.Cell(profession, nil, auth.Coding{System: fhir.SystemLOINC, Code: typ}, auth.Coding{}, now); cell == Allow {
				t.Errorf("%v may read %s", profession, typ)
			}
		}
	}
}
