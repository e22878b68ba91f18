package sandbox

import "time"

// report is the content of a document, before it is laid out as PDF or as CDA.
type report struct {
	title    string
	service  string // heading under the name of the structure
	sections []section
	closing  string // the line above the signature
}

// section is a part with a heading: paragraphs, then a table, then results.
type section struct {
	heading    string
	loinc      string // code of the section in CDA, "" if none
	paragraphs []string
	table      table
	results    []result
}

// table is a table of texts. widths are parts of the width of the page.
type table struct {
	header []string
	rows   [][]string
	widths []float64
}

// result is one result of biology; in CDA it is a coded observation as well.
type result struct {
	label, loinc string
	value, unit  string
	low, high    string
	previous     string
}

// resultsTable lays results out for reading.
func resultsTable(rs []result) table {
	t := table{header: []string{"Analyse", "Résultat", "Unité", "Valeurs de référence", "Antériorité"}, widths: []float64{0.34, 0.14, 0.14, 0.22, 0.16}}
	for _, r := range rs {
		t.rows = append(t.rows, []string{r.label, r.value, r.unit, r.low + " – " + r.high, r.previous})
	}
	return t
}

// allTables returns the tables of a section, results laid out.
func (s section) allTables() []table {
	var ts []table
	if len(s.table.rows) > 0 {
		ts = append(ts, s.table)
	}
	if len(s.results) > 0 {
		ts = append(ts, resultsTable(s.results))
	}
	return ts
}

// heading is what stands above the content of a document, whatever its form.
type heading struct {
	patient   Persona
	author    Persona
	structure structure // zero if the patient is the author
	act       time.Time // when what it tells was done
	written   time.Time
	oid       string // unique identifier of the document, without "urn:oid:"
	replaces  string // that of the document it replaces, "" if none
	version   int
	typ       coded
}

// disclaimer stands on every page and in every CDA document.
const disclaimer = "Document fictif – bac à sable OpenDMP – aucune personne réelle"

// signer names who answers for the document.
func (h heading) signer() string {
	if h.structure.number == "" || h.author.Name() == h.structure.name {
		return h.author.Name()
	}
	return h.author.Name() + ", " + h.structure.name
}
