package mongo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"opendmp/store"
)

// documented reads the table of doc.go: the shard key of each collection.
func documented(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^//\t([a-z]+) .* (\{_id: (?:1|"hashed")\}|not sharded)$`).FindAllSubmatch(page, -1) {
		keys[string(m[1])] = string(m[2])
	}
	return keys
}

// TestShardKeysAreDocumented: every collection has a shard key or a reason, and
// the package says the same of it.
func TestShardKeysAreDocumented(t *testing.T) {
	t.Parallel()
	s, err := connect("mongodb://127.0.0.1:1/", Options{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	keys := map[string]string{}
	for _, c := range s.all() {
		keys[c.Name()] = "not sharded"
	}
	for _, k := range s.shardKeys() {
		keys[k.on.Name()] = map[any]string{hashed: `{_id: "hashed"}`, ranged: `{_id: 1}`}[k.by]
	}
	if want := documented(t); fmt.Sprint(keys) != fmt.Sprint(want) {
		t.Errorf("shards by %v, and tells %v", keys, want)
	}
}

// router is a mongos that does what it is told and writes down what changes the
// cluster.
type router struct {
	fake
	refuses map[string]bson.D // by command

	mu   sync.Mutex
	sent []string
}

func startRouter(t *testing.T, refuses map[string]bson.D) (*router, string) {
	t.Helper()
	r := &router{refuses: refuses}
	r.hello = bson.D{{Key: "msg", Value: "isdbgrid"}, {Key: "maxWireVersion", Value: 21}}
	r.answer = r.obey
	return r, r.start(t)
}

func (r *router) obey(c command) bson.D {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case c.name == "shardCollection":
		r.sent = append(r.sent, fmt.Sprint(c.collection(), " ", c.doc.Lookup("key")))
	case c.name == "createIndexes" && strings.Contains(c.doc.String(), hashed):
		r.sent = append(r.sent, "index "+c.collection())
	}
	if d, ok := r.refuses[c.name]; ok {
		return d
	}
	if c.name == "find" || c.name == "listCollections" {
		return documents(c)
	}
	return ok(bson.E{Key: "n", Value: 1})
}

// TestShard: behind a mongos each collection gets the key that doc.go tells, and a
// hashed one its index before.
func TestShard(t *testing.T) {
	t.Parallel()
	r, uri := startRouter(t, nil)
	if err := Shard(context.Background(), uri, Options{Database: "region"}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for name, key := range documented(t) {
		switch key {
		case `{_id: "hashed"}`:
			want = append(want, "region."+name+` {"_id": "hashed"}`, "index "+name)
			if slices.Index(r.sent, want[len(want)-1]) > slices.Index(r.sent, want[len(want)-2]) {
				t.Errorf("%s is sharded before it has the index", name)
			}
		case `{_id: 1}`:
			want = append(want, "region."+name+` {"_id": {"$numberInt":"1"}}`)
		}
	}
	slices.Sort(want)
	if slices.Sort(r.sent); !slices.Equal(r.sent, want) {
		t.Errorf("sent %q, want %q", r.sent, want)
	}
}

func TestShardRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		refuses map[string]bson.D
		want    error
	}{
		{"no rights", map[string]bson.D{"shardCollection": refuse(codeUnauthorized, "Unauthorized", "not authorized on s3cret")}, ErrShardRights},
		{"other key", map[string]bson.D{"shardCollection": refuse(codeAlreadyInitialized, "AlreadyInitialized", "sharding already enabled")}, ErrShardKey},
		{"out of order", map[string]bson.D{"shardCollection": refuse(14031, "OutOfDiskSpace", "no room for s3cret")}, store.ErrUnavailable},
		{"no rights at all", map[string]bson.D{"find": refuse(codeUnauthorized, "Unauthorized", "not authorized on s3cret")}, ErrCredentials},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, uri := startRouter(t, test.refuses)
			refusedShard(t, uri, test.want)
		})
	}
}

// TestShardRefusesReplicaSet: with one sentence, and before anything is made.
func TestShardRefusesReplicaSet(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var sent []string
	f := &fake{answer: func(c command) bson.D {
		mu.Lock()
		defer mu.Unlock()
		if !c.housekeeping() {
			sent = append(sent, c.name)
		}
		return nil
	}}
	uri := f.start(t)
	f.hello = ofReplicaSet(21, func() string { return f.address })
	refusedShard(t, uri, ErrNotSharded)
	if len(sent) > 0 {
		t.Errorf("sent %v", sent)
	}
}

// refusedShard demands an error that is one line and tells nothing of the server.
func refusedShard(t *testing.T, uri string, want error) {
	t.Helper()
	err := Shard(context.Background(), uri, Options{})
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	if text := fmt.Sprint(err); strings.Contains(text, "\n") || strings.Contains(text, "s3cret") {
		t.Errorf("tells %s", text)
	}
}
