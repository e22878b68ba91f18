package fhir

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestValuesOfDocument(t *testing.T) {
	v := searchValues(t, document)
	if v.ID() != "d1" || !v.LastUpdated().Equal(time.Date(2026, 11, 20, 10, 0, 0, 250e6, time.UTC)) {
		t.Errorf("%q, %v", v.ID(), v.LastUpdated())
	}
	for _, c := range []struct {
		param string
		want  []Ident
	}{
		{"type", []Ident{{SystemLOINC, "11488-4"}}},
		{"status", []Ident{{"", "current"}}},
		{"isArchived", []Ident{{"", "true"}}},
		{"security-label", []Ident{{SystemConfidentiality, "N"}, {SystemVisibility, "INVISIBLE_REPRESENTANTS_LEGAUX"}}},
		{"author.identifier", []Ident{{SystemRPPS, "99700218896"}, {SystemRPPS, "99700218897"}, {SystemStructure, "1750000001"}}},
		{"related.identifier", []Ident{{"urn:acc", "A1"}}},
		{"date", nil}, {"patient", nil}, {"nothing", nil},
	} {
		if got := slices.Collect(v.Tokens(c.param)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.param, got, c.want)
		}
	}
	for _, c := range []struct{ param, want string }{
		{"author.family", "Lefèvre Cœurderoy"}, {"author.given", "Zoé Anne-Marie Ève"},
		{"relatesto", "DocumentReference/d0"}, {"related", "https://other.example/fhir/ServiceRequest/9"}, {"author", "Device/v"}, {"type", ""},
	} {
		if got := strings.Join(slices.Collect(v.Texts(c.param)), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.param, got, c.want)
		}
	}
	want := []Interval{{instant("2026-11-10T00:00:00+01:00"), instant("2026-11-12T12:00:01+01:00")}}
	if got := slices.Collect(v.Intervals("period")); !slices.Equal(got, want) {
		t.Errorf("period %v, want %v", got, want)
	}
}

// A value that is there twice is kept once.
func TestValuesOfRepetition(t *testing.T) {
	const identifier = `{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3"}`
	v := searchValues(t, `{"resourceType":"DocumentReference","masterIdentifier":`+identifier+`,"identifier":[`+identifier+`,`+identifier+`]}`)
	if got := slices.Collect(v.Tokens("identifier")); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestValuesOfOddities(t *testing.T) {
	for _, c := range []struct {
		name, resource, raw string
		want                bool
	}{
		{"open period", `"context":{"period":{"start":"2026-01-01"}}`, "period=gt2030", true},
		{"open period, eq", `"context":{"period":{"start":"2026-01-01"}}`, "period=2026", false},
		{"period without bounds", `"context":{"period":{"extension":[]}}`, "period:missing=true", true},
		{"period the wrong way round", `"context":{"period":{"start":"2026-02-01","end":"2026-01-01"}}`, "period:missing=true", true},
		{"period with a bad bound", `"context":{"period":{"start":"2026-02-31"}}`, "period:missing=true", true},
		{"period with a bad end", `"context":{"period":{"start":"2026-02-01","end":"2026-02-31"}}`, "period:missing=true", true},
		{"long reference", `"relatesTo":[{"target":{"reference":"urn:uuid:` + strings.Repeat("a", MaxValue) + `"}}]`, "relatesto:missing=false", true},
		{"coding without code", `"type":{"coding":[{"system":"http://loinc.org","display":"x"}]}`, "type:missing=false", true},
		{"text alone", `"type":{"text":"x"}`, "type:not=x", true},
		{"text alone is there", `"type":{"text":"x"}`, "type:missing=true", false},
		{"text alone has no system", `"type":{"text":"x"}`, "type=http://loinc.org|", false},
		{"reference to what is contained", `"contained":[{"resourceType":"Practitioner","id":"a"}],"author":[{"reference":"#a"}]`, "author:missing=true", false},
		{"reference to what is contained, and another", `"author":[{"reference":"#a"},{"reference":"Device/v"}]`, "author:missing=false", true},
		{"logical reference", `"custodian":{"identifier":{"value":"1750000001"}}`, "custodian:missing=true", false},
		{"contained authenticator", `"authenticator":{"reference":"#a"}`, "authenticator:missing=false", true},
		{"no author", `"custodian":{"reference":"#a"}`, "author:missing=true", true},
		{"author without a name", `"author":[{"reference":"#a"}]`, "author.family:missing=true", true},
		{"conditional reference", `"relatesTo":[{"target":{"reference":"DocumentReference?identifier=x"}}]`, "relatesto:missing=false", true},
		{"reference of another server", `"relatesTo":[{"target":{"reference":"https://other.test/fhir/DocumentReference/d1"}}]`, "relatesto=d1", false},
		{"urn", `"relatesTo":[{"target":{"reference":"urn:uuid:0c287d32-01e3-4d87-9953-9fcc9404eb21"}}]`, "relatesto=urn:uuid:0c287d32-01e3-4d87-9953-9fcc9404eb21", true},
		{"archived is false", `"extension":[{"url":"https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived","valueBoolean":false}]`, "isArchived=false", true},
		{"extension without value", `"extension":[{"url":"https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"}]`, "isArchived=false", true},
		{"another extension", `"extension":[{"url":"urn:x","valueBoolean":true}]`, "isArchived=true", false},
		{"contained reference to itself", `"contained":[{"resourceType":"PractitionerRole","id":"a","practitioner":{"reference":"#a"}}],"author":[{"reference":"#a"}]`, "author.family:missing=true", true},
		{"a reference that is not to what is contained", `"contained":[{"resourceType":"Practitioner","id":"a","name":[{"family":"x"}]}],"author":[{"reference":"a"}]`, "author.family:missing=true", true},
		{"long title is cut, and found by its beginning", `"contained":[{"resourceType":"Practitioner","id":"a","name":[{"family":"` + strings.Repeat("é", 3000) + `"}]}],"author":[{"reference":"#a"}]`, "author.family=" + strings.Repeat("e", MaxValue), false},
		{"long title, exact", `"contained":[{"resourceType":"Practitioner","id":"a","name":[{"family":"` + strings.Repeat("a", 3000) + `"}]}],"author":[{"reference":"#a"}]`, "author.family:exact=" + strings.Repeat("a", MaxValue), false},
		{"long title, beginning", `"contained":[{"resourceType":"Practitioner","id":"a","name":[{"family":"` + strings.Repeat("a", 3000) + `"}]}],"author":[{"reference":"#a"}]`, "author.family=" + strings.Repeat("A", MaxValue), true},
		{"long code", `"type":{"coding":[{"code":"` + strings.Repeat("a", MaxValue+1) + `"}]}`, "type:missing=false", true},
	} {
		v := searchValues(t, `{"resourceType":"DocumentReference","status":"current",`+c.resource+`}`)
		if got := query(t, "DocumentReference", c.raw).Match(v); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if again, _, err := DecodeValues(v.AppendBinary(nil)); err != nil || again != v {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, resource := range []string{`{}`, `[]`, `1`, `{"resourceType":"Observation","id":"x"}`, `{"resourceType":"Binary","id":"x"}`} {
		v := searchValues(t, resource)
		if v != (Values{}) || v.ID() != "" || !v.LastUpdated().IsZero() {
			t.Errorf("%s: %v", resource, v)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"MARTIN":                "martin",
		"Lefèvre":               "lefevre",
		"Lefe\u0300vre":         "lefevre",
		"Cœur  d’Hélène\u00a0 ": "coeur d'helene",
		"Straße":                "strasse",
		"Æther ﬁn":              "aether fin",
		"Nguyễn":                "nguyen",
		"ΣΊΣΥΦΟΣ":               "σισυφοσ",
		"Anne‑Marie":            "anne-marie",
		"İstanbul":              "istanbul",
		"𝜍":                     "σ", // its case shows once it is decomposed
		"\u0301":                "",
	} {
		if got := fold(in); got != want {
			t.Errorf("fold(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if once := fold(s); fold(once) != once {
			t.Fatalf("%q → %q → %q", s, once, fold(once))
		}
	})
}

// The binary form of today must stay readable: summaries are kept for years. A
// change of it needs a new version number.
func TestValuesGolden(t *testing.T) {
	v := searchValues(t, document)
	golden := filepath.Join("testdata", "golden", "values.hex")
	if *update {
		if err := os.WriteFile(golden, []byte(hex.EncodeToString(v.AppendBinary(nil))+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	old, rest, err := DecodeValues(want)
	if err != nil || len(rest) > 0 || old != v {
		t.Errorf("the stored form reads otherwise: %v", err)
	}
}

func TestValuesOfFixtures(t *testing.T) {
	for _, name := range fixtureNames(t) {
		r, err := Scan(readFixture(t, name))
		if err != nil {
			continue
		}
		v := ValuesOf(r)
		b := append(v.AppendBinary([]byte("before")), "after"...)
		again, rest, err := DecodeValues(b[len("before"):])
		if err != nil || again != v || string(rest) != "after" {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasPrefix(name, "pdsm4dmp/DocumentReference") && len(b) > 600 {
			t.Errorf("%s: %d bytes", name, len(b))
		}
		if serviceOf(r.Type()) != nil && len(Params(r.Type())) > 0 && v.ID() != r.ID() {
			t.Errorf("%s: id %q", name, v.ID())
		}
	}
}

func TestDecodeValuesRefuses(t *testing.T) {
	whole := searchValues(t, document).AppendBinary(nil)
	for n := range whole {
		if _, _, err := DecodeValues(whole[:n]); !errors.Is(err, ErrValues) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	for _, b := range [][]byte{
		{0, 0},
		{valuesVersion + 1, 0},
		{valuesVersion, 1, 0x80},
		{valuesVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{valuesVersion, 3, 4, 99, 0},                       // unknown system
		{valuesVersion, 3, 4, 1, 5},                        // a code beyond the end
		{valuesVersion, 2, 5, 4},                           // unknown ends of a date
		{valuesVersion, 4, 4, 1, 2, 'a'},                   // a code one byte beyond the end
		{valuesVersion, 6, 0x80, 0x80, 0x80, 1, 1, 0},      // a slot beyond the last
		{valuesVersion, 6, 16, 1, 0, 4, 1, 0},              // slots out of order
		{valuesVersion, 9, 5, openTo, 0, 0, 0, 0, 0, 0, 0}, // half a time
		append([]byte{valuesVersion, 20, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), // 2^64 microseconds
		append([]byte{valuesVersion, 11, 7}, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2),                            // a length over 64 bits
	} {
		if _, _, err := DecodeValues(b); !errors.Is(err, ErrValues) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

func TestValuesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w valueWriter
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			s := slot(rapid.IntRange(1, 255).Draw(t, "slot"))
			switch valueKind(rapid.IntRange(0, 3).Draw(t, "kind")) {
			case kindToken:
				w.token(s, rapid.OneOf(rapid.SampledFrom(knownSystems[:]), rapid.String()).Draw(t, "system"), rapid.String().Draw(t, "code"))
			case kindDate:
				i := Interval{math.MinInt64, math.MaxInt64}
				if rapid.Bool().Draw(t, "from") {
					i.From = rapid.Int64Range(-1<<60, 1<<60).Draw(t, "start")
				}
				if rapid.Bool().Draw(t, "to") {
					i.To = max(i.From, -1<<60) + rapid.Int64Range(0, 1<<60).Draw(t, "length")
				}
				w.date(s, i)
			case kindText:
				w.text(s, rapid.String().Draw(t, "text"))
			case kindReference:
				w.reference(s, rapid.String().Draw(t, "reference"))
			}
		}
		v := w.values()
		b := v.AppendBinary(nil)
		again, rest, err := DecodeValues(b)
		if err != nil || again != v || len(rest) != 0 {
			t.Fatalf("%v, %d left", err, len(rest))
		}
		read := 0
		for c := again.cursor(); c.next(); read++ {
			var e valueWriter
			switch c.kind {
			case kindToken:
				e.token(c.slot, c.a, c.b)
			case kindDate:
				e.date(c.slot, c.when)
			case kindText:
				e.text(c.slot, c.written())
			case kindReference:
				e.reference(c.slot, c.a)
			}
			if read >= len(w.entries) || !bytes.Equal(e.entries[0], w.entries[read]) {
				t.Fatalf("entry %d differs", read)
			}
		}
		if read != len(w.entries) {
			t.Fatalf("%d of %d entries", read, len(w.entries))
		}
	})
}

func FuzzDecodeValues(f *testing.F) {
	r, err := Scan([]byte(document))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ValuesOf(r).AppendBinary(nil))
	f.Add([]byte{valuesVersion, 0, 1, 2})
	f.Add([]byte{valuesVersion, 3, 5, openFrom, 0})
	q := query(f, "DocumentReference", "type=11488-4&date=ge2026&author.family:contains=a&relatesto=d0&_sort=date,type")
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := DecodeValues(b)
		if err != nil {
			return
		}
		if again, _, err := DecodeValues(v.AppendBinary(nil)); err != nil || again != v || len(rest) > len(b) {
			t.Fatalf("%x: %v", b, err)
		}
		q.Match(v)
		if q.Compare(v, v) != 0 {
			t.Fatalf("%x is not equal to itself", b)
		}
	})
}

func BenchmarkValuesOf(b *testing.B) {
	r, err := Scan([]byte(document))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ValuesOf(r)
	}
}

func BenchmarkDecodeTenValues(b *testing.B) {
	data := searchValues(b, document).AppendBinary(nil)
	b.ReportMetric(float64(len(data)), "bytes/value")
	b.ReportAllocs()
	for b.Loop() {
		for range 10 {
			if _, _, err := DecodeValues(data); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	v := searchValues(b, document)
	q := query(b, "DocumentReference", "patient=alix&status=current&type=http://loinc.org|11488-4&date=ge2026-01-01&author.family=lef")
	b.ReportAllocs()
	for b.Loop() {
		if !q.Match(v) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	v := searchValues(b, document)
	q := query(b, "DocumentReference", "_sort=-date")
	b.ReportAllocs()
	for b.Loop() {
		q.Compare(v, v)
	}
}

func BenchmarkParseQuery(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseQuery("DocumentReference", "patient=alix&status=current&type=http://loinc.org%7C11488-4&date=ge2026-01-01&_count=20&_sort=-date"); err != nil {
			b.Fatal(err)
		}
	}
}
