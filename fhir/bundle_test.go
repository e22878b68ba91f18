package fhir

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestReadBundle(t *testing.T) {
	r := mustParse(t, `{"resourceType":"Bundle","type":"transaction","entry":[
		{"fullUrl":"urn:uuid:1","resource":{ "resourceType":"Patient" },"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=x|1"}},
		{"request":{"method":"GET","url":"DocumentReference?patient=1&status=current","ifNoneMatch":"W/\"1\"","ifModifiedSince":"2024-01-01T00:00:00Z"}},
		{"resource":{"resourceType":"Patient","id":"1"},"request":{"method":"PUT","url":"Patient/1","ifMatch":"W/\"2\""}},
		{"resource":{"resourceType":"Parameters"},"request":{"method":"PATCH","url":"DocumentReference/1"}},
		{"resource":{"resourceType":"Parameters"},"request":{"method":"POST","url":"Patient/$match"}},
		{"request":{"method":"DELETE","url":"Patient/1"}}]}`)
	b, err := ReadBundle(r)
	if err != nil || b.Type != "transaction" || b.Resource != r || len(b.Entries) != 6 {
		t.Fatalf("%+v, %v", b, err)
	}
	first := b.Entries[0]
	if string(first.Resource.Bytes()) != `{ "resourceType":"Patient" }` {
		t.Errorf("resource %s", first.Resource.Bytes())
	}
	first.Resource = nil
	if want := (Entry{FullURL: "urn:uuid:1", Method: "POST", URL: "Patient", IfNoneExist: "identifier=x|1"}); first != want {
		t.Errorf("%+v, want %+v", first, want)
	}
	if want := (Entry{Method: "GET", URL: "DocumentReference?patient=1&status=current", IfNoneMatch: `W/"1"`, IfModifiedSince: "2024-01-01T00:00:00Z", Index: 1}); b.Entries[1] != want {
		t.Errorf("%+v, want %+v", b.Entries[1], want)
	}
	if b.Entries[2].IfMatch != `W/"2"` || b.Entries[5].Index != 5 {
		t.Errorf("%+v", b.Entries)
	}
}

func TestReadBundleTakesPublishedTransactions(t *testing.T) {
	count := 0
	for name, r := range acceptedFixtures(t) {
		if typ := r.Get("type").Text(); r.Type() != "Bundle" || typ != "transaction" && typ != "batch" {
			continue
		}
		count++
		// Two examples of HL7 have addresses that begin with a slash: those are
		// relative to the host, not to the base.
		slash := strings.HasPrefix(name, "base/Bundle-bundle-request-")
		if _, err := ReadBundle(r); slash != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if count < 10 {
		t.Errorf("%d bundles", count)
	}
}

func TestReadBundleRefuses(t *testing.T) {
	entry := func(method, url string) string {
		return `"entry":[{"request":{"method":"` + method + `","url":"` + url + `"}}]`
	}
	for _, c := range []struct{ name, members, code, expression string }{
		{"searchset", `"type":"searchset"`, "value", "Bundle.type"},
		{"response", `"type":"transaction-response"`, "value", "Bundle.type"},
		{"history", `"type":"history"`, "value", "Bundle.type"},
		{"document", `"type":"document"`, "value", "Bundle.type"},
		{"no type", `"entry":[]`, "value", "Bundle.type"},
		{"no request", `"type":"batch","entry":[{"resource":{"resourceType":"Patient"}}]`, "required", "Bundle.entry[0].request"},
		{"method", `"type":"batch",` + entry("BREW", "Patient"), "value", "Bundle.entry[0].request.method"},
		{"no resource", `"type":"batch",` + entry("POST", "Patient"), "required", "Bundle.entry[0].resource"},
		{"no patch", `"type":"batch",` + entry("PATCH", "Patient/1"), "required", "Bundle.entry[0].resource"},
		{"other type", `"type":"batch","entry":[{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"List"}}]`, "value", "Bundle.entry[0].request.url"},
		{"relative fullUrl", `"type":"batch","entry":[{"fullUrl":"Patient/1","request":{"method":"GET","url":"Patient/1"}}]`, "value", "Bundle.entry[0].fullUrl"},
		{"fullUrl twice", `"type":"batch","entry":[{"fullUrl":"urn:x","request":{"method":"GET","url":"Patient/1"}},{"fullUrl":"urn:x","request":{"method":"GET","url":"Patient/2"}}]`, "invariant", "Bundle.entry[1].fullUrl"},
		{"too many", `"type":"batch","entry":[1` + strings.Repeat(",1", MaxEntries) + `]`, "too-costly", "Bundle.entry"},
	} {
		_, err := ReadBundle(scan(t, `{"resourceType":"Bundle",`+c.members+`}`))
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Issues[0].Code != c.code || invalid.Issues[0].Expression != c.expression {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, url := range []string{
		"", "/Patient", "//host/Patient", "http://169.254.169.254/latest", "../../admin", "Patient/..", "Patient/.", "./Patient",
		"Patient//1", "Patient/", "Patient/%2e%2e", "Patient;a=b", "a@b/Patient", `Patient\1`, "Patient/1#x", "Patient?a b", "urn:uuid:1",
		"Patient\t", "Patient\u007f", "javascript:a",
	} {
		_, err := ReadBundle(scan(t, `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":`+string(Quote(url))+`}}]}`))
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Issues[0].Expression != "Bundle.entry[0].request.url" {
			t.Errorf("url %q: %v", url, err)
		}
	}
	var many strings.Builder
	for range 50 {
		many.WriteString(`{"request":{"method":"X","url":"a"}},`)
	}
	_, err := ReadBundle(scan(t, `{"resourceType":"Bundle","type":"batch","entry":[`+many.String()+`{"request":{"method":"X","url":"a"}}]}`))
	if got := len(expressions(err)); got != maxIssues {
		t.Errorf("%d issues", got)
	}
}

func TestWriteBundle(t *testing.T) {
	total := 2
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	resource := []byte("{ \"resourceType\" : \"Patient\",\n \"x\": 1.00}")
	for want, b := range map[string]BundleOut{
		`{"resourceType":"Bundle","type":"searchset"}`: {Type: "searchset"},
		`{"resourceType":"Bundle","id":"a","type":"searchset","timestamp":"2026-11-22T10:00:00.000Z","total":2,"link":[{"relation":"self","url":"http://x/\"a\""},{"relation":"next","url":"http://y"}],"entry":[{"fullUrl":"http://x/1","resource":` + string(resource) + `,"search":{"mode":"match"}},{"resource":{},"search":{"mode":"outcome"}}]}`: {
			Type: "searchset", ID: "a", Timestamp: at, Total: &total,
			Links:   []Link{{"self", `http://x/"a"`}, {"next", "http://y"}},
			Entries: []EntryOut{{FullURL: "http://x/1", Resource: resource, Mode: "match"}, {Resource: []byte("{}"), Mode: "outcome"}},
		},
		`{"resourceType":"Bundle","type":"history","total":0,"entry":[{"request":{"method":"DELETE","url":"Patient/1"},"response":{"status":"204 No Content","etag":"W/\"2\"","lastModified":"2026-11-22T10:00:00.000Z"}}]}`: {
			Type: "history", Total: new(int),
			Entries: []EntryOut{{Request: &RequestOut{"DELETE", "Patient/1"}, Response: &ResponseOut{Status: "204 No Content", ETag: `W/"2"`, LastModified: at}}},
		},
		`{"resourceType":"Bundle","type":"batch-response","entry":[{"response":{"status":"201 Created","location":"Patient/1/_history/1"}},{"response":{"status":"404 Not Found","outcome":{"resourceType":"OperationOutcome"}}}]}`: {
			Type: "batch-response",
			Entries: []EntryOut{
				{Response: &ResponseOut{Status: "201 Created", Location: "Patient/1/_history/1"}},
				{Response: &ResponseOut{Status: "404 Not Found", Outcome: []byte(`{"resourceType":"OperationOutcome"}`)}},
			},
		},
	} {
		if got := string(WriteBundle(b)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// What the server sends is held to the rules of what it takes.
func TestWrittenBundleParses(t *testing.T) {
	b := BundleOut{Type: "searchset", Total: new(int), Links: []Link{{"self", "http://x/Patient?name=é%20\"<"}}}
	for name, r := range acceptedFixtures(t) {
		b.Entries = append(b.Entries, EntryOut{FullURL: "http://x/" + name, Resource: r.Bytes(), Mode: "match"})
	}
	data := WriteBundle(b)
	r, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for entry := range r.Get("entry").Items() {
		if got := string(entry.Get("resource").Raw()); got != string(b.Entries[i].Resource) {
			t.Fatalf("entry %d differs", i)
		}
		i++
	}
	pretty, err := Parse(Pretty(data))
	if err != nil || compact(pretty) != compact(r) {
		t.Errorf("pretty: %v", err)
	}
}

func TestPretty(t *testing.T) {
	if got, want := string(Pretty([]byte(`{"a":[1.00,1E+2],"b":"<\u00e9>"}`))), "{\n  \"a\": [\n    1.00,\n    1E+2\n  ],\n  \"b\": \"<\\u00e9>\"\n}"; got != want {
		t.Errorf("got %s", got)
	}
	if got := string(Pretty([]byte(`{`))); got != "{" {
		t.Errorf("got %s", got)
	}
}

func TestOutcomeJSON(t *testing.T) {
	issues := []Issue{
		{Severity: Error, Code: "code-invalid", Text: Text{FR: "Code « x ».", EN: "Code “x”."}, Diagnostics: "d", Expression: "Patient.gender"},
		{Severity: "?", Code: "?", Text: Text{FR: "a", EN: "b"}},
		{Severity: Warning, Code: "informational"},
	}
	const rest = `},{"severity":"error","code":"processing","details":{"text":"%s"}},{"severity":"warning","code":"informational"}],"resourceType":"OperationOutcome"}`
	for lang, want := range map[string]string{
		"fr": `{"issue":[{"severity":"error","code":"code-invalid","details":{"text":"Code « x »."},"diagnostics":"d","expression":["Patient.gender"]` + fmt.Sprintf(rest, "a"),
		"en": `{"issue":[{"severity":"error","code":"code-invalid","details":{"text":"Code “x”."},"diagnostics":"d","expression":["Patient.gender"]` + fmt.Sprintf(rest, "b"),
	} {
		got := OutcomeJSON(lang, issues)
		if string(got) != want {
			t.Errorf("%s: got %s\nwant %s", lang, got, want)
		}
		if _, err := Parse(got); err != nil {
			t.Errorf("%s: %v", lang, err)
		}
	}
	if _, err := Parse(OutcomeJSON("fr", nil)); err != nil {
		t.Errorf("no issues: %v", err)
	}
	for _, code := range bindingNamed("issue-type").codes {
		if got := string(OutcomeJSON("fr", []Issue{{Severity: Fatal, Code: code}})); !strings.Contains(got, `"fatal","code":"`+code+`"`) {
			t.Errorf("%s: %s", code, got)
		}
	}
}

func TestNegotiateAccept(t *testing.T) {
	for _, c := range []struct {
		accept, format string
		want           Format
		ok             bool
	}{
		{"", "", FormatJSON, true},
		{"*/*", "", FormatJSON, true},
		{"application/*", "", FormatJSON, true},
		{"application/fhir+json", "", FormatJSON, true},
		{"application/fhir+json; fhirVersion=4.0; charset=UTF-8", "", FormatJSON, true},
		{"application/fhir+json;fhirVersion=5.0", "", 0, false},
		{"application/json", "", FormatJSON, true},
		{"Application/FHIR+JSON", "", FormatJSON, true},
		{"application/fhir+xml", "", FormatXML, true},
		{"application/xml;q=0.5, text/xml", "", FormatXML, true},
		{"application/fhir+xml, application/fhir+json;q=0.5", "", FormatXML, true},
		{"application/fhir+xml;q=0.5, application/fhir+json", "", FormatJSON, true},
		{"application/fhir+xml, application/fhir+json", "", FormatJSON, true},
		{"application/fhir+xml;q=0.1, */*", "", FormatJSON, true},
		{"text/html, application/xml;q=0.9, */*;q=0.8", "", FormatXML, true},
		{"application/fhir+xml;fhirVersion=3.0", "", 0, false},
		{"application/fhir+json;q=0, */*", "", FormatXML, true},
		{"application/fhir+json;q=0, application/fhir+xml;q=0, */*", "", 0, false},
		{"application/fhir+json;q=0", "", 0, false},
		{"*/*;q=0", "", 0, false},
		{"text/html,application/xhtml+xml,*/*;q=0.8", "", FormatJSON, true},
		{"text/html", "", 0, false},
		{"application/fhir+json;q=2", "", 0, false},
		{"nonsense", "", 0, false},
		{";;,,", "", 0, false},
		{"text/html", "json", FormatJSON, true},
		{"application/fhir+xml", "application/fhir+json", FormatJSON, true},
		{"*/*", "application/fhir json", FormatJSON, true},
		{"*/*", "xml", FormatXML, true},
		{"application/fhir+json", "application/fhir+xml", FormatXML, true},
		{"", "text/xml", FormatXML, true},
		{"*/*", "html", 0, false},
	} {
		if got, ok := NegotiateAccept(c.accept, c.format); got != c.want || ok != c.ok {
			t.Errorf("%q, %q: %d, %t", c.accept, c.format, got, ok)
		}
	}
}

func TestContentType(t *testing.T) {
	for header, want := range map[string]Format{
		"application/fhir+json":                      FormatJSON,
		"application/fhir+json; charset=UTF-8":       FormatJSON,
		"application/json;charset=utf-8":             FormatJSON,
		"application/fhir+json; fhirVersion=4.0":     FormatJSON,
		"application/fhir+xml; charset=utf-8":        FormatXML,
		"text/xml":                                   FormatXML,
		"application/xml; charset=utf-16":            0,
		"application/fhir+json; charset=iso-8859-1":  0,
		"application/fhir+json; fhirVersion=3.0":     0,
		"":                                           0,
		"json":                                       0,
		"text/plain":                                 0,
		"multipart/form-data; boundary=x":            0,
		"application/fhir+json, application/fhir+js": 0,
	} {
		if got, ok := ContentType(header); got != want || ok != (want != 0) {
			t.Errorf("%q: %d, %t", header, got, ok)
		}
	}
	if FormatXML.MediaType() != "application/fhir+xml; charset=utf-8" || FormatJSON.MediaType() != "application/fhir+json; charset=utf-8" || Format(0).MediaType() != "" {
		t.Error("media types")
	}
}
