package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/fhir"
)

const xmlType = "application/fhir+xml; charset=utf-8"

// inXML is a person whose software speaks XML only.
func (p *person) inXML() *person { return p.with("Accept", "application/fhir+xml") }

// postXML posts a resource as XML.
func (p *person) postXML(path string, resource []byte) *reply {
	p.t.Helper()
	return p.do(http.MethodPost, path, "application/fhir+xml", toXML(p.t, resource))
}

func toXML(t testing.TB, resource []byte) []byte {
	t.Helper()
	doc, err := fhir.ToXML(resource, true)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// fromXML requires an answer in XML, and makes it JSON.
func (r *reply) fromXML() *reply {
	r.t.Helper()
	if got := r.header.Get("Content-Type"); got != xmlType {
		r.t.Fatalf("%s: Content-Type %q\n%.300s", r.what, got, r.body)
	}
	body, err := fhir.FromXML(r.body)
	if err != nil {
		r.t.Fatalf("%s: %v\n%.1500s", r.what, err, r.body)
	}
	if _, err := fhir.Parse(body); err != nil {
		r.t.Errorf("%s: %v\n%.1500s", r.what, err, body)
	}
	c := *r
	c.body = body
	return &c
}

// sameJSON requires two resources to be equal but for the order of members.
func sameJSON(t testing.TB, what string, a, b []byte) {
	t.Helper()
	var values [2]any
	for i, data := range [][]byte{a, b} {
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&values[i]); err != nil {
			t.Fatalf("%s: %v\n%.300s", what, err, data)
		}
	}
	if !reflect.DeepEqual(values[0], values[1]) {
		t.Errorf("%s differ:\n%.1500s\nand\n%.1500s", what, a, b)
	}
}

// pushHospital pushes a document of the hospital for Alix and takes it away at the
// end, for the world is shared. It returns what was sent, and the references of the
// submission set, the document and the content.
func pushHospital(t *testing.T, w *world, content string, asXML bool) (sent []byte, refs [3]string) {
	t.Helper()
	author := w.as("hopital-nord")
	author.t = t
	sent = []byte(hospitalPush(w.people["patient-alix"].INS, content))
	var answer *reply
	if asXML {
		answer = author.inXML().postXML("", sent).is(200).fromXML()
	} else {
		answer = author.post("", sent).is(200)
	}
	answer.has("type", "transaction-response")
	for i := range refs {
		refs[i] = refOf(answer.at(fmt.Sprintf("entry.%d.response.location", i)))
	}
	t.Cleanup(func() { author.delete(refs[1]) })
	return sent, refs
}

// A submission pushed in XML and one pushed in JSON are read in both formats, with
// the same content: what was sent, but for what Stamp splices.
func TestPushAndReadInBothFormats(t *testing.T) {
	w := openWorld(t)
	for _, asXML := range []bool{true, false} {
		t.Run(fmt.Sprintf("XML %t", asXML), func(t *testing.T) {
			sent, refs := pushHospital(t, w, fmt.Sprintf("both formats %t", asXML), asXML)
			reader := w.as("medecin-martin")
			reader.t = t
			for i, ref := range refs {
				inJSON := reader.with("Accept", "application/fhir+json").get(ref).is(200)
				inXML := reader.inXML().get(ref).is(200)
				sameJSON(t, ref, inJSON.body, inXML.fromXML().body)
				for _, name := range []string{"ETag", "Last-Modified"} {
					if a, b := inJSON.header.Get(name), inXML.header.Get(name); a == "" || a != b {
						t.Errorf("%s: %s is %q in JSON and %q in XML", ref, name, a, b)
					}
				}
				if i == 1 {
					sameJSON(t, "the document", unstamped(t, inJSON.body), unstamped(t, entryOf(t, sent, i)))
				}
			}
			raw := reader.with("Accept", "*/*").get(refs[2]).is(200)
			if got := raw.header.Get("Content-Type"); strings.Contains(got, "fhir") || len(raw.body) == 0 {
				t.Errorf("the content itself is %q", got)
			}
		})
	}
}

// entryOf is the resource of an entry of a bundle.
func entryOf(t testing.TB, bundle []byte, i int) []byte {
	t.Helper()
	var b struct {
		Entry []struct{ Resource json.RawMessage }
	}
	if err := json.Unmarshal(bundle, &b); err != nil {
		t.Fatal(err)
	}
	return b.Entry[i].Resource
}

// unstamped takes off what the server writes: id and meta, the references that the
// bundle resolves.
func unstamped(t testing.TB, resource []byte) []byte {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(resource, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"id", "meta", "subject", "content"} {
		delete(members, name)
	}
	if len(members) < 5 {
		t.Fatalf("little is left of %s", resource)
	}
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Everything that is read is the same in XML: searches by GET and POST, history,
// batches, conditional reads, the statement of the server, HEAD.
func TestEveryReadingInXML(t *testing.T) {
	w := openWorld(t)
	_, refs := pushHospital(t, w, "every reading", true)
	reader := w.as("medecin-martin")
	query := "DocumentReference?patient=" + w.patient("patient-alix") + "&_total=accurate"
	for _, path := range []string{query, "List?patient=" + w.patient("patient-alix"), refs[1] + "/_history", refs[1] + "/_history/1", "metadata", "Patient/" + w.patient("patient-alix")} {
		inJSON := reader.get(path).is(200)
		inXML := reader.inXML().get(path).is(200)
		sameJSON(t, path, stable(inJSON.body), stable(inXML.fromXML().body))
		head := reader.inXML().do(http.MethodHead, path, "", nil).is(200)
		if len(head.body) > 0 || head.header.Get("Content-Type") != xmlType || head.header.Get("Content-Length") != fmt.Sprint(len(inXML.body)) && !strings.Contains(path, "?") {
			t.Errorf("HEAD %s: %v", path, head.header)
		}
	}
	form := []byte(strings.TrimPrefix(query, "DocumentReference?") + "&_format=xml")
	total := reader.get(query).is(200).at("total")
	reader.do("POST", "DocumentReference/_search", "application/x-www-form-urlencoded", form).is(200).fromXML().has("total", total)
	for _, format := range []string{"xml", "text/xml", "application/xml", "application/fhir%2Bxml"} {
		reader.get(query+"&_format="+format).is(200).fromXML().has("total", total)
	}
	pretty := reader.inXML().get(refs[1] + "?_pretty=true").is(200)
	if !strings.Contains(string(pretty.body), "\n  <status value=\"current\"/>\n") {
		t.Errorf("not pretty: %.200s", pretty.body)
	}
	tag := pretty.header.Get("ETag")
	if same := reader.inXML().with("If-None-Match", tag).get(refs[1]).is(304); len(same.body) > 0 {
		t.Errorf("a body with 304: %s", same.body)
	}
	batch := reader.inXML().postXML("", []byte(`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"`+refs[1]+`"}},{"request":{"method":"GET","url":"DocumentReference/none"}}]}`)).is(200).fromXML()
	batch.has("entry.0.resource.status", "current").has("entry.1.response.outcome.resourceType", "OperationOutcome")
}

// stable takes off what differs between two answers to one question: links with
// cursors and instants.
func stable(bundle []byte) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(bundle, &members) != nil || string(members["resourceType"]) != `"Bundle"` {
		return bundle
	}
	for _, name := range []string{"link", "id", "timestamp", "meta"} {
		delete(members, name)
	}
	out, err := json.Marshal(members)
	if err != nil {
		return nil
	}
	return out
}

// Everything that is written may be written in XML.
func TestEveryWritingInXML(t *testing.T) {
	w := openWorld(t)
	_, refs := pushHospital(t, w, "every writing", true)
	author := w.as("hopital-nord").inXML()
	author.do("PATCH", refs[1], "application/fhir+xml", toXML(t, []byte(`{"resourceType":"Parameters","parameter":[{"name":"operation","part":[
		{"name":"type","valueCode":"replace"},{"name":"path","valueString":"DocumentReference.status"},{"name":"value","valueCode":"superseded"}]}]}`))).
		is(200).fromXML().has("status", "superseded")
	patient := w.as("patient-alix").inXML()
	made := patient.postXML("Consent", blockConsent(w.people["patient-alix"].INS)).is(201)
	consent := made.fromXML()
	consent.has("resourceType", "Consent")
	id := "Consent/" + consent.at("id")
	over := bytes.Replace(patient.get(id).is(200).fromXML().body, []byte(`"status":"active"`), []byte(`"status":"inactive"`), 1)
	patient.with("If-Match", made.header.Get("ETag")).do(http.MethodPut, id, "text/xml", toXML(t, over)).is(200).fromXML().has("status", "inactive")
}

// Refusals come in the format that the client reads.
func TestRefusalsInXML(t *testing.T) {
	w := openWorld(t)
	p := w.as("medecin-martin")
	for name, c := range map[string]struct {
		status int
		got    *reply
	}{
		"unknown id":        {404, p.inXML().get("DocumentReference/none")},
		"unknown address":   {404, p.inXML().get("Nothing")},
		"unknown parameter": {400, p.get("DocumentReference?nonsense=1&_format=xml")},
		"no token":          {401, w.as("").inXML().get("DocumentReference/none")},
		"method":            {405, p.inXML().delete("metadata")},
		"media type":        {415, p.inXML().do("POST", "", "text/plain", []byte("x"))},
		"no format given":   {400, p.do("POST", "", "application/fhir+xml", []byte("<x/>"))},
		"other browsers":    {404, p.with("Accept", "text/html,application/xml;q=0.9,*/*;q=0.8").get("DocumentReference/none")},
	} {
		c.got.is(c.status).fromXML().has("resourceType", "OperationOutcome").has("issue.0.severity", "error")
		if name == "no token" && c.got.header.Get("WWW-Authenticate") == "" {
			t.Error("no challenge")
		}
	}
	p.with("Accept", "text/html").get("DocumentReference/none").is(406).has("resourceType", "OperationOutcome")
	p.inXML().get("DocumentReference?_format=html").is(406)
	p.with("Accept", "application/fhir+xml;q=0.5, application/fhir+json").get("DocumentReference/none").is(404).has("resourceType", "OperationOutcome")
	p.inXML().get("DocumentReference/none?_format=json").is(404).has("resourceType", "OperationOutcome")
}

// Hostile XML is refused at once on every route that takes a body; nothing that it
// names is read or fetched.
func TestHostileXML(t *testing.T) {
	w := openWorld(t)
	var fetched atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer elsewhere.Close()
	const open = `<Patient xmlns="http://hl7.org/fhir">`
	for name, body := range map[string]string{
		"file":               `<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + open + `<id value="&x;"/></Patient>`,
		"address":            `<!DOCTYPE Patient [<!ENTITY x SYSTEM "` + elsewhere.URL + `">]>` + open + `<id value="&x;"/></Patient>`,
		"external DTD":       `<!DOCTYPE Patient SYSTEM "` + elsewhere.URL + `/x.dtd">` + open + `</Patient>`,
		"parameter entity":   `<!DOCTYPE Patient [<!ENTITY % x SYSTEM "` + elsewhere.URL + `">%x;]>` + open + `</Patient>`,
		"XInclude":           open + `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/></Patient>`,
		"stylesheet":         `<?xml-stylesheet type="text/xsl" href="` + elsewhere.URL + `"?>` + open + `</Patient>`,
		"billion laughs":     laughs(),
		"instruction":        open + `<?php system("id") ?></Patient>`,
		"wrong namespace":    `<ClinicalDocument xmlns="urn:hl7-org:v3"/>`,
		"duplicate":          open + `<id value="a" value="b"/></Patient>`,
		"CDATA":              open + `<![CDATA[<script>]]></Patient>`,
		"depth":              strings.Repeat(`<Patient xmlns="http://hl7.org/fhir">`, 100_000),
		"depth of extension": open + strings.Repeat(`<extension url="x">`, 100_000),
		"count":              open + strings.Repeat(`<x/>`, 1_000_000),
		"attribute":          open + `<gender value="` + strings.Repeat("a", 900_000) + `"/></Patient>`,
		"attributes":         open + `<gender ` + strings.Repeat(`a="" `, 100_000) + `/></Patient>`,
		"UTF-16":             "\xff\xfe<\x00P\x00/\x00>\x00",
		"UTF-7 declared":     `<?xml version="1.0" encoding="UTF-7"?>+ADw-Patient/>`,
		"nothing":            ``,
		"JSON":               `{"resourceType":"Patient"}`,
	} {
		for _, url := range []string{"", "DocumentReference", "Consent", "Patient"} {
			for _, kind := range []string{"application/fhir+xml", "text/xml"} {
				start := time.Now()
				got := w.as("medecin-martin").inXML().do("POST", url, kind, []byte(body))
				if got.status != 400 && (got.status != 413 || len(body) < 1<<20) {
					t.Errorf("%s to %q: %d", name, url, got.status)
				}
				got.fromXML().has("resourceType", "OperationOutcome").has("issue.0.severity", "error")
				if strings.Contains(string(got.body), "root:") {
					t.Errorf("%s: %s", name, got.body)
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("%s to %q: refused after %v", name, url, d)
				}
			}
		}
	}
	if n := fetched.Load(); n > 0 {
		t.Errorf("%d addresses were fetched", n)
	}
}

func laughs() string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE x [<!ENTITY a0 "ha">`)
	for i := range 30 {
		fmt.Fprintf(&b, `<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	return b.String() + `]><Patient xmlns="http://hl7.org/fhir"><id value="&a30;"/></Patient>`
}
