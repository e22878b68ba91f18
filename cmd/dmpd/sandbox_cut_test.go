package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A load into a MongoDB that was cut short is refused at the next start, which says
// how to begin anew and touches nothing; once that is done it loads.
func TestSandboxLoadCutShort(t *testing.T) {
	data := t.TempDir()
	uri := testStore(data)
	if uri == "" {
		t.Skip("the embedded store is begun anew with its folder: TestSandboxLoadIsWholeOrBegunAnew")
	}
	t.Cleanup(func() { dropStore(t, uri) })
	cutLoad(t, data)
	keys := listing(t, data)
	for _, line := range []string{"sandbox load", "serve --sandbox --addr 127.0.0.1:0"} {
		_, err := command(t, append(strings.Fields(line), "--data", data, "--store", uri)...)
		if err == nil || !strings.Contains(err.Error(), "drop that database (mongosh <its URI> --eval 'db.dropDatabase()')") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if after := listing(t, data); after != keys {
		t.Errorf("the refusal changed the folder:\n%s\nwas\n%s", after, keys)
	}
	// Neither does a sandbox of another folder take the database over.
	other := filepath.Join(t.TempDir(), "other")
	if _, err := command(t, "sandbox", "load", "--data", other, "--store", uri); err == nil || !strings.Contains(err.Error(), "not of this folder") {
		t.Errorf("another folder: %v", err)
	}
	if _, err := os.Stat(vaultDir(other)); err == nil {
		t.Error("another folder: keys were made")
	}
	dropStore(t, uri)
	if out, err := command(t, "sandbox", "load", "--data", data, "--store", uri); err != nil || !strings.Contains(out, "filled") {
		t.Errorf("begun anew: %s %v", out, err)
	}
}

// cutLoad begins to fill a sandbox and stops once something is written.
func cutLoad(t *testing.T, data string) {
	t.Helper()
	p, signer, err := sandboxPlan(settings{Data: data, Store: testStore(data)}, "http://127.0.0.1:1/fhir", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cut := context.WithTimeout(t.Context(), 30*time.Second)
	ended := make(chan error, 1)
	go func() { ended <- load(ctx, p, signer, io.Discard) }()
	for empty := true; empty && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		if empty, err = p.engine.empty(ctx); err != nil {
			break
		}
	}
	cut()
	if loading := <-ended; err != nil || loading == nil || exists(idsFile(data)) {
		t.Fatalf("the load was not cut short: %v, %v", err, loading)
	}
}
