package vault

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Keyring lists the epoch keys, wrapped by the root key, and says which index
// key is in force. Taking an epoch out of it destroys that epoch.
type Keyring struct {
	Index  int32 // number of the index key, from 1
	Epochs []Epoch
}

// Epoch is a wrapping key under the root key.
type Epoch struct {
	Number  int32 // from 1; the highest one wraps new keys
	Wrapped []byte
}

const keyringMagic = "opendmp-keyring 1"

// NewKeyring returns a keyring with a first epoch.
func NewKeyring(root Root, rand io.Reader) (Keyring, error) {
	key, err := newKey(rand)
	if err != nil {
		return Keyring{}, err
	}
	defer clear(key)
	wrapped, err := root.Wrap(1, key)
	if err != nil {
		return Keyring{}, fmt.Errorf("vault: wrapping epoch 1: %w", err)
	}
	return Keyring{Index: 1, Epochs: []Epoch{{1, wrapped}}}, nil
}

// Append appends the text form of the keyring: a magic line, "index N", and for
// each epoch "epoch N BASE64".
func (k Keyring) Append(b []byte) []byte {
	b = append(b, keyringMagic...)
	b = fmt.Appendf(b, "\nindex %d\n", k.Index)
	for _, e := range k.Epochs {
		b = fmt.Appendf(b, "epoch %d %s\n", e.Number, base64.StdEncoding.EncodeToString(e.Wrapped))
	}
	return b
}

// ParseKeyring reads what Append wrote, and nothing else; ErrKeyFile otherwise.
func ParseKeyring(data []byte) (Keyring, error) {
	garbled := func(line int) (Keyring, error) {
		return Keyring{}, fmt.Errorf("%w: line %d of the keyring is garbled; restore it from the key backup", ErrKeyFile, line)
	}
	text, ok := strings.CutSuffix(string(data), "\n")
	lines := strings.Split(text, "\n")
	if !ok || lines[0] != keyringMagic || len(lines) < 3 {
		return garbled(1)
	}
	index, ok := strings.CutPrefix(lines[1], "index ")
	if !ok {
		return garbled(2)
	}
	k := Keyring{}
	if k.Index, ok = parseNumber(index); !ok {
		return garbled(2)
	}
	last := int32(0)
	for i, line := range lines[2:] {
		word := strings.Split(line, " ")
		if len(word) != 3 || word[0] != "epoch" {
			return garbled(i + 3)
		}
		number, ok := parseNumber(word[1])
		wrapped, err := base64.StdEncoding.DecodeString(word[2])
		if !ok || err != nil || number <= last {
			return garbled(i + 3)
		}
		k.Epochs = append(k.Epochs, Epoch{number, wrapped})
		last = number
	}
	if !bytes.Equal(k.Append(nil), data) {
		return garbled(1)
	}
	return k, nil
}

// parseNumber reads a decimal number from 1.
func parseNumber(s string) (int32, bool) {
	n, err := strconv.ParseInt(s, 10, 32)
	return int32(n), err == nil && n >= 1
}
