package storetest

import (
	"testing"

	"opendmp/store"
)

// remembered is a model that survives its Close.
type remembered struct{ m *model }

func (r remembered) Open(testing.TB) store.Store {
	r.m.closed = false
	return r.m
}

// TestModel: the suite can be passed, and by something that is not an engine. A
// model keeps contents in memory, which the one test left out forbids.
func TestModel(t *testing.T) {
	for _, test := range tests() {
		if test.name != "ContentStreamed" {
			t.Run(test.name, func(t *testing.T) { test.run(t, remembered{newModel()}) })
		}
	}
}
