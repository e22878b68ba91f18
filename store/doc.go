// Package store says what a storage engine does for OpenDMP and nothing more.
//
// An engine keeps sealed bytes, grouped by dossier. It knows neither FHIR nor
// rights nor keys: the package dossier seals before it writes and opens after
// it reads. What an engine promises:
//
//   - Commit is all or nothing, and durable (fsync, or majority with journal)
//     when it returns nil. Concurrent commits on one dossier are serialised by
//     the header version that each expects.
//   - Whatever a returned Commit wrote is seen by every later read, on every
//     process that shares the database.
//   - A read never sees half a commit.
//   - Keys, tokens and identifiers are compared byte by byte.
//
// What it refuses: to interpret a sealed byte, to search by content, to hold
// anything about a caller.
//
// Dumper and Loader (dump.go) are for `dmpd copy`, which moves a whole store from
// one engine to another: plain records in one total order that both engines share,
// so that a copy can go on where it stopped and both sides can be compared. What
// is copied stays sealed; no key is needed.
//
// Two engines implement Store, and these two: store/sqlite (embedded, the default) and
// store/mongo (production). Both pass store/storetest.
package store
