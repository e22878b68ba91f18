package audit_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"opendmp/audit"
)

// TestReceiptsCannotBeForged type-checks code of another package that makes a
// receipt without a commit. None of it may compile.
func TestReceiptsCannotBeForged(t *testing.T) {
	cases := []struct{ name, code, refusal string }{
		{"by its fields", `var _ = audit.Receipt{ok: true}`, "unexported field ok"},
		{"without names", `var _ = audit.Receipt{true}`, "unexported field ok"},
		{"by assignment", `func f(r audit.Receipt) { r.ok = true }`, "r.ok undefined"},
		{"by conversion", `var _ = audit.Receipt(struct{ ok bool }{true})`, "cannot convert"},
		{"by embedding", `type mine struct{ audit.Receipt }; func (mine) Valid() bool { return true }; var _ audit.Receipt = mine{}`, "cannot use"},
		{"through the log", `func f(l *audit.Log) { l.store = nil }`, "l.store undefined"},
	}
	check := checker(t)
	if err := check(`func f(r audit.Receipt) bool { return r.Valid() }; var _ = audit.Receipt{}`); err != nil {
		t.Fatalf("honest code does not compile: %v", err)
	}
	for _, c := range cases {
		err := check(c.code)
		if err == nil || !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s: %v, want %q", c.name, err, c.refusal)
		}
	}
}

// checker returns a function that type-checks declarations of a package that
// imports this one, from what the go command has built.
func checker(t *testing.T) func(code string) error {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-export", "-f", "{{.ImportPath}} {{.Export}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	built := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		built[path] = file
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(built[path]) })
	return func(code string) error {
		file, err := parser.ParseFile(fset, "forgery.go", "package p\nimport \"opendmp/audit\"\n"+code, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&types.Config{Importer: imports}).Check("p", fset, []*ast.File{file}, nil)
		return err
	}
}

// TestZeroReceipt: what nobody made is not valid.
func TestZeroReceipt(t *testing.T) {
	var r audit.Receipt
	if r.Valid() || len(r.Events()) > 0 || len(r.Recorded()) > 0 {
		t.Errorf("the zero receipt is %+v", r)
	}
}
