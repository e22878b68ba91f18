package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// malformed is one case of testdata/adversarial/fhir-malformed.json.
type malformed struct {
	Name, Raw, Expect string
	URL               *string
}

// Malformed bodies are refused with an OperationOutcome, alone and inside a
// transaction, and nothing of them is stored. What a case calls ok is accepted
// as far as its syntax goes.
func TestMalformedBodies(t *testing.T) {
	w := openWorld(t)
	var cases []malformed
	if err := json.Unmarshal(readFile(t, "../../testdata/adversarial/fhir-malformed.json"), &cases); err != nil || len(cases) < 40 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	caller := w.as("medecin-exemple")
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			url := "Patient"
			if c.URL != nil {
				url = *c.URL
			}
			got := caller.post(url, []byte(c.Raw))
			if c.Expect == "reject" {
				refusedWith(t, got)
			}
			if got.status >= 500 {
				t.Errorf("%d", got.status)
			}
			if url != "Patient" || !json.Valid([]byte(c.Raw)) && c.Expect != "reject" {
				return
			}
			// Patient is created by an opening only: there the parser sees it.
			inside := caller.post("", []byte(`{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:4f1b1c3e-0c52-4c58-9d1e-000000000001","resource":`+c.Raw+`,"request":{"method":"POST","url":"Patient"}}]}`))
			switch {
			case c.Expect == "reject" && inside.status != 400:
				t.Errorf("inside a transaction: %d, want 400\n%.300s", inside.status, inside.body)
			case c.Expect == "ok" && inside.status == 400:
				t.Errorf("inside a transaction: refused as malformed\n%.300s", inside.body)
			case inside.status >= 500:
				t.Errorf("inside a transaction: %d", inside.status)
			}
		})
	}
}

// refusedWith requires a refusal with an OperationOutcome and no internal text.
func refusedWith(t *testing.T, r *reply) {
	t.Helper()
	if r.status < 400 || r.status >= 500 {
		t.Fatalf("%d, want a refusal\n%.300s", r.status, r.body)
	}
	r.t = t
	r.has("resourceType", "OperationOutcome")
	for _, inside := range []string{"goroutine", ".go:", "sqlite", "runtime error"} {
		if strings.Contains(string(r.body), inside) {
			t.Errorf("the answer tells of the inside: %s", r.body)
		}
	}
}

// No file of the JSON parsing suite that must be refused is taken by any route
// with a body.
func TestInvalidJSON(t *testing.T) {
	w := openWorld(t)
	files, err := filepath.Glob("../../testdata/adversarial/json/n_*.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	caller := w.as("medecin-exemple")
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, url := range []string{"", "DocumentReference", "Consent"} {
			r := caller.post(url, body)
			if r.status != 400 {
				t.Errorf("%s to %q: %d, want 400", filepath.Base(file), url, r.status)
			}
		}
	}
}

// Bombs of depth, size and count are refused at once.
func TestBombs(t *testing.T) {
	w := openWorld(t)
	caller := w.as("medecin-exemple")
	bombs := map[string][]byte{
		"depth":     bytes.Repeat([]byte(`{"a":`), 1_000_000),
		"arrays":    bytes.Repeat([]byte(`[`), 5_000_000),
		"members":   []byte(`{"resourceType":"Patient",` + strings.Repeat(`"x":1,`, 1_000_000) + `"y":1}`),
		"elements":  []byte(`{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Repeat(`{},`, 1_000_000) + `{}]}`),
		"oversized": bytes.Repeat([]byte(" "), 40<<20),
	}
	for name, body := range bombs {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			r := caller.post("", body)
			if r.status != 400 && r.status != 413 {
				t.Errorf("%d", r.status)
			}
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("refused after %v", d)
			}
		})
	}
}
