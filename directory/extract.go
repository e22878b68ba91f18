package directory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"opendmp/auth"
	"opendmp/fhir"
)

// ErrExtract is that a text is not the public extraction of the Annuaire Santé, or
// has lines that cannot be read.
var ErrExtract = errors.New("directory: not a whole extraction of the Annuaire Santé")

// Limits of an extraction.
const (
	maxLine     = 64 << 10 // bytes of a line
	maxProblems = 10       // lines that an error names
)

// columns are those that are read of PS_LibreAcces_Personne_activite, by the names
// in its first line. The others, telephone numbers among them, are not.
var columns = [...]string{
	"Identification nationale PP",
	"Code civilité d'exercice", "Nom d'exercice", "Prénom d'exercice",
	"Code profession", "Libellé profession", "Code catégorie professionnelle",
	"Code savoir-faire", "Libellé savoir-faire", "Code mode exercice", "Libellé mode exercice",
	"Code secteur d'activité", "Libellé secteur d'activité", "Code rôle", "Libellé rôle",
	"Numéro SIRET site", "Numéro SIREN site", "Numéro FINESS site", "Numéro FINESS établissement juridique",
	"Identifiant technique de la structure", "Ancien identifiant de la structure",
	"Raison sociale site", "Enseigne commerciale site",
	"Numéro Voie (coord. structure)", "Indice répétition voie (coord. structure)",
	"Libellé type de voie (coord. structure)", "Libellé Voie (coord. structure)",
	"Code postal (coord. structure)", "Code commune (coord. structure)", "Libellé commune (coord. structure)",
	"Bureau cedex (coord. structure)",
}

// Extract is what an extraction held.
type Extract struct {
	Index *Index
	// Lines counts those with a record.
	Lines int
	// Left counts the numbers of structures that were left out because no register
	// could have given them; LeftFirst is the first line with one.
	Left, LeftFirst int
}

// ReadExtract reads the public extraction of the Annuaire Santé,
// PS_LibreAcces_Personne_activite_<date>.txt: UTF-8, fields between bars, the names of
// the columns in the first line. Columns are found by name, in whatever order, and
// those that are not needed may be missing.
//
// It keeps the index alone, never the text. The error wraps ErrExtract and names the
// first lines that cannot be read: with another number of fields than the first line,
// not UTF-8, with control characters, longer than 64 KiB, without a national
// identifier, a family name or a profession.
func ReadExtract(r io.Reader) (Extract, error) {
	x := extraction{in: bufio.NewReaderSize(r, maxLine), to: NewBuilder()}
	if err := x.header(); err != nil {
		return Extract{}, err
	}
	for {
		line, err := x.next()
		switch {
		case err == io.EOF:
			return x.end()
		case errors.Is(err, errLine):
			x.problem(err)
			continue
		case err != nil:
			return Extract{}, fmt.Errorf("directory: line %d: %w", x.line, err)
		}
		x.record(line)
	}
}

// extraction is the reading of one file.
type extraction struct {
	in     *bufio.Reader
	to     *Builder
	line   int
	fields int // in the first line
	at     [len(columns)]int
	split  []string // of one line
	out    Extract
	// problems are the first of count.
	problems []string
	count    int
}

// errLine is that a line cannot be read, and the next one can.
var errLine = errors.New("unreadable")

// next returns a line without its end.
func (x *extraction) next() (string, error) {
	x.line++
	b, err := x.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		for err == bufio.ErrBufferFull {
			_, err = x.in.ReadSlice('\n')
		}
		if err == nil || err == io.EOF {
			err = fmt.Errorf("%w: longer than %d bytes", errLine, maxLine)
		}
		return "", err
	}
	if err == io.EOF && len(b) > 0 {
		err = nil // the last line without an end
	}
	if err != nil {
		return "", err
	}
	line := string(bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r")))
	switch {
	case !utf8.ValidString(line):
		return "", fmt.Errorf("%w: not UTF-8", errLine)
	case strings.IndexFunc(line, unicode.IsControl) >= 0:
		return "", fmt.Errorf("%w: control characters", errLine)
	}
	return line, nil
}

// header reads the first line.
func (x *extraction) header() error {
	line, err := x.next()
	if err == io.EOF {
		return fmt.Errorf("%w: it is empty", ErrExtract)
	}
	if err != nil {
		return fmt.Errorf("%w: line 1: %w", ErrExtract, err)
	}
	names := strings.Split(strings.TrimPrefix(line, "\ufeff"), "|")
	x.fields = len(names)
	for i, name := range columns {
		x.at[i] = slices.Index(names, name)
		switch {
		case x.at[i] < 0:
			return fmt.Errorf("%w: line 1: no column %q (is it PS_LibreAcces_Personne_activite?)", ErrExtract, name)
		case slices.Contains(names[x.at[i]+1:], name):
			return fmt.Errorf("%w: line 1: two columns %q", ErrExtract, name)
		}
	}
	return nil
}

// record takes a line.
func (x *extraction) record(line string) {
	fields := x.split[:0]
	for field := range strings.SplitSeq(line, "|") {
		fields = append(fields, field)
	}
	if x.split = fields; len(fields) != x.fields {
		x.problem(fmt.Errorf("%d fields instead of %d", len(fields), x.fields))
		return
	}
	var v [len(columns)]string
	for i, at := range x.at {
		v[i] = strings.TrimSpace(fields[at])
	}
	r, left := recordOf(v)
	if err := x.to.Add(r); err != nil {
		x.problem(err)
		return
	}
	if x.out.Lines++; left > 0 {
		if x.out.Left == 0 {
			x.out.LeftFirst = x.line
		}
		x.out.Left += left
	}
}

// recordOf makes a record of the values of the columns, in their order, and tells how
// many numbers of the structure were left out.
func recordOf(v [len(columns)]string) (r Record, left int) {
	i := 0
	take := func() string { i++; return v[i-1] }
	code := func() fhir.Code {
		c := fhir.Code{Code: take(), Display: take()}
		if c.Code == "" {
			return fhir.Code{}
		}
		return c
	}
	r.National, r.Title, r.Family, r.Given = take(), take(), take(), take()
	r.Profession, r.Category = code(), take()
	r.Skill, r.Mode, r.Sector, r.Role = code(), code(), code(), code()
	siret, siren, finess, entity := take(), take(), take(), take()
	s := Structure{Key: take()}
	former := take()
	s.Sites, left = numbers(left, "1"+finess, "3"+siret, former)
	s.Legal, left = numbers(left, "1"+entity, "2"+siren)
	s.Name, s.Trade = take(), take()
	s.Line = joined(take(), take(), take(), take())
	s.Postal, s.Commune, s.City = take(), take(), take()
	if office := take(); s.City == "" { // "25300 DOUBS", where the commune has no name
		s.City = strings.TrimLeft(office, "0123456789 ")
	}
	if s.Key == "" && len(s.Sites) > 0 {
		s.Key = s.Sites[0].Value
	}
	r.Structure = s
	return r, left
}

// numbers returns the Struct_IdNat that a register could have given, and counts those
// that none could.
func numbers(left int, values ...string) ([]fhir.Ident, int) {
	var out []fhir.Ident
	for _, value := range values {
		id := fhir.Ident{System: fhir.SystemStructure, Value: value}
		if _, err := auth.ParseStructure(id); err == nil {
			out = append(out, id)
		} else if len(value) > 1 {
			left++
		}
	}
	return out, left
}

// problem notes a line that cannot be read.
func (x *extraction) problem(err error) {
	if x.count++; len(x.problems) < maxProblems {
		x.problems = append(x.problems, fmt.Sprintf("line %d: %s", x.line, err))
	}
}

// end returns what was read.
func (x *extraction) end() (Extract, error) {
	switch {
	case x.count > len(x.problems):
		return Extract{}, fmt.Errorf("%w: %s; and %d more", ErrExtract, strings.Join(x.problems, "; "), x.count-len(x.problems))
	case x.count > 0:
		return Extract{}, fmt.Errorf("%w: %s", ErrExtract, strings.Join(x.problems, "; "))
	case x.out.Lines == 0:
		return Extract{}, fmt.Errorf("%w: it has no lines", ErrExtract)
	}
	x.out.Index = x.to.Index()
	return x.out, nil
}
