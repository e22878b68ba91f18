package policy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// sourceOfRules is the rules as they are written: for each row of the table its
// function, and the functions that those call. It is read so that a test can change
// one check of one rule at a time.
type sourceOfRules struct {
	fset      *token.FileSet
	rows      []ast.Node               // *ast.FuncLit or *ast.FuncDecl, by place in the table
	functions map[string]*ast.FuncDecl // methods of Case by ".name"
	constants map[string]int64         // those of another package by "package.Name"
}

func readRules(t *testing.T) *sourceOfRules {
	t.Helper()
	s := &sourceOfRules{fset: token.NewFileSet(), functions: map[string]*ast.FuncDecl{}, constants: map[string]int64{"true": 1, "false": 0}}
	parts := map[string]*ast.CompositeLit{}
	var order []string
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "../auth/principal.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		prefix := ""
		if f.Name.Name != "policy" {
			prefix = f.Name.Name + "."
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if n := functionName(d); n != "" && prefix == "" {
					s.functions[n] = d
				}
			case *ast.GenDecl:
				if d.Tok == token.CONST {
					s.enumerate(prefix, d)
				}
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && len(v.Values) == 1 {
						switch value := v.Values[0].(type) {
						case *ast.CompositeLit:
							parts[v.Names[0].Name] = value
						case *ast.CallExpr:
							if v.Names[0].Name == "table" {
								for _, a := range value.Args {
									order = append(order, a.(*ast.Ident).Name)
								}
							}
						}
					}
				}
			}
		}
	}
	for _, name := range order {
		for _, e := range parts[name].Elts {
			s.addRow(t, e.(*ast.CompositeLit))
		}
	}
	if len(s.rows) != len(table) {
		t.Fatalf("%d rows in the sources, %d in the table", len(s.rows), len(table))
	}
	return s
}

// functionName is that of a function, or of a method of Case; "" of other methods.
func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	if id, ok := d.Recv.List[0].Type.(*ast.Ident); ok && id.Name == "Case" {
		return "." + d.Name.Name
	}
	return ""
}

// enumerate numbers the constants of a block that begins with iota.
func (s *sourceOfRules) enumerate(prefix string, d *ast.GenDecl) {
	counting := false
	for i, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if len(v.Values) > 0 {
			id, ok := v.Values[0].(*ast.Ident)
			counting = ok && id.Name == "iota"
		}
		if counting {
			s.constants[prefix+v.Names[0].Name] = int64(i)
		}
	}
}

func (s *sourceOfRules) addRow(t *testing.T, row *ast.CompositeLit) {
	t.Helper()
	var judge ast.Expr
	for _, e := range row.Elts {
		kv := e.(*ast.KeyValueExpr)
		switch kv.Key.(*ast.Ident).Name {
		case "id":
			if id := kv.Value.(*ast.BasicLit).Value; id != fmt.Sprintf("%q", table[len(s.rows)].id) {
				t.Fatalf("row %d is %s in the sources, %s in the table", len(s.rows), id, table[len(s.rows)].id)
			}
		case "judge":
			judge = kv.Value
		}
	}
	switch j := judge.(type) {
	case *ast.FuncLit:
		s.rows = append(s.rows, j)
	case *ast.Ident:
		s.rows = append(s.rows, s.functions[j.Name])
	default:
		t.Fatalf("%s: a judge of another form", s.fset.Position(row.Pos()))
	}
}

// frame is what a function sees: the case, and its variables. Booleans are 0 and 1.
type frame struct {
	c    *Case
	vars map[string]int64
}

type (
	value     func(*frame) int64
	statement func(*frame) (result int64, done bool)
)

// change is one thing done to a node of the sources.
type change struct {
	node ast.Node
	to   string // "true", "false", "negated", "dropped"
}

// compiler makes functions of the sources, one of whose nodes may be changed. It
// knows the Go that rules are written in, and no other: what it does not know it
// refuses by its place, and is to be taught.
type compiler struct {
	*sourceOfRules
	t      *testing.T
	change change
	done   map[ast.Node]func(*frame) int64
}

// judge returns the function of a row.
func (k *compiler) judge(row int) func(Case) Effect {
	body, _ := k.function(k.rows[row])
	return func(c Case) Effect { return Effect(body(&frame{&c, nil})) }
}

func (k *compiler) fail(n ast.Node, what string) {
	k.t.Helper()
	k.t.Fatalf("%s: the evaluator does not know %s: teach it", k.fset.Position(n.Pos()), what)
}

// function compiles a function and returns the names of its parameters that are no
// Case.
func (k *compiler) function(n ast.Node) (func(*frame) int64, []string) {
	var typ *ast.FuncType
	var block *ast.BlockStmt
	switch n := n.(type) {
	case *ast.FuncLit:
		typ, block = n.Type, n.Body
	case *ast.FuncDecl:
		typ, block = n.Type, n.Body
	}
	var params []string
	for _, f := range typ.Params.List {
		if id, ok := f.Type.(*ast.Ident); ok && id.Name == "Case" {
			continue
		}
		for _, name := range f.Names {
			params = append(params, name.Name)
		}
	}
	if f, ok := k.done[n]; ok {
		return f, params
	}
	body := k.block(block.List)
	f := func(fr *frame) int64 {
		result, done := body(fr)
		if !done {
			panic("a function without result")
		}
		return result
	}
	k.done[n] = f
	return f, params
}

func (k *compiler) block(list []ast.Stmt) statement {
	parts := make([]statement, len(list))
	for i, s := range list {
		parts[i] = k.statement(s)
	}
	return func(f *frame) (int64, bool) {
		for _, s := range parts {
			if r, done := s(f); done {
				return r, true
			}
		}
		return 0, false
	}
}

func (k *compiler) statement(s ast.Stmt) statement {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		if len(s.Results) == 1 {
			v := k.value(s.Results[0])
			return func(f *frame) (int64, bool) { return v(f), true }
		}
	case *ast.BlockStmt:
		return k.block(s.List)
	case *ast.AssignStmt:
		if name, ok := s.Lhs[0].(*ast.Ident); ok && len(s.Lhs) == 1 && (s.Tok == token.DEFINE || s.Tok == token.ASSIGN) {
			v := k.value(s.Rhs[0])
			return func(f *frame) (int64, bool) {
				if f.vars == nil {
					f.vars = map[string]int64{}
				}
				f.vars[name.Name] = v(f)
				return 0, false
			}
		}
	case *ast.IfStmt:
		if s.Init == nil {
			cond, then := k.value(s.Cond), k.block(s.Body.List)
			otherwise := func(*frame) (int64, bool) { return 0, false }
			if s.Else != nil {
				otherwise = k.statement(s.Else)
			}
			return func(f *frame) (int64, bool) {
				if cond(f) != 0 {
					return then(f)
				}
				return otherwise(f)
			}
		}
	case *ast.SwitchStmt:
		if s.Init == nil {
			return k.choice(s)
		}
	}
	k.fail(s, fmt.Sprintf("%T of this form", s))
	return nil
}

func (k *compiler) choice(s *ast.SwitchStmt) statement {
	type branch struct {
		when []value
		then statement
	}
	var branches []branch
	tag := value(func(*frame) int64 { return 1 }) // a case without tag is taken if it is true
	if s.Tag != nil {
		tag = k.value(s.Tag)
	}
	otherwise := func(*frame) (int64, bool) { return 0, false }
	for _, clause := range s.Body.List {
		c := clause.(*ast.CaseClause)
		if c.List == nil {
			otherwise = k.block(c.Body)
			continue
		}
		b := branch{then: k.block(c.Body)}
		for _, e := range c.List {
			if k.change == (change{e, "dropped"}) {
				continue
			}
			b.when = append(b.when, k.value(e))
		}
		branches = append(branches, b)
	}
	return func(f *frame) (int64, bool) {
		v := tag(f)
		for _, b := range branches {
			for _, when := range b.when {
				if when(f) == v {
					return b.then(f)
				}
			}
		}
		return otherwise(f)
	}
}

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// value compiles an expression, changed if it is to be.
func (k *compiler) value(e ast.Expr) value {
	v := k.plain(e)
	if e != k.change.node {
		return v
	}
	switch k.change.to {
	case "true":
		return func(*frame) int64 { return 1 }
	case "false":
		return func(*frame) int64 { return 0 }
	case "negated":
		return func(f *frame) int64 { return 1 - v(f) }
	}
	return v
}

func (k *compiler) plain(e ast.Expr) value {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return k.value(e.X)
	case *ast.UnaryExpr:
		if v := k.value(e.X); e.Op == token.NOT {
			return func(f *frame) int64 { return 1 - v(f) }
		}
	case *ast.BinaryExpr:
		return k.binary(e)
	case *ast.Ident:
		if n, ok := k.constants[e.Name]; ok {
			return func(*frame) int64 { return n }
		}
		return func(f *frame) int64 {
			v, ok := f.vars[e.Name]
			if !ok {
				panic("no variable " + e.Name)
			}
			return v
		}
	case *ast.SelectorExpr:
		return k.selector(e)
	case *ast.CallExpr:
		return k.call(e)
	}
	k.fail(e, types.ExprString(e))
	return nil
}

func (k *compiler) binary(e *ast.BinaryExpr) value {
	x, y := k.value(e.X), k.value(e.Y)
	switch e.Op {
	case token.LAND:
		return func(f *frame) int64 { return boolean(x(f) != 0 && y(f) != 0) }
	case token.LOR:
		return func(f *frame) int64 { return boolean(x(f) != 0 || y(f) != 0) }
	case token.EQL:
		return func(f *frame) int64 { return boolean(x(f) == y(f)) }
	case token.NEQ:
		return func(f *frame) int64 { return boolean(x(f) != y(f)) }
	case token.LSS:
		return func(f *frame) int64 { return boolean(x(f) < y(f)) }
	case token.GTR:
		return func(f *frame) int64 { return boolean(x(f) > y(f)) }
	case token.LEQ:
		return func(f *frame) int64 { return boolean(x(f) <= y(f)) }
	case token.GEQ:
		return func(f *frame) int64 { return boolean(x(f) >= y(f)) }
	}
	k.fail(e, e.Op.String())
	return nil
}

// selector is a constant of another package, or a field of the case.
func (k *compiler) selector(e *ast.SelectorExpr) value {
	text := types.ExprString(e)
	if n, ok := k.constants[text]; ok {
		return func(*frame) int64 { return n }
	}
	path, ok := strings.CutPrefix(text, "c.")
	if !ok {
		k.fail(e, text)
	}
	index := fieldIndex(path)
	return func(f *frame) int64 {
		v := reflect.ValueOf(f.c).Elem().FieldByIndex(index)
		if v.Kind() == reflect.Bool {
			return boolean(v.Bool())
		}
		return int64(v.Uint())
	}
}

// call is a method of the case, or a function of values and the case.
func (k *compiler) call(e *ast.CallExpr) value {
	d := k.functions[calledName(e)]
	if d == nil {
		k.fail(e, types.ExprString(e.Fun))
	}
	body, params := k.function(d)
	var args []value
	for _, a := range e.Args {
		if id, ok := a.(*ast.Ident); ok && id.Name == "c" {
			continue
		}
		args = append(args, k.value(a))
	}
	return func(f *frame) int64 {
		inner := frame{c: f.c}
		if len(args) > 0 {
			inner.vars = make(map[string]int64, len(args))
		}
		for i, a := range args {
			inner.vars[params[i]] = a(f)
		}
		return body(&inner)
	}
}

// calledName is the name of a called function, as in functions.
func calledName(e *ast.CallExpr) string {
	switch f := e.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if id, ok := f.X.(*ast.Ident); ok && id.Name == "c" {
			return "." + f.Sel.Name
		}
	}
	return ""
}

func (s *sourceOfRules) compiler(t *testing.T, c change) *compiler {
	return &compiler{s, t, c, map[ast.Node]func(*frame) int64{}}
}

// calls are the functions that a function calls, itself among them.
func (s *sourceOfRules) calls(n ast.Node) []ast.Node {
	found := []ast.Node{n}
	for i := 0; i < len(found); i++ {
		ast.Inspect(found[i], func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				if d := s.functions[calledName(c)]; d != nil && !slices.Contains(found, ast.Node(d)) {
					found = append(found, d)
				}
			}
			return true
		})
	}
	return found
}

// What is made of the sources judges as the compiled rules do: else the mutation test
// would test something else.
func TestEvaluatorEqualsTheRules(t *testing.T) {
	s := readRules(t)
	k := s.compiler(t, change{})
	var cases []Case
	for _, c := range ruleCases(t) {
		cases = append(cases, c.c)
	}
	r := rand.New(rand.NewPCG(7, 8))
	for range 10_000 {
		cases = append(cases, randomCase(r))
	}
	for i := range table {
		judge := k.judge(i)
		for _, c := range cases {
			if got, want := judge(c), table[i].judge(c); got != want {
				t.Errorf("row %d (%s): %s: %d, the rule says %d", i, table[i].id, inWords(c), got, want)
				break
			}
		}
	}
}
