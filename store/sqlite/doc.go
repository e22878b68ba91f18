// Package sqlite is the embedded engine of package store: one directory, one
// process, no server. It is the default of dmpd.
//
// # What it keeps where
//
//	<dir>/lock          held with flock(2) while the engine is open
//	<dir>/opendmp.db    the database (with its -wal and -shm beside it)
//	<dir>/contents/xx/  sealed contents larger than store.InlineMax, a file each
//
// # What it promises
//
//   - Commit returns nil only after the write-ahead log that holds it was
//     fsynced (journal_mode=WAL, synchronous=FULL).
//   - One writer applies the waiting commits together, each inside a SAVEPOINT
//     of its own, and one fsync serves them all. It never waits for company: a
//     batch is what queued up while the previous fsync ran.
//   - After a COMMIT that failed, nobody is told "written" or "not written".
//     Every waiter gets store.ErrUnavailable, the connection is thrown away, and
//     no commit is accepted until a new connection has moved the whole log into
//     the database file and synced that file. An fsync is never tried twice in
//     the hope of a better answer: the kernel may have dropped the pages.
//   - Reads use connections of their own (query_only), see the last commit that
//     returned, and go on when writes cannot.
//   - A content file is complete and synced, and so is its directory, before a
//     row names it.
//   - A second process, or a second Open, is refused with ErrLocked.
//
// # What it refuses
//
// A directory whose database carries another application_id or a schema newer
// than this program; a transaction that store.Tx does not allow; times outside
// the years 1678 to 2262, which 64 bits of nanoseconds cannot hold.
//
// # Order inside a transaction
//
// Header, state entries, rows (erased, then put), tokens, contents, keys, events. What can be a
// store.ErrConflict is therefore looked at before what can be a
// store.ErrDuplicate: whoever decided on stale facts learns that first.
package sqlite
