// Package storetest is the one suite that every engine of package store passes.
//
// An engine's own test is one call of Run with a function that makes fresh,
// empty data. Whatever an engine must promise stands here and not in the tests of
// one engine; a fault found in one engine becomes a case here. Tests of files,
// processes and faults that only one engine can have stay with that engine.
//
// Where package store leaves a choice, this suite settles it:
//
//   - What can be ErrConflict (header, state entries, rows) is looked at before
//     what can be ErrDuplicate (tokens, contents, keys, events).
//   - Expect 0 for a dossier that exists is ErrDuplicate, without a token.
//   - A find that exists already is no error. A claim that exists already is one,
//     also for its own holder, unless the same Tx drops it.
//   - Versions yields the current version too.
//   - Pending is ordered by (Recorded, ID), oldest first.
//   - An entry that has expired counts as absent for Rev 0 and starts again from
//     revision 1; with its own revision it can still be taken over, so that a
//     lease can keep a growing number.
//   - A content uploaded and not adopted is ErrNotFound; so is adopting one that
//     was never uploaded. The error of the reader given to Upload comes back and
//     is not ErrUnavailable.
//   - A Tx that store.Tx does not allow is refused with an error that is none of
//     those of package store.
package storetest
