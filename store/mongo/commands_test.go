package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"opendmp/store"
)

// tally writes down the commands that an engine sends.
type tally struct {
	mu   sync.Mutex
	list []string
}

func (c *tally) observe(command, collection string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, strings.TrimSpace(command+" "+collection))
}

// take gives what was sent since it was called before.
func (c *tally) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

// TestCommands holds the price of each call, in commands.
func TestCommands(t *testing.T) {
	var sent tally
	s := fresh(t).open(t, Options{Observe: sent.observe})
	defer s.Close()
	ctx := context.Background()
	if err := push(ctx, s, "x"); err != nil {
		t.Fatal(err)
	}
	first := everything("x")
	d, row := first.Dossier, first.Puts[0].Row
	next := store.Tx{
		Dossier: d, Expect: 1, Header: first.Header,
		Puts:     []store.Put{{Row: row, Version: 3, Updated: noon()}, {Row: store.RowKey(id16("other")), Version: 1, Updated: noon()}},
		Contents: []store.Content{{ID: store.ContentID(id16("another")), Sealed: []byte("x")}},
		Claims:   []store.TokenPut{{Token: store.Token(digest("another"))}},
		Finds:    []store.TokenPut{{Token: store.Token(digest("a"))}, {Token: store.Token(digest("b"))}},
		Events:   []store.Event{eventNamed("next")},
	}
	look := store.Tx{Expect: store.Any, Events: []store.Event{eventNamed("look")}}
	both := store.Tx{Expect: store.Any, Events: []store.Event{eventNamed("seen"), eventNamed("withheld")}}
	for _, test := range []struct {
		name string
		call func() error
		want string
	}{
		{"a cached search", func() error {
			return errors.Join(second(s.Header(ctx, d)), s.Commit(ctx, look))
		}, "find header, insert event"},
		{"a read of two events", func() error { return s.Commit(ctx, both) }, "insert event, commitTransaction"},
		{"a search's rows", func() error { return calls(s)["Rows"](ctx) }, "find row, commitTransaction"},
		{"bodies of a page", func() error {
			return second(s.Bodies(ctx, d, []store.BodyRef{{Row: row, Version: 1}, {Row: row, Version: 2}}))
		}, "find version"},
		{"a page of history", func() error { return second(s.Events(ctx, d, store.Cursor{}, 10)) }, "find event"},
		{"a session renewed", func() error {
			return s.Commit(ctx, store.Tx{Expect: store.Any, State: []store.StateEntry{{Kind: "session", Key: "x", Rev: 1}}})
		}, "update state"},
		{"a session begun", func() error {
			return s.Commit(ctx, store.Tx{Expect: store.Any, State: []store.StateEntry{entryNamed("new")}})
		}, "update state"},
		{"a session ended", func() error {
			return s.Commit(ctx, store.Tx{Expect: store.Any, Unset: []store.StateEntry{entryNamed("new")}})
		}, "delete state"},
		{"nothing", func() error { return s.Commit(ctx, store.Tx{Expect: store.Any}) }, ""},
		{"a push", func() error { return s.Commit(ctx, next) },
			"update header, insert row, update row, insert version, insert claim, update find, insert content, insert event, insert mark, commitTransaction"},
		{"a push refused at once", func() error {
			if err := s.Commit(ctx, next); !errors.Is(err, store.ErrConflict) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		}, "update header, abortTransaction"},
	} {
		sent.take()
		if err := test.call(); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := strings.Join(sent.take(), ", "); got != test.want {
			t.Errorf("%s: sent %s, want %s", test.name, got, test.want)
		}
	}
}

// TestLargeDossier: thousands of rows are one range read.
func TestLargeDossier(t *testing.T) {
	var sent tally
	s := fresh(t).open(t, Options{Observe: sent.observe})
	defer s.Close()
	ctx := context.Background()
	const rows = 4000
	tx := store.Tx{Dossier: dossierOf("x"), Header: store.Header{State: store.Active, Key: 1}}
	for i := range rows {
		tx.Puts = append(tx.Puts, store.Put{Row: store.RowKey(id16(fmt.Sprint(i))), Version: 1, Updated: noon(), Summary: make([]byte, 400)})
	}
	if err := s.Commit(ctx, tx); err != nil {
		t.Fatal(err)
	}
	sent.take()
	n := 0
	for _, err := range s.Rows(ctx, tx.Dossier) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if got := strings.Join(sent.take(), ", "); n != rows || got != "find row, commitTransaction" {
		t.Errorf("%d rows by %s", n, got)
	}
}

// leading are the fields that an index begins with, beside _id, by collection.
var leading = map[string][]string{
	"event":  {"a", "q"}, // q: the partial index of pending events, in its order
	"state":  {"x"},
	"upload": {"at"},
	"loose":  {"at"},
}

// TestEveryCommandHasAnIndex sends every command there is, looks that its filter
// begins an index, and, where the server explains, that the plan uses one.
func TestEveryCommandHasAnIndex(t *testing.T) {
	var mu sync.Mutex
	var seen []command
	s := fresh(t).open(t, Options{monitor: &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, command{name: e.CommandName, doc: slices.Clone(e.Command)})
	}}})
	defer s.Close()
	ctx := context.Background()
	if err := errors.Join(push(ctx, s, "x"), s.Upload(ctx, dossierOf("x"), store.ContentID{2}, strings.NewReader("left"))); err != nil {
		t.Fatal(err)
	}
	again := everything("x")
	again.Expect, again.Drops, again.Unset = 1, again.Claims, []store.StateEntry{entryNamed("x")}
	again.Puts, again.Contents, again.Keys, again.Events = []store.Put{{Row: again.Puts[0].Row, Version: 3, Updated: noon()}}, nil, nil, nil
	if err := s.Commit(ctx, again); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(s) {
		if err := call(ctx); err != nil && name != "Commit" {
			t.Errorf("%s: %v", name, err)
		}
	}
	erase := store.Tx{Dossier: again.Dossier, Expect: 2, Header: again.Header, Erase: []store.RowKey{again.Puts[0].Row}}
	if err := s.Commit(ctx, erase); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Collect(ctx, noon(), time.Now().Add(time.Hour)); err != nil || n != 2 {
		t.Errorf("collected %d, %v", n, err)
	}

	kinds := map[string]int{}
	for _, c := range seen {
		for _, f := range filters(t, c) {
			kinds[c.name+" "+c.collection()]++
			first := f.Index(0).Key()
			if first != "_id" && !slices.Contains(leading[c.collection()], first) {
				t.Errorf("%s %s: no index for %s", c.name, c.collection(), f)
			}
		}
		if c.name == "find" {
			explain(t, s, c)
		}
	}
	if len(kinds) < 20 {
		t.Errorf("only these were looked at: %v", kinds)
	}
}

// filters gives those of one command.
func filters(t *testing.T, c command) (list []bson.Raw) {
	t.Helper()
	for name, field := range map[string]string{"update": "updates", "delete": "deletes"} {
		if c.name != name {
			continue
		}
		values, err := c.doc.Lookup(field).Array().Values()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			list = append(list, v.Document().Lookup("q").Document())
		}
	}
	if f, ok := c.doc.Lookup("filter").DocumentOK(); ok && c.name == "find" {
		list = append(list, f)
	}
	return list
}

// explain looks that a plan neither scans a collection nor sorts in memory.
func explain(t *testing.T, s *Store, c command) {
	t.Helper()
	var find bson.D
	for _, field := range []string{"find", "filter", "sort", "limit", "projection"} {
		if v, err := c.doc.LookupErr(field); err == nil {
			find = append(find, bson.E{Key: field, Value: v})
		}
	}
	var plan bson.Raw
	err := s.database.RunCommand(context.Background(), bson.D{{Key: "explain", Value: find}, {Key: "verbosity", Value: "queryPlanner"}}).Decode(&plan)
	if hasCode(err, 59) { // CommandNotFound
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	winning := plan.Lookup("queryPlanner", "winningPlan").String()
	for _, stage := range []string{`"COLLSCAN"`, `"SORT"`} {
		if strings.Contains(winning, stage) {
			t.Errorf("%s: %s", c.doc, winning)
		}
	}
}
