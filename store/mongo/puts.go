package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"opendmp/store"
)

// change is what a Tx does to one row: it replaces version base (0: none) by that
// of last.
type change struct {
	base int64
	last *store.Put
}

// changes folds the puts of each row into one change. A row whose versions do not
// follow each other is store.ErrConflict.
func changes(puts []store.Put) ([]change, error) {
	place := make(map[store.RowKey]int, len(puts))
	var list []change
	for i := range puts {
		p := &puts[i]
		n, seen := place[p.Row]
		switch {
		case p.Version < 1, seen && p.Version != list[n].last.Version+1:
			return nil, store.ErrConflict
		case seen:
			list[n].last = p
		default:
			place[p.Row] = len(list)
			list = append(list, change{p.Version - 1, p})
		}
	}
	return list, nil
}

// applyPuts compares and swaps the current rows, and adds the versions. Nothing
// but the rows has to be compared: who has version n has all before it.
func (s *Store) applyPuts(ctx context.Context, tx *store.Tx) error {
	list, err := changes(tx.Puts)
	if err != nil {
		return err
	}
	var created []rowDoc
	var replaced []driver.WriteModel
	for _, c := range list {
		doc := docOfRow(tx.Dossier, c.last)
		if c.base == 0 {
			created = append(created, doc)
			continue
		}
		at := bson.D{{Key: "_id", Value: doc.ID}, {Key: "v", Value: c.base}}
		replaced = append(replaced, driver.NewReplaceOneModel().SetFilter(at).SetReplacement(doc))
	}
	if err := insert(ctx, s.rows, created); err != nil {
		return duplicate(err, store.ErrConflict)
	}
	n, err := write(ctx, s.rows, replaced)
	if err == nil && n != int64(len(replaced)) {
		return store.ErrConflict
	}
	if err != nil {
		return err
	}
	return insert(ctx, s.versions, docsOfVersions(tx))
}

func docOfRow(d store.Dossier, p *store.Put) rowDoc {
	return rowDoc{
		ID:      refID(d, p.Row),
		Version: p.Version,
		Type:    []byte(p.Type),
		Updated: nanos(p.Updated),
		Deleted: p.Deleted,
		Summary: filled(p.Summary),
	}
}

func docsOfVersions(tx *store.Tx) []versionDoc {
	docs := make([]versionDoc, len(tx.Puts))
	for i := range tx.Puts {
		p := &tx.Puts[i]
		docs[i] = versionDoc{
			ID:      versionID(tx.Dossier, p.Row, p.Version),
			Updated: nanos(p.Updated),
			Deleted: p.Deleted,
			Summary: filled(p.Summary),
			Body:    filled(p.Body),
		}
	}
	return docs
}
