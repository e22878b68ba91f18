package server

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
)

// Config is what a server needs. Service, Verifier and Base are required.
type Config struct {
	Service  *dossier.Service
	Verifier *auth.Verifier
	// Base is the URL of the FHIR base, "https://dmp.example.org/fhir", as in
	// dossier.Config. Its path is where the API is served.
	Base string
	// Bases are what clients of each kind of listener are told instead of Base.
	Bases Bases
	// Clear serves the API in clear as well: that of a sandbox. Without it Serve answers
	// /health, and nothing else.
	Clear bool
	// Extra are further routes, those of the sandbox.
	Extra []Route
	// Healthy tells whether the server can do its work; nil means that it can as
	// long as it runs.
	Healthy func(context.Context) bool
	Limits  Limits
	// Logger gets one line per request and the faults; none if nil.
	Logger *slog.Logger
	// Now is the clock of the durations in the log, and of the age of connections;
	// time.Now if nil.
	Now func() time.Time
	// Rand gives the randomness of request ids; crypto/rand if nil.
	Rand io.Reader
}

// Route is a route beside the FHIR API.
type Route struct {
	Method, Path string
	// Handle answers. The body that it reads is limited to Limits.MaxBody.
	Handle func(*http.Request) dossier.Answer
	// HandleFrom answers instead of Handle, if it is set, and is told where the request
	// came from.
	HandleFrom func(*http.Request, From) dossier.Answer
	// HandleTold answers instead of both, if it is set, and says what stands in the line
	// of the log beside what the server knows: no secret, and no text that a stranger
	// chose.
	HandleTold func(*http.Request, From) (dossier.Answer, []slog.Attr)
}

// healthPath is what everyone may ask, over every listener.
const healthPath = "/health"

// Server serves the API. It is safe for concurrent use.
type Server struct {
	service  *dossier.Service
	verifier *auth.Verifier
	base     string
	bases    Bases
	known    fhir.Base // all of them
	path     string    // of each base, "/fhir"
	clear    bool
	healthy  func(context.Context) bool
	limits   Limits
	log      *slog.Logger
	now      func() time.Time
	rand     io.Reader

	bodies   *budget
	requests *budget
	echo     *echo.Echo
}

// New makes a server. It fails when a required part is missing or the base is no
// absolute URL with a path.
func New(c Config) (*Server, error) {
	if c.Service == nil || c.Verifier == nil {
		return nil, errors.New("server: service and verifier are required")
	}
	path, err := c.path()
	if err != nil {
		return nil, err
	}
	s := &Server{
		service: c.Service, verifier: c.Verifier,
		base: strings.TrimSuffix(c.Base, "/"), bases: c.Bases, known: c.known(), path: path, clear: c.Clear,
		healthy: c.Healthy, limits: c.Limits.withDefaults(), log: c.Logger, now: c.Now, rand: c.Rand,
	}
	if s.healthy == nil {
		s.healthy = func(context.Context) bool { return true }
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	s.bodies, s.requests = newBudget(s.limits.MaxBodies), newBudget(int64(s.limits.MaxRequests))
	s.echo = s.router(c.Extra)
	return s, nil
}

// Handler returns the API as a handler. The time-outs and the watch over the
// framing of requests are not in it: they belong to the connections of Serve.
func (s *Server) Handler() http.Handler { return s.echo }

// router lists the routes. What is under the base is for the table in fhir; Echo
// decides nothing about it.
func (s *Server) router(extra []Route) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort, e.Debug = true, true, false
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		_ = s.handle(func(x *exchange) dossier.Answer {
			if err = fromEcho(err); errors.Is(err, fhir.ErrMethod) && s.ours(x.r) {
				return s.fhir(x) // a method that Echo has never heard of
			}
			return x.refuse(err)
		})(c)
	}
	for _, path := range []string{s.path, s.path + "/", s.path + "/*"} {
		e.Any(path, s.handle(s.fhir))
	}
	e.GET(healthPath, s.handle(s.health))
	e.HEAD(healthPath, s.handle(s.health))
	for _, r := range extra {
		e.Add(r.Method, r.Path, s.handle(s.extra(r)))
	}
	return e
}

// ours tells whether a request is for something under the base.
func (s *Server) ours(r *http.Request) bool {
	return r.URL.Path == s.path || strings.HasPrefix(r.URL.Path, s.path+"/")
}

// fromEcho translates what the router refuses.
func fromEcho(err error) error {
	var h *echo.HTTPError
	switch {
	case !errors.As(err, &h):
		return dossier.ErrInternal
	case h.Code == http.StatusNotFound:
		return fhir.ErrUnknownRoute
	case h.Code == http.StatusMethodNotAllowed:
		return fhir.ErrMethod
	default:
		return dossier.ErrInternal
	}
}

// health says whether the server can do its work, and nothing about why not:
// which part is down helps an attacker more than a client.
func (s *Server) health(x *exchange) dossier.Answer {
	x.route = healthPath
	if !s.healthy(x.r.Context()) {
		return dossier.Public(http.StatusServiceUnavailable, "application/json", []byte(`{"status":"unavailable"}`))
	}
	return dossier.Public(http.StatusOK, "application/json", []byte(`{"status":"ok"}`))
}

// extra answers for a route of the program.
func (s *Server) extra(r Route) func(*exchange) dossier.Answer {
	return func(x *exchange) dossier.Answer {
		x.route = r.Path
		if err := acceptable(x.r); err != nil {
			return x.refuse(err)
		}
		body := http.MaxBytesReader(nil, x.r.Body, s.limits.MaxBody)
		defer body.Close()
		x.r.Body = body
		if r.HandleTold != nil {
			a, told := r.HandleTold(x.r, x.from())
			x.told = told
			return a
		}
		if r.HandleFrom != nil {
			return r.HandleFrom(x.r, x.from())
		}
		return r.Handle(x.r)
	}
}
