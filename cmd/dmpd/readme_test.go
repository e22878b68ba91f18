package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The lines of the README work as printed, and say what the README says.
func TestStoryOfTheReadme(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	w := openWorld(t)
	_, rest, found := strings.Cut(string(readme), "```sh\nB=")
	story, _, ended := strings.Cut("B="+rest, "```")
	if !found || !ended {
		t.Fatal("the README has no story")
	}
	dir := t.TempDir()
	program(t, filepath.Join(dir, "bin", "dmpd"), shared.data)
	cmd := exec.Command("bash", "-e", "-c", strings.ReplaceAll(story, "http://127.0.0.1:8080/fhir", w.base))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	want := []string{`"total":8`, `"not-found"`, `"total":11`, "médecin traitant: 200"}
	if len(lines) != len(want) {
		t.Fatalf("printed\n%s", out)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("line %d is %q, want %q", i+1, lines[i], want[i])
		}
	}
}

// program writes a script that runs this test binary as dmpd, on a folder.
func program(t *testing.T, path, data string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nOPENDMP_TEST_RUN=\"$* --data %s\" exec %s\n", data, self)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
}
