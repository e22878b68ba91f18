package vault_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"opendmp/vault"
)

var (
	dossier = vault.ID{1, 2, 3}
	row     = vault.ID{4, 5, 6}
	event   = vault.ID{7, 8, 9}
	place   = vault.Place{Row: row, Version: 3, Field: vault.Body}
)

func newVault(t testing.TB) *vault.Vault {
	t.Helper()
	v, err := vault.OpenDir(filepath.Join(t.TempDir(), "keys"), true, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newDossier(t testing.TB, v *vault.Vault, id vault.ID) ([]vault.Wrapped, *vault.Ring) {
	t.Helper()
	keys, ring, err := v.NewDossier(id)
	if err != nil {
		t.Fatal(err)
	}
	return keys, ring
}

// refused fails unless opening gave ErrOpen and nothing else.
func refused(t testing.TB, what string, plain []byte, err error) {
	t.Helper()
	if !errors.Is(err, vault.ErrOpen) || plain != nil {
		t.Errorf("%s: opened as %q, %v", what, plain, err)
	}
}

func TestSealRoundTrip(t *testing.T) {
	_, ring := newDossier(t, newVault(t), dossier)
	rapid.Check(t, func(t *rapid.T) {
		p := vault.Place{
			Row:     vault.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "row")),
			Version: rapid.Int64().Draw(t, "version"),
			Field:   rapid.SampledFrom([]vault.Field{vault.Summary, vault.Body, vault.Content}).Draw(t, "field"),
		}
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed := ring.Seal(p, plain)
		if !vault.IsSealed(sealed) || len(sealed) != len(plain)+vault.Overhead {
			t.Fatalf("sealed is %x", sealed)
		}
		if got, err := ring.Open(p, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("Open = %x, %v", got, err)
		}
		if got, err := ring.OpenEvent(p.Row, ring.SealEvent(p.Row, plain)); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("OpenEvent = %x, %v", got, err)
		}
	})
}

func TestSealTwiceDiffers(t *testing.T) {
	_, ring := newDossier(t, newVault(t), dossier)
	if bytes.Equal(ring.Seal(place, []byte("same")), ring.Seal(place, []byte("same"))) {
		t.Error("the same nonce twice")
	}
}

// TestEveryBitCounts flips each bit of each sealed form.
func TestEveryBitCounts(t *testing.T) {
	v := newVault(t)
	keys, ring := newDossier(t, v, dossier)
	content := v.NewContentKey()
	plain := []byte("HbA1c 6,1 %")
	forms := []struct {
		name   string
		sealed []byte
		open   func([]byte) ([]byte, error)
	}{
		{"row", ring.Seal(place, plain), func(b []byte) ([]byte, error) { return ring.Open(place, b) }},
		{"event", ring.SealEvent(event, plain), func(b []byte) ([]byte, error) { return ring.OpenEvent(event, b) }},
		{"content", content.Seal(row, plain), func(b []byte) ([]byte, error) { return content.Open(row, b) }},
		{"data key", keys[0].Bytes, func(b []byte) ([]byte, error) { return nil, opens(v, dossier, keys[0], b) }},
		{"trace key", keys[1].Bytes, func(b []byte) ([]byte, error) { return nil, opens(v, dossier, keys[1], b) }},
	}
	for _, f := range forms {
		if _, err := f.open(f.sealed); err != nil {
			t.Errorf("%s does not open unchanged: %v", f.name, err)
		}
		for bit := range 8 * len(f.sealed) {
			changed := slices.Clone(f.sealed)
			changed[bit/8] ^= 1 << (bit % 8)
			got, err := f.open(changed)
			refused(t, f.name+" with a bit changed", got, err)
		}
		for n := range f.sealed {
			got, err := f.open(f.sealed[:n])
			refused(t, f.name+" cut", got, err)
		}
		got, err := f.open(append(slices.Clone(f.sealed), 0))
		refused(t, f.name+" with a byte more", got, err)
	}
}

// opens tells whether w opens with other bytes.
func opens(v *vault.Vault, id vault.ID, w vault.Wrapped, b []byte) error {
	w.Bytes = b
	_, err := v.Ring(id, []vault.Wrapped{w})
	return err
}

func TestSealedStaysInItsPlace(t *testing.T) {
	v := newVault(t)
	_, ring := newDossier(t, v, dossier)
	_, neighbour := newDossier(t, v, vault.ID{9})
	sealed := ring.Seal(place, []byte("secret"))
	for name, p := range map[string]vault.Place{
		"another row":     {Row: vault.ID{4, 5, 7}, Version: 3, Field: vault.Body},
		"the version old": {Row: row, Version: 2, Field: vault.Body},
		"the version new": {Row: row, Version: 4, Field: vault.Body},
		"another field":   {Row: row, Version: 3, Field: vault.Summary},
		"the other field": {Row: row, Version: 3, Field: vault.Content},
		"no field":        {Row: row, Version: 3},
		"an unknown one":  {Row: row, Version: 3, Field: 200},
	} {
		got, err := ring.Open(p, sealed)
		refused(t, name, got, err)
	}
	got, err := neighbour.Open(place, sealed)
	refused(t, "another dossier", got, err)

	told := ring.SealEvent(event, []byte("seen"))
	got, err = ring.OpenEvent(vault.ID{7, 8, 8}, told)
	refused(t, "another event", got, err)
	got, err = neighbour.OpenEvent(event, told)
	refused(t, "the event of another dossier", got, err)
	got, err = ring.Open(vault.Place{Row: event, Field: vault.Body}, told)
	refused(t, "an event as a row", got, err)
	got, err = ring.OpenEvent(row, sealed)
	refused(t, "a row as an event", got, err)
}

// TestKeysStayInTheirPlace: a wrapped key opens only as what it was wrapped for.
func TestKeysStayInTheirPlace(t *testing.T) {
	v := newVault(t)
	keys, _ := newDossier(t, v, dossier)
	for name, change := range map[string]func(*vault.Wrapped) vault.ID{
		"dossier": func(*vault.Wrapped) vault.ID { return vault.ID{2} },
		"kind":    func(w *vault.Wrapped) vault.ID { w.Kind = vault.Trace; return dossier },
		"no kind": func(w *vault.Wrapped) vault.ID { w.Kind = 0; return dossier },
		"number":  func(w *vault.Wrapped) vault.ID { w.Number = 2; return dossier },
		"zeroth":  func(w *vault.Wrapped) vault.ID { w.Number = 0; return dossier },
		"epoch":   func(w *vault.Wrapped) vault.ID { w.Epoch = 2; return dossier },
	} {
		w := keys[0]
		id := change(&w)
		if r, err := v.Ring(id, []vault.Wrapped{w}); !errors.Is(err, vault.ErrOpen) || r != nil {
			t.Errorf("another %s: %v, %v", name, r, err)
		}
	}
}

// TestDestroyedDossier: without its data key a dossier has a history and nothing
// else.
func TestDestroyedDossier(t *testing.T) {
	v := newVault(t)
	keys, before := newDossier(t, v, dossier)
	sealed, told := before.Seal(place, []byte("secret")), before.SealEvent(event, []byte("seen"))
	trace := slices.DeleteFunc(slices.Clone(keys), func(w vault.Wrapped) bool { return w.Kind == vault.Data })
	ring, err := v.Ring(dossier, trace)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ring.Open(place, sealed)
	refused(t, "a row", got, err)
	if s := ring.Seal(place, []byte("more")); s != nil {
		t.Errorf("sealed %x without a data key", s)
	}
	if got, err := ring.OpenEvent(event, told); err != nil || string(got) != "seen" {
		t.Errorf("OpenEvent = %q, %v", got, err)
	}
	if got, err := ring.OpenEvent(event, ring.SealEvent(event, []byte("later"))); err != nil || string(got) != "later" {
		t.Errorf("a later event: %q, %v", got, err)
	}
}

func TestForget(t *testing.T) {
	_, ring := newDossier(t, newVault(t), dossier)
	sealed := ring.Seal(place, []byte("secret"))
	if !ring.Of(dossier) || ring.Of(vault.ID{}) {
		t.Error("the ring does not know its dossier")
	}
	ring.Forget()
	got, err := ring.Open(place, sealed)
	refused(t, "a row after Forget", got, err)
	if ring.Seal(place, nil) != nil || ring.SealEvent(event, nil) != nil {
		t.Error("sealed after Forget")
	}
	if ring.Of(dossier) {
		t.Error("still of its dossier after Forget")
	}
}

func TestZeroValuesRefuse(t *testing.T) {
	real := newVault(t)
	_, r := newDossier(t, real, dossier)
	sealed, told := r.Seal(place, nil), r.SealEvent(event, nil)
	cursor := real.SealCursor([]byte("x"))
	for _, ring := range []*vault.Ring{nil, {}} {
		got, err := ring.Open(place, sealed)
		refused(t, "zero ring", got, err)
		got, err = ring.OpenEvent(event, told)
		refused(t, "zero ring", got, err)
		if ring.Seal(place, nil) != nil || ring.SealEvent(event, nil) != nil {
			t.Error("a zero ring sealed")
		}
		if ring.Of(vault.ID{}) {
			t.Error("a zero ring is of a dossier")
		}
		ring.Forget()
	}
	for _, v := range []*vault.Vault{nil, {}} {
		if keys, ring, err := v.NewDossier(dossier); err == nil || keys != nil || ring != nil {
			t.Error("a zero vault made a dossier")
		}
		if ring, err := v.Ring(dossier, nil); err == nil || ring != nil {
			t.Error("a zero vault made a ring")
		}
		if v.NewContentKey() != (vault.ContentKey{}) || v.SealCursor(nil) != "" {
			t.Error("a zero vault sealed")
		}
		if v.Claim("a") != [32]byte{} || v.Find("a") != [32]byte{} {
			t.Error("a zero vault made a token")
		}
		got, err := v.OpenCursor(cursor)
		refused(t, "zero vault", got, err)
	}
	if vault.IsSealed(nil) || vault.IsSealed([]byte("plain text, long enough to hide a nonce and a tag")) {
		t.Error("IsSealed takes what is not sealed")
	}
}

// TestPrintingShowsNoKey: a vault or a content key in a log line is harmless.
func TestPrintingShowsNoKey(t *testing.T) {
	v := newVault(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, v); got != "vault" {
			t.Errorf("%s shows %q", verb, got)
		}
		if got := fmt.Sprintf(verb, v.NewContentKey()); got != "content key" {
			t.Errorf("%s shows %q", verb, got)
		}
	}
}

// noRandom has bytes for the making of a vault and a dossier, and none after.
type noRandom struct{ left int }

func (r *noRandom) Read(p []byte) (int, error) {
	n := min(len(p), r.left)
	r.left -= n
	if n == 0 {
		return 0, errors.New("dry")
	}
	return rand.Read(p[:n])
}

// TestWithoutRandomness: no key and no nonce is ever made of too few random bytes.
func TestWithoutRandomness(t *testing.T) {
	for left := range 400 {
		source := &noRandom{left}
		v, err := vault.OpenDir(filepath.Join(t.TempDir(), "keys"), true, source)
		if err != nil {
			continue
		}
		keys, ring, err := v.NewDossier(dossier)
		if err != nil {
			if keys != nil || ring != nil {
				t.Fatalf("%d bytes: a dossier with an error", left)
			}
			continue
		}
		source.left = 0
		if ring.Seal(place, nil) != nil || ring.SealEvent(event, nil) != nil || v.SealCursor(nil) != "" {
			t.Fatal("sealed without randomness")
		}
		if v.NewContentKey() != (vault.ContentKey{}) {
			t.Fatal("a content key without randomness")
		}
		return
	}
	t.Fatal("no vault was ever made")
}
