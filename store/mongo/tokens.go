package mongo

import (
	"context"
	"errors"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"opendmp/store"
)

// takenError is a claim that somebody holds. The transaction that met it is over,
// so the holder has to be looked up outside.
type takenError struct{ token store.Token }

func (e *takenError) Error() string { return "mongo: claim taken" }

// applyDrops removes claims that are held exactly so, and finds.
func (s *Store) applyDrops(ctx context.Context, tx *store.Tx) error {
	if len(tx.Drops) == 0 {
		return nil
	}
	claims := make([]driver.WriteModel, len(tx.Drops))
	finds := make([]driver.WriteModel, len(tx.Drops))
	for i := range tx.Drops {
		t := &tx.Drops[i]
		held := bson.D{{Key: "_id", Value: t.Token[:]}, {Key: "r", Value: refID(tx.Dossier, t.Row)}}
		claims[i] = driver.NewDeleteOneModel().SetFilter(held)
		finds[i] = driver.NewDeleteOneModel().SetFilter(byID(findID(t.Token, tx.Dossier, t.Row)))
	}
	if _, err := write(ctx, s.claims, claims); err != nil {
		return err
	}
	_, err := write(ctx, s.finds, finds)
	return err
}

// applyClaims inserts the claims up to the first that the Tx itself makes twice.
func (s *Store) applyClaims(ctx context.Context, tx *store.Tx) error {
	docs, twice := claimDocs(tx)
	err := insert(ctx, s.claims, docs)
	if at, ok := duplicateAt(err); ok {
		return &takenError{store.Token(docs[at].ID)}
	}
	if err == nil && twice != nil {
		return twice
	}
	return err
}

// claimDocs gives the claims before the first one made twice, and the refusal of
// that one.
func claimDocs(tx *store.Tx) (docs []claimDoc, twice error) {
	made := make(map[store.Token]store.RowKey, len(tx.Claims))
	for i := range tx.Claims {
		t := &tx.Claims[i]
		if row, again := made[t.Token]; again {
			return docs, &store.DuplicateError{Token: t.Token, Holder: store.Ref{Dossier: tx.Dossier, Row: row}}
		}
		made[t.Token] = t.Row
		docs = append(docs, claimDoc{ID: t.Token[:], Ref: refID(tx.Dossier, t.Row)})
	}
	return docs, nil
}

// holder names who holds a claim, or asks for another try.
func (s *Store) holder(ctx context.Context, taken *takenError) error {
	var d claimDoc
	err := s.claims.FindOne(ctx, byID(taken.token[:])).Decode(&d)
	if errors.Is(err, driver.ErrNoDocuments) {
		return errGone
	}
	if err != nil {
		return err
	}
	ref, err := refOf(d.Ref)
	if err != nil {
		return err
	}
	return &store.DuplicateError{Token: taken.token, Holder: ref}
}

// applyFinds puts the finds there, whether they are there or not.
func (s *Store) applyFinds(ctx context.Context, tx *store.Tx) error {
	models := make([]driver.WriteModel, len(tx.Finds))
	for i := range tx.Finds {
		d := findDoc{ID: findID(tx.Finds[i].Token, tx.Dossier, tx.Finds[i].Row)}
		models[i] = driver.NewReplaceOneModel().SetFilter(byID(d.ID)).SetReplacement(d).SetUpsert(true)
	}
	_, err := write(ctx, s.finds, models)
	return err
}

// Lookup implements store.Store. Both kinds are asked for at the same time.
func (s *Store) Lookup(ctx context.Context, t store.Token) ([]store.Ref, error) {
	var refs []store.Ref
	err := s.call(ctx, "lookup", func(ctx context.Context) error {
		var claims []claimDoc
		var claimed error
		var wg sync.WaitGroup
		wg.Go(func() { claims, claimed = all[claimDoc](s.claims.Find(ctx, byID(t[:])))(ctx) })
		finds, err := all[findDoc](s.finds.Find(ctx, beginning(t[:], sizeRef)))(ctx)
		wg.Wait()
		if err := errors.Join(claimed, err); err != nil {
			return err
		}
		refs, err = refsOf(claims, finds)
		return err
	})
	return refs, err
}

// refsOf joins both kinds. Who claims and finds by one token is one reference.
func refsOf(claims []claimDoc, finds []findDoc) ([]store.Ref, error) {
	ids := make([][]byte, 0, len(claims)+len(finds))
	for _, c := range claims {
		ids = append(ids, c.Ref)
	}
	for _, f := range finds {
		ids = append(ids, f.ID[sizeToken:])
	}
	var refs []store.Ref
	seen := make(map[store.Ref]bool, len(ids))
	for _, id := range ids {
		r, err := refOf(id)
		if err != nil {
			return nil, err
		}
		if !seen[r] {
			seen[r] = true
			refs = append(refs, r)
		}
	}
	return refs, nil
}
