package mongo

import (
	"testing"

	"opendmp/store/storetest"
)

func TestDumpSuite(t *testing.T) {
	deployment(t)
	storetest.RunDump(t, func(t *testing.T) storetest.Engine { return fresh(t) })
}
