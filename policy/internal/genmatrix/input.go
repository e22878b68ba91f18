package main

import (
	"encoding/csv"
	"fmt"
	"io/fs"
)

// Code systems.
const (
	systemG15   = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
	systemR85   = "https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge"
	systemR94   = "https://mos.esante.gouv.fr/NOS/TRE_R94-ProfessionSocial/FHIR/TRE-R94-ProfessionSocial"
	systemR95   = "https://mos.esante.gouv.fr/NOS/TRE_R95-UsagerTitre/FHIR/TRE-R95-UsagerTitre"
	systemR291  = "https://mos.esante.gouv.fr/NOS/TRE_R291-AutreProfession/FHIR/TRE-R291-AutreProfession"
	systemLOINC = "http://loinc.org"
	systemA05   = "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire"
	systemA12   = "https://mos.esante.gouv.fr/NOS/TRE_A12-NomenclatureASTM/FHIR/TRE-A12-NomenclatureASTM"
	systemA03   = "https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument"
	systemA10   = "https://mos.esante.gouv.fr/NOS/TRE_A10-NomenclatureURN/FHIR/TRE-A10-NomenclatureURN"
)

type coding struct{ system, code string }

// column is a profession or a role.
type column struct {
	coding
	label string
}

type docType struct {
	coding
	class coding
	label string
}

type cell struct{ decision, source string }

type cellKey struct{ column, typ coding }

// input is what the terminology says.
type input struct {
	columns []column
	types   []docType
	known   map[cellKey]cell
	named   []column // all that can be a column
}

// roleColumns maps the columns of habilitation-roles.csv to TRE_R85. The article
// behind "preparateur-pharmacie" speaks of dispensaries, hence 317 and not 316.
func roleColumns() map[string]column {
	return map[string]column{
		"ROLE:coordination":          {coding{systemR85, "330"}, "Coordonnateur de parcours"},
		"ROLE:preparateur-pharmacie": {coding{systemR85, "317"}, "Préparateur en pharmacie (officine)"},
	}
}

func read(dir fs.FS) (input, error) {
	in := input{known: map[cellKey]cell{}}
	for _, step := range []func(fs.FS) error{in.readTypes, in.readProfessions, in.readKnown, in.readInferred, in.readRoles, in.readNamed} {
		if err := step(dir); err != nil {
			return input{}, err
		}
	}
	return in, checkRules(in)
}

func (in *input) readTypes(dir fs.FS) error {
	systems := map[string]string{"LOINC": systemLOINC, "TRE_A05": systemA05, "ASTM": systemA12}
	return each(dir, "document-types.csv", 4, func(r []string) error {
		system, ok := systems[r[1]]
		if !ok {
			return fmt.Errorf("unknown system %q", r[1])
		}
		class := coding{systemA03, r[2]}
		if r[1] == "ASTM" {
			class.system = systemA10
		}
		in.types = append(in.types, docType{coding{system, r[0]}, class, r[3]})
		return nil
	})
}

func (in *input) readProfessions(dir fs.FS) error {
	return each(dir, "professions.csv", 2, func(r []string) error {
		in.columns = append(in.columns, column{coding{systemG15, r[0]}, r[1]})
		return nil
	})
}

func (in *input) readKnown(dir fs.FS) error {
	return each(dir, "habilitation-known-cells.csv", 6, func(r []string) error {
		return in.put(coding{r[0], r[1]}, coding{r[2], r[3]}, cell{r[4], r[5]})
	})
}

func (in *input) readInferred(dir fs.FS) error {
	return each(dir, "habilitation-inferred-pharmacist.csv", 6, func(r []string) error {
		return in.put(coding{r[0], r[1]}, coding{r[2], r[3]}, cell{r[4], prefixInferred + r[5]})
	})
}

// readRoles reads cells whose type has no system: its code is enough to find it.
func (in *input) readRoles(dir fs.FS) error {
	seen := map[string]bool{}
	return each(dir, "habilitation-roles.csv", 4, func(r []string) error {
		c, ok := roleColumns()[r[0]]
		if !ok {
			return fmt.Errorf("unknown role %q", r[0])
		}
		if !seen[r[0]] {
			seen[r[0]] = true
			in.columns = append(in.columns, c)
		}
		for _, t := range in.types {
			if t.code == r[1] {
				return in.put(c.coding, t.coding, cell{r[2], r[3]})
			}
		}
		return fmt.Errorf("unknown type %q", r[1])
	})
}

// put records a cell that a public source names; two sources may not disagree.
func (in *input) put(c, t coding, v cell) error {
	k := cellKey{c, t}
	if old, twice := in.known[k]; twice && old.decision != v.decision {
		return fmt.Errorf("%s × %s is %s and %s", c.code, t.code, old.decision, v.decision)
	}
	in.known[k] = v
	return nil
}

// each calls f with each record of a CSV file, its header apart.
func each(dir fs.FS, name string, fields int, f func(record []string) error) error {
	file, err := dir.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.FieldsPerRecord = fields
	records, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for i, record := range records {
		if i == 0 {
			continue
		}
		if err := f(record); err != nil {
			return fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	return nil
}
