package dossier

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"

	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// identify works out the identities of the documents and of the whole. They do not
// depend on the order of the entries, nor on the addresses that hold in this bundle
// only: a sender may make the bundle anew.
func (sub *submission) identify() {
	named := map[string]string{sub.list.FullURL: "List"}
	for _, doc := range sub.docs {
		named[doc.FullURL] = "DocumentReference " + doc.idents[0].System + " " + doc.idents[0].Value
	}
	for _, content := range sub.contents {
		named[content.FullURL] = "content " + hex.EncodeToString(content.sum[:])
	}
	for _, s := range sub.subjects {
		s.name(named)
	}
	delete(named, "") // an entry needs no fullUrl
	var all [][32]byte
	for _, doc := range sub.docs {
		doc.digest = identity(doc.Resource, named, doc.sums())
		all = append(all, doc.digest)
	}
	for _, e := range sub.patches {
		act := identity(e.Resource, named, nil)
		all = append(all, sha256.Sum256([]byte(e.URL+"\x00"+e.IfMatch+"\x00"+string(act[:]))))
	}
	slices.SortFunc(all, func(a, b [32]byte) int { return cmp.Compare(string(a[:]), string(b[:])) })
	sub.digest = identity(sub.list.Resource, named, all, "date") // when it was sent: again, now
}

// sums are the hashes of the contents of a document.
func (doc *pushedDoc) sums() (all [][32]byte) {
	for _, content := range doc.content {
		all = append(all, content.sum)
	}
	return all
}

// name says that the reference of a subject is the patient, however it names them.
func (s subject) name(named map[string]string) {
	if s.reference != "" && s.reference[0] != '#' {
		named[s.reference] = "Patient"
	}
}

// earlier is what a submission finds of itself in a dossier: the submission set, and
// the documents in the order of the submission.
type earlier struct {
	set  *row
	docs []*row
}

// knownPush looks for a submission among what the same source pushed before: for its
// documents by their masterIdentifier, for its List by its uniqueId. It returns what
// that push made when the submission is the same, nil when it is new, and otherwise
// ErrConflict with what it found.
func (c *call) knownPush(ctx context.Context, d *loaded, sub *submission) (*earlier, error) {
	known := &earlier{set: c.knownSet(d, sub)}
	for _, doc := range sub.docs {
		r, err := c.holder(ctx, d, doc.idents[0])
		if err != nil {
			return nil, err
		}
		if r != nil {
			known.docs = append(known.docs, r)
		}
	}
	if known.set == nil && len(known.docs) == 0 {
		return nil, nil
	}
	if known.set == nil {
		known.set = d.setOf(known.docs[0].push)
	}
	if !known.isRepeated(sub) {
		return known, ErrConflict
	}
	return known, nil
}

// isRepeated tells whether sub is the push that made all of e, which is still there.
func (e *earlier) isRepeated(sub *submission) bool {
	if e.set == nil || e.set.deleted || e.set.digest != sub.digest || len(e.docs) != len(sub.docs) {
		return false
	}
	return !slices.ContainsFunc(e.docs, func(r *row) bool { return r.deleted || r.push != e.set.push })
}

// knownSet returns the submission set of the same source that has the uniqueId of
// that of sub; nil if there is none. No token is needed: a commit keeps to the
// version of the dossier that was looked at.
func (c *call) knownSet(d *loaded, sub *submission) *row {
	idents := uniqueIDs(sub.list.Resource)
	for _, r := range d.rows {
		if r.typ == "List" && sharesIdentifier(r, idents) && slices.Contains(sources(r.origin), c.source()) {
			return r
		}
	}
	return nil
}

// uniqueIDs are the identifiers of a submission set but for its entryUUID (use
// official, MHD 4.2.3), which no other submission set of its source has.
func uniqueIDs(list *fhir.Resource) []fhir.Ident {
	var out []fhir.Ident
	for n := range list.Get("identifier").Items() {
		if i := (fhir.Ident{System: n.Get("system").Text(), Value: n.Get("value").Text()}); i.Value != "" && !n.Get("use").Is("official") {
			out = append(out, i)
		}
	}
	return out
}

// setOf returns the submission set that one request created.
func (d *loaded) setOf(push [16]byte) *row {
	for _, r := range d.pushed(push) {
		if r.typ == "List" {
			return r
		}
	}
	return nil
}

// holder returns the document of the same source that has a masterIdentifier; a
// deleted row without anything else if it was destroyed. The token is made of the
// source, so that it can only be the caller's own.
//
// Older stores have such tokens of other identifiers too: what holds one is then
// another document, and the submission in conflict with it.
func (c *call) holder(ctx context.Context, d *loaded, master fhir.Ident) (*row, error) {
	refs, err := c.store.Lookup(ctx, c.documentToken(d.id, c.source(), master))
	if err != nil || len(refs) == 0 {
		return nil, err
	}
	if refs[0].Row == tombstone {
		return &row{deleted: true}, nil
	}
	if r := d.byKey(refs[0].Row); r != nil {
		return r, nil
	}
	return nil, store.ErrConflict // committed after d was loaded
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
// that is known in part or with something else. Nothing is written but the event.
func (c *call) replay(ctx context.Context, d *loaded, v *policy.View, sub *submission, known *earlier, err error) (Answer, error) {
	if err != nil {
		documents, objects := sub.documents()
		if known != nil && known.set != nil {
			objects = append(objects, known.set.ref())
		}
		return c.undoPush(ctx, d, v, policy.Decision{}, err, documents, objects...)
	}
	rows := c.placed(d, sub, known)
	first := make([]*row, 0, len(rows))
	var objects []string
	for _, r := range rows {
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

// placed gives the entries of a repeated push the ids of what the first one made, and
// returns those rows.
func (c *call) placed(d *loaded, sub *submission, known *earlier) []*row {
	sub.ids = map[int]string{sub.list.Index: known.set.id}
	rows := []*row{known.set}
	for i, doc := range sub.docs {
		r := known.docs[i]
		sub.ids[doc.Index] = r.id
		rows = append(rows, r)
		for n, name := range r.names {
			if content := d.find(name); content != nil && n < len(doc.content) {
				sub.ids[doc.content[n].Index] = content.id
				if !slices.Contains(rows, content) { // two documents may share it
					rows = append(rows, content)
				}
			}
		}
	}
	return rows
}
