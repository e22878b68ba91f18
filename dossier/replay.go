package dossier

import (
	"context"
	"net/http"

	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// knownPush looks for the documents of a submission among what the same source
// pushed before. It returns the rows of that push when the submission is the
// same, nil when it is new, and ErrConflict otherwise.
func (c *call) knownPush(ctx context.Context, d *loaded, sub *submission) ([]*row, error) {
	var push [16]byte
	known := 0
	for _, doc := range sub.docs {
		r, err := c.holder(ctx, d, doc.idents)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		known++
		if r.deleted || r.digest != doc.digest || known > 1 && r.push != push {
			return nil, ErrConflict
		}
		push = r.push
	}
	switch known {
	case 0:
		return nil, nil
	case len(sub.docs):
		return d.pushed(push), nil
	}
	return nil, ErrConflict
}

// holder returns the document of the same source that has one of the
// identifiers; a deleted row without anything else if it was destroyed. The token
// is made of the source, so that it can only be the caller's own.
func (c *call) holder(ctx context.Context, d *loaded, idents []fhir.Ident) (*row, error) {
	for _, i := range idents {
		refs, err := c.store.Lookup(ctx, c.documentToken(d.id, c.source(), i))
		if err != nil {
			return nil, err
		}
		for _, ref := range refs {
			if ref.Row == tombstone {
				return &row{deleted: true}, nil
			}
			if r := d.byKey(ref.Row); r != nil {
				return r, nil
			}
			return nil, store.ErrConflict // committed after d was loaded
		}
	}
	return nil, nil
}

func (d *loaded) byKey(key store.RowKey) *row {
	for _, r := range d.rows {
		if r.key == key {
			return r
		}
	}
	return nil
}

// pushed returns the rows that one request created.
func (d *loaded) pushed(push [16]byte) []*row {
	var out []*row
	for _, r := range d.rows {
		if r.push == push {
			out = append(out, r)
		}
	}
	return out
}

// replay answers a repeated push as the first one was answered, or refuses one
// that is known in part or with another content. Nothing is written but the event.
func (c *call) replay(ctx context.Context, d *loaded, v *policy.View, sub *submission, known []*row, err error) (Answer, error) {
	documents, patched := sub.documents()
	if err != nil {
		return c.undoPush(ctx, d, v, policy.Decision{}, err, documents, patched...)
	}
	sub.ids = make(map[int]string)
	first := make([]*row, 0, len(known))
	var objects []string
	for _, r := range known {
		if r.entry >= len(sub.entries) || sub.entries[r.entry].Resource == nil || sub.entries[r.entry].Resource.Type() != r.typ {
			return c.undoPush(ctx, d, v, policy.Decision{}, ErrConflict, documents, patched...)
		}
		sub.ids[r.entry] = r.id
		as := *r
		as.version, as.updated = 1, r.origin.Deposited
		first = append(first, &as)
		objects = append(objects, r.ref())
	}
	receipt, err := c.record(ctx, d, allowed(c.events(d, policy.Decision{}, doCreate, objects, v)))
	if err != nil {
		return Answer{}, err
	}
	return c.clinical(http.StatusOK, own(c.responseBundle(sub, first)), receipt).in(v), nil
}
