package mongo

import (
	"context"
	"encoding/hex"
	"os"
	"testing"
	"time"

	"opendmp/store"
	"opendmp/store/storetest"
)

// Where the tests find a deployment, whether they must, and whether it is a cluster
// on which each database is sharded first, so that commits meet several shards.
const (
	envURI      = "DMP_TEST_MONGODB_URI"
	envRequired = "DMP_TEST_MONGODB_REQUIRED"
	envShard    = "DMP_TEST_MONGODB_SHARD"
)

// engine is a database that the suite opens again and again.
type engine struct{ uri, database string }

// fresh names a database that is empty, and drops it in the end.
func fresh(t testing.TB) engine {
	t.Helper()
	e := unmade(t)
	if os.Getenv(envShard) == "1" {
		if err := Shard(context.Background(), e.uri, e.options(Options{})); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// unmade names a database that does not exist, and drops it in the end.
func unmade(t testing.TB) engine {
	t.Helper()
	e := engine{deployment(t), databaseName(t)}
	t.Cleanup(func() { drop(t, e) })
	return e
}

// deployment gives the URI to test against, or ends the test.
func deployment(t testing.TB) string {
	t.Helper()
	uri := os.Getenv(envURI)
	switch {
	case uri != "":
	case os.Getenv(envRequired) == "1":
		t.Fatalf("MongoDB is required (%s=1), and %s is not set", envRequired, envURI)
	default:
		t.Skipf("not tested on MongoDB: %s is not set", envURI)
	}
	return uri
}

func databaseName(t testing.TB) string {
	t.Helper()
	id, err := (&Store{rand: Options{}.withDefaults().Rand}).random(8)
	if err != nil {
		t.Fatal(err)
	}
	return "dmptest_" + hex.EncodeToString(id)
}

func drop(t testing.TB, e engine) {
	t.Helper()
	s, err := connect(e.uri, e.options(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.database.Drop(ctx); err != nil {
		t.Errorf("dropping %s: %v", e.database, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func (e engine) options(o Options) Options {
	o.Database = e.database
	return o.withDefaults()
}

func (e engine) Open(t testing.TB) store.Store {
	t.Helper()
	return e.open(t, Options{})
}

func (e engine) open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), e.uri, e.options(o))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuite(t *testing.T) {
	deployment(t)
	storetest.Run(t, func(t *testing.T) storetest.Engine { return fresh(t) })
}
