package server

import (
	"bytes"
	"net"
	"strconv"
	"sync/atomic"
)

// A request that states its length twice, by Content-Length and by
// Transfer-Encoding, is how requests are smuggled past a proxy that believes the
// one into a server that believes the other. RFC 9112 §6.3 lets a server refuse
// it. net/http drops the Content-Length before a handler sees it, so that the
// only place to notice is the connection.
//
// A watched connection follows the requests that it carries, header by header,
// and remembers one that has both. It changes nothing of what is read. It stops
// looking at the first request with a Transfer-Encoding: emit closes the
// connection after it, so that there is no further one.
//
// A connection under TLS cannot be watched: there, closing after the answer is
// what protects.

// watchingListener accepts watched connections.
type watchingListener struct{ net.Listener }

// Accept implements net.Listener.
func (l watchingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: c}, nil
}

type watchedConn struct {
	net.Conn
	watch framing
	twice atomic.Bool
}

// Read implements net.Conn.
func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.watch.see(p[:n]) {
		c.twice.Store(true)
	}
	return n, err
}

// framing follows the bytes of one connection. Its zero value is at the start of
// a request.
type framing struct {
	done bool  // nothing more to find
	skip int64 // bytes of a body still to come

	line    []byte // of the header, so far, without what is beyond lineKept
	started bool   // the request line was seen
	length  string // value of Content-Length
	hasCL   bool
	hasTE   bool
}

// lineKept is enough of a header line to know its name, and the value of a
// length.
const lineKept = 64

// see takes the next bytes and tells whether a header with both was completed.
func (f *framing) see(p []byte) bool {
	for len(p) > 0 && !f.done {
		if f.skip > 0 {
			n := min(f.skip, int64(len(p)))
			f.skip -= n
			p = p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			f.keep(p)
			return false
		}
		f.keep(p[:end])
		p = p[end+1:]
		if f.endLine() {
			return true
		}
	}
	return false
}

func (f *framing) keep(p []byte) {
	f.line = append(f.line, p[:min(len(p), lineKept-len(f.line))]...)
}

// endLine takes a whole line and tells whether it ended a header with both.
func (f *framing) endLine() bool {
	line := bytes.TrimSuffix(f.line, []byte("\r"))
	f.line = f.line[:0]
	switch {
	case !f.started:
		f.started = true
	case len(line) == 0:
		return f.endHeader()
	default:
		f.field(line)
	}
	return false
}

func (f *framing) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		f.hasCL, f.length = true, string(bytes.TrimSpace(value))
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		f.hasTE = true
	}
}

// endHeader makes ready for the body. A length that cannot be read is refused by
// net/http, which then closes the connection.
func (f *framing) endHeader() bool {
	n, err := strconv.ParseInt(f.length, 10, 64)
	both := f.hasCL && f.hasTE
	*f = framing{line: f.line, done: f.hasTE || f.hasCL && (err != nil || n < 0)}
	if err == nil {
		f.skip = n
	}
	return both
}
