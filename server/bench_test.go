package server_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"opendmp/server"
)

// BenchmarkOverhead is what the server itself costs a request: routing, limits,
// id, negotiation, log and headers, without token and door.
func BenchmarkOverhead(b *testing.B) {
	c := server.Config{Service: door(b), Base: base}
	_, c.Verifier = credentials(b)
	answering("GET", "/x", ok)(&c)
	s, err := server.New(c)
	if err != nil {
		b.Fatal(err)
	}
	h := s.Handler()
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	b.ReportAllocs()
	for b.Loop() {
		own := *r // a handler may change it
		h.ServeHTTP(nowhere{http.Header{}}, &own)
	}
}

// BenchmarkRefusal adds the reading of a FHIR path and of an absent token.
func BenchmarkRefusal(b *testing.B) {
	c := server.Config{Service: door(b), Base: base}
	_, c.Verifier = credentials(b)
	s, err := server.New(c)
	if err != nil {
		b.Fatal(err)
	}
	h := s.Handler()
	r := httptest.NewRequest(http.MethodGet, "/fhir/DocumentReference?patient=Patient/1&status=current&_sort=-date&_count=10", nil)
	r.Header.Set("Accept", "application/fhir+json")
	b.ReportAllocs()
	for b.Loop() {
		own := *r // a handler may change it
		h.ServeHTTP(nowhere{http.Header{}}, &own)
	}
}

// nowhere drops what is written.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
