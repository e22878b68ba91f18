package fhir

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// BundleOut is a Bundle that the server answers. Zero fields are left out.
type BundleOut struct {
	// Type is searchset, history, transaction-response, batch-response…
	Type      string
	ID        string
	Timestamp time.Time
	// Total is the number of all matches; nil leaves it out.
	Total   *int
	Links   []Link
	Entries []EntryOut
}

// Link is Bundle.link: self, next, previous.
type Link struct{ Relation, URL string }

// EntryOut is one entry of a BundleOut.
type EntryOut struct {
	FullURL string
	// Resource is the JSON of a resource; it goes out byte for byte.
	Resource []byte
	// Mode is search.mode: match, include or outcome.
	Mode     string
	Request  *RequestOut
	Response *ResponseOut
}

// RequestOut is the request that made a version, in a history.
type RequestOut struct{ Method, URL string }

// ResponseOut is the answer to one entry of a transaction or batch, or the state
// of a version in a history.
type ResponseOut struct {
	Status       string // "201 Created"
	Location     string
	ETag         string // W/"1"
	LastModified time.Time
	Outcome      []byte // the JSON of an OperationOutcome
}

// WriteBundle returns the JSON of a Bundle. It embeds the resources as they are,
// with their white space and the digits of their decimals, which encoding them
// again would change.
func WriteBundle(b BundleOut) []byte {
	size := 256 + 128*len(b.Links)
	for _, e := range b.Entries {
		size += 320 + len(e.FullURL) + len(e.Resource)
	}
	w := bundleWriter{append(make([]byte, 0, size), `{"resourceType":"Bundle"`...)}
	w.text("id", b.ID)
	w.text("type", b.Type)
	w.instant("timestamp", b.Timestamp)
	if b.Total != nil {
		w.name("total")
		w.b = strconv.AppendInt(w.b, int64(*b.Total), 10)
	}
	w.array("link", len(b.Links), func(i int) {
		w.text("relation", b.Links[i].Relation)
		w.text("url", b.Links[i].URL)
	})
	w.array("entry", len(b.Entries), func(i int) { w.entry(&b.Entries[i]) })
	return append(w.b, '}')
}

// bundleWriter appends JSON. A member after an opening brace needs no comma.
type bundleWriter struct{ b []byte }

func (w *bundleWriter) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
}

func (w *bundleWriter) text(name, value string) {
	if value != "" {
		w.name(name)
		w.b = appendQuoted(w.b, value)
	}
}

func (w *bundleWriter) instant(name string, t time.Time) {
	if !t.IsZero() {
		w.text(name, FormatInstant(t))
	}
}

func (w *bundleWriter) raw(name string, value []byte) {
	if len(value) > 0 {
		w.name(name)
		w.b = append(w.b, value...)
	}
}

func (w *bundleWriter) object(name string, members func()) {
	w.name(name)
	w.b = append(w.b, '{')
	members()
	w.b = append(w.b, '}')
}

// array appends n objects, or nothing if there are none.
func (w *bundleWriter) array(name string, n int, members func(i int)) {
	if n == 0 {
		return
	}
	w.name(name)
	w.b = append(w.b, '[')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '{')
		members(i)
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
}

func (w *bundleWriter) entry(e *EntryOut) {
	w.text("fullUrl", e.FullURL)
	w.raw("resource", e.Resource)
	if e.Mode != "" {
		w.object("search", func() { w.text("mode", e.Mode) })
	}
	if q := e.Request; q != nil {
		w.object("request", func() {
			w.text("method", q.Method)
			w.text("url", q.URL)
		})
	}
	if p := e.Response; p != nil {
		w.object("response", func() {
			w.text("status", p.Status)
			w.text("location", p.Location)
			w.text("etag", p.ETag)
			w.instant("lastModified", p.LastModified)
			w.raw("outcome", p.Outcome)
		})
	}
}

// Pretty returns JSON with line breaks and two spaces for each level (_pretty).
// Numbers and strings keep their bytes. What is no JSON comes back as it is.
func Pretty(data []byte) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return data
	}
	return b.Bytes()
}
