package vault

import (
	"crypto/cipher"
	"encoding/binary"
	"io"
)

// chunkSize is the length of the plain text of each chunk but the last, which
// may be shorter and is empty only in an empty content.
const chunkSize = 64 << 10

// stream is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015)
// as age uses it: the nonce of a chunk is its number and whether it is the last
// one, so that chunks cannot be moved, dropped or added. A key derived from the
// content's id makes the nonces unique.
type stream struct {
	aead cipher.AEAD
	next uint64 // number of the next chunk
}

func newStream(k ContentKey, id ID) *stream {
	return &stream{aead: subAEAD(k[:], id[:], "content")}
}

// nonce is the number of the chunk (11 bytes, big-endian) ‖ 1 for the last.
func (s *stream) nonce(last bool) (n [nonceSize]byte) {
	binary.BigEndian.PutUint64(n[3:], s.next)
	s.next++
	if last {
		n[nonceSize-1] = 1
	}
	return n
}

// seal appends the sealed chunk to dst. It has the form of open and never fails.
func (s *stream) seal(dst, chunk []byte, last bool) ([]byte, error) {
	n := s.nonce(last)
	return s.aead.Seal(dst, n[:], chunk, []byte{formatContent}), nil
}

// open appends the opened chunk to dst.
func (s *stream) open(dst, chunk []byte, last bool) ([]byte, error) {
	if len(chunk) == tagSize && s.next > 0 {
		return nil, ErrOpen // one content, one sealed form
	}
	n := s.nonce(last)
	out, err := s.aead.Open(dst, n[:], chunk, []byte{formatContent})
	if err != nil {
		return nil, ErrOpen
	}
	return out, nil
}

// chunks reads src in chunks of size bytes, the last one shorter, and gives what
// step makes of each. It reads one byte ahead to know which is the last.
type chunks struct {
	src  io.Reader
	size int
	step func(dst, chunk []byte, last bool) ([]byte, error)

	in   []byte // size+1 bytes, of which the first have are read
	have int
	out  []byte // the last result
	rest []byte // what of it is not given yet
	err  error  // sticky
}

func (c *chunks) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		c.advance()
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// advance makes the next result. An error of src, or of step, ends the reader
// without a last chunk, so that what came before cannot pass for a whole.
func (c *chunks) advance() {
	if c.in == nil {
		c.in = make([]byte, c.size+1)
	}
	n, err := io.ReadFull(c.src, c.in[c.have:])
	c.have += n
	last := err == io.EOF || err == io.ErrUnexpectedEOF
	if err != nil && !last {
		c.err = err
		return
	}
	chunk := c.in[:min(c.have, c.size)]
	if c.out, err = c.step(c.out[:0], chunk, last); err != nil {
		c.err = err
		return
	}
	c.rest = c.out
	if last {
		c.err = io.EOF
		return
	}
	c.in[0] = c.in[c.size]
	c.have = 1
}
