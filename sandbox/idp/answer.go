package idp

import (
	"maps"
	"net/http"
)

// answer is what a request is answered. Handlers return one: write is the only code
// that touches a response.
type answer struct {
	status   int
	mime     string
	body     []byte
	location string // of a redirect
	header   map[string]string
}

// with returns the answer with a header.
func (a answer) with(name, value string) answer {
	a.header = maps.Clone(a.header)
	if a.header == nil {
		a.header = map[string]string{}
	}
	a.header[name] = value
	return a
}

// write writes the answer. Nothing of it is stored, framed, or told to the next page.
func (a answer) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
	for name, value := range a.header {
		h.Set(name, value)
	}
	if a.mime != "" {
		h.Set("Content-Type", a.mime)
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}
