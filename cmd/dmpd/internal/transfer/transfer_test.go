package transfer

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"opendmp/store"
	"opendmp/store/mongo"
	"opendmp/store/sqlite"
)

func untold(float64) {}

func embedded(t testing.TB) Engine {
	t.Helper()
	s, err := sqlite.Open(context.Background(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// replicaSet is a database of its own, or the end of the test.
type replicaSet struct{ uri, database string }

func newReplicaSet(t testing.TB) replicaSet {
	t.Helper()
	uri := os.Getenv("DMP_TEST_MONGODB_URI")
	switch {
	case uri != "":
	case os.Getenv("DMP_TEST_MONGODB_REQUIRED") == "1":
		t.Fatal("MongoDB is required, and DMP_TEST_MONGODB_URI is not set")
	default:
		t.Skip("not tested on MongoDB: DMP_TEST_MONGODB_URI is not set")
	}
	id := make([]byte, 8)
	rand.Read(id)
	r := replicaSet{uri, "dmptest_copy_" + hex.EncodeToString(id)}
	t.Cleanup(func() { r.run(t, bson.D{{Key: "dropDatabase", Value: 1}}) })
	return r
}

func (r replicaSet) run(t testing.TB, command bson.D) {
	t.Helper()
	ctx := context.Background()
	client, err := driver.Connect(options.Client().ApplyURI(r.uri))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(client.Database(r.database).RunCommand(ctx, command).Err(), client.Disconnect(ctx)); err != nil {
		t.Error(err)
	}
}

func (r replicaSet) engine(t testing.TB) Engine {
	t.Helper()
	s, err := mongo.Open(context.Background(), r.uri, mongo.Options{Database: r.database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fill writes a dossier of everything, in more than two batches.
func fill(t testing.TB, s store.Store) {
	t.Helper()
	ctx := context.Background()
	d, row := store.Dossier{1}, store.RowKey{2}
	noon := time.Date(2025, 3, 14, 12, 0, 0, 123456789, time.UTC)
	if err := s.Upload(ctx, d, store.ContentID{2}, strings.NewReader(strings.Repeat("large", 1<<18))); err != nil {
		t.Fatal(err)
	}
	tx := store.Tx{
		Dossier:  d,
		Header:   store.Header{State: store.Active, Key: 1},
		Contents: []store.Content{{ID: store.ContentID{1}, Owner: row, Sealed: []byte("inline")}, {ID: store.ContentID{2}, Owner: row}},
		Claims:   []store.TokenPut{{Token: store.Token{1}}, {Token: store.Token{2}, Row: row}},
		Keys:     []store.KeyRecord{{Dossier: d, Kind: 1, Number: 1, Epoch: 2, Wrapped: []byte("key")}},
		Events:   []store.Event{{ID: store.EventID{1}, Dossier: d, Recorded: noon, Actor: store.Token{9}, Sealed: []byte("event")}},
		State:    []store.StateEntry{{Kind: "k", Key: "é", Value: []byte("v"), Expires: noon.AddDate(100, 0, 0)}},
	}
	for n := range 1200 {
		tx.Finds = append(tx.Finds, store.TokenPut{Token: store.Token{3, byte(n >> 8), byte(n)}, Row: row})
	}
	for n := range int64(3) {
		tx.Puts = append(tx.Puts, store.Put{Row: row, Type: "Patient", Version: n + 1, Updated: noon, Deleted: n == 2, Summary: []byte("s"), Body: fmt.Append(nil, "body ", n)})
	}
	if err := s.Commit(ctx, tx); err != nil {
		t.Fatal(err)
	}
}

// items of fill: versions, row, contents, claims, finds, key, event, state, header.
const filled = 3 + 1 + 2 + 2 + 1200 + 1 + 1 + 1 + 1

func mustCopy(t testing.TB, from, to Engine) {
	t.Helper()
	ctx := context.Background()
	if n, err := Copy(ctx, from, to, untold); err != nil || n != filled {
		t.Fatalf("copied %d of %d items: %v", n, filled, err)
	}
	if half, err := Unfinished(ctx, to); err != nil || !half {
		t.Errorf("before the comparison: unfinished %v, %v", half, err)
	}
	r, err := Finish(ctx, from, to, untold)
	if err != nil || !r.Same() {
		t.Fatalf("%+v: %v", r, err)
	}
	if half, err := Unfinished(ctx, to); err != nil || half {
		t.Errorf("after the comparison: unfinished %v, %v", half, err)
	}
}

func TestCopy(t *testing.T) {
	from := embedded(t)
	fill(t, from)
	to := embedded(t)
	mustCopy(t, from, to)
	again := embedded(t)
	mustCopy(t, to, again)
	content(t, again)
}

func TestCopyToMongoAndBack(t *testing.T) {
	from, between, back := embedded(t), newReplicaSet(t).engine(t), embedded(t)
	fill(t, from)
	mustCopy(t, from, between)
	mustCopy(t, between, back)
	content(t, back)
	if r, err := Compare(context.Background(), from, back, untold); err != nil || !r.Same() {
		t.Errorf("there and back: %+v %v", r, err)
	}
}

// content demands the bytes of the large content.
func content(t *testing.T, s store.Store) {
	t.Helper()
	r, err := s.Content(context.Background(), store.Dossier{1}, store.ContentID{2})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != strings.Repeat("large", 1<<18) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

var errCut = errors.New("cut")

// cutting fails once at each step that writes, and then goes on: before it, or
// after it, when the answer is lost.
type cutting struct {
	Engine
	step, cut int
	lost      bool
}

func (c *cutting) do(f func() error) error {
	c.step++
	if c.step != c.cut {
		return f()
	}
	if c.lost {
		if err := f(); err != nil {
			return err
		}
	}
	return errCut
}

func (c *cutting) Load(ctx context.Context, items []store.Item) error {
	return c.do(func() error { return c.Engine.Load(ctx, items) })
}

func (c *cutting) Upload(ctx context.Context, d store.Dossier, id store.ContentID, r io.Reader) error {
	return c.do(func() error { return c.Engine.Upload(ctx, d, id, r) })
}

func (c *cutting) Commit(ctx context.Context, tx store.Tx) error {
	return c.do(func() error { return c.Engine.Commit(ctx, tx) })
}

// A copy stopped at any step goes on, copies nothing twice and ends the same.
func TestResume(t *testing.T) {
	from := embedded(t)
	fill(t, from)
	ctx := context.Background()
	cuts := 0
	for cut := 1; ; cut++ {
		done := false
		for _, lost := range []bool{false, true} {
			to := embedded(t)
			c := &cutting{Engine: to, cut: cut, lost: lost}
			whole := func() error {
				if _, err := Copy(ctx, from, c, untold); err != nil {
					return err
				}
				_, err := Finish(ctx, from, c, untold)
				return err
			}
			err := whole()
			if err == nil {
				done = true
				continue
			}
			if !errors.Is(err, errCut) {
				t.Fatalf("cut %d: %v", cut, err)
			}
			cuts++
			err = whole()
			if finished := lost && errors.Is(err, ErrNotEmpty); err != nil && !finished {
				t.Errorf("cut %d, lost %v: %v", cut, lost, err)
			}
			if r, err := Compare(ctx, from, to, untold); err != nil || !r.Same() {
				t.Errorf("cut %d, lost %v: %+v %v", cut, lost, r, err)
			}
			if half, err := Unfinished(ctx, to); err != nil || half {
				t.Errorf("cut %d, lost %v: unfinished %v, %v", cut, lost, half, err)
			}
		}
		if done {
			break
		}
	}
	if cuts < 12 { // the entry, an upload, three batches, the end; twice each
		t.Errorf("%d cuts: too few to show anything", cuts)
	}
}

// spoiling changes what it loads or uploads, as a faulty disk would.
type spoiling struct {
	Engine
	spoil func(store.Item) store.Item
}

func (s spoiling) Load(ctx context.Context, items []store.Item) error {
	spoilt := make([]store.Item, len(items))
	for n, item := range items {
		spoilt[n] = s.spoil(item)
	}
	return s.Engine.Load(ctx, spoilt)
}

func (s spoiling) Upload(ctx context.Context, d store.Dossier, id store.ContentID, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.spoil(nil) == nil {
		data = flip(data)
	}
	return s.Engine.Upload(ctx, d, id, bytes.NewReader(data))
}

func flip(b []byte) []byte {
	c := bytes.Clone(b)
	c[len(c)/2] ^= 1
	return c
}

// The comparison sees one flipped bit, in whatever field of whatever part.
func TestFlippedBit(t *testing.T) {
	from := embedded(t)
	fill(t, from)
	ctx := context.Background()
	only := func(change func(item store.Item) store.Item) func(store.Item) store.Item {
		done := false
		return func(item store.Item) store.Item {
			if item == nil {
				return store.HeaderItem{} // leaves uploads alone
			}
			if changed := change(item); !done && changed != nil && !isProgress(item) {
				done = true
				return changed
			}
			return item
		}
	}
	spoils := map[string]func(store.Item) store.Item{}
	for name, change := range changes() {
		spoils[name] = only(change)
	}
	spoils["uploaded content"] = func(item store.Item) store.Item { return item }
	for name, spoil := range spoils {
		t.Run(name, func(t *testing.T) {
			to := embedded(t)
			if _, err := Copy(ctx, from, spoiling{to, spoil}, untold); err != nil {
				t.Fatal(err)
			}
			r, err := Finish(ctx, from, to, untold)
			if !errors.Is(err, ErrDiffers) || r.Same() || len(r) != len(store.Parts()) {
				t.Errorf("not seen: %v", err)
			}
			if half, err := Unfinished(ctx, to); err != nil || !half {
				t.Errorf("it could be served: %v, %v", half, err)
			}
		})
	}
}

// changes change one field of an item each; nil for an item of another part.
func changes() map[string]func(store.Item) store.Item {
	of := map[string]func(store.Item) store.Item{}
	add := func(name string, change any) {
		switch change := change.(type) {
		case func(*store.VersionItem):
			of["version: "+name] = changing(change)
		case func(*store.RowItem):
			of["row: "+name] = changing(change)
		case func(*store.ContentItem):
			of["content: "+name] = func(item store.Item) store.Item {
				if c, ok := item.(store.ContentItem); !ok || c.Sealed == nil {
					return nil
				}
				return changing(change)(item)
			}
		case func(*store.ClaimItem):
			of["claim: "+name] = changing(change)
		case func(*store.FindItem):
			of["find: "+name] = changing(change)
		case func(*store.KeyItem):
			of["key: "+name] = changing(change)
		case func(*store.EventItem):
			of["event: "+name] = changing(change)
		case func(*store.StateItem):
			of["state: "+name] = changing(change)
		case func(*store.HeaderItem):
			of["header: "+name] = changing(change)
		default:
			panic(name)
		}
	}
	add("row", func(i *store.VersionItem) { i.ID.Row[3] ^= 1 })
	add("updated", func(i *store.VersionItem) { i.Kept.Updated = i.Kept.Updated.Add(1) })
	add("no time", func(i *store.VersionItem) { i.Kept.Updated = time.Time{} })
	add("deleted", func(i *store.VersionItem) { i.Kept.Deleted = !i.Kept.Deleted })
	add("summary", func(i *store.VersionItem) { i.Kept.Summary = flip(i.Kept.Summary) })
	add("body", func(i *store.VersionItem) { i.Body = flip(i.Body) })
	add("boundary", func(i *store.VersionItem) { i.Kept.Summary, i.Body = append(i.Kept.Summary, i.Body[0]), i.Body[1:] })
	add("version", func(i *store.RowItem) { i.Version++ })
	add("type", func(i *store.RowItem) { i.Type += "x" })
	add("updated", func(i *store.RowItem) { i.Updated = i.Updated.Add(1) })
	add("deleted", func(i *store.RowItem) { i.Deleted = !i.Deleted })
	add("summary", func(i *store.RowItem) { i.Summary = flip(i.Summary) })
	add("owner", func(i *store.ContentItem) { i.Owner[0] ^= 1 })
	add("sealed", func(i *store.ContentItem) { i.Sealed = flip(i.Sealed) })
	add("token", func(i *store.ClaimItem) { i.Token[31] ^= 1 })
	add("ref", func(i *store.ClaimItem) { i.Ref.Row[0] ^= 1 })
	add("ref", func(i *store.FindItem) { i.Ref.Dossier[0] ^= 1 })
	add("number", func(i *store.KeyItem) { i.Number++ })
	add("kind", func(i *store.KeyItem) { i.Kind++ })
	add("epoch", func(i *store.KeyItem) { i.Epoch++ })
	add("wrapped", func(i *store.KeyItem) { i.Wrapped = flip(i.Wrapped) })
	add("recorded", func(i *store.EventItem) { i.Recorded = i.Recorded.Add(1) })
	add("class", func(i *store.EventItem) { i.Class++ })
	add("actor", func(i *store.EventItem) { i.Actor[0] ^= 1 })
	add("sealed", func(i *store.EventItem) { i.Sealed = flip(i.Sealed) })
	add("pending", func(i *store.EventItem) { i.Pending = !i.Pending })
	add("key", func(i *store.StateItem) { i.Key += "\u0301" })
	add("value", func(i *store.StateItem) { i.Value = flip(i.Value) })
	add("expires", func(i *store.StateItem) { i.Expires = time.Time{} })
	add("revision", func(i *store.StateItem) { i.Rev++ })
	add("version", func(i *store.HeaderItem) { i.Header.Version++ })
	add("state", func(i *store.HeaderItem) { i.Header.State = store.Closed })
	add("key", func(i *store.HeaderItem) { i.Header.Key++ })
	return of
}

func changing[T store.Item](change func(*T)) func(store.Item) store.Item {
	return func(item store.Item) store.Item {
		i, ok := item.(T)
		if !ok {
			return nil
		}
		change(&i)
		return i
	}
}

// An item too few or too many is seen as well.
func TestMissingItem(t *testing.T) {
	from, to := embedded(t), embedded(t)
	fill(t, from)
	ctx := context.Background()
	if _, err := Copy(ctx, from, to, untold); err != nil {
		t.Fatal(err)
	}
	more := store.Tx{Expect: store.Any, State: []store.StateEntry{{Kind: "more"}}}
	if err := to.Commit(ctx, more); err != nil {
		t.Fatal(err)
	}
	if r, err := Finish(ctx, from, to, untold); !errors.Is(err, ErrDiffers) {
		t.Errorf("%+v %v", r, err)
	}
	if (Report{}).Same() {
		t.Error("an empty report is the same")
	}
}

func TestRefusals(t *testing.T) {
	from, other, empty := embedded(t), embedded(t), embedded(t)
	fill(t, from)
	ctx := context.Background()
	if err := other.Commit(ctx, store.Tx{Dossier: store.Dossier{7}, Header: store.Header{State: store.Active, Key: 1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Copy(ctx, empty, embedded(t), untold); !errors.Is(err, ErrEmpty) {
		t.Errorf("from an empty store: %v", err)
	}
	if _, err := Copy(ctx, from, other, untold); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("to a store in use: %v", err)
	}
	to := embedded(t)
	if _, err := Copy(ctx, from, &cutting{Engine: to, cut: 3}, untold); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	if _, err := Copy(ctx, other, to, untold); !errors.Is(err, ErrOther) {
		t.Errorf("to the unfinished copy of another: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Copy(ended, from, embedded(t), untold); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("told to stop: %v", err)
	}
}
