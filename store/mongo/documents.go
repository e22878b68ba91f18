package mongo

import "time"

// The documents, field by field. Names are short because each document carries
// them; ids are described in doc.go.

type headerDoc struct {
	ID      []byte `bson:"_id"`
	Version int64  `bson:"v"`
	State   uint8  `bson:"s"`
	Key     int32  `bson:"k"`
}

type rowDoc struct {
	ID      []byte `bson:"_id"`
	Version int64  `bson:"v"`
	Type    []byte `bson:"t"`
	Updated int64  `bson:"u"`
	Deleted bool   `bson:"d"`
	Summary []byte `bson:"s"`
}

type versionDoc struct {
	ID      []byte `bson:"_id"`
	Updated int64  `bson:"u"`
	Deleted bool   `bson:"d"`
	Summary []byte `bson:"s"`
	Body    []byte `bson:"b"`
}

// contentDoc holds its bytes, or says which chunks do.
type contentDoc struct {
	ID     []byte `bson:"_id"`
	Owner  []byte `bson:"o"`
	Data   []byte `bson:"d,omitempty"`
	Loose  []byte `bson:"l,omitempty"` // prefix of the chunks; absent for a content inside
	Chunks int32  `bson:"n,omitempty"`
}

type uploadDoc struct {
	ID     []byte `bson:"_id"`
	Loose  []byte `bson:"l"`
	Chunks int32  `bson:"n"`
	At     int64  `bson:"at"`
}

// looseDoc is a prefix whose chunks belong to no upload and no content: they are
// being written, or, when dead, being removed.
type looseDoc struct {
	ID   []byte `bson:"_id"`
	At   int64  `bson:"at"`
	Dead bool   `bson:"dead,omitempty"`
}

type chunkDoc struct {
	ID   []byte `bson:"_id"`
	Data []byte `bson:"d"`
}

type claimDoc struct {
	ID  []byte `bson:"_id"`
	Ref []byte `bson:"r"` // dossier || row
}

// findDoc is all in its id.
type findDoc struct {
	ID []byte `bson:"_id"`
}

type keyDoc struct {
	ID      []byte `bson:"_id"`
	Epoch   int32  `bson:"e"`
	Wrapped []byte `bson:"w"`
}

type eventDoc struct {
	ID      []byte `bson:"_id"`
	Actor   []byte `bson:"a"`
	Place   []byte `bson:"p"` // be64 time || event, as in the id
	Class   uint8  `bson:"c"`
	Sealed  []byte `bson:"s"`
	Pending bool   `bson:"q,omitempty"` // no number yet
}

type stateDoc struct {
	ID      string `bson:"_id"`
	Value   []byte `bson:"v"`
	Expires *int64 `bson:"x,omitempty"` // absent: never
	Rev     int64  `bson:"r"`
}

// markDoc tells that a transaction was committed or, when void, never will be. Its
// time is a BSON date, the only one, and real: the server removes it by its own
// clock (TTL index).
type markDoc struct {
	ID   []byte    `bson:"_id"`
	At   time.Time `bson:"at"`
	Void bool      `bson:"void,omitempty"`
}

// schemaDoc is the document of meta that says what the collections hold.
type schemaDoc struct {
	ID string `bson:"_id"`
	// Version is the newest schema that was made.
	Version int `bson:"version"`
	// Oldest is the schema that a program must know at least to write here. While
	// a new version is rolled out, it stays behind Version.
	Oldest int `bson:"oldest"`
}

type probeDoc struct {
	ID []byte `bson:"_id"`
}

// filled keeps an empty value apart from none: nil would be stored as null.
func filled(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
