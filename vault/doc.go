// Package vault holds the keys of OpenDMP and seals with them everything that
// a store keeps.
//
// # Keys
//
//	root key                     a file, or another driver behind Root
//	├─ index key, cursor key     derived; outside the epochs
//	└─ epoch keys                random, kept wrapped by the root key
//	   └─ dossier keys           random, one data and one trace key, kept
//	      │                      wrapped by the epoch key (type Wrapped)
//	      └─ subkeys             HKDF-SHA-256, one per field, one for events
//	content keys                 random, one per content, kept by the caller
//	                             inside a sealed row
//
// Epoch and dossier keys are random and exist nowhere but wrapped, so that
// dropping the wrapped form destroys them: a dossier without its data key, and
// every older copy of its key once its epoch key is gone. The trace key is
// apart from the data key because the history of a dossier outlives it.
//
// # What is sealed, and how
//
// Every sealed form begins with a format byte (see format.go) and is
// AES-256-GCM. What the additional data binds is what an opener must name
// again: the dossier, and the row, version and field, or the event. A sealed
// blob moved to another place, or an older one put back, does not open.
// Contents are sealed in chunks (stream.go) so that one of any size opens in
// constant memory and a shortened or reordered one is noticed.
//
// # What it promises
//
// Opening returns what was sealed at that very place, or ErrOpen and nothing.
// ErrOpen has one wording: it does not tell a wrong key from a changed byte.
// Zero values refuse: a zero Vault, Ring or ContentKey opens nothing and seals
// nil, which IsSealed refuses, so that audit.Log.Commit cannot store it.
// A Vault keeps no key of a dossier; a Ring does, until Forget.
//
// # What it refuses
//
// To know what it seals; to write a key outside its directory; to start on a
// key file that others may read, that is garbled, or that lacks its other half.
package vault
