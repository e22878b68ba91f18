package fhir

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// findings are the issues as lines, the notes about narratives and about profiles
// that we do not have left aside.
func findings(issues []Issue) []string {
	var lines []string
	for _, i := range issues {
		if i.Rule == "dom-6" || i.Severity == Information {
			continue
		}
		profile := i.Profile[strings.LastIndexByte(i.Profile, '/')+1:]
		lines = append(lines, fmt.Sprintf("%s %s %s %s", i.Severity, i.Expression, i.Rule, profile))
	}
	return lines
}

func TestFixturesAgainstTheirProfiles(t *testing.T) {
	var b strings.Builder
	accepted := acceptedFixtures(t)
	for _, name := range slices.Sorted(maps.Keys(accepted)) {
		for _, line := range findings(Validate(accepted[name])) {
			fmt.Fprintf(&b, "%s: %s\n", name, line)
		}
	}
	const golden = "testdata/golden/validate-fixtures.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the findings changed; see with go test ./fhir -run AgainstTheirProfiles -update && git diff\n%s", b.String())
	}
}

const (
	minimalDocument = mhdURL + "IHE.MHD.Minimal.DocumentReference"
	minimalSet      = mhdURL + "IHE.MHD.Minimal.SubmissionSet"
	consentBasic    = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentBasic"
	patientINS      = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins"
	patientRead     = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
)

// docRef is a DocumentReference of the minimal profile, with members changed or
// added; an empty value removes one.
func docRef(change ...string) string {
	members := []string{
		`"masterIdentifier"`, `{"type":{"coding":[{"system":"https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType","code":"uniqueId"}]},"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2"}`,
		`"status"`, `"current"`,
		`"content"`, `[{"attachment":{"contentType":"text/plain","url":"Binary/1"}}]`,
		`"subject"`, `{"reference":"Patient/1"}`,
		`"text"`, `{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}`,
	}
	for i := 0; i < len(change); i += 2 {
		name := `"` + change[i] + `"`
		if at := slices.Index(members, name); at >= 0 {
			members[at+1] = change[i+1]
			continue
		}
		members = append(members, name, change[i+1])
	}
	body := `{"resourceType":"DocumentReference"`
	for i := 0; i < len(members); i += 2 {
		if members[i+1] != "" {
			body += "," + members[i] + ":" + members[i+1]
		}
	}
	return body + "}"
}

func TestValidateRules(t *testing.T) {
	uuid := func(value string) string {
		return `[{"type":{"coding":[{"system":"https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType","code":"entryUUID"}]},"system":"urn:ietf:rfc:3986","value":"` + value + `"}]`
	}
	tests := []struct {
		name, body, profile string
		want                []string
	}{
		{"good", docRef(), minimalDocument, nil},
		{"missing", docRef("masterIdentifier", ""), minimalDocument,
			[]string{"error DocumentReference.masterIdentifier min IHE.MHD.Minimal.DocumentReference"}},
		{"missing below", docRef("content", `[{"attachment":{"url":"Binary/1"}}]`), minimalDocument,
			[]string{"error DocumentReference.content[0].attachment.contentType min IHE.MHD.Minimal.DocumentReference"}},
		{"forbidden", docRef("docStatus", `"final"`), minimalDocument,
			[]string{"error DocumentReference.docStatus max IHE.MHD.Minimal.DocumentReference"}},
		{"a primitive of extensions counts", docRef("_docStatus", `{"extension":[{"url":"http://x","valueCode":"a"}]}`), minimalDocument,
			[]string{"error DocumentReference.docStatus max IHE.MHD.Minimal.DocumentReference"}},
		{"one at most", docRef("content", `[{"attachment":{"contentType":"a/b","url":"x:1"}},{"attachment":{"contentType":"a/b","url":"x:2"}}]`), minimalDocument,
			[]string{"error DocumentReference.content max IHE.MHD.Minimal.DocumentReference"}},
		{"code outside of the set", docRef("status", `"entered-in-error"`), minimalDocument,
			[]string{"error DocumentReference.status binding IHE.MHD.Minimal.DocumentReference"}},
		{"R4 allows more than the profile", docRef("status", `"entered-in-error"`), "", nil},
		{"target narrowed", docRef("subject", `{"reference":"Group/1"}`), minimalDocument,
			[]string{"error DocumentReference.subject target IHE.MHD.Minimal.DocumentReference"}},
		{"target of R4", docRef("subject", `{"reference":"Organization/1"}`), "",
			[]string{"error DocumentReference.subject target "}},
		{"target by type", docRef("subject", `{"type":"Organization","identifier":{"value":"1"}}`), "",
			[]string{"error DocumentReference.subject target "}},
		{"target by absolute address and version", docRef("subject", `{"reference":"https://x/y/Organization/1/_history/2"}`), "",
			[]string{"error DocumentReference.subject target "}},
		{"conditional target", docRef("subject", `{"reference":"Organization?identifier=x|1"}`), "",
			[]string{"error DocumentReference.subject target "}},
		{"contained target", docRef("subject", `{"reference":"#o"}`, "contained", `[{"resourceType":"Organization","id":"o","name":"x"}]`), "",
			[]string{"error DocumentReference.subject target "}},
		{"target that cannot be told", docRef("subject", `{"reference":"urn:uuid:6f1d3a0e-0000-4000-8000-000000000001"}`), minimalDocument, nil},
		{"slice by profile of the data type", docRef("identifier", uuid("urn:uuid:6f1d3a0e-0000-4000-8000-000000000001")), minimalDocument, nil},
		{"invariant in a slice", docRef("identifier", uuid("urn:oid:1.2")), minimalDocument,
			[]string{"error DocumentReference.identifier[0].value mhd-startswithuuid IHE.MHD.EntryUUID.Identifier"}},
		{"pattern in a slice", docRef("identifier", strings.Replace(uuid("urn:uuid:6f1d3a0e-0000-4000-8000-000000000001"), "urn:ietf:rfc:3986", "urn:x", 1)), minimalDocument,
			[]string{"error DocumentReference.identifier[0].system value IHE.MHD.EntryUUID.Identifier"}},
		{"softened", docRef("masterIdentifier", `{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2"}`), minimalDocument,
			[]string{"warning DocumentReference.masterIdentifier.type min IHE.MHD.UniqueIdIdentifier"}},
		{"extension that we know", docRef("extension", `[{"url":"`+pdsmURL+`pdsm-ext-is-archived","valueString":"yes"}]`), "",
			[]string{"error DocumentReference.extension[0].value type pdsm-ext-is-archived"}},
		{"extension that we do not know", docRef("extension", `[{"url":"http://x","valueString":"yes"}]`), "", nil},
		{"another type", docRef(), consentBasic, []string{"error DocumentReference type IHE.PCF.consentBasic"}},
		{"another type of R4", docRef(), "http://hl7.org/fhir/StructureDefinition/Patient", []string{"error DocumentReference type "}},
		{"its type", docRef(), "http://hl7.org/fhir/StructureDefinition/DocumentReference", nil},
		{"version", docRef("masterIdentifier", ""), minimalDocument + "|4.2.3",
			[]string{"error DocumentReference.masterIdentifier min IHE.MHD.Minimal.DocumentReference"}},
		{"claim", docRef("masterIdentifier", "", "meta", `{"profile":["`+minimalDocument+`","`+minimalDocument+`"]}`), minimalDocument,
			[]string{"error DocumentReference.masterIdentifier min IHE.MHD.Minimal.DocumentReference"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var profiles []string
			if test.profile != "" {
				profiles = []string{test.profile}
			}
			if got := findings(Validate(mustParse(t, test.body), profiles...)); !equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestValidateNotes(t *testing.T) {
	r := mustParse(t, `{"resourceType":"Patient","meta":{"profile":["http://x"]}}`)
	issues := Validate(r, "http://y")
	if len(issues) != 3 {
		t.Fatalf("%+v", issues)
	}
	for i, want := range []Issue{
		{Severity: Information, Expression: "Patient.meta.profile[0]", Rule: "profile"},
		{Severity: Warning, Expression: "Patient", Rule: "dom-6"},
		{Severity: Information, Expression: "Patient", Rule: "profile"},
	} {
		got := issues[i]
		if got.Severity != want.Severity || got.Expression != want.Expression || got.Rule != want.Rule {
			t.Errorf("%d: %+v", i, got)
		}
		if got.Text.FR == "" || got.Text.EN == "" || strings.Contains(got.Text.FR+got.Text.EN, "%!") {
			t.Errorf("%d: text %+v", i, got.Text)
		}
	}
	if Failed(issues) || Validate(new(Resource)) != nil {
		t.Error("a note is no failure")
	}
}

func TestFindingsAreBounded(t *testing.T) {
	claims := strings.Repeat(`"http://x",`, 4000)
	r := mustParse(t, `{"resourceType":"Patient","meta":{"profile":[`+claims+`"http://x"]}}`)
	if got := len(Validate(r)); got != maxFindings {
		t.Errorf("%d", got)
	}
}

func TestProfiles(t *testing.T) {
	urls := Profiles()
	if !slices.IsSorted(urls) || len(slices.Compact(slices.Clone(urls))) != len(urls) {
		t.Error("not sorted, or twice")
	}
	for _, url := range []string{
		mhdURL + "IHE.MHD.Minimal.ProvideBundle", mhdURL + "IHE.MHD.UnContained.Comprehensive.ProvideBundle", mhdURL + "IHE.MHD.Comprehensive.ProvideBundle",
		mhdURL + "IHE.MHD.SimplifiedPublish.DocumentReference", mhdURL + "IHE.MHD.Patch.Parameters", mhdURL + "IHE.MHD.Comprehensive.Folder",
		pdsmURL + "pdsm-comprehensive-provide-document-bundle", pdsmURL + "pdsm-simplified-publish",
		minimalSet, consentBasic, patientINS, patientRead, "http://hl7.org/fhir/StructureDefinition/Patient",
	} {
		if !KnownProfile(url) || !KnownProfile(url+"|1.0") {
			t.Errorf("%s is not known", url)
		}
	}
	for _, url := range []string{"", "http://x", minimalSet + "x", "http://hl7.org/fhir/StructureDefinition/Nothing", "http://hl7.org/fhir/StructureDefinition/DomainResource"} {
		if KnownProfile(url) {
			t.Errorf("%s is known", url)
		}
	}
}

// TestProfileTable holds what the validator takes for granted of its table.
func TestProfileTable(t *testing.T) {
	used := map[string]bool{}
	var check func(url, path string, s *shape)
	check = func(url, path string, s *shape) {
		path += "." + s.name
		for _, key := range s.keys {
			used[key] = true
			if invariantNamed(key) == nil {
				t.Errorf("%s %s: invariant %s is not written", url, path, key)
			}
		}
		if len(s.slices) > maxSlices || int(s.codes) > len(profileCodes) {
			t.Errorf("%s %s: %d slices, value set %d", url, path, len(s.slices), s.codes)
		}
		for _, row := range s.profiles {
			if int(row) >= len(profileTable) {
				t.Errorf("%s %s: profile %d", url, path, row)
			}
		}
		for i := range s.children {
			check(url, path, &s.children[i])
		}
		for i := range s.slices {
			check(url, path+":"+s.slices[i].name, &s.slices[i].shape)
		}
	}
	for i := range profileTable {
		check(profileTable[i].url, profileTable[i].typ, &profileTable[i].shape)
	}
	for _, d := range profileInvariants {
		if !used[d.key] {
			t.Errorf("no profile has the invariant %s", d.key)
		}
		if (d.holds == nil) != (d.text == Text{}) {
			t.Errorf("%s: text without rule, or rule without text", d.key)
		}
	}
	for _, set := range profileCodes {
		if len(set.codes) == 0 || !slices.IsSorted(set.codes) {
			t.Errorf("%s: %q", set.url, set.codes)
		}
	}
	if !slices.IsSortedFunc(targetTable[:], func(a, b targetRow) int { return strings.Compare(a.element, b.element) }) {
		t.Error("the targets are not sorted")
	}
	for _, r := range targetTable {
		dot := strings.LastIndexByte(r.element, '.')
		if got := targetsOf(r.element[:dot], r.element[dot+1:]); !equal(got, r.types) {
			t.Errorf("%s: %q", r.element, got)
		}
	}
	for _, d := range departures {
		if profileNamed(d.profile) < 0 || d.reason == "" {
			t.Errorf("%s: not a profile of the table, or no reason", d.profile)
		}
	}
}

func BenchmarkParseAndValidate(b *testing.B) {
	data := readFixture(b, "pdsm4dmp/DocumentReference-example-td3-1a-cr-consultation.json")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := Parse(data)
		if err != nil || Failed(Validate(r)) {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseAndValidateBundle(b *testing.B) {
	data := hundredEntries(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := Parse(data)
		if err != nil || Failed(Validate(r)) {
			b.Fatal(err, Validate(r))
		}
	}
}

// hundredEntries is a published submission with its document repeated until the
// Bundle has a hundred entries.
func hundredEntries(t testing.TB) []byte {
	r := parseFixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	entries := r.Get("entry")
	var list []string
	for e := range entries.Items() {
		list = append(list, string(e.Raw()))
	}
	document := slices.IndexFunc(list, func(e string) bool {
		return strings.Contains(e, `"DocumentReference"`) && !strings.Contains(e, `"List"`)
	})
	for i := len(list); i < 100; i++ {
		e := mustScan(t, list[document])
		url := e.Get("fullUrl")
		start, end := url.Span()
		list = append(list, list[document][:start]+fmt.Sprintf(`"urn:uuid:6f1d3a0e-0000-4000-8000-%012d"`, i)+list[document][end:])
	}
	start, end := entries.Span()
	return []byte(string(r.Bytes()[:start]) + "[" + strings.Join(list, ",") + "]" + string(r.Bytes()[end:]))
}

func mustScan(t testing.TB, text string) *Resource {
	t.Helper()
	r, err := Scan([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
