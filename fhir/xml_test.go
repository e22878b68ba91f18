package fhir

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// canonical writes a value with its members sorted, and without what JSON can say
// and XML cannot: arrays of nothing but null beside a primitive, white space around
// a narrative and its line ends.
func canonical(n Node) string {
	switch n.Kind() {
	case Object:
		members := map[string]string{}
		for name, m := range n.Members() {
			if text := canonical(m); text != "[]" {
				members[name] = text
			}
			if name == "div" && m.Kind() == String {
				members[name] = strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(m.Text()))
			}
		}
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(members)) {
			b.WriteString("{" + name + ":" + members[name] + "}")
		}
		return b.String()
	case Array:
		var items []string
		for item := range n.Items() {
			items = append(items, canonical(item))
		}
		if !slices.ContainsFunc(items, func(s string) bool { return s != "null" }) {
			return "[]"
		}
		return "[" + strings.Join(items, ",") + "]"
	case String:
		return string(Quote(n.Text()))
	}
	return string(n.Raw())
}

// thereAndBack returns JSON as it comes back from XML.
func thereAndBack(t testing.TB, data []byte, pretty bool) *Resource {
	t.Helper()
	doc, err := ToXML(data, pretty)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	back, err := FromXML(doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	r, err := Scan(back)
	if err != nil {
		t.Fatalf("%v\n%s", err, back)
	}
	return r
}

func sameResource(t testing.TB, got, want *Resource) {
	t.Helper()
	if a, b := canonical(got.Root()), canonical(want.Root()); a != b {
		i := 0
		for i < len(a) && i < len(b) && a[i] == b[i] {
			i++
		}
		t.Errorf("came back otherwise, from %d on:\n…%.200s\nwant\n…%.200s", i, a[max(0, i-40):], b[max(0, i-40):])
	}
}

func TestFixturesComeBackFromXML(t *testing.T) {
	for _, name := range fixtureNames(t) {
		want, err := Scan(readFixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, pretty := range []bool{false, true} {
			t.Run(name, func(t *testing.T) { sameResource(t, thereAndBack(t, want.Bytes(), pretty), want) })
		}
	}
}

// goldenXML are resources of the types that the server reads or writes, whose XML
// a person has looked at.
var goldenXML = []string{
	"base/AuditEvent-example-disclosure", "base/Binary-f006", "base/Bundle-bundle-response", "base/CapabilityStatement-example",
	"base/Consent-consent-example-signature", "base/List-example", "base/OperationOutcome-exception", "base/Patient-example",
	"base/Patient-genetics-example1", "mhd/DocumentReference-ex-DocumentReferenceComprehensive", "opendmp/Parameters-bris-de-glace",
	"pdsm4dmp/DocumentReference-example-td3-1a-cr-consultation", "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission",
}

func TestGoldenXML(t *testing.T) {
	for _, name := range goldenXML {
		t.Run(name, func(t *testing.T) {
			got, err := ToXML(readFixture(t, name+".json"), true)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "golden", "xml", filepath.Base(name)+".xml")
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, bytes.TrimSpace(want)) {
				t.Errorf("differs; see with go test ./fhir -run GoldenXML -update && git diff")
			}
		})
	}
}

// Documents as others write them mean the JSON beside them, and so does our own
// XML of that JSON.
func TestXMLMeansTheJSONBeside(t *testing.T) {
	files, err := filepath.Glob("testdata/xml/*.xml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			doc, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			beside, err := os.ReadFile(strings.TrimSuffix(file, ".xml") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			want := mustParse(t, string(beside))
			for name, doc := range map[string][]byte{"as it is": doc, "with a mark": append([]byte("\ufeff"), doc...)} {
				body, err := FromXML(doc)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				sameResource(t, mustParse(t, string(body)), want)
			}
			sameResource(t, thereAndBack(t, beside, false), want)
		})
	}
}

// Line ends of Windows are one character in a narrative and a space in a value,
// as any reader of XML has it; written as references they stay.
func TestXMLKeepsCharacters(t *testing.T) {
	const all = "\t \n \r \r\n \u0085 \u2028 é 😀 < > & \" ' \\ / ]]> &lt; &#10; <!-- --> \ufffd \uffee"
	want := mustParse(t, `{"resourceType":"Organization","name":`+string(Quote(all))+`}`)
	if got := thereAndBack(t, want.Bytes(), false).Get("name").Text(); got != all {
		t.Errorf("%q", got)
	}
	escaped := mustParse(t, `{"resourceType":"Organization","name":"\u0041\ud83d\ude00\/"}`)
	if got := thereAndBack(t, escaped.Bytes(), false).Get("name").Text(); got != "A😀/" {
		t.Errorf("%q", got)
	}
}

// What XML cannot say is refused in JSON too, and never breaks the XML of what was
// kept before it was.
func TestCharactersThatXMLDoesNotHave(t *testing.T) {
	for _, char := range []string{"\\u0001", "\\u001f", "\\ufffe", "\\uffff", "\ufffe", "\uffff"} {
		data := `{"resourceType":"Organization","name":"a` + char + `b"}`
		if _, err := Parse([]byte(data)); err == nil {
			t.Errorf("%q: accepted", char)
		}
		if got := thereAndBack(t, []byte(data), false).Get("name").Text(); got != "a\ufffdb" {
			t.Errorf("%q: %q", char, got)
		}
	}
}

func TestToXMLRefuses(t *testing.T) {
	for _, data := range []string{
		``, `{`, `[]`, `"a"`, `{}`, `{"resourceType":1}`, `{"resourceType":"Dossier"}`, `{"resourceType":"HumanName"}`,
		foreign(`"x":"a"`), foreign(`"x<y":"a"`), foreign(`"status":["a"]`), foreign(`"identifier":{"value":"a"}`), foreign(`"status":{"a":"b"}`),
		foreign(`"status":1`), foreign(`"note":["a"]`), foreign(`"subject":"a"`), foreign(`"identifier":[null]`), foreign(`"_subject":{"id":"a"}`),
		`{"resourceType":"Patient","name":[{"id":1}]}`, `{"resourceType":"Patient","_text":{}}`,
		`{"resourceType":"Patient","contained":["a"]}`, `{"resourceType":"Patient","contained":[{"resourceType":"Dossier"}]}`,
		`{"resourceType":"Patient","text":{"status":"generated","div":"<div><script/></div>"}}`,
		`{"resourceType":"Patient","text":{"status":"generated","div":"</div></text>"}}`,
		`{"resourceType":"Patient","text":{"status":"generated","div":null}}`,
		`{"resourceType":"Patient","name":[{"resourceType":"HumanName","family":"a"}]}`,
	} {
		if got, err := ToXML([]byte(data), false); !errors.Is(err, ErrNoXML) {
			t.Errorf("%s: %s, %v", data, got, err)
		}
	}
}
