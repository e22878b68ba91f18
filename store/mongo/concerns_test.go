package mongo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"opendmp/store"
)

// TestConcerns holds what each command asks of the server, whatever the URI says.
func TestConcerns(t *testing.T) {
	t.Parallel()
	e := fresh(t)
	sep := "&"
	if !strings.Contains(e.uri, "?") {
		sep = "?"
	}
	e.uri += sep + "w=1&journal=false&readConcernLevel=local&readPreference=secondaryPreferred&retryWrites=false&retryReads=false"
	var mu sync.Mutex
	var seen []command
	s := e.open(t, Options{monitor: &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, command{name: e.CommandName, doc: slices.Clone(e.Command)})
	}}})
	defer s.Close()
	seen = nil // what Open sent may be of the database as a whole
	ctx := context.Background()
	if err := push(ctx, s, "x"); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(s) {
		if err := call(ctx); err != nil && name != "Commit" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range seen {
		for _, fault := range faultsOf(c) {
			t.Errorf("%s %s: %s", c.name, c.collection(), fault)
		}
	}
	if len(seen) < 30 {
		t.Errorf("only %d commands were looked at", len(seen))
	}
}

// faultsOf lists what a command should ask for and does not.
func faultsOf(c command) (faults []string) {
	demand := func(ok bool, what string) {
		if !ok {
			faults = append(faults, what)
		}
	}
	_, err := c.doc.LookupErr("autocommit")
	inTransaction := err == nil
	start, _ := c.doc.Lookup("startTransaction").BooleanOK()
	w, _ := c.doc.Lookup("writeConcern", "w").StringValueOK()
	j, _ := c.doc.Lookup("writeConcern", "j").BooleanOK()
	read, _ := c.doc.Lookup("readConcern", "level").StringValueOK()
	mode, _ := c.doc.Lookup("$readPreference", "mode").StringValueOK()
	_, limited := c.doc.LookupErr("maxTimeMS")
	_, number := c.doc.LookupErr("txnNumber")

	demand(mode == "" || mode == "primary" || mode == "primaryPreferred", "read preference "+mode)
	switch {
	case c.name == "commitTransaction" || c.name == "abortTransaction":
		demand(w == "majority" && j, "no durable write concern")
	case inTransaction:
		demand(!start || read == "snapshot", "begins a transaction with read concern "+read)
		demand(limited == nil || c.name == "find", "no maxTimeMS")
	case c.name == "insert", c.name == "update", c.name == "delete":
		demand(w == "majority" && j, "no durable write concern")
		demand(number == nil || deletesMany(c), "cannot be retried")
		demand(limited == nil, "no maxTimeMS")
	case c.name == "find" && c.collection() == "header":
		demand(read == "linearizable", "read concern "+read)
		demand(limited == nil, "no maxTimeMS")
	case c.name == "find":
		// Of ranges the driver sends no maxTimeMS: it would end the cursor too. A
		// server ends a read whose connection the driver breaks at the deadline.
		demand(read == "majority", "read concern "+read)
	default:
		demand(false, "is not expected")
	}
	return faults
}

// deletesMany tells a delete of unknown many, which no server retries.
func deletesMany(c command) bool {
	limit, _ := c.doc.Lookup("deletes", "0", "limit").AsInt64OK()
	return c.name == "delete" && limit == 0
}

// TestSettle: what a mark says is what counts.
func TestSettle(t *testing.T) {
	t.Parallel()
	s := fresh(t).open(t, Options{})
	defer s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	absent, written, void := []byte("absent"), []byte("written"), []byte("void")
	_, err := s.marks.InsertOne(ctx, markDoc{ID: written, At: time.Now()})
	_, err2 := s.marks.InsertOne(ctx, markDoc{ID: void, At: time.Now(), Void: true})
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if err := s.settle(ctx, written); err != nil {
		t.Errorf("written: %v", err)
	}
	for range 2 { // the second time, the void mark is there
		for _, id := range [][]byte{absent, void} {
			if err := s.settle(ctx, id); !errors.Is(err, errVoid) {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	// The mark of a transaction that came too late is refused.
	err = s.attempt(ctx, func(ctx context.Context) error {
		_, err := s.marks.InsertOne(ctx, markDoc{ID: absent, At: time.Now()})
		return duplicate(err, store.ErrDuplicate)
	}, func(context.Context) error { return errUnsettled })
	if !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("a mark over a void one: %v", err)
	}
	if n, err := s.marks.CountDocuments(ctx, bson.D{}); err != nil || n != 3 {
		t.Errorf("%d marks, %v", n, err)
	}
}

// TestCommitTimesOut: a server that gave up waiting for its own commit may have
// done it. The transaction is settled and never aborted, for the abort could meet
// the commit.
func TestCommitTimesOut(t *testing.T) {
	t.Parallel()
	for _, written := range []bool{true, false} {
		var mu sync.Mutex
		var seen []string
		f := &fake{answer: func(c command) bson.D {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, c.name)
			switch {
			case c.name == "commitTransaction":
				return refuse(50, "MaxTimeMSExpired", "operation exceeded time limit")
			case c.name == "find" && c.collection() == "mark":
				raw, _ := bson.Marshal(markDoc{ID: []byte("x"), At: noon(), Void: !written})
				return documents(c, raw)
			case c.name == "find", c.name == "listCollections":
				return documents(c)
			case c.name == "insert" && c.collection() == "mark" && c.doc.Lookup("autocommit").IsZero():
				return ok(bson.E{Key: "n", Value: 0}, bson.E{Key: "writeErrors", Value: bson.A{
					bson.D{{Key: "index", Value: 0}, {Key: "code", Value: 11000}, {Key: "errmsg", Value: "E11000"}},
				}})
			}
			return ok(bson.E{Key: "n", Value: 1})
		}}
		uri := f.start(t)
		f.hello = ofReplicaSet(21, func() string { return f.address })
		s, err := Open(context.Background(), uri, Options{Timeout: 500 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		seen = nil
		tx := store.Tx{Header: store.Header{State: store.Active, Key: 1}}
		err = s.Commit(context.Background(), tx)
		if (err == nil) != written || err != nil && !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("written %v: got %v", written, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if slices.Contains(seen, "abortTransaction") || !slices.Contains(seen, "commitTransaction") {
			t.Errorf("sent %v", seen)
		}
	}
}
