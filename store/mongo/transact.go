package mongo

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"opendmp/store"
)

// abortShare of the timeout bounds the effort to end a transaction whose caller may
// be gone. A server ends what is left to it after a minute.
const abortShare = 8

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
		marked := func(inside context.Context) error {
			if err := apply(inside); err != nil {
				return err
			}
			_, err := s.marks.InsertOne(inside, markDoc{ID: id, At: time.Now()})
			return err
		}
		return s.attempt(ctx, marked, func(ctx context.Context) error { return s.settle(ctx, id) })
	})
}

// snapshot runs read in a transaction that writes nothing. Its commit makes sure
// that what was read is majority-committed; where that remains unknown, it is read
// again.
func (s *Store) snapshot(ctx context.Context, read func(context.Context) error) error {
	return patiently(ctx, func() error {
		return s.attempt(ctx, read, func(context.Context) error { return errVoid })
	})
}

// attempt is one transaction. When the outcome of its commit is unknown, settle
// decides.
//
// settle writes in the session of the transaction, where it can: a server does one
// thing at a time in a session, and gives up a transaction that it was not asked to
// commit when something newer comes. An explicit abort could meet the commit on
// another mongos.
func (s *Store) attempt(ctx context.Context, apply, settle func(context.Context) error) error {
	session, err := s.client.StartSession()
	if err != nil {
		return err
	}
	inside := driver.NewSessionContext(ctx, session)
	if err := begin(inside, session, apply); err != nil {
		s.end(ctx, session)
		return err
	}
	err = commit(ctx, session)
	if driver.IsTimeout(err) {
		// The driver now takes the transaction for one that can be aborted, and
		// would do so at the end of the session, which is left to the server.
		return settle(ctx)
	}
	defer s.end(ctx, session)
	if err == nil || hasLabel(err, labelTransient) {
		return err
	}
	return settle(inside)
}

func begin(inside context.Context, session *driver.Session, apply func(context.Context) error) error {
	if err := session.StartTransaction(transaction()); err != nil {
		return err
	}
	return apply(inside)
}

// commit commits, and is sent once more by the driver when the answer is lost. It
// takes two thirds of the time left, so that some is left to settle. Its context
// has no deadline of its own: with one, the driver would go on to the end of it.
func commit(ctx context.Context, session *driver.Session) error {
	untimed, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	if deadline, ok := ctx.Deadline(); ok {
		defer time.AfterFunc(time.Until(deadline)*2/3, cancel).Stop()
	}
	return session.CommitTransaction(untimed)
}

// end ends a session and aborts the transaction that is still open in it, also
// when ctx has ended.
func (s *Store) end(ctx context.Context, session *driver.Session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout/abortShare)
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
	return isOneOf(err, errVoid, errUnsettled, errGone) || hasLabel(err, labelTransient) || hasCode(err, codeWriteConflict)
}
