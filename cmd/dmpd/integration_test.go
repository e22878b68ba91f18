package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The commands of the page for integrators work as printed, one after the other,
// and print what the page says: an ellipsis there stands for anything.
func TestIntegrationPage(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool)
		}
	}
	data := t.TempDir() // the page changes records: a world of its own
	w, stop, err := startWorld(data)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
		dropStore(t, testStore(data))
	}()
	blocks := pageBlocks(t, string(readFile(t, "../../docs/INTEGRATION.md")))
	const mark = "\n== end of block ==\n"
	var script strings.Builder
	for _, b := range blocks {
		script.WriteString(b.commands + "printf '" + strings.ReplaceAll(mark, "\n", `\n`) + "'\n")
	}
	dir := t.TempDir()
	docs, err := filepath.Abs("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(docs, filepath.Join(dir, "docs")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", strings.ReplaceAll(script.String(), "http://127.0.0.1:8080/fhir", w.base))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	printed := strings.Split(string(out), mark)
	if len(printed) != len(blocks)+1 {
		t.Fatalf("%d outputs of %d blocks\n%s", len(printed)-1, len(blocks), out)
	}
	for i, b := range blocks {
		if !b.expected.MatchString(strings.ReplaceAll(printed[i], "\r", "")) {
			t.Errorf("these commands\n%s\nprinted\n%s", b.commands, printed[i])
		}
	}
}

// pageBlock is a block of commands and what it must print.
type pageBlock struct {
	commands string
	expected *regexp.Regexp
}

// pageBlocks reads the blocks of a page: sh, then text if something is printed.
func pageBlocks(t *testing.T, page string) []pageBlock {
	t.Helper()
	var blocks []pageBlock
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```\n(?:```text\n(.*?)```\n)?").FindAllStringSubmatch(page, -1) {
		lines := strings.Split(strings.TrimSpace(m[2]), "\n")
		for i, line := range lines {
			lines[i] = strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*")
		}
		blocks = append(blocks, pageBlock{m[1], regexp.MustCompile(`(?s)^\s*` + strings.Join(lines, `\n+`) + `\s*$`)})
	}
	if len(blocks) < 9 {
		t.Fatalf("the page has %d blocks", len(blocks))
	}
	return blocks
}

// Every example is named on the page, and the page names no other. Those of a production
// are the README's.
func TestIntegrationExamples(t *testing.T) {
	page := string(readFile(t, "../../docs/INTEGRATION.md"))
	files, err := os.ReadDir("../../docs/examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), "production") && !strings.Contains(page, "(examples/"+f.Name()+")") {
			t.Errorf("%s is not named", f.Name())
		}
	}
	for _, m := range regexp.MustCompile(`(?:examples|\$EX)/([a-z0-9-]+\.json)`).FindAllStringSubmatch(page, -1) {
		if _, err := os.Stat("../../docs/examples/" + m[1]); err != nil {
			t.Error(err)
		}
	}
}
