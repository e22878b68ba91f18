package definitions

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Errors of Codes.
var (
	// ErrOpen: the codes are of a system that is not here (media types, currencies).
	ErrOpen = errors.New("the code system is not here")
	// ErrNotListed: the value set is missing, or is made by more than lists of codes
	// and whole code systems, or a system has only a part of its codes.
	ErrNotListed = errors.New("the value set cannot be listed")
)

// Coding is a code of a code system.
type Coding struct{ System, Code string }

// Codes returns the codes of a value set, sorted, each once; the version after "|" in
// the URL is not compared. The error wraps ErrOpen or ErrNotListed.
func (s *Set) Codes(url string) ([]Coding, error) {
	var codes []Coding
	if err := s.list(&codes, url, nil); err != nil {
		return nil, err
	}
	slices.SortFunc(codes, func(a, b Coding) int {
		if c := strings.Compare(a.System, b.System); c != 0 {
			return c
		}
		return strings.Compare(a.Code, b.Code)
	})
	return slices.Compact(codes), nil
}

// list adds the codes of a value set; within are the ones that include it.
func (s *Set) list(codes *[]Coding, url string, within []string) error {
	url, _, _ = strings.Cut(url, "|")
	v, ok := s.valueSets[url]
	if !ok || slices.Contains(within, url) {
		return fmt.Errorf("%w: %s is missing, or includes itself", ErrNotListed, url)
	}
	if len(v.Compose.Exclude) > 0 {
		return fmt.Errorf("%w: %s excludes codes", ErrNotListed, url)
	}
	for _, include := range v.Compose.Include {
		if len(include.Filter) > 0 || include.System != "" && len(include.ValueSet) > 0 {
			return fmt.Errorf("%w: %s has a rule", ErrNotListed, url)
		}
		concepts := include.Concept
		if include.System != "" && len(concepts) == 0 {
			system, ok := s.codeSystems[include.System]
			if !ok {
				return fmt.Errorf("%w: %s, of %s", ErrOpen, include.System, url)
			}
			if system.Content != "complete" {
				return fmt.Errorf("%w: %s has not all of its codes", ErrNotListed, system.URL)
			}
			concepts = system.Concept
		}
		flatten(codes, include.System, concepts)
		for _, other := range include.ValueSet {
			if err := s.list(codes, other, append(within, url)); err != nil {
				return err
			}
		}
	}
	return nil
}

func flatten(codes *[]Coding, system string, concepts []concept) {
	for _, c := range concepts {
		*codes = append(*codes, Coding{system, c.Code})
		flatten(codes, system, c.Concept)
	}
}
