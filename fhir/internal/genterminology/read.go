package main

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const nos = "https://mos.esante.gouv.fr/NOS/"

type (
	// table is what package fhir gets.
	table struct {
		systems    []system
		sets       []set
		deprecated []deprecated
	}
	system struct {
		name, oid, url string
		others         []string // other URLs that are in use
	}
	set struct {
		name, url string
		codes     []string // "system|code", sorted
	}
	deprecated struct{ coding, instead string }
)

func read(dir fs.FS) (*table, error) {
	t := &table{}
	for _, step := range []func(fs.FS) error{t.readSystems, t.readValueSets, t.readTypes, t.readClasses, t.readProfessions, t.readDeprecated} {
		if err := step(dir); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(t.sets, func(a, b set) int { return strings.Compare(a.name, b.name) })
	for i := range t.sets {
		codes := t.sets[i].codes
		if slices.Sort(codes); len(slices.Compact(slices.Clone(codes))) != len(codes) {
			return nil, fmt.Errorf("%s: a code twice", t.sets[i].name)
		}
	}
	return t, nil
}

// rows gives each row of a file, without its header.
func rows(dir fs.FS, file string, columns int, take func(row []string) error) error {
	f, err := dir.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = columns
	all, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if len(all) < 2 {
		return fmt.Errorf("%s holds no rows", file)
	}
	for _, row := range all[1:] {
		if err := take(row); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func (t *table) readSystems(dir fs.FS) error {
	return rows(dir, "code-systems.csv", 4, func(r []string) error {
		t.systems = append(t.systems, system{r[0], r[1], r[2], strings.Fields(r[3])})
		return nil
	})
}

// coding is a code of the system of that OID or name.
func (t *table) coding(system, code string) (string, error) {
	for _, s := range t.systems {
		short, _, _ := strings.Cut(s.name, "-")
		if s.oid == system || s.name == system || short == system {
			return s.url + "|" + code, nil
		}
	}
	return "", fmt.Errorf("unknown code system %q", system)
}

func (t *table) readValueSets(dir fs.FS) error {
	files, err := fs.Glob(dir, "JDV_*.csv")
	if err != nil {
		return err
	}
	for _, file := range files {
		s := named(strings.TrimSuffix(path.Base(file), ".csv"))
		if err := rows(dir, file, 3, func(r []string) error { return t.add(&s, r[1], r[0]) }); err != nil {
			return err
		}
		t.sets = append(t.sets, s)
	}
	return nil
}

// named makes the names of a value set of the name of its file.
func named(file string) set {
	kind, rest, _ := strings.Cut(file, "_")
	rest = strings.ReplaceAll(rest, "_", "-")
	name := kind + "_" + rest
	return set{name: name, url: nos + name + "/FHIR/" + kind + "-" + rest}
}

func (t *table) add(s *set, system, code string) error {
	coding, err := t.coding(system, code)
	s.codes = append(s.codes, coding)
	return err
}

// readTypes reads the types of documents of the DMP and their classes (ASS_X16). The
// class of a signature is a URN, the others are of TRE_A03.
func (t *table) readTypes(dir fs.FS) error {
	types, classes := set{name: "ASS_X16 (types)"}, set{name: "ASS_X16 (classes)"}
	err := rows(dir, "document-types.csv", 4, func(r []string) error {
		system := "TRE_A03"
		if strings.HasPrefix(r[2], "urn:") {
			system = "TRE_A10"
		}
		class, err := t.coding(system, r[2])
		if err != nil {
			return err
		}
		if !slices.Contains(classes.codes, class) {
			classes.codes = append(classes.codes, class)
		}
		return t.add(&types, r[1], r[0])
	})
	t.sets = append(t.sets, types, classes)
	return err
}

func (t *table) readClasses(dir fs.FS) error {
	return t.readWhole(dir, "document-classes.csv", "TRE_A03-ClasseDocument")
}

func (t *table) readProfessions(dir fs.FS) error {
	return t.readWhole(dir, "professions.csv", "TRE_G15-ProfessionSante")
}

// readWhole reads the codes in force of one code system, which serve as a value set.
func (t *table) readWhole(dir fs.FS, file, system string) error {
	s := set{name: system}
	err := rows(dir, file, 2, func(r []string) error { return t.add(&s, system, r[0]) })
	t.sets = append(t.sets, s)
	return err
}

func (t *table) readDeprecated(dir fs.FS) error {
	err := rows(dir, "deprecated-codes.csv", 3, func(r []string) error {
		coding, err := t.coding(r[1], r[0])
		t.deprecated = append(t.deprecated, deprecated{coding, r[2]})
		return err
	})
	slices.SortFunc(t.deprecated, func(a, b deprecated) int { return strings.Compare(a.coding, b.coding) })
	return err
}
