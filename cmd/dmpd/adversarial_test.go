package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/fhir"
)

// primitiveNames are the types of the lists of primitives, as in the name of a choice.
var primitiveNames = map[string]string{
	"base64_binary": "Base64Binary", "boolean": "Boolean", "canonical": "Canonical", "code": "Code", "date": "Date",
	"date_time": "DateTime", "decimal": "Decimal", "id": "Id", "instant": "Instant", "integer": "Integer",
	"markdown": "Markdown", "oid": "Oid", "positive_int": "PositiveInt", "string": "String", "time": "Time",
	"unsigned_int": "UnsignedInt", "uri": "Uri", "url": "Url", "uuid": "Uuid",
}

// Each value of the lists of primitives is judged by the server as its list says, as
// JSON and, where it is valid, as XML. A Patient cannot be created alone: 405 says
// that nothing was wrong with the body, 400 what was.
func TestAdversarialPrimitives(t *testing.T) {
	w := openWorld(t)
	caller := w.as("medecin-exemple")
	files, err := filepath.Glob("../../testdata/adversarial/primitives/*.ndjson")
	check(t, err)
	count := 0
	for _, file := range files {
		parts := strings.Split(filepath.Base(file), ".")
		name, ok := primitiveNames[parts[0]]
		if !ok {
			continue // Reference and xhtml are no choices: fhir/primitive_test.go
		}
		for line := range strings.SplitSeq(strings.TrimSpace(string(readFile(t, file))), "\n") {
			body := []byte(`{"resourceType":"Patient","extension":[{"url":"http://x.test","value` + name + `":` + line + `}]}`)
			want := 400
			if parts[1] == "valid" && line != "null" { // the list reads null as no value; R4 has none
				want = 405
			}
			count++
			if got := caller.post("Patient", body); got.status != want {
				t.Errorf("%s: %s: %d, want %d\n%.300s", filepath.Base(file), line, got.status, want, got.body)
			}
			if want == 405 {
				if got := caller.postXML("Patient", body); got.status != want {
					t.Errorf("%s: %s as XML: %d, want %d\n%.300s", filepath.Base(file), line, got.status, want, got.body)
				}
			}
		}
	}
	if count < 140 {
		t.Errorf("%d values", count)
	}
}

// What is JSON and no resource is refused as what it is, on every route with a body,
// and so is JSON that is sent as XML.
func TestAdversarialJSONThatIsNoResource(t *testing.T) {
	w := openWorld(t)
	caller := w.as("medecin-exemple")
	files, err := filepath.Glob("../../testdata/adversarial/json/*.json")
	if err != nil || len(files) < 280 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		check(t, err)
		url := "Consent"
		if got := caller.do(http.MethodPost, url, "application/fhir+xml", body); got.status != 400 {
			t.Errorf("%s as XML: %d", filepath.Base(file), got.status)
		}
		if !strings.HasPrefix(filepath.Base(file), "y_") {
			continue // TestInvalidJSON
		}
		for _, url := range []string{"", "Consent"} {
			got := caller.post(url, body)
			if got.status != 400 {
				t.Errorf("%s to %q: %d", filepath.Base(file), url, got.status)
			}
			refusedWith(t, got)
		}
		if got := caller.do(http.MethodPatch, "DocumentReference/x", "application/json-patch+json", body); got.status != 400 && got.status != 404 {
			t.Errorf("%s as a patch: %d", filepath.Base(file), got.status)
		}
	}
}

// bomb is a body that costs its sender little.
type bomb struct{ name, mime, path, body string }

// bombs of depth, size and count, as JSON and as XML. Those of a size that a limit
// refuses are in limits of their own (IN05).
func bombs() []bomb {
	const json, xml, patch = "application/fhir+json", "application/fhir+xml", "application/json-patch+json"
	const mib = 1 << 20
	open := `<Patient xmlns="http://hl7.org/fhir">`
	all := []bomb{
		{"depth of objects", json, "", strings.Repeat(`{"a":`, mib/5)},
		{"depth of arrays", json, "", strings.Repeat(`[`, mib)},
		{"depth of extensions", json, "Consent", `{"resourceType":"Consent","extension":` + strings.Repeat(`[{"url":"u","extension":`, mib/24)},
		{"depth of contained", json, "Consent", strings.Repeat(`{"resourceType":"Consent","contained":[`, mib/40)},
		{"count of values", json, "Consent", `{"resourceType":"Consent","x":[` + strings.Repeat("1,", 4*mib) + `1]}`},
		{"count of members", json, "Consent", `{"resourceType":"Consent",` + strings.Repeat(`"x":1,`, mib/6) + `"y":1}`},
		{"count of known members", json, "Consent", `{"resourceType":"Consent","identifier":[` + strings.Repeat(`{},`, mib/3) + `{}]}`},
		{"count of entries", json, "", `{"resourceType":"Bundle","type":"batch","entry":[` + strings.Repeat(`{"request":{"method":"GET","url":"x"}},`, mib/38) + `1]}`},
		{"a long name", json, "Consent", `{"resourceType":"Consent","` + strings.Repeat("a", mib) + `":1}`},
		{"a long string", json, "Consent", `{"resourceType":"Consent","language":"` + strings.Repeat("a", mib) + `"}`},
		{"a long number", json, "Consent", `{"resourceType":"Consent","x":` + strings.Repeat("9", mib) + `}`},
		{"escapes", json, "Consent", `{"resourceType":"Consent","language":"` + strings.Repeat(`\u0061`, mib/6) + `"}`},
		{"white space", json, "Consent", strings.Repeat(" ", mib) + `{`},
		{"depth of elements", xml, "Consent", `<Consent xmlns="http://hl7.org/fhir">` + strings.Repeat(`<extension url="u">`, mib/19)},
		{"depth of a narrative", xml, "Consent", `<Consent xmlns="http://hl7.org/fhir"><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">` + strings.Repeat(`<b>`, mib/3)},
		{"count of elements", xml, "Consent", open + strings.Repeat(`<id value="1"/>`, mib/15)},
		{"count of attributes", xml, "Consent", `<Consent xmlns="http://hl7.org/fhir" ` + strings.Repeat(`a="" `, mib/5) + `/>`},
		{"count of namespaces", xml, "Consent", `<Consent xmlns="http://hl7.org/fhir"` + strings.Repeat(` xmlns:a="b"`, mib/12) + `/>`},
		{"a long attribute", xml, "Consent", `<Consent xmlns="http://hl7.org/fhir"><id value="` + strings.Repeat("a", mib) + `"/></Consent>`},
		{"a billion laughs", xml, "Consent", `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">` + strings.Repeat(`<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">`, 20) + `]>` + open + `&b;</Patient>`},
		{"comments", xml, "Consent", open + strings.Repeat(`<!---->`, mib/7)},
		{"character references", xml, "Consent", open + `<id value="` + strings.Repeat(`&#97;`, mib/5) + `"/></Patient>`},
		{"operations of a patch", patch, "DocumentReference/x", `[` + strings.Repeat(`{"op":"test","path":"/status","value":"current"},`, 20_000) + `1]`},
		{"depth of a patch", patch, "DocumentReference/x", `[{"op":"add","path":"/status","value":` + strings.Repeat(`[`, mib/2)},
	}
	return all
}

func (p *person) send(b bomb) *reply {
	method := http.MethodPost
	if b.mime == "application/json-patch+json" {
		method = http.MethodPatch
	}
	return p.do(method, b.path, b.mime, []byte(b.body))
}

// Every bomb is refused in a time and with memory that its size bounds: what is
// allocated for a request is not kept, and does not grow with what it says.
func TestAdversarialBombs(t *testing.T) {
	w := openWorld(t)
	caller := w.as("medecin-exemple")
	all := bombs()
	for _, b := range all {
		if got := caller.send(b); got.status != 400 && got.status != 413 {
			t.Errorf("%s: %d\n%.300s", b.name, got.status, got.body)
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for range 3 {
		for _, b := range all {
			var m0, m1 runtime.MemStats
			runtime.ReadMemStats(&m0)
			start := time.Now()
			caller.send(b)
			took := time.Since(start)
			runtime.ReadMemStats(&m1)
			// Client and server are one process, which both hold the body; a value of
			// two bytes takes 24 in the tree, which grows by copies.
			if grew := m1.TotalAlloc - m0.TotalAlloc; grew > uint64(48*len(b.body)+8<<20) {
				t.Errorf("%s: %d MiB for a body of %d KiB", b.name, grew>>20, len(b.body)>>10)
			}
			if took > 2*time.Second { // the benchmark measures; this is for what is out of bounds
				t.Errorf("%s: %v", b.name, took)
			}
		}
	}
	if after := heap(); after > before+16<<20 {
		t.Errorf("the heap went from %d to %d MiB", before>>20, after>>20)
	}
}

// BenchmarkAdversarial answers each bomb, and each body of the lists, and reports the
// slowest answer: the goal is 50 ms.
func BenchmarkAdversarial(b *testing.B) {
	w := openWorld(b)
	caller := w.as("medecin-exemple")
	run := func(name string, send func()) {
		b.Run(name, func(b *testing.B) {
			var times []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				send()
				times = append(times, time.Since(start))
			}
			b.ReportMetric(float64(slices.Max(times).Microseconds())/1000, "ms-max")
		})
	}
	for _, bomb := range bombs() {
		run(strings.ReplaceAll(bomb.name, " ", "-"), func() { caller.send(bomb) })
	}
	files, err := filepath.Glob("../../testdata/adversarial/json/*.json")
	check(b, err)
	var bodies [][]byte
	for _, file := range files {
		bodies = append(bodies, readFile(b, file))
	}
	i := 0
	run("json-suite", func() { caller.post("", bodies[i%len(bodies)]); i++ })
}

// A valid resource with one byte changed is answered, whatever the byte.
func TestAdversarialOneByte(t *testing.T) {
	w := openWorld(t)
	caller := w.as("medecin-exemple")
	body := []byte(`{"resourceType":"Consent","status":"active","category":[{"text":"é"}],"extension":[{"url":"http://x.test","valueDecimal":1.00}]}`)
	xml, err := fhir.ToXML(body, false)
	check(t, err)
	for mime, whole := range map[string][]byte{"application/fhir+json": body, "application/fhir+xml": xml} {
		for i := 0; i < len(whole); i += 3 {
			for _, c := range []byte{0, '"', '<', '{', 0xff} {
				changed := bytes.Clone(whole)
				changed[i] = c
				got := caller.do(http.MethodPost, "Consent", mime, changed)
				if got.status < 400 || got.status >= 500 {
					t.Errorf("%s", fmt.Sprintf("%s byte %d as %#x: %d", mime, i, c, got.status))
				}
			}
		}
	}
}
