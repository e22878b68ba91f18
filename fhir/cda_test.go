package fhir

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// readHeader returns the CDA of the tests, which was written for them.
func readHeader(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/cda/entete.xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestReadCDA(t *testing.T) {
	doc := readHeader(t)
	got, err := ReadCDA([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/golden/cda.json"
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != string(text) {
		t.Errorf("the header changed (%v); see with go test ./fhir -run ReadCDA -update && git diff\n%s", err, text)
	}
	if ins := got.Patient.INS(); len(ins) != 1 || ins[0] != (Ident{SystemINSTest, "278067511800190"}) {
		t.Errorf("INS %v", ins)
	}
}

// What a CDA may and may not be, each a change of the same document.
func TestReadCDARefusals(t *testing.T) {
	doc := readHeader(t)
	pdf := func(content string) string {
		return `<text mediaType="application/pdf" representation="B64">` + base64.StdEncoding.EncodeToString([]byte(content)) + `</text>`
	}
	for name, c := range map[string]struct {
		old, new string
		fails    bool
	}{
		"style sheet":           {"<ClinicalDocument", `<?xml-stylesheet type="text/xsl" href="https://example.org/cda.xsl"?><ClinicalDocument`, false},
		"CDATA":                 {"<title>Compte rendu", "<title><![CDATA[Compte <rendu>]]>", false},
		"DTD":                   {"<ClinicalDocument", `<!DOCTYPE ClinicalDocument [<!ENTITY a "b">]><ClinicalDocument`, true},
		"entity":                {"Compte rendu", "&compte;", true},
		"declaration again":     {"<title>", `<?xml version="1.0"?><title>`, true},
		"other namespace":       {`xmlns="urn:hl7-org:v3"`, `xmlns="urn:hl7-org:v2"`, true},
		"not well-formed below": {"</section>", "</sektion>", true},
		"nested too deep":       {"<paragraph>", strings.Repeat("<a>", 300) + strings.Repeat("</a>", 300) + "<paragraph>", true},
		"too many authors":      {"<custodian>", strings.Repeat("<author/>", 100) + "<custodian>", true},
		"embedded PDF":          {"<paragraph>", pdf("%PDF-1.7 ...") + "<paragraph>", false},
		"embedded with a child": {"<paragraph>", strings.Replace(pdf("%PDF-1.7 ..."), "</text>", `<reference value="x"/></text>`, 1) + "<paragraph>", false},
		"embedded program":      {"<paragraph>", pdf("MZ\x90\x00") + "<paragraph>", true},
		"embedded HTML":         {"<paragraph>", pdf("<html><script>alert(1)</script></html>") + "<paragraph>", true},
		"embedded not base64":   {"<paragraph>", `<text mediaType="application/pdf" representation="B64">é</text><paragraph>`, true},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(doc, c.old, c.new, 1)
			if changed == doc {
				t.Fatal("nothing changed")
			}
			_, err := ReadCDA([]byte(changed))
			var bad *Invalid
			if c.fails != (err != nil) || err != nil && !errors.As(err, &bad) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestCDATime(t *testing.T) {
	for in, want := range map[string]string{
		"20240305103000+0100":     "2024-03-05T10:30:00+01:00",
		"20240305103000.123+0100": "2024-03-05T10:30:00+01:00",
		"202403051030-0330":       "2024-03-05T10:30:00-03:30",
		"20240305103000":          "2024-03-05",
		"20240305":                "2024-03-05",
		"202403":                  "2024-03",
		"2024":                    "2024",
		"20241305":                "",
		"":                        "",
		"hier":                    "",
		"20240305103000+01":       "",
		"2024030510300000+0100":   "",
	} {
		if got := cdaTime(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzReadCDA(f *testing.F) {
	f.Add([]byte(readHeader(f)))
	f.Add([]byte(`<ClinicalDocument xmlns="urn:hl7-org:v3"/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, header, err := RecogniseContent(data)
		if err != nil {
			return
		}
		if (first == ContentCDA) != (header != nil) {
			t.Error("a CDA without header, or a header without CDA")
		}
	})
}
