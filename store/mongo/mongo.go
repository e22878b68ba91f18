package mongo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"opendmp/store"
)

// Store is an open database. It implements store.Store.
type Store struct {
	collections
	client       *driver.Client
	now          func() time.Time
	rand         io.Reader
	timeout      time.Duration
	linearizable bool

	mu     sync.RWMutex // guards closed against calls that begin
	closed bool
	calls  sync.WaitGroup // calls under way
}

var _ store.Store = (*Store)(nil)

// Open connects to the deployment of a URI, proves that its transactions roll
// back, brings the schema up to date and returns the engine. The URI's read and
// write concerns, read preference and retries are replaced by those that the
// promises of this package rest on. The error is one of this package's, and is
// safe to print.
func Open(ctx context.Context, uri string, opts Options) (*Store, error) {
	s, err := connect(uri, opts.withDefaults())
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Migrate brings the schema up to date, as Open does, and nothing more.
func Migrate(ctx context.Context, uri string, opts Options) error {
	s, err := Open(ctx, uri, opts)
	if err != nil {
		return err
	}
	return s.Close()
}

func connect(uri string, opts Options) (*Store, error) {
	o, err := opts.client(uri)
	if err != nil {
		return nil, err
	}
	client, err := driver.Connect(o)
	if err != nil {
		return nil, invalid(err)
	}
	return &Store{
		collections: collectionsOf(client.Database(opts.Database)),
		client:      client,
		now:         opts.Now,
		rand:        opts.Rand,
		timeout:     opts.Timeout,
	}, nil
}

// migrateShare is how much more time than a call all of migrate may take: a busy
// cluster is slow to make collections.
const migrateShare = 15

// prepare looks at the server, and then makes what is missing.
func (s *Store) prepare(ctx context.Context) error {
	for _, step := range []struct {
		run    func(context.Context) error
		within time.Duration
	}{
		{s.greet, s.timeout},
		{s.migrate, migrateShare * s.timeout},
		{s.probe, s.timeout},
		{s.probeHeader, s.timeout},
	} {
		if err := within(ctx, step.within, step.run); err != nil {
			return refusal(ctx, err)
		}
	}
	return nil
}

// refusal is one sentence for the operator.
func refusal(ctx context.Context, err error) error {
	switch {
	case isOneOf(err, ErrUnreachable, ErrCredentials, ErrOld, ErrNoTransactions, ErrForeign, ErrNewer):
		return err
	case hasCode(err, codeUnauthorized):
		return ErrCredentials
	}
	return outcome(ctx, "open", err)
}

// Linearizable tells whether the server reads headers with read concern
// linearizable.
func (s *Store) Linearizable() bool { return s.linearizable }

// probeHeader learns whether the server knows read concern linearizable.
func (s *Store) probeHeader(ctx context.Context) error {
	headers := s.headers.Clone(options.Collection().SetReadConcern(readconcern.Linearizable()))
	err := absent(headers.FindOne(ctx, byID(make([]byte, sizeDossier))).Err())
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound):
		s.headers, s.linearizable = headers, true
		return nil
	case hasCode(err, codeInvalidOptions), hasCode(err, codeNotSupported), hasCode(err, codeNotImplemented):
		return nil
	}
	return err
}

// enter registers a call, so that Close waits for it, and gives it its deadline.
// Whoever gets no error calls leave.
func (s *Store) enter(ctx context.Context, doing string) (inside context.Context, leave func(), err error) {
	if err := s.begin(); err != nil {
		return nil, nil, err
	}
	if err := ctx.Err(); err != nil {
		s.calls.Done()
		return nil, nil, outcome(ctx, doing, err)
	}
	inside, cancel := context.WithTimeout(ctx, s.timeout)
	return inside, func() { cancel(); s.calls.Done() }, nil
}

// begin returns store.ErrUnavailable once Close has begun.
func (s *Store) begin() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return fmt.Errorf("%w: closed", store.ErrUnavailable)
	}
	s.calls.Add(1)
	return nil
}

// call runs f as one call and tells its outcome.
func (s *Store) call(ctx context.Context, doing string, f func(context.Context) error) error {
	inside, leave, err := s.enter(ctx, doing)
	if err != nil {
		return err
	}
	defer leave()
	return outcome(ctx, doing, f(inside))
}

// step runs f within a deadline of its own, for what takes several.
func (s *Store) step(ctx context.Context, f func(context.Context) error) error {
	return within(ctx, s.timeout, f)
}

func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}

// Close refuses new calls, waits for those under way, each of which has a
// deadline, and disconnects. Closing twice is harmless.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	s.calls.Wait()
	if again {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	return outcome(ctx, "close", s.client.Disconnect(ctx))
}

// random gives n random bytes.
func (s *Store) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return nil, fmt.Errorf("mongo: random bytes: %w", err)
	}
	return b, nil
}
