package fhir

import (
	"testing"

	"pgregory.net/rapid"
)

func TestCanonicalCoding(t *testing.T) {
	const a07 = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument"
	for _, c := range []struct{ system, code, wantSystem, wantCode string }{
		{"https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc", "11488-4", SystemLOINC, "11488-4"},
		{"urn:oid:2.16.840.1.113883.6.1", "11488-4", SystemLOINC, "11488-4"},
		{SystemLOINC, "11488-4", SystemLOINC, "11488-4"},
		{"urn:oid:2.16.840.1.113883.5.25", "R", SystemConfidentiality, "R"},
		{"https://mos.esante.gouv.fr/NOS/TRE_A08-HL7Confidentiality/FHIR/TRE-A08-HL7Confidentiality", "V", SystemConfidentiality, "V"},
		{a07, "MASQUE_PS", SystemVisibility, "MASQUE_PS"},
		{"urn:oid:1.2.250.1.213.1.1.4.13", "INVISIBLE_REP_LEGAUX", SystemVisibility, "INVISIBLE_REPRESENTANTS_LEGAUX"},
		{a07, "N", SystemConfidentiality, "N"},
		{"", "INVISIBLE_REP_LEGAUX", "", "INVISIBLE_REPRESENTANTS_LEGAUX"},
		{"http://example.org", "INVISIBLE_REP_LEGAUX", "http://example.org", "INVISIBLE_REP_LEGAUX"},
		{"", "N", "", "N"},
		{a07, "", SystemVisibility, ""},
		{"urn:oid:1.2.250.1.213.1.1.4.12", "REMB", SystemDocumentType, "REMB"},
		{"urn:oid:1.2.250.1.213.1.1.4.1", "10", SystemDocumentClass, "10"},
	} {
		if s, k := CanonicalCoding(c.system, c.code); s != c.wantSystem || k != c.wantCode {
			t.Errorf("CanonicalCoding(%q, %q) = %q, %q; want %q, %q", c.system, c.code, s, k, c.wantSystem, c.wantCode)
		}
	}
}

func TestCanonicalIdent(t *testing.T) {
	for _, c := range []struct{ in, want Ident }{
		{Ident{SystemIDNPS, "899700218896"}, Ident{SystemRPPS, "99700218896"}},
		{Ident{SystemIDNPS, "99700218896"}, Ident{SystemRPPS, "99700218896"}},
		{Ident{SystemRPPS, "99700218896"}, Ident{SystemRPPS, "99700218896"}},
		{Ident{SystemRPPS, "899700218896"}, Ident{SystemRPPS, "99700218896"}},
		{Ident{SystemRPPS, "81000000000"}, Ident{SystemRPPS, "81000000000"}},
		{Ident{SystemIDNPS, "0751234567"}, Ident{SystemADELI, "751234567"}},
		{Ident{SystemIDNPS, "02A1234567"}, Ident{SystemADELI, "2A1234567"}},
		{Ident{SystemADELI, "0751234567"}, Ident{SystemADELI, "751234567"}},
		{Ident{SystemADELI, "011234567"}, Ident{SystemADELI, "011234567"}},
		{Ident{SystemIDNPS, "3750000001/42"}, Ident{SystemIDNPS, "3750000001/42"}},
		{Ident{SystemIDNPS, "8/1234567890"}, Ident{SystemIDNPS, "8/1234567890"}},
		{Ident{SystemIDNPS, ""}, Ident{SystemIDNPS, ""}},
		{Ident{SystemStructure, "1750000001"}, Ident{SystemStructure, "1750000001"}},
		{Ident{"urn:oid:1.2.250.1.213.1.4.10", "285047511200116"}, Ident{"urn:oid:1.2.250.1.213.1.4.10", "285047511200116"}},
		{Ident{}, Ident{}},
	} {
		if got := CanonicalIdent(c.in); got != c.want {
			t.Errorf("CanonicalIdent(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}

// The numbers of synthetic professionals have one digit more than real ones.
func TestCanonicalIdentSynthetic(t *testing.T) {
	want := CanonicalIdent(Ident{SystemIDNPS, "8899900000012"})
	for _, i := range []Ident{{SystemIDNPS, "899900000012"}, {SystemRPPS, "899900000012"}, {SystemRPPS, "8899900000012"}, want} {
		if got := CanonicalIdent(i); got != want {
			t.Errorf("CanonicalIdent(%v) = %v, want %v", i, got, want)
		}
	}
}

func TestCanonicalIdentIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := Ident{
			rapid.SampledFrom([]string{SystemIDNPS, SystemRPPS, SystemADELI, SystemStructure, ""}).Draw(t, "system"),
			rapid.StringMatching(`[08]{0,3}[0-9AB]{0,12}`).Draw(t, "value"),
		}
		once := CanonicalIdent(i)
		if twice := CanonicalIdent(once); twice != once {
			t.Fatalf("%v → %v → %v", i, once, twice)
		}
	})
}
