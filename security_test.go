package opendmp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// attacks are the ids of SECURITY.md §6.3 of which each must have a test, by group:
// TLS and certificates; tokens; object access, hidden documents and side channels;
// emergency, SAMU and hospital feed; parsing, injection and denial of service; audit
// and repudiation.
var attacks = [...]string{
	"TC01", "TC02", "TC04", "TC05", "TC07", "TC08", "TC10", "TC11", "TC13", "TC14",
	"TK02", "TK03", "TK05", "TK06", "TK08", "TK09", "TK11", "TK12", "TK14", "TK15", "TK17", "TK18", "TK20", "TK21", "TK23", "TK24", "TK26", "TK27",
	"OA02", "OA03", "OA05", "OA06", "OA08", "OA09", "OA11", "OA12", "OA14", "OA15", "OA17", "OA18", "OA20", "OA21", "OA23", "OA24", "OA26",
	"OA27", "OA29", "OA30", "OA32", "OA33", "OA35", "OA36", "OA38", "OA39",
	"EM02", "EM03", "EM05", "EM06", "EM08", "EM09", "EM11", "EM12", "EM14", "EM15", "EM17", "EM18",
	"IN02", "IN03", "IN05", "IN06", "IN08", "IN09", "IN11", "IN12", "IN14", "IN15", "IN17", "IN18", "IN20", "IN21", "IN23", "IN24", "IN26",
	"AU01", "AU02", "AU04", "AU05", "AU07", "AU08", "AU10", "AU11",
}

var attackID = regexp.MustCompile(`(?:TC|TK|OA|EM|IN|AU)[0-9]{2}`)

// Each attack has a test whose name holds its id.
func TestAttacksHaveTests(t *testing.T) {
	named := map[string]bool{}
	for _, name := range testNames(t) {
		for _, id := range attackID.FindAllString(name, -1) {
			named[id] = true
		}
	}
	for _, id := range attacks {
		if !named[id] {
			t.Errorf("no test is named after %s", id)
		}
		delete(named, id)
	}
	for id := range named {
		t.Errorf("a test is named after %s, which is no attack", id)
	}
}

// testNames returns the names of all tests of the module: of functions, and the
// texts that begin with an id in those functions, of which subtests are named.
func testNames(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || path != "." && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go") || path == "security_test.go":
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				names = append(append(names, f.Name.Name), textsOf(f)...)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// textsOf returns the texts in a test that begin with the id of an attack.
func textsOf(f *ast.FuncDecl) (texts []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && len(text) > 5 && attackID.MatchString(text[:4]) && text[4] == ' ' {
			texts = append(texts, text[:4])
		}
		return true
	})
	return texts
}
