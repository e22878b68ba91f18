package mongo

import (
	"bytes"
	"context"
	"errors"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"

	"opendmp/store"
)

// chunkSize is what one chunk holds. Two or three of it are in memory at a time.
const chunkSize = 512 << 10

// Upload implements store.Store. An id can be uploaded once; store.ErrDuplicate
// otherwise. Its context is looked at between chunks, each of which has a deadline.
func (s *Store) Upload(ctx context.Context, d store.Dossier, id store.ContentID, sealed io.Reader) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.calls.Done()
	u := &uploadDoc{ID: contentID(d, id)}
	read, err := s.upload(ctx, u, sealed)
	if read != nil {
		return read // the reader's own
	}
	return outcome(ctx, "upload", err)
}

// upload returns the error of the reader apart from all others.
func (s *Store) upload(ctx context.Context, u *uploadDoc, sealed io.Reader) (read, err error) {
	if err := s.step(ctx, func(ctx context.Context) error { return s.loosen(ctx, u) }); err != nil {
		return nil, err
	}
	read, err = s.fill(ctx, u, sealed)
	if read == nil && err == nil {
		err = s.step(ctx, func(ctx context.Context) error { return s.keep(ctx, u) })
	}
	if read != nil || err != nil && (ours(err) || errors.Is(err, errCollected) || ctx.Err() != nil) {
		s.giveUp(ctx, u, errors.Is(err, errCollected))
	}
	return read, err
}

// loosen enters a new prefix for the chunks, unless the id is taken.
func (s *Store) loosen(ctx context.Context, u *uploadDoc) (err error) {
	if u.Loose, err = s.random(sizeLoose); err != nil {
		return err
	}
	if known, err := s.known(ctx, u.ID); err != nil || known {
		return orDuplicate(known, err)
	}
	_, err = s.loose.InsertOne(ctx, looseDoc{ID: u.Loose, At: nanos(s.now())})
	return err
}

// known tells whether a content is there, adopted or not.
func (s *Store) known(ctx context.Context, id []byte) (bool, error) {
	err := absent(s.uploads.FindOne(ctx, byID(id)).Err())
	if errors.Is(err, store.ErrNotFound) {
		err = absent(s.contents.FindOne(ctx, byID(id)).Err())
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func orDuplicate(known bool, err error) error {
	if err == nil && known {
		return store.ErrDuplicate
	}
	return err
}

// fill writes the chunks.
func (s *Store) fill(ctx context.Context, u *uploadDoc, sealed io.Reader) (read, err error) {
	buf := make([]byte, chunkSize)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, read := io.ReadFull(sealed, buf)
		last := errors.Is(read, io.EOF) || errors.Is(read, io.ErrUnexpectedEOF)
		if read != nil && !last {
			return read, nil
		}
		if n > 0 {
			if err := s.step(ctx, func(ctx context.Context) error { return s.writeChunk(ctx, u, buf[:n]) }); err != nil {
				return nil, err
			}
		}
		if last {
			return nil, nil
		}
	}
}

func (s *Store) writeChunk(ctx context.Context, u *uploadDoc, data []byte) error {
	_, err := s.chunks.InsertOne(ctx, chunkDoc{ID: chunkID(u.Loose, u.Chunks), Data: data})
	u.Chunks++
	return err
}

// keep makes the chunks an upload, in one transaction. Two uploads of one id may
// come this far; one of them gets the id.
func (s *Store) keep(ctx context.Context, u *uploadDoc) error {
	u.At = nanos(s.now())
	return s.transact(ctx, func(ctx context.Context) error {
		r, err := s.loose.DeleteOne(ctx, alive(u.Loose))
		if err != nil {
			return err
		}
		if r.DeletedCount == 0 {
			return errCollected
		}
		_, err = s.uploads.InsertOne(ctx, u)
		return duplicate(err, store.ErrDuplicate)
	})
}

func alive(loose []byte) bson.D {
	return append(byID(loose), where("dead", "$exists", false)...)
}

// giveUp removes what an upload that failed has written, when it was not the
// database that failed; what stays is for Collect. An upload that was kept after
// all stays: only a prefix that is loose is removed, or one that Collect has taken,
// for the chunks that came after it.
func (s *Store) giveUp(ctx context.Context, u *uploadDoc, collected bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout/2)
	defer cancel()
	if collected {
		_, _ = s.chunks.DeleteMany(ctx, beginning(u.Loose, sizeInt32))
		return
	}
	_ = s.sweep(ctx, u.Loose)
}

// Content implements store.Store. An upload that no commit adopted is not found.
// ctx governs the reading too.
func (s *Store) Content(ctx context.Context, d store.Dossier, id store.ContentID) (io.ReadCloser, error) {
	var doc contentDoc
	err := s.call(ctx, "content", func(ctx context.Context) error {
		return absent(s.contents.FindOne(ctx, byID(contentID(d, id))).Decode(&doc))
	})
	if err != nil {
		return nil, err
	}
	if doc.Loose == nil {
		return io.NopCloser(bytes.NewReader(doc.Data)), nil
	}
	return &reader{ctx: ctx, s: s, doc: doc}, nil
}

// reader reads the chunks of a content, one at a time by its id. It holds nothing
// of the database meanwhile, and so survives the change of a primary.
type reader struct {
	ctx  context.Context // that of Content: io.Reader has no place for one
	s    *Store
	doc  contentDoc
	next int32
	left []byte
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if r.next == r.doc.Chunks {
			return 0, io.EOF
		}
		if err := r.fetch(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// fetch reads the next chunk. One that is missing is a fault, not an answer.
func (r *reader) fetch() error {
	return r.s.call(r.ctx, "content", func(ctx context.Context) error {
		var c chunkDoc
		if err := r.s.chunks.FindOne(ctx, byID(chunkID(r.doc.Loose, r.next))).Decode(&c); err != nil {
			return err
		}
		r.left = c.Data
		r.next++
		return nil
	})
}

// Close drops what was read ahead.
func (r *reader) Close() error {
	r.left, r.next = nil, r.doc.Chunks
	return nil
}
