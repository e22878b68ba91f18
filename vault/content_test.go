package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"

	"opendmp/vault"
)

const (
	chunk  = 64 << 10
	sealed = chunk + 16 // a whole chunk with its tag
)

func bytesOf(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

// contentSizes lie on both sides of what the format turns on.
var contentSizes = []int{0, 1, 1000, chunk - 1, chunk, chunk + 1, 2 * chunk, 3*chunk + 5}

func TestContentRoundTrip(t *testing.T) {
	key := newVault(t).NewContentKey()
	readers := map[string]func(io.Reader) io.Reader{
		"plain":    func(r io.Reader) io.Reader { return r },
		"halves":   iotest.HalfReader,
		"data+EOF": iotest.DataErrReader,
	}
	for _, n := range contentSizes {
		plain := bytesOf(n)
		whole := key.Seal(row, plain)
		if int64(len(whole)) != vault.SealedSize(int64(n)) || !vault.IsSealed(whole) {
			t.Errorf("%d bytes: sealed in %d, SealedSize says %d", n, len(whole), vault.SealedSize(int64(n)))
		}
		if got, err := key.Open(row, whole); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: Open: %v", n, err)
		}
		for name, slow := range readers {
			streamed, err := io.ReadAll(key.SealReader(row, slow(bytes.NewReader(plain))))
			if err != nil || !bytes.Equal(streamed, whole) {
				t.Errorf("%d bytes, %s: SealReader differs from Seal, %v", n, name, err)
			}
			got, err := io.ReadAll(key.OpenReader(row, slow(bytes.NewReader(whole))))
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes, %s: OpenReader: %v", n, name, err)
			}
		}
	}
}

func TestContentIsBoundToItsIDAndKey(t *testing.T) {
	v := newVault(t)
	key := v.NewContentKey()
	whole := key.Seal(row, []byte("compte rendu"))
	got, err := key.Open(vault.ID{1}, whole)
	refused(t, "another id", got, err)
	got, err = v.NewContentKey().Open(row, whole)
	refused(t, "another key", got, err)
	got, err = vault.ContentKey{}.Open(row, whole)
	refused(t, "the zero key", got, err)
	if (vault.ContentKey{}).Seal(row, nil) != nil {
		t.Error("the zero key sealed")
	}
	for _, r := range []io.Reader{
		vault.ContentKey{}.SealReader(row, bytes.NewReader(nil)),
		vault.ContentKey{}.OpenReader(row, bytes.NewReader(whole)),
	} {
		if b, err := io.ReadAll(r); !errors.Is(err, vault.ErrOpen) || len(b) > 0 {
			t.Errorf("the zero key gave %x, %v", b, err)
		}
	}
}

// TestContentDamage moves, drops, repeats and cuts chunks. In memory nothing
// comes out; a stream gives whole chunks at most, and an error.
func TestContentDamage(t *testing.T) {
	key := newVault(t).NewContentKey()
	plain := bytesOf(2*chunk + 100)
	whole := key.Seal(row, plain)
	head, c0, c1, c2 := whole[:1], whole[1:1+sealed], whole[1+sealed:1+2*sealed], whole[1+2*sealed:]
	other := key.Seal(row, bytesOf(3*chunk)) // as a mistake: one key, two contents
	damaged := map[string][]byte{
		"nothing":          {},
		"format byte only": head,
		"another format":   slices.Concat([]byte{1}, c0, c1, c2),
		"chunks swapped":   slices.Concat(head, c1, c0, c2),
		"first dropped":    slices.Concat(head, c1, c2),
		"middle dropped":   slices.Concat(head, c0, c2),
		"middle repeated":  slices.Concat(head, c0, c1, c1, c2),
		"last repeated":    slices.Concat(head, c0, c1, c2, c2),
		"last first":       slices.Concat(head, c2),
		"a byte more":      slices.Concat(whole, []byte{0}),
		"a chunk more":     slices.Concat(whole, c0),
		"a head more":      slices.Concat(head, whole),
		"foreign last":     slices.Concat(head, c0, other[1+2*sealed:]),
	}
	for i := range 3 {
		for d := -17; d <= 17; d++ {
			n := 1 + i*sealed + d
			if n >= 0 && n < len(whole) {
				damaged[fmt.Sprintf("cut at %d%+d", i, d)] = whole[:n]
			}
		}
	}
	damaged["cut by one"] = whole[:len(whole)-1]
	for name, b := range damaged {
		got, err := key.Open(row, b)
		refused(t, name, got, err)
		given, err := io.ReadAll(key.OpenReader(row, bytes.NewReader(b)))
		if !errors.Is(err, vault.ErrOpen) || len(given)%chunk != 0 || !bytes.HasPrefix(plain, given) {
			t.Errorf("%s: the stream gave %d bytes, %v", name, len(given), err)
		}
	}
}

// TestContentSourceFails: what fails to be read never becomes a whole.
func TestContentSourceFails(t *testing.T) {
	key := newVault(t).NewContentKey()
	broken := errors.New("cable cut")
	for _, n := range contentSizes {
		src := io.MultiReader(bytes.NewReader(bytesOf(n)), iotest.ErrReader(broken))
		b, err := io.ReadAll(key.SealReader(row, src))
		if !errors.Is(err, broken) {
			t.Fatalf("%d bytes: SealReader ended with %v", n, err)
		}
		got, err := key.Open(row, b)
		refused(t, "what was sealed so far", got, err)

		whole := key.Seal(row, bytesOf(n))
		src = io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(broken))
		if _, err := io.ReadAll(key.OpenReader(row, src)); !errors.Is(err, broken) {
			t.Errorf("%d bytes: OpenReader ended with %v", n, err)
		}
	}
}

func BenchmarkContentSeal50K(b *testing.B) {
	key := newVault(b).NewContentKey()
	plain := bytesOf(50 << 10)
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		key.Seal(row, plain)
	}
}

func BenchmarkContentOpen50K(b *testing.B) {
	key := newVault(b).NewContentKey()
	whole := key.Seal(row, bytesOf(50<<10))
	b.SetBytes(50 << 10)
	for b.Loop() {
		if _, err := key.Open(row, whole); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal2K(b *testing.B) {
	_, ring := newDossier(b, newVault(b), dossier)
	plain := bytesOf(2 << 10)
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		ring.Seal(place, plain)
	}
}

func BenchmarkOpen2K(b *testing.B) {
	_, ring := newDossier(b, newVault(b), dossier)
	whole := ring.Seal(place, bytesOf(2<<10))
	b.SetBytes(2 << 10)
	for b.Loop() {
		if _, err := ring.Open(place, whole); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRing(b *testing.B) {
	v := newVault(b)
	keys, _ := newDossier(b, v, dossier)
	for b.Loop() {
		if _, err := v.Ring(dossier, keys); err != nil {
			b.Fatal(err)
		}
	}
}
