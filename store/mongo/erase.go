package mongo

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"opendmp/store"
)

// applyErase removes rows with their versions and contents. Chunks go the way of
// an upload that was given up: their prefixes are loose and dead from here on, and
// Collect removes them.
func (s *Store) applyErase(ctx context.Context, tx *store.Tx) error {
	if len(tx.Erase) == 0 {
		return nil
	}
	refs, owners := make([][]byte, len(tx.Erase)), make([][]byte, len(tx.Erase))
	versions := make([]driver.WriteModel, len(tx.Erase))
	for i, r := range tx.Erase {
		refs[i], owners[i] = refID(tx.Dossier, r), slices.Clone(r[:])
		versions[i] = driver.NewDeleteManyModel().SetFilter(beginning(refs[i], sizeInt64))
	}
	if _, err := s.rows.DeleteMany(ctx, among(refs)); err != nil {
		return err
	}
	if _, err := write(ctx, s.versions, versions); err != nil {
		return err
	}
	return s.eraseContents(ctx, tx.Dossier, owners)
}

func (s *Store) eraseContents(ctx context.Context, d store.Dossier, owners [][]byte) error {
	owned := append(beginning(d[:], sizeRow), where("o", "$in", owners)...)
	kept := options.Find().SetProjection(bson.D{{Key: "l", Value: 1}})
	found, err := all[contentDoc](s.contents.Find(ctx, owned, kept))(ctx)
	if err != nil || len(found) == 0 {
		return err
	}
	var dead []looseDoc
	for _, c := range found {
		if c.Loose != nil {
			dead = append(dead, looseDoc{ID: c.Loose, At: nanos(s.now()), Dead: true})
		}
	}
	if err := insert(ctx, s.loose, dead); err != nil {
		return err
	}
	_, err = s.contents.DeleteMany(ctx, owned)
	return err
}
