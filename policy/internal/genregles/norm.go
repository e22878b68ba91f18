package main

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// norm is POLICY.md: the rules that it numbers, in their order, and the text of its
// sections by their number.
type norm struct {
	ids      []string
	sections map[string]string
}

var (
	numbered = regexp.MustCompile(`^\| ([LEG][0-9]{2}[a-z]?) \|`)
	section  = regexp.MustCompile(`^## ([0-9]+)\. `)
	legal    = regexp.MustCompile(`^[LEG][0-9]{2}[a-z]?$`)
)

func readNorm(name string) (norm, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return norm{}, err
	}
	n := norm{sections: map[string]string{}}
	in := ""
	s := bufio.NewScanner(strings.NewReader(string(data)))
	s.Buffer(nil, len(data)+1)
	for s.Scan() {
		line := s.Text()
		if m := section.FindStringSubmatch(line); m != nil {
			in = m[1]
		}
		if m := numbered.FindStringSubmatch(line); m != nil {
			n.ids = append(n.ids, m[1])
		}
		n.sections[in] += line + "\n"
	}
	return n, s.Err()
}

// agree holds the table against the norm, both ways. A rule without a number of its
// own is named by its section, and is where the phrase stands that it carries out.
func (b *book) agree() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	known := map[string]bool{}
	for _, id := range b.norm.ids {
		if known[id] {
			wrong("%s is twice in POLICY.md", id)
		}
		known[id] = true
	}
	ruled := map[string]bool{}
	for _, r := range b.rules {
		ruled[r.id] = true
		if len(r.rows) == 0 {
			continue // told by its carriers alone
		}
		number, _, named := strings.Cut(r.id, ".")
		switch phrase := phrases[r.id]; {
		case legal.MatchString(r.id):
			if !known[r.id] {
				wrong("%s is not in POLICY.md", r.id)
			}
		case !named || phrase == "" || !strings.Contains(b.norm.sections[number], phrase):
			wrong("%s: nothing in section %q of POLICY.md says it (%q)", r.id, number, phrase)
		}
		if r.fr == "" || r.en == "" {
			wrong("%s has no sentence", r.id)
		}
		if len(r.sources) == 0 {
			wrong("%s has no source", r.id)
		}
		if len(r.cases) == 0 {
			wrong("%s has no case", r.id)
		}
		for _, o := range r.options {
			if settingOf[o] == "" {
				wrong("%s looks at %s, which is no setting that this page names", r.id, o)
			}
		}
	}
	for _, id := range b.norm.ids {
		if !ruled[id] {
			wrong("POLICY.md has %s, and nothing carries it", id)
		}
	}
	for id := range phrases {
		if !ruled[id] {
			wrong("there is a phrase for %s, which is no rule", id)
		}
	}
	return errors.Join(errs...)
}

// carry gives each rule its carriers, whose files and tests must be there. A rule
// of POLICY.md without a row is told by its carriers alone.
func (b *book) carry(root string, carriers map[string][]carrier) error {
	var errs []error
	byID := map[string]*rule{}
	for _, r := range b.rules {
		byID[r.id] = r
	}
	for _, id := range slices.Sorted(maps.Keys(carriers)) {
		r := byID[id]
		switch {
		case r != nil:
		case slices.Contains(b.norm.ids, id):
			r = &rule{id: id}
			b.rules = append(b.rules, r)
		default:
			errs = append(errs, fmt.Errorf("%s is carried, and neither a rule nor in POLICY.md", id))
			continue
		}
		for _, c := range carriers[id] {
			found, err := c.find(root)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", id, err))
			}
			r.carriers = append(r.carriers, found)
		}
	}
	return errors.Join(errs...)
}

// find returns the carrier with the files of its tests.
func (c carrier) find(root string) (carrier, error) {
	var errs []error
	if _, err := os.Stat(path.Join(root, c.code)); err != nil {
		errs = append(errs, err)
	}
	if len(c.tests) == 0 {
		errs = append(errs, fmt.Errorf("no test of %s is named", c.code))
	}
	found := carrier{what: c.what, code: c.code}
	for _, t := range c.tests {
		file, err := findTest(path.Join(root, path.Dir(c.code)), t.name)
		if err != nil {
			errs = append(errs, err)
		}
		found.tests = append(found.tests, test{t.name, path.Join(path.Dir(c.code), file)})
	}
	return found, errors.Join(errs...)
}

// findTest returns the file of a test of a package.
func findTest(folder, name string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if strings.Contains(string(data), "\nfunc "+name+"(t *testing.T)") {
			return filepath.Base(file), nil
		}
	}
	return "", fmt.Errorf("no test %s in %s", name, folder)
}
