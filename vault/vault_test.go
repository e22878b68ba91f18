package vault_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"

	"opendmp/vault"
)

func TestRingSurvivesStorage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v, err := vault.OpenDir(dir, true, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := vault.ID{1}
	keys, ring, err := v.NewDossier(id)
	if err != nil {
		t.Fatal(err)
	}
	p := vault.Place{Row: vault.ID{2}, Version: 3, Field: vault.Body}
	sealed, event := ring.Seal(p, []byte("body")), ring.SealEvent(vault.ID{9}, []byte("event"))

	again, err := vault.OpenDir(dir, false, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ring, err = again.Ring(id, keys)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Open(p, sealed); err != nil || string(got) != "body" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if got, err := ring.OpenEvent(vault.ID{9}, event); err != nil || string(got) != "event" {
		t.Errorf("OpenEvent = %q, %v", got, err)
	}
}
