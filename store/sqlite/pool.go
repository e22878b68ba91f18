package sqlite

import (
	"context"
	"errors"
	"fmt"

	"opendmp/store"
)

// pool is a fixed set of reading connections. They cannot write (query_only).
type pool struct {
	free chan *conn
}

func openPool(ctx context.Context, path string, n int) (*pool, error) {
	p := &pool{free: make(chan *conn, n)}
	for range n {
		c, err := dial(ctx, path, "busy_timeout = 5000", "cache_size = -4096", "query_only = 1")
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.free <- c
	}
	return p, nil
}

// use lends a connection to f. What f reads in one statement is one snapshot.
func (p *pool) use(ctx context.Context, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	select {
	case c := <-p.free:
		defer func() { p.free <- c }()
		return f(c)
	case <-ctx.Done():
		return fmt.Errorf("%w: no free connection: %w", store.ErrUnavailable, ctx.Err())
	}
}

// close closes the connections; none may be in use.
func (p *pool) close() error {
	close(p.free)
	var errs []error
	for c := range p.free {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}
