package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"opendmp/store"
)

// Errors of Open, wrapped with a sentence for the operator.
var (
	// ErrLocked: another process, or another Store of this one, has the directory.
	ErrLocked = errors.New("sqlite: directory in use")
	// ErrForeign: the database in the directory is not one of OpenDMP.
	ErrForeign = errors.New("sqlite: not an OpenDMP database")
	// ErrNewer: the database was written by a newer version of this program.
	ErrNewer = errors.New("sqlite: schema newer than this program")
)

const databaseName = "opendmp.db"

// Options of Open. The zero value is good for production.
type Options struct {
	// Now tells whether a state entry has expired, and dates the uploads. The
	// default is time.Now.
	Now func() time.Time
	// Readers is the number of connections that read at the same time. The
	// default is twice the number of processors, at least 4.
	Readers int

	fault    faults // failures that tests ask for
	maxPages int64  // size limit of the database that tests ask for; 0 is none
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Readers <= 0 {
		o.Readers = max(4, 2*runtime.NumCPU())
	}
	return o
}

// Store is an open directory. It implements store.Store.
type Store struct {
	dir     string
	now     func() time.Time
	lock    *os.File
	readers *pool
	writer  *writer
	files   *files

	mu     sync.RWMutex // guards closed against calls that begin
	closed bool
	calls  sync.WaitGroup // calls under way
}

var _ store.Store = (*Store)(nil)

// Open opens the engine in dir, which it creates (mode 0700) when absent, and
// brings the schema up to date. Files have mode 0600. It returns ErrLocked,
// ErrForeign or ErrNewer, wrapped, when it must not touch what is there.
func Open(ctx context.Context, dir string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, now: opts.Now, lock: lock}
	if err := s.open(ctx, opts); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, opts Options) (err error) {
	path := filepath.Join(s.dir, databaseName)
	if err := createPrivate(path); err != nil {
		return err
	}
	if s.files, err = openFiles(filepath.Join(s.dir, "contents"), opts.Now); err != nil {
		return err
	}
	w, err := openWriter(ctx, path, opts)
	if err != nil {
		return err
	}
	if s.readers, err = openPool(ctx, path, opts.Readers); err != nil {
		return errors.Join(err, w.close())
	}
	s.writer = w
	w.start()
	return nil
}

// begin registers a call, so that Close waits for it. It returns
// store.ErrUnavailable once Close has begun.
func (s *Store) begin() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return fmt.Errorf("%w: closed", store.ErrUnavailable)
	}
	s.calls.Add(1)
	return nil
}

// Close refuses new calls, waits for those under way (queued commits are
// written), and closes. Closing twice is harmless.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	s.calls.Wait()
	if again {
		return nil
	}
	// The writer goes last: SQLite moves the log into the database when the last
	// connection closes.
	return errors.Join(s.readers.close(), s.writer.stop(), s.lock.Close())
}

// unavailable wraps a cause as store.ErrUnavailable, without hiding it.
func unavailable(cause error) error {
	if cause == nil || errors.Is(cause, store.ErrUnavailable) {
		return cause
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, cause)
}
