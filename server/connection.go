package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
)

// connection is what is known of the connection of a request, and not of who uses
// it. The zero connection is one in clear, opened at no time.
type connection struct {
	watch  *watchedConn // nil under TLS
	face   *Face        // nil in clear
	opened time.Time
}

type connKey struct{}

// connected lets a handler ask about its connection.
func (s *Server) connected(f *Face) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, c net.Conn) context.Context {
		w, _ := c.(*watchedConn)
		return context.WithValue(ctx, connKey{}, &connection{watch: w, face: f, opened: s.now()})
	}
}

func connectionOf(ctx context.Context) connection {
	if c, ok := ctx.Value(connKey{}).(*connection); ok {
		return *c
	}
	return connection{}
}

// twice tells whether a request on it had both a Content-Length and a
// Transfer-Encoding.
func (c connection) twice() bool { return c.watch != nil && c.watch.twice.Load() }

// meet finds out who holds the client certificate of the request, and makes it the
// last one of a connection that is old, or whose certificate is refused. In clear it
// knows /health only, but for a sandbox.
func (x *exchange) meet(c connection) error {
	defer dropForwarded(x.r.Header)
	if c.face == nil {
		if c.watch != nil && !x.s.clear && x.r.URL.Path != healthPath {
			return errInClear()
		}
		return nil
	}
	if x.s.now().Sub(c.opened) >= x.s.limits.MaxConnectionAge {
		x.r.Close = true
	}
	var err error
	if x.peer, err = c.face.peer(x.r); err != nil {
		x.r.Close = true
		return x.strange(err)
	}
	return nil
}

// errInClear tells who calls in clear where to go.
func errInClear() error {
	return fmt.Errorf("%w: %w", fhir.ErrUnknownRoute, invalid("not-found",
		"En clair, ce serveur ne répond qu’à /health. Tout le reste se demande en https, à l’adresse qui vous a été donnée.",
		"In clear this server answers /health only. Ask for all else over https, at the address that you were given."))
}

// strange logs why a certificate is refused, and returns what the client is told:
// that the server cannot judge, or that it is nobody. The causes name no one.
func (x *exchange) strange(cause error) error {
	level, told := slog.LevelWarn, dossier.ErrUnauthenticated
	if errors.Is(cause, auth.ErrRevocationUnknown) {
		level, told = slog.LevelError, dossier.ErrUnavailable
	}
	x.s.log.LogAttrs(x.r.Context(), level, "certificate refused",
		slog.String("request", x.id), slog.String("cause", cause.Error()))
	return told
}
