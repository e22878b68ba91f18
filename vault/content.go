package vault

import (
	"bytes"
	"io"
)

// ContentKey seals the content of one document, once: two different contents
// under one key and one id would lose their secrecy. The zero key refuses.
type ContentKey [keySize]byte

// NewContentKey returns a random key, or the zero one if there is no randomness.
func (v *Vault) NewContentKey() ContentKey {
	if v == nil {
		return ContentKey{}
	}
	key, err := newKey(v.rand)
	if err != nil {
		return ContentKey{}
	}
	return ContentKey(key)
}

// String shows nothing of the key.
func (k ContentKey) String() string { return "content key" }

// GoString shows nothing of the key.
func (k ContentKey) GoString() string { return "content key" }

// SealedSize returns the size of a sealed content of n bytes.
func SealedSize(n int64) int64 {
	chunks := max(1, (n+chunkSize-1)/chunkSize)
	return 1 + n + chunks*tagSize
}

// Seal seals a content held in memory, in the form of SealReader. It returns
// nil for the zero key.
func (k ContentKey) Seal(id ID, plain []byte) []byte {
	if k == (ContentKey{}) {
		return nil
	}
	out := append(make([]byte, 0, SealedSize(int64(len(plain)))), formatContent)
	s := newStream(k, id)
	for {
		chunk := plain[:min(chunkSize, len(plain))]
		plain = plain[len(chunk):]
		last := len(plain) == 0
		out, _ = s.seal(out, chunk, last)
		if last {
			return out
		}
	}
}

// Open undoes Seal and SealReader for a content held in memory; ErrOpen if it
// cannot.
func (k ContentKey) Open(id ID, sealed []byte) ([]byte, error) {
	if k == (ContentKey{}) || len(sealed) < 1+tagSize || sealed[0] != formatContent {
		return nil, ErrOpen
	}
	sealed = sealed[1:]
	out := make([]byte, 0, len(sealed))
	s := newStream(k, id)
	for {
		chunk := sealed[:min(chunkSize+tagSize, len(sealed))]
		sealed = sealed[len(chunk):]
		last := len(sealed) == 0
		var err error
		if out, err = s.open(out, chunk, last); err != nil {
			return nil, err
		}
		if last {
			return out, nil
		}
	}
}

// SealReader returns a reader of the sealed form of what r holds. It needs
// memory for one chunk and fails when r does.
func (k ContentKey) SealReader(id ID, r io.Reader) io.Reader {
	if k == (ContentKey{}) {
		return failed{}
	}
	return io.MultiReader(bytes.NewReader([]byte{formatContent}), &chunks{
		src: r, size: chunkSize, step: newStream(k, id).seal,
	})
}

// OpenReader undoes SealReader. Each byte that it gives was authenticated, but
// that nothing is missing is known only at io.EOF: on ErrOpen a caller must
// take back what it has passed on.
func (k ContentKey) OpenReader(id ID, r io.Reader) io.Reader {
	if k == (ContentKey{}) {
		return failed{}
	}
	return &chunks{src: &headless{src: r}, size: chunkSize + tagSize, step: newStream(k, id).open}
}

// headless takes the format byte off src.
type headless struct {
	src  io.Reader
	past bool
}

func (h *headless) Read(p []byte) (int, error) {
	if !h.past {
		var head [1]byte
		if _, err := io.ReadFull(h.src, head[:]); err == io.EOF || err == nil && head[0] != formatContent {
			return 0, ErrOpen
		} else if err != nil {
			return 0, err
		}
		h.past = true
	}
	return h.src.Read(p)
}

// failed is the reader of a zero key.
type failed struct{}

func (failed) Read([]byte) (int, error) { return 0, ErrOpen }
