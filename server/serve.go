package server

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"

	"golang.org/x/net/netutil"
)

// Serve answers in clear on the listener (Config.Clear says how much), which it closes, until ctx ends; then it
// stops accepting, lets what runs finish for at most Limits.DrainTimeout, and returns
// nil. It returns an error when the listener fails or when requests had to be
// cut. Several listeners are served at a time by several calls.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := s.http(nil)
	return s.until(ctx, h, func() error {
		return h.Serve(watchingListener{netutil.LimitListener(l, s.limits.MaxConnections)})
	})
}

// until runs a server until it fails or ctx ends.
func (s *Server) until(ctx context.Context, h *http.Server, serve func() error) error {
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return fmt.Errorf("server: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.DrainTimeout)
	defer cancel()
	if err := h.Shutdown(drain); err != nil {
		return fmt.Errorf("server: requests were cut: %w", errors.Join(err, h.Close()))
	}
	return nil
}

// http returns the server of the connections of a face; nil is the one in clear.
// net/http sets no time-out of its own.
func (s *Server) http(f *Face) *http.Server {
	return &http.Server{
		Handler:           s.echo,
		ReadHeaderTimeout: s.limits.HeaderTimeout,
		ReadTimeout:       s.limits.ReadTimeout,
		WriteTimeout:      s.limits.WriteTimeout,
		IdleTimeout:       s.limits.IdleTimeout,
		MaxHeaderBytes:    s.limits.MaxHeader,
		ConnContext:       s.connected(f),
		ErrorLog:          log.New(faults{s}, "", 0),
	}
}

// faults takes what net/http logs. Its text may quote what a client sent, so
// that only the fact is kept.
type faults struct{ s *Server }

// Write implements io.Writer.
func (f faults) Write(p []byte) (int, error) {
	f.s.log.Warn("connection fault")
	return len(p), nil
}
