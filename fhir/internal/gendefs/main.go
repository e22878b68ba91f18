// Command gendefs writes the definitions table of package fhir from the
// official FHIR R4 definitions (HL7, CC0): one JSON file per StructureDefinition,
// ValueSet and CodeSystem, as in the definitions package of the specification.
//
//	go run ./internal/gendefs -in DIR -others FILE -out definitions_gen.go
//
// FILE is profiles-resources.json of the same package. The resource types that
// are in it and not in DIR are in the table as far as XML needs them: their
// elements, in order, with types and repetitions.
//
// It fails on whatever the table cannot say (a cardinality that is neither
// 0, 1 nor *, more than 64 elements in a type, a value set made by a filter)
// rather than leave it out.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	in := flag.String("in", "", "folder of the R4 definitions")
	others := flag.String("others", "", "Bundle of all R4 resource types; none if empty")
	out := flag.String("out", "definitions_gen.go", "file to write")
	flag.Parse()
	if err := run(*in, *others, *out); err != nil {
		log.Fatalf("gendefs: %v", err)
	}
}

func run(in, others, out string) error {
	if in == "" {
		return fmt.Errorf("-in is missing")
	}
	src, err := read(in)
	if err != nil {
		return err
	}
	if others != "" {
		if err := src.readOthers(others); err != nil {
			return err
		}
	}
	table, err := build(src)
	if err != nil {
		return err
	}
	code, err := table.source()
	if err != nil {
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
