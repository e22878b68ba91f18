package policy

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// mutant is the rules with one check changed.
type mutant struct {
	name string // where and what, without a line number: it survives other changes
	change
	rows []int // that the change touches
}

// mutants changes every check of every rule, one at a time: each operand, each
// condition and each comparison is taken for true, for false and for its contrary,
// each value of a case is dropped.
func (s *sourceOfRules) mutants() []mutant {
	rowsOf := map[ast.Node][]int{}
	var functions []ast.Node
	for i, row := range s.rows {
		for _, f := range s.calls(row) {
			if rowsOf[f] == nil {
				functions = append(functions, f)
			}
			rowsOf[f] = append(rowsOf[f], i)
		}
	}
	var all []mutant
	seen := map[string]int{}
	for _, f := range functions {
		for _, c := range checks(f) {
			for _, to := range c.tos {
				name := fmt.Sprintf("%s :: %s :: %s", s.nameOf(f, rowsOf[f]), types.ExprString(c.expr), to)
				if seen[name]++; seen[name] > 1 {
					name = fmt.Sprintf("%s (%d)", name, seen[name])
				}
				all = append(all, mutant{name, change{c.expr, to}, rowsOf[f]})
			}
		}
	}
	return all
}

// nameOf names a function, or a row by its rule and its place among the rows of that
// rule.
func (s *sourceOfRules) nameOf(f ast.Node, rows []int) string {
	if d, ok := f.(*ast.FuncDecl); ok {
		return d.Name.Name
	}
	id, n := table[rows[0]].id, 1
	for i := range rows[0] {
		if table[i].id == id {
			n++
		}
	}
	return fmt.Sprintf("%s/%d", id, n)
}

// check is an expression that says yes or no, and what it may be changed to.
type check struct {
	expr ast.Expr
	tos  []string
}

func checks(f ast.Node) []check {
	var found []check
	said := map[ast.Expr]bool{}
	say := func(e ast.Expr) {
		for {
			if p, ok := e.(*ast.ParenExpr); ok {
				e = p.X
				continue
			}
			break
		}
		if id, ok := e.(*ast.Ident); ok && (id.Name == "true" || id.Name == "false") || said[e] {
			return
		}
		said[e] = true
		found = append(found, check{e, []string{"true", "false", "negated"}})
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			switch n.Op {
			case token.LAND, token.LOR:
				say(n.X)
				say(n.Y)
			default:
				say(n)
			}
		case *ast.UnaryExpr: // what it negates is changed with it
			say(n)
			said[n.X] = true
		case *ast.IfStmt:
			say(n.Cond)
		case *ast.CallExpr:
			switch calledName(n) {
			case "permitIf", "refuseIf":
				say(n.Args[0])
			}
		case *ast.ReturnStmt:
			if _, ok := n.Results[0].(*ast.SelectorExpr); ok {
				return true
			}
		case *ast.SwitchStmt:
			for _, clause := range n.Body.List {
				for _, e := range clause.(*ast.CaseClause).List {
					if n.Tag == nil {
						say(e)
					} else {
						found = append(found, check{e, []string{"dropped"}})
					}
				}
			}
		}
		return true
	})
	return found
}

// book is the rules with the change.
func (m mutant) book(t *testing.T, s *sourceOfRules) *book {
	k := s.compiler(t, m.change)
	rules := slices.Clone(table)
	for _, i := range m.rows {
		rules[i].judge = k.judge(i)
	}
	return newBook(rules)
}

// concerns tells whether one of some rows is asked of an act.
func concerns(rows []int, a Act) bool {
	return slices.ContainsFunc(rows, func(i int) bool { return table[i].on.has(a) })
}

// equivalents are the mutants that nothing can tell from the rules, each with the
// reason why.
func equivalents(t *testing.T) map[string]string {
	t.Helper()
	known := map[string]string{}
	lines(t, "testdata/mutants.txt", func(where, line string) {
		if line == "" || line[0] == '#' {
			return
		}
		name, why, ok := cutLast(line, " :: ")
		if !ok || why == "" {
			t.Errorf("%s: no reason", where)
		}
		known[name] = why
	})
	return known
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Every check of every rule matters: change one, and a case of testdata/regles fails.
// Those that nothing could tell are listed with a reason, and no state tells them.
func TestEveryCheckMatters(t *testing.T) {
	s := readRules(t)
	cases := ruleCases(t)
	all := s.mutants()
	survives := spread(len(all), func(i int) bool {
		b := all[i].book(t, s)
		return !slices.ContainsFunc(cases, func(k ruleCase) bool { return concerns(all[i].rows, k.c.Act) && k.check(b) != "" })
	})
	var survivors []mutant
	for i, m := range all {
		if survives[i] {
			survivors = append(survivors, m)
		}
	}
	lines := spread(len(survivors), func(i int) string { return survivors[i].untold(survivors[i].book(t, s), cases) })
	known := equivalents(t)
	for i, m := range survivors {
		switch {
		case lines[i] != "":
			t.Errorf("%s: no case fails; this one is missing:\n\t%s", m.name, lines[i])
		case known[m.name] == "":
			t.Errorf("%s: no case fails, and no state seems to tell it: say why in testdata/mutants.txt", m.name)
		}
		delete(known, m.name)
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		t.Errorf("%s: is listed, and a case fails or there is no such check", name)
	}
	if len(all) < 1000 {
		t.Errorf("only %d mutants", len(all))
	}
}

// said is what a case of testdata/regles sees of a decision.
func said(c Case, b *book) string {
	d := b.decide(c)
	return answer(c.Act, d) + " | " + strings.Join(d.Rules(), ", ")
}

// untold looks, near the cases of the rows that it touches, for a state that tells
// the mutant from the rules, and returns it as a line of the tables; "" for none.
func (m mutant) untold(b *book, cases []ruleCase) string {
	for _, k := range cases {
		if !concerns(m.rows, k.c.Act) {
			continue
		}
		for c := range near(k.c) {
			if b.decide(c) != rulebook.decide(c) && said(c, b) != said(c, rulebook) {
				return tableLine(plainest(c, func(c Case) bool { return said(c, b) != said(c, rulebook) }), table[m.rows[0]].id)
			}
		}
	}
	return ""
}

// tableLine is a case as testdata/regles has it.
func tableLine(c Case, rule string) string {
	d := rulebook.decide(c)
	var act, kind string
	for word, a := range actWords {
		if a == c.Act {
			act = word
		}
	}
	for word, k := range kindWords {
		if k == c.Kind {
			kind = word
		}
	}
	var said []string
	built := usual()
	built.Act, built.Kind = c.Act, c.Kind
	for _, word := range slices.Sorted(maps.Keys(conditionWords)) {
		more := built
		conditionWords[word](&more)
		with := c
		conditionWords[word](&with)
		if more != built && with == c {
			built = more
			said = append(said, word)
		}
	}
	if built != c {
		return "no words for " + inWords(c)
	}
	rules := strings.Join(d.Rules(), ", ")
	if rules == "" {
		rules = "-"
	}
	words := strings.Join(said, ", ")
	if words == "" {
		words = "-"
	}
	return fmt.Sprintf("%s | %s | %s | %s | %s | %s", rule, act, kind, words, answer(c.Act, d), rules)
}

// A row that is not asked of one of its acts makes a case fail, or changes no answer:
// where another row or silence refuses too, it is there to be named.
func TestEveryActOfEveryRowMatters(t *testing.T) {
	cases := ruleCases(t)
	for i := range table {
		for a := range acts {
			if !table[i].on.has(a) {
				continue
			}
			rules := slices.Clone(table)
			rules[i].on &^= on(a)
			b := newBook(rules)
			if slices.ContainsFunc(cases, func(k ruleCase) bool { return k.c.Act == a && k.check(b) != "" }) {
				continue
			}
			differ := func(c Case) bool { return answer(a, b.decide(c)) != answer(a, rulebook.decide(c)) }
			if c, ok := search(a, cases, differ); ok {
				t.Errorf("row %d (%s) not asked of act %s: no case fails; this one is missing:\n\t%s", i, table[i].id, wordOf(a), tableLine(plainest(c, differ), table[i].id))
			}
		}
	}
}

// search looks for a case of an act: near those of the tables, and at random.
func search(a Act, cases []ruleCase, wanted func(Case) bool) (Case, bool) {
	for _, k := range cases {
		if k.c.Act != a {
			continue
		}
		for _, a := range everyField() {
			for _, set := range a {
				c := k.c
				if set(&c); wanted(c) {
					return c, true
				}
			}
		}
	}
	r := rand.New(rand.NewPCG(9, uint64(a)))
	for range 5_000 {
		if c := anyCase(r, a); sayable(&c) && wanted(c) {
			return c, true
		}
	}
	return Case{}, false
}
