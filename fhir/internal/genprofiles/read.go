package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The parts of the conformance resources that the table needs.
type (
	structure struct {
		URL        string `json:"url"`
		Kind       string `json:"kind"`
		Abstract   bool   `json:"abstract"`
		Type       string `json:"type"`
		Derivation string `json:"derivation"`
		Snapshot   struct {
			Element []*element `json:"element"`
		} `json:"snapshot"`
	}
	element struct {
		ID        string   `json:"id"`
		Path      string   `json:"path"`
		SliceName string   `json:"sliceName"`
		Min       int      `json:"min"`
		Max       string   `json:"max"`
		Slicing   *slicing `json:"slicing"`
		Reference string   `json:"contentReference"`
		Type      []typeOf `json:"type"`
		Binding   *struct {
			Strength string `json:"strength"`
			ValueSet string `json:"valueSet"`
		} `json:"binding"`
		Constraint []struct {
			Key      string `json:"key"`
			Severity string `json:"severity"`
		} `json:"constraint"`

		value any // fixed[x] or pattern[x]
		fixed bool
	}
	typeOf struct {
		Code        string   `json:"code"`
		Profile     []string `json:"profile"`
		Target      []string `json:"targetProfile"`
		Aggregation []string `json:"aggregation"`
	}
	slicing struct {
		Discriminator []struct {
			Type string `json:"type"`
			Path string `json:"path"`
		} `json:"discriminator"`
		Rules string `json:"rules"`
	}
	valueSet struct {
		URL     string `json:"url"`
		Compose struct {
			Include []struct {
				System   string            `json:"system"`
				Concept  []concept         `json:"concept"`
				Filter   []json.RawMessage `json:"filter"`
				ValueSet []string          `json:"valueSet"`
			} `json:"include"`
			Exclude []json.RawMessage `json:"exclude"`
		} `json:"compose"`
	}
	codeSystem struct {
		URL     string    `json:"url"`
		Content string    `json:"content"`
		Concept []concept `json:"concept"`
	}
	concept struct {
		Code    string    `json:"code"`
		Concept []concept `json:"concept"`
	}
)

// UnmarshalJSON also reads the value of fixed[x] or pattern[x], whatever its type.
func (e *element) UnmarshalJSON(data []byte) error {
	type plain element
	if err := json.Unmarshal(data, (*plain)(e)); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for name, raw := range members {
		fixed := strings.HasPrefix(name, "fixed")
		if !fixed && !strings.HasPrefix(name, "pattern") {
			continue
		}
		if err := json.Unmarshal(raw, &e.value); err != nil {
			return err
		}
		e.fixed = fixed
	}
	return nil
}

type source struct {
	base     map[string]*structure // R4 types, by name
	profiles map[string]*structure // by URL
	valueSet map[string]valueSet
	systems  map[string]codeSystem
}

func read(r4 string, dirs []string) (*source, error) {
	s := &source{
		base: map[string]*structure{}, profiles: map[string]*structure{},
		valueSet: map[string]valueSet{}, systems: map[string]codeSystem{},
	}
	for _, dir := range append([]string{r4}, dirs...) {
		files, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s holds no JSON file", dir)
		}
		for _, file := range files {
			if err := s.add(file); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
		}
	}
	return s, nil
}

func (s *source) add(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	switch kind, _, _ := strings.Cut(filepath.Base(file), "-"); kind {
	case "StructureDefinition":
		d := new(structure)
		if err := json.Unmarshal(data, d); err != nil {
			return err
		}
		switch {
		case d.Kind == "logical":
		case d.Derivation != "constraint":
			s.base[d.Type] = d
		case len(d.Snapshot.Element) == 0:
			return fmt.Errorf("no snapshot")
		default:
			s.profiles[d.URL] = d
		}
	case "ValueSet":
		var v valueSet
		if err := json.Unmarshal(data, &v); err != nil {
			return err
		}
		s.valueSet[v.URL] = v
	case "CodeSystem":
		var c codeSystem
		if err := json.Unmarshal(data, &c); err != nil {
			return err
		}
		s.systems[c.URL] = c
	}
	return nil
}

// codes returns the codings of a value set as "system|code", sorted; none when it
// cannot be listed from what was read.
func (s *source) codes(url string) []string {
	url, _, _ = strings.Cut(url, "|")
	v, ok := s.valueSet[url]
	if !ok || len(v.Compose.Exclude) > 0 {
		return nil
	}
	var codes []string
	for _, include := range v.Compose.Include {
		if len(include.Filter) > 0 || include.System != "" && len(include.ValueSet) > 0 {
			return nil
		}
		concepts := include.Concept
		if include.System != "" && len(concepts) == 0 {
			system, ok := s.systems[include.System]
			if !ok || system.Content != "complete" {
				return nil
			}
			concepts = system.Concept
		}
		codes = flatten(codes, include.System, concepts)
		for _, other := range include.ValueSet {
			more := s.codes(other)
			if more == nil {
				return nil
			}
			codes = append(codes, more...)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func flatten(codes []string, system string, concepts []concept) []string {
	for _, c := range concepts {
		codes = flatten(append(codes, system+"|"+c.Code), system, c.Concept)
	}
	return codes
}
