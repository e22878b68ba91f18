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
	structureDefinition struct {
		Kind     string `json:"kind"` // primitive-type, complex-type, resource
		Abstract bool   `json:"abstract"`
		Type     string `json:"type"`
		// Derivation is "constraint" for a profile.
		Derivation string `json:"derivation"`
		foreign    bool
		Snapshot   struct {
			Element []elementDefinition `json:"element"`
		} `json:"snapshot"`
	}
	elementDefinition struct {
		Path             string   `json:"path"`
		Representation   []string `json:"representation"`
		Min              int      `json:"min"`
		Max              string   `json:"max"`
		ContentReference string   `json:"contentReference"`
		Base             struct {
			Path string `json:"path"`
		} `json:"base"`
		Type []struct {
			Code string `json:"code"`
		} `json:"type"`
		IsModifier bool `json:"isModifier"`
		IsSummary  bool `json:"isSummary"`
		Binding    *struct {
			Strength string `json:"strength"`
			ValueSet string `json:"valueSet"`
		} `json:"binding"`
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

type source struct {
	structures  []structureDefinition // by file name
	others      []structureDefinition // of the resource types that we do not handle
	valueSets   map[string]valueSet
	codeSystems map[string]codeSystem
}

func read(dir string) (*source, error) {
	s := &source{valueSets: map[string]valueSet{}, codeSystems: map[string]codeSystem{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := s.add(file); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	if len(s.structures) == 0 {
		return nil, fmt.Errorf("no StructureDefinition in %s", dir)
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
		var d structureDefinition
		if err := json.Unmarshal(data, &d); err != nil {
			return err
		}
		s.structures = append(s.structures, d)
	case "ValueSet":
		var v valueSet
		if err := json.Unmarshal(data, &v); err != nil {
			return err
		}
		s.valueSets[v.URL] = v
	case "CodeSystem":
		var c codeSystem
		if err := json.Unmarshal(data, &c); err != nil {
			return err
		}
		s.codeSystems[c.URL] = c
	}
	return nil
}

// readOthers reads the resource types that the folder does not have from the
// Bundle of all resource types (profiles-resources.json of the specification).
func (s *source) readOthers(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var bundle struct {
		Entry []struct {
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(data, &bundle); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	for _, e := range bundle.Entry {
		var kind struct {
			ResourceType string `json:"resourceType"`
		}
		if err := json.Unmarshal(e.Resource, &kind); err != nil || kind.ResourceType != "StructureDefinition" {
			continue
		}
		d := structureDefinition{foreign: true}
		if err := json.Unmarshal(e.Resource, &d); err != nil {
			return err
		}
		known := slices.ContainsFunc(s.structures, func(have structureDefinition) bool { return have.Type == d.Type })
		if d.Kind == "resource" && d.Derivation == "specialization" && !known {
			s.others = append(s.others, d)
		}
	}
	if len(s.others) == 0 {
		return fmt.Errorf("%s: no other resource type", filepath.Base(file))
	}
	return nil
}

// codes returns the codes of a value set; none when they cannot be listed
// because their system is not one of FHIR (media types, currencies).
func (s *source) codes(url string) ([]string, error) {
	v, ok := s.valueSets[url]
	if !ok {
		return nil, fmt.Errorf("value set %s is missing", url)
	}
	if len(v.Compose.Exclude) > 0 {
		return nil, fmt.Errorf("value set %s excludes codes", url)
	}
	var codes []string
	for _, include := range v.Compose.Include {
		if len(include.Filter) > 0 || len(include.ValueSet) > 0 {
			return nil, fmt.Errorf("value set %s is not a list", url)
		}
		concepts := include.Concept
		if len(concepts) == 0 {
			system, ok := s.codeSystems[include.System]
			if !ok {
				return nil, nil
			}
			if system.Content != "complete" {
				return nil, fmt.Errorf("code system %s is not complete", system.URL)
			}
			concepts = system.Concept
		}
		codes = flatten(codes, concepts)
	}
	return codes, nil
}

func flatten(codes []string, concepts []concept) []string {
	for _, c := range concepts {
		codes = flatten(append(codes, c.Code), c.Concept)
	}
	return codes
}
