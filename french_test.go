package opendmp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// elided is a French word that lost its vowel, before a straight apostrophe.
var elided = regexp.MustCompile(`(?i)\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|aujourd)'\p{L}`)

// terms are the words of official terminologies, which are kept as published.
var terms = []string{
	"CR d'examens biologiques",
	"CR d'anatomie et de cytologie pathologiques",
	"Lettre d'adressage",
	"Lettre de liaison à la sortie d'un établissement de soins",
	"Organisme d'assurance maladie obligatoire",
	"Pharmacie d'officine",
	"Alimentation automatique à partir du Système d'Information de l'Assurance Maladie",
	"Code civilité d'exercice", "Nom d'exercice", "Prénom d'exercice", "Code secteur d'activité", "Libellé secteur d'activité", // columns of the Annuaire Santé
	"annexe de l'arrêté du 26 octobre 2023, non publiée sous forme exploitable", // in the tables of the matrix
}

// French texts have the typographic apostrophe, U+2019, everywhere, so that a
// client and a test may compare them.
func TestApostrophes(t *testing.T) {
	seen := 0
	for _, folder := range []string{"fhir", "directory", "dossier", "policy", "sandbox", "cmd"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "bench" {
				return fs.SkipDir // what it pushes is measured, and read by nobody
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution|parser.ParseComments)
			if err != nil || ast.IsGenerated(file) {
				return err // what is generated holds labels of terminologies
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
					text, err := strconv.Unquote(l.Value)
					if err != nil {
						t.Error(err)
					}
					if strings.Contains(text, "’") {
						seen++
					}
					if elided.MatchString(text) && !slices.Contains(terms, text) {
						t.Errorf("%s: %q has a straight apostrophe", path, text)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if seen < 100 {
		t.Errorf("only %d texts with an apostrophe were read", seen)
	}
}
