package main

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// lone is a request that an entry of a bundle may make, and the request that it is
// alone.
type lone struct {
	name, method, url string
	resource          string // as the entry has it, "" for none
	body, mime        string // of the request alone, where they are other than resource and FHIR
	status            int
}

func (l lone) entry() string {
	resource := ""
	if l.resource != "" {
		resource = `"resource":` + l.resource + `,`
	}
	return fmt.Sprintf(`{%s"request":{"method":%q,"url":%q}}`, resource, l.method, l.url)
}

func (l lone) alone(p *person) *reply {
	body, mime := l.resource, "application/fhir+json"
	switch {
	case l.mime != "":
		body, mime = l.body, l.mime
	case l.resource == "" && (l.method == "GET" || l.method == "DELETE"):
		mime = ""
	}
	return p.do(l.method, l.url, mime, []byte(body))
}

func batchOf(entries ...string) []byte {
	return []byte(`{"resourceType":"Bundle","type":"batch","entry":[` + strings.Join(entries, ",") + `]}`)
}

func binaryPatch(mime, patch string) string {
	return `{"resourceType":"Binary","contentType":"` + mime + `","data":"` + base64.StdEncoding.EncodeToString([]byte(patch)) + `"}`
}

// An entry of a batch is answered as if it had been sent alone, whatever is wrong with
// it, and nothing becomes of its neighbours by that (R4 http.html#transaction).
func TestBatchEntriesAreIndependent(t *testing.T) {
	w := openWorld(t)
	caller := w.as("medecin-durand").with("Accept-Language", "en")
	alix := w.patient("patient-alix")
	doc := w.doc("alix-cr-consultation")
	const patch = `[{"op":"replace","path":"/description","value":"x"}]`
	consent := `{"resourceType":"Consent","status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},"category":[{"text":"?"}],"patient":{"reference":"Patient/` + alix + `"},"policyRule":{"text":"?"}}`
	cases := []lone{
		{name: "read", method: "GET", url: doc, status: 200},
		{name: "nothing there", method: "GET", url: "DocumentReference/nothing", status: 404},
		{name: "search", method: "GET", url: "DocumentReference?patient=" + alix + "&_summary=count", status: 200},
		{name: "unknown type", method: "GET", url: "Observation/1", status: 404},
		{name: "unknown type, created", method: "POST", url: "Observation", resource: `{"resourceType":"Observation"}`, status: 404},
		{name: "no address", method: "GET", url: "Patient//1", status: 404},
		{name: "escapes", method: "GET", url: "Patient/%41", status: 404},
		{name: "unknown parameter", method: "GET", url: "DocumentReference?patient=" + alix + "&colour=blue", status: 400},
		{name: "unreadable value", method: "GET", url: "DocumentReference?date=yesterday", status: 400},
		{name: "method that is not served", method: "DELETE", url: "Consent/1", status: 405},
		{name: "what only a transaction creates", method: "POST", url: "Patient", resource: `{"resourceType":"Patient"}`, status: 405},
		{name: "content", method: "POST", url: "Binary", resource: `{"resourceType":"Binary","contentType":"text/plain"}`, status: 405},
		{name: "what only a transaction creates, broken", method: "POST", url: "List", resource: `{"resourceType":"List","colour":"blue"}`, status: 400},
		{name: "broken resource", method: "POST", url: "Consent", resource: `{"resourceType":"Consent","status":"perhaps"}`, status: 400},
		{name: "no resource", method: "POST", url: "Consent", status: 400},
		{name: "resource of no type", method: "POST", url: "Consent", resource: `{"resourceType":"Accord"}`, status: 400},
		{name: "resource of another type", method: "POST", url: "Consent", resource: `{"resourceType":"CareTeam"}`, status: 400},
		{name: "a rule", method: "POST", url: "Consent", resource: consent, status: 422},
		{name: "document without content", method: "POST", url: "DocumentReference", resource: `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"contentType":"text/plain"}}]}`, status: 400},
		{name: "another id", method: "PUT", url: "CareTeam/1", resource: `{"resourceType":"CareTeam","id":"2"}`, status: 400},
		{name: "patch of another element", method: "PATCH", url: doc, resource: binaryPatch("application/json-patch+json", patch), body: patch, mime: "application/json-patch+json", status: 405},
		{name: "patch that is none", method: "PATCH", url: doc, resource: binaryPatch("application/json-patch+json", `{}`), body: `{}`, mime: "application/json-patch+json", status: 400},
		{name: "patch of another media type", method: "PATCH", url: doc, resource: binaryPatch("text/plain", patch), body: patch, mime: "text/plain", status: 415},
		{name: "patch that is no Parameters", method: "PATCH", url: doc, resource: `{"resourceType":"Patient"}`, status: 400},
		{name: "broken Parameters", method: "POST", url: "Patient/$fermer", resource: `{"resourceType":"Parameters","parameter":[{}]}`, status: 400},
		{name: "operation without its arguments", method: "POST", url: "Patient/" + alix + "/$fermer", resource: `{"resourceType":"Parameters"}`, status: 400},
		{name: "unknown operation", method: "POST", url: "Patient/$everything", resource: `{"resourceType":"Parameters"}`, status: 404},
		{name: "validation of what is no FHIR", method: "POST", url: "Consent/$validate", resource: `{"resourceType":"Consent","colour":"blue"}`, status: 200},
		{name: "a body where none goes", method: "GET", url: doc, resource: `{"resourceType":"DocumentReference"}`, body: `{}`, mime: "application/fhir+json", status: 400},
		{name: "metadata", method: "GET", url: "metadata?mode=everything", status: 400},
	}
	var entries []string
	for _, c := range cases {
		entries = append(entries, c.entry())
	}
	got := caller.post("", batchOf(entries...)).is(200).has("type", "batch-response").has("entry", strconv.Itoa(len(cases)))
	for i, c := range cases {
		alone := c.alone(caller).is(c.status)
		at := fmt.Sprintf("entry.%d.response.", i)
		if status := got.at(at + "status"); !strings.HasPrefix(status, strconv.Itoa(alone.status)+" ") {
			t.Errorf("%s: %q in a batch, %d alone", c.name, status, alone.status)
		}
		if alone.status < 400 {
			continue
		}
		for _, of := range []string{"severity", "code", "details.text"} {
			if inside, outside := got.at(at+"outcome.issue.0."+of), alone.at("issue.0."+of); inside != outside || inside == "" {
				t.Errorf("%s: %s is %q in a batch, %q alone", c.name, of, inside, outside)
			}
		}
	}
}

// Entries that could not even be sent alone are refused by themselves too.
func TestBatchOfWhatIsNoEntry(t *testing.T) {
	w := openWorld(t)
	caller := w.as("medecin-durand")
	read := `{"request":{"method":"GET","url":"` + w.doc("alix-cr-consultation") + `"}}`
	broken := []string{
		`1`, `null`, `{}`, `{"request":{"method":"BREW","url":"Patient/1"}}`, `{"request":{"method":"GET"}}`,
		`{"request":{"method":"GET","url":"http://169.254.169.254/latest"}}`, `{"request":{"method":"GET","url":"Patient/1#x"}}`,
		`{"fullUrl":"Patient/1","request":{"method":"GET","url":"Patient/1"}}`, `{"requests":1,"request":{"method":"GET","url":"Patient/1"}}`,
		`{"resource":7,"request":{"method":"POST","url":"Consent"}}`,
	}
	got := caller.post("", batchOf(append(append([]string{read}, broken...), read)...)).is(200)
	got.has("entry.0.response.status", "200 OK").has(fmt.Sprintf("entry.%d.response.status", len(broken)+1), "200 OK")
	for i, entry := range broken {
		at := fmt.Sprintf("entry.%d.response.", i+1)
		if got.at(at+"status") != "400 Bad Request" || got.at(at+"outcome.issue.0.details.text") == "" {
			t.Errorf("%s: %s %s", entry, got.at(at+"status"), got.at(at+"outcome.issue.0.details.text"))
		}
	}
}

// What makes the Bundle itself unreadable is a refusal of the whole.
func TestBatchThatIsNone(t *testing.T) {
	w := openWorld(t)
	caller := w.as("medecin-durand")
	const read = `{"request":{"method":"GET","url":"Patient/1"}}`
	for body, status := range map[string]int{
		`{"resourceType":"Bundle","type":"batch","entry":[` + read:                                                            400,
		`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1","url":"Patient/2"}}]}`: 400,
		`{"resourceType":"Bundle","type":"batch","type":"batch","entry":[` + read + `]}`:                                      400,
		`{"resourceType":"Bundle","type":"batch","entry":` + read + `}`:                                                       400,
		`{"resourceType":"Bundle","type":"batch","colour":"blue","entry":[` + read + `]}`:                                     400,
		`{"resourceType":"Parameters","type":"batch","entry":[` + read + `]}`:                                                 400,
		string(batchOf(strings.Repeat(read+",", 100) + read)):                                                                 413,
	} {
		caller.post("", []byte(body)).is(status).has("resourceType", "OperationOutcome")
	}
}
