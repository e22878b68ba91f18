package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"opendmp/store"
)

// Errors of Copy, beside those of the engines.
var (
	// ErrEmpty: the source holds nothing.
	ErrEmpty = errors.New("there is nothing to copy: the source is empty")
	// ErrNotEmpty: the target holds something that is no unfinished copy.
	ErrNotEmpty = errors.New("the target is not empty")
	// ErrOther: the target holds an unfinished copy of something else.
	ErrOther = errors.New("the target holds an unfinished copy of another store, or the source has changed since: empty the target and begin again")
	// ErrDiffers: what was copied is not what is there.
	ErrDiffers = errors.New("the copy differs from its source, which was perhaps still in use: empty the target and begin again")
)

// Engine is what both sides must be.
type Engine interface {
	store.Store
	store.Dumper
	store.Loader
}

// The state entry of a target that tells how far a copy has come.
const (
	entryKind = "copy"
	entryKey  = "progress"
)

// A batch is loaded in one transaction. It ends after so many items, or with the
// item that makes it so many bytes.
const (
	batchItems = 500
	batchBytes = 4 << 20
)

// Progress is told now and then how much is done, from 0 to 1, by an estimate.
type Progress func(done float64)

// progress is the value of the entry.
type progress struct {
	// Source is the digest of the first item of the source.
	Source []byte     `json:"source"`
	Part   store.Part `json:"part"`
	Key    []byte     `json:"key"`
}

func (p *progress) item() (store.Item, error) {
	value, err := json.Marshal(p)
	return store.StateItem{StateEntry: store.StateEntry{Kind: entryKind, Key: entryKey, Value: value, Rev: 1}}, err
}

// Unfinished tells whether a store is a copy that was not finished.
func Unfinished(ctx context.Context, st store.Store) (bool, error) {
	_, err := st.State(ctx, entryKind, entryKey)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Copy fills a target, or goes on filling it, and returns how many items it wrote.
// The target stays unfinished until Finish.
func Copy(ctx context.Context, from, to Engine, told Progress) (written int, err error) {
	source, err := sourceOf(ctx, from)
	if err != nil {
		return 0, err
	}
	at, err := resume(ctx, to, source)
	if err != nil {
		return 0, err
	}
	b := batch{to: to, at: at}
	for item, err := range from.Dump(ctx, store.Place{Part: at.Part, Key: string(at.Key)}) {
		if err != nil {
			return written, fmt.Errorf("the source: %w", err)
		}
		if err := carry(ctx, from, to, item); err != nil {
			return written, err
		}
		if b.add(item) {
			n, err := b.load(ctx)
			if written += n; err != nil {
				return written, err
			}
			told(share(item.Place()))
		}
	}
	n, err := b.load(ctx)
	return written + n, err
}

// Finish compares both sides and, when they are the same, makes the target one to
// serve. Otherwise it returns ErrDiffers.
func Finish(ctx context.Context, from, to Engine, told Progress) (Report, error) {
	r, err := Compare(ctx, from, to, told)
	if err != nil {
		return r, err
	}
	if !r.Same() {
		return r, ErrDiffers
	}
	entry := store.StateEntry{Kind: entryKind, Key: entryKey}
	return r, to.Commit(ctx, store.Tx{Expect: store.Any, Unset: []store.StateEntry{entry}})
}

// sourceOf tells a source by its first item, whose id is random.
func sourceOf(ctx context.Context, from Engine) ([]byte, error) {
	for item, err := range from.Dump(ctx, store.Place{}) {
		if err != nil {
			return nil, fmt.Errorf("the source: %w", err)
		}
		sum := sha256.Sum256(record(item))
		return sum[:], nil
	}
	return nil, ErrEmpty
}

// resume finds where a copy stopped, or begins one in an empty target.
func resume(ctx context.Context, to Engine, source []byte) (*progress, error) {
	entry, err := to.State(ctx, entryKind, entryKey)
	if errors.Is(err, store.ErrNotFound) {
		return begin(ctx, to, source)
	}
	if err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	at := &progress{}
	if err := json.Unmarshal(entry.Value, at); err != nil {
		return nil, fmt.Errorf("%w: its entry is garbled", ErrOther)
	}
	if string(at.Source) != string(source) {
		return nil, ErrOther
	}
	return at, nil
}

// begin enters a copy in an empty target before anything else.
func begin(ctx context.Context, to Engine, source []byte) (*progress, error) {
	for _, err := range to.Dump(ctx, store.Place{}) {
		if err != nil {
			return nil, fmt.Errorf("the target: %w", err)
		}
		return nil, ErrNotEmpty
	}
	at := &progress{Source: source}
	entry, err := at.item()
	if err != nil {
		return nil, err
	}
	return at, to.Load(ctx, []store.Item{entry})
}

// carry copies the bytes of a content that was uploaded. One that is there already
// was carried before the copy stopped: an upload is whole or absent.
func carry(ctx context.Context, from, to Engine, item store.Item) error {
	c, ok := item.(store.ContentItem)
	if !ok || c.Sealed != nil {
		return nil
	}
	r, err := from.Content(ctx, c.Dossier, c.ID)
	if err != nil {
		return fmt.Errorf("the source: %w", err)
	}
	err = to.Upload(ctx, c.Dossier, c.ID, r)
	if errors.Is(err, store.ErrDuplicate) {
		err = nil
	}
	return errors.Join(err, r.Close())
}

// batch is what is loaded at once.
type batch struct {
	to    Engine
	at    *progress
	items []store.Item
	bytes int
}

// add reports whether the batch is full.
func (b *batch) add(item store.Item) bool {
	b.items = append(b.items, item)
	b.bytes += len(record(item))
	return len(b.items) >= batchItems || b.bytes >= batchBytes
}

// load writes the batch and where it ends.
func (b *batch) load(ctx context.Context) (int, error) {
	n := len(b.items)
	if n == 0 {
		return 0, nil
	}
	last := b.items[n-1].Place()
	b.at.Part, b.at.Key = last.Part, []byte(last.Key)
	entry, err := b.at.item()
	if err != nil {
		return 0, err
	}
	if err := b.to.Load(ctx, append(b.items, entry)); err != nil {
		return 0, fmt.Errorf("the target: %w", err)
	}
	b.items, b.bytes = nil, 0
	return n, nil
}

// share estimates how much of a store is before a place: parts count the same, and
// within one the keys are spread evenly, as they are random.
func share(p store.Place) float64 {
	within := 0.0
	if len(p.Key) >= 2 {
		within = (float64(p.Key[0])*256 + float64(p.Key[1])) / 65536
	}
	return (float64(p.Part-1) + within) / float64(len(store.Parts()))
}
