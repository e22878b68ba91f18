package idp

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"opendmp/sandbox"
)

//go:embed templates/page.html
var pageText string

//go:embed templates/page.css
var styleText string

// Parts of the page.
const (
	chooser     = "choix"
	refusalPage = "refus"
)

// page is what a page shows.
type page struct {
	Client string
	Query  string // of the request, again in the form
	People []person
	Wrong  string // a sentence
}

// person is a line of the list.
type person struct {
	Key, Name, Profession, Number string
	Practices                     []string
}

// people are the professionals of the cast.
func people() []person {
	var all []person
	for _, p := range sandbox.Personas() {
		exercises := p.Exercises()
		if exercises == nil {
			continue
		}
		line := person{Key: p.Key, Name: p.Name(), Profession: profession(p), Number: p.ID.Value}
		for _, e := range exercises {
			for _, place := range e.Places {
				name := place.Name
				if len(exercises) > 1 {
					name += " (" + categories[e.Category] + ")"
				}
				line.Practices = append(line.Practices, name)
			}
		}
		all = append(all, line)
	}
	return all
}

// categories are the words for those of a situation.
var categories = map[string]string{"C": "civil", "M": "militaire", "E": "étudiant"}

// profession is what a persona is called on the page.
func profession(p sandbox.Persona) string {
	name := sandbox.ProfessionFR(p.Profession.Code)
	if p.Student {
		name += ", étudiant"
	}
	return name
}

// pageAnswer shows a part of the page. Its style is the only thing that it may load;
// form-action is left out, because browsers hold the way back to the client to it.
func pageAnswer(status int, part string, data page) answer {
	t, err := template.New("page").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(styleText) },
		"query": func(q string) template.URL { return template.URL("?" + q) },
		"join":  strings.Join,
	}).Parse(pageText)
	if err != nil {
		return answer{status: http.StatusInternalServerError}
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, data); err != nil {
		return answer{status: http.StatusInternalServerError}
	}
	sum := sha256.Sum256([]byte(styleText))
	return answer{status: status, mime: "text/html; charset=utf-8", body: b.Bytes()}.with("Content-Security-Policy",
		"default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; frame-ancestors 'none'; base-uri 'none'")
}
