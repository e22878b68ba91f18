package mongo

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"opendmp/store"
)

const (
	sizeDossier = len(store.Dossier{})
	sizeRow     = len(store.RowKey{})
	sizeToken   = len(store.Token{})
	sizeEvent   = len(store.EventID{})
	sizeInt64   = 8
	sizeInt32   = 4
	sizePlace   = sizeInt64 + sizeEvent
	sizeKeyName = 1 + sizeInt32 // kind and number of a wrapped key
	sizeRef     = sizeDossier + sizeRow
	sizeLoose   = 16
)

// be64 and be32 give integers as bytes that sort as the integers do.
func be64(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)^1<<63) }
func be32(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)^1<<31) }

func fromBE64(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ 1<<63) }
func fromBE32(b []byte) int32 { return int32(binary.BigEndian.Uint32(b) ^ 1<<31) }

func refID(d store.Dossier, r store.RowKey) []byte { return slices.Concat(d[:], r[:]) }

func refOf(id []byte) (store.Ref, error) {
	if len(id) != sizeRef {
		return store.Ref{}, errDamaged
	}
	return store.Ref{Dossier: store.Dossier(id[:sizeDossier]), Row: store.RowKey(id[sizeDossier:])}, nil
}

func versionID(d store.Dossier, r store.RowKey, version int64) []byte {
	return slices.Concat(d[:], r[:], be64(version))
}

func contentID(d store.Dossier, id store.ContentID) []byte { return slices.Concat(d[:], id[:]) }

func chunkID(loose []byte, n int32) []byte { return slices.Concat(loose, be32(n)) }

func findID(t store.Token, d store.Dossier, r store.RowKey) []byte {
	return slices.Concat(t[:], d[:], r[:])
}

func keyID(k *store.KeyRecord) []byte {
	return slices.Concat(k.Dossier[:], []byte{k.Kind}, be32(k.Number))
}

// place is where an event stands in any history, by time and then id.
func place(at int64, id store.EventID) []byte { return slices.Concat(be64(at), id[:]) }

// stateID keeps the order of keys within a kind. "/" sorts before the digits, so
// that a kind never runs into one that it begins.
func stateID(kind, key string) string {
	return hex.EncodeToString([]byte(kind)) + "/" + hex.EncodeToString([]byte(key))
}

// stateEnd is after every entry of a kind.
func stateEnd(kind string) string { return hex.EncodeToString([]byte(kind)) + "0" }

func stateKey(id string) (string, error) {
	_, key, _ := strings.Cut(id, "/")
	b, err := hex.DecodeString(key)
	return string(b), err
}

// beginning is the filter of every _id that begins with prefix and has rest bytes
// more. Both bounds have the length of the ids: shorter binaries sort first.
func beginning(prefix []byte, rest int) bson.D {
	return span(slices.Concat(prefix, make([]byte, rest)), slices.Concat(prefix, bytes.Repeat([]byte{0xff}, rest)))
}

func span(from, to []byte) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lte", Value: to}}}}
}

func byID(id any) bson.D { return bson.D{{Key: "_id", Value: id}} }

func among(ids [][]byte) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
}

func where(field, operator string, value any) bson.D {
	return bson.D{{Key: field, Value: bson.D{{Key: operator, Value: value}}}}
}
