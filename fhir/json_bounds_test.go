package fhir

import (
	"errors"
	"strings"
	"testing"
)

// The tree of a text is bounded by its number of values, not by its size.
func TestValuesAreBounded(t *testing.T) {
	if _, err := scanJSON([]byte("[" + strings.Repeat("1,", maxValues-2) + "1]")); err != nil {
		t.Errorf("as many as there may be: %v", err)
	}
	_, err := scanJSON([]byte("[" + strings.Repeat("1,", maxValues-1) + "1]"))
	var bad *Invalid
	if !errors.As(err, &bad) || bad.Issues[0].Code != "too-costly" {
		t.Errorf("one more: %v", err)
	}
}
