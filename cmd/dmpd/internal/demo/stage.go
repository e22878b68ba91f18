package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Options of a telling.
type Options struct {
	// Base is the URL of the FHIR base of a fresh sandbox.
	Base string
	// Token returns a token of a persona.
	Token func(persona string) (string, error)
	// ID returns the id of a document of the sandbox by its key.
	ID func(document string) string
	// INS returns the number of a patient of the sandbox.
	INS func(patient string) string
	// Out gets the story.
	Out io.Writer
}

// stage is where the story is played. Its first error stays, and nothing is
// played after it, so that a scene reads from top to bottom.
type stage struct {
	Options
	ctx    context.Context
	client *http.Client
	err    error

	persona string
	status  int
	header  http.Header
	body    []byte
}

// scene begins a scene.
func (s *stage) scene(title string) {
	if s.err == nil {
		fmt.Fprintf(s.Out, "\n%s\n", title)
	}
}

// as says who acts from here on.
func (s *stage) as(persona string) *stage {
	s.persona = persona
	return s
}

func (s *stage) get(path string) *stage { return s.send(http.MethodGet, path, nil) }

func (s *stage) post(path string, body []byte) *stage { return s.send(http.MethodPost, path, body) }

// send sends a request and shows it.
func (s *stage) send(method, path string, body []byte) *stage {
	if s.err != nil {
		return s
	}
	fmt.Fprintf(s.Out, "  %-18s %s %s\n", s.persona, method, shown(path))
	token, err := s.Token(s.persona)
	if err != nil {
		return s.fail(err)
	}
	r, err := http.NewRequestWithContext(s.ctx, method, strings.TrimSuffix(s.Base+"/"+path, "/"), bytes.NewReader(body))
	if err != nil {
		return s.fail(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	res, err := s.client.Do(r)
	if err != nil {
		return s.fail(err)
	}
	defer res.Body.Close()
	s.status, s.header = res.StatusCode, res.Header
	if s.body, err = io.ReadAll(res.Body); err != nil {
		return s.fail(err)
	}
	return s
}

// answers checks the status and tells what it means.
func (s *stage) answers(status int, sentence string, args ...any) *stage {
	if s.err != nil {
		return s
	}
	if s.status != status {
		return s.fail(fmt.Errorf("réponse %d au lieu de %d : %.400s", s.status, status, s.body))
	}
	fmt.Fprintf(s.Out, "  %-18s %d  %s\n", "", s.status, fmt.Sprintf(sentence, args...))
	return s
}

// tell adds a line to the story.
func (s *stage) tell(sentence string, args ...any) {
	if s.err == nil {
		fmt.Fprintf(s.Out, "  %-18s      %s\n", "", fmt.Sprintf(sentence, args...))
	}
}

// check holds the story against something that must be.
func (s *stage) check(holds bool, otherwise string, args ...any) {
	if s.err == nil && !holds {
		s.fail(fmt.Errorf(otherwise, args...))
	}
}

func (s *stage) fail(err error) *stage {
	s.err = err
	return s
}

// resource reads the last answer.
func (s *stage) resource(into any) {
	if s.err != nil {
		return
	}
	if err := json.Unmarshal(s.body, into); err != nil {
		s.fail(err)
	}
}

// page is a search result.
type page struct {
	Total int `json:"total"`
	Entry []struct {
		Resource document `json:"resource"`
	} `json:"entry"`
}

// document is what the story looks at in a DocumentReference.
type document struct {
	ID      string `json:"id"`
	Content []struct {
		Attachment struct {
			URL   string `json:"url"`
			Title string `json:"title"`
		} `json:"attachment"`
	} `json:"content"`
}

// documents reads the last answer as a page of documents.
func (s *stage) documents() page {
	var p page
	s.resource(&p)
	return p
}

// holds tells whether the page has a document.
func (p page) holds(id string) bool {
	for _, e := range p.Entry {
		if e.Resource.ID == id {
			return true
		}
	}
	return false
}

// issue returns the sentence of the last refusal.
func (s *stage) issue() string {
	var o struct {
		Issue []struct {
			Details struct {
				Text string `json:"text"`
			} `json:"details"`
		} `json:"issue"`
	}
	s.resource(&o)
	if len(o.Issue) == 0 {
		return ""
	}
	return o.Issue[0].Details.Text
}

// query makes a query from names and values.
func query(typ string, pairs ...string) string {
	var parts []string
	for pair := range slices.Chunk(pairs, 2) {
		parts = append(parts, pair[0]+"="+url.QueryEscape(pair[1]))
	}
	return typ + "?" + strings.Join(parts, "&")
}

// shown is a path as a reader likes it.
func shown(path string) string {
	if path == "" {
		return "/"
	}
	if plain, err := url.QueryUnescape(path); err == nil {
		return plain
	}
	return path
}
