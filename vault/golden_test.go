package vault_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opendmp/vault"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// known makes a vault of known randomness: the golden file is readable by whoever
// implements the formats again.
func known(t testing.TB) (*vault.Vault, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	source := rand.NewChaCha8([32]byte([]byte("golden files of package vault...")))
	v, err := vault.OpenDir(dir, true, source)
	if err != nil {
		t.Fatal(err)
	}
	return v, dir
}

// TestFormatsGolden notices a change of what is on disk. Data sealed by an earlier
// version must stay readable: a difference here is a new format byte, not -update.
func TestFormatsGolden(t *testing.T) {
	v, dir := known(t)
	var got bytes.Buffer
	for _, name := range []string{rootKey, keyring} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s: %q\n", name, b)
	}
	keys, ring := newDossier(t, v, dossier)
	for _, k := range keys {
		fmt.Fprintf(&got, "key kind %d number %d epoch %d: %x\n", k.Kind, k.Number, k.Epoch, k.Bytes)
	}
	for _, f := range []vault.Field{vault.Summary, vault.Body, vault.Content} {
		fmt.Fprintf(&got, "row field %d: %x\n", f, ring.Seal(vault.Place{Row: row, Version: 3, Field: f}, []byte("plain")))
	}
	fmt.Fprintf(&got, "event: %x\n", ring.SealEvent(event, []byte("plain")))
	content := v.NewContentKey()
	fmt.Fprintf(&got, "content key: %x\n", content[:])
	fmt.Fprintf(&got, "content: %x\n", content.Seal(row, []byte("plain")))
	fmt.Fprintf(&got, "content empty: %x\n", content.Seal(row, nil))
	whole := content.Seal(row, make([]byte, chunk+1))
	fmt.Fprintf(&got, "content of 65537 zeros, ends with: %x\n", whole[len(whole)-33:])
	fmt.Fprintf(&got, "cursor: %s\n", v.SealCursor([]byte("plain")))
	fmt.Fprintf(&got, "claim a, bc: %x\nfind a, bc: %x\n", v.Claim("a", "bc"), v.Find("a", "bc"))

	path := filepath.Join("testdata", "formats.golden")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("a format changed:\n%s\nwant\n%s", got.Bytes(), want)
	}
}

// TestGoldenOpens opens what the golden file holds, with the keys that it holds.
func TestGoldenOpens(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "formats.golden"))
	if err != nil {
		t.Fatal(err)
	}
	line := map[string]string{}
	for l := range strings.Lines(string(golden)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(l, "\n"), ": ")
		line[name] = value
	}
	unhex := func(name string) []byte {
		b, err := hex.DecodeString(line[name])
		if err != nil || len(b) == 0 {
			t.Fatalf("%s: %q", name, line[name])
		}
		return b
	}
	v, _ := known(t)
	ring, err := v.Ring(dossier, []vault.Wrapped{
		{Kind: vault.Data, Number: 1, Epoch: 1, Bytes: unhex("key kind 1 number 1 epoch 1")},
		{Kind: vault.Trace, Number: 1, Epoch: 1, Bytes: unhex("key kind 2 number 1 epoch 1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, got []byte, err error) {
		if err != nil || string(got) != "plain" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	got, err := ring.Open(place, unhex("row field 2"))
	check("row", got, err)
	got, err = ring.OpenEvent(event, unhex("event"))
	check("event", got, err)
	got, err = vault.ContentKey(unhex("content key")).Open(row, unhex("content"))
	check("content", got, err)
	got, err = v.OpenCursor(line["cursor"])
	check("cursor", got, err)
}
