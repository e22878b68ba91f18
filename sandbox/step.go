package sandbox

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"opendmp/fhir"
)

// Media types of the requests.
const (
	mediaFHIR  = "application/fhir+json"
	mediaPatch = "application/json-patch+json"
)

// Step is one request of the script.
type Step struct {
	// At is the instant that the server's clock shows.
	At time.Time
	// As is the key of the persona whose token is sent.
	As string
	// Note says in a few French words what the step does: "ouvre le dossier de …".
	Note string
	// Method and Path are those of the request, Path below the FHIR base: "" for
	// a transaction.
	Method, Path string
	ContentType  string
	Body         []byte
	// ID is the id that the DocumentReference is wished to have: doc-x-id for the
	// published example, otherwise "".
	ID string
	// Expect is the status of the answer.
	Expect int
	// Saves are the ids to keep of the answer.
	Saves []Save
}

// Save says to keep the id of the resource of a type that a step creates, under a
// key: that of a persona for a Patient, that of a document for a
// DocumentReference.
type Save struct{ Key, Type string }

const (
	openMark  = "{{"
	closeMark = "}}"
)

// placeholder stands for an id that is not known yet.
func placeholder(key string) string { return openMark + key + closeMark }

// Fill returns the path and the body of a step with the ids that earlier steps
// saved. It fails on a key that id does not know.
func (s Step) Fill(id func(key string) (string, bool)) (path string, body []byte, err error) {
	filledPath, err := fill([]byte(s.Path), id)
	if err != nil {
		return "", nil, err
	}
	body, err = fill(s.Body, id)
	return string(filledPath), body, err
}

func fill(text []byte, id func(string) (string, bool)) ([]byte, error) {
	var out []byte
	for {
		before, rest, found := bytes.Cut(text, []byte(openMark))
		out = append(out, before...)
		if !found {
			return out, nil
		}
		key, after, closed := bytes.Cut(rest, []byte(closeMark))
		value, known := id(string(key))
		if !closed || !known {
			return nil, fmt.Errorf("sandbox: no id of %q yet", key)
		}
		out = append(out, value...)
		text = after
	}
}

// Capture reads the ids to save from the answer of a step: its Location header
// (of a create), or the locations of a transaction-response. It fails if one is
// missing.
func (s Step) Capture(location string, body []byte) (map[string]string, error) {
	ids := map[string]string{}
	if len(s.Saves) == 0 {
		return ids, nil
	}
	locations := []string{location}
	if r, err := fhir.Scan(body); err == nil {
		for l := range r.Root().All("entry", "response", "location") {
			locations = append(locations, l.Text())
		}
	}
	for _, save := range s.Saves {
		id, ok := created(save.Type, locations)
		if !ok {
			return nil, fmt.Errorf("sandbox: the answer of %q has no location of a %s", s.Note, save.Type)
		}
		ids[save.Key] = id
	}
	return ids, nil
}

// created returns the id of the first location of a type: "Type/id", perhaps with
// a base before it and a version behind.
func created(typ string, locations []string) (string, bool) {
	for _, l := range locations {
		parts := strings.Split(l, "/")
		for i := 0; i+1 < len(parts); i++ {
			if parts[i] == typ && parts[i+1] != "" {
				return parts[i+1], true
			}
		}
	}
	return "", false
}
