package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Dumper is what an engine offers beside Store to be copied whole. It is apart
// from Store because it goes across dossiers: no server uses it.
type Dumper interface {
	// Dump yields the items after a place, in order of place; after the zero
	// Place, all. It is no snapshot: nothing may write meanwhile. Uploads that no
	// Commit adopted are not part of it. It returns an error, as its last element,
	// for a place that no item can have.
	Dump(ctx context.Context, after Place) iter.Seq2[Item, error]
}

// Loader is what an engine offers beside Store to be filled by a copy.
type Loader interface {
	// Load writes items exactly as they are, all or nothing; it is durable when it
	// returns nil. An item whose place is taken is ErrDuplicate, but a state entry,
	// which replaces the one there. A ContentItem without Sealed adopts a content
	// uploaded before, or is ErrNotFound. Nothing is looked at beyond that: an
	// engine that is being loaded is not yet one to serve.
	Load(ctx context.Context, items []Item) error
}

// Part is a kind of item. Parts are dumped, and should be loaded, in their order.
type Part uint8

// Parts of a dump. Headers are last: until its header is there, a dossier does
// not exist, so that half a copy shows no dossier without its blocks and consents.
const (
	Versions Part = iota + 1
	Rows
	Contents
	Claims
	Finds
	Keys
	Events
	States
	Headers
)

// Parts lists all parts in their order.
func Parts() []Part {
	return []Part{Versions, Rows, Contents, Claims, Finds, Keys, Events, States, Headers}
}

// String returns the English name.
func (p Part) String() string {
	names := [...]string{"versions", "rows", "contents", "claims", "finds", "keys", "events", "states", "headers"}
	if p < Versions || p > Headers {
		return fmt.Sprintf("part %d", uint8(p))
	}
	return names[p-1]
}

// Place is where an item stands in a dump: by Part, then by the bytes of Key. No
// two items of a store share one. With be64 and be32 for a big-endian integer whose
// sign is flipped, so that bytes sort as numbers do, and || for concatenation:
//
//	Versions  dossier || row || be64 version
//	Rows      dossier || row
//	Contents  dossier || content
//	Claims    token
//	Finds     token || dossier || row
//	Keys      dossier || kind || be32 number
//	Events    dossier || be64 nanoseconds since 1970 || event
//	States    hex kind "/" hex key
//	Headers   dossier
type Place struct {
	Part Part
	Key  string
}

// Pages yields what an engine dumps after p, part by part, as Dumper asks. page
// reads the items of one part that stand behind a key, in their order, a bounded
// number of them; none means that there are no more.
func (p Place) Pages(page func(part Part, key string) ([]Item, error)) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, part := range Parts() {
			if part < p.Part {
				continue
			}
			key := ""
			if part == p.Part {
				key = p.Key
			}
			if !dumpPart(part, key, page, yield) {
				return
			}
		}
	}
}

// dumpPart yields the items of a part behind a key, and reports whether to go on.
func dumpPart(part Part, key string, page func(Part, string) ([]Item, error), yield func(Item, error) bool) bool {
	for {
		items, err := page(part, key)
		if err != nil {
			yield(nil, err)
			return false
		}
		if len(items) == 0 {
			return true
		}
		for _, item := range items {
			if !yield(item, nil) {
				return false
			}
		}
		key = items[len(items)-1].Place().Key
	}
}

// Compare orders places: negative when p is before other.
func (p Place) Compare(other Place) int {
	if p.Part != other.Part {
		return int(p.Part) - int(other.Part)
	}
	return strings.Compare(p.Key, other.Key)
}

// Item is one record of an engine: a VersionItem, RowItem, ContentItem, ClaimItem,
// FindItem, KeyItem, EventItem, StateItem or HeaderItem.
type Item interface {
	Place() Place
	item()
}

// VersionItem is one kept version of a row with its body, also the current one.
type VersionItem struct {
	ID   RowID
	Kept Version
	Body []byte
}

// RowItem is the current row of a resource.
type RowItem struct{ Row }

// ContentItem is an adopted content. Sealed is nil for one that was uploaded: its
// bytes are read with Store.Content and written with Store.Upload.
type ContentItem struct {
	Dossier Dossier
	Content
}

// ClaimItem is a token that is unique.
type ClaimItem struct {
	Token Token
	Ref   Ref
}

// FindItem is a token that is not unique.
type FindItem struct {
	Token Token
	Ref   Ref
}

// KeyItem is a wrapped key. It is as useless without the vault's files as before.
type KeyItem struct{ KeyRecord }

// EventItem is an audit event; Pending tells that it has no number yet.
type EventItem struct {
	Event
	Pending bool
}

// StateItem is a state entry, also one whose time has passed. Rev is the revision
// it has.
type StateItem struct{ StateEntry }

// HeaderItem is the header of a dossier, with its version.
type HeaderItem struct {
	Dossier Dossier
	Header  Header
}

// Place implements Item.
func (i VersionItem) Place() Place {
	return Place{Versions, string(be64(slices.Concat(i.ID.Dossier[:], i.ID.Row[:]), i.Kept.Version))}
}

// Place implements Item.
func (i RowItem) Place() Place {
	return Place{Rows, string(slices.Concat(i.ID.Dossier[:], i.ID.Row[:]))}
}

// Place implements Item.
func (i ContentItem) Place() Place {
	return Place{Contents, string(slices.Concat(i.Dossier[:], i.ID[:]))}
}

// Place implements Item.
func (i ClaimItem) Place() Place { return Place{Claims, string(i.Token[:])} }

// Place implements Item.
func (i FindItem) Place() Place {
	return Place{Finds, string(slices.Concat(i.Token[:], i.Ref.Dossier[:], i.Ref.Row[:]))}
}

// Place implements Item.
func (i KeyItem) Place() Place {
	number := binary.BigEndian.AppendUint32(nil, uint32(i.Number)^1<<31)
	return Place{Keys, string(slices.Concat(i.Dossier[:], []byte{i.Kind}, number))}
}

// Place implements Item. An event has a time between the years 1678 and 2262:
// engines accept no other.
func (i EventItem) Place() Place {
	return Place{Events, string(append(be64(i.Dossier[:], i.Recorded.UnixNano()), i.ID[:]...))}
}

// Place implements Item.
func (i StateItem) Place() Place {
	return Place{States, hex.EncodeToString([]byte(i.Kind)) + "/" + hex.EncodeToString([]byte(i.Key))}
}

// Place implements Item.
func (i HeaderItem) Place() Place { return Place{Headers, string(i.Dossier[:])} }

func be64(prefix []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(slices.Clip(prefix), uint64(n)^1<<63)
}

func (VersionItem) item() {}
func (RowItem) item()     {}
func (ContentItem) item() {}
func (ClaimItem) item()   {}
func (FindItem) item()    {}
func (KeyItem) item()     {}
func (EventItem) item()   {}
func (StateItem) item()   {}
func (HeaderItem) item()  {}
