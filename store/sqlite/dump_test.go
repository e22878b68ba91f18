package sqlite

import (
	"context"
	"strings"
	"testing"

	"opendmp/store"
	"opendmp/store/storetest"
)

func TestDump(t *testing.T) {
	storetest.RunDump(t, func(t *testing.T) storetest.Engine { return engine{t.TempDir()} })
}

// Every page of a dump is found by a key and sorts nothing, as in TestPlans.
func TestDumpPlans(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer s.Close()
	err := s.read(context.Background(), func(c *conn) error {
		for _, part := range store.Parts() {
			for _, step := range plan(t, c, dumpQueryOf(part).sql) {
				if strings.HasPrefix(step, "SCAN") || strings.Contains(step, "ORDER BY") {
					t.Errorf("%v: %s", part, step)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
