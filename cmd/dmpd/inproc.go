package main

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// inproc is a listener that only this process can reach: the sandbox is loaded
// over HTTP, through everything that a client's requests go through, before
// anybody else can ask.
type inproc struct {
	conns chan net.Conn
	ended chan struct{}
	end   sync.Once
}

func newInproc() *inproc {
	return &inproc{conns: make(chan net.Conn), ended: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *inproc) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *inproc) Close() error {
	l.end.Do(func() { close(l.ended) })
	return nil
}

// Addr implements net.Listener.
func (l *inproc) Addr() net.Addr { return &net.UnixAddr{Name: "inproc", Net: "unix"} }

// client returns a client whose every connection is to this listener, whatever the
// URL says: a base under TLS is that of another listener, and this one is a pipe.
func (l *inproc) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: l.dial, DialTLSContext: l.dial}}
}

func (l *inproc) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.ended:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
