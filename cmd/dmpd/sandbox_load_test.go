package main

import (
	"os"
	"strings"
	"testing"
)

// A sandbox that was filled apart is served without being filled again, and its
// folder is only read: servers that share it may have it read-only.
func TestSandboxLoad(t *testing.T) {
	data := t.TempDir()
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	for range 2 {
		if out, err := command(t, "sandbox", "load", "--data", data, "--store", testStore(data)); err != nil || !strings.Contains(out, "filled") {
			t.Fatalf("%s %v", out, err)
		}
	}
	before := listing(t, data)
	w, stop, err := startWorld(data)
	if err != nil {
		t.Fatal(err)
	}
	w.t = t
	w.as("medecin-martin").get(w.doc("alix-biologie")).is(200)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if after := listing(t, data); after != before {
		t.Errorf("the server changed its folder:\n%s\nwas\n%s", after, before)
	}
}

// listing is the files beside the store, with the instant of their last change.
func listing(t *testing.T, data string) string {
	t.Helper()
	var b strings.Builder
	for _, dir := range []string{data, vaultDir(data)} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			if !e.IsDir() {
				b.WriteString(e.Name() + " " + info.ModTime().String() + "\n")
			}
		}
	}
	return b.String()
}
