package opendmp_test

import (
	"bytes"
	"encoding/json"
	"errors"
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
	"sync"
	"testing"
)

// unit is one package of the module with its types, without its tests.
type unit struct {
	path     string // "opendmp/emit"
	fset     *token.FileSet
	files    []*ast.File
	info     *types.Info
	importer types.Importer
}

// module is the type-checked module, made once for the tests that need it.
var module = sync.OnceValues(checkModule)

// listed is what the go command tells of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Standard                bool
	Error                   *struct{ Err string }
}

// checkModule type-checks every package of the module from its sources, against
// the compiled form of what it imports.
func checkModule() ([]unit, error) {
	packages, err := list()
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("%s is not compiled", path)
		}
		return os.Open(exports[path])
	})
	var units []unit
	for _, p := range packages {
		if p.ImportPath != "opendmp" && !strings.HasPrefix(p.ImportPath, "opendmp/") {
			continue
		}
		u := unit{path: p.ImportPath, fset: fset, importer: imp}
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				return nil, err
			}
			u.files = append(u.files, f)
		}
		if u.info, err = u.check(u.files); err != nil {
			return nil, err
		}
		units = append(units, u)
	}
	return units, nil
}

// check type-checks files as this package would be.
func (u unit) check(files []*ast.File) (*types.Info, error) {
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Uses:  map[*ast.Ident]types.Object{},
	}
	_, err := (&types.Config{Importer: u.importer}).Check(u.path, u.fset, files, info)
	return info, err
}

// list asks the go command for the packages of the module, what they import and
// where their compiled form is.
func list() ([]listed, error) {
	cmd := exec.Command("go", "list", "-e", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Standard,Error", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// units returns the type-checked module.
func units(t *testing.T) []unit {
	t.Helper()
	u, err := module()
	if err != nil {
		t.Fatal(err)
	}
	return u
}
