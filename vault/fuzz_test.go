package vault_test

import (
	"bytes"
	"io"
	"testing"

	"opendmp/vault"
)

// FuzzOpen gives any bytes to everything that opens: nothing panics, and nothing
// but what was sealed there is accepted.
func FuzzOpen(f *testing.F) {
	v, _ := known(f)
	keys, ring := newDossier(f, v, dossier)
	content := v.NewContentKey()
	plain := []byte("plain")
	sealed := [][]byte{
		ring.Seal(place, plain), ring.SealEvent(event, plain), content.Seal(row, plain),
		keys[0].Bytes, []byte(v.SealCursor(plain)),
	}
	for _, s := range sealed {
		f.Add(s)
	}
	f.Add([]byte(nil))
	f.Add([]byte("opendmp-keyring 1\nindex 1\nepoch 1 AAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		accept := func(what int, got []byte, err error) {
			if err == nil && (!bytes.Equal(b, sealed[what]) || !bytes.Equal(got, plain)) {
				t.Errorf("form %d: %x opened as %q", what, b, got)
			}
		}
		got, err := ring.Open(place, b)
		accept(0, got, err)
		got, err = ring.OpenEvent(event, b)
		accept(1, got, err)
		got, err = content.Open(row, b)
		accept(2, got, err)
		streamed, serr := io.ReadAll(content.OpenReader(row, bytes.NewReader(b)))
		if (err == nil) != (serr == nil) || err == nil && !bytes.Equal(got, streamed) {
			t.Errorf("memory gives %q, %v; the stream %q, %v", got, err, streamed, serr)
		}
		w := keys[0]
		w.Bytes = b
		_, err = v.Ring(dossier, []vault.Wrapped{w})
		accept(3, plain, err)
		got, err = v.OpenCursor(string(b))
		accept(4, got, err)
		if k, err := vault.ParseKeyring(b); err == nil && !bytes.Equal(k.Append(nil), b) {
			t.Errorf("%q is read as another keyring", b)
		}
	})
}
