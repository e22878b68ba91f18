// Command genterminology writes the value sets of package fhir from the tables of
// testdata/terminology: those of the ANS whose content is there.
//
//	go run ./internal/genterminology -in DIR -out terminology_gen.go
//
// In DIR, code-systems.csv gives the URL of each code system by its OID. Each file
// JDV_*.csv is a value set; its URL follows from its name, as the ANS makes it:
// JDV_J07_XdsTypeCode_CISIS.csv is
// https://mos.esante.gouv.fr/NOS/JDV_J07-XdsTypeCode-CISIS/FHIR/JDV-J07-XdsTypeCode-CISIS.
// The types and classes of ASS_X16, the classes of TRE_A03 and the professions of TRE_G15
// are sets without a URL.
// A table that is added there is in the server at the next run: no code is written
// by hand. A code of a system that code-systems.csv does not have is an error.
package main

import (
	"flag"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	in := flag.String("in", "", "folder of the terminology tables")
	out := flag.String("out", "terminology_gen.go", "file to write")
	flag.Parse()
	if err := run(*in, *out); err != nil {
		log.Fatalf("genterminology: %v", err)
	}
}

func run(in, out string) error {
	t, err := read(os.DirFS(in))
	if err != nil {
		return err
	}
	code, err := t.source()
	if err != nil {
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
