package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"opendmp/dossier"
	"opendmp/fhir"
)

// smallBody is the size up to which bodies are not counted: the number of
// requests that run bounds them well enough.
const smallBody = 64 << 10

// bodyReader reads the body of one request within the limits.
type bodyReader struct {
	budget *budget
	taken  int64
}

// release gives back what the body took. The body must not be used any more.
func (b *bodyReader) release() {
	b.budget.give(b.taken)
	b.taken = 0
}

// read returns the whole body, at most limit bytes.
func (b *bodyReader) read(r *http.Request, limit int64) ([]byte, error) {
	switch {
	case r.ContentLength > limit:
		return nil, dossier.ErrTooLarge
	case r.ContentLength == 0:
		return nil, nil
	case r.ContentLength > 0:
		return b.readDeclared(r.Body, r.ContentLength)
	default:
		return b.readChunked(r.Body, limit)
	}
}

// readDeclared reads a body of a known length.
func (b *bodyReader) readDeclared(body io.Reader, length int64) ([]byte, error) {
	if err := b.take(length); err != nil {
		return nil, err
	}
	buf := make([]byte, length)
	if _, err := io.ReadFull(body, buf); err != nil {
		return nil, unreadable()
	}
	return buf, nil
}

// readChunked reads a body that comes in pieces, without a length.
func (b *bodyReader) readChunked(body io.Reader, limit int64) ([]byte, error) {
	buf := make([]byte, 0, smallBody)
	for {
		if len(buf) == cap(buf) {
			grown, err := b.grow(buf, limit)
			if err != nil {
				return nil, err
			}
			buf = grown
		}
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, dossier.ErrTooLarge
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, unreadable()
		}
	}
}

// grow doubles a full buffer, up to one byte more than the limit, by which a
// body that is too large is noticed.
func (b *bodyReader) grow(buf []byte, limit int64) ([]byte, error) {
	size := min(2*int64(cap(buf)), limit+1)
	if size <= int64(len(buf)) {
		return nil, dossier.ErrTooLarge
	}
	if err := b.take(size); err != nil {
		return nil, err
	}
	grown := make([]byte, len(buf), size)
	copy(grown, buf)
	return grown, nil
}

// take takes a buffer of n bytes from the budget.
func (b *bodyReader) take(n int64) error {
	if n <= smallBody {
		return nil
	}
	if !b.budget.take(n) {
		return fmt.Errorf("server: bodies in flight: %w", dossier.ErrUnavailable)
	}
	b.taken += n
	return nil
}

// asJSON returns a body that is XML as JSON with the media type of that, and any
// other body as it is. Behind the server there is one format.
func (b *bodyReader) asJSON(h http.Header, body []byte, mime string) ([]byte, string, error) {
	if f, _ := fhir.ContentType(h.Get("Content-Type")); f != fhir.FormatXML {
		return body, mime, nil
	}
	// At worst each byte becomes two: a backslash and itself.
	if err := b.take(2 * int64(len(body))); err != nil {
		return nil, "", err
	}
	body, err := fhir.FromXML(body)
	return body, "application/fhir+json", err
}

// unreadable is the error of a body that ended early or came too slowly. The
// client has most likely gone; if not, it learns why.
func unreadable() error {
	return &fhir.Invalid{Issues: []fhir.Issue{{
		Severity: fhir.Error,
		Code:     "incomplete",
		Text: fhir.Text{
			FR: "Le corps de la requête n’est pas arrivé en entier.",
			EN: "The body of the request did not arrive whole.",
		},
	}}}
}
