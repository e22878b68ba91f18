package policy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Programs that forge a proof do not compile, each for its own reason.
func TestForgeries(t *testing.T) {
	files, err := filepath.Glob("testdata/forge/*.go.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d forgeries: %v", len(files), err)
	}
	imp := moduleImporter(t)
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(source), "\n")
		want, ok := strings.CutPrefix(first, "// want: ")
		if !ok {
			t.Fatalf("%s says not what it wants", name)
		}
		if wrong := typeErrors(t, name, source, imp); want == "nothing" {
			if wrong != "" {
				t.Errorf("%s: %s", name, wrong)
			}
		} else if !strings.Contains(wrong, want) {
			t.Errorf("%s: %q does not say %q", name, wrong, want)
		}
	}
}

// typeErrors returns what the type checker has against a program.
func typeErrors(t *testing.T, name string, source []byte, imp types.ImporterFrom) string {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var wrong []string
	config := types.Config{Importer: imp, Error: func(err error) { wrong = append(wrong, err.Error()) }}
	_, _ = config.Check("forge", fset, []*ast.File{f}, nil)
	return strings.Join(wrong, "; ")
}

// moduleImporter imports the compiled form of this package and of what it
// imports, as the go command has it.
func moduleImporter(t *testing.T) types.ImporterFrom {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "opendmp/policy")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("%s is not compiled", path)
		}
		return os.Open(exports[path])
	})
	return imp.(types.ImporterFrom)
}
