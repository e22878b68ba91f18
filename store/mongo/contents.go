package mongo

import (
	"context"
	"slices"

	"opendmp/store"
)

// applyContents inserts the contents up to the first whose upload is missing. An
// id that exists is told before a missing upload of the same content.
func (s *Store) applyContents(ctx context.Context, tx *store.Tx) error {
	if len(tx.Contents) == 0 {
		return nil
	}
	uploads, err := s.waiting(ctx, tx)
	if err != nil {
		return err
	}
	docs, adopted, missing := contentDocs(tx, uploads)
	if err := insert(ctx, s.contents, docs); err != nil {
		return duplicate(err, store.ErrDuplicate)
	}
	if missing {
		return store.ErrNotFound
	}
	if len(adopted) == 0 {
		return nil
	}
	_, err = s.uploads.DeleteMany(ctx, among(adopted))
	return err
}

// waiting finds the uploads that a Tx adopts, by id.
func (s *Store) waiting(ctx context.Context, tx *store.Tx) (map[string]uploadDoc, error) {
	var ids [][]byte
	for i := range tx.Contents {
		if c := &tx.Contents[i]; c.Sealed == nil {
			ids = append(ids, contentID(tx.Dossier, c.ID))
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := all[uploadDoc](s.uploads.Find(ctx, among(ids)))(ctx)
	uploads := make(map[string]uploadDoc, len(found))
	for _, u := range found {
		uploads[string(u.ID)] = u
	}
	return uploads, err
}

// contentDocs gives the documents to insert, up to and with the first whose upload
// is missing, and the ids of the uploads among them.
func contentDocs(tx *store.Tx, uploads map[string]uploadDoc) (docs []contentDoc, adopted [][]byte, missing bool) {
	for i := range tx.Contents {
		c := &tx.Contents[i]
		doc := contentDoc{ID: contentID(tx.Dossier, c.ID), Owner: slices.Clone(c.Owner[:]), Data: c.Sealed}
		if c.Sealed == nil {
			u, found := uploads[string(doc.ID)]
			if !found {
				return append(docs, doc), adopted, true
			}
			doc.Loose, doc.Chunks = u.Loose, u.Chunks
			adopted = append(adopted, doc.ID)
		}
		docs = append(docs, doc)
	}
	return docs, adopted, false
}
