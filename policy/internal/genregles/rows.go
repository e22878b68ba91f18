package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// rule is a rule of the table: all rows of one id, and what belongs to it.
type rule struct {
	id       string
	fr, en   string
	sources  []string
	options  []string // fields of policy.Options that its rows look at
	rows     []place
	cases    []ruleCase
	carriers []carrier
}

// place is a line of a file, from the root, with slashes.
type place struct {
	file string
	line int
}

// readRules reads the rows of the tables, which are the variables of type []rule in
// rules_*.go, in the order of policy's table: that of the files' variables in
// rules.go.
func readRules(folder string) ([]*rule, error) {
	fset := token.NewFileSet()
	tables := map[string]*ast.CompositeLit{}
	var order []string
	files, err := filepath.Glob(filepath.Join(folder, "rules*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for name, value := range variables(file) {
			switch v := value.(type) {
			case *ast.CompositeLit:
				if isRules(v.Type) {
					tables[name] = v
				}
			case *ast.CallExpr:
				if name == "table" {
					order = arguments(v)
				}
			}
		}
	}
	if len(order) != len(tables) || len(order) == 0 {
		return nil, fmt.Errorf("policy's table joins %d tables, and %d are found", len(order), len(tables))
	}
	var rules []*rule
	for _, name := range order {
		t := tables[name]
		if t == nil {
			return nil, fmt.Errorf("policy's table joins %s, which is not found", name)
		}
		for _, row := range t.Elts {
			lit, ok := row.(*ast.CompositeLit)
			if !ok {
				return nil, fmt.Errorf("%s: a row is no literal", name)
			}
			rules = addRow(rules, fset, lit)
		}
	}
	return rules, nil
}

// variables yields the package variables of a file that have a value.
func variables(file *ast.File) func(func(string, ast.Expr) bool) {
	return func(yield func(string, ast.Expr) bool) {
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				if len(v.Names) == 1 && len(v.Values) == 1 && !yield(v.Names[0].Name, v.Values[0]) {
					return
				}
			}
		}
	}
}

func isRules(typ ast.Expr) bool {
	a, ok := typ.(*ast.ArrayType)
	if !ok {
		return false
	}
	id, ok := a.Elt.(*ast.Ident)
	return ok && id.Name == "rule"
}

func arguments(call *ast.CallExpr) []string {
	var names []string
	for _, a := range call.Args {
		if id, ok := a.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
	}
	return names
}

// addRow adds a row to the rule of its id.
func addRow(rules []*rule, fset *token.FileSet, row *ast.CompositeLit) []*rule {
	members := map[string]ast.Expr{}
	for _, e := range row.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			members[kv.Key.(*ast.Ident).Name] = kv.Value
		}
	}
	id := text(members["id"])
	i := slices.IndexFunc(rules, func(r *rule) bool { return r.id == id })
	if i < 0 {
		i, rules = len(rules), append(rules, &rule{id: id})
	}
	r := rules[i]
	if r.fr == "" {
		r.fr, r.en = bilingual(members["sentence"])
	}
	for source := range strings.SplitSeq(text(members["source"]), ";") {
		if source = strings.TrimSpace(source); source != "" && !slices.Contains(r.sources, source) {
			r.sources = append(r.sources, source)
		}
	}
	for _, o := range optionsIn(members["judge"]) {
		if !slices.Contains(r.options, o) {
			r.options = append(r.options, o)
		}
	}
	at := fset.Position(row.Pos())
	r.rows = append(r.rows, place{"policy/" + filepath.Base(at.Filename), at.Line})
	return rules
}

// text is the value of a string literal, "" of anything else.
func text(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(l.Value)
	if err != nil {
		return ""
	}
	return s
}

// bilingual reads a literal fhir.Text{FR: …, EN: …}.
func bilingual(e ast.Expr) (fr, en string) {
	l, ok := e.(*ast.CompositeLit)
	if !ok {
		return "", ""
	}
	for _, e := range l.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch kv.Key.(*ast.Ident).Name {
		case "FR":
			fr = text(kv.Value)
		case "EN":
			en = text(kv.Value)
		}
	}
	return fr, en
}

// optionsIn names the settings that a judge looks at: the fields X of c.Options.X.
func optionsIn(judge ast.Expr) []string {
	var names []string
	if judge == nil {
		return nil
	}
	ast.Inspect(judge, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := s.X.(*ast.SelectorExpr); ok && of.Sel.Name == "Options" {
				names = append(names, s.Sel.Name)
			}
		}
		return true
	})
	return names
}
