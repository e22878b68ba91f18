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
	if err != nil || b.Resource != r || len(b.Entries) != 6 {
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
		if typ := r.Get("type").Text(); r.Type() != "Bundle" || typ != "transaction" {
			continue
		}
		count++
		b, err := ReadBundle(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, e := range b.Entries { // two examples of HL7 begin theirs with a slash
			if strings.HasPrefix(e.URL, "/") {
				t.Errorf("%s: %s", name, e.URL)
			}
		}
	}
	if count < 10 {
		t.Errorf("%d bundles", count)
	}
}

// What is around the entries of a batch is read at once, each entry by itself.
func TestReadBatch(t *testing.T) {
	const good = `{"fullUrl":"urn:uuid:1","request":{"method":"GET","url":"https://dmp.test/fhir/Patient/1"}}`
	for _, c := range []struct{ name, entry, code, expression string }{
		{"good", `{"request":{"method":"GET","url":"Patient/1"}}`, "", ""},
		{"a resource that is none", `{"request":{"method":"POST","url":"Patient"},"resource":{"resourceType":"Patien","x":[]}}`, "", ""},
		{"a resource that is a number", `{"request":{"method":"POST","url":"Patient"},"resource":1}`, "", ""},
		{"another type than that of the URL", `{"request":{"method":"POST","url":"Patient"},"resource":{"resourceType":"List"}}`, "", ""},
		{"a URL that is not served", `{"request":{"method":"GET","url":"Patient//1?x=a://b"}}`, "", ""},
		{"no object", `7`, "structure", "Bundle.entry[1]"},
		{"nothing", `{}`, "structure", "Bundle.entry[1]"},
		{"unknown element", `{"requests":{},"request":{"method":"GET","url":"Patient/1"}}`, "structure", "Bundle.entry[1].requests"},
		{"no request", `{"resource":{"resourceType":"Patient"}}`, "invariant", "Bundle.entry[1]"},
		{"no method", `{"request":{"url":"Patient"}}`, "required", "Bundle.entry[1].request.method"},
		{"method", `{"request":{"method":"BREW","url":"Patient"}}`, "code-invalid", "Bundle.entry[1].request.method"},
		{"instant", `{"request":{"method":"GET","url":"Patient/1","ifModifiedSince":"now"}}`, "value", "Bundle.entry[1].request.ifModifiedSince"},
		{"response", `{"request":{"method":"GET","url":"Patient/1"},"response":{"status":"200"}}`, "invariant", "Bundle.entry[1]"},
		{"another server", `{"request":{"method":"GET","url":"https://other.test/fhir/Patient/1"}}`, "value", "Bundle.entry[1].request.url"},
		{"a host", `{"request":{"method":"GET","url":"//other.test/fhir/Patient/1"}}`, "value", "Bundle.entry[1].request.url"},
		{"a blank", `{"request":{"method":"GET","url":"Patient?family=a b"}}`, "value", "Bundle.entry[1].request.url"},
		{"relative fullUrl", `{"fullUrl":"Patient/1","request":{"method":"GET","url":"Patient/1"}}`, "value", "Bundle.entry[1].fullUrl"},
		{"fullUrl twice", good, "invariant", "Bundle.entry[1].fullUrl"},
	} {
		r, err := ParseBundle([]byte(`{"resourceType":"Bundle","type":"batch","entry":[` + good + `,` + c.entry + `,{"request":{"method":"DELETE","url":"Patient/1"}}]}`))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		i := 0
		for e, err := range Base("https://dmp.test/fhir").ReadBatch(r) {
			var invalid *Invalid
			switch {
			case e.Index != i:
				t.Errorf("%s: entry %d at %d", c.name, e.Index, i)
			case i == 0 && e.URL != "Patient/1":
				t.Errorf("own address: %q", e.URL)
			case i != 1 || c.code == "":
				if err != nil {
					t.Errorf("%s, entry %d: %v", c.name, i, err)
				}
			case !errors.As(err, &invalid) || invalid.Issues[0].Code != c.code || invalid.Issues[0].Expression != c.expression:
				t.Errorf("%s: %v", c.name, err)
			}
			i++
		}
		if i != 3 {
			t.Errorf("%s: %d entries", c.name, i)
		}
	}
}

// What is no batch is read whole, and so is what is around the entries of one.
func TestParseBundleRefuses(t *testing.T) {
	const broken = `"entry":[{"resource":{"resourceType":"Patient","x":1},"request":{"method":"POST","url":"Patient"}}]`
	if _, err := ParseBundle([]byte(`{"resourceType":"Bundle","type":"batch",` + broken + `}`)); err != nil {
		t.Error(err)
	}
	for _, body := range []string{
		`{"resourceType":"Bundle","type":"transaction",` + broken + `}`,
		`{"resourceType":"Bundle","type":"batch","type":"batch",` + broken + `}`,
		`{"resourceType":"Bundle","type":"batch","x":1,` + broken + `}`,
		`{"resourceType":"Bundle","type":"batch","total":1,` + broken + `}`,
		`{"resourceType":"Bundle","type":"batch","entry":{}}`,
		`{"resourceType":"Bundle","type":"batch","entry":[]}`,
		`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"url":"a","url":"a"}}]}`,
		`{"resourceType":"Patient","type":"batch",` + broken + `}`,
		`{"resourceType":"Bundle","type":"batch"`, `[]`, ``,
	} {
		var invalid *Invalid
		if _, err := ParseBundle([]byte(body)); !errors.As(err, &invalid) {
			t.Errorf("%s: %v", body, err)
		}
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
		{"batch", `"type":"batch"`, "value", "Bundle.type"},
		{"no type", `"entry":[]`, "value", "Bundle.type"},
		{"no request", `"type":"transaction","entry":[{"resource":{"resourceType":"Patient"}}]`, "required", "Bundle.entry[0].request"},
		{"method", `"type":"transaction",` + entry("BREW", "Patient"), "value", "Bundle.entry[0].request.method"},
		{"no resource", `"type":"transaction",` + entry("POST", "Patient"), "required", "Bundle.entry[0].resource"},
		{"no patch", `"type":"transaction",` + entry("PATCH", "Patient/1"), "required", "Bundle.entry[0].resource"},
		{"other type", `"type":"transaction","entry":[{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"List"}}]`, "value", "Bundle.entry[0].request.url"},
		{"relative fullUrl", `"type":"transaction","entry":[{"fullUrl":"Patient/1","request":{"method":"GET","url":"Patient/1"}}]`, "value", "Bundle.entry[0].fullUrl"},
		{"fullUrl twice", `"type":"transaction","entry":[{"fullUrl":"urn:x","request":{"method":"GET","url":"Patient/1"}},{"fullUrl":"urn:x","request":{"method":"GET","url":"Patient/2"}}]`, "invariant", "Bundle.entry[1].fullUrl"},
		{"too many", `"type":"transaction","entry":[1` + strings.Repeat(",1", MaxEntries) + `]`, "too-costly", "Bundle.entry"},
	} {
		_, err := ReadBundle(scan(t, `{"resourceType":"Bundle",`+c.members+`}`))
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Issues[0].Code != c.code || invalid.Issues[0].Expression != c.expression {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, url := range []string{
		"", "/", "//Patient", "/../Patient", "//host/Patient", "http://169.254.169.254/latest", "../../admin", "Patient/..", "Patient/.", "./Patient",
		"Patient//1", "Patient/", "Patient/%2e%2e", "Patient;a=b", "a@b/Patient", `Patient\1`, "Patient/1#x", "Patient?a b", "urn:uuid:1",
		"Patient\t", "Patient\u007f", "javascript:a",
	} {
		_, err := ReadBundle(scan(t, `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":`+string(Quote(url))+`}}]}`))
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Issues[0].Expression != "Bundle.entry[0].request.url" {
			t.Errorf("url %q: %v", url, err)
		}
	}
	var many strings.Builder
	for range 50 {
		many.WriteString(`{"request":{"method":"X","url":"a"}},`)
	}
	_, err := ReadBundle(scan(t, `{"resourceType":"Bundle","type":"transaction","entry":[`+many.String()+`{"request":{"method":"X","url":"a"}}]}`))
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
