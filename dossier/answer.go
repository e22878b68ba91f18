package dossier

import (
	"io"
	"net/http"
	"time"

	"opendmp/audit"
	"opendmp/fhir"
)

// Answer is what the door answers, ready to be written by package emit. There
// are two kinds: a public one holds nothing of a patient (metadata, refusals,
// health); a clinical one holds content that the policy released and the
// receipt of a durable audit event. The zero Answer is neither and cannot be
// written.
type Answer struct {
	kind    answerKind
	receipt audit.Receipt

	status int
	mime   string
	// resources is how many the body was made of; 0 of one that was not made of any.
	resources int
	body      []byte
	stream    io.ReadCloser
	size      int64
	etag      string
	modified  time.Time
	location  string
	mode      string
	retry     time.Duration
	allow     string
	auth      string
}

type answerKind uint8

const (
	noAnswer answerKind = iota
	publicAnswer
	clinicalAnswer
)

// Public makes an answer that holds nothing of a patient. A 503 tells when to try
// again.
func Public(status int, mime string, body []byte) Answer {
	a := Answer{kind: publicAnswer, status: status, mime: mime, body: body}
	if status == http.StatusServiceUnavailable {
		a.retry = retryAfter
	}
	return a
}

// As returns the answer with its body in another format: a resource that the
// server would send as JSON becomes XML, on lines of their own if pretty. It is the
// same answer otherwise: of the same kind and with the same receipt, and it renders
// what was released and nothing else. A resource that cannot be written as XML
// (fhir.ErrNoXML) stays JSON, and its media type says so: after a write, a refusal
// would be a lie.
func (a Answer) As(f fhir.Format, pretty bool) Answer {
	if f != fhir.FormatXML || a.mime != fhirJSON || len(a.body) == 0 {
		return a
	}
	if body, err := fhir.ToXML(a.body, pretty); err == nil {
		a.body, a.mime = body, f.MediaType()
	}
	return a
}

// Writable tells whether the answer may be written: it is public, or clinical
// with the receipt of a durable event.
func (a Answer) Writable() bool {
	return a.kind == publicAnswer || a.kind == clinicalAnswer && a.receipt.Valid()
}

// Clinical tells whether the answer holds, or follows from, a patient's data.
func (a Answer) Clinical() bool { return a.kind == clinicalAnswer }

// Status returns the HTTP status.
func (a Answer) Status() int { return a.status }

// MediaType returns the Content-Type, "" when there is no body.
func (a Answer) MediaType() string { return a.mime }

// Body returns the body when it is not streamed. It must not be changed.
func (a Answer) Body() []byte { return a.body }

// Stream returns the body to copy and close, and its size in bytes; nil when
// Body holds it.
func (a Answer) Stream() (io.ReadCloser, int64) { return a.stream, a.size }

// ETag returns the entity tag, W/"3"; "" if none.
func (a Answer) ETag() string { return a.etag }

// LastModified returns the instant of the last update; zero if none.
func (a Answer) LastModified() time.Time { return a.modified }

// Location returns the URL of what was created; "" if none.
func (a Answer) Location() string { return a.location }

// Mode returns the mode of access in force when it is not the normal one, for
// the header that tells the software to display it (POLICY.md §5).
func (a Answer) Mode() string { return a.mode }

// RetryAfter returns how long to wait before the next try; zero if unknown.
func (a Answer) RetryAfter() time.Duration { return a.retry }

// Allow returns the methods of a 405; "" otherwise.
func (a Answer) Allow() string { return a.allow }

// Challenge returns the WWW-Authenticate of a 401, and of a 403 for want of scope; ""
// otherwise.
func (a Answer) Challenge() string { return a.auth }
