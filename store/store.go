package store

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Errors that an engine returns, possibly wrapped.
var (
	// ErrNotFound: no such dossier, key, content or state entry.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict: the header version, or the revision of a state entry, is not
	// the expected one. Nothing was written.
	ErrConflict = errors.New("store: conflict")
	// ErrDuplicate: a claim token, a dossier or a key exists already. Nothing
	// was written. Use DuplicateError to learn which token.
	ErrDuplicate = errors.New("store: duplicate")
	// ErrUnavailable: the engine cannot answer now (closed, disk full, database
	// gone). Whether a Commit in flight was written is unknown.
	ErrUnavailable = errors.New("store: unavailable")
)

// DuplicateError is the ErrDuplicate of a claim token: Token is held by Holder.
type DuplicateError struct {
	Token  Token
	Holder Ref
}

func (e *DuplicateError) Error() string { return ErrDuplicate.Error() }

// Is makes errors.Is(err, ErrDuplicate) hold.
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// Dossier is the random 128-bit key of one patient's record. It says nothing
// about the patient.
type Dossier [16]byte

// RowKey is the random 128-bit key of a row inside its dossier.
type RowKey [16]byte

// RowID names a row.
type RowID struct {
	Dossier Dossier
	Row     RowKey
}

// Token is a blind token: the first 32 bytes of a keyed HMAC. It is the only
// way across dossiers.
type Token [32]byte

// Ref is what a token leads to. Row is zero for a token of a whole dossier.
type Ref struct {
	Dossier Dossier
	Row     RowKey
}

// ContentID is the random key of the sealed content of a document.
type ContentID [16]byte

// EventID is the random 128-bit id of an audit event.
type EventID [16]byte

// State of a dossier. The zero value is none of them.
type State uint8

// States of a dossier.
const (
	Active    State = 1
	Closed    State = 2
	Destroyed State = 3
)

// Header is the small clear part of a dossier: what commits compare and swap.
type Header struct {
	// Version counts commits that changed rows, from 1.
	Version int64
	State   State
	// Key numbers the dossier's data key, from 1 (a new one at each partial destruction).
	Key int32
}

// Row is the current version of a resource, without its body.
type Row struct {
	ID      RowID
	Type    string // FHIR resource type
	Version int64  // from 1, contiguous
	Updated time.Time
	Deleted bool
	Summary []byte // sealed
}

// Put writes the next version of a row. The previous version, if any, stays
// readable through Versions and Body.
type Put struct {
	Row     RowKey
	Type    string
	Version int64 // 1 creates; n+1 replaces n. Anything else is ErrConflict.
	Updated time.Time
	Deleted bool
	Summary []byte // sealed
	Body    []byte // sealed
}

// Version is one kept version of a row, without its body.
type Version struct {
	Version int64
	Updated time.Time
	Deleted bool
	Summary []byte
}

// BodyRef names the body of one version of a row.
type BodyRef struct {
	Row     RowKey
	Version int64
}

// Content is the sealed content of a document (a Binary's data). Owner names
// the row that keeps it. Sealed nil adopts a content uploaded before.
type Content struct {
	ID     ContentID
	Owner  RowKey
	Sealed []byte // at most InlineMax
}

// InlineMax is the size in bytes up to which a sealed content travels inside
// the commit; a larger one goes through Upload first.
const InlineMax = 256 << 10

// Event is a sealed audit event. It has no number: the sequencer gives one
// later, from the pending mark that Commit sets.
type Event struct {
	ID       EventID
	Dossier  Dossier
	Recorded time.Time
	Class    uint8 // audit's class; opaque here
	Actor    Token // blind token of who acted, to find the traces of one person
	Sealed   []byte
}

// KeyRecord is a wrapped data key or trace key of a dossier. Keys live in a
// table of their own that no data backup holds.
type KeyRecord struct {
	Dossier Dossier
	Kind    uint8 // vault's kind; opaque here
	Number  int32
	Epoch   int32 // the epoch whose wrapping key sealed it
	Wrapped []byte
}

// StateEntry is a piece of small server state: a used token id, a session, an
// outbox message, a lease.
type StateEntry struct {
	Kind    string
	Key     string
	Value   []byte
	Expires time.Time // zero: never
	// Rev counts writes of this entry, from 1. In a Tx it is the revision
	// expected: 0 for an entry that must not exist (an expired one does not).
	Rev int64
}

// Any, as Expect, commits without looking at the header or changing it. Such a
// Tx may hold Events and State only.
const Any int64 = -1

// Tx is one commit, declared whole so that each engine can do it its own way.
type Tx struct {
	Dossier Dossier
	// Expect is the header version that must be in force: 0 for a dossier that
	// must not exist, Any, or a version. On success the header's version is
	// Expect+1 and its State and Key are those of Header.
	Expect int64
	Header Header // Version is ignored

	// Erase are rows to remove for good, before the Puts: every version of each,
	// and the contents that it owns. Absent ones are ignored. What stood in
	// another place than the database is unreadable at once and gone with the
	// next Collect. Tokens are not touched: see Drops.
	Erase    []RowKey
	Puts     []Put
	Contents []Content
	Claims   []TokenPut // unique over all dossiers
	Finds    []TokenPut // not unique
	Drops    []TokenPut // claims or finds to remove; absent ones are ignored
	Keys     []KeyRecord

	// Events may name any dossier, also the system journal.
	Events []Event
	State  []StateEntry
	Unset  []StateEntry // entries to remove, by Kind and Key
}

// TokenPut binds a token to the row (or, with a zero Row, to the dossier) of
// the Tx.
type TokenPut struct {
	Token Token
	Row   RowKey
}

// Cursor is a place in the history of a dossier, newest first. The zero Cursor
// is before the newest event.
type Cursor struct {
	Recorded time.Time
	ID       EventID
}

// Store is an engine. All methods may be called concurrently; each returns
// ErrUnavailable when ctx ends first or the engine is closed.
type Store interface {
	// Commit applies tx, all or nothing; it is durable when Commit returns nil.
	Commit(ctx context.Context, tx Tx) error

	// Header returns the header in force, read linearizably: it reflects every
	// Commit that returned before the call, by whatever process.
	Header(ctx context.Context, d Dossier) (Header, error)

	// Rows yields the current row of each resource of d, in no particular order,
	// deleted ones included, all from one snapshot.
	Rows(ctx context.Context, d Dossier) iter.Seq2[Row, error]

	// Bodies returns the sealed bodies named by refs, in their order; nil where
	// there is none.
	Bodies(ctx context.Context, d Dossier, refs []BodyRef) ([][]byte, error)

	// Versions yields the kept versions of a row, newest first.
	Versions(ctx context.Context, id RowID) iter.Seq2[Version, error]

	// Lookup returns what a token leads to, claims and finds alike; none is an
	// empty slice and no error.
	Lookup(ctx context.Context, t Token) ([]Ref, error)

	// Keys returns the wrapped keys of d, every number and kind.
	Keys(ctx context.Context, d Dossier) ([]KeyRecord, error)

	// Events returns at most limit events of d older than before, newest first
	// by (Recorded, ID).
	Events(ctx context.Context, d Dossier, before Cursor, limit int) ([]Event, error)

	// EventsOf returns at most limit events of one actor over all dossiers,
	// newest first.
	EventsOf(ctx context.Context, actor Token, before Cursor, limit int) ([]Event, error)

	// Pending returns at most limit events that have no number yet, oldest first.
	Pending(ctx context.Context, limit int) ([]Event, error)

	// Upload keeps a content larger than InlineMax, durably, until a Commit
	// adopts it or Collect removes it.
	Upload(ctx context.Context, d Dossier, id ContentID, sealed io.Reader) error

	// Content opens a sealed content for reading. The caller closes it.
	Content(ctx context.Context, d Dossier, id ContentID) (io.ReadCloser, error)

	// Collect removes uploads older than before that no Commit adopted and state
	// entries expired at now, and returns how many it removed.
	Collect(ctx context.Context, now, before time.Time) (int, error)

	// State returns one entry, also one whose time has passed: the caller looks
	// at Expires.
	State(ctx context.Context, kind, key string) (StateEntry, error)

	// StateList returns at most limit entries of a kind with a key after the
	// given one, in order of key.
	StateList(ctx context.Context, kind, after string, limit int) ([]StateEntry, error)

	Close() error
}
