package opendmp_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// Only package emit may hold a response: not to write, not to pass on. What can
// be reached from a writer is banned by type, the shortcuts of Echo and net/http
// by name.

// responseTypes are types of values by which bytes can reach a client.
var responseTypes = []string{
	"net/http.ResponseWriter",
	"*net/http.ResponseController",
	"net/http.Flusher",
	"net/http.Hijacker",
	"*github.com/labstack/echo/v4.Response",
	"*net/http/httputil.ReverseProxy",
}

// contextWriters are the methods of echo.Context that write, or that give a
// writer.
var contextWriters = []string{
	"Attachment", "Blob", "Error", "File", "HTML", "HTMLBlob", "Inline", "JSON", "JSONBlob", "JSONP", "JSONPBlob",
	"JSONPretty", "NoContent", "Redirect", "Render", "Response", "SetResponse", "Stream", "String", "XML", "XMLBlob",
	"XMLPretty", "SetCookie",
}

// httpWriters are functions of net/http that write, or that make a handler that
// does.
var httpWriters = []string{
	"Error", "FileServer", "FileServerFS", "NotFound", "NotFoundHandler", "Redirect", "RedirectHandler", "ServeContent",
	"ServeFile", "ServeFileFS", "SetCookie", "StripPrefix", "NewResponseController",
}

// exempt names the packages that may write responses, each with its reason.
var exempt = map[string]string{
	"opendmp/emit":                      "it is the door",
	"opendmp/sandbox/idp":               "it plays another server, Pro Santé Connect, with pages and redirects that ours has not; it can import no dossier and no store",
	"opendmp/cmd/dmpd/internal/ceiling": "the bare handler that make bench measures against: synthetic bytes, no dossier",
}

// closed are the packages in which a proof is made or spent: nothing there may
// go round the type system.
var closed = []string{"opendmp/policy", "opendmp/dossier", "opendmp/emit", "opendmp/audit", "opendmp/auth"}

func TestOnlyEmitWritesResponses(t *testing.T) {
	for _, u := range units(t) {
		if exempt[u.path] != "" {
			continue
		}
		for _, offence := range writes(u, u.files, u.info) {
			t.Error(offence)
		}
	}
}

func TestNoWayRoundTheTypes(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || !slices.Contains(closed, "opendmp/"+f.pkg) {
			continue
		}
		for _, imp := range f.imports() {
			if imp == "unsafe" || imp == "reflect" {
				t.Errorf("%s imports %s", f.path, imp)
			}
		}
		for _, group := range f.syntax.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//go:linkname") {
					t.Errorf("%s uses go:linkname", f.path)
				}
			}
		}
	}
}

// TestDoorsAreSeen shows that the walk finds each way to write.
func TestDoorsAreSeen(t *testing.T) {
	const head = `package p
import ("net/http"; "io"; "fmt"; "github.com/labstack/echo/v4")
var _ = http.StatusOK; var _ = io.EOF; var _ = fmt.Sprint; var _ echo.Context
`
	cases := []struct {
		name, code string
		seen       bool
	}{
		{"context JSON", `func h(c echo.Context) error { return c.JSON(200, 1) }`, true},
		{"context String", `func h(c echo.Context) error { return c.String(200, "x") }`, true},
		{"method value", `func h(c echo.Context) error { f := c.Blob; return f(200, "x", nil) }`, true},
		{"renamed context", `type ctx = echo.Context; func h(c ctx) error { return c.NoContent(204) }`, true},
		{"response", `func h(c echo.Context) error { _, err := fmt.Fprint(c.Response(), "x"); return err }`, true},
		{"http.Error", `func h(w http.ResponseWriter) { http.Error(w, "x", 500) }`, true},
		{"write", `func h(w http.ResponseWriter) { w.Write(nil) }`, true},
		{"as a writer", `func h(w http.ResponseWriter) { var o io.Writer = w; io.WriteString(o, "x") }`, true},
		{"file server", `var h = http.FileServer(http.Dir("."))`, true},
		{"reading", `func h(c echo.Context) error { _ = c.Request().URL.String(); return nil }`, false},
		{"a client's response", `func h(r *http.Response) error { return r.Body.Close() }`, false},
	}
	u := emitUnit(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file, err := parser.ParseFile(u.fset, "case.go", head+c.code, 0)
			if err != nil {
				t.Fatal(err)
			}
			files := []*ast.File{file}
			info, err := u.check(files)
			if err != nil {
				t.Fatal(err)
			}
			if found := writes(u, files, info); (len(found) > 0) != c.seen {
				t.Errorf("found %v, want some: %v", found, c.seen)
			}
		})
	}
}

// emitUnit is the unit whose imports reach everything that writes.
func emitUnit(t *testing.T) unit {
	t.Helper()
	for _, u := range units(t) {
		if u.path == "opendmp/emit" {
			return u
		}
	}
	t.Fatal("opendmp/emit is not in the module")
	return unit{}
}

// writes lists what could write a response in some files.
func writes(u unit, files []*ast.File, info *types.Info) []string {
	var found []string
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if why := writer(n, info); why != "" {
				found = append(found, fmt.Sprintf("%s: %s", u.fset.Position(n.Pos()), why))
			}
			return true
		})
	}
	return found
}

// writer returns by what a node could write a response, "" if it could not.
func writer(n ast.Node, info *types.Info) string {
	if sel, ok := n.(*ast.SelectorExpr); ok {
		if why := bannedName(sel, info); why != "" {
			return why
		}
	}
	expr, ok := n.(ast.Expr)
	if !ok {
		return ""
	}
	held := info.TypeOf(expr)
	if held == nil {
		return ""
	}
	if name := types.Unalias(held).String(); slices.Contains(responseTypes, name) {
		return "holds " + name
	}
	return ""
}

func bannedName(sel *ast.SelectorExpr, info *types.Info) string {
	obj := info.Uses[sel.Sel]
	if obj == nil || obj.Pkg() == nil {
		return ""
	}
	method := false
	if f, ok := obj.(*types.Func); ok {
		method = f.Signature().Recv() != nil
	}
	switch {
	case method && obj.Pkg().Path() == "github.com/labstack/echo/v4" && onContext(obj) && slices.Contains(contextWriters, obj.Name()):
		return "echo.Context." + obj.Name()
	case !method && obj.Pkg().Path() == "net/http" && slices.Contains(httpWriters, obj.Name()):
		return "http." + obj.Name()
	default:
		return ""
	}
}

// onContext tells whether a method of Echo is one of its Context, rather than of
// its router or its errors.
func onContext(obj types.Object) bool {
	recv := obj.(*types.Func).Signature().Recv().Type()
	return strings.HasSuffix(types.TypeString(recv, nil), "echo/v4.Context")
}
