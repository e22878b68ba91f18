// Package mongo is the engine of package store for production: a MongoDB replica
// set, or a sharded cluster of replica sets, version 6.0 or newer. Any number of
// processes may share one database.
//
// # What it keeps where
//
// Every identifier is a BSON binary of fixed length, every time an int64 of
// nanoseconds since 1970 UTC. A range of binaries of one length is a range of
// bytes, so the _id alone serves every read within a dossier. || is concatenation,
// be64 a big-endian integer with its sign flipped, so that bytes sort as numbers.
//
//	collection  _id                             other indexes          shard key
//	header      dossier                                                {_id: "hashed"}
//	row         dossier || row                                         {_id: 1}
//	version     dossier || row || be64 version                         {_id: 1}
//	content     dossier || content                                     {_id: 1}
//	upload      dossier || content              {at: 1}                {_id: 1}
//	loose       random                          {at: 1}                {_id: "hashed"}
//	chunk       loose || be32 number                                   {_id: 1}
//	claim       token                                                  {_id: "hashed"}
//	find        token || dossier || row                                {_id: 1}
//	wrapped     dossier || kind || be32 number                         {_id: 1}
//	event       dossier || be64 time || event   {a: 1, p: 1},          {_id: 1}
//	                                            {p: 1} where q
//	state       hex kind "/" hex key            {x: 1}, sparse         {_id: 1}
//	mark        random                          {at: 1}, expires       {_id: "hashed"}
//	meta        name                                                   not sharded
//	probe       random                                                 not sharded
//
// What must be unique is an _id, and the _id is the shard key: no unique index
// has to hold across shards. Identifiers are random and tokens are keyed hashes,
// so ranges of _id spread evenly, and in each collection what belongs to one dossier
// stays together. Only EventsOf, Pending, Collect and Dump ask all shards. Shard
// makes it so.
//
// The id of a state entry is a text because binaries sort by length first, which
// is not the order of StateList; hex keeps bytes apart whatever the collation.
//
// A backup of the data leaves out wrapped (mongodump --excludeCollection wrapped).
//
// # What it promises
//
//   - Commit is one transaction: read concern snapshot, write concern majority with
//     journal. When it returns nil, the commit survives the loss of a minority.
//   - A transaction that the server gave up (TransientTransactionError) runs again
//     as a whole, with jitter, until the deadline.
//   - A transaction leaves a mark. When the outcome of its commit is unknown, the
//     engine tries to insert the same mark, void, outside of it: either this
//     succeeds, and then the transaction can never commit and runs again, or the
//     mark is found, and tells.
//   - A Tx of one event, or of one state entry, without expected version is a
//     single write, which a server applies once however often the driver sends it.
//     A read is therefore recorded by one insert. Several events, and nothing else,
//     are one insert in a transaction whose mark is their own random ids.
//   - Header is read with read concern linearizable. A server that refuses it is
//     read at its primary with read concern majority, which is the same but for a
//     primary that has been replaced and does not know it yet; Linearizable tells.
//   - Rows are one snapshot, read in a transaction that is committed, so that all of
//     it is majority-committed. Everything else is read at the primary with read
//     concern majority, and sees each commit that returned.
//   - Behind a mongos all of this holds too, with two limits. A snapshot is as new as
//     anything that this process was answered before, not as what another process
//     was: who caches by Header, and reads it first, does not notice. And a commit of
//     several shards whose answer was lost, and that its mark settled, may be seen a
//     moment later by what is read with majority; Header and Rows wait for it.
//   - Every call ends within Options.Timeout, or with the deadline of its context
//     when that is earlier, and so does the server's part of it (maxTimeMS; a range
//     that is read ends with its connection). Upload, Content and Collect, which
//     are many calls, apply it to each. A database that is gone gives
//     store.ErrUnavailable.
//   - Errors carry sentences of this package and codes of the server, never texts
//     of the driver or the server: these may quote the URI or a document.
//
// # What it needs
//
// Servers that end transactions whose client is gone: mongod does so after
// transactionLifetimeLimitSeconds, 60 by default. Until then a process that was
// killed in the middle of a commit holds that one dossier, and commits to it are
// store.ErrUnavailable; ten seconds are enough for this package.
//
// # What it refuses
//
// To open, with one sentence for the operator: a server without transactions,
// found by a probe that writes, aborts and looks; an old server; a database of
// something else, or of a newer schema. To commit: what store.Tx does not allow,
// times outside the years 1678 to 2262, and documents larger than MongoDB's 16 MB.
//
// # Order inside a transaction
//
// Header, state entries, rows (erased, then put), tokens, contents, keys, events. What can be a
// store.ErrConflict is therefore looked at before what can be a
// store.ErrDuplicate: whoever decided on stale facts learns that first.
//
// # The life of an upload
//
// Chunks belong to nobody while their prefix is in loose. Upload enters a prefix
// there, writes the chunks, and moves it to upload in one transaction; Commit
// moves it from upload to content. Collect moves an old upload back to loose,
// marked dead, removes the chunks and then the prefix. Whatever stops in between,
// the next Collect goes on from there.
package mongo
