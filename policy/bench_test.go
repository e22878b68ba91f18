package policy

import (
	"fmt"
	"testing"
)

func BenchmarkDecide(b *testing.B) {
	c := usual()
	c.Act, c.Kind, c.Authorisation, c.Cell = ActRead, castPersons["medecin-durand"].kind, Valide, Allow
	b.ReportAllocs()
	for b.Loop() {
		if !rulebook.decide(c).Allowed() {
			b.Fatal("refused")
		}
	}
}

// bigRecord is alix with 5,000 documents.
func bigRecord(tb testing.TB) *Record {
	d := castDossier(tb, "alix")
	for i := range 5000 {
		s := alixDocuments[i%len(alixDocuments)]
		s.id = fmt.Sprintf("doc-%d", i)
		d.subjects = append(d.subjects, s.subject(tb, "alix"))
	}
	return d.record()
}

func BenchmarkView5000(b *testing.B) {
	rec, e, k := bigRecord(b), sandboxEngine(b, nil), cast(b, "pharmacien-dubois")
	b.ReportAllocs()
	for b.Loop() {
		v := e.view(k, rec, noon)
		seen := 0
		for i := range rec.Len() {
			if v.Read(i).Allowed() {
				seen++
			}
		}
		if seen < 1000 {
			b.Fatal(seen)
		}
	}
}

func BenchmarkNewRecord5000(b *testing.B) {
	rec := bigRecord(b)
	b.ReportAllocs()
	for b.Loop() {
		NewRecord(Active, rec.subjects)
	}
}

func BenchmarkDecodeFacts(b *testing.B) {
	form := alixDocuments[2].subject(b, "alix").Facts.AppendBinary(nil)
	b.ReportAllocs()
	b.SetBytes(int64(len(form)))
	for b.Loop() {
		if _, _, err := DecodeFacts(form); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRelease(b *testing.B) {
	rec, e, k := castDossier(b, "alix").record(), sandboxEngine(b, nil), cast(b, "medecin-martin")
	r := parse(b, alixDocuments[2].json("alix"))
	o := alixDocuments[2].origin(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, d := e.view(k, rec, noon).Release(r, o); !d.Allowed() {
			b.Fatal("refused")
		}
	}
}
