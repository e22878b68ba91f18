package dossier

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// submission is an ITI-65 bundle, read but not yet placed in a dossier.
type submission struct {
	entries  []fhir.Entry
	list     *fhir.Entry
	docs     []*pushedDoc
	contents map[string]*pushedContent // by fullUrl
	patches  []*fhir.Entry
	// subjects are the patients that the entries name; they must be one.
	subjects []subject
	// refs become what the references of the bundle point to.
	refs map[string]string
	ids  map[int]string // id given to the entry
	// patient is the INS of the dossier.
	patient []fhir.Ident
	// digest is the identity of the whole; the row of the List keeps it.
	digest [32]byte
}

// pushedDoc is a document of a submission.
type pushedDoc struct {
	*fhir.Entry
	idents  []fhir.Ident // master first
	digest  [32]byte
	content []*pushedContent
}

// pushedContent is a Binary or a FHIR document of a submission.
type pushedContent struct {
	*fhir.Entry
	plain []byte // of a Binary
	sum   [32]byte
	cda   *fhir.DocumentHeader
	used  bool
}

// provide carries out ITI-65: documents, their contents and the submission set,
// all or nothing.
func (c *call) provide(ctx context.Context, b fhir.Bundle) (Answer, error) {
	sub, err := c.readSubmission(b)
	if err != nil {
		return Answer{}, err
	}
	return c.retry(ctx, func() (Answer, error) { return c.provideOnce(ctx, sub) })
}

func (c *call) provideOnce(ctx context.Context, sub *submission) (Answer, error) {
	d, v, err := c.dossierOf(ctx, sub.subjects)
	if err != nil {
		return Answer{}, err
	}
	sub.patient = d.patient().facts.INS()
	if known, err := c.knownPush(ctx, d, sub); err != nil || known != nil {
		return c.replay(ctx, d, v, sub, known, err)
	}
	ch := c.newChange(d, v)
	if dec, err := c.assemble(ctx, ch, sub); err != nil {
		documents, patched := sub.documents()
		return c.undoPush(ctx, d, v, dec, err, documents, patched...)
	}
	receipt, err := ch.commit(ctx)
	if err != nil {
		return Answer{}, err
	}
	return c.clinical(http.StatusOK, own(c.responseBundle(sub, ch.rows)), receipt).in(v), nil
}

// undo refuses a write of which nothing was written, and says so in the history
// with what it was about.
func (c *call) undo(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision, err error, action audit.Action, objects ...string) (Answer, error) {
	if isUnavailable(err) || isConflict(err) {
		return Answer{}, err
	}
	return c.refuse(ctx, d, v, dec, action, err, objects...)
}

// undoPush refuses a submission. Its line in the history is as narrow as what it
// carried, what it would have replaced or patched, and whose identifier it used:
// a refusal must not tell of a hidden document either.
func (c *call) undoPush(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision, err error, documents []*fhir.Resource, patched ...string) (Answer, error) {
	if isUnavailable(err) || isConflict(err) {
		return Answer{}, err // it is tried again, and then told as what it becomes
	}
	objects := patched
	for _, r := range documents {
		if hasLabel(r, "INVISIBLE_PATIENT") {
			c.floor = policy.Withheld
		} else if hasLabel(r, "INVISIBLE_REPRESENTANTS_LEGAUX") {
			c.floor = stricter(c.floor, policy.Secret)
		}
		for target := range r.Root().All("relatesTo", "target", "reference") {
			if typ, id, ok := c.localRef(target.Text()); ok {
				objects = append(objects, typ+"/"+id)
			}
		}
		for _, row := range d.rows {
			if row.typ == "DocumentReference" && sharesIdentifier(row, identifiers(r)) {
				objects = append(objects, row.ref())
			}
		}
	}
	return c.undo(ctx, d, v, dec, err, doCreate, objects...)
}

// sharesIdentifier tells whether a row has one of the identifiers.
func sharesIdentifier(r *row, idents []fhir.Ident) bool {
	for have := range r.values.Tokens("identifier") {
		for _, want := range idents {
			if want = fhir.CanonicalIdent(want); have.Value == want.Value && have.System == want.System {
				return true
			}
		}
	}
	return false
}

// documents returns the documents of a submission, and what its patches name.
func (sub *submission) documents() (documents []*fhir.Resource, patched []string) {
	for _, doc := range sub.docs {
		documents = append(documents, doc.Resource)
	}
	for _, e := range sub.patches {
		patched = append(patched, e.URL)
	}
	return documents, patched
}

// assemble builds every row of the submission into ch.
func (c *call) assemble(ctx context.Context, ch *change, sub *submission) (policy.Decision, error) {
	c.name(ch, sub)
	rows := make(map[int]*row, len(sub.entries))
	for _, doc := range sub.docs {
		if dec, err := c.putDocument(ctx, ch, sub, doc, rows); err != nil {
			return dec, err
		}
	}
	if dec, err := c.putPatches(ctx, ch, sub); err != nil {
		return dec, err
	}
	dec, err := c.putList(ch, sub, rows)
	if err != nil {
		return dec, err
	}
	ch.note(dec, doCreate)
	return dec, nil
}

// name gives an id to every entry that creates, and says what each reference
// of the bundle becomes.
func (c *call) name(ch *change, sub *submission) {
	sub.refs, sub.ids = make(map[string]string), make(map[int]string)
	ch.planned = make(map[string]bool)
	patient := "Patient/" + ch.d.patient().id
	for _, s := range sub.subjects {
		if s.reference != "" && !strings.HasPrefix(s.reference, "#") {
			sub.refs[s.reference] = patient
		}
	}
	for i := range sub.entries {
		e := &sub.entries[i]
		if e.Method != "POST" || e.Resource.Type() == "Patient" {
			continue
		}
		sub.ids[i] = c.newID()
		ref := e.Resource.Type() + "/" + sub.ids[i]
		ch.planned[ref] = true
		if e.FullURL != "" {
			sub.refs[e.FullURL] = ref
		}
	}
}

// stamped returns the resource of an entry as it is stored.
func (c *call) stamped(sub *submission, e *fhir.Entry) (*fhir.Resource, error) {
	return c.stamp(e.Resource, fhir.Stamped{ID: sub.ids[e.Index], Version: 1, Updated: c.at, References: sub.refs}, e.Index)
}

// stamp stamps and refuses a reference of the bundle that leads nowhere.
func (c *call) stamp(r *fhir.Resource, s fhir.Stamped, index int) (*fhir.Resource, error) {
	out, err := fhir.Stamp(r, s)
	if err != nil {
		return nil, err
	}
	if ref := danglingReference(out.Root()); ref != "" {
		return nil, unprocessable(fmt.Sprintf("Bundle.entry[%d].resource", index),
			"Une référence interne du lot ne correspond à aucune entrée.",
			"A reference inside the bundle matches no entry.")
	}
	return out, nil
}

// danglingReference returns a urn:uuid reference that is left after stamping.
func danglingReference(n fhir.Node) string {
	for name, member := range n.Members() {
		for item := range member.Items() {
			if name == "reference" && strings.HasPrefix(item.Text(), "urn:uuid:") {
				return item.Text()
			}
			if item.Kind() == fhir.Object {
				if ref := danglingReference(item); ref != "" {
					return ref
				}
			}
		}
	}
	return ""
}

// putDocument adds a document, its contents, its claims, and the end of what it
// replaces.
func (c *call) putDocument(ctx context.Context, ch *change, sub *submission, doc *pushedDoc, rows map[int]*row) (policy.Decision, error) {
	r, err := c.stamped(sub, doc.Entry)
	if err != nil {
		return policy.Decision{}, err
	}
	rec := record{push: ch.push, entry: doc.Index, digest: doc.digest}
	now, dec, err := c.admit(ctx, ch, r, rec, doc.idents)
	if err != nil {
		return dec, err
	}
	rows[doc.Index] = now
	for _, content := range doc.content {
		if err := c.checkHeader(content.cda, now.facts, ch.d.patient()); err != nil {
			return policy.Decision{}, err
		}
		if err := c.putContent(ctx, ch, sub, content, rows); err != nil {
			return policy.Decision{}, err
		}
	}
	return dec, nil
}

// refusedAdd is the one wording of POLICY §7 for a dossier that takes no writes.
func (c *call) refusedAdd(d *loaded, dec policy.Decision) error {
	switch {
	case d.header.State != store.Active && dec.Refusal() != policy.Forbidden:
		return ErrNoDossier
	case slices.Equal(dec.Rules(), []string{"E03"}):
		// It depends on what the caller sent and on who they are, on nothing else.
		return &refused{class: ErrForbidden, text: notAuthor, expr: "DocumentReference.author"}
	case dec.Refusal() == policy.Forbidden:
		return &refused{class: ErrForbidden, text: dec.Text()}
	}
	return refusal(dec)
}

var notAuthor = fhir.Text{
	FR: "L’auteur du document doit être l’appelant : le professionnel lui-même ou, pour un établissement, une structure qui est la sienne (author, PractitionerRole.organization ou custodian, avec l’identifiant de la structure).",
	EN: "The author of the document must be the caller: the professional in person or, for an establishment, a structure of its own (author, PractitionerRole.organization or custodian, with the identifier of the structure).",
}

// claimDocument makes the masterIdentifier of a document, the first of idents, unique
// for its source in this dossier, and the document findable by them all. The others
// are not unique: they may be those of all versions of a document (R4
// DocumentReference.identifier), or of the request that it answers.
func (c *call) claimDocument(ch *change, key store.RowKey, idents []fhir.Ident) {
	ch.claim(c.documentToken(ch.d.id, c.source(), idents[0]), key)
	ch.findBy(idents, "DocumentReference", key)
}

// source is who pushes: the structure, or the person where there is none.
func (c *call) source() fhir.Ident {
	if s := c.p.Structure(); !s.IsZero() && c.p.ID() != s {
		return s
	}
	return c.p.ID()
}

// putContent adds a Binary or a FHIR document. A Binary's data is sealed apart.
func (c *call) putContent(ctx context.Context, ch *change, sub *submission, p *pushedContent, rows map[int]*row) error {
	if rows[p.Index] != nil {
		return nil
	}
	r, err := c.stamped(sub, p.Entry)
	if err != nil {
		return err
	}
	rows[p.Index], err = c.putBytes(ctx, ch, r, p.plain, p.Index)
	return err
}

// putBytes adds a content resource; plain is the data of a Binary.
func (c *call) putBytes(ctx context.Context, ch *change, r *fhir.Resource, plain []byte, index int) (*row, error) {
	rec := &record{resource: r, origin: c.newOrigin(), push: ch.push, entry: index}
	if r.Type() != "Binary" || plain == nil {
		return ch.put(nil, rec)
	}
	kept, err := c.Service.keep(ctx, ch.d.id, r.Get("contentType").Text(), plain)
	if err != nil {
		return nil, err
	}
	rec.content = kept.ref
	if rec.resource, rec.content.at, err = cutData(r, plain); err != nil {
		return nil, err
	}
	row, err := ch.put(nil, rec)
	if err != nil {
		return nil, err
	}
	ch.keep(kept, row.key)
	return row, nil
}

// putList adds the submission set. Its author needs no right of its own: it
// names documents that were just allowed, or that its writer sees.
func (c *call) putList(ch *change, sub *submission, rows map[int]*row) (policy.Decision, error) {
	r, err := c.stamped(sub, sub.list)
	if err != nil {
		return policy.Decision{}, err
	}
	if err := c.inDossier(ch, r); err != nil {
		return policy.Decision{}, err
	}
	rec := &record{resource: r, origin: c.newOrigin(), push: ch.push, entry: sub.list.Index, digest: sub.digest}
	facts, err := policy.FactsOf(r, rec.origin)
	if err != nil {
		return policy.Decision{}, asRule(err)
	}
	dec := ch.v.Add(facts)
	if !dec.Allowed() {
		return dec, c.refusedAdd(ch.d, dec)
	}
	row, err := ch.put(nil, rec)
	if err != nil {
		return dec, err
	}
	ch.findBy(identifiers(r), "List", row.key)
	rows[sub.list.Index] = row
	return dec, nil
}

// inDossier refuses a reference to one of our resources that the caller cannot
// see in this dossier: unknown, hidden and elsewhere are one answer.
func (c *call) inDossier(ch *change, r *fhir.Resource) error {
	var bad error
	eachReference(r.Root(), func(reference string) {
		typ, id, ok := c.localRef(reference)
		if !ok || !fhir.Supports(typ, fhir.Read) || fhir.OfDirectory(typ) || bad != nil {
			return
		}
		ref := typ + "/" + id
		if ch.holds(ref) || ch.v.Sees(ref) || typ == "Patient" && ch.d.find(ref) != nil {
			return
		}
		bad = unknownTarget(r.Type())
	})
	return bad
}

func unknownTarget(typ string) error {
	return unprocessable(typ, "Une référence désigne une ressource inconnue dans ce dossier.",
		"A reference names a resource that is unknown in this dossier.")
}

// holds tells whether the change itself creates ref.
func (ch *change) holds(ref string) bool { return ch.planned[ref] }

// eachReference calls f with every Reference.reference below n.
func eachReference(n fhir.Node, f func(string)) {
	for name, member := range n.Members() {
		for item := range member.Items() {
			switch {
			case name == "reference" && item.Kind() == fhir.String:
				f(item.Text())
			case item.Kind() == fhir.Object:
				eachReference(item, f)
			}
		}
	}
}

// responseBundle answers each entry of the submission in its place.
func (c *call) responseBundle(sub *submission, rows []*row) []byte {
	out := fhir.BundleOut{Type: "transaction-response"}
	byRef := make(map[string]*row, len(rows))
	for _, r := range rows {
		byRef[r.ref()] = r
	}
	for i := range sub.entries {
		out.Entries = append(out.Entries, c.responseEntry(sub, &sub.entries[i], byRef))
	}
	return fhir.WriteBundle(out)
}

func (c *call) responseEntry(sub *submission, e *fhir.Entry, rows map[string]*row) fhir.EntryOut {
	id, created := sub.ids[e.Index]
	r := rows[e.Resource.Type()+"/"+id]
	if !created || r == nil {
		return fhir.EntryOut{Response: &fhir.ResponseOut{Status: "200 OK"}}
	}
	out := fhir.EntryOut{Response: &fhir.ResponseOut{
		Status: "201 Created", Location: versionRef(r), ETag: etag(r.version), LastModified: r.updated,
	}}
	doubts := c.unkeptAt(e.Index)
	if r.typ == "DocumentReference" {
		doubts = append(doubts, c.doubts(sub.subjects, r.facts)...)
	}
	for _, content := range sub.contentsAt(e.Index) {
		doubts = append(doubts, c.headerDoubts(content.cda, r.facts, sub.patient)...)
	}
	if len(doubts) > 0 {
		out.Response.Outcome = fhir.OutcomeJSON(c.r.Lang, doubts)
	}
	return out
}

// contentsAt returns the contents of the document at an index of the bundle.
func (sub *submission) contentsAt(index int) []*pushedContent {
	for _, doc := range sub.docs {
		if doc.Index == index {
			return doc.content
		}
	}
	return nil
}

// contentsOf pairs the attachments of a document with the contents of the
// bundle, and checks type, size and hash.
func (sub *submission) contentsOf(doc *pushedDoc) error {
	n := 0
	for item := range doc.Resource.Get("content").Items() {
		at := fmt.Sprintf("Bundle.entry[%d].resource.content[%d].attachment", doc.Index, n)
		n++
		content, err := sub.contentAt(item.Get("attachment"), at)
		if err != nil {
			return err
		}
		doc.content = append(doc.content, content)
		raw := content.plain
		if content.Resource.Type() != "Binary" {
			raw = content.Resource.Bytes()
		}
		content.sum = sha256.Sum256(raw)
	}
	return nil
}

func (sub *submission) contentAt(attachment fhir.Node, at string) (*pushedContent, error) {
	content := sub.contents[attachment.Get("url").Text()]
	if content == nil {
		return nil, unprocessable(at+".url", "Le contenu désigné par l’adresse n’est pas dans le lot.",
			"The content that the URL names is not in the bundle.")
	}
	content.used = true
	announced := attachment.Get("contentType").Text()
	if content.Resource.Type() != "Binary" {
		if !fhir.ContentFHIRJSON.Fits(announced) && !fhir.ContentFHIRXML.Fits(announced) {
			return nil, unprocessable(at+".contentType", "Un document FHIR s’annonce en application/fhir+json ou application/fhir+xml.", "A FHIR document is announced as application/fhir+json or application/fhir+xml.")
		}
		return content, nil
	}
	if err := checkAttachment(attachment, content.Resource.Get("contentType").Text(), content.plain, at); err != nil {
		return nil, err
	}
	var err error
	content.cda, err = recognise(announced, content.plain, at)
	return content, err
}

// checkAttachment compares what the metadata announce with the content.
func checkAttachment(attachment fhir.Node, mime string, plain []byte, at string) error {
	if announced := attachment.Get("contentType").Text(); baseType(announced) != baseType(mime) {
		return unprocessable(at+".contentType", "Le type annoncé n’est pas celui du contenu.",
			"The announced type is not that of the content.")
	}
	if size := attachment.Get("size"); size.Exists() && size.Text() != strconv.Itoa(len(plain)) {
		return unprocessable(at+".size", "La taille annoncée n’est pas celle du contenu.",
			"The announced size is not that of the content.")
	}
	if hash := attachment.Get("hash"); hash.Exists() {
		sum := sha1.Sum(plain)
		if hash.Text() != base64.StdEncoding.EncodeToString(sum[:]) {
			return unprocessable(at+".hash", "L’empreinte annoncée (SHA-1) n’est pas celle du contenu.",
				"The announced hash (SHA-1) is not that of the content.")
		}
	}
	return nil
}

func baseType(mime string) string {
	base, _, _ := strings.Cut(mime, ";")
	return strings.ToLower(strings.TrimSpace(base))
}

// asRule makes a finding of the policy about facts a 422.
func asRule(err error) error {
	return fmt.Errorf("%w: %w", ErrRule, err)
}
