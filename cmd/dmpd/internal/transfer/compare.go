package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"sync"
	"time"

	"opendmp/store"
)

// Sum is what one side holds of a part.
type Sum struct {
	Items  int64
	Bytes  int64 // of the items and of the contents that they name
	Digest [sha256.Size]byte
}

// Line is what both sides hold of a part.
type Line struct {
	Part     store.Part
	From, To Sum
}

// Report is a comparison, part by part.
type Report []Line

// Same tells whether both sides hold the same, and says no of an empty report.
func (r Report) Same() bool {
	for _, l := range r {
		if l.From != l.To {
			return false
		}
	}
	return len(r) > 0
}

// Compare reads both sides whole, at the same time.
func Compare(ctx context.Context, from, to Engine, told Progress) (Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sums [2][]Sum
	var errs [2]error
	var wg sync.WaitGroup
	for n, side := range []Engine{from, to} {
		tell := told
		if n > 0 {
			tell = func(float64) {} // both are as far, more or less
		}
		wg.Go(func() {
			if sums[n], errs[n] = sumsOf(ctx, side, tell); errs[n] != nil {
				cancel() // no use in reading the other to its end
			}
		})
	}
	wg.Wait()
	if err := errors.Join(named("source", errs[0]), named("target", errs[1])); err != nil {
		return nil, err
	}
	var r Report
	for n, part := range store.Parts() {
		r = append(r, Line{part, sums[0][n], sums[1][n]})
	}
	return r, nil
}

func named(side string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the %s: %w", side, err)
}

// sumsOf reads one side, in the order of store.Parts.
func sumsOf(ctx context.Context, side Engine, told Progress) ([]Sum, error) {
	sums := make([]Sum, len(store.Parts()))
	hashes := make([]hash.Hash, len(sums))
	for n := range hashes {
		hashes[n] = sha256.New()
	}
	count := 0
	for item, err := range side.Dump(ctx, store.Place{}) {
		if err != nil {
			return nil, err
		}
		if isProgress(item) {
			continue
		}
		n := item.Place().Part - 1
		if err := sums[n].take(ctx, hashes[n], side, item); err != nil {
			return nil, err
		}
		if count++; count%batchItems == 0 {
			told(share(item.Place()))
		}
	}
	for n, h := range hashes {
		h.Sum(sums[n].Digest[:0])
	}
	return sums, nil
}

func isProgress(item store.Item) bool {
	s, ok := item.(store.StateItem)
	return ok && s.Kind == entryKind && s.Key == entryKey
}

// take counts and hashes an item, and the bytes of a content that it names.
func (s *Sum) take(ctx context.Context, h hash.Hash, side Engine, item store.Item) error {
	r := record(item)
	s.Items++
	s.Bytes += int64(len(r))
	h.Write(r)
	c, ok := item.(store.ContentItem)
	if !ok || c.Sealed != nil {
		return nil
	}
	content, err := side.Content(ctx, c.Dossier, c.ID)
	if err != nil {
		return err
	}
	n, err := io.Copy(h, content)
	s.Bytes += n
	h.Write(number(nil, n))
	return errors.Join(err, content.Close())
}

// record gives the bytes that stand for an item: each field with its length, so
// that no two items have the same.
func record(item store.Item) []byte {
	p := item.Place()
	b := field(number(nil, int64(p.Part)), []byte(p.Key))
	switch i := item.(type) {
	case store.VersionItem:
		k := &i.Kept
		return field(field(truth(moment(b, k.Updated), k.Deleted), k.Summary), i.Body)
	case store.RowItem:
		return field(field(truth(moment(number(b, i.Version), i.Updated), i.Deleted), i.Summary), []byte(i.Type))
	case store.ContentItem:
		return field(truth(field(b, i.Owner[:]), i.Sealed == nil), i.Sealed)
	case store.ClaimItem:
		return field(field(b, i.Ref.Dossier[:]), i.Ref.Row[:])
	case store.FindItem:
		return b // all in its place
	case store.KeyItem:
		return field(number(b, int64(i.Epoch)), i.Wrapped)
	case store.EventItem:
		return field(field(number(truth(b, i.Pending), int64(i.Class)), i.Actor[:]), i.Sealed)
	case store.StateItem:
		return field(moment(number(b, i.Rev), i.Expires), i.Value)
	case store.HeaderItem:
		return number(number(number(b, i.Header.Version), int64(i.Header.State)), int64(i.Header.Key))
	}
	panic(fmt.Sprintf("transfer: no item: %T", item))
}

func number(b []byte, n int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(n)) }

func field(b, value []byte) []byte { return append(number(b, int64(len(value))), value...) }

func truth(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// moment tells the zero time, which has no nanoseconds since 1970, from all others.
func moment(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return number(b, math.MinInt64)
	}
	return number(b, t.UnixNano())
}
