package main

import (
	"fmt"
	"slices"

	"opendmp/fhir/internal/definitions"
)

type source struct {
	*definitions.Set
	base     map[string]*definitions.Structure // R4 types, by name
	profiles map[string]*definitions.Structure // by URL
}

func read(r4 string, dirs []string) (*source, error) {
	set, err := definitions.Read(append([]string{r4}, dirs...)...)
	if err != nil {
		return nil, err
	}
	s := &source{set, map[string]*definitions.Structure{}, map[string]*definitions.Structure{}}
	for _, d := range set.Structures {
		switch {
		case d.Kind == "logical":
		case !d.IsProfile():
			s.base[d.Type] = d
		case len(d.Snapshot.Element) == 0:
			return nil, fmt.Errorf("%s: no snapshot", d.URL)
		default:
			s.profiles[d.URL] = d
		}
	}
	return s, nil
}

// codes returns the codings of a value set as "system|code", sorted; none when it
// cannot be listed from what was read.
func (s *source) codes(url string) []string {
	codings, err := s.Codes(url)
	if err != nil {
		return nil
	}
	codes := make([]string, len(codings))
	for i, c := range codings {
		codes[i] = c.System + "|" + c.Code
	}
	slices.Sort(codes) // as they are searched: a system may begin another
	return codes
}
