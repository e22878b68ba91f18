package server

import (
	"strings"
	"testing"
)

const (
	plain   = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	sized   = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc\r\n"
	chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	both    = "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
)

func TestFraming(t *testing.T) {
	cases := []struct {
		name, stream string
		twice        bool
	}{
		{"plain", plain, false},
		{"sized", sized, false},
		{"chunked", chunked, false},
		{"both", both, true},
		{"both, other order and case", "POST / HTTP/1.1\r\ntransfer-ENCODING: x\r\ncontent-length: 1\r\n\r\n", true},
		{"both, bare line feeds", strings.ReplaceAll(both, "\r\n", "\n"), true},
		{"both, after others", plain + sized + sized + plain + both, true},
		{"names in a body", strings.Replace(sized, "abc\r\n", "\nT: \n", 1) + plain, false},
		{"a body that looks like both", "POST / HTTP/1.1\r\nContent-Length: 65\r\n\r\nPOST / HTTP/1.1\nContent-Length: 5\nTransfer-Encoding: chunked\n\n....." + plain, false},
		{"names in values", "GET / HTTP/1.1\r\nX: Content-Length: 5\r\nY: Transfer-Encoding: chunked\r\n\r\n", false},
		{"over two requests", sized + chunked, false},
		{"after one in pieces nothing is looked at", chunked + both, false},
		{"long lines", "GET /" + strings.Repeat("a", 5000) + " HTTP/1.1\r\nX-" + strings.Repeat("b", 5000) + ": c\r\n\r\n" + both, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 7, 64, len(c.stream)} {
				if got := watch(c.stream, size); got != c.twice {
					t.Errorf("in pieces of %d: %v, want %v", size, got, c.twice)
				}
			}
		})
	}
}

// watch feeds a stream in pieces.
func watch(stream string, size int) bool {
	var f framing
	twice := false
	for rest := []byte(stream); len(rest) > 0; {
		n := min(size, len(rest))
		twice = f.see(rest[:n]) || twice
		rest = rest[n:]
	}
	return twice
}

// How a stream is cut does not change what is seen in it.
func FuzzFraming(f *testing.F) {
	for _, s := range []string{plain, sized, chunked, both, sized + both, "\n\n\r\n: \nContent-Length:"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, stream string, size int) {
		if size < 1 || size > 1<<16 {
			return
		}
		if watch(stream, size) != watch(stream, len(stream)+1) {
			t.Errorf("%q in pieces of %d", stream, size)
		}
	})
}

func BenchmarkFraming(b *testing.B) {
	request := []byte("GET /fhir/DocumentReference?patient=Patient/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
		strings.Repeat("a", 1200) + "\r\nAccept: application/fhir+json\r\nUser-Agent: x\r\n\r\n")
	var f framing
	for b.Loop() {
		if f.see(request) {
			b.Fatal("seen")
		}
	}
}
