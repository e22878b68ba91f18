package main

import (
	"context"
	"errors"
	"hash/fnv"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// testStore is the setting store of the tests: SQLite, or a database of its own
// for each data folder in the MongoDB of OPENDMP_TEST_STORE.
func testStore(data string) string {
	uri := os.Getenv("OPENDMP_TEST_STORE")
	if uri == "" {
		return ""
	}
	h := fnv.New64a()
	h.Write([]byte(data))
	scheme, rest, _ := strings.Cut(uri, "://")
	hosts, query, _ := strings.Cut(rest, "?")
	hosts, _, _ = strings.Cut(hosts, "/")
	return scheme + "://" + hosts + "/opendmp_test_" + strconv.FormatUint(h.Sum64(), 36) + "?" + query
}

func dropStore(t testing.TB, uri string) {
	t.Helper()
	if err := drop(uri); err != nil {
		t.Error(err)
	}
}

// drop removes the database of a test. It waits for transactions that somebody left
// open: watchSessions ends those of a process that is killed.
func drop(uri string) error {
	if uri == "" {
		return nil
	}
	return onMongo(uri, func(ctx context.Context, c *driver.Client) error {
		return c.Database(databaseOf(uri)).Drop(ctx)
	})
}

// onMongo runs f as a client of a MongoDB, for at most twenty seconds.
func onMongo(uri string, f func(context.Context, *driver.Client) error) error {
	client, err := driver.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return errors.Join(f(ctx, client), client.Disconnect(ctx))
}

func TestEngineOf(t *testing.T) {
	for setting, want := range map[string]string{
		"": "SQLite in d/store", "sqlite": "SQLite in d/store",
		"mongodb://u:secret@h/db?x=y": "MongoDB", "mongodb+srv://h": "MongoDB",
	} {
		e, err := engineOf(setting, "d", &clock{})
		if err != nil || e.String() != want {
			t.Errorf("%q: %v, %v", setting, e, err)
		}
	}
	if _, err := engineOf("postgres://secret", "d", &clock{}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("another scheme: %v", err)
	}
	for uri, want := range map[string]string{"mongodb://h": "", "mongodb://h/?a=b": "", "mongodb://a,b/dmp?replicaSet=rs0": "dmp"} {
		if got := databaseOf(uri); got != want {
			t.Errorf("%s: %q", uri, got)
		}
	}
}
