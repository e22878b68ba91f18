package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"opendmp/fhir/internal/definitions"
)

type source struct {
	*definitions.Set
	others []*definitions.Structure // of the resource types that we do not handle
}

func read(dir string) (*source, error) {
	set, err := definitions.Read(dir)
	if err != nil {
		return nil, err
	}
	if len(set.Structures) == 0 {
		return nil, fmt.Errorf("no StructureDefinition in %s", dir)
	}
	return &source{Set: set}, nil
}

// readOthers reads the resource types that the folder does not have from the
// Bundle of all resource types (profiles-resources.json of the specification).
func (s *source) readOthers(file string) error {
	all, err := definitions.ReadBundle(file)
	if err != nil {
		return err
	}
	for _, d := range all {
		known := slices.ContainsFunc(s.Structures, func(have *definitions.Structure) bool { return have.Type == d.Type })
		if d.Kind == "resource" && d.Derivation == "specialization" && !known {
			s.others = append(s.others, d)
		}
	}
	if len(s.others) == 0 {
		return fmt.Errorf("%s: no other resource type", filepath.Base(file))
	}
	return nil
}

// codes returns the codes of a value set, sorted; none when their system is not one
// of FHIR (media types, currencies).
func (s *source) codes(url string) ([]string, error) {
	codings, err := s.Codes(url)
	if errors.Is(err, definitions.ErrOpen) {
		return nil, nil
	}
	var codes []string
	for _, c := range codings {
		codes = append(codes, c.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes), err
}
