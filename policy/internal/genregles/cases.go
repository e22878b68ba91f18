package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ruleCase is a line of the jurist's tables.
type ruleCase struct{ rule, act, caller, facts, answer, deciding, file string }

func readCases(folder string) ([]ruleCase, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no cases in %s", folder))
	}
	var cases []ruleCase
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for i, line := range strings.Split(string(data), "\n") {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			cols := strings.Split(line, "|")
			if len(cols) != 6 {
				return nil, fmt.Errorf("%s:%d: %d columns, not 6", filepath.Base(name), i+1, len(cols))
			}
			for i := range cols {
				cols[i] = strings.TrimSpace(cols[i])
			}
			cases = append(cases, ruleCase{cols[0], cols[1], cols[2], cols[3], cols[4], cols[5], filepath.Base(name)})
		}
	}
	return cases, nil
}

// join gives each rule its cases. A case of no rule is one that nobody reads.
func (b *book) join(cases []ruleCase) error {
	byID := map[string]*rule{}
	for _, r := range b.rules {
		byID[r.id] = r
	}
	var errs []error
	for _, c := range cases {
		r := byID[c.rule]
		if r == nil {
			errs = append(errs, fmt.Errorf("%s has a case of %q, which is no rule", c.file, c.rule))
			continue
		}
		r.cases = append(r.cases, c)
	}
	return errors.Join(errs...)
}
