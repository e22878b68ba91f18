package fhir

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func stamped(id string, version int64) Stamped {
	return Stamped{ID: id, Version: version, Updated: time.Date(2026, 11, 22, 10, 30, 0, 123456789, time.FixedZone("", 3600))}
}

func TestStamp(t *testing.T) {
	with := func(change func(*Stamped)) Stamped {
		s := stamped("n1", 7)
		change(&s)
		return s
	}
	const meta = `{"versionId":"7","lastUpdated":"2026-11-22T09:30:00.123Z"}`
	for _, c := range []struct {
		name, data, want string
		s                Stamped
	}{
		{"new", `{"resourceType":"Patient","active":true}`,
			`{"resourceType":"Patient","id":"n1","meta":` + meta + `,"active":true}`, stamped("n1", 7)},
		{"id known, type last", `{ "id": "old", "resourceType": "Patient" }`,
			`{ "id": "n1", "meta": ` + meta + `, "resourceType": "Patient" }`, stamped("n1", 7)},
		{"meta kept", "{\n  \"resourceType\": \"Patient\",\n  \"meta\": {\n    \"profile\": [\"http://x\"],\n    \"lastUpdated\": \"2020-01-01T00:00:00Z\"\n  }\n}",
			"{\n  \"resourceType\": \"Patient\",\n  \"id\": \"n1\",\n  \"meta\": {\n    \"profile\": [\"http://x\"],\n    \"lastUpdated\": \"2026-11-22T09:30:00.123Z\",\n    \"versionId\": \"7\"\n  }\n}", stamped("n1", 7)},
		{"status", `{"resourceType":"List","id":"n1","meta":` + meta + `,"status":"current","mode":"working"}`,
			`{"resourceType":"List","id":"n1","meta":` + meta + `,"status":"retired","mode":"working"}`,
			with(func(s *Stamped) { s.Status = "retired" })},
		{"references", `{"resourceType":"List","id":"n1","meta":` + meta + `,"status":"current","mode":"working","identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:1"}],"title":"urn:uuid:1","extension":[{"url":"urn:uuid:1","valueUri":"urn:uuid:1"},{"url":"http://x","valueString":"urn:uuid:1"}],"subject":{"reference":"urn:uuid:1","display":"urn:uuid:1"},"entry":[{"item":{"reference":"urn:uuid:12"}},{"item":{"reference":"urn:uuid:2"}}]}`,
			`{"resourceType":"List","id":"n1","meta":` + meta + `,"status":"current","mode":"working","identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:1"}],"title":"urn:uuid:1","extension":[{"url":"urn:uuid:1","valueUri":"Patient/1"},{"url":"http://x","valueString":"urn:uuid:1"}],"subject":{"reference":"Patient/1","display":"urn:uuid:1"},"entry":[{"item":{"reference":"urn:uuid:12"}},{"item":{"reference":"List/2"}}]}`,
			with(func(s *Stamped) {
				s.References = map[string]string{"urn:uuid:1": "Patient/1", "urn:uuid:2": "List/2"}
			})},
		{"references inside", `{"resourceType":"DocumentReference","id":"n1","meta":` + meta + `,"status":"current","contained":[{"resourceType":"PractitionerRole","id":"a","organization":{"reference":"urn:uuid:1"}},{"resourceType":"Medication","id":"m","manufacturer":{"reference":"urn:uuid:1"}}],"author":[{"reference":"#a"}],"context":{"related":[{"reference":"#m"}]},"content":[{"attachment":{"url":"urn:uuid:1"}}],"_status":{"extension":[{"url":"http://x","valueReference":{"reference":"urn:uuid:1"}}]}}`,
			`{"resourceType":"DocumentReference","id":"n1","meta":` + meta + `,"status":"current","contained":[{"resourceType":"PractitionerRole","id":"a","organization":{"reference":"X/1"}},{"resourceType":"Medication","id":"m","manufacturer":{"reference":"X/1"}}],"author":[{"reference":"#a"}],"context":{"related":[{"reference":"#m"}]},"content":[{"attachment":{"url":"X/1"}}],"_status":{"extension":[{"url":"http://x","valueReference":{"reference":"X/1"}}]}}`,
			with(func(s *Stamped) { s.References = map[string]string{"urn:uuid:1": "X/1"} })},
		{"narrative", `{"resourceType":"Patient","id":"n1","meta":` + meta + `,"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">\u00e9 urn:uuid:1 <a href=\"urn:uuid:1\">x<\/a><img src='urn:uuid:1'/><a href=\"urn:uuid:12\">y</a></div>"}}`,
			`{"resourceType":"Patient","id":"n1","meta":` + meta + `,"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">\u00e9 urn:uuid:1 <a href=\"Patient/1?a&amp;b\">x<\/a><img src='Patient/1?a&amp;b'/><a href=\"urn:uuid:12\">y</a></div>"}}`,
			with(func(s *Stamped) { s.References = map[string]string{"urn:uuid:1": "Patient/1?a&b"} })},
		{"data moved", `{"resourceType":"DocumentReference","id":"n1","meta":` + meta + `,"status":"current","content":[{"attachment":{"url":"http://x"}},{"attachment":{ "contentType": "text/plain", "data": "QQ==", "title": "a" }}]}`,
			`{"resourceType":"DocumentReference","id":"n1","meta":` + meta + `,"status":"current","content":[{"attachment":{"url":"http://x"}},{"attachment":{ "contentType": "text/plain", "url": "Binary/b", "size": 1, "hash": "bc3SXhGzbIF6WGS3gP80Xu0Vv7o=", "title": "a" }}]}`,
			with(func(s *Stamped) {
				s.Moved = []Moved{{Content: 1, URL: "Binary/b", Size: 1, Hash: "bc3SXhGzbIF6WGS3gP80Xu0Vv7o="}}
			})},
		{"data moved, all known", `{"resourceType":"DocumentReference","id":"n1","meta":` + meta + `,"status":"current","content":[{"attachment":{"data":"QQ==","contentType":"text/plain","hash":"QQ==","size":9,"url":"urn:uuid:1"}}]}`,
			`{"resourceType":"DocumentReference","id":"n1","meta":` + meta + `,"status":"current","content":[{"attachment":{"contentType":"text/plain","hash":"QQ==","size":9,"url":"Binary/b"}}]}`,
			with(func(s *Stamped) {
				s.Moved = []Moved{{URL: "Binary/b", Size: 1, Hash: "bc3SXhGzbIF6WGS3gP80Xu0Vv7o="}}
				s.References = map[string]string{"urn:uuid:1": "Other/1"}
			})},
	} {
		got, err := Stamp(mustParse(t, c.data), c.s)
		if err != nil || string(got.Bytes()) != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got.Bytes(), c.want)
			continue
		}
		if _, err := Parse(got.Bytes()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestStampRefuses(t *testing.T) {
	r := mustParse(t, `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"url":"http://x"}}]}`)
	at := time.Unix(1, 0)
	for name, s := range map[string]Stamped{
		"nothing":        {},
		"no id":          {Version: 1, Updated: at},
		"id that is not": {ID: `a"`, Version: 1, Updated: at},
		"no version":     {ID: "a", Updated: at},
		"no time":        {ID: "a", Version: 1},
		"no data":        {ID: "a", Version: 1, Updated: at, Moved: []Moved{{}}},
		"no content":     {ID: "a", Version: 1, Updated: at, Moved: []Moved{{Content: 1}}},
	} {
		if _, err := Stamp(r, s); !errors.Is(err, ErrSplice) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Stamp(mustParse(t, `{"resourceType":"Patient"}`), Stamped{ID: "a", Version: 1, Updated: at, Status: "x"}); !errors.Is(err, ErrSplice) {
		t.Errorf("status of what has none: %v", err)
	}
}

// Every byte outside of id and meta stays, in every fixture.
func TestStampKeepsFixtures(t *testing.T) {
	for name, r := range acceptedFixtures(t) {
		got, err := Stamp(r, stamped("stamp.1", 3))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkStamped(t, name, r, got, "stamp.1", "3")
		again, err := Stamp(got, stamped("stamp.1", 3))
		if err != nil || !bytes.Equal(got.Bytes(), again.Bytes()) {
			t.Errorf("%s: stamping twice differs: %v", name, err)
		}
	}
}

// checkStamped compares two resources member by member, in order: all but id
// and meta have the same bytes, and of meta all but its version and time.
func checkStamped(t *testing.T, name string, before, after *Resource, id, version string) {
	t.Helper()
	if after.ID() != id || after.At("meta", "versionId").Text() != version || after.At("meta", "lastUpdated").Text() != "2026-11-22T09:30:00.123Z" {
		t.Errorf("%s: id %s, meta %s", name, after.ID(), after.Get("meta").Raw())
	}
	if a, b := members(before.Root(), "id", "meta"), members(after.Root(), "id", "meta"); a != b {
		t.Errorf("%s: members differ", name)
	}
	if a, b := members(before.Get("meta"), "versionId", "lastUpdated"), members(after.Get("meta"), "versionId", "lastUpdated"); a != b {
		t.Errorf("%s: meta differs", name)
	}
	if _, err := Parse(after.Bytes()); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func members(n Node, except ...string) string {
	var b strings.Builder
	for name, m := range n.Members() {
		if !slices.Contains(except, name) {
			b.WriteString(name + "=" + string(m.Raw()) + "\n")
		}
	}
	return b.String()
}
