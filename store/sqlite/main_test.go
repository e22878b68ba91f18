package sqlite

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childEnv names what the test binary does when a test runs it again as another
// process; childDir is its directory.
const (
	childEnv = "STORE_SQLITE_TEST_CHILD"
	childDir = "STORE_SQLITE_TEST_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		goleak.VerifyTestMain(m)
	case "write":
		writeForever(os.Getenv(childDir))
	case "traced":
		writeSome(os.Getenv(childDir))
	case "open":
		openOnce(os.Getenv(childDir))
	}
}
