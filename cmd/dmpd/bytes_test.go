package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opendmp/fhir"
)

const (
	listURN    = "urn:uuid:00000000-0000-4000-8000-000000000001"
	docURN     = "urn:uuid:00000000-0000-4000-8000-000000000002"
	contentURN = "urn:uuid:00000000-0000-4000-8000-000000000003"
)

// Every DocumentReference and submission set of the fixtures comes back byte for
// byte, but for the splices of Stamp: id, meta, and the references that the
// bundle resolved. What a fixture lacks to be accepted here (the patient, an
// author who is the caller, a content) is spliced into it before it is sent.
func TestBytesComeBack(t *testing.T) {
	w := openWorld(t)
	files, err := filepath.Glob("../../testdata/fixtures/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	docs, lists := 0, 0
	for _, file := range files {
		r, err := fhir.Parse(readFile(t, file))
		if err != nil {
			continue // wrong on purpose, or a type of another guide
		}
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		switch {
		case r.Type() == "DocumentReference" && r.Get("masterIdentifier").Exists():
			docs++
			t.Run(name, func(t *testing.T) { w.bytesOf(t, adaptDocument(t, w, r, name), adaptList(t, w, nil, name)) })
		case r.Type() == "List" && r.At("code", "coding", "code").Is("submissionset") && r.Get("date").Exists():
			lists++
			t.Run(name, func(t *testing.T) { w.bytesOf(t, adaptDocument(t, w, nil, name), adaptList(t, w, r, name)) })
		}
	}
	if docs < 8 || lists < 3 {
		t.Errorf("only %d documents and %d submission sets tried", docs, lists)
	}
}

// bytesOf pushes a document and its submission set, reads both back and compares.
func (w *world) bytesOf(t *testing.T, doc, list *fhir.Resource) {
	t.Helper()
	p := *w
	p.t = t
	author := p.as("medecin-exemple")
	bundle := `{"resourceType":"Bundle","meta":{"profile":["https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Minimal.ProvideBundle"]},"type":"transaction","entry":[` +
		`{"fullUrl":"` + listURN + `","resource":` + string(list.Bytes()) + `,"request":{"method":"POST","url":"List"}},` +
		`{"fullUrl":"` + docURN + `","resource":` + string(doc.Bytes()) + `,"request":{"method":"POST","url":"DocumentReference"}},` +
		`{"fullUrl":"` + contentURN + `","resource":{"resourceType":"Binary","contentType":"text/plain","data":"Ynl0ZXM="},"request":{"method":"POST","url":"Binary"}}]}`
	answer := author.post("", []byte(bundle)).is(200)
	refs := map[string]string{patientQuery: "Patient/" + w.patient("patient-exemple")}
	for i, urn := range []string{listURN, docURN, contentURN} {
		ref, _, _ := strings.Cut(answer.at(fmt.Sprintf("entry.%d.response.location", i)), "/_history/")
		refs[urn] = ref
	}
	for urn, sent := range map[string]*fhir.Resource{listURN: list, docURN: doc} {
		got := author.get(refs[urn]).is(200)
		updated, err := time.Parse(time.RFC3339Nano, got.at("meta.lastUpdated"))
		if err != nil {
			t.Fatal(err)
		}
		_, id, _ := strings.Cut(refs[urn], "/")
		want, err := fhir.Stamp(sent, fhir.Stamped{ID: id, Version: 1, Updated: updated, References: refs})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.body, want.Bytes()) {
			t.Errorf("%s came back otherwise:\n%s\nwant\n%s", sent.Type(), got.body, want.Bytes())
		}
	}
}

const (
	patientQuery = "Patient?identifier=urn:oid:1.2.250.1.213.1.4.8|123456789012345"
	subjectJSON  = `{"reference":"` + patientQuery + `"}`
	authorJSON   = `{"identifier":{"system":"urn:oid:1.2.250.1.71.4.2.1","value":"899700218896"}}`
)

// set replaces members of a resource, or adds them.
func set(t *testing.T, r *fhir.Resource, members ...[2]string) *fhir.Resource {
	t.Helper()
	for _, m := range members {
		edit := fhir.InsertMember(r.Root(), m[0], []byte(m[1]))
		if have := r.Get(m[0]); have.Exists() && m[1] == "" {
			edit = fhir.RemoveMember(have)
		} else if have.Exists() {
			edit = fhir.Replace(have, []byte(m[1]))
		} else if m[1] == "" {
			continue
		}
		var err error
		if r, err = r.Splice([]fhir.Edit{edit}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// adaptDocument gives a fixture what it needs to be accepted; nil makes a
// document of nothing.
func adaptDocument(t *testing.T, w *world, r *fhir.Resource, name string) *fhir.Resource {
	t.Helper()
	var err error
	if r == nil {
		if r, err = fhir.Scan([]byte(`{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"contentType":"text/plain","url":"x"}}]}`)); err != nil {
			t.Fatal(err)
		}
	}
	r = set(t, r,
		[2]string{"masterIdentifier", `{"system":"urn:ietf:rfc:3986","value":"urn:oid:2.25.` + oidPart(name+r.Type()) + `"}`},
		[2]string{"identifier", ""}, [2]string{"docStatus", ""}, [2]string{"relatesTo", ""}, [2]string{"status", `"current"`},
		[2]string{"type", `{"coding":[{"system":"http://loinc.org","code":"11488-4"}]}`},
		[2]string{"category", ""}, [2]string{"securityLabel", ""},
		[2]string{"subject", subjectJSON}, [2]string{"content", `[{"attachment":{"contentType":"text/plain","url":"` + contentURN + `"}}]`},
	)
	return withAuthor(t, withContext(t, r))
}

// withContext takes out of the context what belongs to another patient, and
// related identifiers without a type: no caller gets those, since they may be of
// a document that is hidden from them.
func withContext(t *testing.T, r *fhir.Resource) *fhir.Resource {
	t.Helper()
	var edits []fhir.Edit
	for _, name := range []string{"sourcePatientInfo", "related"} {
		n := r.At("context").Get(name)
		if n.Exists() && !strings.HasPrefix(n.At("reference").Text(), "#") && !n.At("identifier", "type").Exists() {
			edits = append(edits, fhir.RemoveMember(n))
		}
	}
	r, err := r.Splice(edits)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// withAuthor adds the caller to the authors, and keeps the others: they may be
// what refers to contained resources.
func withAuthor(t *testing.T, r *fhir.Resource) *fhir.Resource {
	t.Helper()
	authors := r.Get("author")
	if !authors.Exists() {
		return set(t, r, [2]string{"author", "[" + authorJSON + "]"})
	}
	r, err := r.Splice([]fhir.Edit{fhir.AppendItem(authors, []byte(authorJSON))})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// adaptList gives a submission set the patient and the document of the push.
func adaptList(t *testing.T, w *world, r *fhir.Resource, name string) *fhir.Resource {
	t.Helper()
	var err error
	if r == nil {
		if r, err = fhir.Scan([]byte(`{"resourceType":"List","extension":[{"url":"https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId","valueIdentifier":{"value":"urn:oid:1.2.3.4"}}],"status":"current","mode":"working","code":{"coding":[{"system":"https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes","code":"submissionset"}]},"date":"2026-11-22T09:00:00+01:00"}`)); err != nil {
			t.Fatal(err)
		}
	}
	return set(t, r,
		[2]string{"subject", subjectJSON},
		[2]string{"entry", `[{"item":{"reference":"` + docURN + `"}}]`},
	)
}
