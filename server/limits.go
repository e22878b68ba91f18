package server

import "time"

// Limits bound what clients can make the server do. A zero field takes its
// default.
type Limits struct {
	// MaxBundle is the size of the body of a bundle or a resource, in bytes;
	// 32 MiB.
	MaxBundle int64
	// MaxBody is the size of any other body (patch, form, operation), in bytes;
	// 1 MiB.
	MaxBody int64
	// MaxBodies is the size of all bodies that are being read or handled at one
	// moment, in bytes; 128 MiB. Beyond it the answer is 503.
	MaxBodies int64
	// MaxRequests is the number of requests that run at one moment; 256. Beyond it
	// the answer is 503.
	MaxRequests int
	// MaxConnections is the number of open connections; 4096. Further ones wait.
	MaxConnections int
	// MaxConnectionAge is how long a connection under TLS is used; 15 min. The request
	// that comes later is answered, and is its last: what the handshake proved is
	// proved anew.
	MaxConnectionAge time.Duration
	// MaxHeader is the size of the header of a request, in bytes; 16 KiB.
	MaxHeader int

	// HeaderTimeout ends a connection whose header is not there in time; 5 s.
	HeaderTimeout time.Duration
	// ReadTimeout is for a request as a whole, 30 s. A large body gets what it
	// needs at emit.SlowestRate.
	ReadTimeout time.Duration
	// WriteTimeout is for the answer, from the end of the header; 60 s.
	WriteTimeout time.Duration
	// IdleTimeout ends a connection that has nothing to ask; 60 s.
	IdleTimeout time.Duration
	// HandleTimeout is for the work between body and answer; 30 s.
	HandleTimeout time.Duration
	// DrainTimeout is what running requests get when the server stops; 30 s.
	DrainTimeout time.Duration
}

// withDefaults fills the fields that are zero.
func (l Limits) withDefaults() Limits {
	const mib = 1 << 20
	orDefault(&l.MaxBundle, 32*mib)
	orDefault(&l.MaxBody, mib)
	orDefault(&l.MaxBodies, 128*mib)
	orDefault(&l.MaxRequests, 256)
	orDefault(&l.MaxConnections, 4096)
	orDefault(&l.MaxConnectionAge, 15*time.Minute)
	orDefault(&l.MaxHeader, 16<<10)
	orDefault(&l.HeaderTimeout, 5*time.Second)
	orDefault(&l.ReadTimeout, 30*time.Second)
	orDefault(&l.WriteTimeout, 60*time.Second)
	orDefault(&l.IdleTimeout, 60*time.Second)
	orDefault(&l.HandleTimeout, 30*time.Second)
	orDefault(&l.DrainTimeout, 30*time.Second)
	return l
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
