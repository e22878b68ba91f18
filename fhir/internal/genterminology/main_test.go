package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The table of package fhir is what the tables make: it was not edited, nor forgotten.
func TestTableIsUpToDate(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.go")
	if err := run("../../../testdata/terminology", out); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../terminology_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("fhir/terminology_gen.go is not what the tables make: go generate ./fhir")
	}
}

// tables writes a folder of small tables, with one of them replaced.
func tables(t *testing.T, file, text string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"code-systems.csv":         "name,oid,url,other_urls\nTRE_A03-ClasseDocument,1.3,http://a03,http://a03/old\nTRE_G15-ProfessionSante,1.4,http://g15,\nTRE_A10-URN,URN,http://a10,\nLOINC,1.6,http://loinc,\n",
		"JDV_J99_Xds_Kind.csv":     "code,system_oid,label_fr\nb,1.6,B\na,1.3,A\n",
		"document-types.csv":       "type_code,type_system,class_code,label_fr\n1-2,LOINC,10,T\n3-4,LOINC,urn:oid:1.9,S\n5-6,LOINC,10,U\n",
		"document-classes.csv":     "class_code,label_fr\n10,C\n",
		"professions.csv":          "profession_code,label_fr\n60,I\n10,M\n",
		"deprecated-codes.csv":     "code,system_oid,instead\n9-9,1.6,1-2\nx,1.3,\n",
		"habilitation-columns.csv": "none of ours\n",
	}
	if file != "" {
		all[file] = text
	}
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.go")
	if err := run(tables(t, "", ""), out); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	code := strings.Join(strings.Fields(string(data)), " ")
	for _, want := range []string{
		`{"TRE_A03-ClasseDocument", []string{"http://a03", "urn:oid:1.3", "http://a03/old"}},`,
		`{"TRE_A10-URN", []string{"http://a10"}},`, // URN is no OID
		`{"JDV_J99-Xds-Kind", codeSet{"https://mos.esante.gouv.fr/NOS/JDV_J99-Xds-Kind/FHIR/JDV-J99-Xds-Kind", []string{"http://a03|a", "http://loinc|b"}}},`,
		`{"ASS_X16 (classes)", codeSet{"", []string{"http://a03|10", "http://a10|urn:oid:1.9"}}},`,
		`{"ASS_X16 (types)", codeSet{"", []string{"http://loinc|1-2", "http://loinc|3-4", "http://loinc|5-6"}}},`,
		`{"TRE_A03-ClasseDocument", codeSet{"", []string{"http://a03|10"}}},`,
		`{"TRE_G15-ProfessionSante", codeSet{"", []string{"http://g15|10", "http://g15|60"}}},`,
		`{"http://a03|x", ""}, {"http://loinc|9-9", "1-2"},`,
	} {
		if !strings.Contains(code, want) {
			t.Errorf("no %s in %s", want, code)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for name, c := range map[string][2]string{
		"unknown system":             {"JDV_J99_Xds_Kind.csv", "code,system_oid,label_fr\na,9.9,A\n"},
		"a code twice":               {"JDV_J99_Xds_Kind.csv", "code,system_oid,label_fr\na,1.3,A\na,1.3,A\n"},
		"a column missing":           {"JDV_J99_Xds_Kind.csv", "code,system_oid\na,1.3\n"},
		"no rows":                    {"JDV_J99_Xds_Kind.csv", "code,system_oid,label_fr\n"},
		"unknown system of a type":   {"document-types.csv", "type_code,type_system,class_code,label_fr\n1-2,SNOMED,10,T\n"},
		"unknown system of one past": {"deprecated-codes.csv", "code,system_oid,instead\n9-9,9.9,\n"},
		"no systems":                 {"code-systems.csv", ""},
	} {
		if err := run(tables(t, c[0], c[1]), filepath.Join(t.TempDir(), "out.go")); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := run(t.TempDir(), filepath.Join(t.TempDir(), "out.go")); err == nil {
		t.Error("an empty folder: accepted")
	}
}
