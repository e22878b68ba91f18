package main

import (
	"strings"
	"testing"

	"opendmp/policy"
)

// A real service does not start on the published matrix, which is known in part
// only, unless it is told that what is unknown is denied.
func TestOpenCells(t *testing.T) {
	p := plan{settings: policy.DefaultSettings(), matrix: policy.PublishedMatrix(), whole: true}
	if _, err := newEngine(p); err == nil || !strings.Contains(err.Error(), "matrix-unknown") {
		t.Errorf("open cells: %v", err)
	}
	p.whole = false
	if _, err := newEngine(p); err != nil {
		t.Error(err)
	}
	p.matrix, p.whole = policy.SandboxMatrix(), true
	if _, err := newEngine(p); err != nil {
		t.Error(err)
	}
}
