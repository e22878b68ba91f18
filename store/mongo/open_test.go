package mongo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"opendmp/store"
)

// refusedOpen demands an error of Open, soon, that tells nothing of the URI.
func refusedOpen(t *testing.T, uri string, want error) {
	t.Helper()
	start := time.Now()
	s, err := Open(context.Background(), uri, Options{})
	if err == nil {
		s.Close()
	}
	if took := time.Since(start); !errors.Is(err, want) || took > 5*time.Second {
		t.Errorf("got %v after %v, want %v", err, took, want)
	}
	text := fmt.Sprint(err)
	for _, secret := range []string{"127.0.0.1", "somebody", "s3cret", "elsewhere"} {
		if strings.Contains(text, secret) {
			t.Errorf("tells %q: %s", secret, text)
		}
	}
	if strings.Contains(text, "\n") {
		t.Errorf("more than a line: %s", text)
	}
}

func TestOpenRefusesURI(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"", "s3cret", "postgres://somebody:s3cret@127.0.0.1/", "mongodb://", "mongodb://somebody:s3cret@/",
		"mongodb://somebody:s3cret@127.0.0.1:port/", "mongodb://somebody:s3%cret@127.0.0.1/", "mongodb://127.0.0.1/?retryWrites=s3cret",
		"mongodb://127.0.0.1/?tls=true&tlsCAFile=/elsewhere/s3cret.pem",
	} {
		refusedOpen(t, uri, ErrURI)
	}
}

func TestOpenRefusesServers(t *testing.T) {
	var f *fake
	here := func() string { return f.address }
	for _, test := range []struct {
		name  string
		hello func() bson.D
		does  func(command) bson.D
		want  error
	}{
		{"standalone", func() bson.D { return bson.D{{Key: "maxWireVersion", Value: 21}} }, nil, ErrNoTransactions},
		{"old", func() bson.D { return ofReplicaSet(13, here) }, nil, ErrOld},
		{"older than the driver", func() bson.D { return ofReplicaSet(6, here) }, nil, ErrOld},
		{"no rollback", func() bson.D { return ofReplicaSet(21, here) }, remembering(), ErrNoTransactions},
		{"no transactions", func() bson.D { return ofReplicaSet(21, here) }, withoutTransactions(remembering()), ErrNoTransactions},
		{"not authorised", func() bson.D { return ofReplicaSet(21, here) }, func(c command) bson.D {
			return refuse(codeUnauthorized, "Unauthorized", "not authorized on s3cret")
		}, ErrCredentials},
		{"disk full", func() bson.D { return ofReplicaSet(21, here) }, func(c command) bson.D {
			return refuse(codeOutOfDiskSpace, "OutOfDiskSpace", "no room at 127.0.0.1 for s3cret")
		}, store.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			f = &fake{answer: test.does}
			uri := f.start(t)
			f.hello = test.hello()
			refusedOpen(t, uri, test.want)
		})
	}
}

func TestOpenRefusesCredentials(t *testing.T) {
	t.Parallel()
	f := &fake{answer: func(c command) bson.D {
		if strings.HasPrefix(c.name, "sasl") {
			return refuse(codeAuthenticationFailed, "AuthenticationFailed", "Authentication failed for somebody.")
		}
		return nil
	}}
	uri := f.start(t)
	f.hello = ofReplicaSet(21, func() string { return f.address })
	refusedOpen(t, strings.Replace(uri, "://", "://somebody:s3cret@", 1), ErrCredentials)
}

// remembering is a server that keeps what it is given, also after an abort.
func remembering() func(command) bson.D {
	var mu sync.Mutex
	var kept []bson.Raw
	return func(c command) bson.D {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case c.name == "insert" && c.collection() == "probe":
			kept = append(kept, c.docs...)
			return ok(bson.E{Key: "n", Value: 1})
		case c.name == "find" && c.collection() == "probe":
			return documents(c, kept...)
		case c.name == "find", c.name == "listCollections":
			return documents(c)
		}
		return ok(bson.E{Key: "n", Value: 1})
	}
}

// withoutTransactions is a server that says so.
func withoutTransactions(does func(command) bson.D) func(command) bson.D {
	return func(c command) bson.D {
		if _, err := c.doc.LookupErr("startTransaction"); err == nil {
			return refuse(codeIllegalOperation, "IllegalOperation", "Transaction numbers are only allowed on a replica set member or mongos")
		}
		return does(c)
	}
}

// TestHeaderWithoutLinearizable: a server that refuses the read concern is read
// with the next best.
func TestHeaderWithoutLinearizable(t *testing.T) {
	t.Parallel()
	e := fresh(t)
	s := e.open(t, Options{})
	defer s.Close()
	if !s.Linearizable() {
		t.Error("read concern linearizable is not used")
	}
	for _, code := range []int32{codeInvalidOptions, codeNotSupported, codeNotImplemented} {
		var levels []string
		f := &fake{answer: func(c command) bson.D {
			level, _ := c.doc.Lookup("readConcern", "level").StringValueOK()
			switch {
			case c.name == "find" && level == "linearizable":
				return refuse(code, "Refused", "")
			case c.name == "find" && c.collection() == "header":
				levels = append(levels, level)
			}
			if c.name == "find" || c.name == "listCollections" {
				return documents(c)
			}
			return ok(bson.E{Key: "n", Value: 1})
		}}
		uri := f.start(t)
		f.hello = ofReplicaSet(21, func() string { return f.address })
		s, err := Open(context.Background(), uri, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Linearizable() {
			t.Error("linearizable, on a server that refuses it")
		}
		if _, err := s.Header(context.Background(), store.Dossier{}); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(levels) != "[majority]" {
			t.Errorf("headers read with %v", levels)
		}
	}
}

func TestOpenRefusesNobody(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	uri := "mongodb://somebody:s3cret@" + l.Addr().String() + "/?replicaSet=elsewhere"
	l.Close()
	refusedOpen(t, uri, ErrUnreachable)
}

// TestOpenRefusesWrongSet: the replica set has another name than the URI says.
func TestOpenRefusesWrongSet(t *testing.T) {
	t.Parallel()
	uri := deployment(t)
	i := strings.Index(uri, "replicaSet=")
	if i < 0 {
		t.Skip("the URI names no replica set")
	}
	refusedOpen(t, uri[:i]+"replicaSet=elsewhere", ErrUnreachable)
}

func TestSchema(t *testing.T) {
	t.Parallel()
	e := unmade(t)
	ctx := context.Background()
	// Many servers start at once, on nothing.
	atOnce(8, func(int) {
		if err := Migrate(ctx, e.uri, e.options(Options{})); err != nil {
			t.Error(err)
		}
	})
	s := e.open(t, Options{})
	defer s.Close()
	if d, err := s.schema(ctx); err != nil || d != (schemaDoc{ID: schemaName, Version: schemaVersion, Oldest: schemaOldest}) {
		t.Errorf("%+v, %v", d, err)
	}
	set := func(version, oldest int) {
		t.Helper()
		if _, err := s.meta.ReplaceOne(ctx, byID(schemaName), schemaDoc{ID: schemaName, Version: version, Oldest: oldest}); err != nil {
			t.Fatal(err)
		}
	}
	again := func() error { return Migrate(ctx, e.uri, e.options(Options{})) }
	set(schemaVersion+1, schemaVersion) // while a newer version is rolled out
	if err := again(); err != nil {
		t.Errorf("beside a newer one: %v", err)
	}
	err := s.record(ctx) // one that was slower
	if d, _ := s.schema(ctx); err != nil || d.Version != schemaVersion+1 {
		t.Errorf("the schema went back to %d, %v", d.Version, err)
	}
	set(schemaVersion+1, schemaVersion+1)
	if err := again(); !errors.Is(err, ErrNewer) {
		t.Errorf("after a newer one: %v", err)
	}
}

func TestSchemaRefusesForeign(t *testing.T) {
	t.Parallel()
	e := unmade(t)
	s, err := connect(e.uri, e.options(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	if err := s.database.CreateCollection(ctx, "invoices"); err != nil {
		t.Fatal(err)
	}
	if err := Migrate(ctx, e.uri, e.options(Options{})); !errors.Is(err, ErrForeign) {
		t.Errorf("got %v", err)
	}
	if names, err := s.database.ListCollectionNames(ctx, bson.D{}); err != nil || len(names) != 1 {
		t.Errorf("left %v, %v", names, err)
	}
}

func TestOpenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, "mongodb://127.0.0.1:1/", Options{}); !errors.Is(err, context.Canceled) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
