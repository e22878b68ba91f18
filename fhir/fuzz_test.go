package fhir

import (
	"bytes"
	"testing"
	"time"
)

// fuzzSeeds are small resources that reach most of the parser.
var fuzzSeeds = []string{
	`{"resourceType":"Patient"}`,
	`{"resourceType":"Patient","id":"a","meta":{"versionId":"1"},"birthDate":"2024-02-29","name":[{"given":["a",null],"_given":[null,{"extension":[{"url":"http://x","valueCode":"b"}]}]}]}`,
	`{"resourceType":"DocumentReference","status":"current","contained":[{"resourceType":"Medication","id":"m"}],"context":{"related":[{"reference":"#m"}]},"content":[{"attachment":{"contentType":"a/b","data":"QQ=="}}],"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"urn:uuid:1\">x</a></div>"}}`,
	`{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"List","status":"current","mode":"working"},"request":{"method":"POST","url":"List"}}]}`,
	`{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":true}]}]}`,
}

func FuzzParse(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if err != nil {
			_ = err.Error()
			return
		}
		if !bytes.Equal(r.Bytes(), bytes.Trim(data, " \t\r\n")) {
			t.Fatalf("bytes differ: %q", r.Bytes())
		}
		if _, err := Parse(r.Bytes()); err != nil {
			t.Fatalf("refused the second time: %v", err)
		}
		if _, err := Parse(Pretty(r.Bytes())); err != nil {
			t.Fatalf("refused when pretty: %v", err)
		}
		_, _ = ReadBundle(r)
		if batch, err := ParseBundle(data); err != nil {
			t.Fatalf("refused as a bundle: %v", err)
		} else if IsBatch(batch) {
			for range Base("").ReadBatch(batch) {
			}
		}
		for entry := range r.Get("entry").Items() {
			if inner := entry.Get("resource").Resource(); inner != nil && !bytes.Equal(inner.Bytes(), entry.Get("resource").Raw()) {
				t.Fatalf("entry differs: %q", inner.Bytes())
			}
		}
	})
}

func FuzzStamp(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s), "urn:uuid:1", "Patient/1")
	}
	f.Fuzz(func(t *testing.T, data []byte, from, to string) {
		r, err := Parse(data)
		if err != nil {
			return
		}
		plain, err := Stamp(r, stamped("s", 4))
		if err != nil {
			t.Fatal(err)
		}
		checkStamped(t, "stamp", r, plain, "s", "4")
		s := stamped("s", 4)
		s.References = map[string]string{from: to}
		resolved, err := Stamp(plain, s)
		if err != nil {
			t.Fatal(err)
		}
		if from == to && !bytes.Equal(resolved.Bytes(), plain.Bytes()) && bytes.IndexByte(plain.Bytes(), '\\') < 0 {
			t.Fatalf("resolved to itself, and changed: %s", resolved.Bytes())
		}
	})
}

func FuzzPatch(f *testing.F) {
	for _, s := range []string{
		`[{"op":"replace","path":"/status","value":"superseded"}]`,
		`[{"op":"remove","path":"/content/0"},{"op":"add","path":"/content/-","value":{"attachment":{"url":"x"}}}]`,
		`[{"op":"add","path":"/securityLabel/0","value":{"text":"x"}},{"op":"test","path":"/securityLabel","value":[{"text":"x"}]}]`,
		`[{"op":"replace","path":"/extension[url:”http://x”]/valueBoolean","value":"true"}]`,
		fuzzSeeds[4],
	} {
		f.Add([]byte(s), []byte(fuzzSeeds[2]))
	}
	f.Fuzz(func(t *testing.T, data, resource []byte) {
		r, err := Parse(resource)
		if err != nil {
			return
		}
		p, err := ParsePatch(data)
		if err != nil {
			parameters, err := Parse(data)
			if err != nil {
				return
			}
			if p, err = ParsePatchParameters(parameters); err != nil {
				return
			}
		}
		_ = p.Elements()
		before := string(r.Bytes())
		after, err := Apply(r, p)
		if string(r.Bytes()) != before {
			t.Fatal("the resource changed under the patch")
		}
		if err != nil {
			return
		}
		if _, err := Stamp(after, Stamped{ID: "a", Version: 1, Updated: time.Unix(0, 0)}); err != nil {
			t.Fatalf("%s: %v", after.Bytes(), err)
		}
		touched := map[string]bool{}
		for _, name := range p.Elements() {
			name, _, _ := bytes.Cut([]byte(name), []byte("["))
			touched[string(name)] = true
		}
		for name, n := range r.Root().Members() {
			if !touched[name] && !bytes.Equal(n.Raw(), after.Get(name).Raw()) {
				t.Fatalf("%s changed, which the patch does not name", name)
			}
		}
	})
}
