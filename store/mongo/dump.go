package mongo

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"opendmp/store"
)

var (
	_ store.Dumper = (*Store)(nil)
	_ store.Loader = (*Store)(nil)
)

// dumpItems bounds a page of a dump; so does what a server sends at once, 16 MB.
const dumpItems = 1000

// Dump implements store.Dumper. The key of a place is the _id of its document. A
// page is one command, so that a slow consumer holds up no cursor.
func (s *Store) Dump(ctx context.Context, after store.Place) iter.Seq2[store.Item, error] {
	parts := s.parts()
	return after.Pages(func(part store.Part, key string) ([]store.Item, error) {
		return s.dumpPage(ctx, parts[part], part, key)
	})
}

func (s *Store) dumpPage(ctx context.Context, p dumped, part store.Part, key string) (page []store.Item, err error) {
	if key != "" && p.size != 0 && len(key) != p.size {
		return nil, fmt.Errorf("mongo: no such place in a dump: %v", part)
	}
	err = s.call(ctx, "dump", func(ctx context.Context) (err error) {
		page, err = p.read(ctx, key)
		return err
	})
	return page, err
}

// dumped is how a part is read: size is that of its keys in bytes, 0 for a text.
type dumped struct {
	size int
	read func(ctx context.Context, key string) ([]store.Item, error)
}

func (s *Store) parts() map[store.Part]dumped {
	return map[store.Part]dumped{
		store.Versions: {sizeRef + sizeInt64, pageOf(s.versions, versionItem)},
		store.Rows:     {sizeRef, pageOf(s.rows, rowItem)},
		store.Contents: {sizeRef, pageOf(s.contents, contentItem)},
		store.Claims:   {sizeToken, pageOf(s.claims, claimItem)},
		store.Finds:    {sizeToken + sizeRef, pageOf(s.finds, findItem)},
		store.Keys:     {sizeDossier + sizeKeyName, pageOf(s.wrapped, keyItem)},
		store.Events:   {sizeDossier + sizePlace, pageOf(s.events, eventItem)},
		store.States:   {0, pageOf(s.states, stateItem)},
		store.Headers:  {sizeDossier, pageOf(s.headers, headerItem)},
	}
}

// pageOf reads the documents after a key that a server sends at once.
func pageOf[T any](c *driver.Collection, item func(*T) (store.Item, error)) func(context.Context, string) ([]store.Item, error) {
	return func(ctx context.Context, key string) (page []store.Item, err error) {
		filter := bson.D{}
		switch {
		case key != "" && c.Name() == "state":
			filter = where("_id", "$gt", key)
		case key != "":
			filter = where("_id", "$gt", []byte(key))
		}
		found, err := c.Find(ctx, filter, options.Find().SetSort(sorted("_id", up)).SetLimit(dumpItems).SetBatchSize(dumpItems))
		if err != nil {
			return nil, err
		}
		defer found.Close(context.WithoutCancel(ctx))
		for found.RemainingBatchLength() > 0 && found.Next(ctx) {
			var doc T
			if err := found.Decode(&doc); err != nil {
				return nil, err
			}
			i, err := item(&doc)
			if err != nil {
				return nil, err
			}
			page = append(page, i)
		}
		return page, found.Err()
	}
}

func versionItem(d *versionDoc) (store.Item, error) {
	if len(d.ID) != sizeRef+sizeInt64 {
		return nil, errDamaged
	}
	ref, err := refOf(d.ID[:sizeRef])
	return store.VersionItem{ID: store.RowID(ref), Kept: versionsOf([]versionDoc{*d})[0], Body: d.Body}, err
}

func rowItem(d *rowDoc) (store.Item, error) {
	rows, err := rowsOf([]rowDoc{*d})
	if err != nil {
		return nil, err
	}
	return store.RowItem{Row: rows[0]}, nil
}

func contentItem(d *contentDoc) (store.Item, error) {
	ref, err := refOf(d.ID)
	if err != nil || len(d.Owner) != sizeRow {
		return nil, errDamaged
	}
	c := store.Content{ID: store.ContentID(ref.Row), Owner: store.RowKey(d.Owner)}
	if d.Loose == nil {
		c.Sealed = filled(d.Data)
	}
	return store.ContentItem{Dossier: ref.Dossier, Content: c}, nil
}

func claimItem(d *claimDoc) (store.Item, error) {
	if len(d.ID) != sizeToken {
		return nil, errDamaged
	}
	ref, err := refOf(d.Ref)
	return store.ClaimItem{Token: store.Token(d.ID), Ref: ref}, err
}

func findItem(d *findDoc) (store.Item, error) {
	if len(d.ID) != sizeToken+sizeRef {
		return nil, errDamaged
	}
	ref, err := refOf(d.ID[sizeToken:])
	return store.FindItem{Token: store.Token(d.ID[:sizeToken]), Ref: ref}, err
}

func keyItem(d *keyDoc) (store.Item, error) {
	if len(d.ID) != sizeDossier+sizeKeyName {
		return nil, errDamaged
	}
	name := d.ID[sizeDossier:]
	return store.KeyItem{KeyRecord: store.KeyRecord{
		Dossier: store.Dossier(d.ID[:sizeDossier]), Kind: name[0], Number: fromBE32(name[1:]), Epoch: d.Epoch, Wrapped: d.Wrapped,
	}}, nil
}

func eventItem(d *eventDoc) (store.Item, error) {
	e, err := eventOf(d)
	return store.EventItem{Event: e, Pending: d.Pending}, err
}

func stateItem(d *stateDoc) (store.Item, error) {
	first, _, _ := strings.Cut(d.ID, "/")
	kind, err := hex.DecodeString(first)
	if err != nil {
		return nil, errDamaged
	}
	key, err := stateKey(d.ID)
	if err != nil {
		return nil, errDamaged
	}
	return store.StateItem{StateEntry: entryOf(string(kind), key, d)}, nil
}

func headerItem(d *headerDoc) (store.Item, error) {
	if len(d.ID) != sizeDossier {
		return nil, errDamaged
	}
	return store.HeaderItem{Dossier: store.Dossier(d.ID), Header: store.Header{
		Version: d.Version, State: store.State(d.State), Key: d.Key,
	}}, nil
}

// Load implements store.Loader, in one transaction.
func (s *Store) Load(ctx context.Context, items []store.Item) error {
	l, err := loadOf(items)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return nil
	}
	return s.call(ctx, "load", func(ctx context.Context) error {
		return s.transact(ctx, func(ctx context.Context) error { return s.load(ctx, l) })
	})
}

// load is the documents of a batch.
type load struct {
	versions []versionDoc
	rows     []rowDoc
	contents []contentDoc        // with their bytes inside
	adopted  []store.ContentItem // uploaded before
	claims   []claimDoc
	finds    []findDoc
	keys     []keyDoc
	events   []eventDoc
	states   []driver.WriteModel
	headers  []headerDoc
}

// loadOf sorts a batch by collection, and refuses what no document can hold.
func loadOf(items []store.Item) (*load, error) {
	l := &load{}
	for _, item := range items {
		if err := checkItem(item); err != nil {
			return nil, err
		}
		l.add(item)
	}
	return l, nil
}

func checkItem(item store.Item) error {
	switch i := item.(type) {
	case store.VersionItem:
		return checkPuts(&store.Tx{Puts: []store.Put{{Updated: i.Kept.Updated, Summary: i.Kept.Summary, Body: i.Body}}})
	case store.RowItem:
		return checkPuts(&store.Tx{Puts: []store.Put{{Type: i.Type, Updated: i.Updated, Summary: i.Summary}}})
	case store.ContentItem:
		return checkContents(&store.Tx{Contents: []store.Content{i.Content}})
	case store.KeyItem:
		return checkSize(len(i.Wrapped))
	case store.EventItem:
		return checkEvents(&store.Tx{Events: []store.Event{i.Event}})
	case store.StateItem:
		return checkState(&store.Tx{State: []store.StateEntry{i.StateEntry}})
	}
	return nil
}

func (l *load) add(item store.Item) {
	id := []byte(item.Place().Key)
	switch i := item.(type) {
	case store.VersionItem:
		k := &i.Kept
		l.versions = append(l.versions, versionDoc{ID: id, Updated: nanos(k.Updated), Deleted: k.Deleted, Summary: filled(k.Summary), Body: filled(i.Body)})
	case store.RowItem:
		l.rows = append(l.rows, rowDoc{ID: id, Version: i.Version, Type: []byte(i.Type), Updated: nanos(i.Updated), Deleted: i.Deleted, Summary: filled(i.Summary)})
	case store.ContentItem:
		if i.Sealed == nil {
			l.adopted = append(l.adopted, i)
			break
		}
		l.contents = append(l.contents, contentDoc{ID: id, Owner: slices.Clone(i.Owner[:]), Data: i.Sealed})
	case store.ClaimItem:
		l.claims = append(l.claims, claimDoc{ID: id, Ref: refID(i.Ref.Dossier, i.Ref.Row)})
	case store.FindItem:
		l.finds = append(l.finds, findDoc{ID: id})
	case store.KeyItem:
		l.keys = append(l.keys, keyDoc{ID: id, Epoch: i.Epoch, Wrapped: filled(i.Wrapped)})
	case store.EventItem:
		e := docOfEvent(&i.Event)
		e.ID, e.Actor = id, slices.Clone(e.Actor)
		e.Pending = i.Pending
		l.events = append(l.events, e)
	case store.StateItem:
		l.states = append(l.states, stateModel(&i.StateEntry))
	case store.HeaderItem:
		l.headers = append(l.headers, headerDoc{ID: id, Version: i.Header.Version, State: uint8(i.Header.State), Key: i.Header.Key})
	}
}

// stateModel puts an entry there with the revision it has.
func stateModel(e *store.StateEntry) driver.WriteModel {
	d := stateDoc{ID: stateID(e.Kind, e.Key), Value: filled(e.Value), Rev: e.Rev}
	if !e.Expires.IsZero() {
		at := nanos(e.Expires)
		d.Expires = &at
	}
	return driver.NewReplaceOneModel().SetFilter(byID(d.ID)).SetReplacement(d).SetUpsert(true)
}

func (s *Store) load(ctx context.Context, l *load) error {
	if _, err := write(ctx, s.states, l.states); err != nil {
		return err
	}
	for _, insert := range []func() error{
		func() error { return insert(ctx, s.versions, l.versions) },
		func() error { return insert(ctx, s.rows, l.rows) },
		func() error { return insert(ctx, s.contents, l.contents) },
		func() error { return insert(ctx, s.claims, l.claims) },
		func() error { return insert(ctx, s.finds, l.finds) },
		func() error { return insert(ctx, s.wrapped, l.keys) },
		func() error { return insert(ctx, s.events, l.events) },
		func() error { return insert(ctx, s.headers, l.headers) },
	} {
		if err := duplicate(insert(), store.ErrDuplicate); err != nil {
			return err
		}
	}
	for i := range l.adopted {
		c := &l.adopted[i]
		if err := s.applyContents(ctx, &store.Tx{Dossier: c.Dossier, Contents: []store.Content{c.Content}}); err != nil {
			return err
		}
	}
	return nil
}
