// Package transfer copies a whole store into an empty one, of the same engine or
// another, and compares the two. It moves what is sealed as it is and needs no key.
//
// What it promises:
//
//   - A target is written only when it is empty, or holds an unfinished copy of the
//     same source. How far a copy has come is a state entry of the target, of kind
//     "copy", written in the same batch as what it tells of: a copy that was stopped,
//     in whatever way, goes on after the last batch that is there.
//   - The entry is there from the first write until both sides have been read whole
//     and found the same. Unfinished tells of it, so that no server starts on half a
//     copy: a document without the consent that hides it would be shown.
//   - A comparison reads every byte of both sides, contents included, and hashes the
//     items of each part in the order that both engines share.
//
// What it refuses: an empty source, which is more often a wrong address than a wish.
//
// Nothing may write to either side meanwhile. The embedded engine sees to that with
// its lock; MongoDB cannot, so the operator must.
package transfer
