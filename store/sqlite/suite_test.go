package sqlite

import (
	"context"
	"testing"

	"opendmp/store"
	"opendmp/store/storetest"
)

// engine is a directory that the suite opens again and again.
type engine struct{ dir string }

func (e engine) Open(t testing.TB) store.Store {
	t.Helper()
	return open(t, e.dir, Options{})
}

func open(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Engine { return engine{t.TempDir()} })
}
