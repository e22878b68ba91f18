package dossier_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"opendmp/dossier"
	"opendmp/fhir"
)

// ask prepares a request once, to be repeated by a benchmark.
func (a actor) ask(b *testing.B, method, path, body string) dossier.Request {
	path, query, _ := strings.Cut(path, "?")
	line, err := fhir.Base(base).ParsePath(method, path, query)
	if err != nil {
		b.Fatal(err)
	}
	return dossier.Request{Request: line, Body: []byte(body), MediaType: "application/fhir+json", Lang: "fr"}
}

func (a actor) repeat(b *testing.B, r dossier.Request, status int) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if got := a.h.door.Do(b.Context(), a.p, r); got.Status() != status {
				b.Errorf("%d: %s", got.Status(), got.Body())
				return
			}
		}
	})
}

func benchScene(b *testing.B, documents int) (*scene, actor) {
	h := newHouse(b)
	s := &scene{house: h, patient: h.openFor(published)}
	s.author = h.doctor("899700218896", "1750000003")
	push := fixture(b, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	for i := range documents {
		s.author.post("", strings.ReplaceAll(push, "99999.2", fmt.Sprintf("99999.%d", 100+i))).is(200)
	}
	return s, s.reader()
}

func BenchmarkSearch(b *testing.B) {
	s, reader := benchScene(b, 10)
	r := reader.ask(b, "GET", "DocumentReference?patient="+s.patient+"&status=current&date=ge2020-01-01&_sort=-date&_count=10", "")
	b.ResetTimer()
	reader.repeat(b, r, 200)
}

func BenchmarkRead(b *testing.B) {
	s, reader := benchScene(b, 10)
	id := reader.get("DocumentReference?patient=" + s.patient).at("entry.0.resource.id")
	r := reader.ask(b, "GET", "DocumentReference/"+id, "")
	b.ResetTimer()
	reader.repeat(b, r, 200)
}

// BenchmarkPush pushes documents of 50 KB.
func BenchmarkPush(b *testing.B) {
	s, _ := benchScene(b, 0)
	content := make([]byte, 50<<10)
	for i := range content {
		content[i] = byte(i * 7)
	}
	push := strings.NewReplacer(
		"PD94bWwgdmVyc2lvbj0iMS4wIiBlbmNvZGluZz0iVVRGLTgiPz48Q2xpbmljYWxEb2N1bWVudCB4bWxucz0idXJuOmhsNy1vcmc6djMiLz4=", base64.StdEncoding.EncodeToString(content),
		`"size": 80,`, "", `"hash": "A/hMRrv6Y15BjSM8kMLidrz+mHc=",`, "").Replace(fixture(b, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		s.author.post("", strings.ReplaceAll(push, "99999.2", fmt.Sprintf("99999.%d", 100+i))).is(200)
	}
}
