package audit_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/store"
)

// TestNothingInClear looks for each text of an event in the files of the store, as
// it is and in the usual encodings.
func TestNothingInClear(t *testing.T) {
	w := newWorld(t)
	target := w.dossier(t, store.Dossier{1})
	e := audit.Event{Kind: auth.Professional, Allowed: true}
	var markers []string
	mark := func(name string) string {
		markers = append(markers, "MARKER-"+name)
		return "MARKER-" + name
	}
	v := reflect.ValueOf(&e).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		switch field := v.FieldByIndex(f.Index); field.Interface().(type) {
		case string:
			field.SetString(mark(f.Name))
		case []string:
			field.Set(reflect.ValueOf([]string{mark(f.Name)}))
		case fhir.Ident:
			field.Set(reflect.ValueOf(fhir.Ident{System: mark(f.Name + "-system"), Value: mark(f.Name)}))
		case auth.Coding:
			field.Set(reflect.ValueOf(auth.Coding{System: mark(f.Name + "-system"), Code: mark(f.Name)}))
		}
	}
	if len(markers) < 15 {
		t.Fatalf("only %d markers", len(markers))
	}
	w.record(t, target, e)
	w.record(t, w.Journal(), e)
	looked := 0
	look := func() {
		err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			looked += len(data)
			for _, m := range markers {
				for _, form := range []string{m, strings.ToLower(m), hex.EncodeToString([]byte(m)), base64.StdEncoding.EncodeToString([]byte(m))[:12]} {
					if bytes.Contains(data, []byte(form)) {
						t.Errorf("%s shows %s", path, m)
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	look() // with the write-ahead log
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	look()
	if looked < 10_000 {
		t.Errorf("only %d bytes were looked at", looked)
	}
}
