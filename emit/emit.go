package emit

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"opendmp/dossier"
)

// ErrUnwritable is returned for an Answer that is neither public nor clinical
// with a valid receipt: the zero Answer, or one whose release failed. The client
// has received a 500 without detail.
var ErrUnwritable = errors.New("emit: the answer is not writable")

// ModeHeader names the header that tells the caller's software which mode of
// access is in force when it is not the normal one (POLICY.md §5).
const ModeHeader = "X-DMP-Mode-Acces"

// RequestIDHeader names the header that carries the request id. Write copies it
// from the request, where the server put an id that it checked or made.
const RequestIDHeader = "X-Request-Id"

// refusal is the body of a 500: it must not depend on anything that can fail.
const refusal = `{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"exception",` +
	`"details":{"text":"Erreur interne. / Internal error."}}]}`

// Echo writes the answer to the response of an Echo context.
func Echo(c echo.Context, a dossier.Answer) error { return Write(c.Response(), c.Request(), a) }

// Started tells whether the response of an Echo context has begun, so that no
// other answer can be written to it.
func Started(c echo.Context) bool { return c.Response().Committed }

// SlowestRate is the rate, in bytes a second, below which a client that sends or
// reads a large body is cut: fast enough that idle clients cannot hold the
// server, slow enough for a bad line.
const SlowestRate = 64 << 10

// GiveTime gives a request whose body has size bytes what it needs at
// SlowestRate, beyond the time-outs of the server: read for the rest of the
// request, write for the answer after it. A connection without deadlines, as in
// tests, is left as it is. Deadlines are on the clock of the machine, as those of
// net/http are.
func GiveTime(c echo.Context, size int64, read, write time.Duration) {
	end := time.Now().Add(read + transfer(size))
	control := http.NewResponseController(c.Response())
	_ = control.SetReadDeadline(end)
	_ = control.SetWriteDeadline(end.Add(write))
}

// transfer returns how long size bytes take at SlowestRate.
func transfer(size int64) time.Duration { return time.Duration(size/SlowestRate) * time.Second }

// Write writes the answer as the response to r. It returns ErrUnwritable for an
// answer that may not leave, and the error of the connection or of the stream
// when the body could not be sent whole; in both cases nothing more may be
// written.
func Write(w http.ResponseWriter, r *http.Request, a dossier.Answer) error {
	stream, size := a.Stream()
	if stream != nil {
		defer stream.Close()
	}
	// The type is closed by its package and the default refuses: a kind of answer
	// that is added later cannot leave by omission.
	switch {
	case a.Writable() && validStatus(a.Status()):
	default:
		refuse(w, r)
		return fmt.Errorf("%w (status %d)", ErrUnwritable, a.Status())
	}
	guard(w.Header(), r)
	describe(w.Header(), a)
	if bodiless(a.Status()) {
		w.WriteHeader(a.Status())
		return nil
	}
	if stream == nil {
		size = int64(len(a.Body()))
	}
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.WriteHeader(a.Status())
	if r.Method == http.MethodHead {
		return nil
	}
	return send(w, a.Body(), stream, size)
}

// send writes the body. A stream that ends early is an error and cuts the
// connection, because the length was promised.
func send(w http.ResponseWriter, body []byte, stream io.Reader, size int64) error {
	if stream == nil {
		if _, err := w.Write(body); err != nil {
			return fmt.Errorf("emit: body: %w", err)
		}
		return nil
	}
	allow(w, size)
	n, err := io.CopyN(w, stream, size)
	if err != nil {
		return fmt.Errorf("emit: stream cut after %d of %d bytes: %w", n, size, err)
	}
	return nil
}

// allow gives a large document the time that it needs at SlowestRate.
func allow(w http.ResponseWriter, size int64) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute + transfer(size)))
}

// refuse answers 500 without a word about the cause.
func refuse(w http.ResponseWriter, r *http.Request) {
	guard(w.Header(), r)
	w.Header().Set("Content-Type", "application/fhir+json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(refusal)))
	w.WriteHeader(http.StatusInternalServerError)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, refusal)
	}
}

// validStatus tells whether the status ends an exchange. An informational
// status would leave the response open for the net/http default of 200.
func validStatus(status int) bool { return status >= 200 && status <= 599 }

// bodiless tells whether RFC 9110 forbids a body.
func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}
