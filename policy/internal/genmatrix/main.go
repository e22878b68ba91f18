package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
)

const (
	fileKnown   = "matrix/2023-10-30.csv"
	fileSandbox = "matrix/sandbox/2024-01-01.csv"
	fileTypes   = "doctypes_gen.go"
	fileColumns = "matrix_columns_gen.go"

	sourceUnknown   = "annexe de l'arrêté du 26 octobre 2023, non publiée sous forme exploitable"
	sourceSynthetic = "synthétique, bac à sable"
	prefixInferred  = "inféré : "
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("genmatrix: ")
	if len(os.Args) != 3 {
		log.Fatal("usage: genmatrix TERMINOLOGY-FOLDER POLICY-FOLDER")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(terminology, policy string) error {
	in, err := read(os.DirFS(terminology))
	if err != nil {
		return err
	}
	types, err := typesAsGo(in.types)
	if err != nil {
		return err
	}
	columns, err := columnsAsGo(in.named)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		fileTypes:   types,
		fileColumns: columns,
		fileKnown:   table(in, unknownCell),
		fileSandbox: table(in, syntheticCell),
	} {
		if err := os.WriteFile(filepath.Join(policy, filepath.FromSlash(name)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// table writes every column × type: what is known, and what fill says of the
// rest.
func table(in input, fill func(column, docType) cell) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	put := func(record ...string) {
		if err := w.Write(record); err != nil {
			panic(err) // a bytes.Buffer does not fail
		}
	}
	put("profession_system", "profession_code", "type_system", "type_code", "decision", "source")
	for _, c := range in.columns {
		for _, t := range in.types {
			v, known := in.known[cellKey{c.coding, t.coding}]
			if !known {
				v = fill(c, t)
			}
			put(c.system, c.code, t.system, t.code, v.decision, v.source)
		}
	}
	w.Flush()
	return b.Bytes()
}

func unknownCell(column, docType) cell { return cell{"unknown", sourceUnknown} }

func syntheticCell(c column, t docType) cell {
	return cell{synthetic(c.coding, t), sourceSynthetic}
}

// checkRules reports a code that the synthetic rules name and that no table
// holds: a typing error would otherwise silently say nothing.
func checkRules(in input) error {
	var errs []error
	for c, r := range rules() {
		if !slices.ContainsFunc(in.columns, func(col column) bool { return col.coding == c }) {
			errs = append(errs, fmt.Errorf("rule for the unknown column %s", c.code))
		}
		for _, code := range r.except {
			if !slices.ContainsFunc(in.types, func(t docType) bool { return t.code == code }) {
				errs = append(errs, fmt.Errorf("rule of column %s names the unknown type %s", c.code, code))
			}
		}
	}
	return errors.Join(errs...)
}
