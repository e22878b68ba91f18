package mongo

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"opendmp/store"
)

// abortTime bounds the effort to end a transaction whose caller may be gone. A
// server ends what is left to it after a minute.
const abortTime = 500 * time.Millisecond

// errVoid: the transaction was not committed, and never will be.
var errVoid = errors.New("mongo: not committed")

// errUnsettled: a mark is there, but not yet with a majority.
var errUnsettled = errors.New("mongo: not yet known")

// transact runs apply in one transaction and commits it, as a whole again when the
// server gave it up, until ctx ends. apply must not hide an error of the driver.
//
// This is the loop of the driver's WithTransaction, but for two things: that one
// commits without regard to the caller's deadline, and it cannot learn what became
// of a commit whose answer was lost.
func (s *Store) transact(ctx context.Context, apply func(context.Context) error) error {
	return patiently(ctx, func() error {
		id, err := s.random(sizeLoose)
		if err != nil {
			return err
		}
		return s.attempt(ctx, func(inside context.Context) error {
			if err := apply(inside); err != nil {
				return err
			}
			_, err := s.marks.InsertOne(inside, markDoc{ID: id, At: time.Now()})
			return err
		}, func(error) error { return s.settle(ctx, id) })
	})
}

// snapshot runs read in a transaction that writes nothing. Its commit makes sure
// that what was read is majority-committed.
func (s *Store) snapshot(ctx context.Context, read func(context.Context) error) error {
	return patiently(ctx, func() error {
		return s.attempt(ctx, read, func(err error) error { return err })
	})
}

// attempt is one transaction. When the outcome of its commit is unknown, settle
// decides.
func (s *Store) attempt(ctx context.Context, apply func(context.Context) error, settle func(error) error) error {
	session, err := s.client.StartSession()
	if err != nil {
		return err
	}
	defer s.end(ctx, session)
	if err := session.StartTransaction(transaction()); err != nil {
		return err
	}
	if err := apply(driver.NewSessionContext(ctx, session)); err != nil {
		return err
	}
	err = session.CommitTransaction(ctx)
	if err == nil || hasLabel(err, labelTransient) {
		return err
	}
	return settle(err)
}

// end ends a session and aborts the transaction that is still open in it, also
// when ctx has ended.
func (s *Store) end(ctx context.Context, session *driver.Session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	session.EndSession(ctx)
}

// settle learns what became of a transaction by claiming its mark: nil when it was
// committed, errVoid when it can never be, otherwise why nothing is known.
func (s *Store) settle(ctx context.Context, id []byte) error {
	void := false
	err := patiently(ctx, func() (err error) {
		void, err = s.void(ctx, id)
		return err
	})
	if err == nil && void {
		return errVoid
	}
	return err
}

// void tries to insert the mark of a transaction outside of it. A server lets one
// of both succeed, and makes this one wait while the other is undecided.
//
// A void mark that is there already is that of an earlier try, whose answer was
// lost: what counts is not that a mark is there, but what it says.
func (s *Store) void(ctx context.Context, id []byte) (bool, error) {
	_, err := s.marks.InsertOne(ctx, markDoc{ID: id, At: time.Now(), Void: true})
	if err == nil || !driver.IsDuplicateKeyError(err) {
		return err == nil, err
	}
	var m markDoc
	err = s.marks.FindOne(ctx, byID(id)).Decode(&m)
	if errors.Is(err, driver.ErrNoDocuments) {
		return false, errUnsettled
	}
	return m.Void, err
}

// single runs a write that is atomic by itself, again when it met a transaction.
func single(ctx context.Context, write func() error) error { return patiently(ctx, write) }

// patiently runs f until it does something else than ask to be run again, or ctx
// ends. The pauses grow and are random, so that rivals part.
func patiently(ctx context.Context, f func() error) error {
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		err := f()
		if err == nil || !again(err) {
			return err
		}
		select {
		case <-time.After(rand.N(pause) + 1):
		case <-ctx.Done():
			return err
		}
	}
}

// again tells whether an error is one after which nothing was written, and a new
// try may succeed.
func again(err error) bool {
	if errors.Is(err, store.ErrUnavailable) {
		return false
	}
	for _, known := range []error{errVoid, errUnsettled, errGone} {
		if errors.Is(err, known) {
			return true
		}
	}
	return hasLabel(err, labelTransient) || hasCode(err, codeWriteConflict)
}
