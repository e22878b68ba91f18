package storetest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"opendmp/store"
)

// prepare uploads what full adopts.
func prepare(t testing.TB, s store.Store, d store.Dossier, label string) {
	t.Helper()
	if err := s.Upload(context.Background(), d, content("%s upload", label), strings.NewReader("uploaded "+label)); err != nil {
		t.Fatalf("Upload: %v", err)
	}
}

func testRoundTrip(t *testing.T, e Engine) {
	s := open(t, e)
	d := dossier("a")
	prepare(t, s, d, "x")
	commit(t, s, full(d, "x"))

	got := dump(t, s, worldOf(map[string]store.Dossier{"x": d}))
	for _, want := range []string{
		"{Version:1 State:1 Key:1} true",
		`DocumentReference 1 2025-03-14 12:00:01.123456789 +0000 UTC false "summary 1"`,
		`DocumentReference 1 2025-03-14 12:00:01.123456789 +0000 UTC true "summary 1"`,
		`  version 1 2025-03-14 12:00:01.123456789 +0000 UTC false "summary 1" ["body 1"]`,
		`1 1 3 "data key"`, `2 1 3 "trace key"`,
		`true "inline"`, `true "uploaded x"`,
		`"sealed x one"`, `"sealed x two"`,
		`state "session" "x": "value" 0001-01-01 00:00:00 +0000 UTC rev 1`,
		`state "outbox" "x": "message"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	// Each event three times: in a history, among the actor's traces, pending.
	if n := strings.Count(got, `"sealed x two"`); n != 3 {
		t.Errorf("the event of the journal is seen %d times", n)
	}
	if refs := lookup(t, s, token("x claim")); len(refs) != 1 || refs[0] != (store.Ref{Dossier: d}) {
		t.Errorf("the claim of the dossier leads to %x", refs)
	}
}

func testReopen(t *testing.T, e Engine) {
	s := e.Open(t)
	d := dossier("a")
	prepare(t, s, d, "x")
	prepare(t, s, d, "y")
	commit(t, s, full(d, "x"))
	w := worldOf(map[string]store.Dossier{"x": d, "y": d})
	before := dump(t, s, w)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, e)
	if diff := different(dump(t, s, w), before); diff != "" {
		t.Fatal(diff)
	}
	// An upload waits for its commit across a restart.
	commit(t, s, store.Tx{Dossier: d, Expect: 1, Header: active(), Contents: []store.Content{{ID: content("y upload"), Owner: rowKey("y")}}})
	if data, ok := read(t, s, d, content("y upload")); !ok || string(data) != "uploaded y" {
		t.Fatalf("content %v %q", ok, data)
	}
}

func testEmptyValues(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d, row := dossier("a"), rowKey("r")
	commit(t, s, store.Tx{
		Dossier:  d,
		Header:   active(),
		Puts:     []store.Put{{Row: row, Version: 1, Updated: noon()}},
		Contents: []store.Content{{ID: content("empty"), Owner: row, Sealed: []byte{}}},
		Keys:     []store.KeyRecord{{Dossier: d}},
		Events:   []store.Event{{ID: eventID("e"), Dossier: d, Recorded: noon()}},
		State:    []store.StateEntry{{Kind: "kind", Key: ""}, {Kind: "", Key: "key"}},
	})
	if list := rows(t, s, d); len(list) != 1 || list[0].Type != "" || len(list[0].Summary) != 0 {
		t.Errorf("rows %+v", list)
	}
	bodies := one[[][]byte](t)(s.Bodies(ctx, d, []store.BodyRef{{Row: row, Version: 1}, {Row: row, Version: 2}}))
	if len(bodies) != 2 || bodies[0] == nil || len(bodies[0]) != 0 || bodies[1] != nil {
		t.Errorf("bodies %#v: an empty one is not an absent one", bodies)
	}
	if data, ok := read(t, s, d, content("empty")); !ok || len(data) != 0 {
		t.Errorf("content %v %q", ok, data)
	}
	if keys := one[[]store.KeyRecord](t)(s.Keys(ctx, d)); len(keys) != 1 || len(keys[0].Wrapped) != 0 {
		t.Errorf("keys %+v", keys)
	}
	if events := one[[]store.Event](t)(s.Events(ctx, d, store.Cursor{}, 10)); len(events) != 1 || len(events[0].Sealed) != 0 {
		t.Errorf("events %+v", events)
	}
	for _, k := range [][2]string{{"kind", ""}, {"", "key"}} {
		if entry := one[store.StateEntry](t)(s.State(ctx, k[0], k[1])); entry.Rev != 1 || len(entry.Value) != 0 || entry.Kind != k[0] || entry.Key != k[1] {
			t.Errorf("entry %q: %+v", k, entry)
		}
	}
	// A transaction of nothing is one.
	commit(t, s, store.Tx{Expect: store.Any})
	commit(t, s, store.Tx{Dossier: d, Expect: 1, Header: active()})
	if h := one[store.Header](t)(s.Header(ctx, d)); h.Version != 2 {
		t.Errorf("header %+v", h)
	}
}

func testEmptyStore(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d := dossier("nobody")
	for name, err := range map[string]error{
		"Header":  second(s.Header(ctx, d)),
		"Content": second(s.Content(ctx, d, content("none"))),
		"State":   second(s.State(ctx, "kind", "none")),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
	n := len(rows(t, s, d)) + len(all(t, s.Versions(ctx, store.RowID{Dossier: d}))) +
		len(lookup(t, s, token("none"))) +
		len(one[[]store.KeyRecord](t)(s.Keys(ctx, d))) +
		len(one[[]store.Event](t)(s.Events(ctx, d, store.Cursor{}, 10))) +
		len(one[[]store.Event](t)(s.EventsOf(ctx, token("none"), store.Cursor{}, 10))) +
		len(one[[]store.Event](t)(s.Pending(ctx, 10))) +
		len(one[[]store.StateEntry](t)(s.StateList(ctx, "kind", "", 10))) +
		len(one[[][]byte](t)(s.Bodies(ctx, d, nil))) +
		one[int](t)(s.Collect(ctx, time.Now(), time.Now()))
	if n != 0 {
		t.Errorf("%d things in an empty store", n)
	}
}

func second[T any](_ T, err error) error { return err }

func testTimes(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d := dossier("a")
	times := []time.Time{
		noon(),
		noon().Add(time.Nanosecond),
		time.Date(1930, 1, 1, 0, 0, 0, 1, time.UTC),
		time.Date(2199, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(2025, 3, 30, 3, 30, 0, 7, time.FixedZone("", 2*3600)),
	}
	for i, at := range times {
		p := put(rowKey("%d", i), 1)
		p.Updated = at
		commit(t, s, store.Tx{
			Dossier: d, Expect: int64(i), Header: active(),
			Puts:   []store.Put{p},
			Events: []store.Event{event(d, at.String(), at)},
			State:  []store.StateEntry{{Kind: "time", Key: at.String(), Expires: at}},
		})
	}
	got := map[store.RowKey]time.Time{}
	for _, r := range rows(t, s, d) {
		got[r.ID.Row] = r.Updated
	}
	recorded := map[store.EventID]time.Time{}
	for _, ev := range one[[]store.Event](t)(s.Events(ctx, d, store.Cursor{}, 100)) {
		recorded[ev.ID] = ev.Recorded
	}
	for i, at := range times {
		entry := one[store.StateEntry](t)(s.State(ctx, "time", at.String()))
		for what, is := range map[string]time.Time{"row": got[rowKey("%d", i)], "event": recorded[eventID("%s", at.String())], "entry": entry.Expires} {
			if !is.Equal(at) {
				t.Errorf("%s: wrote %v, read %v", what, at, is)
			}
			if is.Location() != time.UTC {
				t.Errorf("%s: read %v, which is not in UTC", what, is)
			}
		}
	}
}

// testIdentifiers: what differs by one bit, by case, by Unicode form or by a
// trailing NUL is different.
func testIdentifiers(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	names := []string{"a", "A", "a\x00", "a\x00\x00", "a ", "é", "e\u0301", "É", "ß", "ss", "ﬁ", "fi", "10", "9", "010", "1.0", "1"}
	for i, name := range names {
		var key [16]byte
		copy(key[:], name)
		var tok store.Token
		copy(tok[:], name)
		// Names that differ by trailing NULs only are one padded key.
		key[15], tok[31] = byte(len(name)), byte(len(name))
		d := store.Dossier(key)
		commit(t, s, store.Tx{
			Dossier:  d,
			Header:   active(),
			Puts:     []store.Put{{Row: store.RowKey(key), Type: name, Version: 1, Updated: noon(), Body: []byte{byte(i)}}},
			Contents: []store.Content{{ID: store.ContentID(key), Sealed: []byte{byte(i)}}},
			Claims:   []store.TokenPut{{Token: tok}},
			Finds:    []store.TokenPut{{Token: tok, Row: store.RowKey(key)}},
			Events:   []store.Event{{ID: store.EventID(key), Dossier: d, Recorded: noon(), Actor: tok}},
			State:    []store.StateEntry{{Kind: "name", Key: name, Value: []byte{byte(i)}}, {Kind: name, Key: "name", Value: []byte{byte(i)}}},
		})
	}
	for i, name := range names {
		var key [16]byte
		copy(key[:], name)
		var tok store.Token
		copy(tok[:], name)
		key[15], tok[31] = byte(len(name)), byte(len(name))
		d, want := store.Dossier(key), []byte{byte(i)}
		if list := rows(t, s, d); len(list) != 1 || list[0].Type != name {
			t.Errorf("%q: rows %+v", name, list)
		}
		if refs := lookup(t, s, tok); len(refs) != 2 || refs[0].Dossier != d || refs[1].Row != store.RowKey(key) {
			t.Errorf("%q: refs %x", name, refs)
		}
		if events := one[[]store.Event](t)(s.EventsOf(ctx, tok, store.Cursor{}, 10)); len(events) != 1 || events[0].Dossier != d {
			t.Errorf("%q: events %+v", name, events)
		}
		if data, ok := read(t, s, d, store.ContentID(key)); !ok || !bytes.Equal(data, want) {
			t.Errorf("%q: content %v %x", name, ok, data)
		}
		for _, k := range [][2]string{{"name", name}, {name, "name"}} {
			if entry := one[store.StateEntry](t)(s.State(ctx, k[0], k[1])); !bytes.Equal(entry.Value, want) {
				t.Errorf("entry %q: %x", k, entry.Value)
			}
		}
	}
	// All 256 values of a byte stay apart, in any place of a key.
	for b := range 256 {
		d := store.Dossier{0: byte(b), 7: byte(255 - b)}
		commit(t, s, store.Tx{Expect: store.Any, Events: []store.Event{{ID: store.EventID{15: byte(b)}, Dossier: d, Recorded: noon()}}})
	}
	for b := range 256 {
		d := store.Dossier{0: byte(b), 7: byte(255 - b)}
		if events := one[[]store.Event](t)(s.Events(ctx, d, store.Cursor{}, 10)); len(events) != 1 || events[0].ID[15] != byte(b) {
			t.Fatalf("byte %d: events %+v", b, events)
		}
	}
}

func testHeader(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d := dossier("a")
	expect := func(want store.Header) {
		t.Helper()
		if h := one[store.Header](t)(s.Header(ctx, d)); h != want {
			t.Fatalf("header %+v, want %+v", h, want)
		}
	}
	refused(t, s, store.Tx{Dossier: d, Expect: 1, Header: active()}, store.ErrConflict)
	commit(t, s, store.Tx{Dossier: d, Header: store.Header{Version: 77, State: store.Active, Key: 1}})
	expect(store.Header{Version: 1, State: store.Active, Key: 1})
	refused(t, s, store.Tx{Dossier: d, Header: active()}, store.ErrDuplicate)
	commit(t, s, store.Tx{Dossier: d, Expect: 1, Header: store.Header{State: store.Closed, Key: 2}})
	expect(store.Header{Version: 2, State: store.Closed, Key: 2})
	for _, stale := range []int64{1, 3} {
		refused(t, s, store.Tx{Dossier: d, Expect: stale, Header: active()}, store.ErrConflict)
	}
	commit(t, s, store.Tx{Dossier: d, Expect: store.Any, Header: store.Header{State: store.Destroyed, Key: 9}, Events: []store.Event{event(d, "e", noon())}})
	expect(store.Header{Version: 2, State: store.Closed, Key: 2})
	commit(t, s, store.Tx{Dossier: d, Expect: 2, Header: store.Header{State: store.Destroyed, Key: 2}})
	expect(store.Header{Version: 3, State: store.Destroyed, Key: 2})
	if _, err := s.Header(ctx, dossier("b")); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("another dossier: %v", err)
	}
}

// testAllOrNothing breaks a transaction that has every part, one part at a time
// and always the last of its kind, and looks that nothing of it is there.
func testAllOrNothing(t *testing.T, e Engine) {
	s := open(t, e)
	a, b := dossier("a"), dossier("b")
	prepare(t, s, a, "x")
	prepare(t, s, b, "y")
	prepare(t, s, a, "z")
	commit(t, s, full(a, "x"))
	commit(t, s, full(b, "y"))
	w := worldOf(map[string]store.Dossier{"x": a, "y": b, "z": a})
	before := dump(t, s, w)

	good := func() store.Tx {
		tx := full(a, "z")
		tx.Expect = 1
		tx.Puts = append(tx.Puts, put(rowKey("x first"), 2))
		tx.Keys[0].Number, tx.Keys[1].Number = 2, 2
		tx.Drops = []store.TokenPut{{Token: token("x claim")}, {Token: token("find"), Row: rowKey("x first")}}
		tx.State = append(tx.State, store.StateEntry{Kind: "session", Key: "x", Rev: 1, Value: []byte("new")})
		tx.Unset = []store.StateEntry{{Kind: "outbox", Key: "x"}}
		return tx
	}
	for _, test := range []struct {
		name  string
		spoil func(*store.Tx)
		want  error
	}{
		{"header is older", func(tx *store.Tx) { tx.Expect = 2 }, store.ErrConflict},
		{"header exists", func(tx *store.Tx) { tx.Expect = 0 }, store.ErrDuplicate},
		{"row exists", func(tx *store.Tx) { tx.Puts[2].Version = 1 }, store.ErrConflict},
		{"row skips a version", func(tx *store.Tx) { tx.Puts[2].Version = 3 }, store.ErrConflict},
		{"row does not exist", func(tx *store.Tx) { tx.Puts[1].Version = 2 }, store.ErrConflict},
		{"row version 0", func(tx *store.Tx) { tx.Puts[2].Version = 0 }, store.ErrConflict},
		{"row twice", func(tx *store.Tx) { tx.Puts[1] = tx.Puts[0] }, store.ErrConflict},
		{"content exists", func(tx *store.Tx) { tx.Contents[0].ID = content("x inline") }, store.ErrDuplicate},
		{"content adopted twice", func(tx *store.Tx) { tx.Contents[1].ID = content("x upload") }, store.ErrDuplicate},
		{"content never uploaded", func(tx *store.Tx) { tx.Contents[1].ID = content("none") }, store.ErrNotFound},
		{"upload of another dossier", func(tx *store.Tx) { tx.Contents[1].ID = content("y upload") }, store.ErrNotFound},
		{"claim of another dossier", func(tx *store.Tx) { tx.Claims[1].Token = token("y claim") }, store.ErrDuplicate},
		{"claim of its own", func(tx *store.Tx) {
			tx.Claims[1] = store.TokenPut{Token: token("x claim of row"), Row: rowKey("x first")}
		}, store.ErrDuplicate},
		{"claim twice", func(tx *store.Tx) { tx.Claims[1] = tx.Claims[0] }, store.ErrDuplicate},
		{"key exists", func(tx *store.Tx) { tx.Keys[1].Number = 1 }, store.ErrDuplicate},
		{"event exists", func(tx *store.Tx) { tx.Events[1] = event(dossier("journal"), "y two", noon()) }, store.ErrDuplicate},
		{"event twice", func(tx *store.Tx) { tx.Events[1] = tx.Events[0] }, store.ErrDuplicate},
		{"entry exists", func(tx *store.Tx) { tx.State[2].Rev = 0 }, store.ErrConflict},
		{"entry is older", func(tx *store.Tx) { tx.State[2].Rev = 2 }, store.ErrConflict},
		{"entry does not exist", func(tx *store.Tx) { tx.State[0].Rev = 1 }, store.ErrConflict},
	} {
		t.Run(test.name, func(t *testing.T) {
			tx := good()
			test.spoil(&tx)
			refused(t, s, tx, test.want)
			if diff := different(dump(t, s, w), before); diff != "" {
				t.Fatal(diff)
			}
		})
	}
	commit(t, s, good()) // otherwise the cases above prove nothing
	if dump(t, s, w) == before {
		t.Fatal("the good transaction changed nothing")
	}
}

// testPrecedence: a commit that is both stale and a duplicate is told that it is
// stale.
func testPrecedence(t *testing.T, e Engine) {
	s := open(t, e)
	a, b := dossier("a"), dossier("b")
	prepare(t, s, a, "x")
	commit(t, s, full(a, "x"))
	commit(t, s, store.Tx{Dossier: b, Header: active(), Puts: []store.Put{put(rowKey("b"), 1)}, State: []store.StateEntry{{Kind: "k", Key: "b"}}})
	duplicates := func() store.Tx {
		return store.Tx{
			Dossier: b, Expect: 1, Header: active(),
			Claims: []store.TokenPut{{Token: token("x claim")}},
			Events: []store.Event{event(a, "x one", noon())},
		}
	}
	if d := claimRefused(t, s, duplicates()); d.Token != token("x claim") || d.Holder != (store.Ref{Dossier: a}) {
		t.Fatalf("the claim goes before the event: %+v", d)
	}
	for _, test := range []struct {
		name  string
		spoil func(*store.Tx)
	}{
		{"header", func(tx *store.Tx) { tx.Expect = 2 }},
		{"row", func(tx *store.Tx) { tx.Puts = []store.Put{put(rowKey("b"), 1)} }},
		{"entry", func(tx *store.Tx) { tx.State = []store.StateEntry{{Kind: "k", Key: "b"}} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			tx := duplicates()
			test.spoil(&tx)
			refused(t, s, tx, store.ErrConflict)
		})
	}
	// A dossier that exists is not a claim that is held.
	tx := duplicates()
	tx.Expect = 0
	err := s.Commit(context.Background(), tx)
	var d *store.DuplicateError
	if !errors.Is(err, store.ErrDuplicate) || errors.As(err, &d) {
		t.Fatalf("got %v, want ErrDuplicate without a token", err)
	}
}

func testInvalidTx(t *testing.T, e Engine) {
	s := open(t, e)
	d := dossier("a")
	for name, tx := range map[string]store.Tx{
		"any with erasures":   {Dossier: d, Expect: store.Any, Erase: []store.RowKey{rowKey("r")}},
		"any with puts":       {Dossier: d, Expect: store.Any, Puts: []store.Put{put(rowKey("r"), 1)}},
		"any with contents":   {Dossier: d, Expect: store.Any, Contents: []store.Content{{ID: content("c"), Sealed: []byte("x")}}},
		"any with claims":     {Dossier: d, Expect: store.Any, Claims: []store.TokenPut{{Token: token("t")}}},
		"any with finds":      {Dossier: d, Expect: store.Any, Finds: []store.TokenPut{{Token: token("t")}}},
		"any with drops":      {Dossier: d, Expect: store.Any, Drops: []store.TokenPut{{Token: token("t")}}},
		"any with keys":       {Dossier: d, Expect: store.Any, Keys: []store.KeyRecord{{Dossier: d}}},
		"version below any":   {Dossier: d, Expect: -2, Header: active()},
		"no state":            {Dossier: d, Header: store.Header{Key: 1}},
		"unknown state":       {Dossier: d, Header: store.Header{State: 4, Key: 1}},
		"no key number":       {Dossier: d, Header: store.Header{State: store.Active}},
		"key of another":      {Dossier: d, Header: active(), Keys: []store.KeyRecord{{Dossier: dossier("b")}}},
		"inline too large":    {Dossier: d, Header: active(), Contents: []store.Content{{ID: content("c"), Sealed: make([]byte, store.InlineMax+1)}}},
		"event without time":  {Expect: store.Any, Events: []store.Event{{ID: eventID("e"), Dossier: d}}},
		"time out of 64 bits": {Expect: store.Any, Events: []store.Event{event(d, "e", time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC))}},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.Commit(context.Background(), tx)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, known := range []error{store.ErrConflict, store.ErrDuplicate, store.ErrNotFound, store.ErrUnavailable} {
				if errors.Is(err, known) {
					t.Fatalf("got %v: a mistake of the program is none of the errors that it handles", err)
				}
			}
			if got := dump(t, s, world{dossiers: []store.Dossier{d}, tokens: []store.Token{token("t")}, contents: []store.ContentID{content("c")}}); strings.Count(got, "\n") != 3 {
				t.Fatalf("something was written:\n%s", got)
			}
		})
	}
}

func testVersions(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d, row := dossier("a"), rowKey("r")
	const last = 12
	for n := int64(1); n <= last; n++ {
		p := put(row, n)
		p.Deleted = n == 7
		p.Type = map[bool]string{true: "List", false: "DocumentReference"}[n == last]
		commit(t, s, store.Tx{Dossier: d, Expect: n - 1, Header: active(), Puts: []store.Put{p}})
	}
	// Two versions in one commit, and a neighbour that is not asked for.
	commit(t, s, store.Tx{Dossier: d, Expect: last, Header: active(), Puts: []store.Put{put(row, last+1), put(row, last+2), put(rowKey("other"), 1)}})
	id := store.RowID{Dossier: d, Row: row}
	versions := all(t, s.Versions(ctx, id))
	if len(versions) != last+2 {
		t.Fatalf("%d versions", len(versions))
	}
	for i, v := range versions {
		n := int64(last + 2 - i)
		want := put(row, n)
		if v.Version != n || !v.Updated.Equal(want.Updated) || !bytes.Equal(v.Summary, want.Summary) || v.Deleted != (n == 7) {
			t.Errorf("version %d: %+v", n, v)
		}
	}
	refs := []store.BodyRef{{Row: row, Version: 5}, {Row: row, Version: 99}, {Row: rowKey("none"), Version: 1}, {Row: row, Version: 1}, {Row: row, Version: 5}, {Row: rowKey("other"), Version: 1}}
	bodies := one[[][]byte](t)(s.Bodies(ctx, d, refs))
	for i, want := range []string{"body 5", "", "", "body 1", "body 5", "body 1"} {
		if string(bodies[i]) != want || (bodies[i] == nil) != (want == "") {
			t.Errorf("body %d: %q, want %q", i, bodies[i], want)
		}
	}
	for _, b := range one[[][]byte](t)(s.Bodies(ctx, dossier("b"), refs)) {
		if b != nil {
			t.Errorf("another dossier gives %q", b)
		}
	}
	// Both iterators can be left early, and be used again.
	for range s.Versions(ctx, id) {
		break
	}
	for range s.Rows(ctx, d) {
		break
	}
	seq := s.Rows(ctx, d)
	if first, again := all(t, seq), all(t, seq); len(first) != 2 || len(again) != 2 {
		t.Errorf("%d rows, then %d", len(first), len(again))
	}
}
