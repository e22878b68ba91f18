package vault

import (
	"crypto/rand"
	"errors"
	"testing"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestOneSealedForm: an empty last chunk after whole ones would be a second sealed
// form of the same content.
func TestOneSealedForm(t *testing.T) {
	key, id := ContentKey{1}, ID{2}
	s := newStream(key, id)
	longer := must(s.seal([]byte{formatContent}, make([]byte, chunkSize), false))
	longer = must(s.seal(longer, nil, true))
	if plain, err := key.Open(id, longer); !errors.Is(err, ErrOpen) || plain != nil {
		t.Errorf("opened %d bytes, %v", len(plain), err)
	}
}

// TestShortChunkInside: only the last chunk may be short.
func TestShortChunkInside(t *testing.T) {
	key, id := ContentKey{1}, ID{2}
	s := newStream(key, id)
	short := must(s.seal([]byte{formatContent}, make([]byte, 100), false))
	short = must(s.seal(short, make([]byte, 100), true))
	if plain, err := key.Open(id, short); !errors.Is(err, ErrOpen) || plain != nil {
		t.Errorf("opened %d bytes, %v", len(plain), err)
	}
}

// epochs makes a vault with n epochs under one root key.
func epochs(t *testing.T, n int32) (*fileRoot, Keyring) {
	t.Helper()
	root := &fileRoot{key: must(newKey(rand.Reader)), rand: rand.Reader}
	ring := must(NewKeyring(root, rand.Reader))
	for number := int32(2); number <= n; number++ {
		ring.Epochs = append(ring.Epochs, Epoch{number, must(root.Wrap(number, must(newKey(rand.Reader))))})
	}
	return root, ring
}

// TestEpochs: new keys go under the newest epoch, older ones open while theirs is
// there, and are gone with it.
func TestEpochs(t *testing.T) {
	root, keyring := epochs(t, 2)
	keyring = must(ParseKeyring(keyring.Append(nil)))
	first := must(New(root, Keyring{Index: 1, Epochs: keyring.Epochs[:1]}, rand.Reader))
	both := must(New(root, keyring, rand.Reader))
	second := must(New(root, Keyring{Index: 1, Epochs: keyring.Epochs[1:]}, rand.Reader))

	id := ID{1}
	old, _, err := first.NewDossier(id)
	if err != nil {
		t.Fatal(err)
	}
	young, _, err := both.NewDossier(id)
	if err != nil {
		t.Fatal(err)
	}
	if old[0].Epoch != 1 || young[0].Epoch != 2 {
		t.Errorf("keys are of epochs %d and %d", old[0].Epoch, young[0].Epoch)
	}
	for _, keys := range [][]Wrapped{old, young} {
		if _, err := both.Ring(id, keys); err != nil {
			t.Errorf("epoch %d: %v", keys[0].Epoch, err)
		}
	}
	if _, err := second.Ring(id, young); err != nil {
		t.Error(err)
	}
	if ring, err := second.Ring(id, old); !errors.Is(err, ErrOpen) || ring != nil {
		t.Errorf("a key outlived its epoch: %v", err)
	}
	if first.Claim("a") != second.Claim("a") {
		t.Error("the index key depends on an epoch")
	}
}

// TestIndexNumber: another index key gives other tokens.
func TestIndexNumber(t *testing.T) {
	root, keyring := epochs(t, 1)
	before := must(New(root, keyring, rand.Reader))
	keyring.Index = 2
	after := must(New(root, keyring, rand.Reader))
	if before.Claim("a") == after.Claim("a") || before.Find("a") == after.Find("a") {
		t.Error("tokens survive a reindex")
	}
}

// TestNewestKeySeals: with two data keys, as while a document is destroyed, the
// newest seals and both open.
func TestNewestKeySeals(t *testing.T) {
	root, keyring := epochs(t, 1)
	v := must(New(root, keyring, rand.Reader))
	id, p := ID{1}, Place{Row: ID{2}, Version: 1, Field: Summary}
	one := must(v.newDossierKey(id, Data, 1))
	two := must(v.newDossierKey(id, Data, 2))
	old := must(v.Ring(id, []Wrapped{one}))
	both := must(v.Ring(id, []Wrapped{two, one}))
	young := must(v.Ring(id, []Wrapped{two}))

	sealed := both.Seal(p, []byte("new"))
	if got, err := young.Open(p, sealed); err != nil || string(got) != "new" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if got, err := both.Open(p, old.Seal(p, []byte("old"))); err != nil || string(got) != "old" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if _, err := young.Open(p, old.Seal(p, []byte("old"))); !errors.Is(err, ErrOpen) {
		t.Errorf("opened without its key: %v", err)
	}
	if _, err := old.Open(p, sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("opened without its key: %v", err)
	}
}

// TestSubkeysDiffer: no two uses share a key.
func TestSubkeysDiffer(t *testing.T) {
	root, keyring := epochs(t, 1)
	v := must(New(root, keyring, rand.Reader))
	if string(v.claim) == string(v.find) {
		t.Error("claims and finds share a key")
	}
	_, ring, err := v.NewDossier(ID{1})
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, nonceSize)
	seen := map[string]bool{}
	k := ring.load()
	for _, aead := range append(k.data[0].fields[1:], k.trace[0].events) {
		out := string(aead.Seal(nil, nonce, nil, nil))
		if seen[out] {
			t.Error("two uses of a dossier share a key")
		}
		seen[out] = true
	}
}

// lying is a root key service that gives back another key, or fails.
type lying struct {
	*fileRoot
	key []byte
	err error
}

func (l lying) Unwrap(int32, []byte) ([]byte, error) { return l.key, l.err }

func TestRootFails(t *testing.T) {
	root, keyring := epochs(t, 1)
	away := errors.New("key service away")
	for _, r := range []Root{lying{root, nil, away}, lying{root, []byte("short"), nil}} {
		if v, err := New(r, keyring, rand.Reader); err == nil || v != nil {
			t.Errorf("New = %v, %v", v, err)
		}
	}
}
