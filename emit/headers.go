package emit

import (
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"

	"opendmp/dossier"
)

// guard sets the headers that every response carries. Vary names each request
// header by which two callers may get different bytes.
func guard(h http.Header, r *http.Request) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Vary", "Authorization, Accept, Accept-Language, Prefer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if r.TLS != nil && !thisMachine(r.Host) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if len(r.TransferEncoding) > 0 && r.ProtoMajor == 1 {
		// Nothing that a proxy took for the body of this request may be read as the
		// next one (RFC 9112 §6.1).
		h.Set("Connection", "close")
	}
	if r.Close {
		// The client, or the server, wants no further request on this connection.
		h.Set("Connection", "close")
	}
	if id := r.Header.Get(RequestIDHeader); id != "" {
		h.Set(RequestIDHeader, id)
	}
}

// thisMachine tells whether a request was sent to localhost: a browser that was told to
// use TLS there would not reach the next thing that listens without (RFC 6797 knows no
// port).
func thisMachine(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return strings.EqualFold(name, "localhost")
}

// describe sets the headers that the answer asks for.
func describe(h http.Header, a dossier.Answer) {
	set(h, "ETag", a.ETag())
	set(h, "Location", a.Location())
	h.Del("Allow") // a router in front may have set its own
	if a.Status() == http.StatusMethodNotAllowed {
		h.Set("Allow", a.Allow()) // also where there is none (RFC 9110 §10.2.1)
	}
	set(h, "WWW-Authenticate", a.Challenge())
	set(h, ModeHeader, a.Mode())
	if t := a.LastModified(); !t.IsZero() {
		h.Set("Last-Modified", t.UTC().Format(http.TimeFormat))
	}
	if d := a.RetryAfter(); d > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10))
	}
	if bodiless(a.Status()) || a.MediaType() == "" {
		return
	}
	if !structured(a.MediaType()) {
		attach(h, a.MediaType())
	}
	h.Set("Content-Type", withCharset(a.MediaType()))
}

// attach makes a browser save a document rather than show or run it.
func attach(h http.Header, mime string) {
	h.Set("Content-Disposition", `attachment; filename="`+fileName(mime)+`"`)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
}

func set(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// structured tells whether the server itself made the body: FHIR, or the JSON of
// a token, of health and of metadata. Everything else was deposited by someone.
func structured(mime string) bool {
	switch essence(mime) {
	case "application/fhir+json", "application/fhir+xml", "application/json":
		return true
	default:
		return false
	}
}

// withCharset names the charset of what the server made: FHIR R4 §3.1.0.1.9 asks
// for UTF-8 and some clients guess otherwise.
func withCharset(mime string) string {
	if structured(mime) && !strings.Contains(mime, ";") {
		return mime + "; charset=utf-8"
	}
	return mime
}

// fileName returns a name that says the format and nothing about the content:
// a name that a sender chose may hold an identity, or an attack.
func fileName(mime string) string {
	switch essence(mime) {
	case "application/pdf":
		return "document.pdf"
	case "application/rtf", "text/rtf":
		return "document.rtf"
	case "application/dicom":
		return "document.dcm"
	case "application/xml", "application/hl7-v3+xml", "text/xml":
		return "document.xml"
	case "text/plain":
		return "document.txt"
	case "image/jpeg":
		return "document.jpg"
	case "image/png":
		return "document.png"
	case "image/tiff":
		return "document.tif"
	default:
		return "document.bin"
	}
}

// essence returns type/subtype, without parameters and in lower case.
func essence(mime string) string {
	kind, _, _ := strings.Cut(mime, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}
