package vault

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
)

// ID is a random 128-bit key of the store: of a dossier, a row, an event or a
// content.
type ID = [16]byte

// ErrClosed: the Vault is the zero one.
var ErrClosed = errors.New("vault: no keys")

// Vault holds the epoch keys, the index keys and the cursor key. It is safe for
// concurrent use. The zero Vault refuses.
type Vault struct {
	rand   io.Reader
	epochs map[int32]cipher.AEAD
	epoch  int32 // the one that wraps new keys
	claim  []byte
	find   []byte
	cursor cipher.AEAD
}

// New returns a vault over a root key and its keyring. rand must be safe for
// concurrent use, as crypto/rand.Reader is.
func New(root Root, ring Keyring, rand io.Reader) (*Vault, error) {
	if rand == nil {
		return nil, errNoRandom
	}
	v := &Vault{rand: rand, epochs: make(map[int32]cipher.AEAD, len(ring.Epochs))}
	for _, e := range ring.Epochs {
		key, err := sized(root.Unwrap(e.Number, e.Wrapped))
		if err != nil {
			return nil, fmt.Errorf("vault: key of epoch %d: %w", e.Number, err)
		}
		v.epochs[e.Number] = newAEAD(key)
		clear(key)
		v.epoch = max(v.epoch, e.Number)
	}
	if v.epoch < 1 {
		return nil, fmt.Errorf("%w: keyring without an epoch", ErrKeyFile)
	}
	index, err := sized(root.Derive(fmt.Sprintf("index %d", ring.Index)))
	if err != nil {
		return nil, fmt.Errorf("vault: index key: %w", err)
	}
	v.claim, v.find = subkey(index, nil, "claim"), subkey(index, nil, "find")
	clear(index)
	cursor, err := sized(root.Derive("cursor 1"))
	if err != nil {
		return nil, fmt.Errorf("vault: cursor key: %w", err)
	}
	v.cursor = newAEAD(cursor)
	clear(cursor)
	return v, nil
}

// sized refuses what a driver gives that is not a key.
func sized(key []byte, err error) ([]byte, error) {
	if err == nil && len(key) != keySize {
		return nil, fmt.Errorf("%w: %d bytes for a key", ErrOpen, len(key))
	}
	return key, err
}

// String shows no key, whatever prints the vault.
func (v *Vault) String() string { return "vault" }

// GoString shows no key.
func (v *Vault) GoString() string { return "vault" }

// NewDossier makes the first data key and the first trace key of a dossier and
// returns them wrapped, to be stored, and opened.
func (v *Vault) NewDossier(id ID) ([]Wrapped, *Ring, error) {
	if v == nil || v.epoch == 0 {
		return nil, nil, ErrClosed
	}
	var keys []Wrapped
	for _, kind := range []uint8{Data, Trace} {
		w, err := v.newDossierKey(id, kind, 1)
		if err != nil {
			return nil, nil, err
		}
		keys = append(keys, w)
	}
	ring, err := v.Ring(id, keys)
	return keys, ring, err
}

func (v *Vault) newDossierKey(id ID, kind uint8, number int32) (Wrapped, error) {
	key, err := newKey(v.rand)
	if err != nil {
		return Wrapped{}, err
	}
	defer clear(key)
	sealed, err := wrapKey(v.epochs[v.epoch], key, dossierKeyAD(id, kind, number, v.epoch), v.rand)
	if err != nil {
		return Wrapped{}, err
	}
	return Wrapped{Kind: kind, Number: number, Epoch: v.epoch, Bytes: sealed}, nil
}

// Ring opens the keys of a dossier. Without a data key among them (a destroyed
// dossier) the ring still seals and opens events. A key that does not open, or
// whose epoch is gone, is ErrOpen.
func (v *Vault) Ring(id ID, keys []Wrapped) (*Ring, error) {
	if v == nil || v.epoch == 0 {
		return nil, ErrClosed
	}
	k := &ringKeys{id: id}
	for _, w := range keys {
		wrapping, ok := v.epochs[w.Epoch]
		if !ok || w.Number < 1 {
			return nil, ErrOpen
		}
		key, err := unwrapKey(wrapping, w.Bytes, dossierKeyAD(id, w.Kind, w.Number, w.Epoch))
		if err != nil {
			return nil, err
		}
		err = k.add(w.Kind, w.Number, key)
		clear(key)
		if err != nil {
			return nil, err
		}
	}
	r := &Ring{rand: v.rand}
	r.keys.Store(k)
	return r, nil
}
