// Command genprofiles writes the table of profiles of package fhir from
// StructureDefinitions with a snapshot: those of FHIR R4 (HL7, CC0), IHE MHD, BALP
// and PCF (CC BY 4.0), ANS PDSm (MIT) and HL7 France Core.
//
//	go run ./internal/genprofiles -r4 DIR -out profiles_gen.go DIR...
//
// What a profile says beyond the R4 definition of the same element is kept, and
// nothing else: package fhir has checked the rest when it parsed the resource. The
// command fails on what the table cannot say, and lists on standard error the
// slices that no value, type or profile tells apart and the value sets that cannot
// be listed: these are not checked.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
)

func main() {
	log.SetFlags(0)
	r4 := flag.String("r4", "", "folder of the R4 definitions")
	out := flag.String("out", "profiles_gen.go", "file to write")
	flag.Parse()
	skipped, err := run(*r4, flag.Args(), *out)
	if err != nil {
		log.Fatalf("genprofiles: %v", err)
	}
	if len(skipped) > 0 {
		log.Printf("not checked:\n  %s", strings.Join(skipped, "\n  "))
	}
}

// run writes the table and returns what it leaves out.
func run(r4 string, dirs []string, out string) (skipped []string, err error) {
	if r4 == "" || len(dirs) == 0 {
		return nil, fmt.Errorf("-r4 and at least one folder of profiles are needed")
	}
	src, err := read(r4, dirs)
	if err != nil {
		return nil, err
	}
	table, err := compile(src)
	if err != nil {
		return nil, err
	}
	code, err := table.source()
	if err != nil {
		return nil, err
	}
	return table.skipped, os.WriteFile(out, code, 0o644)
}
