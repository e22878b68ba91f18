package opendmp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// all marks a package that may import every other one of the module.
const all = "*"

// allowed is the table of imports: what each package may import of the module. A
// package that is not here is unknown and fails. Packages under internal/ count
// as their parent. A new line, or a new import, is a decision to write down.
//
// server and portal may import neither store nor vault: code that can write a
// response knows no type that holds an unreleased resource.
var allowed = map[string][]string{
	".":               {},
	"fhir":            {},
	"vault":           {},
	"store":           {},
	"auth":            {"fhir"},
	"policy":          {"auth", "fhir"},
	"policy/naive":    {},
	"directory":       {"auth", "fhir"},
	"audit":           {"auth", "fhir", "policy", "store", "vault"},
	"notify":          {"store", "vault"},
	"issuer":          {"audit", "auth", "store", "vault"},
	"account":         {"audit", "auth", "notify", "store", "vault"},
	"dossier":         {"audit", "auth", "directory", "fhir", "notify", "policy", "store", "vault"},
	"emit":            {"audit", "dossier"},
	"server":          {"account", "auth", "dossier", "emit", "fhir", "issuer", "policy"},
	"portal":          {"account", "auth", "dossier", "emit", "fhir", "issuer", "policy"},
	"sandbox":         {"auth", "directory", "fhir", "issuer"},
	"sandbox/idp":     {"auth", "fhir", "sandbox"},
	"store/sqlite":    {"store"},
	"store/mongo":     {"store"},
	"store/storetest": {"store"},
	"client":          {"fhir"},
	"conformance":     {"fhir"},
	"audit/verify":    {},
	"cmd/dmpd":        {all},
	"cmd/dmpd-verify": {"audit/verify"},
}

// jwx is the module path of the key set library, without its major version.
const jwx = "github.com/lestrrat-go/jwx"

// confined names libraries that only some packages may import, and why.
var confined = map[string]struct {
	to  []string
	why string
}{
	jwx:                                    {[]string{"auth"}, "key sets are read in one place"},
	"github.com/golang-jwt/jwt":            {[]string{"auth"}, "one parser of tokens: two read the same token differently"},
	"github.com/labstack/echo":             {[]string{"emit", "server", "portal"}, "HTTP stays at the edge"},
	"modernc.org/sqlite":                   {[]string{"store/sqlite"}, "an engine is known to its own package"},
	"go.mongodb.org/mongo-driver":          {[]string{"store/mongo"}, "an engine is known to its own package"},
	"github.com/spf13/cobra":               {[]string{"cmd/dmpd"}, "flags stay in the program"},
	"github.com/knadh/koanf":               {[]string{"cmd/dmpd"}, "settings are read in the program and passed as values"},
	"github.com/samply/golang-fhir-models": {[]string{"fhir", "audit", "dossier"}, "nothing received is encoded through it"},
}

// plain names top folders that hold no package of the module.
var plain = []string{".ci", ".git", ".github", "bin", "docs", "testdata", "var"}

func TestImports(t *testing.T) {
	for _, f := range sources(t) {
		if _, known := allowed[f.pkg]; !known {
			t.Errorf("%s: package %q is not in the table of imports", f.path, f.pkg)
			continue
		}
		for _, imp := range f.imports() {
			if why := refusal(f, imp); why != "" {
				t.Errorf("%s: %s", f.path, why)
			}
		}
	}
}

// refusal returns why a file may not import something, "" if it may.
func refusal(f source, imp string) string {
	if target, ours := strings.CutPrefix(imp, "opendmp/"); ours {
		return refusalOfOwn(f, owner(target))
	}
	return refusalOfLibrary(f, imp)
}

// refusalOfOwn holds an import of the module against the table. Tests may import
// what they need, but for the program: they are not part of it.
func refusalOfOwn(f source, target string) string {
	may := allowed[f.pkg]
	switch {
	case target == f.pkg, slices.Contains(may, target), slices.Contains(may, all):
		return ""
	case f.test && !strings.HasPrefix(target, "cmd/"):
		return ""
	default:
		return "package " + f.pkg + " may not import " + target
	}
}

func refusalOfLibrary(f source, imp string) string {
	for lib, rule := range confined {
		if imp != lib && !strings.HasPrefix(imp, lib+"/") {
			continue
		}
		if !f.test && !slices.Contains(rule.to, f.pkg) {
			return imp + " is for " + strings.Join(rule.to, ", ") + " only: " + rule.why
		}
		if lib == jwx && path.Base(imp) != "jwk" {
			return "of jwx only jwk is used, not " + imp
		}
	}
	return ""
}

func TestParseUnverifiedHasOneCaller(t *testing.T) {
	callers := map[string]bool{}
	for _, f := range sources(t) {
		for _, decl := range f.syntax.Decls {
			ast.Inspect(decl, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "ParseUnverified" {
					callers[f.path+" "+declName(decl)] = true
				}
				return true
			})
		}
	}
	if len(callers) > 1 {
		t.Errorf("ParseUnverified is for the choice of the issuer, in one function: %v", slices.Sorted(maps.Keys(callers)))
	}
}

// TestEveryPackageHasDoc: a package says in doc.go what it is for, what it
// promises and what it refuses. A generator may say it at its head.
func TestEveryPackageHasDoc(t *testing.T) {
	seen, documented := map[string]bool{}, map[string]bool{}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		dir := path.Dir(f.path)
		seen[dir] = true
		generator := f.syntax.Name.Name == "main" && strings.Contains(dir, "/internal/")
		if f.syntax.Doc != nil && (path.Base(f.path) == "doc.go" || generator) {
			documented[dir] = true
		}
	}
	for dir := range seen {
		if !documented[dir] {
			t.Errorf("%s has no doc.go with a package comment", dir)
		}
	}
}

func TestTopFoldersAreKnown(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() || slices.Contains(plain, e.Name()) {
			continue
		}
		if !inTable(e.Name()) {
			t.Errorf("folder %s is neither in the table of imports nor known to hold no package", e.Name())
		}
	}
}

// TestTableOfImports shows that the checks can fail.
func TestTableOfImports(t *testing.T) {
	cases := []struct {
		pkg, imp string
		test     bool
		ok       bool
	}{
		{"server", "opendmp/dossier", false, true},
		{"server", "opendmp/store", false, false},
		{"server", "opendmp/store/sqlite", true, true},
		{"server", "opendmp/cmd/dmpd", true, false},
		{"portal", "opendmp/vault", false, false},
		{"fhir", "opendmp/fhir/internal/gen", false, true},
		{"auth", "github.com/lestrrat-go/jwx/v3/jwk", false, true},
		{"auth", "github.com/lestrrat-go/jwx/v3/jwt", false, false},
		{"server", "github.com/golang-jwt/jwt/v5", false, false},
		{"fhir", "github.com/labstack/echo/v4", false, false},
		{"cmd/dmpd", "opendmp/vault", false, true},
	}
	for _, c := range cases {
		why := refusal(source{pkg: c.pkg, test: c.test}, c.imp)
		if (why == "") != c.ok {
			t.Errorf("%s imports %s (test %v): %q, want accepted %v", c.pkg, c.imp, c.test, why, c.ok)
		}
	}
}

// source is one Go file of the module.
type source struct {
	path   string // from the root, with slashes
	pkg    string // as the table names it
	test   bool
	syntax *ast.File
}

func (s source) imports() []string {
	var out []string
	for _, spec := range s.syntax.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		p = filepath.ToSlash(p)
		if d.IsDir() {
			if slices.Contains(plain, p) || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(p) != ".go" {
			return nil
		}
		syntax, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, source{p, owner(path.Dir(p)), strings.HasSuffix(p, "_test.go"), syntax})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no sources found: the test does not run at the root of the module")
	}
	return out
}

// owner maps a folder to the package that answers for it.
func owner(dir string) string {
	parent, _, _ := strings.Cut(dir+"/", "/internal/")
	return strings.TrimSuffix(parent, "/")
}

func inTable(folder string) bool {
	for pkg := range allowed {
		if pkg == folder || strings.HasPrefix(pkg, folder+"/") {
			return true
		}
	}
	return false
}

func declName(d ast.Decl) string {
	if f, ok := d.(*ast.FuncDecl); ok {
		return f.Name.Name
	}
	return "(declaration)"
}
