package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"opendmp/store"
)

// Errors of Open, Migrate and Shard: sentences for the operator, wrapped with a
// detail where there is one.
var (
	// ErrURI: the text given is not a connection string.
	ErrURI = errors.New("mongo: the store's address is not a valid mongodb:// or mongodb+srv:// URI")
	// ErrUnreachable: no primary answered in time.
	ErrUnreachable = errors.New("mongo: no primary answers at the store's address (is the server up, and its replica set of the name in the URI initiated?)")
	// ErrCredentials: the server refused the user or the password.
	ErrCredentials = errors.New("mongo: the server refuses the user or the password of the store's URI, or the user may not read and write its database")
	// ErrOld: the server is older than this package can use.
	ErrOld = errors.New("mongo: the server is older than MongoDB 6.0")
	// ErrNoTransactions: a transaction that was aborted left something, or there
	// are no transactions.
	ErrNoTransactions = errors.New("mongo: the server has no transactions; make it a replica set of one: start mongod with --replSet rs0, then run once mongosh --eval 'rs.initiate()'")
	// ErrForeign: the database belongs to something else.
	ErrForeign = errors.New("mongo: the database has collections that are not OpenDMP's")
	// ErrNewer: the schema needs a newer version of this program.
	ErrNewer = errors.New("mongo: schema newer than this program")
	// ErrNotSharded: Shard was asked of a replica set.
	ErrNotSharded = errors.New("mongo: no mongos answers at the store's address: only a sharded cluster has collections to shard, and a replica set needs none of it")
	// ErrShardRights: the user may use the database, but not shard it.
	ErrShardRights = errors.New("mongo: the user of the store's URI may not shard its collections (that takes the privilege enableSharding on the database)")
	// ErrShardKey: a collection was sharded by somebody else's choice.
	ErrShardKey = errors.New("mongo: a collection is sharded already, by another key than the one that keeps its ids unique")
)

// Codes of the server (mongod's error_codes.yml).
const (
	codeUnauthorized         = 13
	codeAuthenticationFailed = 18
	codeIllegalOperation     = 20
	codeAlreadyInitialized   = 23
	codeNamespaceExists      = 48
	codeInvalidOptions       = 72
	codeWriteConflict        = 112
	codeNotSupported         = 115
	codeNotImplemented       = 238
	codeNotInTransaction     = 263
	codeOutOfDiskSpace       = 14031
)

// Labels of the server and the driver (transactions specification).
const labelTransient = "TransientTransactionError"

// What the engine tells itself. A caller meets them as store.ErrUnavailable.
var (
	// errVoid: the transaction was not committed, and never will be.
	errVoid = errors.New("not written")
	// errUnsettled: a mark is there, but not yet with a majority.
	errUnsettled = errors.New("not yet known")
	// errGone: the claim that stood in the way is not there any more.
	errGone = errors.New("a claim came and went")
	// errCollected: a Collect took the upload for one that was given up.
	errCollected = errors.New("collected while it was uploaded")
	// errDamaged: a document is not as this package writes it.
	errDamaged = errors.New("a document is damaged")
)

// failure is a store.ErrUnavailable told in words of this package. The error of
// the driver is not kept: its text may quote the URI or a document.
type failure struct {
	doing, why string
	ended      error // context.Canceled or context.DeadlineExceeded, if it was that
}

func (f *failure) Error() string {
	return fmt.Sprintf("%v: %s: %s", store.ErrUnavailable, f.doing, f.why)
}

func (f *failure) Unwrap() []error {
	if f.ended == nil {
		return []error{store.ErrUnavailable}
	}
	return []error{store.ErrUnavailable, f.ended}
}

// outcome is what a caller is told: errors of package store and mistakes of the
// program as they are, all else as store.ErrUnavailable. ctx is the caller's.
func outcome(ctx context.Context, doing string, err error) error {
	if err == nil || ours(err) {
		return err
	}
	f := &failure{doing: doing, why: reason(err), ended: ctx.Err()}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if f.ended == nil && errors.Is(err, ended) {
			f.ended = ended
		}
	}
	return f
}

func ours(err error) bool {
	return isOneOf(err, store.ErrNotFound, store.ErrConflict, store.ErrDuplicate, store.ErrUnavailable, errTx)
}

func isOneOf(err error, known ...error) bool {
	return slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) })
}

// reason names a failure by its kind and the server's code.
func reason(err error) string {
	var command driver.CommandError
	var selection topology.ServerSelectionError
	var server driver.ServerError
	switch {
	case isOneOf(err, errVoid, errUnsettled, errGone, errCollected, errDamaged):
		return err.Error()
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &selection):
		return "no primary answers"
	case driver.IsTimeout(err):
		return "timed out"
	case driver.IsNetworkError(err):
		return "connection lost"
	case hasCode(err, codeOutOfDiskSpace):
		return "the disk of the server is full"
	case errors.As(err, &command):
		return fmt.Sprintf("the server answers %s (code %d)", command.Name, command.Code)
	case errors.As(err, &server):
		return fmt.Sprintf("the server answers codes %d", server.ErrorCodes())
	}
	return fmt.Sprintf("%T", err)
}

func hasCode(err error, code int) bool {
	var server driver.ServerError
	return errors.As(err, &server) && server.HasErrorCode(code)
}

func hasLabel(err error, label string) bool {
	var labelled driver.LabeledError
	return errors.As(err, &labelled) && labelled.HasErrorLabel(label)
}

// duplicateAt gives the place of the document at which an insert, of one or of
// several in their order, broke off because its _id exists.
func duplicateAt(err error) (int, bool) {
	if !driver.IsDuplicateKeyError(err) {
		return 0, false
	}
	var bulk driver.BulkWriteException
	if errors.As(err, &bulk) && len(bulk.WriteErrors) > 0 {
		return bulk.WriteErrors[0].Index, true
	}
	return 0, true
}

// duplicate is instead for an _id that exists, and err otherwise.
func duplicate(err, instead error) error {
	if driver.IsDuplicateKeyError(err) {
		return instead
	}
	return err
}

// absent is store.ErrNotFound for a document that is not there.
func absent(err error) error {
	if errors.Is(err, driver.ErrNoDocuments) {
		return store.ErrNotFound
	}
	return err
}
