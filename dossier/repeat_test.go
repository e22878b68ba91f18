package dossier_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	pushed65  = "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"
	pushed105 = "pdsm4dmp/DocumentReference-example-td2-iti105-publication-simplifiee.json"
	request   = `"identifier": [{"system": "urn:oid:1.2.250.1.999.7", "value": "DEMANDE-42"}], `
)

// replacing is s.Replace of all, in which every old must be found.
func replacing(t *testing.T, s string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("the case changes nothing: %s", pairs[i])
		}
		s = strings.ReplaceAll(s, pairs[i], pairs[i+1])
	}
	return s
}

// asked gives the documents of a push the identifier of a request, as all that answer
// it have.
func asked(t *testing.T, push string) string {
	t.Helper()
	return replacing(t, push, `"masterIdentifier"`, request+`"masterIdentifier"`)
}

// A document is known by its masterIdentifier: other identifiers may be shared by its
// versions, or by all that answer one request (R4 DocumentReference.identifier).
func TestSharedIdentifier(t *testing.T) {
	s := newScene(t)
	found := func(value, total string) {
		t.Helper()
		s.me().get("DocumentReference?identifier="+value+"&patient="+s.patient).is(200).has("total", total)
	}
	one := asked(t, fixture(t, pushed105))
	other := replacing(t, one, "99999.1", "99999.11", "2026-06-12", "2026-06-13")
	first := s.author.post("DocumentReference", one).is(201)
	second := s.author.post("DocumentReference", other).is(201)
	if first.Location() == second.Location() {
		t.Error("another document is answered as the first")
	}
	if again := s.author.post("DocumentReference", other).is(201); again.Location() != second.Location() {
		t.Error("a repeat is not answered as the first time")
	}
	found("urn:oid:1.2.250.1.213.1.4.8.99999.11", "1")
	found("urn:oid:1.2.250.1.999.7|DEMANDE-42", "2")

	push := asked(t, replacing(t, fixture(t, pushed65), "99999.2", "99999.12"))
	s.author.post("", push).is(200)
	next := replacing(t, push, "99999.12", "99999.13", "Compte rendu de consultation", "Suite", "2026-06-12", "2026-06-13")
	got := s.author.post("", next).is(200)
	found("urn:oid:1.2.250.1.213.1.4.8.99999.13", "1")
	found("urn:oid:1.2.250.1.999.7|DEMANDE-42", "4")

	// A version that replaces, of the same text.
	old := strings.Split(got.at("entry.1.response.location"), "/")[1]
	version := replacing(t, next, "99999.13", "99999.14", `"masterIdentifier"`, `"relatesTo": [{"code":"replaces","target":{"reference":"DocumentReference/`+old+`"}}], "masterIdentifier"`)
	s.author.post("", version).is(200)
	s.me().get("DocumentReference/"+old).is(200).has("status", "superseded")
	found("urn:oid:1.2.250.1.999.7|DEMANDE-42", "5")
	s.author.post("", version).is(200)
	found("urn:oid:1.2.250.1.999.7|DEMANDE-42", "5")
}

// rearranged is a bundle with its entries changed.
func rearranged(t *testing.T, bundle string, change func([]json.RawMessage) []json.RawMessage) string {
	t.Helper()
	var members map[string]json.RawMessage
	var entries []json.RawMessage
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(json.Unmarshal([]byte(bundle), &members))
	must(json.Unmarshal(members["entry"], &entries))
	var err error
	members["entry"], err = json.Marshal(change(entries))
	must(err)
	out, err := json.Marshal(members)
	must(err)
	return string(out)
}

// two is a submission of two documents that share an identifier and their content.
func two(t *testing.T) string {
	t.Helper()
	push := rearranged(t, asked(t, identified(fixture(t, pushed65))), func(entries []json.RawMessage) []json.RawMessage {
		second := replacing(t, string(entries[1]), "99999.2", "99999.22", "000000000002", "000000000022")
		return slices.Insert(entries, 2, json.RawMessage(second))
	})
	const item = `{"item":{"reference":"urn:uuid:aaaaaaaa-0000-0000-0000-0000000000`
	return replacing(t, push, "99999.2\"", "99999.21\"", item+`02"}}`, item+`02"}},`+item+`22"}}`)
}

// A repeat may be in another order and name its entries anew: an order means nothing in
// a transaction (R4 http.html#trules). Whatever else differs is not the same push, and
// is not answered as if it were stored.
func TestRepeatedSubmission(t *testing.T) {
	s := newScene(t)
	push := two(t)
	first := s.author.post("", push).is(200)
	for i, typ := range []string{"List", "DocumentReference", "DocumentReference", "Binary"} {
		if got := first.at(at(i)); !strings.HasPrefix(got, typ+"/") {
			t.Errorf("entry %d is at %s", i, got)
		}
	}
	reverse := func(entries []json.RawMessage) []json.RawMessage { slices.Reverse(entries); return entries }
	for name, again := range map[string]string{
		"the same bytes":  push,
		"other addresses": replacing(t, push, "urn:uuid:aaaaaaaa", "urn:uuid:bbbbbbbb"),
	} {
		if got := s.author.post("", again).is(200); string(got.body) != string(first.body) {
			t.Errorf("%s: %s, and not %s", name, got.body, first.body)
		}
	}
	back := s.author.post("", rearranged(t, push, reverse)).is(200)
	for i := range 4 {
		back.has(at(i), first.at(at(3-i)))
	}

	addressed := `"subject":{"reference":"Patient/` + s.patient + `"}`
	s.author.post("", replacing(t, push, `"subject":{"reference":"Patient?identifier=urn:oid:1.2.250.1.213.1.4.8|123456789012345"}`, addressed)).is(200)

	for name, c := range map[string][]string{
		"a title":             {"Compte rendu de consultation", "Un autre titre"},
		"a request":           {"DEMANDE-42", "DEMANDE-43"},
		"a date":              {`"date":"2026-06-12`, `"date":"2026-06-13`},
		"a replacement":       {`"masterIdentifier"`, `"relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/` + s.doc + `"}}],"masterIdentifier"`},
		"one document":        {"99999.21", "99999.23"},
		"all documents":       {"99999.2", "99999.4"},
		"the submission set":  {setIdentifier, setIdentifier + ".9"},
		"no submission set":   {`"identifier":[{"system":"urn:ietf:rfc:3986","value":"` + setIdentifier + `"}],`, ""},
		"what is in the set":  {`{"item":{"reference":"urn:uuid:aaaaaaaa-0000-0000-0000-000000000022"}}`, `{"item":{"display":"rien"}}`},
		"a note of the set":   {`"mode":"working"`, `"mode":"working","note":[{"text":"x"}]`},
		"the type of content": {`"contentType":"application/xml"`, `"contentType":"text/xml"`},
	} {
		if got := s.author.post("", replacing(t, push, c[:2]...)); got.Status() != 409 {
			t.Errorf("%s: %d, want 409\n%.300s", name, got.Status(), got.body)
		}
	}
	s.me().get("DocumentReference?patient="+s.patient).is(200).has("total", "3")
	s.me().get("List?patient="+s.patient).is(200).has("total", "2")
	s.me().get("DocumentReference/"+s.doc).is(200).has("status", "current")

	// Another source has a uniqueId of its own, and another dossier too.
	s.openFor(farid)
	s.author.post("", replacing(t, push, published.System+"|"+published.Value, farid.System+"|"+farid.Value, `"value":"`+published.Value, `"value":"`+farid.Value, `"system":"`+published.System, `"system":"`+farid.System)).is(200)

	gone, _, _ := strings.Cut(first.at(at(1)), "/_history")
	s.author.do("DELETE", gone, "", "").is(204)
	s.author.post("", push).is(409)
}

// at is where the response tells where an entry is.
func at(entry int) string { return fmt.Sprintf("entry.%d.response.location", entry) }

// A submission set without documents is known by its uniqueId alone.
func TestRepeatedSetOfNothingNew(t *testing.T) {
	s := newScene(t)
	alone := func(entry string) string {
		push := rearranged(t, identified(fixture(t, pushed65)), func(entries []json.RawMessage) []json.RawMessage { return entries[:1] })
		return replacing(t, push, "urn:uuid:aaaaaaaa-0000-0000-0000-000000000002", entry)
	}
	first := s.author.post("", alone("DocumentReference/"+s.doc)).is(200)
	s.author.post("", alone("DocumentReference/"+s.doc)).is(200).has(at(0), first.at(at(0)))
	s.author.post("", alone("DocumentReference/"+s.another("31"))).is(409)
	s.me().get("List?identifier="+setIdentifier).is(200).has("total", "1")
}

// ITI-105 again with anything else is a conflict; ITI-106 makes some metadata itself.
func TestRepeatedPublication(t *testing.T) {
	s := newScene(t)
	doc := fixture(t, pushed105)
	first := s.author.post("DocumentReference", doc).is(201)
	for name, c := range map[string][]string{
		"a title":       {"Compte rendu de consultation", "Un autre titre"},
		"an identifier": {`"masterIdentifier"`, request + `"masterIdentifier"`},
		"a replacement": {`"masterIdentifier"`, `"relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/` + s.doc + `"}}],"masterIdentifier"`},
	} {
		if got := s.author.post("DocumentReference", replacing(t, doc, c...)); got.Status() != 409 {
			t.Errorf("%s: %d, want 409", name, got.Status())
		}
	}
	same := replacing(t, doc, "Patient?identifier=urn:oid:1.2.250.1.213.1.4.8|123456789012345", "Patient/"+s.patient)
	if again := s.author.post("DocumentReference", same).is(201); again.Location() != first.Location() {
		t.Error("the same document is another")
	}
}
