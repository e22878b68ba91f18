package dossier

import (
	"context"
	"slices"
	"strings"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// tombstone is the row that the claims of a destroyed document lead to: none. The
// source that pushed it may not push it again (docs/decisions/0014-operations.md).
var tombstone store.RowKey

// destroyed is what the patient is told.
var destroyed = []fhir.Issue{{
	Severity: fhir.Information, Code: "informational",
	Text: fhir.Text{FR: "Destruction faite.", EN: "The destruction is done."},
}}

// destroyDossier carries out $detruire on a Patient (G04). What there was answers
// from then on as what never was; a second call finds nothing.
func (c *call) destroyDossier(ctx context.Context) (Answer, error) {
	args, err := c.readArguments()
	if err != nil {
		return Answer{}, err
	}
	s, err := c.subjectOfOperation(args)
	if err != nil {
		return Answer{}, err
	}
	typed := strings.Join(strings.Fields(args.text("confirmation")), "")
	return c.onDossier(ctx, s, doDelete, func(d *loaded, v *policy.View, patient *row) (Answer, error) {
		dec := v.Destroy()
		if !dec.Allowed() {
			return c.refuse(ctx, d, v, dec, doDelete, c.refusedDestruction(v))
		}
		if ins := patient.facts.INS(); len(ins) == 0 || typed != ins[0].Value {
			return c.refuse(ctx, d, v, dec, doDelete, unprocessable("Parameters.parameter('confirmation')",
				"La confirmation n’est pas l’INS du patient.", "The confirmation is not the INS of the patient."))
		}
		ch, err := c.eraseDossier(ctx, d, v)
		if err != nil {
			return Answer{}, err
		}
		e := c.event(d, dec, doDelete, v)
		e.Objects = []string{patient.ref()}
		ch.events = []audit.Event{e}
		receipt, err := ch.commitDestruction(ctx)
		if err != nil {
			return Answer{}, err
		}
		return c.acknowledged(destroyed, receipt), nil
	})
}

// refusedDestruction is the refusal of a destruction. The patient is told of the
// second factor, which is all that may be missing; others are told nothing.
func (c *call) refusedDestruction(v *policy.View) error {
	if s := v.Situation(); !s.Patient && !s.Representative {
		return ErrForbidden
	}
	return &refused{class: ErrForbidden, text: fhir.Text{
		FR: "La destruction est réservée au patient, ou au représentant d’un mineur, qui vient de donner un second facteur.",
		EN: "Destruction is for the patient, or the representative of a minor, who has just given a second factor.",
	}}
}

// destroyDocument carries out $detruire on a DocumentReference: its versions and
// contents go, what it replaced stays replaced, and references to it are cut by
// the view of whoever reads them.
func (c *call) destroyDocument(ctx context.Context) (Answer, error) {
	args, err := c.readArguments()
	if err != nil {
		return Answer{}, err
	}
	return c.onOne(ctx, func(d *loaded, v *policy.View, row *row) (Answer, error) {
		dec := v.Destroy()
		if !dec.Allowed() {
			return c.refuse(ctx, d, v, dec, doDelete, c.refusedDestruction(v), versionRef(row))
		}
		if args.text("confirmation") != row.id {
			return c.refuse(ctx, d, v, dec, doDelete, unprocessable("Parameters.parameter('confirmation')",
				"La confirmation n’est pas l’identifiant technique du document.", "The confirmation is not the id of the document."), versionRef(row))
		}
		ch := c.newChange(d, v)
		if err := c.eraseDocument(ctx, ch, row); err != nil {
			return Answer{}, err
		}
		ch.events = c.events(d, dec, doDelete, []string{versionRef(row)}, v)
		receipt, err := ch.commit(ctx)
		if err != nil {
			return Answer{}, err
		}
		return c.acknowledged(destroyed, receipt).in(v), nil
	})
}

// eraseDossier makes the change that leaves nothing of a dossier but its header,
// its keys and its history.
func (c *call) eraseDossier(ctx context.Context, d *loaded, v *policy.View) (*change, error) {
	ch := c.newChange(d, v)
	for _, r := range d.rows {
		ch.erase(r)
	}
	if err := c.dropTokens(ctx, ch, d); err != nil {
		return nil, err
	}
	ch.tx.Header.State = store.Destroyed
	ch.destroyKeys()
	return ch, nil
}

// eraseDocument adds a document and the contents that nothing else names to what a
// change erases. The claims of its identifiers stay, without a row.
func (c *call) eraseDocument(ctx context.Context, ch *change, doc *row) error {
	rec, err := c.body(ctx, ch.d.id, ch.d.ring, doc.key, doc.version)
	if err != nil {
		return err
	}
	ch.erase(doc)
	for _, name := range doc.names {
		if content := ch.d.find(name); content != nil && !ch.d.namedElsewhere(name, doc) {
			ch.erase(content)
		}
	}
	idents := identifiers(rec.resource)
	for _, t := range c.identifierTokens(doc.typ, idents) {
		ch.drop(t, doc.key)
	}
	for _, i := range idents {
		for _, source := range sources(rec.origin) {
			t := c.documentToken(ch.d.id, source, i)
			refs, err := c.store.Lookup(ctx, t)
			if err != nil {
				return err
			}
			if slices.Contains(refs, store.Ref{Dossier: ch.d.id, Row: doc.key}) {
				ch.drop(t, doc.key)
				ch.claim(t, tombstone)
			}
		}
	}
	ch.destroyKeys()
	return nil
}

// namedElsewhere tells whether a document other than doc names a content.
func (d *loaded) namedElsewhere(name string, doc *row) bool {
	return slices.ContainsFunc(d.rows, func(r *row) bool { return r != doc && slices.Contains(r.names, name) })
}

// erase adds a row, and the token of its id, to what a change erases.
func (ch *change) erase(r *row) {
	ch.tx.Erase = append(ch.tx.Erase, r.key)
	ch.drop(ch.c.idToken(r.typ, r.id), r.key)
}

func (ch *change) drop(t store.Token, key store.RowKey) {
	ch.tx.Drops = append(ch.tx.Drops, store.TokenPut{Token: t, Row: key})
}

// bodiesAtOnce bounds how many bodies are open at a time while tokens are worked
// out.
const bodiesAtOnce = 100

// foundBy are the types that have tokens by what they say.
var foundBy = []string{"Patient", "DocumentReference", "List"}

// dropTokens drops every token that leads into a dossier by what a resource of foundBy
// says, and the entry of its closing. Tokens of ids went with their rows.
func (c *call) dropTokens(ctx context.Context, ch *change, d *loaded) error {
	told := slices.DeleteFunc(slices.Clone(d.rows), func(r *row) bool { return !slices.Contains(foundBy, r.typ) })
	for some := range slices.Chunk(told, bodiesAtOnce) {
		refs := make([]store.BodyRef, len(some))
		for i, r := range some {
			refs[i] = store.BodyRef{Row: r.key, Version: r.version}
		}
		recs, err := c.bodies(ctx, d.id, d.ring, refs)
		if err != nil {
			return err
		}
		for i, rec := range recs {
			for _, t := range c.identityTokens(d.id, rec) {
				ch.drop(t, some[i].key)
			}
			if some[i].typ == "Patient" {
				ch.moveTraits(some[i].key, rec.resource, nil)
				ch.unretain(rec.resource)
			}
		}
	}
	return nil
}

// identityTokens returns the tokens of the INS of a Patient, or of the identifiers of a
// document or a List: what finds it, and of a document its claims under every source
// that it may have had.
func (c *call) identityTokens(d store.Dossier, rec *record) []store.Token {
	if rec.resource.Type() == "Patient" {
		var all []store.Token
		for _, i := range insOf(rec.resource) {
			all = append(all, c.insToken(i))
		}
		return all
	}
	idents := identifiers(rec.resource)
	all := c.identifierTokens(rec.resource.Type(), idents)
	if rec.resource.Type() != "DocumentReference" {
		return all
	}
	for _, i := range idents {
		for _, source := range sources(rec.origin) {
			all = append(all, c.documentToken(d, source, i))
		}
	}
	return all
}

// sources are those under which a push of that origin may have claimed its
// identifiers (call.source).
func sources(o policy.Origin) []fhir.Ident {
	all := []fhir.Ident{o.By}
	for _, s := range o.Structures {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// destroyKeys is where the key side of a destruction has its place: the data key
// of a destroyed dossier, or a new one for what stays of it, in the same commit
// (DESIGN §8). Until then what was erased can be opened from a copy of the store
// that was made before, by who has the keys.
func (ch *change) destroyKeys() {}

// commitDestruction commits what eraseDossier made. The event is in the history of
// the dossier, which its trace key keeps readable, and in the system journal,
// where it is found when the dossier is not (DESIGN §9).
func (ch *change) commitDestruction(ctx context.Context) (audit.Receipt, error) {
	journal := slices.Clone(ch.events)
	for i := range journal {
		journal[i].Patient, journal[i].Objects = "", nil
	}
	r, err := ch.c.audit.CommitAlso(ctx, ch.tx, audit.Target{Dossier: ch.d.id, Ring: ch.d.ring}, ch.events, journal)
	if err != nil {
		return audit.Receipt{}, err
	}
	ch.c.cache.put(ch.after())
	return r, nil
}

// without returns d without the rows of those keys.
func (d *loaded) without(gone []store.RowKey) *loaded {
	if len(gone) == 0 {
		return d
	}
	away := make(map[store.RowKey]bool, len(gone))
	for _, key := range gone {
		away[key] = true
	}
	rows := slices.DeleteFunc(slices.Clone(d.rows), func(r *row) bool { return away[r.key] })
	return newLoaded(d.id, d.header, d.ring, rows)
}
