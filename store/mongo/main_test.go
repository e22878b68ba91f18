package mongo

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// What a test that runs the test binary again tells it to do: to write, as this
// run, to this database.
const (
	childEnv      = "STORE_MONGO_TEST_CHILD"
	childURI      = "STORE_MONGO_TEST_URI"
	childDatabase = "STORE_MONGO_TEST_DATABASE"
)

func TestMain(m *testing.M) {
	if run := os.Getenv(childEnv); run != "" {
		writeForever(os.Getenv(childURI), os.Getenv(childDatabase), run)
	}
	goleak.VerifyTestMain(m)
}
