package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"opendmp/policy"
)

const root = "../../.."

// docs/regles.md is what the rules say.
func TestPageIsFresh(t *testing.T) {
	if err := run(root, true); err != nil {
		t.Error(err)
	}
}

// A page that was changed by hand, or is not there, is told.
func TestStale(t *testing.T) {
	b := open(t)
	dir := copyOf(t)
	name := filepath.Join(dir, "docs", "regles.md")
	if err := run(dir, true); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no page: %v", err)
	}
	if err := run(dir, false); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != string(b.page()) {
		t.Errorf("the page written is another one (%v)", err)
	}
	if err := os.WriteFile(name, append(b.page(), '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, true); !errors.Is(err, errStale) {
		t.Errorf("a changed page: %v", err)
	}
}

// copyOf is a checkout that holds what the generator reads, and no page.
func copyOf(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "docs" {
			if err := os.Symlink(filepath.Join(dir, e.Name()), filepath.Join(to, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "docs", "POLICY.md"))
	if err == nil {
		err = os.Mkdir(filepath.Join(to, "docs"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(to, "docs", "POLICY.md"), data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func open(t *testing.T) *book {
	t.Helper()
	b, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The rows read from the source are those of the program.
func TestRowsAreThoseOfTheProgram(t *testing.T) {
	b := open(t)
	for i, want := range policy.Rules() {
		if i >= len(b.rules) {
			t.Fatalf("%s is missing", want.ID)
		}
		r := b.rules[i]
		if r.id != want.ID || r.fr != want.Sentence.FR || r.en != want.Sentence.EN || !strings.HasPrefix(want.Source, r.sources[0]) {
			t.Errorf("rule %d is %s, want %s", i, r.id, want.ID)
		}
	}
	find := func(id string) *rule {
		return b.rules[slices.IndexFunc(b.rules, func(r *rule) bool { return r.id == id })]
	}
	if r := find("L18"); !slices.Equal(r.options, []string{"MaskAllSparesMT"}) {
		t.Errorf("L18 looks at %q", r.options)
	}
	if r := find("L02"); len(r.rows) != 3 || len(r.sources) < 2 {
		t.Errorf("L02: %d rows, sources %q", len(r.rows), r.sources)
	}
}

// The generator refuses what a jurist could not check.
func TestRefusals(t *testing.T) {
	first := func(b *book) *rule { return b.rules[0] }
	for name, c := range map[string]struct {
		change func(*book)
		want   string
	}{
		"no source":      {func(b *book) { first(b).sources = nil }, "L01 has no source"},
		"no case":        {func(b *book) { first(b).cases = nil }, "L01 has no case"},
		"no sentence":    {func(b *book) { first(b).en = "" }, "L01 has no sentence"},
		"not in POLICY":  {func(b *book) { first(b).id = "L99" }, "L99 is not in POLICY.md"},
		"not carried":    {func(b *book) { b.rules = b.rules[1:] }, "POLICY.md has L01, and nothing carries it"},
		"new in POLICY":  {func(b *book) { b.norm.ids = append(b.norm.ids, "E99") }, "POLICY.md has E99"},
		"twice":          {func(b *book) { b.norm.ids = append(b.norm.ids, "E01") }, "E01 is twice"},
		"no phrase":      {func(b *book) { first(b).id = "1.inconnu" }, "1.inconnu: nothing in section"},
		"phrase gone":    {func(b *book) { b.norm.sections["7"] = "" }, "7.autre: nothing in section"},
		"setting unread": {func(b *book) { first(b).options = []string{"Nouveau"} }, "Nouveau"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			c.change(b)
			if err := b.agree(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// What carries a rule must be there.
func TestCarriers(t *testing.T) {
	for name, c := range map[string]struct {
		id   string
		by   carrier
		want string
	}{
		"no file":      {"L01", by("rien", "policy/nowhere.go", "TestRules"), "nowhere.go"},
		"no test":      {"L01", by("rien", "policy/rules.go", "TestOfNothing"), "no test TestOfNothing"},
		"none named":   {"L01", by("rien", "policy/rules.go"), "no test of policy/rules.go is named"},
		"no such rule": {"L77", by("rien", "policy/rules.go", "TestRules"), "L77 is carried"},
	} {
		t.Run(name, func(t *testing.T) {
			err := open(t).carry(root, map[string][]carrier{c.id: {c.by}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	b := open(t)
	b.norm.ids = append(b.norm.ids, "G77")
	if err := b.carry(root, map[string][]carrier{"G77": {by("tout", "policy/rules.go", "TestRules")}}); err != nil {
		t.Fatal(err)
	}
	if err := b.agree(); err != nil {
		t.Errorf("a rule that is carried without a row: %v", err)
	}
	if page := string(b.page()); !strings.Contains(page, "### G77\n\n- Porté aussi par [policy/rules.go](../policy/rules.go), tout : [TestRules](../policy/cases_test.go)\n") {
		t.Error("it is not on the page")
	}
}

// A case of what is no rule is told, and so is a line that is none.
func TestCases(t *testing.T) {
	if err := open(t).join([]ruleCase{{rule: "L99", file: "x.txt"}}); err == nil || !strings.Contains(err.Error(), "L99") {
		t.Errorf("%v", err)
	}
	dir := t.TempDir()
	if _, err := readCases(dir); err == nil {
		t.Error("no cases")
	}
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("L01 | lire\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readCases(dir); err == nil || !strings.Contains(err.Error(), "a.txt:1") {
		t.Errorf("%v", err)
	}
}

// Every link of the page leads to a file.
func TestLinks(t *testing.T) {
	page := string(open(t).page())
	seen := 0
	for _, part := range strings.Split(page, "](")[1:] {
		target, _, _ := strings.Cut(part, ")")
		target, _, _ = strings.Cut(target, "#")
		if target == "" {
			continue
		}
		seen++
		if _, err := os.Stat(filepath.Join(root, "docs", target)); err != nil {
			t.Error(err)
		}
	}
	if seen < 100 {
		t.Errorf("only %d links", seen)
	}
}
