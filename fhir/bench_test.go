package fhir

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

const benchFixture = "pdsm4dmp/DocumentReference-example-td3-1a-cr-consultation.json"

func BenchmarkParse(b *testing.B) {
	data := readFixture(b, benchFixture)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStamp(b *testing.B) {
	r := parseFixture(b, benchFixture)
	s := Stamped{ID: "a", Version: 2, Updated: time.Unix(0, 0), References: map[string]string{"urn:uuid:1": "Patient/1"}}
	b.SetBytes(int64(len(r.Bytes())))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Stamp(r, s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValuesOfMany is linear in the number of identifiers.
func BenchmarkValuesOfMany(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf(`{"system":"urn:oid:1.2.3","value":"%d"}`, i)
		}
		r, err := Scan([]byte(`{"resourceType":"DocumentReference","identifier":[` + strings.Join(ids, ",") + `]}`))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				ValuesOf(r)
			}
		})
	}
}
