package dossier

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"

	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// readContent answers a Binary or a FHIR document. It is governed by the
// current document that names it; ungoverned means invisible.
func (c *call) readContent(ctx context.Context, d *loaded, v *policy.View, row *row) (Answer, error) {
	ref := row.ref()
	i, ok := d.governs[ref]
	if !ok {
		return c.hidden(ctx, d, v, policy.Decision{}, ref)
	}
	governor := d.rows[i]
	if dec := v.Read(i); dec.Extent() != policy.Full {
		return c.hidden(ctx, d, v, dec, ref)
	}
	recs, err := c.current(ctx, d, governor, row)
	if err != nil {
		return Answer{}, err
	}
	body, dec, err := c.releaseContent(ctx, d, v, recs[0], recs[1], ref)
	if err != nil {
		return Answer{}, err
	}
	if !dec.Allowed() {
		return c.hidden(ctx, d, v, dec, ref)
	}
	return c.deliver(ctx, d, v, dec, row, body, true)
}

// releaseContent opens the content under its governor, as a resource or raw.
func (c *call) releaseContent(ctx context.Context, d *loaded, v *policy.View, governor, rec *record, ref string) (content, policy.Decision, error) {
	if !c.r.Raw || !rec.content.exists() {
		whole, err := c.whole(ctx, d.id, rec)
		if err != nil {
			return content{}, policy.Decision{}, err
		}
		released, dec := policy.ReleaseContent(v, governor.resource, governor.origin, ref, whole)
		return one(released), dec, nil
	}
	stream, err := c.contentOf(ctx, d.id, rec.content)
	if err != nil {
		return content{}, policy.Decision{}, err
	}
	released, dec := policy.ReleaseContent(v, governor.resource, governor.origin, ref,
		document{mime: rec.content.mime, size: rec.content.size, stream: stream})
	if !dec.Allowed() {
		_ = stream.Close()
	}
	return raw(released), dec, nil
}

// close closes what a content that is not sent would be read from.
func (b content) close() {
	if doc, ok := b.stream.Value(); ok {
		_ = doc.stream.Close()
	}
}

// contentOf opens a sealed content. A damaged one fails while it is read.
func (s *Service) contentOf(ctx context.Context, d store.Dossier, c contentRef) (io.ReadCloser, error) {
	sealed, err := s.store.Content(ctx, d, c.id)
	if err != nil {
		return nil, internal(err, "content")
	}
	return opened{c.key.OpenReader(c.id, sealed), sealed}, nil
}

type opened struct {
	io.Reader
	io.Closer
}

// whole returns a Binary with its data where it was received.
func (s *Service) whole(ctx context.Context, d store.Dossier, rec *record) (*fhir.Resource, error) {
	c := rec.content
	if !c.exists() || c.at < 0 {
		return rec.resource, nil
	}
	stream, err := s.contentOf(ctx, d, c)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	plain, err := io.ReadAll(stream)
	if err != nil {
		return nil, internal(err, "content")
	}
	shell := rec.resource.Bytes()
	out := make([]byte, 0, len(shell)+base64.StdEncoding.EncodedLen(len(plain)))
	out = append(out, shell[:c.at]...)
	out = base64.StdEncoding.AppendEncode(out, plain)
	return fhir.Scan(append(out, shell[c.at:]...))
}

// newContent is a content on its way into a commit.
type newContent struct {
	ref    contentRef
	sealed []byte // nil when it was uploaded
}

// keep seals a content; one too large for a commit is uploaded at once.
func (s *Service) keep(ctx context.Context, d store.Dossier, mime string, plain []byte) (newContent, error) {
	n := newContent{ref: contentRef{id: s.random16(), key: s.vault.NewContentKey(), size: int64(len(plain)), mime: mime, at: -1}}
	if len(plain) <= store.InlineMax/2 {
		n.sealed = n.ref.key.Seal(n.ref.id, plain)
		return n, nil
	}
	err := s.store.Upload(ctx, d, n.ref.id, n.ref.key.SealReader(n.ref.id, bytes.NewReader(plain)))
	return n, err
}

// cutData takes the data out of a stamped Binary, when putting it back gives
// the same bytes, and remembers where it was.
func cutData(r *fhir.Resource, plain []byte) (shell *fhir.Resource, at int64, err error) {
	data := r.Get("data")
	from, to := data.Span()
	text := r.Bytes()[from+1 : to-1]
	if string(text) != base64.StdEncoding.EncodeToString(plain) {
		return r, -1, nil
	}
	shell, err = r.Splice([]fhir.Edit{{Start: from + 1, End: to - 1}})
	return shell, int64(from + 1), err
}
