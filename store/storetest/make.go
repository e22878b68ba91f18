package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"opendmp/store"
)

// Identifiers are random in production. Here they are hashes of a label, so that
// a failure repeats.

func dossier(format string, args ...any) store.Dossier {
	return store.Dossier(hash("dossier", format, args)[:16])
}

func rowKey(format string, args ...any) store.RowKey {
	return store.RowKey(hash("row", format, args)[:16])
}

func content(format string, args ...any) store.ContentID {
	return store.ContentID(hash("content", format, args)[:16])
}

func eventID(format string, args ...any) store.EventID {
	return store.EventID(hash("event", format, args)[:16])
}

func token(format string, args ...any) store.Token {
	return store.Token(hash("token", format, args))
}

func hash(kind, format string, args []any) []byte {
	sum := sha256.Sum256([]byte(kind + "\x00" + fmt.Sprintf(format, args...)))
	return sum[:]
}

// noon is the instant that the tests count from. It has nanoseconds.
func noon() time.Time {
	return time.Date(2025, 3, 14, 12, 0, 0, 123456789, time.UTC)
}

// active is the header of a dossier in use.
func active() store.Header { return store.Header{State: store.Active, Key: 1} }

func commit(t testing.TB, s store.Store, tx store.Tx) {
	t.Helper()
	if err := s.Commit(context.Background(), tx); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

// refused demands that a commit fails with one error of package store.
func refused(t testing.TB, s store.Store, tx store.Tx, want error) {
	t.Helper()
	if err := s.Commit(context.Background(), tx); !errors.Is(err, want) {
		t.Fatalf("Commit: got %v, want %v", err, want)
	}
}

// claimRefused demands a DuplicateError and returns it.
func claimRefused(t testing.TB, s store.Store, tx store.Tx) *store.DuplicateError {
	t.Helper()
	err := s.Commit(context.Background(), tx)
	var d *store.DuplicateError
	if !errors.As(err, &d) || !errors.Is(err, store.ErrDuplicate) {
		t.Fatalf("Commit: got %v, want a DuplicateError", err)
	}
	return d
}

// put is a put of version n whose summary and body tell what they are.
func put(row store.RowKey, n int64) store.Put {
	return store.Put{
		Row:     row,
		Type:    "DocumentReference",
		Version: n,
		Updated: noon().Add(time.Duration(n) * time.Second),
		Summary: fmt.Appendf(nil, "summary %d", n),
		Body:    fmt.Appendf(nil, "body %d", n),
	}
}

func event(d store.Dossier, label string, at time.Time) store.Event {
	return store.Event{
		ID:       eventID("%s", label),
		Dossier:  d,
		Recorded: at,
		Class:    2,
		Actor:    token("actor"),
		Sealed:   []byte("sealed " + label),
	}
}

// full is a transaction that has every part, several of each. label keeps the
// identifiers of two such transactions apart; those of uploads must be uploaded
// before (see uploads).
func full(d store.Dossier, label string) store.Tx {
	first, second := rowKey("%s first", label), rowKey("%s second", label)
	deleted := put(second, 1)
	deleted.Deleted = true
	return store.Tx{
		Dossier:  d,
		Header:   active(),
		Puts:     []store.Put{put(first, 1), deleted},
		Contents: []store.Content{{ID: content("%s inline", label), Owner: first, Sealed: []byte("inline")}, {ID: content("%s upload", label), Owner: second}},
		Claims:   []store.TokenPut{{Token: token("%s claim", label)}, {Token: token("%s claim of row", label), Row: first}},
		Finds:    []store.TokenPut{{Token: token("find"), Row: first}, {Token: token("find"), Row: second}},
		Keys:     []store.KeyRecord{{Dossier: d, Kind: 1, Number: 1, Epoch: 3, Wrapped: []byte("data key")}, {Dossier: d, Kind: 2, Number: 1, Epoch: 3, Wrapped: []byte("trace key")}},
		Events:   []store.Event{event(d, label+" one", noon()), event(dossier("journal"), label+" two", noon())},
		State:    []store.StateEntry{{Kind: "session", Key: label, Value: []byte("value")}, {Kind: "outbox", Key: label, Value: []byte("message"), Expires: time.Now().Add(time.Hour)}},
	}
}

// world names all that the tests of full transactions look at.
type world struct {
	dossiers []store.Dossier
	tokens   []store.Token
	contents []store.ContentID
	actors   []store.Token
	kinds    []string
}

// worldOf is what transactions made by full touch.
func worldOf(labels map[string]store.Dossier) world {
	w := world{
		dossiers: []store.Dossier{dossier("journal")},
		tokens:   []store.Token{token("find")},
		actors:   []store.Token{token("actor")},
		kinds:    []string{"session", "outbox"},
	}
	for label, d := range labels {
		w.dossiers = append(w.dossiers, d)
		w.tokens = append(w.tokens, token("%s claim", label), token("%s claim of row", label))
		w.contents = append(w.contents, content("%s inline", label), content("%s upload", label))
	}
	return w
}
