package definitions

import (
	"encoding/json"
	"strings"
)

type (
	// Structure is a StructureDefinition with its snapshot.
	Structure struct {
		URL        string `json:"url"`
		Kind       string `json:"kind"` // primitive-type, complex-type, resource, logical
		Abstract   bool   `json:"abstract"`
		Type       string `json:"type"`
		Derivation string `json:"derivation"` // "constraint" for a profile
		Snapshot   struct {
			Element []*Element `json:"element"`
		} `json:"snapshot"`
	}
	// Element is an ElementDefinition of a snapshot.
	Element struct {
		ID               string   `json:"id"`
		Path             string   `json:"path"`
		SliceName        string   `json:"sliceName"`
		Representation   []string `json:"representation"`
		Min              int      `json:"min"`
		Max              string   `json:"max"` // a number, or "*"
		Slicing          *Slicing `json:"slicing"`
		ContentReference string   `json:"contentReference"`
		Base             struct {
			Path string `json:"path"`
		} `json:"base"`
		Type       []Type `json:"type"`
		IsModifier bool   `json:"isModifier"`
		IsSummary  bool   `json:"isSummary"`
		Binding    *struct {
			Strength string `json:"strength"`
			ValueSet string `json:"valueSet"` // canonical, perhaps with a version
		} `json:"binding"`
		Constraint []struct {
			Key      string `json:"key"`
			Severity string `json:"severity"`
		} `json:"constraint"`

		// Value is fixed[x] or pattern[x] as encoding/json reads it, nil if there is
		// neither; Fixed tells that it is fixed[x].
		Value any  `json:"-"`
		Fixed bool `json:"-"`
	}
	// Type is one of the types that an element may have.
	Type struct {
		Code          string   `json:"code"`
		Profile       []string `json:"profile"`
		TargetProfile []string `json:"targetProfile"`
		Aggregation   []string `json:"aggregation"`
	}
	// Slicing says what tells the slices of an element apart.
	Slicing struct {
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
func (e *Element) UnmarshalJSON(data []byte) error {
	type plain Element
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
		if err := json.Unmarshal(raw, &e.Value); err != nil {
			return err
		}
		e.Fixed = fixed
	}
	return nil
}

// IsProfile tells whether the structure constrains a type rather than defining one.
func (s *Structure) IsProfile() bool { return s.Derivation == "constraint" }
