package dossier

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"time"

	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// create answers POST [type]: a document (ITI-105), a Consent or a CareTeam. Other
// types are created by a transaction.
func (c *call) create(ctx context.Context) (Answer, error) {
	r, err := c.parseBody(c.r.Type)
	if err != nil {
		return Answer{}, err
	}
	switch c.r.Type {
	case "DocumentReference":
		return c.publish(ctx, r)
	case "Consent":
		return c.createManaged(ctx, r, c.putConsent)
	case "CareTeam":
		return c.createManaged(ctx, r, c.putTeam)
	}
	return Answer{}, fhir.ErrMethod // alone, in a batch; the routes have none of them
}

// parseBody parses the body as a resource of a type.
func (c *call) parseBody(typ string) (*fhir.Resource, error) { return c.parseAs(typ, fhir.Parse) }

// parseAs parses the body by a function of fhir, as a resource of a type.
func (c *call) parseAs(typ string, parse func([]byte) (*fhir.Resource, error)) (*fhir.Resource, error) {
	if c.r.MediaType != "application/fhir+json" && c.r.MediaType != "application/json" {
		return nil, ErrMediaType
	}
	r, err := parse(c.r.Body)
	if err != nil {
		return nil, err
	}
	if r.Type() != typ {
		return nil, invalid("structure", "resourceType", "Le type de la ressource n’est pas celui de l’adresse.", "The type of the resource is not that of the URL.")
	}
	if fhir.Subsetted(r) {
		return nil, unprocessable(typ+".meta.tag", "La ressource est une partie (SUBSETTED), demandée par _summary ou _elements : l’écrire perdrait le reste.", "The resource is a part (SUBSETTED) that _summary or _elements asked for: writing it would lose the rest.")
	}
	return r, c.claims(r)
}

// published is a document of ITI-105 with its content inside.
type published struct {
	resource *fhir.Resource
	subject  subject
	idents   []fhir.Ident // master first
	mime     string
	data     []byte // base64 as received
	plain    []byte
	cda      *fhir.DocumentHeader // header of the content, nil if it is no CDA
	replaces []fhir.Ident         // what a document says itself that it replaces (ITI-106)
	digest   [32]byte
}

// publish carries out ITI-105: one document with its content inline. The
// server makes the Binary and the submission set.
func (c *call) publish(ctx context.Context, r *fhir.Resource) (Answer, error) {
	doc, err := c.readPublished(r)
	if err != nil {
		return Answer{}, err
	}
	return c.retry(ctx, func() (Answer, error) { return c.publishOnce(ctx, doc) })
}

// readPublished reads a document with its content inside. made are the elements that
// the server makes anew at each sending.
func (c *call) readPublished(r *fhir.Resource, made ...string) (*published, error) {
	if err := checkPublished(r, "DocumentReference"); err != nil {
		return nil, err
	}
	attachment := r.At("content", "attachment")
	data := attachment.Get("data")
	switch {
	case !data.Exists():
		return nil, invalid("required", "DocumentReference.content[0].attachment.data", "Le contenu manque.", "The content is missing.")
	case attachment.Get("url").Exists():
		return nil, invalid("structure", "DocumentReference.content[0].attachment.url", "L’adresse est donnée par le serveur.", "The URL is given by the server.")
	}
	plain, err := decodeBase64(data.Text())
	if err != nil {
		return nil, invalid("value", "DocumentReference.content[0].attachment.data", "Le contenu n’est pas en base64.", "The data is not base64.")
	}
	doc := &published{resource: r, idents: identifiers(r), mime: attachment.Get("contentType").Text(), data: data.Raw(), plain: plain}
	if err := checkAttachment(attachment, doc.mime, plain, "DocumentReference.content[0].attachment"); err != nil {
		return nil, err
	}
	if doc.cda, err = recognise(doc.mime, plain, "DocumentReference.content[0].attachment"); err != nil {
		return nil, err
	}
	var ok bool
	if doc.subject, ok = c.subjectOf(r, r.Get("subject"), nil); !ok {
		return nil, unprocessable("DocumentReference.subject", "Le patient n’est pas désigné par une référence ou un INS connus.", "The patient is not named by a reference or an INS that is known.")
	}
	named := make(map[string]string)
	doc.subject.name(named)
	doc.digest = identity(r, named, [][32]byte{sha256.Sum256(plain)}, made...)
	return doc, nil
}

func (c *call) publishOnce(ctx context.Context, doc *published) (Answer, error) {
	d, v, err := c.dossierOf(ctx, append([]subject{doc.subject}, sourcePatient(doc.resource, "DocumentReference")...))
	if err != nil {
		return Answer{}, err
	}
	if known, err := c.existing(ctx, d, v); err != nil || known != nil {
		return c.notCreated(ctx, d, v, known, err)
	}
	known, err := c.holder(ctx, d, doc.idents[0])
	if err != nil {
		return Answer{}, err
	}
	if known != nil {
		return c.publishedBefore(ctx, d, v, doc, known)
	}
	ch := c.newChange(d, v)
	whole, err := c.withReplaced(d, v, doc)
	if err != nil {
		return c.undoPush(ctx, d, v, policy.Decision{}, err, []*fhir.Resource{doc.resource})
	}
	docRow, dec, err := c.putPublished(ctx, ch, whole)
	if err != nil {
		return c.undoPush(ctx, d, v, dec, err, []*fhir.Resource{whole.resource})
	}
	c.warnings = c.headerDoubts(doc.cda, docRow.facts, d.patient().facts.INS())
	return c.created(ctx, ch, docRow, dec)
}

// publishedBefore answers the same publication again as the first time, and 409
// for another content under the same identifier.
func (c *call) publishedBefore(ctx context.Context, d *loaded, v *policy.View, doc *published, known *row) (Answer, error) {
	if known.deleted || known.digest != doc.digest {
		return c.undoPush(ctx, d, v, policy.Decision{}, ErrConflict, []*fhir.Resource{doc.resource})
	}
	c.warnings = c.headerDoubts(doc.cda, known.facts, d.patient().facts.INS())
	return c.answerKnown(ctx, d, v, known, http.StatusCreated)
}

// answerKnown answers the first version of a resource that is there already.
func (c *call) answerKnown(ctx context.Context, d *loaded, v *policy.View, known *row, status int) (Answer, error) {
	recs, err := c.bodies(ctx, d.id, d.ring, []store.BodyRef{{Row: known.key, Version: known.version}, {Row: known.key, Version: 1}})
	if err != nil {
		return Answer{}, err
	}
	released, dec := v.ReleaseOld(recs[0].resource, recs[0].origin, recs[1].resource)
	receipt, err := c.record(ctx, d, allowed(c.events(d, dec, doCreate, []string{versionRef(known)}, v)))
	if err != nil {
		return Answer{}, err
	}
	first := *known
	first.version, first.updated = 1, known.origin.Deposited
	return c.written(v, &first, status, released, dec, receipt), nil
}

// notCreated answers a conditional create whose condition finds something.
func (c *call) notCreated(ctx context.Context, d *loaded, v *policy.View, known *row, err error) (Answer, error) {
	if err != nil {
		return c.undo(ctx, d, v, policy.Decision{}, err, doCreate)
	}
	return c.answerKnown(ctx, d, v, known, http.StatusOK)
}

// existing applies If-None-Exist (R4 http.html#ccreate): the one resource that
// the caller sees and the condition finds in this dossier, nil if there is none.
func (c *call) existing(ctx context.Context, d *loaded, v *policy.View) (*row, error) {
	if c.r.IfNoneExist == "" {
		return nil, nil
	}
	q, err := c.bases.ParseQuery(c.r.Type, c.r.IfNoneExist)
	if err != nil {
		return nil, err
	}
	hits, err := c.matches(ctx, d, v, q)
	if err != nil {
		return nil, err
	}
	switch len(hits) {
	case 0:
		return nil, nil
	case 1:
		return hits[0].row, nil
	}
	return nil, ErrSeveral
}

// putPublished builds the document, its Binary and its submission set.
func (c *call) putPublished(ctx context.Context, ch *change, doc *published) (*row, policy.Decision, error) {
	docID, binaryID, listID := c.newID(), c.newID(), c.newID()
	ch.planned = map[string]bool{"DocumentReference/" + docID: true, "Binary/" + binaryID: true}
	patient := "Patient/" + ch.d.patient().id
	sum := sha1.Sum(doc.plain)
	stamped := fhir.Stamped{
		ID: docID, Version: 1, Updated: c.at, References: map[string]string{doc.subject.reference: patient},
		Moved: []fhir.Moved{{URL: "Binary/" + binaryID, Size: int64(len(doc.plain)), Hash: base64.StdEncoding.EncodeToString(sum[:])}},
	}
	if doc.subject.reference == "" || doc.subject.reference[0] == '#' {
		stamped.References = nil
	}
	r, err := withoutClaim(doc.resource)
	if err != nil {
		return nil, policy.Decision{}, err
	}
	r, err = c.stamp(r, stamped, 0)
	if err != nil {
		return nil, policy.Decision{}, err
	}
	docRow, dec, err := c.admit(ctx, ch, r, record{push: ch.push, digest: doc.digest}, doc.idents)
	if err != nil {
		return nil, dec, err
	}
	if err := c.checkHeader(doc.cda, docRow.facts, ch.d.patient()); err != nil {
		return nil, policy.Decision{}, err
	}
	binary, err := fhir.Scan(c.binaryJSON(binaryID, doc.mime, doc.data))
	if err != nil {
		return nil, dec, err
	}
	if _, err := c.putBytes(ctx, ch, binary, doc.plain, 1); err != nil {
		return nil, dec, err
	}
	return docRow, dec, c.putDerivedList(ch, listID, patient, docID)
}

// withoutClaim takes the profiles of the publication out of meta.profile: they
// want the content inside, where the document that is stored names its Binary.
func withoutClaim(r *fhir.Resource) (*fhir.Resource, error) {
	publication := func(p fhir.Node) bool {
		canonical, _, _ := strings.Cut(p.Text(), "|")
		return canonical == mhd+"IHE.MHD.SimplifiedPublish.DocumentReference" || canonical == pdsm+"pdsm-simplified-publish"
	}
	meta := r.Get("meta")
	kept := 0
	for p := range meta.Get("profile").Items() {
		if !publication(p) {
			kept++
		}
	}
	if kept == 0 && meta.Len() == 1 && meta.Get("profile").Exists() {
		return r.Splice([]fhir.Edit{fhir.RemoveMember(meta)})
	}
	return r.Splice(fhir.RemoveItems(meta.Get("profile"), publication))
}

// binaryJSON makes the Binary that holds a content; data is a JSON string.
func (c *call) binaryJSON(id, mime string, data []byte) []byte {
	b := []byte(`{"resourceType":"Binary","id":`)
	b = append(b, fhir.Quote(id)...)
	b = append(b, `,"meta":{"versionId":"1","lastUpdated":"`...)
	b = c.at.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `"},"contentType":`...)
	b = append(b, fhir.Quote(mime)...)
	b = append(b, `,"data":`...)
	b = append(b, data...)
	return append(b, '}')
}

// derivedSet is the submission set that ITI-105 asks the server to make.
type derivedSet struct {
	ResourceType string      `json:"resourceType"`
	ID           string      `json:"id"`
	Meta         derivedMeta `json:"meta"`
	Extension    []extIdent  `json:"extension"`
	Identifier   []idWithUse `json:"identifier"`
	Status       string      `json:"status"`
	Mode         string      `json:"mode"`
	Code         concept     `json:"code"`
	Subject      reference   `json:"subject"`
	Date         string      `json:"date"`
	Entry        []listEntry `json:"entry"`
}

type derivedMeta struct {
	VersionID   string   `json:"versionId"`
	LastUpdated string   `json:"lastUpdated"`
	Profile     []string `json:"profile"`
}

type extIdent struct {
	URL   string    `json:"url"`
	Value idWithUse `json:"valueIdentifier"`
}

type idWithUse struct {
	Use    string `json:"use,omitempty"`
	System string `json:"system"`
	Value  string `json:"value"`
}

type concept struct {
	Coding []coding `json:"coding"`
}

type coding struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

type reference struct {
	Reference string `json:"reference"`
}

type listEntry struct {
	Item reference `json:"item"`
}

// putDerivedList builds the submission set of one document.
func (c *call) putDerivedList(ch *change, id, patient, docID string) error {
	at := c.at.UTC().Format("2006-01-02T15:04:05.000Z")
	const uri = "urn:ietf:rfc:3986"
	body, err := json.Marshal(derivedSet{
		ResourceType: "List", ID: id,
		Meta:       derivedMeta{VersionID: "1", LastUpdated: at, Profile: []string{mhd + "IHE.MHD.Minimal.SubmissionSet"}},
		Extension:  []extIdent{{URL: extSourceID, Value: idWithUse{System: uri, Value: oidOf(c.source())}}},
		Identifier: []idWithUse{{Use: "usual", System: uri, Value: randomOID(c.random16())}},
		Status:     "current", Mode: "working",
		Code:    concept{[]coding{{listTypes, "submissionset"}}},
		Subject: reference{patient}, Date: c.at.Format(time.RFC3339),
		Entry: []listEntry{{reference{"DocumentReference/" + docID}}},
	})
	if err != nil {
		return err
	}
	r, err := fhir.Scan(body)
	if err != nil {
		return err
	}
	row, err := ch.put(nil, &record{resource: r, origin: c.newOrigin(), push: ch.push, entry: 2})
	if err != nil {
		return err
	}
	ch.findBy(identifiers(r), "List", row.key)
	return nil
}

// oidOf makes an OID of a source identifier: MHD wants the sourceId as one.
func oidOf(i fhir.Ident) string {
	sum := sha256.Sum256([]byte(i.System + "|" + i.Value))
	return randomOID([16]byte(sum[:16]))
}

// randomOID writes 128 bits as an OID under 2.25 (ITU-T X.667).
func randomOID(b [16]byte) string {
	return "urn:oid:2.25." + new(big.Int).SetBytes(b[:]).String()
}

// update answers PUT: of a Consent or a CareTeam only.
func (c *call) update(ctx context.Context) (Answer, error) {
	r, err := c.parseBody(c.r.Type)
	if err != nil {
		return Answer{}, err
	}
	if r.ID() != c.r.ID {
		return Answer{}, invalid("value", c.r.Type+".id", "L’identifiant de la ressource n’est pas celui de l’adresse.", "The id of the resource is not that of the URL.")
	}
	return c.updateManaged(ctx, r)
}
