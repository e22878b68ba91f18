package main

import (
	"bytes"
	"errors"
	"flag"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("genregles: ")
	check := flag.Bool("check", false, "fail if the page is not what would be written")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: genregles [-check] ROOT")
	}
	if err := run(flag.Arg(0), *check); err != nil {
		log.Fatal(err)
	}
}

// errStale is the error of a page that is not what would be written.
var errStale = errors.New("docs/regles.md is not what the rules say: make regles")

func run(root string, check bool) error {
	b, err := read(root)
	if err != nil {
		return err
	}
	want := b.page()
	name := filepath.Join(root, "docs", "regles.md")
	if !check {
		return os.WriteFile(name, want, 0o644)
	}
	have, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, want) {
		return errStale
	}
	return nil
}

// book is all that the page tells.
type book struct {
	rules []*rule
	norm  norm
}

// read reads rules, norm and cases of a checkout, and joins them. Its error names
// everything that is wrong.
func read(root string) (*book, error) {
	rules, err := readRules(filepath.Join(root, "policy"))
	if err != nil {
		return nil, err
	}
	n, err := readNorm(filepath.Join(root, "docs", "POLICY.md"))
	if err != nil {
		return nil, err
	}
	cases, err := readCases(filepath.Join(root, "policy", "testdata", "regles"))
	if err != nil {
		return nil, err
	}
	b := &book{rules: rules, norm: n}
	return b, errors.Join(b.join(cases), b.carry(root, carriers), b.agree())
}
