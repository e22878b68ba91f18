package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opendmp/cmd/dmpd/internal/transfer"
	"opendmp/store"
)

// A sandbox is copied and the copy is served with the same keys.
func TestCopyIsServed(t *testing.T) {
	data, target := t.TempDir(), t.TempDir()
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	w, stop, err := startWorld(data)
	if err != nil {
		t.Fatal(err)
	}
	w.t = t
	before := w.as("medecin-martin").get(w.doc("alix-biologie")).is(200)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	from := testStore(data)
	if from == "" {
		from = data
	}
	out, err := command(t, "copy", "--from", from, "--to", target)
	if err != nil || !strings.Contains(out, "both sides are the same") || strings.Contains(out, "DIFFERS") {
		t.Fatalf("%s %v", out, err)
	}
	if _, err := os.Stat(vaultDir(target)); err == nil {
		t.Error("the keys were copied")
	}
	// The keys stay with the folder; the store of the copy takes the place of its own.
	if err := os.RemoveAll(storeDir(data)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(storeDir(target), storeDir(data)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OPENDMP_TEST_STORE", "")
	w, stop, err = startWorld(data)
	if err != nil {
		t.Fatal(err)
	}
	w.t = t
	if after := w.as("medecin-martin").get(w.doc("alix-biologie")).is(200); string(after.body) != string(before.body) {
		t.Errorf("read %s\nwas %s", after.body, before.body)
	}
	w.as("pharmacien-dubois").get(w.doc("alix-masque")).is(404)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Half a copy is neither served nor copied.
func TestUnfinishedCopy(t *testing.T) {
	dir := t.TempDir()
	e, err := engineAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	st, err := e.openOrMake(ctx)
	if err != nil {
		t.Fatal(err)
	}
	entry := store.StateItem{StateEntry: store.StateEntry{Kind: "copy", Key: "progress", Value: []byte("{}"), Rev: 1}}
	if err := st.(transfer.Engine).Load(ctx, []store.Item{entry}); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"migrate", "--data", dir}, {"copy", "--from", dir, "--to", t.TempDir()}} {
		if out, err := command(t, args...); err == nil || !strings.Contains(err.Error(), "unfinished copy") {
			t.Errorf("%v: %s %v", args, out, err)
		}
	}
}

func TestCopyRefusals(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DMPD_TO", "")
	for want, args := range map[string][]string{
		"needs --from and --to": {"--from", dir},
		"the same store":        {"--from", dir, "--to", filepath.Join(dir, "x", "..")},
		"no store in":           {"--from", dir, "--to", filepath.Join(dir, "x")},
		"store is sqlite, or":   {"--from", "postgres://u:secret@h", "--to", dir},
	} {
		out, err := command(t, append([]string{"copy"}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(out+err.Error(), "secret") {
			t.Errorf("%v: %s %v", args, out, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v %v", left, err)
	}
}
