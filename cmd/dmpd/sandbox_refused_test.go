package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// contents lists a folder: each file with its bytes, by its path.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			fmt.Fprintln(&b, path)
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %x\n", path, data)
		return err
	}))
	return b.String()
}

// A sandbox that is refused the folder of a service changes nothing in it, and the
// service starts on it as before.
func TestSandboxLeavesTheFolderOfAServiceAsItIs(t *testing.T) {
	s := realService(t)
	file := filepath.Join(t.TempDir(), "dmpd.json")
	check(t, os.WriteFile(file, []byte(`{"sandbox": true}`), 0o600))
	before := contents(t, s.Data)
	for _, args := range [][]string{
		{"serve", "--sandbox", "--addr", "127.0.0.1:0", "--data", s.Data},
		{"serve", "--settings", file, "--addr", "127.0.0.1:0", "--data", s.Data},
		{"sandbox", "load", "--data", s.Data},
	} {
		if _, err := command(t, args...); err == nil || !strings.Contains(err.Error(), "left as it is") {
			t.Errorf("%v: %v", args, err)
		}
		if after := contents(t, s.Data); after != before {
			t.Fatalf("%v changed the folder:\n%s\nwas\n%s", args, after, before)
		}
	}
	var found faults
	s.inspectData(&found)
	if err := found.err(); err != nil {
		t.Error(err)
	}
}

// The key of a sandbox in the folder of a service does not make it one.
func TestKeyOfASandboxMakesNone(t *testing.T) {
	s := realService(t)
	check(t, os.WriteFile(filepath.Join(s.Data, sandboxKey), nil, 0o600))
	var found faults
	s.inspectData(&found)
	if err := found.err(); err != nil {
		t.Error(err)
	}
}
