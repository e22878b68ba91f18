package main

import "testing"

// A 405 names the methods that the address has, and none where it has none (RFC 9110
// §15.5.6); that nothing is served at an address is a 404.
func TestAllow(t *testing.T) {
	w := openWorld(t)
	caller := w.as("medecin-durand")
	doc := w.doc("alix-cr-consultation")
	for _, c := range []struct {
		method, path, body string
		status             int
		allow              string
	}{
		{"DELETE", "Patient/1", "", 405, "GET, HEAD, PATCH"},
		{"BREW", "Patient/1", "", 405, "GET, HEAD, PATCH"},
		{"BREW", "Consent/1", "", 405, "GET, HEAD, PUT"},
		{"BREW", "DocumentReference", "", 405, "GET, HEAD, POST, PATCH"},
		{"BREW", "Patient/$fermer", "", 405, "POST"},
		{"BREW", "", "", 405, "POST"},
		{"OPTIONS", "metadata", "", 405, "GET, HEAD"},
		{"OPTIONS", doc + "/$expliquer", "", 405, "POST, GET, HEAD"},
		{"BREW", "Observation/1", "", 404, ""},
		{"POST", "Patient", `{"resourceType":"Patient"}`, 405, "GET, HEAD"},
		{"POST", "Binary", `{"resourceType":"Binary","contentType":"text/plain"}`, 405, ""},
		{"POST", "Bundle", `{"resourceType":"Bundle","type":"collection"}`, 405, ""},
		{"POST", "Binary", `{"resourceType":"Binary"}`, 400, ""},
		{"GET", "Binary", "", 405, ""},
		{"POST", "OperationDefinition", `{"resourceType":"OperationDefinition"}`, 404, ""},
		{"PATCH", doc, `[{"op":"replace","path":"/description","value":"x"}]`, 405, "GET, HEAD, PATCH, DELETE"},
	} {
		mime := ""
		switch {
		case c.method == "PATCH":
			mime = "application/json-patch+json"
		case c.body != "":
			mime = "application/fhir+json"
		}
		got := caller.do(c.method, c.path, mime, []byte(c.body)).is(c.status).has("resourceType", "OperationOutcome")
		allow, given := got.header["Allow"]
		if given != (c.status == 405) || given && (len(allow) != 1 || allow[0] != c.allow) {
			t.Errorf("%s %s: allows %q, want %q", c.method, c.path, allow, c.allow)
		}
	}
	caller.do("BREW", "http"+w.base[4:len(w.base)-len("/fhir")]+"/health", "", nil).is(405)
}
