package fhir

import "testing"

func BenchmarkFromXML(b *testing.B) {
	data, err := ToXML(readFixture(b, benchFixture), true)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		body, err := FromXML(data)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkToXML(b *testing.B) {
	data := readFixture(b, benchFixture)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ToXML(data, false); err != nil {
			b.Fatal(err)
		}
	}
}
