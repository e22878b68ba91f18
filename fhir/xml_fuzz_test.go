package fhir

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// FuzzXML reads data as XML and as JSON. Whatever Parse accepts comes back from XML
// as it went, and the XML is well-formed for another reader too.
func FuzzXML(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s))
	}
	files, err := filepath.Glob("testdata/xml/*.xml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		doc, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Add([]byte(narrativeXML(divXML + `<p title="a&#10;b">é</p></div>`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if body, err := FromXML(data); err != nil {
			_ = err.Error()
		} else {
			data = body
		}
		r, err := Parse(data)
		if err != nil {
			return
		}
		doc, err := ToXML(r.Bytes(), false)
		if errors.Is(err, ErrNoXML) && holdsForeign(r.Root()) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", r.Bytes(), err)
		}
		readByOthers(t, doc)
		pretty, err := ToXML(r.Bytes(), true)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range [][]byte{doc, pretty} {
			body, err := FromXML(doc)
			if err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			back, err := Parse(body)
			if err != nil {
				t.Fatalf("%v\n%s", err, body)
			}
			sameResource(t, back, r)
		}
	})
}

// holdsForeign tells whether a resource of a type that we do not handle is in n.
func holdsForeign(n Node) bool {
	if n.Kind() == Object && n.Get("resourceType").Exists() && n.resourceTypeID() == noType {
		return true
	}
	if n.Kind() == Array {
		for item := range n.Items() {
			if holdsForeign(item) {
				return true
			}
		}
	}
	for _, m := range n.Members() {
		if holdsForeign(m) {
			return true
		}
	}
	return false
}

// readByOthers reads a document with the reader of the standard library.
func readByOthers(t *testing.T, doc []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(doc)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
	}
}
