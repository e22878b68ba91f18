package server

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/emit"
	"opendmp/fhir"
)

// exchange is one request and what must be known of it until it is answered.
type exchange struct {
	s    *Server
	c    echo.Context
	r    *http.Request
	id   string
	lang string
	// format and pretty are how the client wants resources, refusals included.
	format fhir.Format
	pretty bool
	start  time.Time
	route  string    // a template, never the path
	kind   auth.Kind // of the caller
	peer   auth.Peer // holder of the client certificate
	body   bodyReader
	told   []slog.Attr // by a route of the program, for the log
}

// handle makes an Echo handler of a function from an exchange to an answer: it
// counts the request in, survives a panic, writes the answer and logs the line.
func (s *Server) handle(answer func(*exchange) dossier.Answer) echo.HandlerFunc {
	return func(c echo.Context) error {
		x := s.begin(c)
		defer x.body.release()
		a := x.answer(answer)
		x.drain()
		err := x.write(a)
		x.report(a.Status(), err)
		return nil
	}
}

func (s *Server) begin(c echo.Context) *exchange {
	x := &exchange{s: s, c: c, r: c.Request(), start: s.now(), route: "other", body: bodyReader{budget: s.bodies}}
	x.id = s.requestID(x.r.Header.Get(emit.RequestIDHeader))
	// emit copies the id from the request to the response.
	x.r.Header.Set(emit.RequestIDHeader, x.id)
	x.lang = language(x.r.Header)
	query := x.r.URL.Query()
	x.prefer(query.Get("_format"), query.Get("_pretty") == "true")
	return x
}

// answer runs a handler. It refuses when too many run, and when it panics.
func (x *exchange) answer(handler func(*exchange) dossier.Answer) (a dossier.Answer) {
	if !x.s.requests.take(1) {
		return x.refuse(fmt.Errorf("server: requests in flight: %w", dossier.ErrUnavailable))
	}
	defer x.s.requests.give(1)
	defer func() {
		if cause := recover(); cause != nil {
			x.panicked(cause)
			a = x.refuse(dossier.ErrInternal)
		}
	}()
	conn := connectionOf(x.r.Context())
	if conn.twice() {
		return x.refuse(invalid("structure", "La longueur de la requête est donnée deux fois.", "The length of the request is stated twice."))
	}
	if err := x.meet(conn); err != nil {
		return x.refuse(err)
	}
	return handler(x).As(x.format, x.pretty)
}

// prefer notes the format of the answers by _format, Accept or, without either,
// the format of the body: JSON where the client wants none that is served.
func (x *exchange) prefer(param string, pretty bool) {
	accept := strings.Join(x.r.Header.Values("Accept"), ",")
	f, ok := fhir.NegotiateAccept(accept, param)
	if param == "" && accept == "" {
		if sent, known := fhir.ContentType(x.r.Header.Get("Content-Type")); known {
			f = sent
		}
	}
	if !ok {
		f = fhir.FormatJSON
	}
	x.format, x.pretty = f, pretty
}

// drain reads what a refused body in pieces still sends, as far as that is
// little: its connection is closed after the answer, and closing one with unread
// bytes in it would take the answer away from the client. net/http does the same
// for bodies of a known length.
func (x *exchange) drain() {
	const little = 256 << 10
	if len(x.r.TransferEncoding) > 0 {
		_, _ = io.CopyN(io.Discard, x.r.Body, little)
	}
}

// write writes the answer. A panic while it streams must not append a second
// answer to the first: the connection is cut.
func (x *exchange) write(a dossier.Answer) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			x.panicked(cause)
			panic(http.ErrAbortHandler)
		}
	}()
	return emit.Echo(x.c, a)
}

func (x *exchange) refuse(err error) dossier.Answer {
	return dossier.Refuse(err, x.lang).As(x.format, x.pretty)
}

// panicked logs a panic by its place and a hash of its text: the text may hold
// what the request held.
func (x *exchange) panicked(cause any) {
	sum := sha256.Sum256(fmt.Append(nil, cause))
	x.s.log.Error("panic",
		slog.String("request", x.id),
		slog.String("kind", fmt.Sprintf("%T", cause)),
		slog.String("hash", fmt.Sprintf("%x", sum[:6])),
		slog.String("at", stack()),
	)
}

// stack names the functions below a panic, innermost first.
func stack() string {
	pcs := make([]uintptr, 24)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var b strings.Builder
	for {
		f, more := frames.Next()
		fmt.Fprintf(&b, "%s:%d ", f.Function, f.Line)
		if !more {
			return strings.TrimSpace(b.String())
		}
	}
}

// report logs the line of the request.
func (x *exchange) report(status int, err error) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("request", x.id),
		slog.String("method", knownMethod(x.r.Method)),
		slog.String("route", x.route),
		slog.Int("status", status),
		slog.Duration("duration", x.s.now().Sub(x.start)),
		slog.String("caller", x.kind.String()),
	}
	attrs = append(attrs, x.told...)
	if err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("unsent", fmt.Sprintf("%.120s", err)))
	}
	x.s.log.LogAttrs(x.r.Context(), level, "request", attrs...)
}

// knownMethod returns the method as it may be logged: a client can invent one.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	default:
		return "other"
	}
}

// requestID returns the id that the client gave, if it is sane, or a new one of
// 128 random bits.
func (s *Server) requestID(given string) string {
	if saneID(given) {
		return given
	}
	var b [16]byte
	if _, err := io.ReadFull(s.rand, b[:]); err != nil {
		panic("server: no randomness")
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}
