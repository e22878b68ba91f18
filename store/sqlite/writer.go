package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	"opendmp/store"
)

const (
	queueLength = 1024
	batchLength = 512      // transactions that share one fsync
	batchBytes  = 32 << 20 // what they may hold, so that a batch fits in the cache
)

// job is one transaction on its way through the writer.
type job struct {
	apply func(*conn) error
	bytes int
	taken atomic.Bool // by the writer, or by the caller who gave up
	done  chan error  // of capacity 1
}

// writer owns the only connection that writes. Its goroutine takes what waits,
// applies each job in a savepoint, commits once, and answers.
type writer struct {
	path  string
	opts  Options
	queue chan *job
	ended chan struct{}

	conn *conn // the goroutine's alone; nil after a failure, until ready succeeds
}

func openWriter(ctx context.Context, path string, opts Options) (*writer, error) {
	w := &writer{
		path:  path,
		opts:  opts,
		queue: make(chan *job, queueLength),
		ended: make(chan struct{}),
	}
	c, err := w.dial(ctx)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(migrate(ctx, c, path), settle(c)); err != nil {
		return nil, errors.Join(err, c.close())
	}
	w.conn = c
	return w, nil
}

// dial opens the writing connection. It looks whose file it is before it changes
// anything in it.
func (w *writer) dial(ctx context.Context) (*conn, error) {
	c, err := dial(ctx, w.path, "busy_timeout = 2000")
	if err != nil {
		return nil, err
	}
	if err := w.configure(c); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (w *writer) configure(c *conn) error {
	if _, err := schemaVersion(c, w.path); err != nil {
		return err
	}
	for _, p := range w.pragmas() {
		if err := c.script("PRAGMA " + p); err != nil {
			return err
		}
	}
	// Where the file system cannot do it, SQLite keeps another mode in silence.
	if mode, err := c.text("PRAGMA journal_mode"); err != nil || mode != "wal" {
		return errors.Join(fmt.Errorf("sqlite: %s: journal mode %q instead of wal", w.path, mode), err)
	}
	return nil
}

func (w *writer) pragmas() []string {
	p := []string{
		"journal_mode = WAL",
		"synchronous = FULL",
		"cache_size = -65536",
		"temp_store = MEMORY", // what a savepoint remembers stays off the disk
		"wal_autocheckpoint = 4000",
	}
	if w.opts.maxPages > 0 {
		p = append(p, fmt.Sprintf("max_page_count = %d", w.opts.maxPages))
	}
	return p
}

// settle moves the whole log into the database file and syncs it, so that
// nothing written later stands on a log whose own sync may have failed.
func settle(c *conn) error {
	busy := int64(1)
	_, err := c.found("PRAGMA wal_checkpoint(TRUNCATE)", func(v []driver.Value) { busy = asInt(v[0]) })
	if err == nil && busy != 0 {
		err = fmt.Errorf("%w: the log is in use", store.ErrUnavailable)
	}
	return err
}

func (w *writer) start() { go w.run() }

// stop ends the goroutine once the queue is empty, and closes. No call may be
// under way.
func (w *writer) stop() error {
	close(w.queue)
	<-w.ended
	return w.close()
}

func (w *writer) close() error {
	if w.conn == nil {
		return nil
	}
	c := w.conn
	w.conn = nil
	return c.close()
}

// do hands a job to the goroutine and waits for its outcome. When ctx ends
// before the goroutine has taken the job, nothing is written; afterwards do
// waits for the outcome, whatever ctx says.
func (w *writer) do(ctx context.Context, bytes int, apply func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	j := &job{apply: apply, bytes: bytes, done: make(chan error, 1)}
	select {
	case w.queue <- j:
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return fmt.Errorf("%w: not written: %w", store.ErrUnavailable, ctx.Err())
		}
		return <-j.done
	}
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		batch, open := w.gather()
		if !open {
			return
		}
		w.commit(batch)
	}
}

// gather waits for one job, then takes those that wait already.
func (w *writer) gather() (batch []*job, open bool) {
	bytes := 0
	add := func(j *job) {
		if j.taken.CompareAndSwap(false, true) {
			batch = append(batch, j)
			bytes += j.bytes
		}
	}
	for len(batch) == 0 {
		j, ok := <-w.queue
		if !ok {
			return nil, false
		}
		add(j)
	}
	for len(batch) < batchLength && bytes < batchBytes {
		select {
		case j, ok := <-w.queue:
			if !ok {
				return batch, true
			}
			add(j)
		default:
			return batch, true
		}
	}
	return batch, true
}

// commit applies a batch and answers each job. What a job learned (a conflict,
// say) may rest on a neighbour of the same batch: all answers wait for COMMIT,
// and all are lost with it.
func (w *writer) commit(batch []*job) {
	outcomes := make([]error, len(batch))
	err := w.ready()
	if err == nil {
		err = w.transact(batch, outcomes)
		if err != nil {
			w.discard()
		}
	}
	for i, j := range batch {
		if err != nil {
			j.done <- unavailable(err)
		} else {
			j.done <- outcomes[i]
		}
	}
}

// ready gives a connection whose file is in a known state, or an error.
func (w *writer) ready() error {
	if w.conn != nil {
		return nil
	}
	if err := w.opts.fault.at(reopening); err != nil {
		return err
	}
	c, err := w.dial(context.Background())
	if err != nil {
		return err
	}
	if err := settle(c); err != nil {
		return errors.Join(err, c.close())
	}
	w.conn = c
	return nil
}

// discard throws the connection away after a failure of the engine: what it
// holds, in memory and on disk, is unknown. Closing it rolls back.
func (w *writer) discard() {
	_ = w.close() // the failure that led here is the one to report
}

// transact runs a batch in one transaction. An error is the engine's and
// concerns the whole batch; those of single jobs are in outcomes.
func (w *writer) transact(batch []*job, outcomes []error) error {
	if _, err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	apply := w.savepoint
	if len(batch) == 1 {
		apply = w.alone
	}
	written := false
	for i, j := range batch {
		outcome, err := apply(j.apply)
		if err != nil {
			return err
		}
		outcomes[i] = outcome
		written = written || outcome == nil
	}
	if !written {
		_, err := w.conn.exec("ROLLBACK")
		return err
	}
	if err := w.opts.fault.at(beforeCommit); err != nil {
		return err
	}
	if _, err := w.conn.exec("COMMIT"); err != nil {
		return err
	}
	return w.opts.fault.at(afterCommit)
}

// alone applies the only job of a transaction. When it fails, transact rolls all
// back, so that no savepoint has to keep copies of the pages.
func (w *writer) alone(apply func(*conn) error) (outcome, engine error) {
	outcome = apply(w.conn)
	if errors.Is(outcome, store.ErrUnavailable) {
		return nil, outcome
	}
	return outcome, nil
}

// savepoint applies one job of several: when it fails, nothing of it stays.
func (w *writer) savepoint(apply func(*conn) error) (outcome, engine error) {
	if _, err := w.conn.exec("SAVEPOINT job"); err != nil {
		return nil, err
	}
	outcome, engine = w.alone(apply)
	if engine != nil {
		return nil, engine
	}
	if outcome != nil {
		if _, err := w.conn.exec("ROLLBACK TO job"); err != nil {
			return nil, err
		}
	}
	_, engine = w.conn.exec("RELEASE job")
	return outcome, engine
}
