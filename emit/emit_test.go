package emit_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"opendmp/dossier"
	"opendmp/emit"
)

const outcome = `{"resourceType":"OperationOutcome"}`

func write(t *testing.T, method string, a dossier.Answer) (*http.Response, string, error) {
	t.Helper()
	r := httptest.NewRequest(method, "/fhir/metadata", nil)
	r.Header.Set(emit.RequestIDHeader, "req-1")
	w := httptest.NewRecorder()
	err := emit.Write(w, r, a)
	body, readErr := io.ReadAll(w.Result().Body)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return w.Result(), string(body), err
}

func TestZeroAnswerIsRefused(t *testing.T) {
	res, body, err := write(t, http.MethodGet, dossier.Answer{})
	if !errors.Is(err, emit.ErrUnwritable) {
		t.Errorf("error %v, want ErrUnwritable", err)
	}
	if res.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", res.StatusCode)
	}
	if want := "OperationOutcome"; !strings.Contains(body, want) {
		t.Errorf("body %q does not hold %q", body, want)
	}
	if got := res.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q on a refusal", got)
	}
}

func TestStatusOutsideOfFinalOnesIsRefused(t *testing.T) {
	for _, status := range []int{-1, 0, 99, 100, 199, 600, 1000} {
		res, _, err := write(t, http.MethodGet, dossier.Public(status, "application/fhir+json", []byte(outcome)))
		if !errors.Is(err, emit.ErrUnwritable) || res.StatusCode != http.StatusInternalServerError {
			t.Errorf("status %d: wrote %d, error %v", status, res.StatusCode, err)
		}
	}
}

func TestEveryResponseCarriesTheGuards(t *testing.T) {
	want := map[string]string{
		"Cache-Control":                "no-store",
		"Pragma":                       "no-cache",
		"Vary":                         "Authorization, Accept, Accept-Language, Prefer",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"X-Request-Id":                 "req-1",
	}
	answers := map[string]dossier.Answer{
		"public":   dossier.Public(200, "application/fhir+json", []byte(outcome)),
		"refusal":  dossier.Public(404, "application/fhir+json", []byte(outcome)),
		"bodiless": dossier.Public(204, "", nil),
		"zero":     {},
	}
	for name, a := range answers {
		res, _, _ := write(t, http.MethodGet, a)
		for header, value := range want {
			if got := res.Header.Get(header); got != value {
				t.Errorf("%s: %s is %q, want %q", name, header, got, value)
			}
		}
	}
}

// A browser that was answered under TLS comes back under TLS; over clear text nobody
// believes it, and localhost has other servers (RFC 6797).
func TestAnswersUnderTLSAskForTLS(t *testing.T) {
	for _, c := range []struct {
		host string
		tls  bool
		want string
	}{
		{"dmp.test", true, "max-age=31536000"},
		{"dmp.test:8443", true, "max-age=31536000"},
		{"[2001:db8::1]:8443", true, "max-age=31536000"},
		{"dmp.test", false, ""},
		{"localhost:8443", true, ""},
		{"LocalHost", true, ""},
	} {
		for name, a := range map[string]dossier.Answer{"public": dossier.Public(200, "application/fhir+json", []byte(outcome)), "refused": {}} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if r.Host = c.host; c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			_ = emit.Write(w, r, a)
			if got := w.Header().Get("Strict-Transport-Security"); got != c.want {
				t.Errorf("%s, %s under TLS %v: %q, want %q", name, c.host, c.tls, got, c.want)
			}
			if got := w.Header().Values("Server"); len(got) > 0 {
				t.Errorf("Server %q", got)
			}
		}
	}
}

func TestHeadAndBodilessStatusesHaveNoBody(t *testing.T) {
	cases := []struct {
		name, method string
		status       int
		length       string
	}{
		{"HEAD", http.MethodHead, 200, "35"},
		{"204", http.MethodGet, 204, ""},
		{"304", http.MethodGet, 304, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			res, body, err := write(t, c.method, dossier.Public(c.status, "application/fhir+json", []byte(outcome)))
			if err != nil || body != "" || res.StatusCode != c.status {
				t.Errorf("status %d, body %q, error %v", res.StatusCode, body, err)
			}
			if got := res.Header.Get("Content-Length"); got != c.length {
				t.Errorf("Content-Length %q, want %q", got, c.length)
			}
		})
	}
}

func TestDepositedContentIsAnAttachmentInASandbox(t *testing.T) {
	cases := []struct{ mime, disposition, contentType string }{
		{"application/pdf", `attachment; filename="document.pdf"`, "application/pdf"},
		{"text/html", `attachment; filename="document.bin"`, "text/html"},
		{"text/xml; charset=utf-8", `attachment; filename="document.xml"`, "text/xml; charset=utf-8"},
		{"Text/Plain", `attachment; filename="document.txt"`, "Text/Plain"},
		{"application/fhir+json", "", "application/fhir+json; charset=utf-8"},
		{"application/fhir+json; fhirVersion=4.0", "", "application/fhir+json; fhirVersion=4.0"},
		{"application/json", "", "application/json; charset=utf-8"},
	}
	for _, c := range cases {
		t.Run(c.mime, func(t *testing.T) {
			res, _, err := write(t, http.MethodGet, dossier.Public(200, c.mime, []byte("x")))
			if err != nil {
				t.Fatal(err)
			}
			if got := res.Header.Get("Content-Disposition"); got != c.disposition {
				t.Errorf("Content-Disposition %q, want %q", got, c.disposition)
			}
			if got := res.Header.Get("Content-Type"); got != c.contentType {
				t.Errorf("Content-Type %q, want %q", got, c.contentType)
			}
			sandboxed := strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox")
			if sandboxed != (c.disposition != "") {
				t.Errorf("sandboxed: %v", sandboxed)
			}
		})
	}
}

func TestConnectionErrorIsReported(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	err := emit.Write(broken{http.Header{}}, r, dossier.Public(200, "application/json", []byte("{}")))
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v, want that of the connection", err)
	}
}

// broken is a connection that the client has left.
type broken struct{ header http.Header }

func (b broken) Header() http.Header       { return b.header }
func (b broken) WriteHeader(int)           {}
func (b broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
