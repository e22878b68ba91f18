package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"opendmp/store"
)

// oldestWire is the wire protocol of MongoDB 6.0, the first whose transactions
// and indexes are all that this package uses.
const oldestWire = 17

// helloDoc is what a server says of itself.
type helloDoc struct {
	Set     string `bson:"setName"`
	Message string `bson:"msg"`
	Wire    int    `bson:"maxWireVersion"`
}

// router tells whether it is a mongos, which stands before the shards of a cluster.
func (h helloDoc) router() bool { return h.Message == "isdbgrid" }

// greet looks whether a server is there, and of the kind that has transactions.
func (s *Store) greet(ctx context.Context) error {
	_, err := s.greeted(ctx)
	return err
}

// greeted is greet, and tells what the server says of itself.
func (s *Store) greeted(ctx context.Context) (helloDoc, error) {
	var h helloDoc
	err := s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&h)
	var selection topology.ServerSelectionError
	switch {
	case hasCode(err, codeAuthenticationFailed):
		return h, ErrCredentials
	case errors.As(err, &selection), driver.IsTimeout(err), driver.IsNetworkError(err):
		return h, ErrUnreachable
	case olderThanDriver(err):
		return h, ErrOld
	case err != nil:
		return h, err
	case h.Set == "" && !h.router():
		return h, ErrNoTransactions
	case h.Wire < oldestWire:
		return h, ErrOld
	}
	return h, nil
}

// olderThanDriver tells whether the driver refuses to speak to a server because of
// its age. It has no type for that, only a text.
func olderThanDriver(err error) bool {
	return err != nil && strings.Contains(err.Error(), "reports wire version")
}

// probe proves that an aborted transaction leaves nothing, and that it shows
// nothing before.
func (s *Store) probe(ctx context.Context) error {
	id, err := s.random(sizeLoose)
	if err != nil {
		return err
	}
	seen, err := s.probeAborted(ctx, id)
	if hasCode(err, codeIllegalOperation) || hasCode(err, codeNotInTransaction) {
		return ErrNoTransactions
	}
	if err != nil {
		return err
	}
	left, err := s.probed(ctx, id)
	if err != nil {
		return err
	}
	if !seen && !left {
		return nil
	}
	_, err = s.probes.DeleteOne(ctx, byID(id))
	return errors.Join(fmt.Errorf("%w (a transaction was aborted, and its write stayed)", ErrNoTransactions), err)
}

// probeAborted writes in a transaction, looks from outside, and aborts.
func (s *Store) probeAborted(ctx context.Context, id []byte) (seen bool, err error) {
	session, err := s.client.StartSession()
	if err != nil {
		return false, err
	}
	defer s.end(ctx, session)
	if err := session.StartTransaction(transaction()); err != nil {
		return false, err
	}
	inside := driver.NewSessionContext(ctx, session)
	if _, err := s.probes.InsertOne(inside, probeDoc{ID: id}); err != nil {
		return false, err
	}
	if seen, err = s.probed(ctx, id); err != nil {
		return false, err
	}
	return seen, session.AbortTransaction(ctx)
}

func (s *Store) probed(ctx context.Context, id []byte) (bool, error) {
	err := absent(s.probes.FindOne(ctx, byID(id)).Err())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
