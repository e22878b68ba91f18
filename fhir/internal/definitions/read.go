package definitions

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Set is what was read from some folders.
type Set struct {
	Structures  []*Structure // folder by folder, by file name
	valueSets   map[string]valueSet
	codeSystems map[string]codeSystem
}

// Read reads the definitions of the folders. Of two with one URL the later counts. A
// folder without a JSON file is an error; files of other types are passed over.
func Read(folders ...string) (*Set, error) {
	s := &Set{valueSets: map[string]valueSet{}, codeSystems: map[string]codeSystem{}}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s holds no JSON file", folder)
		}
		for _, file := range files {
			if err := s.add(file); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
		}
	}
	return s, nil
}

func (s *Set) add(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	switch kind, _, _ := strings.Cut(filepath.Base(file), "-"); kind {
	case "StructureDefinition":
		d := new(Structure)
		if err := json.Unmarshal(data, d); err != nil {
			return err
		}
		s.Structures = append(s.Structures, d)
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

// ReadBundle returns the StructureDefinitions of a Bundle, such as
// profiles-resources.json of the specification, in its order.
func ReadBundle(file string) ([]*Structure, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var bundle struct {
		Entry []struct {
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(data, &bundle); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	var found []*Structure
	for _, e := range bundle.Entry {
		var kind struct {
			ResourceType string `json:"resourceType"`
		}
		if err := json.Unmarshal(e.Resource, &kind); err != nil || kind.ResourceType != "StructureDefinition" {
			continue
		}
		d := new(Structure)
		if err := json.Unmarshal(e.Resource, d); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		found = append(found, d)
	}
	return found, nil
}
